"""What an account's installation does (`routing.planner`, `routing.replanning`), played on an instance.

An order is decided at once by the newest price book, and stands until the orders of its day are
released. Before that all that stand are planned again together, and what is worth a move is moved.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from bench.routing_instances import Ints, Order
from bench.routing_policies import Decider, Given, Prices, Run, claims, send
from bench.routing_world import MINOR, given_by
from routing.engine import Demand, Plan, Policy, PriceBook, Supply
from routing.engine.ascent import Settled
from routing.engine.joint import (
    Loads,
    in_turn,
    plan_together,
    roomless,
    standing_plans,
)
from routing.engine.joint_program import Standing, Terms
from routing.engine.outlook import SPARE_AT_ONCE
from routing.engine.results import worth_moving
from routing.rules import TERMS

CENT = MINOR // 100
LOOKS = 4
"""How often a day books are made: an account's are made hourly, which took longer and saved nothing."""

SECONDS = 8.0
"""How long one program may take, as when an account's orders are planned again."""


@dataclass(slots=True)
class Stood:
    """An order that is decided and not released: what it has of its lines, and its promised day."""

    order: Order
    demand: Demand
    given: Given
    promised: date | None

    @property
    def standing(self) -> Standing:
        sources = {(str(at), node): units for (at, node), units in self.given.items()}
        return Standing(self.demand, sources, self.promised)


def live(*, told: bool) -> Decider:
    """Under the terms of an account that has said nothing; or of one that was `told` of the instance.

    The latter looks as many days ahead as nothing comes in, and lets units be left for later orders:
    what an unfilled unit costs has its goodwill in it.
    """

    def decide(run: Run) -> None:
        days = run.inst.shape.days if told else TERMS["days_ahead"]
        prices = run.prices(SPARE_AT_ONCE, rolling=days)
        done = 0
        for day, orders in groupby(run.inst.orders, key=lambda order: order.day):
            run.receive(day)
            wave = list(orders)
            Day(run, prices, day, in_full=told).play(wave, done)
            done += len(wave)

    return decide


@dataclass(slots=True)
class Day:
    """One day's orders, from the first that comes until all are released.

    What stands has been taken from the run's ledger, which is as in the morning when they are sent.
    """

    run: Run
    prices: Prices
    day: int
    in_full: bool
    stood: list[Stood] = field(default_factory=list)

    def play(self, wave: Sequence[Order], done: int) -> None:
        ledger = self.run.ledger
        morning = ledger.stock.copy(), ledger.room.copy()
        every = max(1, len(wave) // LOOKS)
        settled = self.prices.of_the_moment(self.run, done, self.day)
        for number, order in enumerate(wave):
            if number and number % every == 0:
                settled = self.prices.of_the_moment(self.run, done + number, self.day)
            self.decide(order, self.book(settled))
        book = self.book(settled)
        self.plan_again(book, morning[1][:, self.day])
        ledger.stock, ledger.room = morning
        send(self.run, wave, [one.given for one in self.stood], book)

    def book(self, settled: Settled) -> PriceBook:
        """The newest book as planners ask it; it is never old enough to be mixed."""
        relative = not self.in_full
        return self.prices.book(self.run, settled, self.day, of_today=True, relative=relative)

    @property
    def policy(self) -> Policy:
        return self.run.world.policy(fill_first=not self.in_full)

    def decide(self, order: Order, book: PriceBook) -> None:
        plan = self.run.plan(self.run.world.demand("order", order), self.policy, book)
        given = given_by(plan)
        had: Counter[str] = Counter()
        for row in plan.assignments:
            had[row.line] += row.quantity
        lines = tuple(
            replace(line, quantity=had[line.key]) for line in plan.demand.lines if had[line.key]
        )
        days = [parcel.deliver_p90 for parcel in plan.parcels if parcel.deliver_p90 is not None]
        demand = replace(self.run.world.demand(str(len(self.stood)), order), lines=lines)
        self.stood.append(Stood(order, demand, given, max(days, default=None)))
        ledger = self.run.ledger
        for (node, sku), units in claims(order, given).items():
            ledger.stock[sku, node] -= units
        for node in {node for _, node in given}:
            ledger.room[node, self.day] = max(0, ledger.room[node, self.day] - 1)

    def plan_again(self, book: PriceBook, room: Ints) -> None:
        """Move what is worth it. `room` is the day's, before any of its orders."""
        there = [one for one in self.stood if one.given]
        if not there:
            return
        world = self.run.world
        terms = Terms(
            dict(enumerate(room.tolist())),
            round(self.run.inst.shape.overtime * MINOR),
            TERMS["worthwhile_minor"] * CENT,
            seconds=SECONDS,
        )
        units = Counter(self.run.ledger.units())
        for one in there:
            units.update(claims(one.order, one.given))
        orders = [one.standing for one in there]
        book = roomless(book, terms) or book
        shared = world.nodes, Supply(dict(units)), world.rates, self.policy
        now = standing_plans(orders, *shared, book)
        plans = plan_together(orders, *shared, terms, book)
        loads = Loads.of(orders, terms)
        better: dict[int, Given] = {}
        for place in in_turn(orders, plans, loads):
            plan = plans[place]
            if worth_it(orders[place], plan, now[place], loads, terms):
                better[place] = given_by(plan)
                loads.move(orders[place].nodes, {parcel.node for parcel in plan.parcels})
        self.move(there, better, units)

    def move(
        self,
        there: Sequence[Stood],
        better: dict[int, Given],
        units: Mapping[tuple[int, int], int],
    ) -> None:
        """All give back before any takes; who finds a unit gone keeps what it had."""
        while True:
            taken: Counter[tuple[int, int]] = Counter()
            for place, one in enumerate(there):
                taken.update(claims(one.order, better.get(place, one.given)))
            short = {key for key, wanted in taken.items() if wanted > units[key]}
            if not short:
                break
            del better[
                max(
                    place
                    for place, given in better.items()
                    if short & claims(there[place].order, given).keys()
                )
            ]
        for place, given in better.items():
            there[place].given = given


def worth_it(order: Standing, plan: Plan, stands: Plan | None, loads: Loads, terms: Terms) -> bool:
    """Whether to move, as `routing.replanning` judges it."""
    if plan.unfilled:
        return False
    if stands is None:
        return True
    now = {parcel.node for parcel in plan.parcels}
    saved = stands.cost.score - plan.cost.score + loads.saved(order.nodes, now)
    return worth_moving(saved, stands, least=terms.worthwhile, percent=TERMS["worthwhile_percent"])
