"""Units held for carts, before there is an order."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CartDraft:
    """What a cart wants held, as (SKU, units) per line; a kit is held as its components.

    With a `node_id` the buyer collects there. `minutes` None holds for as long as the channel lets.
    """

    channel_id: UUID
    cart: str
    lines: tuple[tuple[int, int], ...]
    node_id: int | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class CartHoldView:
    """A cart's hold as others read it: open until `closed_at`; `taken_by` is the order's thread."""

    id: UUID
    cart: str
    expires_at: datetime
    closed_at: datetime | None
    close_reason: str
    taken_by: UUID | None

    def lasts(self, at: datetime) -> bool:
        return self.closed_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class CartLineHeld:
    """How one line ended: held whole, or refused; then `free` units of it could be had."""

    sku_id: int
    quantity: int
    held: bool
    free: int


@dataclass(frozen=True, slots=True)
class CartHeld:
    """A cart's hold. `expires_at` None: nothing of it is held."""

    cart: str
    expires_at: datetime | None
    extensions_left: int
    lines: tuple[CartLineHeld, ...]
