"""The states of every machine in orders, and the small vocabularies its columns are checked by."""

from functools import cache

from django.db.models import TextChoices


@cache
def values_of(choices: type[TextChoices]) -> tuple[str, ...]:
    """The stored values of a vocabulary; asked of the class, they are put together each time."""
    return tuple(choices.values)


class OrderState(TextChoices):
    """draft → captured → accepted → closed; cancelled only when every unit is cancelled."""

    DRAFT = "draft", "Draft"
    CAPTURED = "captured", "Captured"
    ACCEPTED = "accepted", "Accepted"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


class Progress(TextChoices):
    """Where the units of an order stand, folded from its line quantities (`orders.progress`)."""

    WAITING = "waiting", "Waiting for stock"
    WITH_CHANNEL = "with_channel", "With the channel"
    BACKORDERED = "backordered", "Backordered"
    PARTLY_RESERVED = "partly_reserved", "Partly reserved"
    RESERVED = "reserved", "Reserved"
    PARTLY_RELEASED = "partly_released", "Partly at the node"
    RELEASED = "released", "At the node"
    PARTLY_SHIPPED = "partly_shipped", "Partly shipped"
    SHIPPED = "shipped", "Shipped"
    PARTLY_DELIVERED = "partly_delivered", "Partly delivered"
    DELIVERED = "delivered", "Delivered"
    LOST = "lost", "Lost or sent back"
    CANCELLED = "cancelled", "Cancelled"


class DocumentKind(TextChoices):
    SALE = "sale", "Sale"
    RESHIP = "reship", "Reship"
    EXCHANGE = "exchange", "Exchange"


class Mode(TextChoices):
    """How an order came in: live; open (cutover, reserved again); history (closed facts)."""

    LIVE = "live", "Live"
    OPEN = "open", "Open at cutover"
    HISTORY = "history", "History"


class Method(TextChoices):
    SHIP = "ship", "Ship"
    PICKUP = "pickup", "Pickup"
    SHIP_TO_STORE = "ship_to_store", "Ship to store"
    OWN_DELIVERY = "own_delivery", "Own delivery"
    DIGITAL = "digital", "Digital"
    NONE = "none", "Handed over"


class FulfilledBy(TextChoices):
    US = "us", "Us"
    CHANNEL = "channel", "The channel"
    ELSEWHERE = "elsewhere", "Elsewhere"


class LineKind(TextChoices):
    STOCK = "stock", "Stock"
    KIT = "kit", "Kit"
    SERVICE = "service", "Service"
    DIGITAL = "digital", "Digital"
    GIFT_CARD = "gift_card", "Gift card"


class Relation(TextChoices):
    """What a line is to its parent line."""

    KIT_COMPONENT = "kit_component", "Component of a kit"
    GIFT = "gift", "Gift with purchase"
    WRAP = "wrap", "Gift wrap"
    ENGRAVING = "engraving", "Engraving"


class HoldState(TextChoices):
    """active → released | expired."""

    ACTIVE = "active", "Active"
    RELEASED = "released", "Released"
    EXPIRED = "expired", "Expired"


class HoldScope(TextChoices):
    ORDER = "order", "Order"
    GROUP = "group", "Delivery group"
    LINE = "line", "Line"


class Blocks(TextChoices):
    """The transitions that a hold may stop."""

    ACCEPT = "accept", "Accept"
    RELEASE = "release", "Release"
    CAPTURE = "capture", "Take the money"
    CLOSE = "close", "Close"


class Initiator(TextChoices):
    BUYER = "buyer", "Buyer"
    MERCHANT = "merchant", "Merchant"
    SYSTEM = "system", "Switchyard"
    CHANNEL = "channel", "Channel"


class PickupChoice(TextChoices):
    """What a buyer wants instead of a pickup that its store gave up."""

    COLLECT = "collect", "Collect it at another store"
    SHIP = "ship", "Have it sent"
    CANCEL = "cancel", "Cancel it"


class CollectedBy(TextChoices):
    US = "us", "Us"
    CHANNEL = "channel", "The channel"
    TERMS = "terms", "On account"
    TILL = "till", "The till"


class AuthorizationState(TextChoices):
    """requested → live → used | voided | expired."""

    REQUESTED = "requested", "Requested"
    LIVE = "live", "Live"
    EXPIRED = "expired", "Expired"
    VOIDED = "voided", "Voided"
    USED = "used", "Used"


class CaptureState(TextChoices):
    """requested → succeeded | failed | unknown | withdrawn; unknown becomes one of the first two."""

    REQUESTED = "requested", "Requested"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Outcome unknown"
    WITHDRAWN = "withdrawn", "Withdrawn"


class RefundState(TextChoices):
    """pending → sent → succeeded | failed → retried | manual; sent is settled by hand as well.

    What succeeded may fail late. Retried is what something else took the place of.
    """

    PENDING = "pending", "Pending"
    SENT = "sent", "Sent"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    RETRIED = "retried", "Retried"
    MANUAL = "manual", "Settled by hand"


class DisputeState(TextChoices):
    """opened → won | lost."""

    OPENED = "opened", "Open"
    WON = "won", "Won"
    LOST = "lost", "Lost"


class InvoiceKind(TextChoices):
    INVOICE = "invoice", "Invoice"
    CREDIT_NOTE = "credit_note", "Credit note"


class CreditPart(TextChoices):
    """What a part of a credit note is about."""

    ITEM = "item", "Goods"
    TAX = "tax", "Tax"
    DISCOUNT = "discount", "Share of a discount"
    SHIPPING = "shipping", "Shipping"
    FEE = "fee", "Fee kept"


class PaymentState(TextChoices):
    """The money of an order in one word, folded from its tenders (`orders.progress`)."""

    NONE = "none", "Nothing to pay"
    PENDING = "pending", "Waiting for payment"
    AUTHORIZED = "authorized", "Authorised"
    PARTLY_CAPTURED = "partly_captured", "Partly captured"
    CAPTURED = "captured", "Captured"
    ELSEWHERE = "elsewhere", "Collected elsewhere"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Given back"


PAYMENT_OK = frozenset(
    {
        PaymentState.NONE,
        PaymentState.AUTHORIZED,
        PaymentState.PARTLY_CAPTURED,
        PaymentState.CAPTURED,
        PaymentState.ELSEWHERE,
    }
)


class Audience(TextChoices):
    """Who was told the dates of a promise."""

    BUYER = "buyer", "The buyer"
    CHANNEL = "channel", "The channel"
    AGENT = "agent", "An agent"


class Silence(TextChoices):
    """What it means that a buyer does not answer in time."""

    CONSENT = "consent", "Silence is consent"
    CANCEL = "cancel", "Silence cancels"


class ConsentChoice(TextChoices):
    """What became of a question: three answers, and two ways in which it fell away."""

    ACCEPT = "accept", "The new date is accepted"
    CANCEL_LATE = "cancel_late", "What is late is cancelled"
    CANCEL_ALL = "cancel_all", "Everything not sent is cancelled"
    REPLACED = "replaced", "Another question took its place"
    GONE = "gone", "It left, or was cancelled, before anybody answered"


class ConsentBy(TextChoices):
    """How the answer came."""

    LINK = "link", "The buyer, on the tracking page"
    AGENT = "agent", "An agent, for the buyer"
    SILENCE = "silence", "Nobody answered"
    SYSTEM = "system", "By itself"


# The buckets that `ordered` is the sum of, and those that `shipped` is the sum of.
OPEN_BUCKETS = ("pending", "backordered", "reserved", "released")
ORDERED_BUCKETS = (*OPEN_BUCKETS, "shipped", "cancelled")
SHIPPED_BUCKETS = ("underway", "delivered", "lost", "sent_back")
BUCKETS = (*ORDERED_BUCKETS, *SHIPPED_BUCKETS, "returned")
