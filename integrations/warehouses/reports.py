"""What a warehouse system tells, whatever its wire format: frozen reports, each of one fact.

Quantities of work are totals so far, never steps. `id` is the sender's own id of the event: the
same one counts once, however often and in whatever message it comes; a report without one is a
standing (what is so by now), told again whenever it is asked for. `at` is when it was so there.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from config.kernel.errors import DomainError


class UnreadableReport(DomainError):
    """The message does not say what the protocol has it say."""

    code, title, status = "unreadable", "The message cannot be read", 422


@dataclass(frozen=True, slots=True)
class OfLot:
    """Units of one lot, or one thing by its serial number, as they were read off the goods."""

    lot: str
    quantity: int
    serial: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Units:
    """A quantity of one line, named by its place; `lots` says of which, where the system knows."""

    place: int
    quantity: int
    reason: str = ""
    lots: tuple[OfLot, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenOn:
    """The system has the order, under a number of its own; with units, it takes only so many.

    `expected_at` is when it will ship, where it says so.
    """

    id: str
    at: datetime
    order: str
    reference: str = ""
    units: tuple[Units, ...] = ()
    expected_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Picked:
    id: str
    at: datetime
    order: str
    units: tuple[Units, ...]


@dataclass(frozen=True, slots=True)
class ToldShort:
    """Units that cannot be had, each with a `ShortReason`."""

    id: str
    at: datetime
    order: str
    units: tuple[Units, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """The system will not do these lines, or nothing of the order. `reason` is a `RejectReason`."""

    id: str
    at: datetime
    order: str
    reason: str
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A parcel by the system's own id."""

    id: str
    units: tuple[Units, ...] = ()
    weight_grams: int | None = None
    carrier: str = ""
    tracking_number: str = ""


@dataclass(frozen=True, slots=True)
class Packed:
    id: str
    at: datetime
    order: str
    box: Box


@dataclass(frozen=True, slots=True)
class Shipped:
    """A parcel left. One whose closing was never told is closed by its contents, where it has any."""

    id: str
    at: datetime
    order: str
    box: Box


@dataclass(frozen=True, slots=True)
class Ready:
    """What was picked of a pickup lies aside for its buyer."""

    id: str
    at: datetime
    order: str


@dataclass(frozen=True, slots=True)
class Collected:
    """The buyer of a pickup, or whom they sent, took all that lay aside."""

    id: str
    at: datetime
    order: str
    collected_by: str = ""


@dataclass(frozen=True, slots=True)
class PutBack:
    """What nobody collected in time lies on the shelf again."""

    id: str
    at: datetime
    order: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a question of ours: so many of the units asked about are granted."""

    id: str
    at: datetime
    request: UUID
    granted: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class StockMoved:
    """`quantity` units came (+) or went (−), not by our orders. `kind` is a `MovementKind`."""

    id: str
    at: datetime
    sku: str
    quantity: int
    kind: str
    condition: str = "available"
    lot: str = ""
    note: str = ""
    expires_on: date | None = None
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Units of a SKU in the building, those picked and packed among them."""

    sku: str
    quantity: int
    condition: str = "available"
    lot: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class StockSeen:
    """What lies there as of `at`: the watermark. Everything earlier is in it, nothing later.

    `counted`: people have counted these SKUs, each place of them; of others it says nothing.
    """

    id: str
    at: datetime
    rows: tuple[Row, ...]
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """The answer to a count that we asked for: sellable units of the SKU in the building."""

    id: str
    at: datetime
    count: UUID
    sku: str
    quantity: int


OfWork = TakenOn | Picked | ToldShort | Rejected | Packed | Shipped | Ready | Collected | PutBack
Report = OfWork | Answered | StockMoved | StockSeen | Counted
