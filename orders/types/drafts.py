"""What comes in: an order as its channel states it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Party:
    """Who bought. Personal data: it goes sealed into a contact and nowhere else."""

    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to. `region` and `country` are codes (ISO 3166-2 part, ISO 3166-1 alpha-2)."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One line as the channel stated it. Amounts are minor units of the order's currency.

    `total_minor` is what the buyer pays for the line, tax included; None when the channel does
    not say. `parent_external_id` names another line of the same order.
    """

    external_id: str
    sku_code: str
    quantity: int
    title: str = ""
    kind: str | None = None
    unit_price: Decimal = Decimal(0)
    discount_minor: int = 0
    tax_minor: int = 0
    total_minor: int | None = None
    parent_external_id: str | None = None
    relation: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """The lines that go to one place by one method."""

    lines: tuple[LineDraft, ...]
    method: str = "ship"
    fulfilled_by: str = "us"
    address: Address | None = None
    pickup_node_code: str | None = None
    service_level_code: str | None = None
    ship_complete: bool = False
    not_before: datetime | None = None
    requested_by: datetime | None = None
    gift_message: str = ""
    handling_notes: str = ""
    quote_id: UUID | None = None
    quote_option: str = ""


@dataclass(frozen=True, slots=True)
class TenderDraft:
    """A means of payment: what it is for, who collects it, and what has been taken already."""

    kind: str
    amount_minor: int
    collected_by: str = "us"
    provider: str = ""
    authorization_reference: str = ""
    authorization_expires_at: datetime | None = None
    captured_minor: int = 0


@dataclass(frozen=True, slots=True)
class StatedTotals:
    """The channel's own sums, in minor units; None where it states none."""

    items_minor: int | None = None
    discount_minor: int | None = None
    shipping_minor: int = 0
    tax_minor: int | None = None
    total_minor: int | None = None


PAYMENT_PENDING: Final = "payment-pending"

"""The problem of an order that its channel has not been paid for: it becomes a payment hold."""


@dataclass(frozen=True, slots=True)
class DraftProblem:
    """Something a translator could not read: it becomes a review hold, never a lost order."""

    code: str
    detail: str
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order as it came in, translated and not yet judged.

    `id` is what a new order is to be called, when the caller must know it beforehand. `cart` is the
    shop's own id of the cart that it was: what is held for it becomes the order's.
    """

    channel_id: UUID
    account_id: UUID
    brand_id: UUID
    external_id: str
    currency: str
    placed_at: datetime
    groups: tuple[GroupDraft, ...]
    external_number: str = ""
    document_kind: str = "sale"
    mode: str = "live"
    tax_inclusive: bool = False
    customer: Party = Party()
    tenders: tuple[TenderDraft, ...] = ()
    totals: StatedTotals | None = None
    tags: tuple[str, ...] = ()
    customer_tags: tuple[str, ...] = ()
    priority: int = 0
    note: str = ""
    cart: str = ""
    inbox_id: UUID | None = None
    problems: tuple[DraftProblem, ...] = ()
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NoteDraft:
    order_id: UUID
    text: str
