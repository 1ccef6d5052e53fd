"""Feeds, their snapshots, and where feed and book differ."""

from django.db.models import TextChoices


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
