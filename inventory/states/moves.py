"""Counts, adjustments and transfers: the documents of people."""

from django.db.models import TextChoices


class CountState(TextChoices):
    """open → answered, by way of recount where the difference is large; or cancelled."""

    OPEN = "open", "Open"
    RECOUNT = "recount", "To be counted again"
    ANSWERED = "answered", "Answered"
    CANCELLED = "cancelled", "Cancelled"


OPEN_COUNT_STATES = (CountState.OPEN.value, CountState.RECOUNT.value)


class CountKind(TextChoices):
    """Why a count is asked for."""

    SHORT = "short", "A picker did not find it"
    DAMAGED = "damaged", "A picker found it broken"
    CYCLE = "cycle", "Its turn in the cycle"
    DIFFERENCE = "difference", "Book and fact differ"
    MANUAL = "manual", "Asked by hand"


class AdjustmentState(TextChoices):
    """proposed → approved → applied, or declined; what is below the limit is applied at once."""

    PROPOSED = "proposed", "Awaits approval"
    APPROVED = "approved", "Approved"
    APPLIED = "applied", "Applied"
    DECLINED = "declined", "Declined"


class AdjustmentReason(TextChoices):
    """Why a person changes the book."""

    CORRECTION = "correction", "Correction of the book"
    FOUND = "found", "Found"
    LOSS = "loss", "Lost or stolen"
    DAMAGE = "damage", "Damaged"
    EXPIRED = "expired", "Past its date"
    SAMPLE = "sample", "Sample or own use"
    DISPOSAL = "disposal", "Disposed of or given away"


class TransferState(TextChoices):
    """draft → approved → released → shipped → received → closed; cancelled before it is shipped."""

    DRAFT = "draft", "Draft"
    APPROVED = "approved", "Approved"
    RELEASED = "released", "Released"
    SHIPPED = "shipped", "Shipped"
    RECEIVED = "received", "Received"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


class TransferPurpose(TextChoices):
    REPLENISH = "replenish", "Replenishment"
    REBALANCE = "rebalance", "Rebalancing"
    SHIP_TO_STORE = "ship_to_store", "Ship to store"
    RETURN = "return", "Return to a warehouse"


class TransferClaimKind(TextChoices):
    MISSING = "missing", "Missing"
    DAMAGED = "damaged", "Damaged"


class TransferClaimState(TextChoices):
    """open → settled | withdrawn."""

    OPEN = "open", "Open"
    SETTLED = "settled", "Settled"
    WITHDRAWN = "withdrawn", "Withdrawn"
