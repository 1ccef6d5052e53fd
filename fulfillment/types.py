"""Frozen values that cross fulfillment's edge.

Quantities that a node reports are cumulative: the line's total so far, never the step. A report
sent twice, late or after its successor therefore changes nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The node has taken the work on, under its own number when it has one.

    With `lines` only so many units of these lines so far, those that went on since among them.
    `expected_at` is when it will leave, where the node says so: a later day moves the promise.
    """

    fulfillment_order_id: UUID
    external_id: str = ""
    lines: "tuple[Content, ...]" = ()
    expected_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LotUnits:
    """Units of one lot, or one thing by its serial number, as the node reads it off the goods."""

    lot: str
    quantity: int
    serial: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """`picked` units of the line have left the shelf so far, those packed or shipped among them.

    `lots` says of which lots they are, as totals so far too, where the node says so.
    """

    line_id: UUID
    picked: int
    lots: tuple[LotUnits, ...] = ()


@dataclass(frozen=True, slots=True)
class Short:
    """`short` units of the line could not be had so far. `reason` is a `ShortReason`."""

    line_id: UUID
    short: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """The node will not do what it has not picked: of one line, or of the whole order.

    `reason` is a `RejectReason`.
    """

    fulfillment_order_id: UUID
    reason: str
    line_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """Units of one fulfillment line in one parcel; `lots` says which, where the node says so."""

    line_id: UUID
    quantity: int
    lots: tuple[LotUnits, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """One parcel was closed. `external_id` is the node's own id of it: the same one packs once.

    Without `contents` everything that is picked goes in.
    """

    fulfillment_order_id: UUID
    contents: tuple[Content, ...] = ()
    weight_grams: int | None = None
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class PackedOrder:
    """What packing made of one fulfillment order."""

    fulfillment_order_id: UUID
    parcel_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Shipment:
    """One parcel was handed over. The number and carrier are named when no label was bought.

    `told` is by a system of the node's own: it has left, whatever is missing on paper.
    """

    parcel_id: UUID
    tracking_number: str = ""
    carrier_code: str = ""
    told: bool = False


@dataclass(frozen=True, slots=True)
class ClosedManifest:
    """The list by which so many parcels of one account were handed to a carrier."""

    manifest_id: UUID
    number: str
    carrier_code: str
    parcels: int


@dataclass(frozen=True, slots=True)
class Collection:
    """A buyer came for a pickup. Without `contents` everything that is ready was taken."""

    fulfillment_order_id: UUID
    contents: tuple[Content, ...] = ()
    collected_by: str = ""


@dataclass(frozen=True, slots=True)
class PullBack:
    """What is not packed, of one line or of all of it, is to go from another node."""

    fulfillment_order_id: UUID
    line_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """The work is to leave by another service."""

    fulfillment_order_id: UUID
    service_level_id: int


@dataclass(frozen=True, slots=True)
class AskedOfNode:
    """What became of a wish about work at a node: units done now, and units asked, until when."""

    fulfillment_order_id: UUID
    number: str
    done: int
    asked: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """The node grants `granted` of the units that it was asked about.

    A change is granted for all of them, or for none.
    """

    request_id: UUID
    granted: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class TrackingNews:
    """One thing a carrier, a node or a person said about a parcel.

    Named by id, or by carrier and tracking number, within the account where one is named. `status` is a tracked `ParcelState`;
    `happened_at` is when it was so, which decides; a `correction` overrules what came before it.
    """

    status: str
    happened_at: datetime
    parcel_id: UUID | None = None
    carrier_code: str = ""
    tracking_number: str = ""
    external_id: str = ""
    source: str = "manual"
    place: str = ""
    correction: bool = False
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """What a release made of one delivery group: one fulfillment order per node."""

    group_id: UUID
    fulfillment_order_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class LineCounts:
    """The quantities of one fulfillment line."""

    requested: int
    waiting: int = 0
    accepted: int = 0
    picked: int = 0
    packed: int = 0
    shipped: int = 0
    collected: int = 0
    rejected: int = 0
    short: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class Worked:
    """Where a fulfillment order stands after a report about it."""

    fulfillment_order_id: UUID
    number: str
    state: str


@dataclass(frozen=True, slots=True)
class ParcelStanding:
    """Where a parcel stands after a report about it."""

    parcel_id: UUID
    number: str
    state: str


@dataclass(frozen=True, slots=True)
class ParcelAtHand:
    """A parcel as apps above see it: whose it is, where it came from, what lies in it.

    `units` are (order line, units), those beyond what was asked for left out.
    """

    parcel_id: UUID
    number: str
    state: str
    account_id: UUID
    order_id: UUID
    node_id: int
    carrier_code: str
    tracking_number: str
    units: tuple[tuple[UUID, int], ...]
