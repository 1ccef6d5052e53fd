"""Other owners of goods at our nodes, and what is owed to them."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OwnerDraft:
    """An owner as it is wanted: sold in these channels and in no others.

    `owner_id` is the id that snapshots and changes name it by; None, a new one is given.
    """

    code: str
    name: str
    is_first: bool = False
    channel_ids: frozenset[UUID] = frozenset()
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PriceDraft:
    """What is owed to the owner per unit sold, in minor units. None takes the price away."""

    owner_id: UUID
    sku_id: int
    unit_price: Decimal | None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class OwnerView:
    """`channels` are the codes of those that sell the owner's goods."""

    id: UUID
    account_id: UUID
    code: str
    name: str
    is_first: bool
    channel_ids: tuple[UUID, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConsignedLine:
    """One SKU of an owner: what lies there now, and what became of it in a period.

    `returned` counts what was put back too. `owed_minor` is what the units sold less returned come to;
    `unpriced` of the units sold or returned had no price.
    """

    owner_id: UUID
    owner: str
    sku_id: int
    sku: str
    name: str
    on_hand: int
    reserved: int
    received: int
    sold: int
    returned: int
    owed_minor: int
    currency: str
    unpriced: int
