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


CAPACITY_FUNCTIONS = (Function.SHIP.value, Function.PICKUP.value)
"""The functions of which a node's capacity is counted."""


class Capability(TextChoices):
    """What a node can do beyond holding goods and handing them over."""

    HAZMAT = "hazmat", "Dangerous goods"
    LOT_TRACKING = "lot_tracking", "Lots"
    SERIAL_TRACKING = "serial_tracking", "Serial numbers"
    BREAK_CASE = "break_case", "Opens cases"
    BREAK_PALLET = "break_pallet", "Opens pallets"
    GIFT_WRAP = "gift_wrap", "Gift wrap"
    ENGRAVING = "engraving", "Engraving"
    COLD_CHAIN = "cold_chain", "Cold chain"
    OVERSIZE = "oversize", "Oversize goods"
    SAME_DAY = "same_day", "Same-day dispatch"
    AGE_CHECK = "age_check", "Checks ages"


class CapacityResource(TextChoices):
    """What is counted of the work in a window."""

    ORDERS = "orders", "Orders"
    LINES = "lines", "Lines"
    UNITS = "units", "Units"
    PARCELS = "parcels", "Parcels"


class PlanKind(TextChoices):
    """What a plan makes of a node for a while."""

    CLOSED = "closed", "Closed"
    REDUCED = "reduced", "Does less"
    EXTRA = "extra", "Does more"


class PlanState(TextChoices):
    """planned → live → ended; cancelled before it ends."""

    PLANNED = "planned", "Planned"
    LIVE = "live", "Live"
    ENDED = "ended", "Ended"
    CANCELLED = "cancelled", "Cancelled"


class SignalCode(TextChoices):
    """What is measured of a node's work."""

    OPEN_WORK = "open_work", "Open work"
    ACK_LATENCY = "ack_latency", "Time to take work on"
    PICK_FAIL_RATE = "pick_fail_rate", "Units not found"
    FEED_AGE = "feed_age", "Age of its stock feed"
    BACKLOG = "backlog", "Left over from earlier windows"


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


class Lifecycle(TextChoices):
    """planned → active ⇄ phasing_out → discontinued; revived it is active again."""

    PLANNED = "planned", "Planned"
    ACTIVE = "active", "Active"
    PHASING_OUT = "phasing_out", "Phasing out"
    DISCONTINUED = "discontinued", "Discontinued"


class Storage(TextChoices):
    """At what temperature it is kept."""

    AMBIENT = "ambient", "Ambient"
    CHILLED = "chilled", "Chilled (2 to 8 °C)"
    FROZEN = "frozen", "Frozen (−18 °C or less)"


class PackLevel(TextChoices):
    """How units are packed; each level holds whole packs of the one before."""

    EACH = "each", "Each"
    INNER = "inner", "Inner pack"
    CASE = "case", "Case"
    PALLET = "pallet", "Pallet"


class BarcodeKind(TextChoices):
    """Given out by GS1, with a check digit; or by the retailer itself."""

    GTIN = "gtin", "GTIN"
    INTERNAL = "internal", "Internal"


class SubstituteState(TextChoices):
    """proposed → approved → retired; one that is changed is proposed again."""

    PROPOSED = "proposed", "Proposed"
    APPROVED = "approved", "Approved"
    RETIRED = "retired", "Retired"


class PriceRule(TextChoices):
    """What the buyer pays for a substitute."""

    KEEP = "keep", "As sold"
    LOWER = "lower", "The lower of the two"
    OWN = "own", "Its own price"


class SupplyImportState(TextChoices):
    """received → checking → checked → applying → applied; also applied without a check."""

    RECEIVED = "received", "Received"
    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Checked"
    APPLYING = "applying", "Being applied"
    APPLIED = "applied", "Applied"


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
    """What a feed sends: whole figures as of a time, changes, or both."""

    SNAPSHOT = "snapshot", "Snapshot"
    DELTA = "delta", "Delta"
    BOTH = "both", "Snapshot and delta"


class FeedOrdering(TextChoices):
    """What a feed's changes can be put in order by."""

    SEQUENCE = "sequence", "Sequence numbers"
    TIME = "time", "Times"
    NONE = "none", "Nothing"


class Degrade(TextChoices):
    """What becomes of a node's availability while a feed about it is silent."""

    NONE = "none", "Nothing"
    HAIRCUT = "haircut", "Hold back a share"
    NO_SAME_DAY = "no_same_day", "No same-day promises"
    STOP = "stop", "Sell nothing"


class FeedState(TextChoices):
    """fresh → late → silent; a feed that speaks is fresh again."""

    FRESH = "fresh", "Fresh"
    LATE = "late", "Late"
    SILENT = "silent", "Silent"


class SnapshotState(TextChoices):
    """open → accepted → applied; open → refused | withdrawn."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    APPLIED = "applied", "Applied"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"


class DifferenceState(TextChoices):
    """open → accepted | kept | explained | superseded; healed and in flight from the beginning."""

    OPEN = "open", "Open"
    HEALED = "healed", "Healed by rule"
    IN_FLIGHT = "in_flight", "In flight"
    ACCEPTED = "accepted", "Theirs accepted"
    KEPT = "kept", "Ours kept, count asked"
    EXPLAINED = "explained", "Explained"
    SUPERSEDED = "superseded", "Superseded"


class DifferenceCause(TextChoices):
    """What probably made a node's figure and the book differ."""

    MOVING = "moving", "Moved while it was counted"
    LEAVING = "leaving", "Picked, on its way out"
    UNPOSTED_SHIPMENT = "unposted_shipment", "Shipped, but not told"
    UNTOLD_SALE = "untold_sale", "Sold at the till, but not told"
    UNBOOKED_RECEIPT = "unbooked_receipt", "Received, but not told"
    COUNTED_TWICE = "counted_twice", "Counted twice"
    NEIGHBOUR = "neighbour", "Booked on another SKU"
    UNLISTED = "unlisted", "Not on the list"
    LOST = "lost", "Lost"
    FOUND = "found", "Found"


class CountState(TextChoices):
    """open → answered, by way of recount where the difference is large; or cancelled."""

    OPEN = "open", "Open"
    RECOUNT = "recount", "To be counted again"
    ANSWERED = "answered", "Answered"
    CANCELLED = "cancelled", "Cancelled"


OPEN_COUNT_STATES = (CountState.OPEN.value, CountState.RECOUNT.value)


class ShortageReason(TextChoices):
    SHORT = "short", "Not found"
    DAMAGED = "damaged", "Damaged"


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


class RuleState(TextChoices):
    """draft ⇄ live → ended."""

    DRAFT = "draft", "Draft"
    LIVE = "live", "Live"
    ENDED = "ended", "Ended"


class QuotaState(TextChoices):
    """planned → live → ended."""

    PLANNED = "planned", "Planned"
    LIVE = "live", "Live"
    ENDED = "ended", "Ended"


class QuotaKind(TextChoices):
    """So many units in all; a share of what may be sold; or the last units that there are."""

    FIXED = "fixed", "Fixed units"
    PERCENT = "percent", "Share of what may be sold"
    PRIORITY = "priority", "The last units"


class Regulation(TextChoices):
    """Which law a SKU falls under, where one does."""

    NONE = "", "None"
    ALCOHOL = "alcohol", "Alcohol"
    TOBACCO = "tobacco", "Tobacco"
    MEDICINE = "medicine", "Medicine"
    AGE_RESTRICTED = "age_restricted", "Age-restricted"
    BATTERY = "battery", "Batteries"


class LotState(TextChoices):
    """active ⇄ held; either → recalled ⇄, or → expired; only an active lot may be sold."""

    ACTIVE = "active", "Active"
    HELD = "held", "Held"
    RECALLED = "recalled", "Recalled"
    EXPIRED = "expired", "Expired"


class SerialState(TextChoices):
    """in_stock → picked → shipped → returned → in_stock; scrapped from anywhere."""

    IN_STOCK = "in_stock", "In stock"
    PICKED = "picked", "Picked"
    SHIPPED = "shipped", "Shipped"
    RETURNED = "returned", "Came back"
    SCRAPPED = "scrapped", "Scrapped"


class RecallState(TextChoices):
    """stopping → stopped → lifted."""

    STOPPING = "stopping", "Being stopped"
    STOPPED = "stopped", "Stopped"
    LIFTED = "lifted", "Lifted"


class DriftKind(TextChoices):
    """A sum of the books that does not hold."""

    ON_HAND = "on_hand", "On hand and the ledger"
    SELLABLE = "sellable", "Sellable and its levels"
    RESERVED = "reserved", "Reserved and its reservations"
    SHORTFALL = "shortfall", "Shortfall, reserved and sellable"
    SHORTFALL_WORK = "shortfall_work", "Shortfall and its open work"
    LANDED_WORK = "landed_work", "Units set aside and their open work"
