"""Units that change their condition, their number or their node because somebody asks for it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from inventory.states import Condition, TransferPurpose


@dataclass(frozen=True, slots=True)
class ConditionChange:
    """Units at a node that lie in another condition now; `quantity` None is all of them.

    `lot` empty is of any lot, first to expire first. (source, external_id) happens once.
    """

    node_id: int
    sku_id: int
    account_id: UUID
    condition: str
    into: str
    quantity: int | None = None
    lot: str = ""
    owner_id: UUID | None = None
    note: str = ""
    cause_kind: str = ""
    cause_id: UUID | None = None
    source: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class PackConversion:
    """Whole packs of a SKU, broken at a node: their units leave bulk and can be picked.

    `pack` is the level of one of the SKU's packs; `units` is how many each of them holds, where the
    SKU's packs do not say. Where they do it may be left out, and must not say otherwise.
    """

    node_id: int
    sku_id: int
    account_id: UUID
    packs: int
    pack: str = "case"
    units: int | None = None
    lot: str = ""
    owner_id: UUID | None = None
    note: str = ""
    source: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class AdjustmentDraft:
    """Units that a person wants added (+) to the book or taken out (−), and why.

    `expected_on_hand`, where it is given, is what the person saw lying there.
    """

    node_id: int
    sku_id: int
    account_id: UUID
    quantity: int
    reason: str
    note: str = ""
    condition: str = Condition.AVAILABLE.value
    lot: str = ""
    expires_on: date | None = None
    owner_id: UUID | None = None
    expected_on_hand: int | None = None
    source: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class AdjustmentAnswer:
    """How an adjustment stands: applied with a movement, or waiting for a second person."""

    id: UUID
    number: str
    state: str
    movement_id: UUID | None


@dataclass(frozen=True, slots=True)
class TransferLineDraft:
    sku_id: int
    quantity: int
    demand_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TransferDraft:
    """Goods that one node shall send to another. (source, external_id) is drafted once."""

    account_id: UUID
    source_id: int
    destination_id: int
    lines: tuple[TransferLineDraft, ...]
    purpose: str = TransferPurpose.REBALANCE.value
    priority: int = 0
    note: str = ""
    eta_at: datetime | None = None
    thread_id: UUID | None = None
    source: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class TransferAnswer:
    """How a transfer stands, and the units of it that are reserved, shipped and received."""

    id: UUID
    number: str
    state: str
    reserved: int = 0
    shipped: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class MovedUnits:
    """Units of one line of a transfer that left, or came; `lot` empty is whatever lot it was.

    What came under an `external_id` comes once.
    """

    line_id: UUID
    quantity: int
    damaged: int = 0
    lot: str = ""
    expires_on: date | None = None
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class TransferShipment:
    """What left the source. `last` gives up what was asked for and did not leave."""

    transfer_id: UUID
    units: tuple[MovedUnits, ...]
    eta_at: datetime | None = None
    reference: str = ""
    last: bool = False


@dataclass(frozen=True, slots=True)
class TransferReceipt:
    """What arrived at the destination. `last` gives up what left and did not arrive."""

    transfer_id: UUID
    units: tuple[MovedUnits, ...]
    last: bool = False


@dataclass(frozen=True, slots=True)
class CountWanted:
    """A node is to count a SKU, and why. `due_at` None is a day from now."""

    account_id: UUID
    node_id: int
    sku_id: int
    reason: str
    kind: str = "manual"
    due_at: datetime | None = None
