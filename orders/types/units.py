"""Units of lines on their way: reserved, moved, released, shipped, returned."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class NodePin:
    """Send what is unreleased of a group from this node; None takes the pin away."""

    group_id: UUID
    node_id: int | None


@dataclass(frozen=True, slots=True)
class ReservedMove:
    """Send units of a reservation from this node; all that are open, where no quantity is named."""

    reservation_id: UUID
    node_id: int
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class GiveWay:
    """Units of another order's reservation that a line is to have; all open ones, or so many."""

    reservation_id: UUID
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class GaveWay:
    """What became of an order that gave units up: found elsewhere, or waiting for stock.

    Dates are those of the delivery group before and after; None where there was or is no promise.
    """

    order_id: UUID
    number: str
    line_id: UUID
    units: int
    found: int
    waits: int
    promised: datetime | None
    promised_now: datetime | None

    @property
    def later(self) -> bool:
        """Whether its buyer has it later than they were told, or nobody knows when."""
        if self.waits and self.promised_now == self.promised:
            return True
        return bool(
            self.promised and (self.promised_now is None or self.promised_now > self.promised)
        )


@dataclass(frozen=True, slots=True)
class Freed:
    """A line that was put first: its units, its promise then, and who gave them up."""

    order_id: UUID
    number: str
    line_id: UUID
    units: int
    promised: datetime | None
    promised_now: datetime | None
    losers: tuple[GaveWay, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """Take units of a line from one bucket to another."""

    line_id: UUID
    source: str
    target: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ShippedUnits:
    """Units of a line that left in a parcel."""

    order_id: UUID
    line_id: UUID
    quantity: int
    parcel_id: UUID


@dataclass(frozen=True, slots=True)
class FreedUnits:
    """Released units that their node has let go, with the reservation that they are claimed by."""

    order_id: UUID
    line_id: UUID
    quantity: int
    reservation_id: UUID


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Released units that the node could not or would not ship: they wait again.

    `node_id` and `sku_id` name what is not to be tried again by the re-sourcing that follows.
    """

    order_id: UUID
    line_id: UUID
    quantity: int
    node_id: int
    sku_id: int
    reason: str = "short"


@dataclass(frozen=True, slots=True)
class ReturnedUnits:
    """Delivered units that came back by the channel's word."""

    order_id: UUID
    line_id: UUID
    quantity: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LineQuantities:
    """The buckets of one line, for the pure folds."""

    kind: str
    ordered: int
    pending: int = 0
    backordered: int = 0
    reserved: int = 0
    released: int = 0
    shipped: int = 0
    cancelled: int = 0
    underway: int = 0
    delivered: int = 0
    lost: int = 0
    sent_back: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True)
class ReleasableLine:
    """Reserved units of a line that may go to their nodes now."""

    line_id: UUID
    sku_id: int
    reserved: int
    parent_id: UUID | None
    relation: str
    unit_weight_grams: int


@dataclass(frozen=True, slots=True)
class ReleasableGroup:
    """A delivery group of ours that nothing keeps from its nodes."""

    group_id: UUID
    order_id: UUID
    order_number: str
    account_id: UUID
    channel_id: UUID
    method: str
    service_level_id: int | None
    pickup_node_id: int | None
    contact_id: UUID | None
    priority: int
    ship_by: datetime | None
    deliver_by: datetime | None
    ship_complete: bool
    lines: tuple[ReleasableLine, ...]
