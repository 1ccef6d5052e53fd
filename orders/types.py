"""Frozen values that cross the edge of orders: what comes in, what is asked, what is answered."""

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
class CapturedOrder:
    """The answer to a capture. `holds` names the types of the holds that were placed."""

    id: UUID
    number: str
    external_id: str
    state: str
    progress: str
    holds: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    repeated: bool = False
    accepts: bool = True


@dataclass(frozen=True, slots=True)
class AcceptedOrder:
    """The answer to an acceptance: how many units were reserved, backordered, left waiting."""

    id: UUID
    number: str
    state: str
    progress: str
    reserved: int = 0
    backordered: int = 0
    waiting: int = 0
    ship_by: datetime | None = None
    deliver_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Cancel an order, a line, or some units of a line. None means all that is left.

    `reason` is a code or a short sentence of at most 200 characters, kept in the clear: it names
    nobody. What must name people is a note.
    """

    order_id: UUID
    line_id: UUID | None = None
    quantity: int | None = None
    reason: str = ""
    initiator: str = "merchant"


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What a cancel achieved: units gone, units the node was asked about, units it refused."""

    order_id: UUID
    state: str
    cancelled: int
    asked: int = 0
    refused: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Place a hold. `handle` makes a repeated placing by the same placer the same hold.

    `reason` is a code or a short sentence, as of a `CancelRequest`.
    """

    order_id: UUID
    type: str
    reason: str
    group_id: UUID | None = None
    line_id: UUID | None = None
    until: datetime | None = None
    handle: str = ""
    blocks: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class NewAuthorization:
    """Money that a buyer has authorised after the order came in, in minor units.

    `reference` is the provider's. Without a tender it is for the first of ours that lacks it.
    """

    order_id: UUID
    reference: str
    amount_minor: int
    expires_at: datetime | None = None
    tender_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SecuredPayment:
    """The word of who collects an order's money: it is secured, and so much is collected to date."""

    order_id: UUID
    collected_minor: int


@dataclass(frozen=True, slots=True)
class HandSettlement:
    """What a person found out about a refund or capture: it happened, under this reference, or not."""

    payment_id: UUID
    happened: bool
    reference: str = ""


@dataclass(frozen=True, slots=True)
class AddressCorrection:
    """A new destination for one delivery group of ours."""

    group_id: UUID
    address: Address


@dataclass(frozen=True, slots=True)
class GroupMove:
    """A node has agreed that a group's work goes to this contact."""

    group_id: UUID
    contact_id: UUID


@dataclass(frozen=True, slots=True)
class PromiseMove:
    """What a node has of a group leaves later than was promised: by then."""

    group_id: UUID
    ship_by: datetime


@dataclass(frozen=True, slots=True)
class Telling:
    """Somebody is shown the dates of this version: `buyer`, `channel` or `agent`, by what."""

    promise_id: UUID
    audience: str
    by: str
    message_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewDates:
    """The dates that a group is promised from now on; neither may be earlier than what stands."""

    group_id: UUID
    ship_by: datetime
    deliver_latest: datetime


@dataclass(frozen=True, slots=True)
class ServiceWish:
    """What is unreleased of a group is to leave by this service level."""

    group_id: UUID
    service_code: str


@dataclass(frozen=True, slots=True)
class RemedyTold:
    """Something is done for a promise in danger. The cost is in minor units of the order's currency."""

    order_id: UUID
    group_id: UUID
    kind: str
    cost_minor: int
    automatic: bool


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """What a buyer says to a question: `accept`, `cancel_late` or `cancel_all`.

    `by` is `link` or `agent`; `text` are the words that they had before them, in `language`.
    """

    question_id: UUID
    choice: str
    by: str
    text: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class ChoiceGiven:
    """What is to become of a pickup that its store gave up: `collect`, `ship` or `cancel`.

    `by` is `link`, `agent` or `silence`. `node_id` is the other store; `address` is where it is sent,
    None for the address that the order names.
    """

    group_id: UUID
    choice: str
    by: str
    node_id: int | None = None
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class ChoiceMade:
    """What was chosen for a group, and about how many units."""

    group_id: UUID
    choice: str
    units: int


@dataclass(frozen=True, slots=True)
class NodePin:
    """Send what is unreleased of a group from this node; None takes the pin away."""

    group_id: UUID
    node_id: int | None


@dataclass(frozen=True, slots=True)
class ReservedMove:
    """Send units of a reservation from this node; all that are open, where no quantity is named."""

    reservation_id: UUID
    node_id: int
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class GiveWay:
    """Units of another order's reservation that a line is to have; all open ones, or so many."""

    reservation_id: UUID
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class GaveWay:
    """What became of an order that gave units up: found elsewhere, or waiting for stock.

    Dates are those of the delivery group before and after; None where there was or is no promise.
    """

    order_id: UUID
    number: str
    line_id: UUID
    units: int
    found: int
    waits: int
    promised: datetime | None
    promised_now: datetime | None

    @property
    def later(self) -> bool:
        """Whether its buyer has it later than they were told, or nobody knows when."""
        if self.waits and self.promised_now == self.promised:
            return True
        return bool(
            self.promised and (self.promised_now is None or self.promised_now > self.promised)
        )


@dataclass(frozen=True, slots=True)
class Freed:
    """A line that was put first: its units, its promise then, and who gave them up."""

    order_id: UUID
    number: str
    line_id: UUID
    units: int
    promised: datetime | None
    promised_now: datetime | None
    losers: tuple[GaveWay, ...]


@dataclass(frozen=True, slots=True)
class NoteDraft:
    order_id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class Move:
    """Take units of a line from one bucket to another."""

    line_id: UUID
    source: str
    target: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ShippedUnits:
    """Units of a line that left in a parcel."""

    order_id: UUID
    line_id: UUID
    quantity: int
    parcel_id: UUID


@dataclass(frozen=True, slots=True)
class FreedUnits:
    """Released units that their node has let go, with the reservation that they are claimed by."""

    order_id: UUID
    line_id: UUID
    quantity: int
    reservation_id: UUID


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Released units that the node could not or would not ship: they wait again.

    `node_id` and `sku_id` name what is not to be tried again by the re-sourcing that follows.
    """

    order_id: UUID
    line_id: UUID
    quantity: int
    node_id: int
    sku_id: int
    reason: str = "short"


@dataclass(frozen=True, slots=True)
class ReturnedUnits:
    """Delivered units that came back by the channel's word."""

    order_id: UUID
    line_id: UUID
    quantity: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LineQuantities:
    """The buckets of one line, for the pure folds."""

    kind: str
    ordered: int
    pending: int = 0
    backordered: int = 0
    reserved: int = 0
    released: int = 0
    shipped: int = 0
    cancelled: int = 0
    underway: int = 0
    delivered: int = 0
    lost: int = 0
    sent_back: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True)
class ReleasableLine:
    """Reserved units of a line that may go to their nodes now."""

    line_id: UUID
    sku_id: int
    reserved: int
    parent_id: UUID | None
    relation: str
    unit_weight_grams: int


@dataclass(frozen=True, slots=True)
class ReleasableGroup:
    """A delivery group of ours that nothing keeps from its nodes."""

    group_id: UUID
    order_id: UUID
    order_number: str
    account_id: UUID
    channel_id: UUID
    method: str
    service_level_id: int | None
    pickup_node_id: int | None
    contact_id: UUID | None
    priority: int
    ship_by: datetime | None
    deliver_by: datetime | None
    ship_complete: bool
    lines: tuple[ReleasableLine, ...]


@dataclass(frozen=True, slots=True)
class CreditedUnits:
    """Units of a line that are taken off what was invoiced."""

    line_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """What is to be credited of an order, decided by a document: once under its `key`.

    `shipping_minor` None is all the shipping that is left. The fee is kept of the amount, at most
    all of it. At most `carried_minor` of the amount pays for another order and is not given back.
    """

    order_id: UUID
    cause_kind: str
    cause_id: UUID
    units: tuple[CreditedUnits, ...] = ()
    shipping_minor: int | None = 0
    fee_minor: int = 0
    carried_minor: int = 0
    reason: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class CreditedPart:
    """One part of a credit note. Goods and their tax name the line."""

    part: str
    amount_minor: int
    line_id: UUID | None = None
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class CarriedMoney:
    """Money of one tender that pays for another order, where the buyer's money is to be found."""

    tender_id: UUID
    kind: str
    provider: str
    collected_by: str
    reference: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Credited:
    """The answer to a credit: what was taken off. `waiting_minor` of it is not given back yet: it
    waits until it was taken, or was never paid.
    """

    note_id: UUID
    order_id: UUID
    amount_minor: int
    currency: str
    parts: tuple[CreditedPart, ...]
    waiting_minor: int = 0
    carried: tuple[CarriedMoney, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkedLine:
    """A line of an order that follows from another. The price is of one unit, in minor units."""

    sku_code: str
    quantity: int
    price_minor: int = 0
    title: str = ""
    origin_line_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class LinkedOrder:
    """An exchange or a reship to be placed: where the first order's group went, once per cause."""

    origin_id: UUID
    group_id: UUID
    kind: str
    cause_kind: str
    cause_id: UUID
    lines: tuple[LinkedLine, ...]
    carried: tuple[CarriedMoney, ...] = ()
    parcel_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CreditableLine:
    """A line with what left, what came to its end, and what was credited of it."""

    line_id: UUID
    order_id: UUID
    group_id: UUID
    sku_id: int | None
    sku_code: str
    title: str
    kind: str
    ordered: int
    shipped: int
    delivered: int
    returned: int
    creditable: int
    charged_minor: int
    credited_minor: int
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderHead:
    """What apps above need of an order to work with it."""

    id: UUID
    number: str
    account_id: UUID
    brand_id: UUID
    channel_id: UUID
    currency: str
    state: str
    mode: str
    document_kind: str
    external_id: str
    placed_at: datetime
