"""Which nodes may ship a demand, and what each would charge and take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from routing.engine.calendar import add_working_days, local_date, next_departure
from routing.engine.geo import distances_km
from routing.engine.results import CostParts, Verdict
from routing.engine.supply import Supply
from routing.engine.types import (
    PAUSED,
    Calendar,
    Constraint,
    Demand,
    Line,
    Node,
    Policy,
    RateCard,
    Weights,
    Zone,
)

MILLI = 1_000
POINTS = 100_000
"""Points in a minor unit: thousandths, times the hundred of a percent weight."""


def half_even(amount: int, divisor: int) -> int:
    """The quotient, rounded half to even."""
    whole, rest = divmod(amount, divisor)
    twice = 2 * rest
    return whole + (twice > divisor or (twice == divisor and whole % 2 == 1))


@dataclass(slots=True)
class Offer:
    """A node seen from one demand. `barred` is why it may not ship, `soft` what would relax that.

    `late` is the days late at P50 and at P90 added together: half of it is the expected lateness.
    """

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

    def price(self, weights: Weights) -> None:
        """Work out what the objective makes of a parcel from here."""
        percent = weights.cost_percent
        base, per_kg = (self.zone.base, self.zone.per_kg) if self.zone else (0, 0)
        self.opening = (
            percent * MILLI * (base + self.node.handling_cost)
            + 100 * weights.distance_per_km * self.km
            + weights.late_day * POINTS // 2 * self.late
        )
        self.pick = percent * self.node.pick_cost * MILLI
        self.gram = percent * per_kg

    def parcel(self, weights: Weights, units: int, grams: int) -> CostParts:
        """The invoice of one parcel with this many units and grams in it."""
        zone = self.zone
        freight = half_even(zone.base * MILLI + zone.per_kg * grams, MILLI) if zone else 0
        points = self.opening + self.pick * units + self.gram * grams
        return CostParts(
            freight,
            self.node.handling_cost,
            self.node.pick_cost * units,
            0,
            0,
            half_even(weights.distance_per_km * self.km, MILLI),
            half_even(weights.late_day * self.late, 2),
            half_even(points, POINTS),
        )


class Timetable:
    """Departures and deliveries already worked out in this run."""

    __slots__ = ("_arrivals", "_departures", "_rates")

    def __init__(self, rates: RateCard) -> None:
        self._rates = rates
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
            rates = self._rates
            known = add_working_days(leaves, days, rates.carrier_days, rates.carrier_holidays)
            self._arrivals[leaves, days] = known
        return known


def stock_rows(
    lines: Sequence[Line], nodes: Sequence[Node], usable: dict[int, list[int]]
) -> list[tuple[int, ...]]:
    """Per node, the units that it could give each line; lines of one SKU are served in order."""
    claimed: dict[int, int] = {}
    columns: list[list[int]] = []
    for line in lines:
        wanted, before = line.quantity, claimed.get(line.sku, 0)
        claimed[line.sku] = before + wanted
        units = usable[line.sku]
        if before:
            columns.append([min(max(u - before, 0), wanted) for u in units])
        else:
            columns.append([min(wanted, u) for u in units])
    return list(zip(*columns, strict=True)) if columns else [() for _ in nodes]


def usable_units(demand: Demand, nodes: Sequence[Node], supply: Supply) -> dict[int, list[int]]:
    """By SKU, the units at each node that the demand is not excluded from."""
    usable: dict[int, list[int]] = {}
    for line in demand.lines:
        if line.sku not in usable:
            held = supply.holders(line.sku)
            usable[line.sku] = [held.get(node.id, 0) for node in nodes]
    if demand.excluded:
        for place, node in enumerate(nodes):
            for sku, units in usable.items():
                if units[place] and (node.id, sku) in demand.excluded:
                    units[place] = 0
    return usable


def screen(
    demand: Demand,
    nodes: Sequence[Node],
    rows: Sequence[tuple[int, ...]],
    supply: Supply,
    rates: RateCard,
    policy: Policy,
    timetable: Timetable,
) -> list[Offer]:
    """One offer per node, in the order given. Soft constraints bar here; the planner lifts them."""
    offers = []
    near = []
    for node, row in zip(nodes, rows, strict=True):
        offer = Offer(node, row)
        offer.barred = _barred_by_rule(demand, node, policy)
        if offer.barred in (Verdict.NODE_CLOSED, Verdict.NODE_PAUSED):
            offer.reason = node.closed_reason
        if offer.barred is None:
            if any(row):
                near.append(offer)
            else:
                offer.barred = _without_stock(demand, node, supply)
        offers.append(offer)
    zones = rates.zones.get(demand.service, ())
    places = [offer.node.place for offer in near]
    for offer, km in zip(near, distances_km(places, demand.destination), strict=True):
        offer.km = km
        _place(offer, zones)
        if offer.barred is None:
            _schedule(offer, demand, timetable)
            offer.price(policy.weights)
        if offer.barred is None and demand.pinned_node is None:
            _bar_by_reach(offer, demand, policy)
    return offers


def _barred_by_rule(demand: Demand, node: Node, policy: Policy) -> Verdict | None:
    """What stands in the way before stock or distance is looked at. A pin overrides the network."""
    if demand.pinned_node is not None:
        if node.id != demand.pinned_node:
            return Verdict.PINNED_ELSEWHERE
    elif not policy.admits(node):
        return Verdict.NOT_IN_NETWORK
    if not node.ship_open:
        return Verdict.NODE_PAUSED if node.closed_reason == PAUSED else Verdict.NODE_CLOSED
    if demand.service not in node.services:
        return Verdict.NO_SERVICE
    return None


def _without_stock(demand: Demand, node: Node, supply: Supply) -> Verdict:
    for line in demand.lines:
        if (node.id, line.sku) in demand.excluded and supply.available(node.id, line.sku):
            return Verdict.EXCLUDED
    return Verdict.NO_STOCK


def _place(offer: Offer, zones: Sequence[Zone]) -> None:
    for number, zone in enumerate(zones, start=1):
        if offer.km <= zone.max_km:
            offer.zone, offer.zone_number = zone, number
            return
    offer.barred = Verdict.NO_SERVICE
    offer.reason = "no_lane"


def _schedule(offer: Offer, demand: Demand, timetable: Timetable) -> None:
    departs = timetable.departure(offer.node, demand.service, demand.at)
    if departs is None or offer.zone is None:
        offer.barred = Verdict.NO_SERVICE
        offer.reason = "no_departure"
        return
    leaves = local_date(departs, offer.node.timezone)
    offer.departs = departs
    offer.p50 = timetable.arrival(leaves, offer.zone.days_p50)
    offer.p90 = timetable.arrival(leaves, offer.zone.days_p90)
    if demand.deliver_by is not None:
        due = demand.deliver_by.date()
        offer.late = max(0, (offer.p50 - due).days) + max(0, (offer.p90 - due).days)


def _bar_by_reach(offer: Offer, demand: Demand, policy: Policy) -> None:
    if policy.max_km is not None and offer.km > policy.max_km:
        offer.barred = Verdict.TOO_FAR
        constraint = Constraint.MAX_KM
    elif (
        policy.on_time
        and demand.deliver_by is not None
        and offer.p90 is not None
        and offer.p90 > demand.deliver_by.date()
    ):
        offer.barred = Verdict.LATE
        constraint = Constraint.ON_TIME
    else:
        return
    if constraint in policy.soft:
        offer.soft = constraint
