"""Commands on cases: each takes a batch, answers each case, records event and history."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel import events
from config.kernel.errors import Conflict
from config.kernel.events import Fact
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Case, CaseState, User
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome

_SWEEP: Final = 500


def acknowledge_cases(
    case_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[Case]]:
    """Say that somebody has seen them."""
    return _change(case_ids, Case.acknowledge, "case.acknowledged", "", at=at, actor=actor)


def assign_cases(
    case_ids: Sequence[UUID], assignee_id: UUID | None, *, at: datetime, actor: Actor
) -> list[Outcome[Case]]:
    """Give them to a person, or to nobody. The state stays; ended cases are refused."""
    name = ""
    if assignee_id is not None:
        person = User.objects.filter(pk=assignee_id, is_active=True).first()
        if person is None:
            return [Outcome.refused("not-found", "There is no such person.") for _ in case_ids]
        name = person.get_username()

    def assign(case: Case) -> None:
        if case.state in {CaseState.RESOLVED, CaseState.AUTO_RESOLVED}:
            raise Conflict("The case has ended.")
        case.assignee_id = assignee_id

    reason = f"assigned to {name}" if name else "assigned to nobody"
    return _change(case_ids, assign, "case.assigned", reason, at=at, actor=actor)


def take_up_cases(case_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[Case]]:
    """Begin to work on them."""
    return _change(case_ids, Case.take_up, "case.taken_up", "", at=at, actor=actor)


def put_cases_on_wait(
    case_ids: Sequence[UUID], *, until: datetime, reason: str, at: datetime, actor: Actor
) -> list[Outcome[Case]]:
    """Wait for somebody else until a time; then they come back as work in progress."""
    return _change(
        case_ids, lambda case: case.wait(until=until), "case.waiting", reason, at=at, actor=actor
    )


def put_cases_back(case_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[Case]]:
    """Make them as if nobody had seen them: they were touched by mistake."""
    return _change(case_ids, Case.put_back, "case.put_back", "", at=at, actor=actor)


def resolve_cases(
    case_ids: Sequence[UUID], *, resolution: str, at: datetime, actor: Actor
) -> list[Outcome[Case]]:
    """End them, saying how."""
    return _change(
        case_ids,
        lambda case: case.resolve(resolution=resolution, at=at),
        "case.resolved",
        resolution,
        at=at,
        actor=actor,
    )


def clear_cases(
    case_ids: Sequence[UUID], *, evidence: str, at: datetime, actor: Actor
) -> list[Outcome[Case]]:
    """End them because their detector no longer sees the problem."""
    return _change(
        case_ids,
        lambda case: case.clear(evidence=evidence, at=at),
        "case.auto_resolved",
        evidence,
        at=at,
        actor=actor,
    )


def reopen_cases(
    case_ids: Sequence[UUID], *, reason: str, at: datetime, actor: Actor
) -> list[Outcome[Case]]:
    """Open ended cases again; refused when the same problem has a newer open case."""
    with transaction.atomic():
        taken = _with_newer_open_case(case_ids)

        def reopen(case: Case) -> None:
            if case.pk in taken:
                raise Conflict("A newer case about the same problem is open.")
            case.reopen()

        return _change(case_ids, reopen, "case.reopened", reason, at=at, actor=actor)


def wake_waiting(*, at: datetime) -> int:
    """Bring back the cases whose time of waiting is over. Returns how many."""
    over = Case.objects.for_scope(ALL_ACCOUNTS).filter(
        state=CaseState.WAITING, waiting_until__lte=at
    )
    case_ids = list(over.order_by("pk").values_list("pk", flat=True)[:_SWEEP])
    return _count_done(take_up_cases(case_ids, at=at, actor=Actor.system("wake-waiting-cases")))


def _count_done(outcomes: Sequence[Outcome[Case]]) -> int:
    return sum(outcome.ok for outcome in outcomes)


def _change(
    case_ids: Sequence[UUID],
    step: Callable[[Case], None],
    topic: str,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
) -> list[Outcome[Case]]:
    """Lock the cases, apply `step` to each in memory, write all that went well in one statement."""
    with transaction.atomic():
        found: dict[UUID, Case] = {
            case.pk: case for case in Case.objects.for_scope(actor.scope).locked(case_ids)
        }
        outcomes: dict[UUID, Outcome[Case]] = {}
        changed: list[tuple[Case, str]] = []
        for case in found.values():
            source = case.state
            try:
                step(case)
            except Conflict as refusal:
                outcomes[case.pk] = Outcome.refused(refusal.code, refusal.detail, **refusal.extra)
            else:
                case.event_seq += 1
                changed.append((case, source))
                outcomes[case.pk] = Outcome.done(case)
        _write(changed)
        _record(changed, topic, reason, at=at, actor=actor)
    missing: Outcome[Case] = Outcome.refused("not-found", "There is no such case.")
    return [outcomes.get(case_id, missing) for case_id in case_ids]


def _write(changed: Sequence[tuple[Case, str]]) -> None:
    if not changed:
        return
    cases = [case for case, _ in changed]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_case c
            SET state = new.state, assignee_id = new.assignee_id,
                waiting_until = new.waiting_until, resolved_at = new.resolved_at,
                resolution = new.resolution, event_seq = new.event_seq
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::timestamptz[],
                    %s::timestamptz[], %s::text[], %s::bigint[])
                AS new (id, source, state, assignee_id, waiting_until, resolved_at, resolution,
                    event_seq)
            WHERE c.id = new.id AND c.state = new.source AND c.event_seq = new.event_seq - 1
            """,
            [
                [case.pk for case in cases],
                [source for _, source in changed],
                [case.state for case in cases],
                [case.assignee_id for case in cases],
                [case.waiting_until for case in cases],
                [case.resolved_at for case in cases],
                [case.resolution for case in cases],
                [case.event_seq for case in cases],
            ],
        )
        if cursor.rowcount != len(cases):
            raise RuntimeError("cases changed under their lock")


def _record(
    changed: Sequence[tuple[Case, str]], topic: str, reason: str, *, at: datetime, actor: Actor
) -> None:
    record_history(
        Case,
        [case.pk for case, _ in changed],
        Change.CHANGED,
        at=at,
        actor=actor,
        reason=reason or topic.partition(".")[2].replace("_", " "),
    )
    events.record([fact_of(case, topic) for case, _ in changed], at=at, actor=actor)


def fact_of(case: Case, topic: str) -> Fact:
    """The event of a change to a case; the timeline of its document shows it."""
    return Fact(
        topic,
        "case",
        case.pk,
        case.event_seq,
        case.account_id,
        {
            "number": case.number,
            "kind": case.kind,
            "state": case.state,
            "subject_kind": case.subject_kind,
            "subject_id": str(case.subject_id),
        },
        thread_id=case.thread_id,
    )


def _with_newer_open_case(case_ids: Sequence[UUID]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT ended.id FROM kernel_case ended
            JOIN kernel_case open ON open.account_id = ended.account_id
                AND open.dedupe_key = ended.dedupe_key AND open.id <> ended.id
            WHERE ended.id = ANY(%s)
              AND open.state IN ('open', 'acknowledged', 'in_progress', 'waiting')
            """,
            [list(case_ids)],
        )
        return {case_id for (case_id,) in cursor.fetchall()}
