"""From recorded demand to prices: forecast, futures, and what units and room are worth in them.

Arrays and programs: whoever imports this carries them. The web and the worker do not; a process of
its own makes books (`manage.py rematch`).
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np

from orders.selectors.demand_history import Sold, SoldPlace, SoldSku
from routing import engine
from routing.engine.crowd import NEVER, Floats
from routing.engine.forecast import Forecast, orders_by_day, sure
from routing.engine.market import Goods, Tariff, tariff
from routing.engine.outlook import SCENES, SPARE_AT_ONCE, Outlook, View
from routing.engine.prices import WHOLE, filling
from routing.places import locate
from routing.rules import TERMS

OVERTIME = 500
"""Minor units that a parcel beyond a node's limit costs more."""

AMPLE = 1e9
"""Parcels of a node without a limit."""

UNSEEN = 0.5
"""Lines that a SKU or a place counts as ordered before anything was seen of it."""

MOST_SHELVES = 4_000_000
"""SKUs × nodes × futures that are priced at a time: a hundred bytes each while prices are made."""

MOST_ASKS = 4_000_000
"""Orders × nodes of all futures: fewer futures first, and below `FEW` of them fewer, larger orders that
stand for more, as does less stock."""

FEW = 8
"""Futures that orders are thinned for."""

Key = tuple[int, int]
"""(node id, SKU id)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What prices are made from, besides what was sold.

    `free` are units by (node, SKU), `room` parcels that nodes with a limit can still send by
    (node id, day from now).
    """

    nodes: Sequence[engine.Node]
    rates: engine.RateCard
    policy: engine.Policy
    service: Mapping[str, str]
    free: Mapping[Key, int]
    room: Mapping[tuple[int, int], int]
    coming: Mapping[Key, int] = field(default_factory=dict)
    """Units by (node, SKU) that are sure to come within the horizon, and wait for nobody."""

    days: int = TERMS["days_ahead"]
    """The horizon."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Prices by SKU and node, and by node and day, with what they rest on.

    `margins` is what a unit of each SKU earns over what sending it costs.
    """

    units: Mapping[int, Mapping[int, int]]
    parcels: Mapping[tuple[int, date], int]
    margins: Mapping[int, int]
    error: float
    usual: int
    scenes: int
    skus: int
    took_ms: int


def foresee(sold: Sold, seen: Seen, *, at: datetime, seed: int) -> Foreseen:
    """Prices for what will be ordered within the horizon, were it like what was sold.

    Deterministic but for `took_ms`, the processor time. Raises ValueError where nothing that was
    sold is in stock, or no place that was sold to can be reached.
    """
    begun = time.process_time()
    ids = tuple(node.id for node in seen.nodes)
    skus, scenes = _worth_pricing(sold.skus, seen, len(ids))
    places = _reached(sold.places, seen, at)
    if not skus or not places:
        raise ValueError("nothing that was sold can be sent from stock")
    forecast, error = forecast_of(sold, skus, [place for place, _ in places])
    costs = tariff([row for _, row in places], seen.nodes, seen.rates, seen.policy)
    goods = Goods(
        tuple(sku.sku_id for sku in skus),
        np.array([sku.grams for sku in skus], dtype=np.float64),
        np.array([_unfilled(sku, seen.policy, error) for sku in skus], dtype=np.float64),
    )
    days = [at.date() + timedelta(days=ahead) for ahead in range(seen.days)]
    expected = orders_by_day(_every_day(sold.by_day), days)
    scenes = min(scenes, max(FEW, MOST_ASKS // max(1, sum(expected) * len(ids))))
    share = min(1.0, MOST_ASKS / max(1, sum(expected) * len(ids) * scenes))
    view = View(
        # Goods on their way count as there: most of them are for later, and so are most orders.
        (_stock(seen.free, goods, ids) + _stock(seen.coming, goods, ids)) * share,
        _room(seen, ids) * share,
        [round(orders * share) for orders in expected],
        1.0,
    )
    outlook = Outlook(ids, goods, costs, OVERTIME, seed, scenes, SPARE_AT_ONCE)
    settled = outlook.look(forecast, view, turn=0)
    leaves = _leaves([row for _, row in places], seen, costs)
    book = outlook.market(view).book(settled, "", at, leaves)
    usual = _usual_parcel(costs)
    return Foreseen(
        book.units,
        book.parcels,
        {sku.sku_id: max(0, sku.unit_minor - usual) for sku in skus},
        error,
        usual,
        scenes,
        len(skus),
        round(1_000 * (time.process_time() - begun)),
    )


def forecast_of(
    sold: Sold, skus: Sequence[SoldSku], places: Sequence[SoldPlace]
) -> tuple[Forecast, float]:
    """What the earlier part foretells, as the later part has taught it; and how far off it was.

    The error is the standard deviation of a SKU's rate about its forecast: 0.5 is half as much
    again, or half.
    """
    lines = np.array([sku.lines - sku.recent for sku in skus], dtype=np.float64) + UNSEEN
    rows = np.array([place.groups - place.recent for place in places], dtype=np.float64) + UNSEEN
    most = max(sold.sizes, default=1)
    sizes = np.array([sold.sizes.get(size, 0) for size in range(1, most + 1)], dtype=np.float64)
    ordered = sum(sku.lines for sku in skus)
    more = 1 - ordered / max(1, sum(sku.units for sku in skus))
    before = Forecast(sure(lines), sure(rows), sizes / sizes.sum(), max(0.0, min(0.9, more)))
    recent = np.array([sku.recent for sku in skus], dtype=np.int64)
    counted = np.array([place.recent for place in places], dtype=np.int64)
    error = before.error(recent, sold.recent)
    return before.learned(recent, counted, sold.recent), error


def _unfilled(sku: SoldSku, policy: engine.Policy, error: float) -> int:
    """What a unit that nobody can send counts for in futures, as it does in plans where it may be left."""
    return (max(1, sku.unit_minor) + policy.goodwill) * filling(error) // WHOLE


def _worth_pricing(sold: Collection[SoldSku], seen: Seen, nodes: int) -> tuple[list[SoldSku], int]:
    """The SKUs that there is stock of, those most sold first where there are too many; and futures."""
    held = {sku_id for (_, sku_id), units in seen.free.items() if units > 0}
    there = [sku for sku in sold if sku.sku_id in held]
    scenes = max(2, min(SCENES, MOST_SHELVES // max(1, len(there) * nodes)))
    most = max(1, MOST_SHELVES // (scenes * max(1, nodes))) if scenes > 2 else len(there)
    chosen = sorted(there, key=lambda sku: (-sku.lines, sku.sku_id))[:most]
    return sorted(chosen, key=lambda sku: sku.sku_id), scenes


def _reached(
    places: Collection[SoldPlace], seen: Seen, at: datetime
) -> list[tuple[SoldPlace, engine.Demand]]:
    """Each place with a demand like those that came from it."""
    goods = engine.Line("", 0, 1, 0, 1, 1)
    found = []
    for number, place in enumerate(places):
        # A state's middle stands for all of it better than its lowest ZIP code.
        where = locate("" if place.region else place.postal_code, place.region, place.country)
        there = engine.Place(
            "", where.latitude, where.longitude, place.region, place.country, where.precision
        )
        service = seen.service.get(place.service, seen.service[""])
        found.append((place, engine.Demand(str(number), (goods,), there, service, at)))
    return found


def _every_day(by_day: Mapping[date, int]) -> dict[date, int]:
    """Days without an order count as such."""
    if not by_day:
        return {}
    first, last = min(by_day), max(by_day)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return {day: by_day.get(day, 0) for day in days}


def _stock(free: Mapping[Key, int], goods: Goods, ids: Sequence[int]) -> Floats:
    rows, columns = goods.places(), {node: at for at, node in enumerate(ids)}
    stock = np.zeros((len(rows), len(ids)))
    for (node, sku), units in free.items():
        if sku in rows and node in columns:
            stock[rows[sku], columns[node]] = max(0, units)
    return stock


def _room(seen: Seen, ids: Sequence[int]) -> Floats:
    columns = {node: at for at, node in enumerate(ids)}
    found = np.full((len(ids), seen.days), AMPLE)
    for (node, day), left in seen.room.items():
        if node in columns and 0 <= day < seen.days:
            found[columns[node], day] = max(0, left)
    return found


def _leaves(
    rows: Sequence[engine.Demand], seen: Seen, today: Tariff
) -> list[Sequence[date | None]]:
    """By day from now, the day on which a parcel begun then leaves each node."""
    later = [
        [replace(rows[0], at=rows[0].at + timedelta(days=ahead))] for ahead in range(1, seen.days)
    ]
    return [
        today.leaves,
        *(tariff(one, seen.nodes, seen.rates, seen.policy).leaves for one in later),
    ]


def _usual_parcel(costs: Tariff) -> int:
    """What the cheapest parcel to a place costs, in the middle of all places."""
    cheapest = costs.opening.min(1)
    known = cheapest[cheapest < NEVER]
    return round(float(np.median(known))) if known.size else 0
