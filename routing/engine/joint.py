"""Open orders planned together, against the stock and the room that they share.

Orders that can get in each other's way are in one program: units by line and node, parcels, what
stays unfilled, what goes beyond the room. Where it is too large for its time, orders are planned one
by one at the prices under which all would share, each giving up what it has for something better.
The others have their own best plan.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from routing.engine.ascent import Pace
from routing.engine.calendar import local_date
from routing.engine.choosing import Choice, Question, score_points
from routing.engine.contested import columns_of, groups_of
from routing.engine.fallback import FAILURES
from routing.engine.geo import distances_km
from routing.engine.joint_program import Joint, Standing, Terms
from routing.engine.linear import NoAnswerError
from routing.engine.market import Goods, Market, asks_of_questions
from routing.engine.plan import Run, ask, explained, missing_units, plan_asked
from routing.engine.prices import PriceBook
from routing.engine.results import Level, Plan
from routing.engine.screening import POINTS
from routing.engine.supply import Stock, Supply
from routing.engine.timetable import Timetable
from routing.engine.types import Demand, Node, Policy, RateCard

MOST_TOGETHER = 400
"""More orders than this are not put into one program."""

MOST_COLUMNS = 20_000
"""Nor are orders with more lines by nodes: the program would find nothing in its time."""

AMPLE = 1e9
"""Parcels that a node without a limit can send."""

SHARING = Pace(rounds=80, step=0.45, slowing=30.0, cold=4.5)


def plan_together(
    orders: Sequence[Standing],
    nodes: Sequence[Node],
    supply: Supply,
    rates: RateCard,
    policy: Policy,
    terms: Terms,
    book: PriceBook | None = None,
) -> list[Plan]:
    """One plan per order, in the order given.

    `supply` holds what the standing plans have as well. No order is promised later than it was,
    pins are kept. The plans say `joint`, or how else they came about.
    """
    ordered = sorted(nodes, key=lambda node: (node.priority, node.code))
    run = Run(ordered, Stock(supply, ordered), policy, Timetable(rates), roomless(book, terms))
    demands = [order.demand for order in orders]
    kms = distances_km([node.place for node in ordered], [one.destination for one in demands])
    questions = [
        _kept_promise(ask(order.demand, row, run), order)
        for order, row in zip(orders, kms, strict=True)
    ]
    plans: dict[int, Plan] = {}
    for places in groups_of(questions, run, terms):
        if len(places) == 1:
            (place,) = places
            plans[place] = _alone(orders[place], questions[place], run, terms)
            continue
        rivals, asked = [orders[place] for place in places], [questions[place] for place in places]
        if len(places) > MOST_TOGETHER or columns_of(asked) > MOST_COLUMNS:
            found = by_prices(rivals, asked, [kms[place] for place in places], run, terms)
        else:
            found = _in_one_program(rivals, asked, run, terms)
        plans |= {places[at]: planned for at, planned in found.items()}
    for place, row in enumerate(kms):
        if place not in plans:
            again = _kept_promise(ask(demands[place], row, run), orders[place])
            plans[place] = plan_asked(again, run)
    return [plans[place] for place in range(len(orders))]


def _in_one_program(
    orders: Sequence[Standing], questions: Sequence[Question], run: Run, terms: Terms
) -> dict[int, Plan]:
    """By place, the plans that the program makes; none when it runs out of time."""
    together = [place for place, question in enumerate(questions) if _is_plain(question)]
    if not together:
        return {}
    try:
        chosen = Joint([(orders[p], questions[p]) for p in together], run, terms).choices()
    except (NoAnswerError, *FAILURES):
        return {}
    plans: dict[int, Plan] = {}
    for at, choice in chosen.items():
        question = questions[together[at]]
        if run.policy.soft and any(missing_units(question.demand, choice)):
            continue
        for line, place, units in choice.flows:
            run.stock.take(place, question.demand.lines[line].sku, units)
        plans[together[at]] = explained(question, choice, None, (), run, Level.JOINT)
    return plans


def questions_of(
    demands: Sequence[Demand],
    nodes: Sequence[Node],
    supply: Supply,
    rates: RateCard,
    policy: Policy,
) -> list[Question]:
    """Each demand with who may serve it from all there is, as joint plans and prices see it.

    Offers stand in the order of `nodes`.
    """
    run = Run(nodes, Stock(supply, nodes), policy, Timetable(rates))
    kms = distances_km([node.place for node in nodes], [one.destination for one in demands])
    return [ask(demand, row, run) for demand, row in zip(demands, kms, strict=True)]


def standing_plans(
    orders: Sequence[Standing],
    nodes: Sequence[Node],
    supply: Supply,
    rates: RateCard,
    policy: Policy,
    book: PriceBook | None = None,
) -> list[Plan | None]:
    """What each order has now, as a plan at the same costs and prices as any other would be.

    None where a node of it may not send it any more. `supply` holds what they have as well.
    """
    ordered = sorted(nodes, key=lambda node: (node.priority, node.code))
    run = Run(ordered, Stock(supply, ordered), policy, Timetable(rates), book)
    kms = distances_km([node.place for node in ordered], [one.demand.destination for one in orders])
    plans: list[Plan | None] = []
    for order, row in zip(orders, kms, strict=True):
        question = ask(order.demand, row, run)
        flows = _standing_flows(order, run)
        may = all(at in question.candidates for _, at, _ in flows)
        plans.append(explained(question, _choice_of(flows), None, (), run) if may else None)
    return plans


def roomless(book: PriceBook | None, terms: Terms) -> PriceBook | None:
    """The book without what it asks for room that the terms know: that is counted, not priced."""
    if book is None or not terms.room:
        return book
    parcels = {key: price for key, price in book.parcels.items() if key[0] not in terms.room}
    return replace(book, parcels=parcels)


@dataclass(slots=True)
class Loads:
    """Parcels by node while moves are judged one after another: what is beyond the room costs overtime."""

    terms: Terms
    parcels: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, orders: Iterable[Standing], terms: Terms) -> "Loads":
        """As the orders stand."""
        return cls(terms, Counter(node for order in orders for node in order.nodes))

    def saved(self, was: Collection[int], now: Collection[int]) -> int:
        """The overtime that a move from these nodes to those saves; below zero where it costs some."""
        room, left, come = self.terms.room, set(was) - set(now), set(now) - set(was)
        relieved = sum(self.parcels[node] > room[node] for node in left if node in room)
        filled = sum(self.parcels[node] >= room[node] for node in come if node in room)
        return (relieved - filled) * self.terms.overtime

    def move(self, was: Collection[int], now: Collection[int]) -> None:
        self.parcels.subtract(was)
        self.parcels.update(now)


def in_turn(orders: Sequence[Standing], plans: Sequence[Plan], loads: Loads) -> list[int]:
    """In which turn to judge the plans, by place: first those that relieve a node that is too full."""
    now = [{parcel.node for parcel in plan.parcels} for plan in plans]
    relief = [loads.saved(order.nodes, nodes) for order, nodes in zip(orders, now, strict=True)]
    return sorted(range(len(orders)), key=lambda place: -relief[place])


def _kept_promise(question: Question, order: Standing) -> Question:
    """Without the nodes that would be later than the buyer was told, but for those it has now."""
    if order.promised is None:
        return question
    now = {node for _, node in order.sources}
    kept = tuple(
        place
        for place in question.candidates
        if question.offers[place].node.id in now
        or ((arrives := question.offers[place].p90) is not None and arrives <= order.promised)
    )
    return replace(question, candidates=kept)


def _is_plain(question: Question) -> bool:
    """Whether the program says all there is: families and limits per line are planned alone."""
    return question.policy.max_nodes_per_line is None and all(
        line.parent is None for line in question.demand.lines
    )


def by_prices(
    orders: Sequence[Standing],
    questions: Sequence[Question],
    distances: Sequence[Sequence[int]],
    run: Run,
    terms: Terms,
) -> dict[int, Plan]:
    """Plan one order after another at the prices under which all of them would share.

    Orders without a plan come first. One that has a plan gives it up only for one that saves
    `worthwhile` at these prices and leaves no more unfilled.
    """
    shared = _sharing(questions, run, terms)
    standing = [_standing_flows(order, run) for order in orders]
    for order, flows in zip(orders, standing, strict=True):
        for line, at, units in flows:
            run.stock.take(at, order.demand.lines[line].sku, units)
    plans: dict[int, Plan] = {}
    for place in sorted(range(len(orders)), key=lambda place: (bool(standing[place]), place)):
        order, now = orders[place], standing[place]
        for line, at, units in now:
            run.stock.give(at, order.demand.lines[line].sku, units)
        question = _kept_promise(ask(order.demand, distances[place], shared), order)
        plans[place] = _better(question, now, shared, terms)
    return plans


def _alone(order: Standing, question: Question, run: Run, terms: Terms) -> Plan:
    """The plan of an order that nobody else's plan concerns."""
    return _better(question, _standing_flows(order, run), run, terms)


def _better(question: Question, now: list[tuple[int, int, int]], run: Run, terms: Terms) -> Plan:
    """The order's best plan from what is left; what stands `now` where that is not worth moving for."""
    planned, demand = plan_asked(question, run), question.demand
    if now and not _worthwhile(question, planned, now, terms):
        for row in planned.assignments:
            sku = demand.lines[_line_at(demand, row.line)].sku
            run.stock.give(_node_at(run, row.node), sku, row.quantity)
        for line, at, units in now:
            run.stock.take(at, demand.lines[line].sku, units)
        planned = explained(question, _choice_of(now), None, (), run)
    return replace(planned, level=Level.JOINT)


def _node_at(run: Run, node_id: int) -> int:
    return next(at for at, node in enumerate(run.nodes) if node.id == node_id)


def _line_at(demand: Demand, key: str) -> int:
    return next(at for at, line in enumerate(demand.lines) if line.key == key)


def _standing_flows(order: Standing, run: Run) -> list[tuple[int, int, int]]:
    """What stands, as (line, node's place, units); nothing when a node of it is gone."""
    flows = [
        (_line_at(order.demand, key), _node_at(run, node), units)
        for (key, node), units in sorted(order.sources.items())
    ]
    return [flow for flow in flows if flow[2]]


def _choice_of(flows: list[tuple[int, int, int]]) -> Choice:
    opened = tuple(sorted({at for _, at, _ in flows}))
    return Choice(opened, flows, 0, 0, inexact=False)


def _worthwhile(
    question: Question, planned: Plan, now: list[tuple[int, int, int]], terms: Terms
) -> bool:
    """Whether to move: what stands may not be sent any more, or the new plan saves enough."""
    if any(at not in question.candidates for _, at, _ in now):
        return True
    stands = _choice_of(now)
    missing = sum(missing_units(question.demand, stands))
    new_missing = sum(row.quantity for row in planned.unfilled)
    if new_missing != missing:
        return new_missing < missing
    saved = score_points(question, stands) / POINTS - planned.cost.score
    return saved >= max(1, terms.worthwhile)


def _sharing(questions: Sequence[Question], run: Run, terms: Terms) -> Run:
    """The run with a book of what units and room are worth among these orders, beside its own."""
    lines = {line.sku: line for question in questions for line in question.demand.lines}
    skus = tuple(sorted(lines))
    none = np.zeros(len(skus))
    goods = Goods(skus, none, none)
    ids = tuple(node.id for node in run.nodes)
    stock = np.array([run.stock.column(sku) for sku in skus], dtype=np.float64)
    room = np.array([[terms.room.get(node, AMPLE)] for node in ids], dtype=np.float64)
    market = Market(ids, goods, stock, room, float(terms.overtime))
    crowd, _ = asks_of_questions(questions, goods, 1)
    settled = market.settle(crowd, (), 1, pace=SHARING)
    known = run.book or PriceBook("", questions[0].demand.at)
    book = market.book(settled, f"{known.version}+joint", known.made_at, (), relative=False)
    units = {sku: dict(row) for sku, row in book.units.items()}
    for sku, row in known.units.items():
        own = units.setdefault(sku, {})
        for node, price in row.items():
            own[node] = own.get(node, 0) + price
    parcels = dict(known.parcels)
    for node, day in sorted(_departures(questions)):
        price = round(float(settled.wave_parcels[ids.index(node), 0]))
        if price:
            parcels[node, day] = parcels.get((node, day), 0) + price
    shared = replace(book, units=units, parcels=parcels, filling=known.filling)
    return replace(run, book=shared, networks={})


def _departures(questions: Sequence[Question]) -> set[tuple[int, date]]:
    """The nodes and days on which the orders could leave."""
    return {
        (offer.node.id, local_date(offer.departs, offer.node.timezone))
        for question in questions
        for offer in question.offers
        if offer.departs is not None
    }
