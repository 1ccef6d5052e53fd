"""How much more nodes can do: none beyond a hard limit, later beyond any other. Read once per batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import inventory.selectors
from inventory.types import WindowView
from routing import engine
from routing.reference import Network

SHIP, PICKUP = "ship", "pickup"


@dataclass(frozen=True, slots=True)
class Rooms:
    """By node and function, the windows whose limit must not be passed, as they stand.

    `full_until` is when those begin more whose other limits are reached.
    """

    windows: Mapping[tuple[int, str], tuple[WindowView, ...]] = field(default_factory=dict)
    full_until: Mapping[tuple[int, str], datetime] = field(default_factory=dict)

    def open_nodes(self, network: Network, function: str) -> tuple[engine.Node, ...]:
        """The network's nodes for a function; one that has reached a hard limit takes nothing.

        One that has reached another begins with more once a window has room, backlog first.
        """
        nodes = network.pickup if function == PICKUP else network.shipping
        if not network.limits and not self.full_until:
            return nodes
        return tuple(self._as_it_is(network, node, function) for node in nodes)

    def _as_it_is(self, network: Network, node: engine.Node, function: str) -> engine.Node:
        if node.ship_open and self._is_full(network, node.id, function):
            return replace(node, ship_open=False, closed_reason=engine.FULL)
        until = self.full_until.get((node.id, function))
        if until is None:
            return node
        return replace(node, calendar=replace(node.calendar, full_until=until))

    def ids(self, node_id: int, function: str) -> tuple[int, ...]:
        """The windows that work at the node counts against."""
        return tuple(window.id for window in self.windows.get((node_id, function), ()))

    def _is_full(self, network: Network, node_id: int, function: str) -> bool:
        """A limit without an open window cannot be kept: nothing is taken from it."""
        limits = network.limits.get((node_id, function), 0)
        known = self.windows.get((node_id, function), ())
        return len(known) < limits or any(not window.left for window in known)


def read_rooms(networks: Iterable[Network], at: datetime) -> Rooms:
    """A statement for each of the two kinds of limits, and none while no node has one of the kind."""
    known = list(networks)
    limited = sorted({node_id for network in known for node_id, _ in network.limits})
    paced = sorted({node_id for network in known for node_id in network.paced})
    return Rooms(
        inventory.selectors.current_windows(limited, at, hard=True) if limited else {},
        inventory.selectors.full_until(paced, at) if paced else {},
    )
