"""Where an order stands, as its buyer wants to know it: the answer first, then how far. Pure.

Honest before kind: a day that has passed is said to have passed, a promise that moved says what it
was, and why. All days are days of the order's own zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fulfillment.states import AT_THE_NODE, FulfillmentState, ParcelState
from orders.selectors import BoughtOrder

SILENT_AFTER: Final = timedelta(hours=48)
"""A parcel on its way of which nothing was heard for so long is said to miss a scan."""
_OUT: Final = frozenset(
    {ParcelState.OUT_FOR_DELIVERY, ParcelState.ATTEMPTED, ParcelState.AT_PICKUP_POINT}
)
_GRAVE: Final[Mapping[str, str]] = {
    ParcelState.DAMAGED: "damaged",
    ParcelState.RETURNING: "returning",
    ParcelState.RETURNED: "returning",
}
_PICKUP: Final = frozenset({"pickup", "ship_to_store"})
_SHIP_STEPS: Final = ("received", "preparing", "shipped", "out_for_delivery", "delivered")
_PICKUP_STEPS: Final = ("received", "confirmed", "preparing", "ready", "collected")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why it is late: a key of the words, a day and a place that it names."""

    key: str
    day: datetime | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The first line: a key of the words and what it names. `tone`: good, plain or bad."""

    key: str
    tone: str = "plain"
    day: datetime | None = None
    old: datetime | None = None
    place: str = ""
    cause: Cause | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer, and the place of the step that is going on (`over` when it is done)."""

    answer: Answer
    steps: tuple[str, ...]
    step: int
    over: bool = False


@dataclass(frozen=True, slots=True)
class Journey:
    """What is known of an order at a moment: its work at nodes, and what carriers expect."""

    bought: BoughtOrder
    work: Sequence[Any]
    expected: Mapping[UUID, datetime]
    zone: ZoneInfo
    now: datetime
    parcels: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        found = (parcel for order in self.work for parcel in order.parcels.all())
        kept = tuple(parcel for parcel in found if parcel.state != ParcelState.VOIDED)
        object.__setattr__(self, "parcels", kept)

    @property
    def stock(self) -> list[Any]:
        """Lines that are fetched from a shelf, as far as they are still wanted."""
        return [
            line
            for line in self.bought.lines
            if line.kind == "stock" and line.ordered > line.cancelled
        ]

    @property
    def open_units(self) -> int:
        """Units that the buyer waits for."""
        return sum(
            line.ordered - line.cancelled - line.delivered - line.lost - line.sent_back
            for line in self.stock
        )

    def later_day(self, one: datetime, other: datetime) -> bool:
        return one.astimezone(self.zone).date() > other.astimezone(self.zone).date()


def standing(journey: Journey) -> Standing:
    """Where the order stands."""
    pickup = all(group.method in _PICKUP for group in journey.bought.groups)
    steps = _PICKUP_STEPS if pickup else _SHIP_STEPS
    answer = _answer(journey)
    step = _pickup_step(journey) if pickup else _ship_step(journey)
    over = answer.key in {"delivered", "collected"}
    return Standing(answer, steps, len(steps) - 1 if over else step, over)


def _ship_step(journey: Journey) -> int:
    states = {parcel.state for parcel in journey.parcels}
    if states & _OUT:
        return 3
    if states - set(AT_THE_NODE):
        return 2
    return 1 if journey.bought.order.state == "accepted" else 0


def _pickup_step(journey: Journey) -> int:
    states = {order.state for order in journey.work}
    if FulfillmentState.READY_FOR_PICKUP in states:
        return 3
    if states:
        return 2
    return 1 if journey.bought.order.state == "accepted" else 0


def _answer(journey: Journey) -> Answer:
    order = journey.bought.order
    if order.state == "cancelled":
        return Answer("cancelled", "bad", more="cancelled_more")
    if not journey.stock:
        return Answer("digital", "good")
    if order.state == "captured":
        if order.holds_open:
            return Answer("held", more="held_more")
        return Answer("received", more="received_more")
    return _waiting_at_node(journey) or _ended(journey) or _coming(journey)


def _waiting_at_node(journey: Journey) -> Answer | None:
    for order in journey.work:
        if order.state == FulfillmentState.READY_FOR_PICKUP:
            more = "ready_more" if order.collect_by else ""
            return Answer("ready", "good", day=order.collect_by, place=order.node.name, more=more)
    return None


def _ended(journey: Journey) -> Answer | None:
    """What is said when nothing more is to come."""
    if journey.open_units:
        return None
    delivered = [parcel.delivered_at for parcel in journey.parcels if parcel.delivered_at]
    if delivered:
        return Answer("delivered", "good", day=max(delivered))
    collected = [
        order.ended_at for order in journey.work if order.state == FulfillmentState.COLLECTED
    ]
    if collected:
        return Answer("collected", "good", day=max(filter(None, collected), default=journey.now))
    states = {parcel.state for parcel in journey.parcels}
    if ParcelState.LOST in states:
        return Answer("lost", "bad", more="lost_more")
    if ParcelState.RETURNED in states:
        return Answer("returned", "bad", more="returned_more")
    return Answer("delivered", "good", day=journey.bought.order.closed_at or journey.now)


def _coming(journey: Journey) -> Answer:
    """What is said while something is still to come."""
    out = {parcel.state for parcel in journey.parcels}
    if ParcelState.OUT_FOR_DELIVERY in out:
        return Answer("expected_today", "good", day=journey.now)
    first, due = _promised(journey)
    if due is None:
        return Answer("undated", more=_untracked(journey))
    if journey.later_day(journey.now, due):
        cause = _cause(journey)
        return Answer(
            "late_why" if cause else "late", "bad", day=due, old=due, cause=cause, more="late_more"
        )
    if first is not None and journey.later_day(due, first):
        cause = _cause(journey)
        return Answer("moved_why" if cause else "moved", "bad", day=due, old=first, cause=cause)
    if any(line.delivered for line in journey.stock):
        return Answer("partly_delivered", day=due)
    pickup = all(group.method in _PICKUP for group in journey.bought.groups)
    return Answer("pickup_expected" if pickup else "expected", day=due, more=_untracked(journey))


def _untracked(journey: Journey) -> str:
    """Said while there is work and no parcel has been heard of."""
    gone = any(parcel.state not in AT_THE_NODE for parcel in journey.parcels)
    ships = any(group.method not in _PICKUP for group in journey.bought.groups)
    return "not_tracked" if journey.work and not gone and ships else ""


def _promised(journey: Journey) -> tuple[datetime | None, datetime | None]:
    """The first promise and the one that stands, of the group that comes last."""
    last: tuple[datetime, datetime] | None = None
    for group in journey.bought.groups:
        versions = journey.bought.promises.get(group.pk, ())
        due = group.deliver_by or (versions[-1].deliver_latest if versions else None)
        if due is None or not _still_open(journey, group.pk):
            continue
        first = versions[0].deliver_latest if versions else due
        told = [
            journey.expected[parcel.pk]
            for order in journey.work
            if order.group_id == group.pk
            for parcel in order.parcels.all()
            if parcel.pk in journey.expected and parcel.delivered_at is None
        ]
        # A carrier knows better than we did, once it has the parcel.
        due = max(told) if told and not _at_node(journey, group.pk) else due
        if last is None or due > last[1]:
            last = (first, due)
    return last or (None, None)


def _still_open(journey: Journey, group_id: UUID) -> bool:
    return any(
        line.ordered - line.cancelled - line.delivered - line.lost - line.sent_back > 0
        for line in journey.stock
        if line.group_id == group_id
    )


def _at_node(journey: Journey, group_id: UUID) -> bool:
    """Whether units of the group have not left yet."""
    return any(
        line.ordered - line.cancelled - line.shipped > 0
        for line in journey.stock
        if line.group_id == group_id
    )


def _cause(journey: Journey) -> Cause | None:
    """What keeps it, the gravest first."""
    return (
        _trouble(journey, _GRAVE)
        or (Cause("stock") if any(line.backordered for line in journey.stock) else None)
        or _trouble(journey, {ParcelState.ATTEMPTED: "attempt"})
        or next(filter(None, (_silent(each, journey.now) for each in journey.parcels)), None)
        or _at_our_place(journey)
    )


def _trouble(journey: Journey, causes: Mapping[str, str]) -> Cause | None:
    found = [causes[parcel.state] for parcel in journey.parcels if parcel.state in causes]
    return Cause(found[0]) if found else None


def _at_our_place(journey: Journey) -> Cause | None:
    """It waits at a node, left late, or lies with a carrier that is late."""
    due = journey.bought.order.ship_by
    if any(line.reserved or line.released or line.pending for line in journey.stock):
        return Cause("not_shipped" if due and due < journey.now else "stock")
    handed = [parcel.handed_over_at for parcel in journey.parcels if parcel.handed_over_at]
    if not handed:
        return None
    return Cause("node" if due and max(handed) > due else "carrier")


def _silent(parcel: Any, now: datetime) -> Cause | None:
    """The missed scan of a parcel that should be heard of."""
    if parcel.delivered_at or not parcel.handed_over_at or not parcel.last_heard_at:
        return None
    if now - parcel.last_heard_at < SILENT_AFTER:
        return None
    places = [event.place for event in parcel.tracking.all() if event.place]
    if places:
        return Cause("scan_place", parcel.last_heard_at, places[0])
    return Cause("scan", parcel.last_heard_at)
