"""What pages and other apps read of the kernel: queues, timelines, lag. Each is one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet

from config.kernel import case_reports
from config.kernel.errors import NotFound
from config.kernel.models import Account, Brand, Case, Channel, Event, Job, JobItem
from config.kernel.models.cases import OPEN_STATES
from config.kernel.types import ALL_ACCOUNTS, Scope


@dataclass(frozen=True, slots=True)
class Cluster:
    """Open cases with one cause."""

    kind: str
    cause: str
    count: int
    oldest_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event of a document's timeline, as the actor and the machine saw it."""

    id: UUID
    topic: str
    subject_kind: str
    subject_id: UUID
    at: datetime
    recorded_at: datetime
    actor_kind: str
    actor_name: str
    on_behalf_of: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lag:
    """How far events and deliveries are behind. Seconds are machine time; 0 when nothing waits."""

    relay_seconds: float
    pending: int
    oldest_pending_seconds: float
    dead: int


@dataclass(frozen=True, slots=True)
class DeadDelivery:
    """A delivery that was given up; `waiting` later ones of its subject stand behind it."""

    event_id: UUID
    consumer: str
    topic: str
    subject_kind: str
    subject_id: UUID
    account_id: UUID
    attempts: int
    last_error: str
    recorded_at: datetime
    waiting: int


def open_cases(
    scope: Scope,
    *,
    kind: str = "",
    owner_team: str = "",
    assignee_id: UUID | None = None,
    unassigned: bool = False,
    severity: int | None = None,
) -> QuerySet[Case]:
    """The queue: open cases, worst first, then by due time. Page it with `CASE_ORDER`."""
    wanted = Case.objects.for_scope(scope).filter(state__in=OPEN_STATES)
    if kind:
        wanted = wanted.filter(kind=kind)
    if owner_team:
        wanted = wanted.filter(owner_team=owner_team)
    if assignee_id is not None:
        wanted = wanted.filter(assignee_id=assignee_id)
    if unassigned:
        wanted = wanted.filter(assignee_id=None)
    if severity is not None:
        wanted = wanted.filter(severity=severity)
    queue: QuerySet[Case] = wanted.select_related("assignee").order_by(*CASE_ORDER)
    return queue


CASE_ORDER = ("severity", "due_at", "id")
"""The queue's order, as `pagination.page` takes it."""


def cases_of(
    scope: Scope, *, thread_id: UUID | None = None, subject_ids: Sequence[UUID] = ()
) -> QuerySet[Case]:
    """Every case of a document or of subjects, newest first, ended ones too."""
    about = Q()
    if thread_id is not None:
        about |= Q(thread_id=thread_id)
    if subject_ids:
        about |= Q(subject_id__in=list(subject_ids))
    if not about:
        found: QuerySet[Case] = Case.objects.for_scope(scope).none()
        return found
    ended_too: QuerySet[Case] = Case.objects.for_scope(scope).filter(about)
    return ended_too.order_by("-id")


def case(scope: Scope, case_id: UUID) -> Case | None:
    found: Case | None = (
        Case.objects.for_scope(scope).select_related("assignee").filter(pk=case_id).first()
    )
    return found


def case_counts(scope: Scope, *, at: datetime) -> dict[str, int]:
    """How many are open, overdue, unassigned, and of severity 1."""
    counted: dict[str, int] = (
        Case.objects.for_scope(scope)
        .filter(state__in=OPEN_STATES)
        .aggregate(
            open=Count("pk"),
            overdue=Count("pk", filter=Q(due_at__lt=at)),
            unassigned=Count("pk", filter=Q(assignee=None)),
            urgent=Count("pk", filter=Q(severity=1)),
        )
    )
    return counted


def case_counts_by_kind(scope: Scope) -> list[tuple[str, str, int]]:
    """(code, label, open cases) of each kind that has any, most first."""
    labels = {kind.code: kind.label for kind in case_reports.case_kinds()}
    counted = (
        Case.objects.for_scope(scope)
        .filter(state__in=OPEN_STATES)
        .values_list("kind")
        .annotate(number=Count("pk"))
        .order_by("-number", "kind")
    )
    return [(code, labels.get(code, code), number) for code, number in counted]


def clusters(scope: Scope, *, least: int = 2, limit: int = 50) -> list[Cluster]:
    """Open cases that share a cause, the largest groups first."""
    grouped = (
        Case.objects.for_scope(scope)
        .filter(state__in=OPEN_STATES)
        .exclude(cause="")
        .values_list("kind", "cause")
        .annotate(number=Count("pk"), oldest=Min("opened_at"), due=Min("due_at"))
        .filter(number__gte=least)
        .order_by("-number", "kind", "cause")[:limit]
    )
    return [Cluster(*row) for row in grouped]


def cluster_case_ids(scope: Scope, kind: str, cause: str) -> list[UUID]:
    """The open cases of one cluster, oldest first: what one job would fix."""
    return list(
        Case.objects.for_scope(scope)
        .filter(state__in=OPEN_STATES, kind=kind, cause=cause)
        .order_by("id")
        .values_list("id", flat=True)
    )


def recent_jobs(scope: Scope, *, limit: int = 50, actor_id: str = "") -> list[Job]:
    """Jobs newest first; those of one actor when named."""
    wanted = Job.objects.for_scope(scope)
    if actor_id:
        wanted = wanted.filter(actor_id=actor_id)
    return list(wanted.order_by("-id")[:limit])


def job(scope: Scope, job_id: UUID) -> Job | None:
    found: Job | None = Job.objects.for_scope(scope).filter(pk=job_id).first()
    return found


def jobs_since(
    state: str, before: datetime, *, among: Sequence[UUID] | None = None, limit: int
) -> list[Job]:
    """Jobs of all accounts in a state that were asked for before a time, the oldest first."""
    wanted = Job.objects.for_scope(ALL_ACCOUNTS).filter(state=state, at__lt=before)
    if among is not None:
        wanted = wanted.filter(pk__in=among)
    return list(wanted.order_by("at")[:limit])


def items_of(job_id: UUID, *, outcome: str = "") -> QuerySet[JobItem]:
    """A job's items in their order. The caller has found the job within its scope."""
    items = JobItem.objects.filter(job_id=job_id).order_by("position")
    return items.filter(outcome=outcome) if outcome else items


def rate_of(job: Job) -> float:
    """Items per second since the job began; 0 before its first progress."""
    if job.started_at is None or job.progressed_at is None:
        return 0.0
    seconds = (job.progressed_at - job.started_at).total_seconds()
    return (job.done + job.refused) / seconds if seconds > 0 else 0.0


def timeline(scope: Scope, thread_id: UUID, *, limit: int = 500) -> list[TimelineEntry]:
    """The events of one document in the order they were recorded, the newest `limit` of them."""
    newest = (
        Event.objects.for_scope(scope)
        .filter(thread_id=thread_id)
        .order_by("-id")
        .values_list(
            "id",
            "topic",
            "subject_kind",
            "subject_id",
            "at",
            "recorded_at",
            "actor_kind",
            "actor_name",
            "on_behalf_of",
            "data",
        )[:limit]
    )
    return [TimelineEntry(*row) for row in reversed(newest)]


def newest_event_at(scope: Scope) -> datetime | None:
    """When the last event was recorded, in business time."""
    found: datetime | None = Event.objects.for_scope(scope).aggregate(at=Max("at"))["at"]
    return found


def outbox_lag() -> Lag:
    """How long the oldest unrelayed event and the oldest due delivery have waited."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH position AS (SELECT xid, event_id FROM kernel_relaycursor),
            unread AS (
                SELECT e.recorded_at FROM position
                JOIN kernel_event e ON (e.xid, e.id) > (position.xid, position.event_id)
                ORDER BY e.xid, e.id LIMIT 1
            ), waiting AS (
                SELECT count(*) FILTER (WHERE state = 'pending') AS pending,
                    min(due_at) FILTER (WHERE state = 'pending') AS oldest,
                    count(*) FILTER (WHERE state = 'dead') AS dead
                FROM kernel_delivery WHERE state <> 'done'
            )
            SELECT greatest(0, extract(epoch FROM clock_timestamp()
                    - (SELECT recorded_at FROM unread)))::float8,
                pending,
                greatest(0, extract(epoch FROM clock_timestamp() - oldest))::float8,
                dead
            FROM waiting
            """
        )
        relay, pending, oldest, dead = cursor.fetchone()
    return Lag(relay or 0.0, pending, oldest or 0.0, dead)


def dead_deliveries(scope: Scope, *, limit: int = 100) -> list[DeadDelivery]:
    """What was given up, oldest first, with how much stands behind each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.event_id, d.consumer, d.topic, e.subject_kind, d.subject_id, e.account_id,
                d.attempts, d.last_error, e.recorded_at,
                (SELECT count(*) FROM kernel_delivery later
                 WHERE later.consumer = d.consumer AND later.subject_id = d.subject_id
                   AND later.state = 'pending'
                   AND (later.seq, later.event_id) > (d.seq, d.event_id))
            FROM kernel_delivery d JOIN kernel_event e ON e.id = d.event_id
            WHERE d.state = 'dead' AND (%s OR e.account_id = ANY(%s))
            ORDER BY d.event_id LIMIT %s
            """,
            [scope.everything, sorted(scope.account_ids), limit],
        )
        return [DeadDelivery(*row) for row in cursor.fetchall()]


def intents_done(kind: str, keys: Sequence[str]) -> set[str]:
    """Those of the keys whose intent of this kind was carried out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key FROM kernel_intent WHERE kind = %s AND key = ANY(%s) AND state = 'done'",
            [kind, list(keys)],
        )
        return {key for (key,) in cursor.fetchall()}


def undelivered(event_ids: Sequence[UUID]) -> list[tuple[UUID, str, str]]:
    """(event, consumer, state) of deliveries of these events that are not done."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id, consumer, state FROM kernel_delivery "
            "WHERE event_id = ANY(%s) AND state <> 'done' ORDER BY event_id, consumer",
            [list(event_ids)],
        )
        return list(cursor.fetchall())


def account_id(code: str) -> UUID:
    """The account's id. Raises NotFound for a code nobody has."""
    found: UUID | None = Account.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(f"There is no account {code}.")
    return found


def brand_ids(account: UUID) -> dict[str, UUID]:
    """The account's brands: ids by code."""
    return dict(
        Brand.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account).values_list("code", "pk")
    )


def channel_ids(account: UUID) -> dict[str, UUID]:
    """The account's channels: ids by code."""
    return dict(
        Channel.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account).values_list("code", "pk")
    )


def settings_of(code: str) -> dict[str, Any]:
    """The account's settings; none when there is no such account."""
    return Account.objects.filter(code=code).values_list("settings", flat=True).first() or {}
