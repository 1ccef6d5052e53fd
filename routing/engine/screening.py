"""Which nodes may ship a demand, and what each would charge and take."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from routing.engine.calendar import (
    add_working_days,
    after_working_days,
    local_date,
    next_departure,
)
from routing.engine.prices import PriceBook
from routing.engine.results import CostParts, Kind, Verdict
from routing.engine.supply import Stock
from routing.engine.types import (
    FULL,
    PAUSED,
    PICKUP,
    Calendar,
    Constraint,
    Demand,
    Node,
    Policy,
    RateCard,
    Weights,
    Zone,
)
from routing.engine.usable import NOTHING, Unable

MILLI = 1_000
POINTS = 100_000
"""Points in a minor unit: thousandths, times the hundred of a percent weight."""

CARBON = 10**12 // POINTS
"""Grams of goods and of carbon dioxide in a tonne each, by points."""

AT_HAND = Zone(0, 0, 0, 0, 0)
"""The lane of what the buyer's own store has: nobody carries it."""

SURE = 1_000
"""The `Node.acceptance` of a node that rejects nothing."""

_NOT_NOW = {PAUSED: Verdict.NODE_PAUSED, FULL: Verdict.CAPACITY}
"""What is said of a node that will take work again; any other reason reads as closed."""

SHUT = frozenset({Verdict.NODE_CLOSED, Verdict.NODE_PAUSED})
"""Verdicts of which the node itself says why."""


def half_even(amount: int, divisor: int) -> int:
    """The quotient, rounded half to even."""
    whole, rest = divmod(amount, divisor)
    twice = 2 * rest
    return whole + (twice > divisor or (twice == divisor and whole % 2 == 1))


@dataclass(frozen=True, slots=True)
class Lane:
    """From one node into one zone: when a parcel moves, and its price in points but for distance.

    `late` is the days late at P50 and at P90 added together: half of it is the expected lateness.
    `wait` are the days until the delivery, added in the same way.
    `overdue` says that the policy wants deliveries on time and this one is not. `capacity` and
    `rerouting` are minor units of the opening.
    """

    barred: Verdict | None
    reason: str
    number: int
    zone: Zone
    departs: datetime | None
    p50: date | None
    p90: date | None
    late: int
    overdue: bool
    opening: int
    pick: int
    gram: int
    capacity: int
    rerouting: int
    wait: int
    kind: Kind


@dataclass(slots=True)
class Offer:
    """A node seen from one demand. `barred` is why it may not ship, `soft` what would relax that."""

    node: Node
    available: tuple[int, ...]
    barred: Verdict | None = None
    soft: Constraint | None = None
    reason: str = ""
    km: int = 0
    zone_number: int = 0
    zone: Zone | None = None
    departs: datetime | None = None
    p50: date | None = None
    p90: date | None = None
    late: int = 0
    opening: int = 0
    """Points of a parcel from here before what is in it, then of each unit and gram in it."""
    pick: int = 0
    gram: int = 0
    capacity: int = 0
    rerouting: int = 0
    carbon: int = 0
    """Points of each gram that are for carbon dioxide."""
    wait: int = 0
    kind: Kind = Kind.SHIP

    def parcel(
        self,
        weights: Weights,
        units: int,
        grams: int,
        unfilled: int = 0,
        stock: int = 0,
        supplier: int = 0,
    ) -> CostParts:
        """The invoice of one parcel with this many units and grams in it, and of what it leaves.

        `stock` is what a price book asks for the units in it, `supplier` what they cost more.
        """
        zone, node = self.zone, self.node
        points = self.opening + self.pick * units + self.gram * grams
        if supplier:
            points += supplier * weights.cost_percent * MILLI
        return CostParts(
            half_even(zone.base * MILLI + zone.per_kg * grams, MILLI) if zone else 0,
            node.handling_cost,
            node.pick_cost * units,
            unfilled,
            0,
            half_even(weights.distance_per_km * self.km, MILLI) if weights.distance_per_km else 0,
            half_even(weights.late_day * self.late, 2) if self.late else 0,
            half_even(points, POINTS) + unfilled + stock,
            stock,
            self.capacity,
            half_even(self.carbon * grams, POINTS) if self.carbon else 0,
            self.rerouting,
            supplier,
            half_even(weights.day * self.wait, 2) if weights.day else 0,
        )


class Network:
    """Nodes as demands of one service, moment, due day and pin see them: the same for each of them.

    Lanes are worked out when the first demand asks for them.
    """

    __slots__ = (
        "_book",
        "_lanes",
        "_policy",
        "_reaches",
        "_timetable",
        "_view",
        "_zones",
        "carbon",
        "nodes",
        "rules",
    )

    def __init__(
        self,
        nodes: Sequence[Node],
        policy: Policy,
        view: "View",
        timetable: "Timetable",
        book: PriceBook | None = None,
    ) -> None:
        self.nodes = nodes
        self._book = book
        self.carbon = policy.weights.carbon_tonne * timetable.rates.carbon_grams
        self._policy = policy
        self._view = view
        self._timetable = timetable
        self._zones = timetable.rates.zones.get(view.service, ())
        self._reaches = [zone.max_km for zone in self._zones]
        self._lanes: list[list[Lane | None]] = [[None] * len(self._zones) for _ in nodes]
        self.rules = [_barred_by_rule(node, view, policy) for node in nodes]

    def lane(self, place: int, km: int) -> Lane | None:
        """The lane from the node at this place to a destination so far away; None beyond all."""
        if self.nodes[place].id == self._view.collected:
            return self._worked_out(self.nodes[place], AT_HAND, 0)
        number = bisect_left(self._reaches, km)
        if number == len(self._reaches):
            return None
        row = self._lanes[place]
        known = row[number]
        if known is None:
            known = row[number] = self._worked_out(
                self.nodes[place], self._zones[number], number + 1
            )
        return known

    def _worked_out(self, node: Node, zone: Zone, number: int) -> Lane:
        due, weights = self._view.due, self._policy.weights
        begun = self._view.at
        if node.partner is not None:
            lead = node.partner.lead_days
            begun = after_working_days(node.calendar, node.timezone, begun, lead)
        departs = self._timetable.departure(node, self._view.service, begun)
        p50 = p90 = None
        late = capacity = wait = 0
        if departs is not None:
            leaves = local_date(departs, node.timezone)
            if self._book is not None:
                capacity = self._book.parcel(node.id, leaves)
            days_p50, days_p90 = self._timetable.rates.days(
                node.id, self._view.service, zone, leaves.weekday()
            )
            p50 = self._timetable.arrival(leaves, days_p50)
            p90 = self._timetable.arrival(leaves, days_p90)
            if due is not None:
                late = max(0, (p50 - due).days) + max(0, (p90 - due).days)
            if weights.day:
                today = local_date(self._view.at, node.timezone)
                wait = (p50 - today).days + (p90 - today).days
        percent = weights.cost_percent
        rerouting = 0
        if weights.reroute and node.acceptance < SURE:
            rejected = SURE - max(1, node.acceptance)
            rerouting = half_even(weights.reroute * rejected, max(1, node.acceptance))
        return Lane(
            None if departs else Verdict.NO_SERVICE,
            "" if departs else "no_departure",
            number,
            zone,
            departs,
            p50,
            p90,
            late,
            self._policy.on_time and due is not None and p90 is not None and p90 > due,
            percent * MILLI * (zone.base + node.handling_cost)
            + weights.late_day * POINTS // 2 * late
            + weights.day * POINTS // 2 * wait
            + POINTS * (capacity + rerouting),
            percent * node.pick_cost * MILLI,
            percent * zone.per_kg,
            capacity,
            rerouting,
            wait,
            self._kind(node, zone),
        )

    def _kind(self, node: Node, zone: Zone) -> Kind:
        if node.partner is not None:
            return Kind.DROP_SHIP
        if self._view.collected is not None:
            return Kind.AT_STORE if node.id == self._view.collected else Kind.TO_STORE
        same_day = not zone.days_p90 and self._view.service != PICKUP
        return Kind.SAME_DAY if same_day else Kind.SHIP


class View(NamedTuple):
    """What of a demand decides how it sees the network, but for its destination."""

    service: str
    at: datetime
    due: date | None
    pinned: int | None
    collected: int | None = None

    @classmethod
    def of(cls, demand: Demand) -> "View":
        due = demand.deliver_by.date() if demand.deliver_by is not None else None
        return cls(demand.service, demand.at, due, demand.pinned_node, demand.collected_at)


class Timetable:
    """Departures and deliveries already worked out in this run."""

    __slots__ = ("_arrivals", "_departures", "rates")

    def __init__(self, rates: RateCard) -> None:
        self.rates = rates
        self._departures: dict[tuple[int, str, str, datetime], tuple[Calendar, datetime | None]]
        self._departures = {}
        self._arrivals: dict[tuple[date, int], date] = {}

    def departure(self, node: Node, service: str, at: datetime) -> datetime | None:
        key = (id(node.calendar), node.timezone, service, at)
        known = self._departures.get(key)
        if known is None:
            departs = next_departure(node.calendar, node.timezone, service, at)
            known = self._departures[key] = (node.calendar, departs)
        return known[1]

    def arrival(self, leaves: date, days: int) -> date:
        known = self._arrivals.get((leaves, days))
        if known is None:
            rates = self.rates
            known = add_working_days(leaves, days, rates.carrier_days, rates.carrier_holidays)
            self._arrivals[leaves, days] = known
        return known


def screen(
    demand: Demand,
    rows: Sequence[tuple[int, ...]],
    distances: Sequence[int],
    network: Network,
    stock: Stock,
    policy: Policy,
    unable: Unable = NOTHING,
) -> list[Offer]:
    """One offer per node, in the order given. Soft constraints bar here; the planner lifts them."""
    offers = []
    per_km = 100 * policy.weights.distance_per_km
    for place, (node, row, km) in enumerate(zip(network.nodes, rows, distances, strict=True)):
        rule = network.rules[place]
        if rule is not None:
            offers.append(Offer(node, row, rule, None, node.closed_reason if rule in SHUT else ""))
            continue
        if not any(row):
            lacks = _lacking(place, stock, unable) if unable else ""
            verdict = Verdict.UNABLE if lacks else _without_stock(demand, place, node, stock)
            offers.append(Offer(node, row, verdict, None, lacks))
            continue
        lane = network.lane(place, km)
        if lane is None:
            offers.append(Offer(node, row, Verdict.NO_SERVICE, None, "no_lane", km))
            continue
        barred = lane.barred
        soft = None
        if barred is None and demand.pinned_node is None:
            barred, soft = _barred_by_reach(node, lane, km, policy)
        carbon = half_even(network.carbon * km, CARBON) if network.carbon else 0
        offers.append(
            Offer(
                node,
                row,
                barred,
                soft,
                lane.reason,
                km,
                lane.number,
                lane.zone,
                lane.departs,
                lane.p50,
                lane.p90,
                lane.late,
                lane.opening + per_km * km,
                lane.pick,
                lane.gram + carbon,
                lane.capacity,
                lane.rerouting,
                carbon,
                lane.wait,
                lane.kind,
            )
        )
    return offers


def _barred_by_rule(node: Node, view: View, policy: Policy) -> Verdict | None:
    """What stands in the way before stock or distance is looked at. A pin overrides the network."""
    if view.pinned is not None:
        if node.id != view.pinned:
            return Verdict.PINNED_ELSEWHERE
    elif not policy.admits(node):
        return Verdict.NOT_IN_NETWORK
    if not node.ship_open:
        return _NOT_NOW.get(node.closed_reason, Verdict.NODE_CLOSED)
    if view.service not in node.services:
        return Verdict.NO_SERVICE
    return None


def _lacking(place: int, stock: Stock, unable: Unable) -> str:
    """What keeps the node from sending the goods that it has."""
    return next(
        (
            lacks[place]
            for sku, lacks in unable.items()
            if lacks[place] and stock.column(sku)[place]
        ),
        "",
    )


def _without_stock(demand: Demand, place: int, node: Node, stock: Stock) -> Verdict:
    if demand.excluded:
        for line in demand.lines:
            if (node.id, line.sku) in demand.excluded and stock.column(line.sku)[place]:
                return Verdict.EXCLUDED
    return Verdict.NO_STOCK


def _barred_by_reach(
    node: Node, lane: Lane, km: int, policy: Policy
) -> tuple[Verdict | None, Constraint | None]:
    """Whether the node is ruled out, too far or too late, and what would relax that.

    A constraint that is not soft comes before one that is: lifting the other would not help.
    """
    found: list[tuple[Verdict, Constraint]] = []
    if policy.nodes is not None and node.id not in policy.nodes:
        found.append((Verdict.RULED_OUT, Constraint.NODES))
    if policy.max_km is not None and km > policy.max_km:
        found.append((Verdict.TOO_FAR, Constraint.MAX_KM))
    if lane.overdue:
        found.append((Verdict.LATE, Constraint.ON_TIME))
    if not found:
        return None, None
    for barred, constraint in found:
        if constraint not in policy.soft:
            return barred, None
    return found[0]
