"""Why a node's figure and the book probably differ. Pure."""

from collections.abc import Iterable
from typing import Final, TypeVar

from inventory.states import DifferenceCause as Cause
from inventory.states import MovementKind
from inventory.types import Evidence

_CAME_IN: Final = frozenset({MovementKind.RECEIPT.value, MovementKind.RETURN.value})
UNEXPLAINED: Final = frozenset({Cause.LOST, Cause.FOUND, Cause.UNTOLD_SALE})
"""Causes that say no more than which way it went: a neighbour that differs as much explains them."""
K = TypeVar("K")


def is_in_flight(units: int, seen: Evidence) -> Cause | None:
    """Whether the difference settles by itself: what moves just now, or lies picked."""
    if seen.just_moved and units == -seen.just_moved:
        return Cause.MOVING
    if units < 0 and seen.picked and -units <= seen.picked:
        return Cause.LEAVING
    return None


def probable_cause(units: int, ours: int, theirs: int, seen: Evidence) -> Cause:
    """The likeliest cause of a difference that does not settle by itself; `theirs − ours = units`.

    The order is that of how much each sign says: exact sums first, then open work, then nothing.
    """
    if not seen.listed:
        return Cause.UNLISTED
    if units > 0:
        return _why_more(units, ours, theirs, seen)
    if seen.committed and -units <= seen.committed:
        return Cause.UNPOSTED_SHIPMENT
    return Cause.UNTOLD_SALE if seen.is_store else Cause.LOST


def _why_more(units: int, ours: int, theirs: int, seen: Evidence) -> Cause:
    if _CAME_IN & set(seen.same_moves) or (ours and theirs == 2 * ours):
        return Cause.COUNTED_TWICE
    if seen.inbound and units <= seen.inbound:
        return Cause.UNBOOKED_RECEIPT
    return Cause.FOUND


def pairs(gaps: Iterable[tuple[K, int]]) -> dict[K, K]:
    """Lines that differ by as many units each way; each is in one pair at most."""
    waiting: dict[int, list[K]] = {}
    found: dict[K, K] = {}
    for name, units in gaps:
        if waiting.get(-units):
            other = waiting[-units].pop(0)
            found[name], found[other] = other, name
        else:
            waiting.setdefault(units, []).append(name)
    return found
