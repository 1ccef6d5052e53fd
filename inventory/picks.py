"""The decision port that knows what lies picked at a node. Fulfillment answers from the database."""

from collections.abc import Callable, Mapping

UnitsAside = Callable[[int], Mapping[int, int]]
_asked: list[UnitsAside] = []


def register(units_aside: UnitsAside) -> None:
    """Say who knows the units by SKU that lie picked or packed at a node; from `ready()`."""
    _asked[:] = [units_aside]


def units_aside(node_id: int) -> Mapping[int, int]:
    """Units by SKU that are on their way out and in the node's book still; none when nobody knows."""
    return _asked[0](node_id) if _asked else {}
