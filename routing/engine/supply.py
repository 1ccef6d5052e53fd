"""What each node can still give, while a run of demands is planned one after another."""

from collections.abc import Mapping, Sequence

from routing.engine.types import Node

NOTHING: Mapping[int, int] = {}


class Supply:
    """Executable units by (node id, SKU id), net of what is reserved, buffered or short."""

    __slots__ = ("_by_sku", "_owned")

    def __init__(self, units: Mapping[tuple[int, int], int]) -> None:
        by_sku: dict[int, dict[int, int]] = {}
        for (node, sku), available in units.items():
            if available > 0:
                by_sku.setdefault(sku, {})[node] = available
        self._by_sku = by_sku
        self._owned = set(by_sku)

    @classmethod
    def by_sku(cls, units: Mapping[int, Mapping[int, int]]) -> "Supply":
        """From units by SKU and node id."""
        made = cls({})
        for sku, by_node in units.items():
            if held := {node: available for node, available in by_node.items() if available > 0}:
                made._by_sku[sku] = held
                made._owned.add(sku)
        return made

    def available(self, node: int, sku: int) -> int:
        return self._by_sku.get(sku, NOTHING).get(node, 0)

    def holders(self, sku: int) -> Mapping[int, int]:
        """Units by node id, only of nodes that have any."""
        return self._by_sku.get(sku, NOTHING)

    def take(self, node: int, sku: int, units: int) -> None:
        """Make the units unavailable to later demands. Raises ValueError beyond what is there."""
        left = self.available(node, sku) - units
        if units < 0 or left < 0:
            message = f"cannot take {units} of SKU {sku} at node {node}"
            raise ValueError(message)
        if sku not in self._owned:
            self._by_sku[sku] = dict(self._by_sku[sku])
            self._owned.add(sku)
        if left:
            self._by_sku[sku][node] = left
        else:
            self._by_sku[sku].pop(node, None)


class Stock:
    """The supply while one run is planned: units by SKU, in the order of the run's nodes.

    A column that was handed out never changes: what takes from it makes another.
    """

    __slots__ = ("_columns", "_node_ids", "_supply")

    def __init__(self, supply: Supply, nodes: Sequence[Node]) -> None:
        self._supply = supply
        self._node_ids = [node.id for node in nodes]
        self._columns: dict[int, list[int]] = {}

    def column(self, sku: int) -> list[int]:
        known = self._columns.get(sku)
        if known is None:
            held = self._supply.holders(sku)
            known = self._columns[sku] = [held.get(node_id, 0) for node_id in self._node_ids]
        return known

    def take(self, place: int, sku: int, units: int) -> None:
        """Make the units unavailable to later demands. Raises ValueError beyond what is there."""
        column = self._columns[sku] = self.column(sku).copy()
        if units < 0 or units > column[place]:
            message = f"cannot take {units} of SKU {sku} at node {self._node_ids[place]}"
            raise ValueError(message)
        column[place] -= units

    def give(self, place: int, sku: int, units: int) -> None:
        """Make units available again."""
        column = self._columns[sku] = self.column(sku).copy()
        column[place] += units
