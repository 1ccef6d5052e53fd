"""What each node can still give, while a run of demands is planned one after another."""

from collections.abc import Mapping

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

    def fork(self) -> "Supply":
        """A copy whose takings this one does not see. A SKU's row is copied when first taken."""
        copy = Supply.__new__(Supply)
        copy._by_sku = dict(self._by_sku)
        copy._owned = set()
        return copy
