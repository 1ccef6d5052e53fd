"""Nodes, what they do and how much, plans and signals."""

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


CAPACITY_FUNCTIONS = (Function.SHIP.value, Function.PICKUP.value, Function.RECEIVING.value)
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
    APPOINTMENTS = "appointments", "Appointments at the docks"


AT_THE_DOCKS = frozenset({CapacityResource.APPOINTMENTS.value, CapacityResource.UNITS.value})
"""What is counted of what comes in; of what goes out everything but appointments."""


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
    DOCKS = "docks", "Fullest window at the docks"


class ServiceKind(TextChoices):
    ECONOMY = "economy", "Economy"
    STANDARD = "standard", "Standard"
    EXPRESS = "express", "Express"
    SAME_DAY = "same_day", "Same day"
