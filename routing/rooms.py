"""How much more nodes can do: none beyond a hard limit, later beyond any other. Read once per batch."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

import inventory.selectors
from inventory.types import WindowView
from routing import engine
from routing.reference import Network

SHIP, PICKUP = "ship", "pickup"
COUNTED = ("orders", "parcels")
"""Resources of which a parcel takes one."""

Key = tuple[int, str]
"""(node id, function)."""

Ahead = tuple[tuple[WindowView, ...], ...]
"""By resource, the windows that are open or come."""

NOTHING_SAID: Mapping[tuple[int, str], datetime] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rooms:
    """By node and function, the windows whose limit must not be passed, as they stand.

    `full_until` is when those begin more whose other limits are reached.
    """

    windows: Mapping[tuple[int, str], tuple[WindowView, ...]] = field(default_factory=dict)
    full_until: Mapping[tuple[int, str], datetime] = field(default_factory=dict)
    said_full: frozenset[tuple[int, str]] = frozenset()
    """Nodes that say themselves that they can do no more."""

    paced: Mapping[Key, Ahead] = field(default_factory=dict)
    """By node and function, the windows from `at` on of each resource whose limit may be passed."""

    at: datetime | None = None

    def open_nodes(self, network: Network, function: str) -> tuple[engine.Node, ...]:
        """The network's nodes for a function; one that has reached a hard limit takes nothing.

        One that has reached another begins with more once a window has room, backlog first.
        """
        nodes = network.pickup if function == PICKUP else network.shipping
        if not network.limits and not self.full_until and not self.said_full:
            return nodes
        return tuple(self._as_it_is(network, node, function) for node in nodes)

    def _as_it_is(self, network: Network, node: engine.Node, function: str) -> engine.Node:
        if node.ship_open and self._is_full(network, node.id, function):
            return replace(node, ship_open=False, closed_reason=engine.FULL)
        until = self.full_until.get((node.id, function))
        if until is None:
            return node
        return replace(node, calendar=replace(node.calendar, full_until=until))

    def waits_of(self, function: str) -> dict[int, str]:
        """By node, when those begin with more that have reached a limit that may be passed."""
        return {
            node_id: until.isoformat()
            for (node_id, asked), until in self.full_until.items()
            if asked == function
        }

    def parcels_left(self, function: str) -> dict[int, int]:
        """By node with a limit of orders or parcels, how many more its windows of now can do.

        Below zero where they have more than they can do.
        """
        left: dict[int, int] = {}
        open_now = [*self.windows.items()]
        open_now += [(key, tuple(ahead[0] for ahead in known)) for key, known in self.paced.items()]
        for (node_id, asked), windows in open_now:
            for window in windows if asked == function else ():
                if window.resource in COUNTED:
                    free = window.most - window.taken
                    left[node_id] = min(left.get(node_id, free), free)
        return left

    def ids(self, node_id: int, function: str) -> tuple[int, ...]:
        """The windows that work at the node counts against."""
        return tuple(window.id for window in self.windows.get((node_id, function), ()))

    def _is_full(self, network: Network, node_id: int, function: str) -> bool:
        """A limit without an open window cannot be kept: nothing is taken from it."""
        if (node_id, function) in self.said_full:
            return True
        limits = network.limits.get((node_id, function), 0)
        known = self.windows.get((node_id, function), ())
        return len(known) < limits or any(not window.left for window in known)


def read_rooms(
    networks: Iterable[Network],
    at: datetime,
    said: Mapping[tuple[int, str], datetime] = NOTHING_SAID,
) -> Rooms:
    """A statement for each of the two kinds of limits, and none while no node has one of the kind.

    `said` is until when nodes themselves say that they can do no more.
    """
    known = list(networks)
    limited = sorted({node_id for network in known for node_id, _ in network.limits})
    paced = sorted({node_id for network in known for node_id in network.paced})
    ahead = inventory.selectors.paced_windows(paced, at) if paced else {}
    begin = {key: _begins(resources, {}, at) for key, resources in ahead.items()}
    return Rooms(
        inventory.selectors.current_windows(limited, at, hard=True) if limited else {},
        {key: until for key, until in begin.items() if until is not None},
        frozenset(key for key, until in said.items() if until > at),
        ahead,
        at,
    )


@dataclass(slots=True)
class Pace:
    """Rooms while demands are planned one after another: what passes a limit makes the next one wait."""

    rooms: Rooms
    _given: dict[Key, Counter[str]] = field(default_factory=dict)

    def passes(self, function: str, plan: engine.Plan) -> bool:
        """Count what the plan gives to nodes; whether one of them begins with more later than before."""
        rooms = self.rooms
        if rooms.at is None or not rooms.paced:
            return False
        later: dict[Key, datetime] = {}
        for key in {(given.node, function) for given in plan.assignments} & rooms.paced.keys():
            work = self._given.setdefault(key, Counter())
            units = [given.quantity for given in plan.assignments if given.node == key[0]]
            work.update(orders=1, parcels=1, lines=len(units), units=sum(units))
            until = _begins(rooms.paced[key], work, rooms.at)
            if until is not None and until != rooms.full_until.get(key):
                later[key] = until
        if later:
            self.rooms = replace(rooms, full_until={**rooms.full_until, **later})
        return bool(later)


def _begins(resources: Ahead, given: Mapping[str, int], at: datetime) -> datetime | None:
    """When a node begins with more that is `given` so much besides, by resource; None: at once."""
    rooms = [_first_room(known, given.get(known[0].resource, 0)) for known in resources]
    return max((until for until in rooms if until is not None and until > at), default=None)


def _first_room(windows: Iterable[WindowView], over: int) -> datetime | None:
    """When the first of these windows begins that is not filled by what comes before.

    What a window cannot do enters the next one before anything new, so that the backlog comes first.
    Where all that are opened are full, it is when the last of them ends; None is at once.
    """
    last = None
    for place, window in enumerate(windows):
        load = window.taken + over
        if load < window.most:
            return window.starts_at if place else None
        over, last = load - window.most, window.ends_at
    return last
