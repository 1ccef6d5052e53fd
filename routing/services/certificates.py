"""The week's regret certificate: live decisions against hindsight, made by a worker."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from config.kernel import ids
from config.kernel.errors import Conflict
from config.kernel.models import Job
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome, Scope
from routing import reference
from routing.models import RoutingDecision
from routing.replaying import recorded_decisions
from routing.simulation_models import Certificate

JOB: Final = "routing.certify"
WEEK: Final = timedelta(days=7)
MOST_DECISIONS: Final = 20_000
AT_ONCE: Final = 500


def last_week(at: datetime) -> tuple[datetime, datetime]:
    """The last whole week, Monday to Monday, UTC."""
    today = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    return monday - WEEK, monday


def ask_certificate(
    account_id: UUID, starts_at: datetime, ends_at: datetime, *, at: datetime, actor: Actor
) -> Job:
    """Have a worker make the certificate of a period; the caller rings it. Safe to repeat."""
    return jobs.enqueue(
        JOB,
        f"Certificate of {starts_at:%-d %b} to {ends_at:%-d %b %Y}",
        {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()},
        [account_id],
        account_id=account_id,
        at=at,
        actor=actor,
    )


def certify_due(*, at: datetime, actor: Actor) -> int:
    """The weekly step: ask for the last week of each account that has decisions in it and none yet."""
    starts_at, ends_at = last_week(at)
    decided = RoutingDecision.objects.for_scope(ALL_ACCOUNTS).filter(
        at__gte=starts_at, at__lt=ends_at
    )
    accounts = set(decided.values_list("account_id", flat=True).distinct())
    made = Certificate.objects.for_scope(ALL_ACCOUNTS).filter(starts_at=starts_at, ends_at=ends_at)
    accounts -= set(made.values_list("account_id", flat=True))
    asked = Job.objects.for_scope(ALL_ACCOUNTS).filter(
        kind=JOB, params__starts_at=starts_at.isoformat(), params__ends_at=ends_at.isoformat()
    )
    accounts -= set(asked.values_list("account_id", flat=True))
    for account_id in sorted(accounts):
        ask_certificate(account_id, starts_at, ends_at, at=at, actor=actor)
    return len(accounts)


def certify_items(
    account_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    """The job's step."""
    starts_at = datetime.fromisoformat(params["starts_at"])
    ends_at = datetime.fromisoformat(params["ends_at"])
    return [
        Outcome.done(make_certificate(one, starts_at, ends_at, at=at, actor=actor).pk)
        for one in account_ids
    ]


@transaction.atomic
def make_certificate(
    account_id: UUID, starts_at: datetime, ends_at: datetime, *, at: datetime, actor: Actor
) -> Certificate:
    """Work it out and keep it; of the same period the later one stands.

    Raises Conflict where nothing in the period left a choice.
    """
    # It brings linear programming along, which no process needs that only decides.
    from routing.certifying import certify

    scope = Scope(frozenset({account_id}))
    wanted = (
        RoutingDecision.objects.for_scope(scope)
        .filter(account_id=account_id, at__gte=starts_at, at__lt=ends_at)
        .order_by("at", "pk")
        .values_list("pk", flat=True)[:MOST_DECISIONS]
    )
    pks = list(wanted)
    period = [
        recorded
        for start in range(0, len(pks), AT_ONCE)
        for recorded in recorded_decisions(pks[start : start + AT_ONCE], scope)
    ]
    rates = reference.current().rates()
    found = certify(period, rates)
    if found is None:
        raise Conflict("Nothing in this period left a choice.")
    Certificate.objects.for_scope(scope).filter(
        account_id=account_id, starts_at=starts_at, ends_at=ends_at
    ).delete()
    certificate: Certificate = Certificate.objects.create(
        id=ids.uuid7(),
        account_id=account_id,
        starts_at=starts_at,
        ends_at=ends_at,
        currency=rates.currency,
        orders=found.orders,
        left_out=found.left_out,
        live_minor=found.live,
        bound_minor=found.bound,
        causes={
            cause: {"minor": minor, "orders": found.counts.get(cause, 0)}
            for cause, minor in found.causes.items()
        },
        examples={"orders": [asdict(one) for one in found.regrets]},
        made_by=actor.name,
        at=at,
    )
    return certificate
