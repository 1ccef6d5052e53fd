"""What buyers are told of: events, read as facts. Pure.

A fact has a name of its own (a parcel, a promise, a refund): however many events tell it, and however
often each is delivered, the buyer hears of it once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from config.kernel.events import Recorded
from integrations.models.buyer import MessageKind

RESOURCED: Final = "order.resourced"
PROMISE_MOVED: Final = "order.promise_moved"
PICKUP_REJECTED: Final = "PICKUP_REJECTED"
"""The case kind that says that a store gave a pickup up."""
LATE_CASES: Final = ("SHIP_BY_MISSED", "TRACKING_SILENT")
"""Case kinds that say that a promise may not hold."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a buyer is told. `name` is unique per kind; empty where the promise gives it.

    `about` is the parcel, fulfillment order or refund; `units` are units per order line.
    """

    kind: MessageKind
    name: str
    order_id: UUID
    event_id: UUID
    at: datetime
    about: UUID | None = None
    units: Mapping[UUID, int] = field(default_factory=dict)
    amount_minor: int = 0
    cause: str = ""
    until: datetime | None = None


def facts_of(events: Iterable[Recorded]) -> list[Fact]:
    """The facts in these events, in their order; events that tell a buyer nothing give none."""
    read = (_READERS[event.topic](event) for event in events if event.topic in _READERS)
    return [fact for fact in read if fact is not None]


def _received(event: Recorded) -> Fact | None:
    return _fact(event, MessageKind.RECEIVED, event.subject_id)


def _shipped(event: Recorded) -> Fact | None:
    return _fact(event, MessageKind.SHIPPED, event.subject_id)


def _delivered(event: Recorded) -> Fact | None:
    return _fact(event, MessageKind.DELIVERED, event.subject_id)


def _packed(event: Recorded) -> Fact | None:
    if event.data.get("state") != "ready_for_pickup":
        return None
    return _fact(event, MessageKind.READY, event.subject_id)


def _refunded(event: Recorded) -> Fact | None:
    refund_id = UUID(event.data["id"])
    return _fact(
        event, MessageKind.REFUNDED, refund_id, amount_minor=int(event.data["amount_minor"])
    )


def _unpaid(event: Recorded) -> Fact | None:
    until = event.data.get("until")
    return _fact(
        event,
        MessageKind.PAYMENT,
        event.id,
        amount_minor=int(event.data["amount_minor"]),
        until=datetime.fromisoformat(until) if until else None,
    )


def _cancelled(event: Recorded) -> Fact | None:
    told = event.data.get("lines") or {event.data["line_id"]: event.data["units"]}
    units = {UUID(line_id): int(many) for line_id, many in told.items()}
    cause = str(event.data.get("initiator", ""))
    return _fact(event, MessageKind.CANCELLED, event.id, units=units, cause=cause)


def _resourced(event: Recorded) -> Fact | None:
    return _fact(event, MessageKind.DELAYED, None)


def _case(event: Recorded) -> Fact | None:
    kind = str(event.data.get("kind", ""))
    if event.thread_id is not None and kind == PICKUP_REJECTED:
        return _fact(event, MessageKind.CHOICE, event.subject_id)
    if event.thread_id is None or kind not in LATE_CASES:
        return None
    return _fact(event, MessageKind.DELAYED, None, cause=kind)


def _fact(
    event: Recorded,
    kind: MessageKind,
    about: UUID | None,
    *,
    units: Mapping[UUID, int] | None = None,
    amount_minor: int = 0,
    cause: str = "",
    until: datetime | None = None,
) -> Fact:
    return Fact(
        kind,
        str(about) if about else "",
        event.thread_id or event.subject_id,
        event.id,
        event.at,
        about,
        units or {},
        amount_minor,
        cause,
        until,
    )


_READERS: Final[Mapping[str, Callable[[Recorded], Fact | None]]] = {
    "order.captured": _received,
    RESOURCED: _resourced,
    PROMISE_MOVED: _resourced,
    "order.units_cancelled": _cancelled,
    "parcel.shipped": _shipped,
    "parcel.delivered": _delivered,
    "fulfillment.packed": _packed,
    "payment.refunded": _refunded,
    "payment.asked_for": _unpaid,
    "case.opened": _case,
}

TOPICS: Final = tuple(_READERS)
"""What the writing of messages listens to."""
