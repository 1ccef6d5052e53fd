"""Backtests: recorded decisions played again under other policies, by a job, in the order of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from config.kernel import ids
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome, Scope
from routing.models import RoutingDecision, SourcingPolicy
from routing.replaying import Bench, replay
from routing.simulating_samples import MOST_DECISIONS, Sample
from routing.simulation_models import SimulatedMove, Simulation, SimulationKind

JOB: Final = "routing.simulate"
AS_RECORDED: Final = "As recorded"
MOST_POLICIES: Final = 5
KEPT: Final = timedelta(days=90)
"""How long a backtest is kept after it was asked for, and a shadow after it was stopped."""

MOST_SWEPT: Final = 20
"""Each has up to some thousands of moves."""

ALONE: Final = {"cost_percent": 100, "parcel_minor": 0, "km_milli": 0, "late_day_minor": 0}
SWEEP: Final[tuple[tuple[str, Mapping[str, int]], ...]] = (
    ("cost alone", {}),
    ("a parcel at 3.00", {"parcel_minor": 300}),
    ("a late day at 15.00", {"late_day_minor": 1_500}),
    ("a kilometer at 0.002", {"km_milli": 200}),
    ("a kilometer at 0.01", {"km_milli": 1_000}),
    ("a kilometer at 0.05", {"km_milli": 5_000}),
)
"""Other weights of the first policy that a frontier is drawn through."""


@dataclass(frozen=True, slots=True)
class SimulationDraft:
    """What is to be compared, on which decisions; with `sweep` also other weights of the first."""

    account_id: UUID
    policy_ids: tuple[UUID, ...]
    sample: Sample
    sweep: bool = False


@transaction.atomic
def start_simulation(draft: SimulationDraft, *, at: datetime, actor: Actor) -> Simulation:
    """Write the simulation and the job that works it through; the caller rings a worker.

    Raises NotFound for a policy outside the account, Invalid for too many of them, Conflict when
    nothing was decided in the sample.
    """
    if not 1 <= len(draft.policy_ids) <= MOST_POLICIES:
        raise Invalid(f"Compare 1 to {MOST_POLICIES} policies.")
    found = SourcingPolicy.objects.for_scope(actor.scope).filter(account_id=draft.account_id)
    policies = {row.pk: row for row in found.filter(pk__in=draft.policy_ids)}
    if missing := [one for one in draft.policy_ids if one not in policies]:
        raise NotFound(f"There is no policy {missing[0]} in this account.")
    first = policies[draft.policy_ids[0]]
    decisions = decisions_in(draft.account_id, draft.sample, actor)
    if not decisions:
        raise Conflict("Nothing was decided in this sample: choose another one.")
    title = f"{first} on {draft.sample.label}"
    simulation = Simulation(
        id=ids.uuid7(),
        account_id=draft.account_id,
        kind=SimulationKind.BACKTEST,
        title=title[:200],
        policy=first,
        variants=_variants([policies[one] for one in draft.policy_ids], sweep=draft.sweep),
        sample=draft.sample.as_json() | {"decisions": len(decisions)},
        asked_by=actor.name,
        at=at,
    )
    job = jobs.enqueue(
        JOB,
        f"Simulate {title}"[:200],
        {"simulation": str(simulation.pk)},
        decisions,
        account_id=draft.account_id,
        at=at,
        actor=actor,
    )
    simulation.job_id = job.pk
    simulation.save(force_insert=True)
    return simulation


def decisions_in(account_id: UUID, sample: Sample, actor: Actor) -> list[UUID]:
    """The sample's decisions in the order of time: of very many the latest. One statement."""
    rows = RoutingDecision.objects.for_scope(actor.scope).filter(
        account_id=account_id, at__gte=sample.starts_at, at__lt=sample.ends_at
    )
    if sample.order_ids:
        rows = rows.filter(order_id__in=sample.order_ids)
    latest = rows.order_by("-at", "-pk").values_list("pk", flat=True)[:MOST_DECISIONS]
    return list(latest)[::-1]


def play_decisions(
    decision_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    """The job's step: go on from what is carried, and keep where that leads, in its transaction.

    A decision whose input is no longer kept is refused.
    """
    del at
    simulation: Simulation | None = (
        Simulation.objects.for_scope(actor.scope).locked([UUID(params["simulation"])]).first()
    )
    if simulation is None:
        raise NotFound("There is no such simulation.")
    return play_on(simulation, decision_ids, actor.scope)


def play_on(
    simulation: Simulation, decision_ids: Sequence[UUID], scope: Scope
) -> list[Outcome[Any]]:
    """Play these decisions from where the locked simulation stands. Statements do not grow with them."""
    bench = Bench.of(simulation, scope)
    outcomes, moves = replay(bench, decision_ids)
    SimulatedMove.objects.bulk_create(moves)
    simulation.carried, simulation.result = bench.carried.packed(), bench.result()
    simulation.save(update_fields=["carried", "result"])
    return outcomes


@transaction.atomic
def sweep_simulations(*, at: datetime, limit: int = MOST_SWEPT) -> int:
    """Forget simulations that are long over, with their moves; a shadow that runs stays.

    Answers how many. The number of statements does not depend on it.
    """
    before = at - KEPT
    ended = Q(kind=SimulationKind.BACKTEST, at__lt=before) | Q(stopped_at__lt=before)
    old = Simulation.objects.for_scope(ALL_ACCOUNTS).filter(ended).order_by("pk")
    pks = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
    if pks:
        SimulatedMove.objects.filter(simulation__in=pks).delete()
        Simulation.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=pks).delete()
    return len(pks)


def _variants(policies: Sequence[SourcingPolicy], *, sweep: bool) -> list[dict[str, Any]]:
    named = [{"label": str(policy), "policy": str(policy.pk), "weights": {}} for policy in policies]
    first = policies[0]
    swept = [
        {"label": label, "policy": str(first.pk), "weights": {**ALONE, **weights}}
        for label, weights in (SWEEP if sweep else ())
    ]
    return [{"label": AS_RECORDED, "policy": "", "weights": {}}, *named, *swept]
