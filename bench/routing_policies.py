"""The policies whose plans are measured, each run by the engine on one instance."""

import time as clock
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bench.routing_instances import METROS, Instance, Order
from bench.routing_world import MINOR, Ledger, World, counted, given_by, row_shares, when
from routing.engine import FEWEST_PARCELS, NEAREST, Demand, Plan, Policy, PriceBook, Supply, plan
from routing.engine.ascent import Settled
from routing.engine.choosing import Question
from routing.engine.crowd import Floats
from routing.engine.forecast import Baskets, Forecast, sure
from routing.engine.joint import plan_together, questions_of
from routing.engine.joint_program import Standing, Terms
from routing.engine.market import Goods, spread, tariff
from routing.engine.outlook import SPARE, SPARE_AT_ONCE, Outlook, View, later
from routing.engine.prices import UNTRIED, filling

Given = dict[tuple[int, int], int]
"""Units by (place of the line, node)."""

Timed = tuple[Baskets, Floats]
"""Orders that may come, and when within their day: from 0 to 1."""

MOST_REJECTIONS = 6
NEVER_FULL = 10**9
"""Minor units that keep a full node the last choice."""

STIFFNESS = 40_000
LOOKS = 12
"""How often a day the prices of orders that are decided at once are made."""


@dataclass(slots=True)
class Run:
    """One policy on one instance: what is left, what it cost, how long deciding took."""

    world: World
    ledger: Ledger
    claimed: Counter[tuple[int, int]] = field(default_factory=Counter)
    rejections: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))
    decisions: list[float] = field(default_factory=list)
    waves: list[float] = field(default_factory=list)
    arrived: bool = False

    @property
    def inst(self) -> Instance:
        return self.world.inst

    def receive(self, day: int) -> None:
        """What comes in half-way is on the shelf from then on."""
        if not self.arrived and day >= self.inst.shape.days // 2:
            self.ledger.stock = self.ledger.stock + self.inst.inbound
            self.arrived = True

    def refuses(self, _: int) -> bool:
        return bool(self.rejections.random() < self.inst.shape.rejected)

    def prices(self, spare: float, *, rolling: int | None = None) -> "Prices":
        return Prices(self.world, spare, rolling)

    def full_book(self, day: int, price: int) -> PriceBook:
        """No prices but that of a node whose day is full."""
        full = np.flatnonzero(self.ledger.room[:, day] <= 0).tolist()
        leaves = self.world.leaves(day)
        parcels = {(node, date): price for node in full if (date := leaves[node]) is not None}
        return PriceBook("full", when(day), {}, parcels)

    def plan(self, demand: Demand, policy: Policy, book: PriceBook) -> Plan:
        """From what is left but for what others of the wave were given."""
        begun = clock.thread_time_ns()
        free = {line.sku: self.ledger.stock[line.sku].tolist() for line in demand.lines}
        supply = Supply(
            {
                (node, sku): units - self.claimed.get((node, sku), 0)
                for sku, column in free.items()
                for node, units in enumerate(column)
                if units
            }
        )
        (answer,) = plan([demand], self.world.nodes, supply, self.world.rates, policy, book)
        self.decisions.append((clock.thread_time_ns() - begun) / 1e6)
        return answer


Decider = Callable[[Run], None]


class Prices:
    """The engine's outlook on an instance, from its forecast and from what was ordered so far.

    It sees the instance's end, or so many days ahead at a time where it is `rolling`.
    """

    def __init__(self, world: World, spare: float, rolling: int | None = None) -> None:
        inst = world.inst
        shape = inst.shape
        self.world = world
        self.rolling = rolling
        self.forecast = Forecast(
            sure(inst.sku_forecast),
            sure(row_shares(inst.region_forecast, shape.express_share)),
            inst.size_share,
            shape.multi,
        )
        self.believed, self.error = self.forecast, UNTRIED
        self.filling = filling(self.error)
        self.by_day = np.bincount([order.day for order in inst.orders], minlength=shape.days)
        policy = world.policy()
        self.outlook = Outlook(
            tuple(range(inst.nodes)),
            goods(world),
            tariff(world.rows(0), world.nodes, world.rates, policy),
            shape.overtime * MINOR,
            inst.seed,
            spare=spare,
        )
        self.settled: Settled | None = None
        self.drawn: list[Timed] = []
        self.day = 0
        self.turn = 0

    def of_the_moment(self, run: Run, done: int, day: int) -> Settled:
        """Prices once `done` orders are decided: of futures that are drawn each morning, less the
        part of the day that is over.
        """
        view = self.view(run, done, day)
        if self.settled is None or day != self.day:
            self.learn(run, done)
            draw = np.random.default_rng([run.inst.seed, self.turn, 1])
            baskets = self.outlook.futures(self.believed, view, self.turn)
            self.drawn = [(one, draw.random(len(one.day))) for one in baskets]
            start = None
            if self.settled is not None:
                before = longer(later(self.settled, day - self.day), view.room.shape[1])
                start = spread(before, self.outlook.scenes)
            self.settled = self.outlook.settled(baskets, view, (), start, None)
        else:
            over = (done - int(self.by_day[:day].sum())) / int(self.by_day[day])
            left = [still_to_come(one, moment, over) for one, moment in self.drawn]
            left = [one for one in left if len(one.day)]
            self.settled = self.outlook.again(left, view, before=self.settled)
        self.day, self.turn = day, self.turn + 1
        return self.settled

    def learn(self, run: Run, known: int) -> None:
        """What the orders so far say of the forecast, and what unfilled units count for by that."""
        inst, self.error = run.inst, UNTRIED
        if known:
            lines, rows = counted(inst.orders[:known], inst.shape.skus, len(METROS))
            self.believed = self.forecast.learned(lines, rows, known)
            self.error = self.forecast.error(lines, known)
        self.filling = filling(self.error)
        self.outlook = replace(self.outlook, goods=goods(self.world.filling(self.filling)))

    def view(self, run: Run, known: int, day: int) -> View:
        """What is left once so many orders are known, with those that are still expected.

        Goods on their way count as there: that they come is known, and most of them are for later.
        """
        coming = 0 if run.arrived else run.inst.inbound
        rest = self.by_day[day:].copy()
        rest[0] -= known - int(self.by_day[:day].sum())
        until = None if self.rolling is None else day + self.rolling
        return View(
            (run.ledger.stock + coming).astype(float),
            run.ledger.room[:, day:until].astype(float),
            rest[: self.rolling].tolist(),
            1.0 if self.rolling else int(rest.sum()) / len(run.inst.orders),
        )

    def look(self, run: Run, done: int, day: int, wave: Sequence[Order]) -> Settled:
        """Prices once `done` orders are decided, those of the wave being known as well."""
        known = done + len(wave)
        self.learn(run, known)
        view = self.view(run, known, day)
        known_now = questions(run, self.world.filling(self.filling), wave)
        before = None if self.settled is None else later(self.settled, day - self.day)
        self.settled = self.outlook.look(
            self.believed, view, turn=self.turn, wave=known_now, before=before
        )
        self.day, self.turn = day, self.turn + 1
        return self.settled

    def book(
        self, run: Run, settled: Settled, day: int, *, of_today: bool, relative: bool = False
    ) -> PriceBook:
        days = [
            run.world.leaves(day + ahead) if ahead or of_today else [None] * run.inst.nodes
            for ahead in range(settled.parcels.shape[2])
        ]
        room = run.ledger.room[:, day : day + settled.parcels.shape[2]].astype(float)
        view = View(run.ledger.stock.astype(float), room, (), 0.0)
        book = self.outlook.market(view).book(
            settled, f"{run.inst.seed}.{self.turn}", when(day), days, relative=relative
        )
        return book if relative else replace(book, filling=self.filling)


def longer(settled: Settled, days: int) -> Settled:
    """The same prices with days that were not in sight yet, whose room costs nothing so far."""
    more = days - settled.parcels.shape[2]
    if more <= 0:
        return settled
    return replace(
        settled,
        parcels=np.pad(settled.parcels, ((0, 0), (0, 0), (0, more))),
        wave_parcels=np.pad(settled.wave_parcels, ((0, 0), (0, more))),
    )


def still_to_come(one: Baskets, moment: Floats, over: float) -> Baskets:
    """Without the orders of today whose moment of the day is over."""
    keep = (one.day > 0) | (moment >= over)
    return Baskets(one.sku[keep], one.units[keep], one.row[keep], one.day[keep], one.scene[keep])


def goods(world: World) -> Goods:
    skus = range(world.inst.shape.skus)
    return Goods(tuple(skus), np.array(world.grams, float), np.array(world.unfilled, float))


def questions(run: Run, world: World, orders: Sequence[Order]) -> list[Question]:
    demands = [world.demand(str(number), order) for number, order in enumerate(orders)]
    supply = Supply(run.ledger.units())
    return questions_of(demands, world.nodes, supply, world.rates, world.policy())


def commit(run: Run, order: Order, given: Given, book: PriceBook) -> None:
    """What was planned is sent, but for what nodes reject: that is planned again without them."""
    chance, rejected = run.inst.shape.rejected, set[int]()
    sent: Given = {}
    while given and chance:
        refused = {
            node for node in {n for _, n in given} - {n for _, n in sent} if run.refuses(node)
        }
        rejected |= refused
        sent |= {key: units for key, units in given.items() if key[1] not in refused}
        again = {
            at: sum(u for (a, n), u in given.items() if a == at and n in refused) for at, _ in given
        }
        given = {}
        if any(again.values()) and len(rejected) < MOST_REJECTIONS:
            given = replanned(run, order, again, rejected, sent, book)
    run.ledger.decide(order, sent or given)


def claims(order: Order, given: Given) -> dict[tuple[int, int], int]:
    """Units by (node, SKU)."""
    return {(node, int(order.skus[at])): units for (at, node), units in given.items()}


def replanned(
    run: Run, order: Order, again: dict[int, int], rejected: set[int], sent: Given, book: PriceBook
) -> Given:
    demand = run.world.demand("again", order)
    lines = tuple(
        replace(line, quantity=again[at]) for at, line in enumerate(demand.lines) if again.get(at)
    )
    barred = rejected | {node for _, node in sent}
    excluded = frozenset((node, line.sku) for node in barred for line in lines)
    demand = replace(demand, lines=lines, excluded=excluded)
    return given_by(run.plan(demand, run.world.policy(), book))


def at_once(choose: Callable[[Run, Order], tuple[Given, PriceBook]]) -> Decider:
    """Every order is decided when it comes."""

    def decide(run: Run) -> None:
        for order in run.inst.orders:
            run.receive(order.day)
            given, book = choose(run, order)
            commit(run, order, given, book)

    return decide


def nearest(run: Run, order: Order) -> tuple[Given, PriceBook]:
    """Line by line from the nearest node that has it and is not full."""
    book = run.full_book(order.day, NEVER_FULL)
    given: Given = {}
    for at in range(len(order.skus)):
        demand = run.world.demand("order", order, [at])
        policy = run.world.policy(weights=NEAREST, fill_first=True)
        given |= given_by(run.plan(demand, policy, book))
    return given, book


def nearest_complete(run: Run, order: Order) -> tuple[Given, PriceBook]:
    """The nearest node that has everything, else line by line."""
    book = run.full_book(order.day, NEVER_FULL)
    demand = replace(run.world.demand("order", order), ship_complete=True)
    policy = run.world.policy(weights=NEAREST, fill_first=True, max_nodes_per_demand=1)
    given = given_by(run.plan(demand, policy, book))
    return (given, book) if given else nearest(run, order)


def fewest(run: Run, order: Order) -> tuple[Given, PriceBook]:
    """As few parcels as fill the order, then the cheapest."""
    book = run.full_book(order.day, NEVER_FULL)
    policy = run.world.policy(weights=replace(FEWEST_PARCELS, parcel=10**8), fill_first=True)
    return given_by(run.plan(run.world.demand("order", order), policy, book)), book


def myopic(run: Run, order: Order) -> tuple[Given, PriceBook]:
    """The cheapest plan of each order by itself."""
    book = run.full_book(order.day, round(run.inst.shape.overtime * MINOR))
    return given_by(run.plan(run.world.demand("order", order), run.world.policy(), book)), book


def immediate(run: Run) -> None:
    """The cheapest plan of each order at the prices of the last look."""
    prices = run.prices(SPARE_AT_ONCE)
    every = max(1, len(run.inst.orders) // run.inst.shape.days // LOOKS)
    settled = None
    for done, order in enumerate(run.inst.orders):
        run.receive(order.day)
        if settled is None or done % every == 0 or order.day != prices.day:
            settled = prices.of_the_moment(run, done, order.day)
        book = prices.book(run, settled, order.day, of_today=True)
        demand = run.world.demand(str(done), order)
        given = given_by(run.plan(demand, run.world.policy(), book))
        commit(run, order, given, book)


def waves(parts: int) -> Decider:
    """Orders of a day, or of a part of it, are decided together at the prices of what follows."""

    def decide(run: Run) -> None:
        inst, prices = run.inst, run.prices(SPARE)
        most = max(1, len(inst.orders) // inst.shape.days // parts)
        done = 0
        while done < len(inst.orders):
            day = inst.orders[done].day
            run.receive(day)
            wave = [order for order in inst.orders[done : done + most] if order.day == day]
            begun = clock.thread_time_ns()
            decide_wave(run, prices, done, day, wave)
            done += len(wave)
            run.waves.append((clock.thread_time_ns() - begun) / 1e9)

    return decide


def decide_wave(run: Run, prices: Prices, done: int, day: int, wave: Sequence[Order]) -> None:
    """Plan the wave together, and send it order by order."""
    settled = prices.look(run, done, day, wave)
    book = prices.book(run, settled, day, of_today=False)
    decided = [given_by(planned) for planned in together(run, wave, book, day, settled)]
    send(run, wave, decided, book)


def send(run: Run, wave: Sequence[Order], decided: Sequence[Given], book: PriceBook) -> None:
    """Order by order; what is rejected finds no unit that another one of the wave was given."""
    run.claimed = Counter()
    for order, given in zip(wave, decided, strict=True):
        run.claimed.update(claims(order, given))
    for order, given in zip(wave, decided, strict=True):
        run.claimed.subtract(claims(order, given))
        commit(run, order, given, book)


def together(
    run: Run, wave: Sequence[Order], book: PriceBook, day: int, settled: Settled
) -> list[Plan]:
    world = run.world
    standing = [Standing(world.demand(str(n), order)) for n, order in enumerate(wave)]
    room = {node: int(left) for node, left in enumerate(run.ledger.room[:, day].tolist())}
    usual = settled.wave_units.sum(1) if settled.wave_units is not None else ()
    terms = Terms(
        room,
        round(run.inst.shape.overtime * MINOR),
        expected={sku: float(units) for sku, units in enumerate(usual)},
        stiffness=STIFFNESS,
    )
    supply = Supply(run.ledger.units())
    return plan_together(standing, world.nodes, supply, world.rates, world.policy(), terms, book)


ENGINE: dict[str, tuple[Decider, bool]] = {
    "nearest": (at_once(nearest), False),
    "nearest_complete": (at_once(nearest_complete), False),
    "fewest_parcels": (at_once(fewest), False),
    "myopic_exact": (at_once(myopic), False),
    "immediate": (immediate, False),
    "day_wave": (waves(1), False),
    "quarter_day_wave": (waves(4), False),
    "noisy_immediate": (immediate, True),
    "noisy_day_wave": (waves(1), True),
}
"""Each with whether its forecast has errors."""
