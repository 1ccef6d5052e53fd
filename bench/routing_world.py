"""An instance as the engine sees it, and what its plans really cost.

The engine counts in minor units of a hundredth of a cent and in thousandths of a pound, so that
the instance's rates are whole numbers. Plans are charged by the instance's own arithmetic.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from bench.routing_instances import (
    BASE,
    EXTRA_DAYS,
    HANDLING,
    PER_POUND,
    PICKING,
    PROMISED_DAYS,
    TRANSIT_DAYS,
    ZONE_MILES,
    Floats,
    Instance,
    Ints,
    Order,
)
from routing.engine import (
    Calendar,
    Demand,
    Line,
    Node,
    Place,
    Plan,
    Policy,
    RateCard,
    Weights,
    Zone,
)

MINOR = 10_000
"""Minor units in a dollar."""
GRAMS = 1_000
"""What stands for grams in a pound."""
KM = 1.609344
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
SERVICES = ("standard", "express")
ALWAYS = (time(0), time(23))


def when(day: int) -> datetime:
    return START + timedelta(days=day)


def rate_card() -> RateCard:
    reach = [*(round(miles * KM) for miles in ZONE_MILES.tolist()), 40_000]
    zones = tuple(
        Zone(
            max_km,
            round(BASE[number] * MINOR),
            round(PER_POUND[number] * MINOR),
            int(TRANSIT_DAYS[number]),
            int(TRANSIT_DAYS[number]),
        )
        for number, max_km in enumerate(reach, 2)
    )
    return RateCard(dict.fromkeys(SERVICES, zones), carrier_days=frozenset(range(7)))


def node_of(inst: Instance, number: int) -> Node:
    """A warehouse sends on the day; a store's carrier has left by then."""
    store = int(not inst.is_warehouse[number])
    leaves = time(6) if EXTRA_DAYS[store] else time(12)
    latitude, longitude = inst.places[number]
    return Node(
        id=number,
        code=f"N{number:04}",
        name=f"Node {number}",
        place=Place("", float(latitude), float(longitude), "", "US"),
        timezone="UTC",
        services=frozenset(SERVICES),
        calendar=Calendar((ALWAYS,) * 7, {"*": (leaves,) * 7}),
        handling_cost=round(HANDLING[store] * MINOR),
        pick_cost=round(PICKING[store] * MINOR),
    )


@dataclass(frozen=True, slots=True)
class World:
    """Nodes, rates and policies of an instance."""

    inst: Instance
    nodes: tuple[Node, ...]
    rates: RateCard
    places: tuple[Place, ...]
    grams: tuple[int, ...]
    unfilled: tuple[int, ...]

    @classmethod
    def of(cls, inst: Instance) -> "World":
        return cls(
            inst,
            tuple(node_of(inst, number) for number in range(inst.nodes)),
            rate_card(),
            tuple(Place("", float(lat), float(lon), "", "US") for lat, lon in inst.metros),
            tuple(round(weight * GRAMS) for weight in inst.weight.tolist()),
            tuple(round(cost * MINOR) for cost in inst.unfilled_cost.tolist()),
        )

    def filling(self, percent: int) -> "World":
        """The same with so much asked for what stays unfilled, in percent of what that costs."""
        asked = tuple(cost * percent // 100 for cost in self.unfilled)
        return replace(self, unfilled=asked)

    def policy(self, **traits: object) -> Policy:
        late = round(self.inst.shape.late_day * MINOR)
        defaults: dict[str, object] = {"weights": Weights(late_day=late), "fill_first": False}
        return Policy("bench", 1, **{**defaults, **traits})  # type: ignore[arg-type]

    def demand(self, key: str, order: Order, lines: Iterable[int] | None = None) -> Demand:
        """The order, or some of its lines, as it comes in on its day."""
        wanted = range(len(order.skus)) if lines is None else lines
        return Demand(
            key,
            tuple(self._line(order, at) for at in wanted),
            self.places[order.region],
            SERVICES[order.service],
            when(order.day),
            deliver_by=when(order.day + int(PROMISED_DAYS[order.service])),
        )

    def _line(self, order: Order, at: int) -> Line:
        sku = int(order.skus[at])
        price = round(float(self.inst.price[sku]) * MINOR)
        units = int(order.units[at])
        return Line(str(at), sku, units, self.grams[sku], self.unfilled[sku], price)

    def leaves(self, day: int) -> list[date | None]:
        """When a parcel of the day leaves each node."""
        return [
            when(day + EXTRA_DAYS[int(not warehouse)]).date()
            for warehouse in self.inst.is_warehouse.tolist()
        ]

    def rows(self, day: int) -> list[Demand]:
        """One demand of each service to each region: the rows of a tariff."""
        none = np.zeros(0, dtype=np.int64)
        return [
            self.demand("row", Order(none, region, service, day, none))
            for service in range(len(SERVICES))
            for region in range(len(self.places))
        ]


@dataclass(slots=True)
class Ledger:
    """What is left, and what each order that was decided has cost, in dollars."""

    inst: Instance
    stock: Ints = field(init=False)
    room: Ints = field(init=False)
    shipping: list[float] = field(default_factory=list)
    unfilled: list[float] = field(default_factory=list)
    parcels: list[int] = field(default_factory=list)
    late: list[bool] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    wanted: list[int] = field(default_factory=list)
    over: int = 0

    def __post_init__(self) -> None:
        self.stock, self.room = self.inst.stock.copy(), self.inst.room.copy()

    def units(self) -> dict[tuple[int, int], int]:
        """Units by (node, SKU)."""
        skus, nodes = np.nonzero(self.stock)
        held = self.stock[skus, nodes]
        return {
            (int(node), int(sku)): int(n) for sku, node, n in zip(skus, nodes, held, strict=True)
        }

    def decide(self, order: Order, given: Mapping[tuple[int, int], int]) -> None:
        """The order is sent so: units by (place of the line, node). Raises ValueError beyond stock."""
        inst = self.inst
        used = np.array(sorted({node for _, node in given}), dtype=np.int64)
        missing = order.units.copy()
        picked = 0.0
        for (at, node), units in given.items():
            sku = order.skus[at]
            self.stock[sku, node] -= units
            if self.stock[sku, node] < 0:
                message = f"node {node} has no {units} of SKU {sku}"
                raise ValueError(message)
            missing[at] -= units
            picked += units * float(inst.unit_cost[sku, order.region, node])
        full = self.room[used, order.day] <= 0
        self.room[used, order.day] = np.maximum(0, self.room[used, order.day] - 1)
        self.over += int(full.sum())
        parcels = inst.parcel_cost[order.region, used, order.service].sum()
        self.shipping.append(float(parcels) + picked + inst.shape.overtime * int(full.sum()))
        self.unfilled.append(float((missing * inst.unfilled_cost[order.skus]).sum()))
        self.parcels.append(len(used))
        self.late.append(bool(inst.late_days[order.region, used, order.service].any()))
        self.missing.append(int(missing.sum()))
        self.wanted.append(int(order.units.sum()))

    def figures(self) -> dict[str, float]:
        """Per order and in percent, as the field counts them."""
        cost, parcels = np.array(self.shipping) + self.unfilled, np.array(self.parcels)
        sent = parcels[parcels > 0]
        return {
            "cost": float(cost.sum()),
            "cost_per_order": float(cost.mean()),
            "packages": float(sent.mean()) if sent.size else 0.0,
            "late_percent": 100 * float(np.mean(self.late)),
            "unfilled_percent": 100 * sum(self.missing) / max(1, sum(self.wanted)),
            "over_capacity_percent": 100 * self.over / max(1, int(parcels.sum())),
        }


def given_by(plan: Plan) -> dict[tuple[int, int], int]:
    """Units by (place of the line, node)."""
    given: dict[tuple[int, int], int] = {}
    for row in plan.assignments:
        key = int(row.line), row.node
        given[key] = given.get(key, 0) + row.quantity
    return given


def counted(orders: Sequence[Order], skus: int, regions: int) -> tuple[Ints, Ints]:
    """Lines by SKU, and orders by row of a tariff (`World.rows`)."""
    lines = np.bincount(np.concatenate([order.skus for order in orders]), minlength=skus)
    rows = [order.service * regions + order.region for order in orders]
    return lines, np.bincount(rows, minlength=len(SERVICES) * regions)


def row_shares(regions: Floats, express: float) -> Floats:
    return np.concatenate([regions * (1 - express), regions * express])
