"""The decision port through which supply learns what is sold and has no place yet. Orders implement it.

Units that a buyer has bought and no node has reserved are no longer for sale, although no position
says so. The implementation reads and returns values, within the caller's transaction.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID


class Demand(Protocol):
    """What orders want of supply beyond what they have reserved."""

    def unplaced(self, sku_ids: Collection[int] | None) -> Mapping[int, int]:
        """Units of open orders that no node has yet, by SKU; of all SKUs for None. One statement."""

    def newest(self, channel_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        """The id of each channel's newest order; a channel without any is absent. One statement."""


_registered: list[Demand] = []


def register(implementation: Demand) -> None:
    """Called once, from the upper app's `ready()`."""
    if _registered:
        raise ValueError("demand is registered twice")
    _registered.append(implementation)


@contextmanager
def replaced(implementation: Demand) -> Iterator[None]:
    """Use another implementation for a while: a test's."""
    before = list(_registered)
    _registered[:] = [implementation]
    try:
        yield
    finally:
        _registered[:] = before


def demand() -> Demand:
    """The registered implementation. Raises LookupError when no app has registered one."""
    if not _registered:
        raise LookupError("no demand is registered")
    return _registered[0]
