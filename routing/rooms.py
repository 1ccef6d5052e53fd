"""How much more nodes may be given where a limit must not be passed: read once per batch."""

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
    """By node and function, the windows whose limit must not be passed, as they stand."""

    windows: Mapping[tuple[int, str], tuple[WindowView, ...]] = field(default_factory=dict)

    def open_nodes(self, network: Network, function: str) -> tuple[engine.Node, ...]:
        """The network's nodes for a function; one that has reached a limit takes nothing."""
        nodes = network.pickup if function == PICKUP else network.shipping
        if not network.limits:
            return nodes
        return tuple(
            replace(node, ship_open=False, closed_reason=engine.FULL)
            if node.ship_open and self._is_full(network, node.id, function)
            else node
            for node in nodes
        )

    def ids(self, node_id: int, function: str) -> tuple[int, ...]:
        """The windows that work at the node counts against."""
        return tuple(window.id for window in self.windows.get((node_id, function), ()))

    def _is_full(self, network: Network, node_id: int, function: str) -> bool:
        """A limit without an open window cannot be kept: nothing is taken from it."""
        limits = network.limits.get((node_id, function), 0)
        known = self.windows.get((node_id, function), ())
        return len(known) < limits or any(not window.left for window in known)


def read_rooms(networks: Iterable[Network], at: datetime) -> Rooms:
    """One statement, and none while no node has such a limit."""
    limited = sorted({node_id for network in networks for node_id, _ in network.limits})
    if not limited:
        return Rooms()
    return Rooms(inventory.selectors.current_windows(limited, at, hard=True))
