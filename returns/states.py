"""The states of a return and of a claim, and the vocabularies their columns are checked by."""

from django.db.models import TextChoices


class ReturnState(TextChoices):
    """requested → (review) → authorized → in_transit → received → inspected → settled → closed.

    declined, expired and cancelled end it before anything has come.
    """

    REQUESTED = "requested", "Requested"
    REVIEW = "review", "Needs review"
    AUTHORIZED = "authorized", "Authorised"
    IN_TRANSIT = "in_transit", "On its way"
    RECEIVED = "received", "Received"
    INSPECTED = "inspected", "Inspected"
    SETTLED = "settled", "Settled"
    CLOSED = "closed", "Closed"
    DECLINED = "declined", "Declined"
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"


TO_DECIDE = (ReturnState.REQUESTED, ReturnState.REVIEW)
EXPECTED = (ReturnState.AUTHORIZED, ReturnState.IN_TRANSIT)
ARRIVABLE = (*EXPECTED, ReturnState.REQUESTED, ReturnState.REVIEW, ReturnState.EXPIRED)
"""Where goods may arrive for the first time: what comes is never refused."""
HERE = (ReturnState.RECEIVED, ReturnState.INSPECTED, ReturnState.SETTLED, ReturnState.CLOSED)
OPEN_RETURN = (*TO_DECIDE, *EXPECTED, ReturnState.RECEIVED, ReturnState.INSPECTED)


class ReturnKind(TextChoices):
    """How goods come to come back."""

    BUYER = "buyer", "Asked for by the buyer"
    SENT_BACK = "sent_back", "Sent back by the carrier"
    IN_STORE = "in_store", "Handed over in a store"
    BLIND = "blind", "Came without notice"
    CHANNEL = "channel", "Agreed by the channel"


class ReasonClass(TextChoices):
    """Who answers for it; it decides who pays."""

    WITHDRAWAL = "withdrawal", "Change of mind"
    DEFECT = "defect", "Defect"
    WARRANTY = "warranty", "Warranty"
    CARRIER = "carrier", "Damaged on the way"
    MERCHANT_ERROR = "merchant_error", "Our mistake"


FAULTS = frozenset(
    {ReasonClass.DEFECT, ReasonClass.WARRANTY, ReasonClass.CARRIER, ReasonClass.MERCHANT_ERROR}
)
"""The buyer pays nothing for these."""


class Trigger(TextChoices):
    """When money goes back. What becomes of the goods does not depend on it."""

    AT_ONCE = "at_once", "When it is authorised"
    FIRST_SCAN = "first_scan", "When the carrier has it"
    RECEIPT = "receipt", "When it has arrived"
    INSPECTION = "inspection", "When it was inspected"


class Wants(TextChoices):
    """What the buyer is to get. An exchange is placed by hand: money does not go back by itself."""

    REFUND = "refund", "Money back"
    EXCHANGE = "exchange", "Other goods"


class PaidBy(TextChoices):
    MERCHANT = "merchant", "We"
    BUYER = "buyer", "The buyer"


class ShippingBack(TextChoices):
    """Whether the shipping that the buyer has paid is given back too."""

    NEVER = "never", "Never"
    FAULT = "fault", "When we or the goods are at fault"
    ALWAYS = "always", "Always"


class Decision(TextChoices):
    ACCEPT = "accept", "Accepted"
    REVIEW = "review", "A person decides"
    REFUSE = "refuse", "Refused"


class Grade(TextChoices):
    A = "A", "As new"
    B = "B", "Opened"
    C = "C", "Used"
    D = "D", "Broken"


class Disposition(TextChoices):
    """What becomes of the goods."""

    RESTOCK = "restock", "Back on the shelf"
    REFURBISH = "refurbish", "To be worked on"
    QUARANTINE = "quarantine", "Set apart"
    DESTROY = "destroy", "Destroyed"
    VENDOR = "vendor", "Back to the vendor"


USUAL_DISPOSITION = {
    Grade.A: Disposition.RESTOCK,
    Grade.B: Disposition.REFURBISH,
    Grade.C: Disposition.QUARANTINE,
    Grade.D: Disposition.DESTROY,
}


class ClaimState(TextChoices):
    """open → filed → paid | denied; withdrawn when the parcel turned up, or nothing is asked."""

    OPEN = "open", "Open"
    FILED = "filed", "Filed with the carrier"
    PAID = "paid", "Paid by the carrier"
    DENIED = "denied", "Denied by the carrier"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ClaimKind(TextChoices):
    LOST = "lost", "Lost"
    DAMAGED = "damaged", "Damaged"


class Resolution(TextChoices):
    """What the buyer gets for it."""

    UNDECIDED = "", "Not decided"
    RESHIP = "reship", "Sent again"
    REFUND = "refund", "Refunded"
    NOTHING = "nothing", "Nothing"


class PhotoKind(TextChoices):
    """What a photo may be, by its media type."""

    JPEG = "image/jpeg", "JPEG"
    PNG = "image/png", "PNG"
    WEBP = "image/webp", "WEBP"
