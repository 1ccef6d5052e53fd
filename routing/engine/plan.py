"""Plan a run of demands against shared stock: screen, choose, relax, explain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from routing.engine.choosing import Choice, Question, choose, score_points
from routing.engine.fallback import FAILURES, by_rule
from routing.engine.prices import WHOLE, PriceBook, above_least
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
    half_even,
    screen,
)
from routing.engine.supply import Stock, Supply
from routing.engine.timetable import Ground, Timetable, View
from routing.engine.types import Constraint, Demand, Dependents, Node, Policy, RateCard
from routing.engine.usable import stock_rows, unable, usable_units
from routing.engine.verdicts import Verdicts, split_cause, unfilled_reason


def plan(
    demands: Sequence[Demand],
    nodes: Sequence[Node],
    supply: Supply,
    rates: RateCard,
    policy: Policy,
    book: PriceBook | None = None,
    timetable: Timetable | None = None,
) -> list[Plan]:
    """One plan per demand, in the order given: what an earlier one takes, a later one lacks.

    With a price book its prices count in every plan, as parts of the cost with names of their own.
    Who plans often under the same rates may hand in a timetable of theirs each time. The supply handed in is not changed. Pure: the same values give the same plans, whatever the
    order of `nodes`.
    """
    if timetable is None or timetable.rates is not rates:
        timetable = Timetable(rates)
    ground = timetable.ground(nodes)
    run = Run(ground.ordered, Stock(supply, ground.ordered), policy, timetable, book, ground)
    distances = ground.origins.distances_km([demand.destination for demand in demands])
    return [_decided(demand, row, run) for demand, row in zip(demands, distances, strict=True)]


@dataclass(frozen=True, slots=True)
class Run:
    """What the demands of one run share: the network as each sees it, and what is left in stock."""

    nodes: Sequence[Node]
    stock: Stock
    policy: Policy
    timetable: Timetable
    book: PriceBook | None = None
    ground: Ground | None = None
    networks: dict[View, Network] = field(default_factory=dict)

    def network(self, demand: Demand) -> Network:
        view = View.of(demand)
        known = self.networks.get(view)
        if known is None:
            rules = self.ground.rules(view, self.policy) if self.ground else None
            known = self.networks[view] = Network(
                self.nodes, self.policy, view, self.timetable, self.book, rules
            )
        return known

    def prices(self, demand: Demand, usable: Mapping[int, list[int]]) -> dict[int, list[int]]:
        """By SKU, what the book asks for a unit at each node."""
        if self.book is None:
            return {}
        ids = [node.id for node in self.nodes]
        asked = {line.sku: self.book.column(line.sku, ids) for line in demand.lines}
        if not self.book.relative:
            return asked
        return {sku: above_least(column, usable[sku]) for sku, column in asked.items()}

    def counted(self, demand: Demand) -> Demand:
        """The demand with what an unfilled unit counts for, where units may be left for later orders."""
        percent = self.book.filling if self.book else WHOLE
        more = self.policy.goodwill
        if self.policy.fill_first or (not more and percent == WHOLE):
            return demand
        lines = tuple(
            replace(line, unfilled_cost=(line.unfilled_cost + more) * percent // WHOLE)
            for line in demand.lines
        )
        return replace(demand, lines=lines)

    def surcharges(self, demand: Demand) -> dict[int, list[int]]:
        """By SKU, what a unit costs above our own at each node, where it does anywhere."""
        partners = [node.partner.surcharges if node.partner else {} for node in self.nodes]
        if not any(partners):
            return {}
        skus = {line.sku: None for line in demand.lines}
        return {
            sku: [asked.get(sku, 0) for asked in partners]
            for sku in skus
            if any(sku in asked for asked in partners)
        }

    @property
    def level(self) -> Level:
        return Level.EXACT if self.book is None else self.book.level


def ask(demand: Demand, distances: Sequence[int], run: Run) -> Question:
    """The demand with who may serve it, from what is left."""
    policy, demand = run.policy, run.counted(demand)
    barred = unable(demand, run.nodes, run.timetable.rates)
    usable = usable_units(demand, run.nodes, run.stock, barred)
    rows = stock_rows(demand.lines, run.nodes, usable)
    offers = screen(demand, rows, distances, run.network(demand), run.stock, policy, barred)
    return Question(
        demand,
        policy,
        offers,
        usable,
        tuple(place for place, offer in enumerate(offers) if offer.barred is None),
        _most_parcels(policy, len(offers)),
        tuple(map(run.timetable.rates.billed_grams, demand.lines)),
        prices=run.prices(demand, usable),
        unable={sku: run.stock.column(sku) for sku in barred},
        surcharges=run.surcharges(demand),
    )


def _decided(demand: Demand, distances: Sequence[int], run: Run) -> Plan:
    """The cheapest plan at the book's prices; where that fails, without them; else by rule."""
    try:
        return plan_asked(ask(demand, distances, run), run)
    except FAILURES:
        plain = replace(run, book=None, networks={})
        question = ask(demand, distances, plain)
    try:
        return plan_asked(question, plain)
    except FAILURES:
        choice = by_rule(question)
        for line, place, units in choice.flows:
            run.stock.take(place, demand.lines[line].sku, units)
        return explained(question, choice, None, (), plain, Level.RULE)


def plan_asked(question: Question, run: Run) -> Plan:
    """The cheapest plan of one demand; what it takes is gone for the next."""
    demand, policy = question.demand, run.policy
    choice, runner_up = choose(question)
    missing = missing_units(demand, choice)
    relaxed: tuple[Constraint, ...] = ()
    if policy.soft and _root_units(demand, policy, missing):
        again = _relaxed(question, missing)
        other, other_runner_up = choose(again)
        other_missing = missing_units(demand, other)
        if _root_units(demand, policy, other_missing) < _root_units(demand, policy, missing):
            relaxed = _broken(question, other)
            question, choice, runner_up = again, other, other_runner_up
    for line, place, units in choice.flows:
        run.stock.take(place, demand.lines[line].sku, units)
    return explained(question, choice, runner_up, relaxed, run)


def _most_parcels(policy: Policy, nodes: int) -> int:
    """How many nodes may ship."""
    most = policy.max_nodes_per_demand
    return nodes if most is None else min(nodes, most)


def missing_units(demand: Demand, choice: Choice) -> list[int]:
    """Per line, the units that the choice gives to no node."""
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


def explained(
    question: Question,
    choice: Choice,
    runner_up: Choice | None,
    relaxed: tuple[Constraint, ...],
    run: Run,
    level: Level | None = None,
) -> Plan:
    """The plan of a choice, with what there is to say of it."""
    demand, policy, offers = question.demand, question.policy, question.offers
    missing = missing_units(demand, choice)
    sure = level or run.level
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
        currency=run.timetable.rates.currency,
        assignments=_assignments(demand, offers, choice),
        unfilled=tuple(
            Unfilled(line.key, units, unfilled_reason(question, choice, place))
            for place, (line, units) in enumerate(zip(demand.lines, missing, strict=True))
            if units
        ),
        parcels=parcels,
        cost=cost,
        candidates=Verdicts(question, choice),
        runner_up=_alternative(question, runner_up, cost),
        split_cause=split_cause(question, choice, missing),
        relaxed=relaxed,
        level=Level.GAP if sure is Level.EXACT and not proven else sure,
        gap=round(gap, 4),
        book=run.book.version if run.book else "",
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
        units = grams = billed = 0
        inside = [flow for flow in choice.flows if flow[1] == place]
        for line, _, quantity in inside:
            units += quantity
            grams += quantity * demand.lines[line].weight_grams
            billed += quantity * question.grams[line]
        parcels.append(
            PlannedParcel(
                offer.node.id,
                offer.parcel(
                    weights,
                    units,
                    billed,
                    stock=question.stock_cost(inside),
                    supplier=question.supplier_cost(inside),
                ),
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
        sum(parcel.cost.stock for parcel in parcels),
        sum(parcel.cost.capacity for parcel in parcels),
        sum(parcel.cost.carbon for parcel in parcels),
        sum(parcel.cost.rerouting for parcel in parcels),
        sum(parcel.cost.supplier for parcel in parcels),
        sum(parcel.cost.waiting for parcel in parcels),
    )


def _alternative(
    question: Question, choice: Choice | None, winner: CostParts
) -> Alternative | None:
    if choice is None:
        return None
    missing = missing_units(question.demand, choice)
    cost = _total(question, choice, _parcels(question, choice), missing)
    return Alternative(
        tuple(question.offers[place].node.code for place in choice.opened),
        cost,
        cost.score - winner.score,
        sum(missing),
    )
