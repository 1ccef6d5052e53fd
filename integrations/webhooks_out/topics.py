"""What integrators can hear of: the topics that go out, and how an endpoint names them. Pure."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

TOPICS: Final = (
    "order.captured",
    "order.accepted",
    "order.held",
    "order.hold_released",
    "order.backordered",
    "order.replanned",
    "order.resourced",
    "order.address_corrected",
    "order.units_cancelled",
    "order.cancelled",
    "order.shipped",
    "order.delivered",
    "order.units_returned",
    "order.promise_moved",
    "order.closed",
    "fulfillment.released",
    "fulfillment.acknowledged",
    "fulfillment.packed",
    "fulfillment.short",
    "fulfillment.rejected",
    "fulfillment.cancelled",
    "fulfillment.shipped",
    "fulfillment.collected",
    "fulfillment.changed",
    "fulfillment.pulled_back",
    "parcel.shipped",
    "parcel.shipment_reversed",
    "parcel.moved",
    "parcel.delivered",
    "parcel.returned",
    "parcel.lost",
    "parcel.damaged",
    "payment.captured",
    "payment.capture_failed",
    "payment.refunded",
    "payment.refund_failed",
    "payment.disputed",
    "payment.dispute_won",
    "payment.dispute_lost",
    "return.requested",
    "return.authorized",
    "return.received",
    "return.settled",
    "availability.sold_out",
    "availability.back_in_stock",
    "availability.low",
)
PING: Final = "endpoint.ping"
"""Sent on demand, to try an endpoint; nobody subscribes to it."""


def heard(patterns: Sequence[str], topic: str) -> bool:
    """Whether an endpoint with these patterns (`order.*`, `parcel.lost`, `*`) hears of the topic."""
    return any(fnmatchcase(topic, pattern) for pattern in patterns)


def unknown(patterns: Sequence[str]) -> list[str]:
    """The patterns that no topic matches: most likely misspelt."""
    return [
        pattern for pattern in patterns if not any(fnmatchcase(topic, pattern) for topic in TOPICS)
    ]
