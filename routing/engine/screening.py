"""Which nodes may ship a demand, and what each would charge and take."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from routing.engine.calendar import after_working_days, local_date
from routing.engine.prices import PriceBook
from routing.engine.results import CostParts, Kind, Verdict
from routing.engine.supply import Stock
from routing.engine.timetable import Lane, Timetable, View, barred_by_rule
from routing.engine.types import (
    PICKUP,
    Constraint,
    Demand,
    Node,
    Policy,
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

SHUT = frozenset({Verdict.NODE_CLOSED, Verdict.NODE_PAUSED})
"""Verdicts of which the node itself says why."""


def half_even(amount: int, divisor: int) -> int:
    """The quotient, rounded half to even."""
    whole, rest = divmod(amount, divisor)
    twice = 2 * rest
    return whole + (twice > divisor or (twice == divisor and whole % 2 == 1))


class Offer(NamedTuple):
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
        "_kept",
        "_lanes",
        "_policy",
        "_reaches",
        "_timetable",
        "_view",
        "_zones",
        "book",
        "carbon",
        "nodes",
        "rules",
    )

    def __init__(
        self,
        nodes: Sequence[Node],
        policy: Policy,
        view: View,
        timetable: Timetable,
        book: PriceBook | None = None,
        rules: list[Verdict | None] | None = None,
    ) -> None:
        self.nodes = nodes
        self.book = book
        self.carbon = policy.weights.carbon_tonne * timetable.rates.carbon_grams
        self._policy = policy
        self._view = view
        self._timetable = timetable
        self._zones = timetable.rates.zones.get(view.service, ())
        self._reaches = [zone.max_km for zone in self._zones]
        self._lanes: list[list[Lane | None] | None] = [None] * len(nodes)
        self._kept = timetable.lanes(view, policy)
        self.rules = rules or [barred_by_rule(node, view, policy) for node in nodes]

    def lane(self, place: int, km: int) -> Lane | None:
        """The lane from the node at this place to a destination so far away; None beyond all."""
        node = self.nodes[place]
        if node.id == self._view.collected:
            return self._worked_out(node, AT_HAND, 0, self._departure(node))
        number = bisect_left(self._reaches, km)
        if number == len(self._reaches):
            return None
        row = self._lanes[place]
        if row is None:
            row = self._lanes[place] = [None] * len(self._zones)
        known = row[number]
        if known is None:
            known = row[number] = self._of_zone(node, number)
        return known

    def _of_zone(self, node: Node, number: int) -> Lane:
        """A lane with the same departure is the same, whenever it was worked out."""
        departs = self._departure(node)
        kept = self._kept.get((id(node), number))
        if kept is not None and kept[1] == departs:
            return kept[2]
        lane = self._worked_out(node, self._zones[number], number + 1, departs)
        self._kept[id(node), number] = (node, departs, lane)
        return lane

    def _departure(self, node: Node) -> datetime | None:
        begun = self._view.at
        if node.partner is not None:
            lead = node.partner.lead_days
            begun = after_working_days(node.calendar, node.timezone, begun, lead)
        return self._timetable.departure(node, self._view.service, begun)

    def _worked_out(self, node: Node, zone: Zone, number: int, departs: datetime | None) -> Lane:
        due, weights = self._view.due, self._policy.weights
        leaves = p50 = p90 = None
        late = wait = 0
        if departs is not None:
            leaves = self._timetable.leaves(departs, node.timezone)
            days_p50, days_p90 = self._timetable.rates.days(
                node.id, self._view.service, zone, leaves.weekday()
            )
            p50 = self._timetable.arrival(leaves, days_p50)
            p90 = self._timetable.arrival(leaves, days_p90)
            if due is not None:
                late = (p50 - due).days if p50 > due else 0
                late += (p90 - due).days if p90 > due else 0
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
            leaves,
            p50,
            p90,
            late,
            self._policy.on_time and due is not None and p90 is not None and p90 > due,
            percent * MILLI * (zone.base + node.handling_cost)
            + weights.late_day * POINTS // 2 * late
            + weights.day * POINTS // 2 * wait
            + POINTS * rerouting,
            percent * node.pick_cost * MILLI,
            percent * zone.per_kg,
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
        capacity = 0
        if network.book is not None and lane.leaves is not None:
            capacity = network.book.parcel(node.id, lane.leaves)
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
                lane.opening + per_km * km + POINTS * capacity,
                lane.pick,
                lane.gram + carbon,
                capacity,
                lane.rerouting,
                carbon,
                lane.wait,
                lane.kind,
            )
        )
    return offers


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
