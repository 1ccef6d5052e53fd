"""What is asked of whole orders and groups, and what is answered."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orders.types.drafts import Address
from orders.types.money import CarriedMoney


@dataclass(frozen=True, slots=True)
class CapturedOrder:
    """The answer to a capture. `holds` names the types of the holds that were placed."""

    id: UUID
    number: str
    external_id: str
    state: str
    progress: str
    holds: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    repeated: bool = False
    accepts: bool = True


@dataclass(frozen=True, slots=True)
class AcceptedOrder:
    """The answer to an acceptance: how many units were reserved, backordered, left waiting."""

    id: UUID
    number: str
    state: str
    progress: str
    reserved: int = 0
    backordered: int = 0
    waiting: int = 0
    ship_by: datetime | None = None
    deliver_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Cancel an order, a line, or some units of a line. None means all that is left.

    `reason` is a code or a short sentence of at most 200 characters, kept in the clear: it names
    nobody. What must name people is a note.
    """

    order_id: UUID
    line_id: UUID | None = None
    quantity: int | None = None
    reason: str = ""
    initiator: str = "merchant"


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What a cancel achieved: units gone, units the node was asked about, units it refused."""

    order_id: UUID
    state: str
    cancelled: int
    asked: int = 0
    refused: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Place a hold. `handle` makes a repeated placing by the same placer the same hold.

    `reason` is a code or a short sentence, as of a `CancelRequest`.
    """

    order_id: UUID
    type: str
    reason: str
    group_id: UUID | None = None
    line_id: UUID | None = None
    until: datetime | None = None
    handle: str = ""
    blocks: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AddressCorrection:
    """A new destination for one delivery group of ours."""

    group_id: UUID
    address: Address


@dataclass(frozen=True, slots=True)
class GroupMove:
    """A node has agreed that a group's work goes to this contact."""

    group_id: UUID
    contact_id: UUID


@dataclass(frozen=True, slots=True)
class LinkedLine:
    """A line of an order that follows from another. The price is of one unit, in minor units."""

    sku_code: str
    quantity: int
    price_minor: int = 0
    title: str = ""
    origin_line_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class LinkedOrder:
    """An exchange or a reship to be placed: where the first order's group went, once per cause."""

    origin_id: UUID
    group_id: UUID
    kind: str
    cause_kind: str
    cause_id: UUID
    lines: tuple[LinkedLine, ...]
    carried: tuple[CarriedMoney, ...] = ()
    parcel_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OrderHead:
    """What apps above need of an order to work with it."""

    id: UUID
    number: str
    account_id: UUID
    brand_id: UUID
    channel_id: UUID
    currency: str
    state: str
    mode: str
    document_kind: str
    external_id: str
    placed_at: datetime
