"""What lies at nodes, what moves it, who claims it and what is on its way."""

from django.db.models import TextChoices


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
    PUT_AWAY = "put_away", "Put away"
    ADJUST = "adjust", "Adjustment"
    SALE = "sale", "Sale"
    ISSUE = "issue", "Issue"
    PUT_BACK = "put_back", "Put back"
    RETURN = "return", "Return"
    TRANSFER = "transfer", "Transfer"
    COUNT = "count", "Count"
    CONVERT = "convert", "Pack broken"
    SNAPSHOT = "snapshot", "Snapshot reset"
    FOUND = "found", "Found"
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
        MovementKind.FOUND.value,
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


class ConsignedKind(TextChoices):
    """What became of units of another owner: sold, or back from a sale."""

    SOLD = "sold", "Sold"
    PUT_BACK = "put_back", "Put back"
    RETURNED = "returned", "Returned"


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


class ShortageReason(TextChoices):
    SHORT = "short", "Not found"
    DAMAGED = "damaged", "Damaged"


class DriftKind(TextChoices):
    """A sum of the books that does not hold."""

    ON_HAND = "on_hand", "On hand and the ledger"
    SELLABLE = "sellable", "Sellable and its levels"
    RESERVED = "reserved", "Reserved and its reservations"
    SHORTFALL = "shortfall", "Shortfall, reserved and sellable"
    SHORTFALL_WORK = "shortfall_work", "Shortfall and its open work"
    LANDED_WORK = "landed_work", "Units set aside and their open work"
