"""Stored decisions read, played under a simulation's variants, and what moved written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from config.kernel.types import Outcome, Scope
from orders.selectors.asked import Asked, asked_of
from orders.sourcing import Demand, DemandLine
from routing import engine, reference
from routing.drawn import opened_input
from routing.models import RoutingDecision, SourcingPolicy
from routing.offered import with_terms
from routing.rules import asks_about_skus
from routing.ruling import policies_for
from routing.simulating import Carried, Played, Recorded, copies_of, play
from routing.simulating_input import Scenes, recorded_of
from routing.simulating_samples import Sample
from routing.simulation_models import SimulatedMove, Simulation
from routing.willingness import rejections_cost

MOVES_KEPT: Final = 2_000
"""Of each variant, so many moves are kept with both explanations; the totals count all."""
_GONE = Outcome[Any].refused("input_gone", "What was decided from is no longer kept.")


@dataclass(slots=True)
class Bench:
    """A simulation while decisions are played: its variants, what is carried, what was counted."""

    simulation: Simulation
    sample: Sample
    scope: Scope
    known: reference.Reference
    policies: list[reference.Policy | None]
    channels: list[UUID | None]
    carried: Carried
    kept: list[int]
    others: int = 0
    scenes: Scenes = field(default_factory=Scenes)

    @classmethod
    def of(cls, simulation: Simulation, scope: Scope) -> "Bench":
        """Two statements, whatever the number of variants."""
        wanted = {said["policy"] for said in simulation.variants if said["policy"]}
        rows = {
            str(row.pk): row
            for row in SourcingPolicy.objects.for_scope(scope).filter(pk__in=wanted)
        }
        known = reference.current()
        before = simulation.result
        return cls(
            simulation,
            Sample.from_json(simulation.sample),
            scope,
            known,
            [_policy(said, rows) for said in simulation.variants],
            [
                rows[said["policy"]].channel_id if said["policy"] else None
                for said in simulation.variants
            ],
            Carried.unpacked(bytes(simulation.carried), len(simulation.variants)),
            list(before.get("kept", [0] * len(simulation.variants))),
            before.get("others", 0),
        )

    def result(self) -> dict[str, Any]:
        """What has been counted, as it is shown and answered."""
        return {
            "variants": [dict(variant.totals) for variant in self.carried.variants],
            "kept": self.kept,
            "others": self.others,
            "reproduced": self.carried.reproduced,
            "drifted": self.carried.drifted,
            "by_hour": self.sample.by_hour,
            "currency": self.known.rates().currency,
        }


def replay(
    bench: Bench, decision_ids: Sequence[UUID]
) -> tuple[list[Outcome[Any]], list[SimulatedMove]]:
    """An outcome for each decision, and the moves to keep. Statements do not grow with the batch."""
    rows = _read(bench, decision_ids)
    asked = asked_of({row["group_id"] for row in rows.values()}, bench.scope)
    outcomes: list[Outcome[Any]] = []
    moves: list[SimulatedMove] = []
    ready: list[tuple[Recorded, Demand]] = []
    for decision_id in decision_ids:
        row = rows.get(decision_id)
        if row is None or not row["input"] or row["group_id"] not in asked:
            outcomes.append(_GONE)
            continue
        outcomes.append(Outcome.done(None))
        said = asked[row["group_id"]]
        if not _concerns(bench, said.channel_id):
            bench.others += 1
            continue
        ready.append(_ready(bench, row, said))
    timetable = engine.Timetable(bench.known.rates())
    unpriced = {
        place
        for place, policy in enumerate(bench.policies)
        if policy is not None and not policy.prices_percent
    }
    for (recorded, _), ruled in zip(
        ready, _ruled(bench, [one for _, one in ready], ready), strict=True
    ):
        copies = copies_of(recorded.id, bench.sample.tenths, bench.sample.seed)
        played = play(
            recorded,
            ruled,
            bench.carried,
            timetable.rates,
            by_hour=bench.sample.by_hour,
            copies=copies,
            unpriced=unpriced,
            timetable=timetable,
        )
        moves += _moves(bench, recorded, played)
    return outcomes, moves


def _policy(said: Mapping[str, Any], rows: Mapping[str, SourcingPolicy]) -> reference.Policy | None:
    """The variant's policy; None for the recorded ones."""
    if not said["policy"]:
        return None
    row = rows[said["policy"]]
    if said["weights"]:
        row = replace_weights(row, said["weights"])
    return reference.policy_of(row)


def replace_weights(row: SourcingPolicy, weights: Mapping[str, int]) -> SourcingPolicy:
    """The policy with other weights, in memory alone."""
    copy = SourcingPolicy(pk=row.pk, account_id=row.account_id, channel_id=row.channel_id)
    for name in (
        "code", "version", "max_nodes", "max_km", "allow_partial", "split_lines", "on_time", "soft",
        "rules",
    ):  # fmt: skip
        setattr(copy, name, getattr(row, name))
    copy.weights = {**row.weights, **weights}
    return copy


def _read(bench: Bench, decision_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The decisions, and whether the group is decided again later in the sample. One statement."""
    later = RoutingDecision.objects.for_scope(bench.scope).filter(
        group_id=OuterRef("group_id"), pk__gt=OuterRef("pk"), at__lt=bench.sample.ends_at
    )
    found = (
        RoutingDecision.objects.for_scope(bench.scope)
        .filter(pk__in=list(decision_ids))
        .annotate(again=Exists(later))
        .values("id", "order_id", "group_id", "account_id", "at", "record", "input", "again")
    )
    return {row["id"]: row for row in found}


def _concerns(bench: Bench, channel_id: UUID) -> bool:
    """Whether some variant would decide for the channel."""
    return any(
        policy is not None and own in {None, channel_id}
        for policy, own in zip(bench.policies, bench.channels, strict=True)
    )


def _ready(bench: Bench, row: Mapping[str, Any], said: Asked) -> tuple[Recorded, Demand]:
    recorded = recorded_from(row, said, bench.known, bench.scenes)
    demand = Demand(
        group_id=row["group_id"],
        order_id=row["order_id"],
        account_id=row["account_id"],
        channel_id=said.channel_id,
        currency=said.currency,
        method=said.method,
        service_level=said.service_level,
        postal_code=said.postal_code,
        region=said.region,
        country=said.country,
        lines=tuple(
            DemandLine(row["group_id"], line.sku, line.quantity, line.weight_grams, line.unit_value)
            for line in recorded.demand.lines
        ),
        ship_complete=said.ship_complete,
        requested_by=said.requested_by,
        priority=said.priority,
        tags=tuple(said.tags),
        customer_tags=tuple(said.customer_tags),
    )
    return replace(recorded, again=row["again"]), demand


def recorded_from(
    row: Mapping[str, Any], said: Asked, known: reference.Reference, scenes: Scenes
) -> Recorded:
    """The stored decision with its nodes as they were seen."""
    given, record = opened_input(row["input"]), engine.expand(row["record"], nodes=False)
    network = known.network(row["account_id"], said.channel_id)
    pickup = given["demand"]["service"] == engine.PICKUP
    nodes = scenes.as_seen(
        network.pickup if pickup else network.shipping,
        row["record"],
        given["demand"].get("full_until", ()),
        given.get("acceptance", ()),
    )
    nodes = with_terms(nodes, given.get("partners", ()))
    return recorded_of(row, given, record, nodes, postal_code=said.postal_code)


def recorded_decisions(decision_ids: Sequence[UUID], scope: Scope) -> list[Recorded]:
    """Decisions in the order given; those whose input is no longer kept are left out.

    Two statements.
    """
    found = {
        row["id"]: row
        for row in RoutingDecision.objects.for_scope(scope)
        .filter(pk__in=list(decision_ids))
        .values("id", "order_id", "group_id", "account_id", "at", "record", "input")
        if row["input"]
    }
    asked = asked_of({row["group_id"] for row in found.values()}, scope)
    known, scenes = reference.current(), Scenes()
    return [
        recorded_from(row, asked[row["group_id"]], known, scenes)
        for row in (found[one] for one in decision_ids if one in found)
        if row["group_id"] in asked
    ]


def recorded_decision(decision_id: UUID, scope: Scope) -> Recorded | None:
    """One decision as it can be planned again; None where its input is no longer kept."""
    return next(iter(recorded_decisions([decision_id], scope)), None)


def _ruled(
    bench: Bench, demands: Sequence[Demand], ready: Sequence[tuple[Recorded, Demand]]
) -> list[list[engine.Policy]]:
    """What decides for each demand in each variant: its rules, tried at the decision's own time."""
    skus = {line.sku_id for demand in demands for line in demand.lines}
    if any(asks_about_skus([case.rule for case in one.cases]) for one in bench.policies if one):
        bench.known.traits(skus)
    by_variant: list[list[engine.Policy]] = []
    for policy, own in zip(bench.policies, bench.channels, strict=True):
        if policy is None:
            by_variant.append([recorded.policy for recorded, _ in ready])
            continue
        decided = [
            recorded.policy
            if own not in {None, demand.channel_id}
            else _rules(bench, policy, recorded, demand)
            for (recorded, _), demand in zip(ready, demands, strict=True)
        ]
        by_variant.append(decided)
    return [list(column) for column in zip(*by_variant, strict=True)] if ready else []


def _rules(
    bench: Bench, policy: reference.Policy, recorded: Recorded, demand: Demand
) -> engine.Policy:
    """What the policy decides the demand by; a rejection costs where nodes were known to reject."""
    [found] = policies_for([demand], bench.known, {demand.channel_id: policy}, recorded.at)
    return rejections_cost(found.rules, recorded.nodes, found.reroute_minor)


def _moves(bench: Bench, recorded: Recorded, played: Sequence[Played]) -> list[SimulatedMove]:
    before = played[0]
    moves = []
    for place, after in enumerate(played[1:], start=1):
        if after.taken == before.taken or bench.kept[place] >= MOVES_KEPT:
            continue
        bench.kept[place] += 1
        moves.append(
            SimulatedMove(
                simulation=bench.simulation,
                variant=place,
                decision_id=recorded.id,
                order_id=recorded.order_id,
                group_id=recorded.group_id,
                at=recorded.at,
                before_from=_from(before.plan),
                after_from=_from(after.plan),
                saved_minor=before.plan.cost.true_cost - after.plan.cost.true_cost,
                parcels=len(after.plan.parcels) - len(before.plan.parcels),
                late_milli=after.figures.get("late_milli", 0) - before.figures.get("late_milli", 0),
                before={} if before.taken == recorded.taken else engine.compact(before.plan),
                after=engine.compact(after.plan),
            )
        )
    return moves


def _from(plan: engine.Plan) -> str:
    """The codes of the nodes that ship."""
    opened = {parcel.node for parcel in plan.parcels}
    return ", ".join(sorted(row.code for row in plan.candidates if row.node in opened))
