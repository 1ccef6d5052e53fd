"""When parcels of demands leave and arrive, and what that costs: worked out once, and kept."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple, Self

from routing.engine.calendar import add_working_days, departure_until, local_date
from routing.engine.geo import Origins
from routing.engine.results import Kind, Verdict
from routing.engine.types import (
    ANY_SERVICE,
    FULL,
    PAUSED,
    Calendar,
    Demand,
    Node,
    Policy,
    RateCard,
    Zone,
)

NOT_NOW = {PAUSED: Verdict.NODE_PAUSED, FULL: Verdict.CAPACITY}
"""What is said of a node that will take work again; any other reason reads as closed."""


class Lane(NamedTuple):
    """From one node into one zone: when a parcel moves, and its price in points but for distance.

    `late` is the days late at P50 and at P90 added together: half of it is the expected lateness.
    `wait` are the days until the delivery, added in the same way.
    `overdue` says that the policy wants deliveries on time and this one is not. `rerouting` is minor
    units of the opening. What a price book asks for room on the day it `leaves` comes on top.
    """

    barred: Verdict | None
    reason: str
    number: int
    zone: Zone
    departs: datetime | None
    leaves: date | None
    p50: date | None
    p90: date | None
    late: int
    overdue: bool
    opening: int
    pick: int
    gram: int
    rerouting: int
    wait: int
    kind: Kind


class View(NamedTuple):
    """What of a demand decides how it sees the network, but for its destination."""

    service: str
    at: datetime
    due: date | None
    pinned: int | None
    collected: int | None = None

    @classmethod
    def of(cls, demand: Demand) -> Self:
        due = demand.deliver_by.date() if demand.deliver_by is not None else None
        return cls(demand.service, demand.at, due, demand.pinned_node, demand.collected_at)


Kept = dict[tuple[int, int], tuple[Node, datetime | None, Lane]]
"""Lanes by node and ring, each with its departure: it holds until the node's next one is another."""

MOST_KEPT = 16
MOST_STEPS = 4_096
"""So many kinds of lanes, and so many calendars, a timetable knows at a time."""


class Step:
    """A departure: what comes after the first instant and before the second has it, and the first."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: tuple[datetime, datetime, datetime | None] | None = None


class Ground:
    """Nodes in the order that decides between equals, and what follows from the nodes alone."""

    __slots__ = ("_rules", "nodes", "ordered", "origins")

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.ordered = sorted(nodes, key=lambda node: (node.priority, node.code))
        self.origins = Origins([node.place for node in self.ordered])
        self._rules: dict[object, list[Verdict | None]] = {}

    def rules(self, view: View, policy: Policy) -> list[Verdict | None]:
        """What stands in each node's way by such a view and policy."""
        key = (view.service, view.pinned, policy.groups)
        known = self._rules.get(key)
        if known is None:
            if len(self._rules) >= MOST_KEPT:
                self._rules = {}
            known = [barred_by_rule(node, view, policy) for node in self.ordered]
            self._rules[key] = known
        return known


class Timetable:
    """Departures, deliveries and lanes already worked out under one rate card.

    Whoever plans again and again under the same rates may keep one: what it says never changes.
    """

    __slots__ = ("_alike", "_arrivals", "_dates", "_ground", "_lanes", "_steps", "rates")

    def __init__(self, rates: RateCard) -> None:
        self.rates = rates
        self._steps: dict[tuple[int, str, str], tuple[Calendar, Step]] = {}
        self._alike: dict[object, Step] = {}
        self._arrivals: dict[tuple[date, int], date] = {}
        self._dates: dict[tuple[datetime, str], date] = {}
        self._lanes: dict[object, Kept] = {}
        self._ground: Ground | None = None

    def ground(self, nodes: Sequence[Node]) -> Ground:
        """The nodes in their order; the same tuple is not put in order again."""
        known = self._ground
        if known is None or known.nodes is not nodes:
            known = Ground(nodes)
            if isinstance(nodes, tuple):
                self._ground = known
        return known

    def departure(self, node: Node, service: str, at: datetime) -> datetime | None:
        calendar, timezone = node.calendar, node.timezone
        found = self._steps.get((id(calendar), timezone, service))
        step = self._step(calendar, timezone, service) if found is None else found[1]
        known = step.known
        if known is None or (at != known[0] and not known[0] < at < known[1]):
            departs, until = departure_until(calendar, timezone, service, at)
            known = step.known = (at, until, departs)
        return known[2]

    def _step(self, calendar: Calendar, timezone: str, service: str) -> Step:
        """Calendars that say the same have the same departures."""
        if len(self._steps) >= MOST_STEPS:
            self._steps, self._alike, self._dates = {}, {}, {}
        if calendar.special:
            step = Step()
        else:
            said = (
                calendar.hours,
                calendar.cutoffs.get(service) or calendar.cutoffs.get(ANY_SERVICE),
                calendar.holidays,
                calendar.processing_minutes,
                calendar.full_until,
                timezone,
            )
            known = self._alike.get(said)
            step = self._alike[said] = Step() if known is None else known
        self._steps[id(calendar), timezone, service] = (calendar, step)
        return step

    def leaves(self, departs: datetime, timezone: str) -> date:
        """The date of a departure on the wall of its node."""
        known = self._dates.get((departs, timezone))
        if known is None:
            known = self._dates[departs, timezone] = local_date(departs, timezone)
        return known

    def arrival(self, leaves: date, days: int) -> date:
        known = self._arrivals.get((leaves, days))
        if known is None:
            rates = self.rates
            known = add_working_days(leaves, days, rates.carrier_days, rates.carrier_holidays)
            self._arrivals[leaves, days] = known
        return known

    def lanes(self, view: View, policy: Policy) -> Kept:
        """Lanes that such demands have in common. Where each day's wait counts they have none."""
        if policy.weights.day:
            return {}
        key = (policy.weights, policy.on_time, view.service, view.due, view.collected)
        known = self._lanes.get(key)
        if known is None:
            for oldest in list(self._lanes)[: max(0, len(self._lanes) + 1 - MOST_KEPT)]:
                self._lanes.pop(oldest, None)
            known = self._lanes[key] = {}
        return known


def barred_by_rule(node: Node, view: View, policy: Policy) -> Verdict | None:
    """What stands in the way before stock or distance is looked at. A pin overrides the network."""
    if view.pinned is not None:
        if node.id != view.pinned:
            return Verdict.PINNED_ELSEWHERE
    elif not policy.admits(node):
        return Verdict.NOT_IN_NETWORK
    if not node.ship_open:
        return NOT_NOW.get(node.closed_reason, Verdict.NODE_CLOSED)
    if view.service not in node.services:
        return Verdict.NO_SERVICE
    return None
