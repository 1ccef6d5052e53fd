"""The states and kinds of supply. Machines are drawn where their transitions stand, in `models`."""

from django.db.models import TextChoices


class NodeKind(TextChoices):
    DC = "dc", "Distribution center"
    STORE = "store", "Store"
    THREEPL = "threepl", "3PL warehouse"
    SUPPLIER = "supplier", "Drop-ship supplier"
    CHANNEL = "channel", "Channel's own warehouse"


class NodeState(TextChoices):
    """onboarding → active ⇄ paused → draining → closed; an active node may drain at once."""

    ONBOARDING = "onboarding", "Onboarding"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    DRAINING = "draining", "Draining"
    CLOSED = "closed", "Closed"


class Function(TextChoices):
    """What a node does; each is paused apart from the others."""

    SHIP = "ship", "Ship"
    PICKUP = "pickup", "Pickup"
    RECEIVING = "receiving", "Receiving"
    RETURNS = "returns", "Returns"


class ServiceKind(TextChoices):
    ECONOMY = "economy", "Economy"
    STANDARD = "standard", "Standard"
    EXPRESS = "express", "Express"
    SAME_DAY = "same_day", "Same day"


class SkuKind(TextChoices):
    """Only stock is sourced; a kit is sold as one and shipped as its components."""

    STOCK = "stock", "Stock"
    KIT = "kit", "Kit"
    SERVICE = "service", "Service"
    DIGITAL = "digital", "Digital"
    GIFT_CARD = "gift_card", "Gift card"


class Condition(TextChoices):
    """How units lie at a node. Only what is available may be sold."""

    AVAILABLE = "available", "Available"
    RECEIVING = "receiving", "Receiving"
    RESERVE_STORAGE = "reserve_storage", "Reserve storage"
    QUALITY_HOLD = "quality_hold", "Quality hold"
    DAMAGED = "damaged", "Damaged"
    COUNT_PENDING = "count_pending", "Count pending"


SELLABLE_CONDITIONS = frozenset({Condition.AVAILABLE.value})


class MovementKind(TextChoices):
    """Why units came, went or changed condition. `discrepancy` closes the gap between fact and book."""

    RECEIPT = "receipt", "Receipt"
    ADJUST = "adjust", "Adjustment"
    SALE = "sale", "Sale"
    ISSUE = "issue", "Issue"
    PUT_BACK = "put_back", "Put back"
    RETURN = "return", "Return"
    TRANSFER = "transfer", "Transfer"
    COUNT = "count", "Count"
    SNAPSHOT = "snapshot", "Snapshot"
    SHORT = "short", "Short"
    DAMAGE = "damage", "Damage"
    CONDITION = "condition", "Change of condition"
    DISCREPANCY = "discrepancy", "Discrepancy"
    CARRIED_FORWARD = "carried_forward", "Carried forward"


# What `record_changes` takes: an issue among them is of units that nothing had reserved.
CHANGE_KINDS = frozenset(
    {
        MovementKind.RECEIPT.value,
        MovementKind.ADJUST.value,
        MovementKind.SALE.value,
        MovementKind.ISSUE.value,
        MovementKind.RETURN.value,
        MovementKind.TRANSFER.value,
        MovementKind.COUNT.value,
        MovementKind.SNAPSHOT.value,
        MovementKind.DAMAGE.value,
    }
)


class ReservationState(TextChoices):
    """held → reserved → committed → consumed; → released | expired | failed; waiting → reserved."""

    WAITING = "waiting", "Waiting for supply"
    HELD = "held", "Held"
    RESERVED = "reserved", "Reserved"
    COMMITTED = "committed", "Committed"
    CONSUMED = "consumed", "Consumed"
    RELEASED = "released", "Released"
    EXPIRED = "expired", "Expired"
    FAILED = "failed", "Failed"


CLAIMING_STATES = (
    ReservationState.HELD.value,
    ReservationState.RESERVED.value,
    ReservationState.COMMITTED.value,
)
"""The states whose open units are counted in `reserved` of their position."""

OPEN_RESERVATION_STATES = (ReservationState.WAITING.value, *CLAIMING_STATES)


class InboundKind(TextChoices):
    PURCHASE_ORDER = "po", "Purchase order"
    ADVANCE_NOTICE = "asn", "Advance shipping notice"
    TRANSFER = "transfer", "Transfer"


class InboundState(TextChoices):
    """expected → arriving → received; cancelled before everything is received."""

    EXPECTED = "expected", "Expected"
    ARRIVING = "arriving", "Arriving"
    RECEIVED = "received", "Received"
    CANCELLED = "cancelled", "Cancelled"


class FeedSemantics(TextChoices):
    SNAPSHOT = "snapshot", "Snapshot"
    DELTA = "delta", "Delta"


class CountState(TextChoices):
    """open → answered."""

    OPEN = "open", "Open"
    ANSWERED = "answered", "Answered"


class ShortageReason(TextChoices):
    SHORT = "short", "Not found"
    DAMAGED = "damaged", "Damaged"
