"""Plan a run of demands against shared stock: screen, choose, relax, explain."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from routing.engine.choosing import Choice, Question, choose, score_points
from routing.engine.geo import distances_km
from routing.engine.results import (
    Alternative,
    Assignment,
    CostParts,
    Level,
    Plan,
    PlannedParcel,
    Unfilled,
)
from routing.engine.screening import (
    POINTS,
    Network,
    Offer,
    Timetable,
    View,
    half_even,
    screen,
    stock_rows,
    usable_units,
)
from routing.engine.supply import Stock, Supply
from routing.engine.types import Constraint, Demand, Dependents, Node, Policy, RateCard
from routing.engine.verdicts import candidates, split_cause, unfilled_reason


def plan(
    demands: Sequence[Demand],
    nodes: Sequence[Node],
    supply: Supply,
    rates: RateCard,
    policy: Policy,
) -> list[Plan]:
    """One plan per demand, in the order given: what an earlier one takes, a later one lacks.

    The supply handed in is not changed. Pure: the same values give the same plans, whatever the
    order of `nodes`.
    """
    ordered = sorted(nodes, key=lambda node: (node.priority, node.code))
    run = _Run(ordered, Stock(supply, ordered), policy, Timetable(rates))
    distances = distances_km(
        [node.place for node in ordered], [demand.destination for demand in demands]
    )
    return [_plan_one(demand, row, run) for demand, row in zip(demands, distances, strict=True)]


@dataclass(frozen=True, slots=True)
class _Run:
    nodes: Sequence[Node]
    stock: Stock
    policy: Policy
    timetable: Timetable
    networks: dict[View, Network] = field(default_factory=dict)

    def network(self, demand: Demand) -> Network:
        view = View.of(demand)
        known = self.networks.get(view)
        if known is None:
            known = self.networks[view] = Network(self.nodes, self.policy, view, self.timetable)
        return known


def _plan_one(demand: Demand, distances: Sequence[int], run: _Run) -> Plan:
    policy = run.policy
    usable = usable_units(demand, run.nodes, run.stock)
    rows = stock_rows(demand.lines, run.nodes, usable)
    offers = screen(demand, rows, distances, run.network(demand), run.stock, policy)
    question = Question(
        demand,
        policy,
        offers,
        usable,
        tuple(place for place, offer in enumerate(offers) if offer.barred is None),
        _most_parcels(policy, len(offers)),
    )
    choice, runner_up = choose(question)
    missing = _missing(demand, choice)
    relaxed: tuple[Constraint, ...] = ()
    if policy.soft and _root_units(demand, policy, missing):
        again = _relaxed(question, missing)
        other, other_runner_up = choose(again)
        other_missing = _missing(demand, other)
        if _root_units(demand, policy, other_missing) < _root_units(demand, policy, missing):
            relaxed = _broken(question, other)
            question, choice, runner_up, missing = again, other, other_runner_up, other_missing
    for line, place, units in choice.flows:
        run.stock.take(place, demand.lines[line].sku, units)
    currency = run.timetable.rates.currency
    return _explained(question, choice, runner_up, missing, relaxed, currency)


def _most_parcels(policy: Policy, nodes: int) -> int:
    """How many nodes may ship."""
    most = policy.max_nodes_per_demand
    return nodes if most is None else min(nodes, most)


def _missing(demand: Demand, choice: Choice) -> list[int]:
    missing = [line.quantity for line in demand.lines]
    for line, _, units in choice.flows:
        missing[line] -= units
    return missing


def _root_units(demand: Demand, policy: Policy, missing: Sequence[int]) -> int:
    """Missing units that count: a dependent that may be left behind does not."""
    follows = policy.dependents is Dependents.FOLLOW
    return sum(
        units
        for line, units in zip(demand.lines, missing, strict=True)
        if line.parent is None or not follows
    )


def _relaxed(question: Question, missing: Sequence[int]) -> Question:
    """The same question without the soft constraints, for what they left unfilled.

    A SKU that was filled within the constraints stays within them.
    """
    demand, policy = question.demand, question.policy
    lifted = frozenset(p for p, offer in enumerate(question.offers) if offer.soft is not None)
    unmet = {line.sku for line, units in zip(demand.lines, missing, strict=True) if units}
    return replace(
        question,
        candidates=tuple(sorted({*question.candidates, *lifted})),
        max_open=len(question.offers)
        if Constraint.MAX_NODES in policy.soft
        else _most_parcels(policy, len(question.offers)),
        kept=frozenset(line.sku for line in demand.lines) - unmet,
        lifted=lifted,
    )


def _broken(question: Question, choice: Choice) -> tuple[Constraint, ...]:
    """The soft constraints that the relaxed choice does not keep."""
    broken = {offer.soft for offer in (question.offers[p] for p in choice.opened) if offer.soft}
    if len(choice.opened) > question.max_open:
        broken.add(Constraint.MAX_NODES)
    return tuple(sorted(broken))


def _explained(
    question: Question,
    choice: Choice,
    runner_up: Choice | None,
    missing: Sequence[int],
    relaxed: tuple[Constraint, ...],
    currency: str,
) -> Plan:
    demand, policy, offers = question.demand, question.policy, question.offers
    parcels = _parcels(question, choice)
    cost = _total(question, choice, parcels, missing)
    proven = choice.points <= choice.bound and not choice.inexact
    gap = 0.0
    if not proven:
        gap = min(1.0, (choice.points - choice.bound) / POINTS / max(1, cost.score))
    return Plan(
        demand=demand,
        policy=policy.code,
        version=policy.version,
        currency=currency,
        assignments=_assignments(demand, offers, choice),
        unfilled=tuple(
            Unfilled(line.key, units, unfilled_reason(question, choice, place))
            for place, (line, units) in enumerate(zip(demand.lines, missing, strict=True))
            if units
        ),
        parcels=parcels,
        cost=cost,
        candidates=candidates(question, choice),
        runner_up=_alternative(question, runner_up, cost),
        split_cause=split_cause(question, choice, missing),
        relaxed=relaxed,
        level=Level.EXACT if proven else Level.GAP,
        gap=round(gap, 4),
    )


def _assignments(demand: Demand, offers: Sequence[Offer], choice: Choice) -> tuple[Assignment, ...]:
    return tuple(
        Assignment(demand.lines[line].key, offers[place].node.id, units)
        for line, place, units in sorted(choice.flows)
    )


def _parcels(question: Question, choice: Choice) -> tuple[PlannedParcel, ...]:
    demand, weights = question.demand, question.policy.weights
    parcels = []
    for place in choice.opened:
        offer = question.offers[place]
        units = grams = 0
        for line, source, quantity in choice.flows:
            if source == place:
                units += quantity
                grams += quantity * demand.lines[line].weight_grams
        parcels.append(
            PlannedParcel(
                offer.node.id,
                offer.parcel(weights, units, grams),
                offer.departs,
                offer.p50,
                offer.p90,
                offer.km,
                offer.zone_number,
                grams,
            )
        )
    return tuple(parcels)


def _total(
    question: Question,
    choice: Choice,
    parcels: Sequence[PlannedParcel],
    missing: Sequence[int],
) -> CostParts:
    lines, weights = question.demand.lines, question.policy.weights
    unfilled = sum(m * line.unfilled_cost for m, line in zip(missing, lines, strict=True))
    return CostParts(
        sum(parcel.cost.freight for parcel in parcels),
        sum(parcel.cost.handling for parcel in parcels),
        sum(parcel.cost.picking for parcel in parcels),
        unfilled,
        max(0, len(parcels) - 1) * weights.parcel,
        sum(parcel.cost.distance for parcel in parcels),
        sum(parcel.cost.lateness for parcel in parcels),
        half_even(score_points(question, choice), POINTS),
    )


def _alternative(
    question: Question, choice: Choice | None, winner: CostParts
) -> Alternative | None:
    if choice is None:
        return None
    missing = _missing(question.demand, choice)
    cost = _total(question, choice, _parcels(question, choice), missing)
    return Alternative(
        tuple(question.offers[place].node.code for place in choice.opened),
        cost,
        cost.score - winner.score,
        sum(missing),
    )
