"""What apps above orders show with one order: told at start-up, asked when the order is read."""

from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import UUID

Reader: TypeAlias = Callable[[UUID], Any]
"""Given an order's id, its part of the answer as JSON values. The caller may see the order."""

_readers: dict[str, Reader] = {}


def declare(name: str, reader: Reader) -> None:
    """Tell once who shows the part of this name. Raises ValueError for a name used twice."""
    if name in _readers:
        raise ValueError(f"{name} is declared twice")
    _readers[name] = reader


def parts_of(order_id: UUID) -> dict[str, Any]:
    """Every part of the order by name."""
    return {name: reader(order_id) for name, reader in _readers.items()}
