"""How far live decisions were from the best that hindsight allows, and why. Pure, in arrays.

All orders of a period are known and all goods that came in are there from the start. Lagrangian
prices of scarce goods then prove a bound: no plan can be cheaper. At the same prices each order has
a best plan of its own, and what live paid above it is that order's part of the distance. The parts
of the orders and the price of scarce goods that stayed behind add up to the distance exactly.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import numpy as np

from routing import engine
from routing.engine import Verdict
from routing.engine.ascent import COLD, Settled, Shelves, settle
from routing.engine.bound import TIGHTENING, hindsight
from routing.engine.crowd import NEVER, Asks, Floats, Prices, answer, chosen
from routing.engine.forecast import Baskets
from routing.engine.market import Goods, asks_of, tariff
from routing.reference import IN_NETWORK
from routing.simulating import Recorded

PROGRAM_UP_TO: Final = 3_000
"""Orders up to which the linear program is solved too; its bound is used where it is the better."""
EXAMPLES: Final = 20
A_CENT: Final = 1.0
AMPLE: Final = 1e6

SPLITS, STOCK, CAPACITY, POLICY, FORECAST, LEFT = (
    "splits", "stock", "capacity", "policy", "forecast", "left_over",
)  # fmt: skip
_FULL = frozenset({Verdict.CAPACITY, Verdict.NODE_CLOSED, Verdict.NODE_PAUSED})
_RULED = frozenset(
    {Verdict.RULED_OUT, Verdict.TOO_FAR, Verdict.LATE, Verdict.NO_SERVICE, Verdict.EXCLUDED}
)


Gone = dict[UUID, dict[tuple[int, int], int]]
"""By decision, units by node and SKU."""


@dataclass(frozen=True, slots=True)
class Regret:
    """An order's part: minor units above its best plan at the prices, and where that ships from."""

    order_id: str
    decision_id: str
    cause: str
    amount: int
    live: str
    best: str


@dataclass(frozen=True, slots=True)
class Certified:
    """Minor units. `causes` part `live - bound`; `regrets` are the largest of each cause."""

    orders: int
    left_out: int
    live: int
    bound: int
    causes: dict[str, int]
    counts: dict[str, int]
    regrets: list[Regret]


def certify(period: Sequence[Recorded], rates: engine.RateCard) -> Certified | None:
    """The distance of a period's decisions, in the order of time; None where nothing counts.

    Pickups and pinned orders have no choice; they and orders from nodes or lanes that are gone are
    left out. Of a group that was decided again its last decision counts.
    """
    last = {recorded.group_id: recorded for recorded in period}
    candidates = [
        one
        for one in last.values()
        if one.demand.pinned_node is None and one.demand.service != engine.PICKUP
    ]
    nodes = _nodes(candidates)
    if not nodes:
        return None
    market = _Market.of(period, candidates, nodes, rates)
    if not market.orders:
        return None
    return market.certified(len(last) - len(market.orders))


def _nodes(orders: Sequence[Recorded]) -> dict[int, engine.Node]:
    """Every node that some order could have been sent from, open."""
    found: dict[int, engine.Node] = {}
    for one in orders:
        for node in one.nodes:
            if IN_NETWORK in node.groups:
                found[node.id] = replace(node, ship_open=True, closed_reason="")
    return found


@dataclass(slots=True)
class _Market:
    """The orders that count, grouped by their number of SKUs, with what they share."""

    orders: list[Recorded]
    members: list[list[int]]
    crowd: list[Asks]
    stock: Floats
    taken: Floats
    gone: Gone
    nodes: list[engine.Node]
    skus: dict[int, int]

    @classmethod
    def of(
        cls,
        period: Sequence[Recorded],
        candidates: Sequence[Recorded],
        known: dict[int, engine.Node],
        rates: engine.RateCard,
    ) -> "_Market":
        nodes = [known[node_id] for node_id in sorted(known)]
        skus = {
            sku: place
            for place, sku in enumerate(
                sorted({line.sku for one in candidates for line in one.demand.lines})
            )
        }
        stock, gone = _stock(period, nodes, skus)
        crowd, members = _crowd(candidates, nodes, skus, rates)
        kept = _payable(candidates, crowd, members, nodes, skus)
        orders = [one for one, pays in zip(candidates, kept, strict=True) if pays]
        crowd, members = _crowd(orders, nodes, skus, rates)
        taken = np.zeros(stock.shape)
        places = {node.id: place for place, node in enumerate(nodes)}
        for one in orders:
            for node_id, sku, units in one.taken:
                taken[skus[sku], places[node_id]] += units
        return cls(orders, members, crowd, np.maximum(stock, taken), taken, gone, nodes, skus)

    def certified(self, left_out: int) -> Certified:
        shelves = Shelves(self.stock, np.full((len(self.nodes), 1), AMPLE), A_CENT)
        first = settle((), self.crowd, 1, shelves, COLD)
        second = settle((), self.crowd, 1, shelves, TIGHTENING, first)
        proven = max(first, second, key=self._bound)
        bound = self._bound(proven)
        best = max(bound, second.bound)
        if len(self.orders) <= PROGRAM_UP_TO:
            best = max(best, hindsight(self.crowd, shelves).best)
        live, regrets = self._regrets(proven)
        # What the prices themselves do not prove is taken from each part alike.
        scale = (live - best) / (live - bound) if live > bound else 0.0
        left = float((proven.units[0] * (self.stock - self.taken)).sum())
        sums: Counter[str] = Counter({LEFT: round(left * scale)})
        counts: Counter[str] = Counter()
        for one in regrets:
            sums[one.cause] += round(one.amount * scale)
            counts[one.cause] += 1
        distance = round(live) - round(best)
        sums[FORECAST] += distance - sum(sums.values())
        shown = [
            one
            for cause in counts
            for one in sorted(
                (each for each in regrets if each.cause == cause), key=lambda one: -one.amount
            )[:EXAMPLES]
        ]
        return Certified(
            len(self.orders), left_out, round(live), round(best), dict(sums), dict(counts), shown
        )

    def _bound(self, settled: Settled) -> float:
        prices = self._prices(settled)
        rent = float((settled.units[0] * self.stock).sum())
        return float(answer(self.crowd, prices).paid[0]) - rent

    def _prices(self, settled: Settled) -> Prices:
        skus, nodes = self.stock.shape
        asked = np.zeros((1, skus, nodes + 1))
        asked[0, :, :nodes] = np.where(self.stock > 0, settled.units[0], NEVER)
        return Prices(asked, np.zeros((1, nodes + 1, 1)))

    def _regrets(self, settled: Settled) -> tuple[float, list[Regret]]:
        """What live cost in all, and each order's part with its cause."""
        prices, units = self._prices(settled), settled.units[0]
        places = {node.id: place for place, node in enumerate(self.nodes)}
        live, regrets = 0.0, []
        for asks, members in zip(self.crowd, self.members, strict=True):
            costs, sources, _ = chosen(asks, prices)
            for row, place in enumerate(members):
                order = self.orders[place]
                cost, rent = _paid(order, asks, row, places, self.skus, units)
                live += cost
                above = cost + rent - float(costs[row])
                if above >= A_CENT:
                    best = [int(source) for source in sources[row]]
                    regrets.append(self._regret(order, round(above), best))
        return live, regrets

    def _regret(self, order: Recorded, amount: int, best: Sequence[int]) -> Regret:
        wanted = sorted({line.sku for line in order.demand.lines}, key=self.skus.__getitem__)
        sent = {(node_id, sku) for node_id, sku, _ in order.taken}
        missed = [
            (self.nodes[source], sku)
            for sku, source in zip(wanted, best, strict=True)
            if source < len(self.nodes) and (self.nodes[source].id, sku) not in sent
        ]
        codes = {node.id: node.code for node in self.nodes}
        parcels = {source for source in best if source < len(self.nodes)}
        return Regret(
            str(order.order_id),
            str(order.id),
            _cause(order, missed, len(parcels), self.gone.get(order.id, {})),
            amount,
            ", ".join(sorted({codes.get(node_id, "?") for node_id, _, _ in order.taken})),
            ", ".join(sorted(self.nodes[source].code for source in parcels)),
        )


def _cause(
    order: Recorded,
    missed: Sequence[tuple[engine.Node, int]],
    parcels: int,
    gone: Mapping[tuple[int, int], int],
) -> str:
    """Why the best plan was not chosen: what stood in the way of a part of it, else what was unknown.

    In this order: the node was shut or full, the goods had not come yet, a rule kept it out; else
    nothing but orders of the period stood in the way: fewer parcels were possible, or what others
    took, or would need, was not known.
    """
    record = engine.expand(order.stored)
    verdicts = {row.code: row.verdict for row in record.candidates}
    wanted: Counter[int] = Counter()
    for line in order.demand.lines:
        wanted[line.sku] += line.quantity
    if any(verdicts.get(node.code) in _FULL for node, _ in missed):
        return CAPACITY
    there = [
        (order.supply.get(sku, {}).get(node.id, 0), gone.get((node.id, sku), 0), wanted[sku])
        for node, sku in missed
    ]
    if any(free + before < units for free, before, units in there):
        return STOCK
    if any(verdicts.get(node.code) in _RULED for node, _ in missed):
        return POLICY
    if any(free < units for free, _, units in there):
        return FORECAST
    sent_from = {node_id for node_id, _, _ in order.taken}
    return SPLITS if len(sent_from) > max(1, parcels) else FORECAST


def _stock(
    period: Sequence[Recorded], nodes: Sequence[engine.Node], skus: dict[int, int]
) -> tuple[Floats, Gone]:
    """The most units that could have been there: at any decision, what was free and what was gone.

    And for each decision what orders of the period had taken before it, of its SKUs by node.
    """
    places = {node.id: place for place, node in enumerate(nodes)}
    stock = np.zeros((len(skus), len(nodes)))
    gone: Counter[tuple[int, int]] = Counter()
    before: Gone = {}
    own: dict[object, tuple[tuple[int, int, int], ...]] = {}
    for one in period:
        for node_id, sku, units in own.pop(one.group_id, ()):
            gone[node_id, sku] -= units
        before[one.id] = {
            (node_id, sku): gone[node_id, sku]
            for sku in one.supply
            for node_id in places
            if gone[node_id, sku] > 0
        }
        for sku, held in one.supply.items():
            for node_id, units in held.items():
                if sku in skus and node_id in places:
                    at = skus[sku], places[node_id]
                    stock[at] = max(stock[at], units + gone[node_id, sku])
        for node_id, sku, units in one.taken:
            gone[node_id, sku] += units
        own[one.group_id] = one.taken
    return stock, before


def _crowd(
    orders: Sequence[Recorded],
    nodes: Sequence[engine.Node],
    skus: dict[int, int],
    rates: engine.RateCard,
) -> tuple[list[Asks], list[list[int]]]:
    """The orders with what they would pay at true cost, by their number of SKUs."""
    grams = np.zeros(len(skus))
    unfilled = np.zeros(len(skus))
    groups: dict[int, list[int]] = {}
    lines: list[dict[int, int]] = []
    for place, one in enumerate(orders):
        wanted: dict[int, int] = {}
        for line in one.demand.lines:
            at = skus[line.sku]
            wanted[at] = wanted.get(at, 0) + line.quantity
            grams[at] = rates.billed_grams(line)
            unfilled[at] = line.unfilled_cost
        lines.append(dict(sorted(wanted.items())))
        groups.setdefault(len(wanted), []).append(place)
    members = [groups[size] for size in sorted(groups)]
    baskets = []
    for group in members:
        zeros = np.zeros(len(group), dtype=np.int64)
        baskets.append(
            Baskets(
                np.array([list(lines[place]) for place in group], dtype=np.int64),
                np.array([list(lines[place].values()) for place in group], dtype=np.int64),
                np.array(group, dtype=np.int64),
                zeros,
                zeros,
            )
        )
    if not orders:
        return [], []
    policy = engine.Policy("hindsight", 0, engine.CHEAPEST, groups=frozenset({IN_NETWORK}))
    demands = [replace(one.demand, deliver_by=None) for one in orders]
    costs = tariff(demands, nodes, rates, policy)
    goods = Goods(tuple(sorted(skus, key=skus.__getitem__)), grams, unfilled)
    return asks_of(baskets, costs, goods), members


def _payable(
    orders: Sequence[Recorded],
    crowd: Sequence[Asks],
    members: Sequence[Sequence[int]],
    nodes: Sequence[engine.Node],
    skus: dict[int, int],
) -> list[bool]:
    """Whether each order's own plan can be priced: its nodes and lanes are still there."""
    places = {node.id: place for place, node in enumerate(nodes)}
    kept = [True] * len(orders)
    for asks, group in zip(crowd, members, strict=True):
        for row, place in enumerate(group):
            own = [places.get(node_id) for node_id, sku, _ in orders[place].taken if sku in skus]
            kept[place] = all(at is not None and asks.opening[row, at] < NEVER for at in own)
    return kept


def _paid(
    order: Recorded,
    asks: Asks,
    row: int,
    places: dict[int, int],
    skus: dict[int, int],
    units: Floats,
) -> tuple[float, float]:
    """What the order's own plan costs, and what its goods are worth at the prices."""
    at = {int(sku): line for line, sku in enumerate(asks.sku[row])}
    left = {line: int(asks.units[row, line]) for line in at.values()}
    cost = rent = 0.0
    for node in {places[node_id] for node_id, _, _ in order.taken}:
        cost += float(asks.opening[row, node])
    for node_id, sku, n in order.taken:
        line, node = at[skus[sku]], places[node_id]
        cost += float(asks.lines[row, line, node]) * n / int(asks.units[row, line])
        rent += float(units[skus[sku], node]) * n
        left[line] -= n
    for line, n in left.items():
        cost += float(asks.lines[row, line, -1]) * n / int(asks.units[row, line])
    return cost, rent
