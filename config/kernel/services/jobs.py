"""Jobs: a long action as a row, worked through in chunks, each chunk exactly once.

`run_items` and the outcomes of its items commit together, so a worker that is killed loses at most
the chunk it was at, and that chunk runs again. A chunk that fails as a whole is halved until the
item that fails stands alone and is refused with its reason. A job whose worker died is taken up
when its lease lapses; one that kills its worker five times without progress has failed.
"""

import csv
import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel import case_reports, ids
from config.kernel.case_reports import Report
from config.kernel.errors import Busy, DomainError, NotFound, in_brief, is_passing
from config.kernel.models import Job, JobItem, JobState
from config.kernel.types import Actor, ActorKind, Outcome, OutcomeKind, Scope

CHUNK: Final = 200
LEASE_SECONDS: Final = 60
ATTEMPTS: Final = 5
BUSY_TRIES: Final = 3
OUTSIDE_CHUNK: Final = 50
"""Items of a kind that asks others, at a time: fewer than a lease's time is enough for."""
JOB_FAILED: Final = "JOB_FAILED"

RunItems = Callable[[Sequence[UUID], Mapping[str, Any], datetime, Actor], Sequence[Outcome[Any]]]
_kinds: dict[str, RunItems] = {}
_outside: set[str] = set()
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RunningJob:
    """A job in a worker's hands. `lease_until` is also the fence: it changes with each holder."""

    id: UUID
    kind: str
    params: Mapping[str, Any]
    actor: Actor
    lease_until: datetime


class Overtaken(RuntimeError):
    """Another worker has the job, or somebody has stopped it."""


def register(kind: str, run_items: RunItems, *, outside: bool = False) -> None:
    """Say what a job of this kind does with up to 200 subject ids; called from `ready()`.

    `run_items(ids, params, at, actor)` makes one batch command call and returns one outcome per id.
    Those that ask the `outside` get up to 50 with no transaction open; what they do must be safe to
    repeat, since a killed worker has not kept the outcomes.
    """
    if kind in _kinds:
        raise ValueError(f"the job kind {kind} is registered twice")
    _kinds[kind] = run_items
    if outside:
        _outside.add(kind)


def registered() -> list[str]:
    return sorted(_kinds)


def enqueue(
    kind: str,
    title: str,
    params: Mapping[str, Any],
    subject_ids: Sequence[UUID],
    *,
    account_id: UUID,
    at: datetime,
    actor: Actor,
) -> Job:
    """Write the job and its items, in two statements. Raises KeyError for an unknown kind.

    The caller rings `config.kernel.tasks.run_job` after commit; the tick finds it anyway.
    """
    _kinds[kind]
    job = Job(
        id=ids.uuid7(),
        account_id=account_id,
        kind=kind,
        title=title,
        params=dict(params),
        total=len(subject_ids),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        at=at,
    )
    with transaction.atomic():
        job.save(force_insert=True)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO kernel_jobitem (job_id, position, subject_id, outcome, code, detail)
                SELECT %s, item.position, item.subject_id, 'waiting', '', ''
                FROM unnest(%s::uuid[]) WITH ORDINALITY AS item (subject_id, position)
                """,
                [job.id, list(subject_ids)],
            )
    return job


def due_jobs(limit: int = 20) -> list[UUID]:
    """Jobs that wait for a worker: queued, or running with a lapsed lease. Oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM kernel_job WHERE state IN ('queued', 'running') AND kind = ANY(%s) "
            "AND (lease_until IS NULL OR lease_until <= clock_timestamp()) "
            "ORDER BY queued_at LIMIT %s",
            [registered(), limit],
        )
        return [job_id for (job_id,) in cursor.fetchall()]


def run_job(job_id: UUID, *, at: datetime) -> bool:
    """Take the job and work it to its end. False when it is not to be had (done, or in hands)."""
    job = _take(job_id, at=at)
    if job is None:
        return False
    try:
        while _run_outside(job, at=at) if job.kind in _outside else _run_chunk(job, CHUNK, at=at):
            pass
        _finish(job)
    except Overtaken:
        _log.info("a job was taken over or stopped", extra={"job": str(job_id)})
    return True


def cancel(job_id: UUID, *, at: datetime, actor: Actor) -> Job:
    """Stop the job: at once when it is queued, after the chunk in hand when it runs.

    Raises NotFound outside the actor's scope and IllegalTransition when it has ended.
    """
    del at
    with transaction.atomic():
        job = _locked(job_id, actor)
        source = job.state
        job.cancel()
        if source == JobState.QUEUED:
            _end(job.id, source, JobState.CANCELLED)
            job.refresh_from_db()
        else:
            Job.objects.for_scope(actor.scope).filter(pk=job.pk).update(cancel_asked=True)
            job.refresh_from_db()
    return job


def retry_refused(job_id: UUID, *, at: datetime, actor: Actor) -> Job:
    """Make a new job of the refused items of an ended one. Raises NotFound when there are none."""
    job = Job.objects.for_scope(actor.scope).filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no such job.")
    refused = list(
        JobItem.objects.filter(job=job, outcome=OutcomeKind.REFUSED)
        .order_by("position")
        .values_list("subject_id", flat=True)
    )
    if not refused:
        raise NotFound("No item of this job was refused.")
    return enqueue(
        job.kind, job.title, job.params, refused, account_id=job.account_id, at=at, actor=actor
    )


def results_csv(job_id: UUID, *, actor: Actor) -> Iterator[str]:
    """The outcome of every item as CSV lines, headed. Raises NotFound outside the scope."""
    if not Job.objects.for_scope(actor.scope).filter(pk=job_id).exists():
        raise NotFound("There is no such job.")
    return _csv_lines(job_id)


def _csv_lines(job_id: UUID) -> Iterator[str]:
    yield _csv_line(["position", "subject", "outcome", "code", "detail"])
    items = JobItem.objects.filter(job_id=job_id).order_by("position")
    fields = ("position", "subject_id", "outcome", "code", "detail")
    for row in items.values_list(*fields).iterator(chunk_size=2_000):
        yield _csv_line(row)


def _csv_line(values: Sequence[object]) -> str:
    line = io.StringIO()
    # A leading =, +, - or @ would be a formula in a spreadsheet.
    csv.writer(line).writerow(
        f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value
        for value in values
    )
    return line.getvalue()


def _locked(job_id: UUID, actor: Actor) -> Job:
    job: Job | None = Job.objects.for_scope(actor.scope).locked([job_id]).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job


def _take(job_id: UUID, *, at: datetime) -> RunningJob | None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_job SET state = 'running', attempts = attempts + 1,
                started_at = coalesce(started_at, clock_timestamp()),
                lease_until = clock_timestamp() + make_interval(secs => %s)
            WHERE id = %s AND state IN ('queued', 'running')
              AND (lease_until IS NULL OR lease_until <= clock_timestamp())
            RETURNING kind, params, account_id, actor_kind, actor_id, actor_name, lease_until,
                attempts
            """,
            [LEASE_SECONDS, job_id],
        )
        row = cursor.fetchone()
        if row is None:
            return None
        kind, params, account_id, actor_kind, actor_id, actor_name, lease_until, attempts = row
        if attempts > ATTEMPTS:
            _fail(job_id, account_id, kind, at=at)
            return None
    actor = Actor(
        ActorKind(actor_kind),
        actor_id,
        actor_name,
        Scope(frozenset({account_id})),
        causation_id=str(job_id),
    )
    return RunningJob(job_id, kind, json.loads(params), actor, lease_until)


def _run_chunk(job: RunningJob, size: int, *, at: datetime, tries: int = 1) -> int:
    """Run the next `size` waiting items and keep their outcomes, in one transaction.

    Items that fail together are run again in halves. Returns how many items were dealt with.
    """
    item_ids: list[int] = []
    try:
        with transaction.atomic():
            items = _waiting_items(job, size)
            item_ids = [item_id for item_id, _ in items]
            if not items:
                return 0
            subject_ids = [subject_id for _, subject_id in items]
            outcomes = list(_kinds[job.kind](subject_ids, job.params, at, job.actor))
            held_until = _keep(job, item_ids, outcomes)
    except Overtaken:
        raise
    except Exception as error:
        if not item_ids:
            raise
        if is_passing(error) and tries < BUSY_TRIES:
            return _run_chunk(job, size, at=at, tries=tries + 1)
        if len(item_ids) == 1:
            return _refuse(job, item_ids, error)
    else:
        job.lease_until = held_until
        return len(item_ids)
    half = len(item_ids) // 2
    done = _run_part(job, half, at=at)
    return done + _run_part(job, len(item_ids) - half, at=at)


def _run_outside(job: RunningJob, *, at: datetime) -> int:
    """Likewise with no transaction open while others are asked. Items that fail are refused together."""
    with transaction.atomic():
        items = _waiting_items(job, OUTSIDE_CHUNK)
    if not items:
        return 0
    try:
        outcomes = list(_kinds[job.kind]([one for _, one in items], job.params, at, job.actor))
    except Exception as error:  # noqa: BLE001  # whatever an app's client raises
        return _refuse(job, [item_id for item_id, _ in items], error)
    with transaction.atomic():
        held_until = _keep(job, [item_id for item_id, _ in items], outcomes)
    job.lease_until = held_until
    return len(items)


def _run_part(job: RunningJob, size: int, *, at: datetime) -> int:
    done = 0
    while done < size and (step := _run_chunk(job, size - done, at=at)):
        done += step
    return done


def _refuse(job: RunningJob, item_ids: Sequence[int], error: Exception) -> int:
    if isinstance(error, DomainError):
        refusal: Outcome[Any] = Outcome.refused(error.code, error.detail)
    elif is_passing(error):
        refusal = Outcome.refused(Busy.code, "The record was being changed by someone else.")
    else:
        _log.exception("an item of a job failed", extra={"job": str(job.id)})
        refusal = Outcome.refused("fault", in_brief(error))
    with transaction.atomic():
        held_until = _keep(job, item_ids, [refusal] * len(item_ids))
    job.lease_until = held_until
    return len(item_ids)


def _waiting_items(job: RunningJob, size: int) -> list[tuple[int, UUID]]:
    """Lock the next items. A stopped or overtaken job gets none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.id, i.subject_id FROM kernel_jobitem i JOIN kernel_job j ON j.id = i.job_id "
            "WHERE j.id = %s AND NOT j.cancel_asked AND i.outcome = 'waiting' "
            "ORDER BY i.position LIMIT %s FOR UPDATE OF i",
            [job.id, size],
        )
        return list(cursor.fetchall())


def _keep(job: RunningJob, item_ids: Sequence[int], outcomes: Sequence[Outcome[Any]]) -> datetime:
    """Write outcomes and progress, and extend the lease; fenced, so that an old holder rolls back.

    Returns the lease's new end, which counts once the transaction has committed.
    The job's row is written last and by itself: whoever holds it waits for nothing else.
    """
    if len(outcomes) != len(item_ids):
        raise RuntimeError(f"{job.kind} answered {len(outcomes)} of {len(item_ids)} items")
    refused = sum(not outcome.ok for outcome in outcomes)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_jobitem i
            SET outcome = ended.outcome, code = ended.code, detail = ended.detail
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])
                AS ended (id, outcome, code, detail)
            WHERE i.id = ended.id AND i.outcome = 'waiting'
            """,
            [
                list(item_ids),
                [outcome.kind for outcome in outcomes],
                [outcome.problem.code if outcome.problem else "" for outcome in outcomes],
                [outcome.problem.detail if outcome.problem else "" for outcome in outcomes],
            ],
        )
        if cursor.rowcount != len(item_ids):
            raise Overtaken
        cursor.execute(
            """
            UPDATE kernel_job SET done = done + %s, refused = refused + %s, attempts = 0,
                progressed_at = clock_timestamp(),
                lease_until = clock_timestamp() + make_interval(secs => %s)
            WHERE id = %s AND state = 'running' AND lease_until = %s
            RETURNING lease_until
            """,
            [len(outcomes) - refused, refused, LEASE_SECONDS, job.id, job.lease_until],
        )
        row = cursor.fetchone()
        if row is None:
            raise Overtaken
        held_until: datetime = row[0]
    return held_until


def _finish(job: RunningJob) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_job SET finished_at = clock_timestamp(), lease_until = NULL,
                state = CASE WHEN cancel_asked AND done + refused < total THEN 'cancelled'
                    WHEN refused = 0 THEN 'done' ELSE 'partial' END
            WHERE id = %s AND state = 'running' AND lease_until = %s
            """,
            [job.id, job.lease_until],
        )


def _end(job_id: UUID, source: str, target: JobState) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_job SET state = %s, finished_at = clock_timestamp(), lease_until = NULL "
            "WHERE id = %s AND state = %s",
            [target, job_id, source],
        )


def _fail(job_id: UUID, account_id: UUID, kind: str, *, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_job SET state = 'failed', finished_at = clock_timestamp(), "
            "lease_until = NULL, last_error = %s WHERE id = %s AND state = 'running'",
            [f"Its worker ended {ATTEMPTS} times without progress.", job_id],
        )
    case_reports.report(
        [Report(JOB_FAILED, "job", job_id, account_id, evidence={"kind": kind}, cause=kind)],
        at=at,
    )
