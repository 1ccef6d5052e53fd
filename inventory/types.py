"""Frozen values that cross the edge of inventory, and the ids under which its records are named."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import IntEnum
from uuid import UUID

from inventory.states import Condition

_VERSION_8 = 0x8 << 76
_VARIANT = 0b10 << 62
_ID_BITS = 62


class SubjectTag(IntEnum):
    """What a subject id of inventory names; part of the id, so that kinds never collide."""

    NODE = 1
    SKU = 2
    POSITION = 3
    COUNT_REQUEST = 4
    INBOUND = 5


def subject_id(tag: SubjectTag, pk: int) -> UUID:
    """The UUID (version 8, RFC 9562) under which events and cases name a bigint row."""
    return UUID(int=tag << 80 | _VERSION_8 | _VARIANT | pk)


def pk_of(subject: UUID) -> int:
    """The bigint that `subject_id` wrapped."""
    return subject.int & ((1 << _ID_BITS) - 1)


def tag_of(subject: UUID) -> SubjectTag:
    """What kind of row the subject id names. Raises ValueError for an id not made here."""
    return SubjectTag(subject.int >> 80)


@dataclass(frozen=True, slots=True)
class HoursView:
    """Local opening hours of one weekday (0 = Monday)."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class CutoffView:
    """Local time after which a service's orders leave the next working day; None is any service."""

    service: str | None
    weekday: int
    at_local: time


@dataclass(frozen=True, slots=True)
class FunctionView:
    """Whether a node performs a function, and until when and why it does not."""

    function: str
    paused: bool
    paused_until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node as planners and consoles see it. Costs are minor units of `currency`."""

    id: int
    code: str
    name: str
    kind: str
    state: str
    city: str
    region: str
    postal_code: str
    country: str
    latitude: float | None
    longitude: float | None
    timezone: str
    has_wms: bool
    processing_minutes: int
    handling_cost_minor: int
    pick_cost_minor: int
    currency: str
    priority: int
    hours: tuple[HoursView, ...]
    cutoffs: tuple[CutoffView, ...]
    closures: frozenset[date]
    functions: tuple[FunctionView, ...]

    def performs(self, function: str) -> bool:
        """Whether the node may be given such work now: active, with the function not paused."""
        return self.state == "active" and any(
            known.function == function and not known.paused for known in self.functions
        )

    def reason_closed(self, function: str) -> str:
        """Why the node does not perform the function; empty when it does."""
        if self.performs(function):
            return ""
        for known in self.functions:
            if known.function == function and known.paused:
                return known.reason or "paused"
        return self.state if self.state != "active" else "not offered"


@dataclass(frozen=True, slots=True)
class SkuView:
    """A SKU; `components` are (sku id, quantity) of a kit."""

    id: int
    account_id: UUID
    code: str
    name: str
    kind: str
    weight_grams: int
    price_minor: int
    currency: str
    hazmat: bool
    active: bool
    components: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PositionView:
    """What a node can promise of a SKU. `free` is what a take may reserve."""

    id: int
    node_id: int
    sku_id: int
    sellable: int
    reserved: int
    buffer: int
    landed: int
    shortfall: int
    free: int


@dataclass(frozen=True, slots=True)
class Want:
    """Units wanted of one position for one demand, all or nothing."""

    position_id: int
    sku_id: int
    node_id: int
    quantity: int
    demand_id: UUID
    thread_id: UUID
    account_id: UUID
    priority: int = 0
    promised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    want: Want
    reservation_id: UUID


@dataclass(frozen=True, slots=True)
class TakeResult:
    """What was reserved and what was lost to others, each in the order of the wants."""

    taken: tuple[Taken, ...]
    lost: tuple[Want, ...]


@dataclass(frozen=True, slots=True)
class FutureWant:
    """Units that no position has: served when supply lands. `node_id` None takes any node."""

    sku_id: int
    node_id: int | None
    quantity: int
    demand_id: UUID
    thread_id: UUID
    account_id: UUID
    priority: int = 0
    promised_at: datetime | None = None
    inbound_line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """Some of a reservation's open units."""

    reservation_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class IssuedPortion:
    """Some of a reservation's consumed units, and the cause under which they were issued."""

    reservation_id: UUID
    quantity: int
    cause_kind: str
    cause_id: UUID


@dataclass(frozen=True, slots=True)
class Shortage:
    """Reserved units that a picker did not find (`short`) or found broken (`damaged`)."""

    reservation_id: UUID
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class StockChange:
    """A physical fact: `quantity` units came (+) or went (−). (source, external_id) happens once.

    `owner_id` None is the account's own stock. `expires_on` is the lot's, where it has one.
    `happened_at` is when it was so, where that is known: what happened before the position's last
    snapshot or count is in that number already.
    """

    node_id: int
    sku_id: int
    account_id: UUID
    quantity: int
    kind: str
    condition: str = Condition.AVAILABLE.value
    lot: str = ""
    owner_id: UUID | None = None
    cause_kind: str = ""
    cause_id: UUID | None = None
    source: str = ""
    external_id: str = ""
    note: str = ""
    expires_on: date | None = None
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """How a change stands in the ledger: its first movement, and on hand after it."""

    movement_id: UUID
    position_id: int
    on_hand: int


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """Units of a SKU that the feed saw at its as-of time."""

    sku_id: int
    quantity: int
    condition: str = Condition.AVAILABLE.value
    lot: str = ""
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class BufferChange:
    """The safety stock of one position, in units."""

    node_id: int
    sku_id: int
    buffer: int
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ExclusionWanted:
    """Keep a SKU from being sourced at a node until a time."""

    node_id: int
    sku_id: int
    until: datetime
    reason: str
    cause_kind: str = ""
    cause_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """Units that arrived for an inbound line. (source, external_id) happens once."""

    inbound_line_id: int
    quantity: int
    condition: str = Condition.AVAILABLE.value
    lot: str = ""
    expires_on: date | None = None
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class ReservationView:
    """A claim as others read it; `open` units are neither consumed nor released."""

    id: UUID
    state: str
    position_id: int | None
    sku_id: int
    node_id: int | None
    demand_id: UUID
    thread_id: UUID
    account_id: UUID
    quantity: int
    consumed: int
    released: int
    priority: int
    promised_at: datetime | None
    at: datetime

    @property
    def open(self) -> int:
        return self.quantity - self.consumed - self.released


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a waterfall: what it is, its units, and the rows that it sums."""

    code: str
    label: str
    units: int
    rows: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Waterfall:
    """How a position's free units come about. The terms add up to `free`."""

    position_id: int
    node_id: int
    node_code: str
    sku_id: int
    sku_code: str
    terms: tuple[Term, ...]
    free: int
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class ShortRisk:
    """A SKU that is running out: units free, in shortfall and waited for over the whole network."""

    sku_id: int
    code: str
    name: str
    free: int
    shortfall: int
    waiting: int


@dataclass(frozen=True, slots=True)
class MovementView:
    """One line of the ledger."""

    id: UUID
    node_id: int
    sku_id: int
    condition: str
    lot: str
    kind: str
    quantity: int
    balance: int
    cause_kind: str
    cause_id: UUID | None
    note: str
    at: datetime
    actor_name: str


@dataclass(frozen=True, slots=True)
class Eta:
    """The next expected arrival of a SKU at a node."""

    node_id: int
    inbound_line_id: int
    units: int
    eta_at: datetime
    reliability_percent: int
