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
