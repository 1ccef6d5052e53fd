"""Stock: facts that change it, and figures that open into their terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from inventory.states import Condition


@dataclass(frozen=True, slots=True)
class ConsignedPart:
    """What may be reserved of another owner's position, and the channels that sell it."""

    position_id: int
    owner_id: UUID
    sellable: int
    free: int
    is_first: bool
    channels: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class PositionView:
    """What a node can promise of a SKU. `free` is what a take may reserve of the account's own.

    `consigned` are other owners' positions there; where the account has none of its own, `id` is
    the first of theirs.
    """

    id: int
    node_id: int
    sku_id: int
    sellable: int
    reserved: int
    buffer: int
    landed: int
    shortfall: int
    free: int
    consigned: tuple[ConsignedPart, ...] = ()

    @property
    def position_ids(self) -> tuple[int, ...]:
        """Every position from which it may be served."""
        return (self.id, *(part.position_id for part in self.consigned))


@dataclass(frozen=True, slots=True)
class StockChange:
    """A physical fact: `quantity` units came (+) or went (−). (source, external_id) happens once.

    `owner_id` None is the account's own stock. `expires_on` is the lot's, where it has one.
    `condition` empty is how the node receives: in receiving where it puts away, else available.
    `expected_on_hand`, where it is given, is what its sender believes to lie there (of the lot, or
    of all lots of the condition): the change is refused as stale when it does not.
    `happened_at` is when it was so, where that is known: what happened before the position's last
    snapshot or count is in that number already. `serials` are the single things that came, or went.
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
    expected_on_hand: int | None = None
    serials: tuple[str, ...] = ()


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
    expires_on: date | None = None


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
