"""Claims on supply: what is wanted, taken, given back and expected."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Want:
    """Units wanted of one position for one demand, all or nothing.

    `channel_id` is who sells them: its quotas are counted. None is nobody, who may have only what
    is kept for no channel. `windows` are the hard limits of the node that the units count against.
    With `min_expiry` lots are bound that do not expire before that day. `is_counted` says that the
    thread took from this node before in the same transaction: it is one order there all the same.
    """

    position_id: int
    sku_id: int
    node_id: int
    quantity: int
    demand_id: UUID
    thread_id: UUID
    account_id: UUID
    priority: int = 0
    promised_at: datetime | None = None
    channel_id: UUID | None = None
    windows: tuple[int, ...] = ()
    min_expiry: date | None = None
    is_counted: bool = False


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
    """Some of a reservation's open units. `lots` says of which lots they were, where that is known."""

    reservation_id: UUID
    quantity: int
    lots: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class IssuedPortion:
    """Some of a reservation's consumed units, and the cause under which they were issued.

    `lots` says of which lots they were, where that is known; `channel_id` who sold them.
    """

    reservation_id: UUID
    quantity: int
    cause_kind: str
    cause_id: UUID
    lots: tuple[tuple[str, int], ...] = ()
    channel_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Shortage:
    """Reserved units that a picker did not find (`short`) or found broken (`damaged`)."""

    reservation_id: UUID
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """Units that arrived for an inbound line. (source, external_id) happens once.

    `condition` empty is how the node receives: in receiving where it puts away, else available.
    """

    inbound_line_id: int
    quantity: int
    condition: str = ""
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
class Eta:
    """The next expected arrival of a SKU at a node."""

    node_id: int
    inbound_line_id: int
    units: int
    eta_at: datetime
    reliability_percent: int
