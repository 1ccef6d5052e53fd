"""How far a fulfillment order has come, folded from the quantities of its lines. Pure."""

from collections.abc import Iterable
from dataclasses import fields

from fulfillment.states import FulfillmentState
from fulfillment.types import LineCounts

_ORDER = (
    FulfillmentState.RELEASED,
    FulfillmentState.ACKNOWLEDGED,
    FulfillmentState.PICKING,
    FulfillmentState.PACKED,
)


def total(lines: Iterable[LineCounts]) -> LineCounts:
    """Sum the quantities of several lines."""
    rows = list(lines)
    return LineCounts(
        **{f.name: sum(getattr(row, f.name) for row in rows) for f in fields(LineCounts)}
    )


def fold(
    units: LineCounts, now: FulfillmentState, *, pickup: bool, journeys_over: bool = False
) -> FulfillmentState:
    """The state that these units give an order which is `now` in that state.

    `journeys_over` says that every parcel that left has ended its way. Work never seems to go
    back because part of it was cancelled; it goes back only from packed, when a parcel is opened.
    """
    if now is FulfillmentState.EXPIRED:
        return now if not units.collected or units.packed else FulfillmentState.COLLECTED
    live = units.waiting + units.accepted + units.picked + units.packed
    if not live:
        return _ended(units, now, journeys_over=journeys_over)
    if units.packed == live:
        return FulfillmentState.READY_FOR_PICKUP if pickup else FulfillmentState.PACKED
    begun = min(now, FulfillmentState.PICKING, key=_rank)
    return max(begun, _reached(units), key=_rank)


def _ended(units: LineCounts, now: FulfillmentState, *, journeys_over: bool) -> FulfillmentState:
    if units.shipped:
        return FulfillmentState.COMPLETED if journeys_over else FulfillmentState.SHIPPED
    if units.collected:
        return FulfillmentState.COLLECTED
    return FulfillmentState.CANCELLED


def _reached(units: LineCounts) -> FulfillmentState:
    """An answer of any kind acknowledges; whoever found a unit, or none, has been at the shelf."""
    if units.picked or units.packed or units.shipped or units.collected or units.short:
        return FulfillmentState.PICKING
    if units.accepted or units.rejected:
        return FulfillmentState.ACKNOWLEDGED
    return FulfillmentState.RELEASED


def _rank(state: FulfillmentState) -> int:
    return _ORDER.index(state) if state in _ORDER else _ORDER.index(FulfillmentState.PICKING)
