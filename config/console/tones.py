"""Which colour and icon a state wears, and its name. Colour never stands alone: icon and text do."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Look:
    label: str
    tone: str = ""
    icon: str = "dot"


_LOOKS: Final[dict[str, dict[str, Look]]] = {
    "order": {
        "draft": Look("Draft"),
        "captured": Look("Captured", "info", "inbox"),
        "accepted": Look("Accepted", "info", "check"),
        "closed": Look("Closed", "good", "check"),
        "cancelled": Look("Cancelled", "", "close"),
    },
    "progress": {
        "waiting": Look("Waiting for stock", "warn", "clock"),
        "with_channel": Look("With the channel", "info", "channels"),
        "backordered": Look("Backordered", "warn", "clock"),
        "partly_reserved": Look("Partly reserved", "warn", "stock"),
        "reserved": Look("Reserved", "info", "stock"),
        "partly_released": Look("Partly at the node", "info", "nodes"),
        "released": Look("At the node", "info", "nodes"),
        "partly_shipped": Look("Partly shipped", "info", "truck"),
        "shipped": Look("Shipped", "good", "truck"),
        "partly_delivered": Look("Partly delivered", "good", "truck"),
        "delivered": Look("Delivered", "good", "check"),
        "lost": Look("Lost or sent back", "bad", "alert"),
        "cancelled": Look("Cancelled", "", "close"),
    },
    "payment": {
        "none": Look("Nothing to pay", "", "card"),
        "pending": Look("Waiting for payment", "warn", "card"),
        "authorized": Look("Authorised", "info", "card"),
        "partly_captured": Look("Partly captured", "info", "card"),
        "captured": Look("Paid", "good", "card"),
        "elsewhere": Look("Collected elsewhere", "good", "card"),
        "failed": Look("Payment failed", "bad", "card"),
        "cancelled": Look("Given back", "", "card"),
    },
    "paid": {
        "none": Look("Nothing due", "", "card"),
        "pending": Look("Waiting", "warn", "card"),
        "authorized": Look("Authorised", "info", "card"),
        "partly_captured": Look("Part paid", "info", "card"),
        "captured": Look("Paid", "good", "card"),
        "elsewhere": Look("Elsewhere", "good", "card"),
        "failed": Look("Failed", "bad", "card"),
        "cancelled": Look("Given back", "", "card"),
    },
    "rule": {
        "draft": Look("Draft", "", "clock"),
        "live": Look("In force", "good", "check"),
        "ended": Look("Ended", "", "close"),
    },
    "plan": {
        "planned": Look("Planned", "info", "clock"),
        "live": Look("Holds now", "warn", "alert"),
    },
    "quota": {
        "planned": Look("Planned", "info", "clock"),
        "live": Look("Live", "good", "check"),
        "ended": Look("Ended", "", "close"),
    },
    "fulfillment": {
        "released": Look("Released", "info", "nodes"),
        "acknowledged": Look("Acknowledged", "info", "check"),
        "picking": Look("Picking", "info", "clock"),
        "packed": Look("Packed", "info", "stock"),
        "shipped": Look("Shipped", "good", "truck"),
        "completed": Look("Completed", "good", "check"),
        "ready_for_pickup": Look("Ready for pickup", "info", "nodes"),
        "collected": Look("Collected", "good", "check"),
        "expired": Look("Expired", "bad", "alert"),
        "cancelled": Look("Cancelled", "", "close"),
    },
    "parcel": {
        "packed": Look("Packed", "info", "stock"),
        "labelled": Look("Labelled", "info", "print"),
        "manifested": Look("On the manifest", "info", "truck"),
        "handed_over": Look("Handed over", "good", "truck"),
        "in_transit": Look("In transit", "good", "truck"),
        "out_for_delivery": Look("Out for delivery", "good", "truck"),
        "attempted": Look("Delivery attempted", "warn", "alert"),
        "at_pickup_point": Look("At the pickup point", "good", "nodes"),
        "delivered": Look("Delivered", "good", "check"),
        "returning": Look("Coming back", "bad", "alert"),
        "returned": Look("Came back", "bad", "alert"),
        "damaged": Look("Damaged", "bad", "alert"),
        "lost": Look("Lost", "bad", "alert"),
        "voided": Look("Voided", "", "close"),
    },
    "case": {
        "open": Look("Open", "bad", "alert"),
        "acknowledged": Look("Acknowledged", "warn", "check"),
        "in_progress": Look("In progress", "info", "clock"),
        "waiting": Look("Waiting", "", "pause"),
        "resolved": Look("Resolved", "good", "check"),
        "auto_resolved": Look("Cleared by itself", "good", "check"),
    },
    "job": {
        "queued": Look("Queued", "", "clock"),
        "running": Look("Running", "info", "clock"),
        "done": Look("Done", "good", "check"),
        "partial": Look("Done, some refused", "warn", "alert"),
        "failed": Look("Failed", "bad", "alert"),
        "cancelled": Look("Stopped", "", "close"),
    },
    "node": {
        "onboarding": Look("Onboarding"),
        "active": Look("Open", "good", "check"),
        "paused": Look("Paused", "warn", "pause"),
        "draining": Look("Draining", "warn", "pause"),
        "closed": Look("Closed", "bad", "close"),
    },
    "inbox": {
        "received": Look("Received", "info", "inbox"),
        "applied": Look("Applied", "good", "check"),
        "ignored": Look("Ignored", "", "close"),
        "dead": Look("Dead", "bad", "alert"),
    },
    "return": {
        "requested": Look("Requested", "info", "inbox"),
        "review": Look("Needs review", "warn", "alert"),
        "authorized": Look("Authorised", "info", "check"),
        "in_transit": Look("On its way", "info", "truck"),
        "received": Look("To grade", "warn", "stock"),
        "inspected": Look("To refund", "warn", "card"),
        "settled": Look("Settled", "good", "check"),
        "closed": Look("Closed", "good", "check"),
        "declined": Look("Declined", "", "close"),
        "expired": Look("Expired", "", "clock"),
        "cancelled": Look("Called off", "", "close"),
    },
    "return_kind": {
        "buyer": Look("Asked for", "", "user"),
        "sent_back": Look("Sent back by the carrier", "warn", "truck"),
        "in_store": Look("Over the counter", "", "nodes"),
        "blind": Look("Without notice", "warn", "alert"),
        "channel": Look("Agreed by the channel", "", "inbox"),
    },
    "policy": {
        "accept": Look("Within the policy", "good", "check"),
        "review": Look("A person decides", "warn", "alert"),
        "refuse": Look("Against the policy", "bad", "close"),
    },
    "claim": {
        "open": Look("Open", "warn", "alert"),
        "filed": Look("Filed", "info", "clock"),
        "paid": Look("Paid", "good", "check"),
        "denied": Look("Denied", "bad", "close"),
        "withdrawn": Look("Withdrawn", "", "close"),
    },
    "transfer": {
        "draft": Look("To approve", "warn", "clock"),
        "approved": Look("Approved", "info", "check"),
        "released": Look("At the source", "info", "nodes"),
        "shipped": Look("In transit", "info", "truck"),
        "received": Look("With a difference", "warn", "alert"),
        "closed": Look("Closed", "good", "check"),
        "cancelled": Look("Cancelled", "", "close"),
    },
    "transfer_claim": {
        "open": Look("Open", "warn", "alert"),
        "settled": Look("Settled", "good", "check"),
        "withdrawn": Look("Withdrawn", "", "close"),
    },
    "condition": {
        "available": Look("Available", "good", "check"),
        "receiving": Look("In receiving", "info", "inbox"),
        "reserve_storage": Look("In bulk", "", "stock"),
        "quality_hold": Look("On hold", "warn", "pause"),
        "damaged": Look("Damaged", "bad", "alert"),
        "count_pending": Look("To be counted", "warn", "clock"),
    },
    "lot": {
        "active": Look("On sale", "good", "check"),
        "held": Look("On hold", "warn", "pause"),
        "recalled": Look("Recalled", "bad", "alert"),
        "expired": Look("Expired", "bad", "clock"),
    },
    "serial": {
        "in_stock": Look("In stock", "good", "stock"),
        "picked": Look("Picked", "info", "nodes"),
        "shipped": Look("Shipped", "good", "truck"),
        "returned": Look("Came back", "info", "back"),
        "scrapped": Look("Scrapped", "", "close"),
    },
    "recall": {
        "stopping": Look("Being stopped", "warn", "clock"),
        "stopped": Look("Stopped everywhere", "bad", "alert"),
        "lifted": Look("Lifted", "", "check"),
    },
    "adjustment": {
        "proposed": Look("Awaits approval", "warn", "clock"),
        "approved": Look("Approved", "info", "check"),
        "applied": Look("In the ledger", "good", "check"),
        "declined": Look("Declined", "", "close"),
    },
    "count": {
        "open": Look("To be counted", "info", "clock"),
        "recount": Look("To be counted again", "warn", "alert"),
        "answered": Look("Counted", "good", "check"),
        "cancelled": Look("Dropped", "", "close"),
    },
    "dispute": {
        "opened": Look("Open", "bad", "alert"),
        "won": Look("Won", "good", "check"),
        "lost": Look("Lost", "bad", "close"),
    },
    "copy": {
        "waiting": Look("To be sent", "warn", "clock"),
        "same": Look("As it should be", "good", "check"),
        "refused": Look("Refused there", "bad", "close"),
        "different": Look("Different there", "bad", "alert"),
        "missing": Look("Missing there", "bad", "alert"),
        "told": Look("Told by the channel", "", "inbox"),
    },
    "letter": {
        "waiting": Look("To be sent", "info", "clock"),
        "sent": Look("Sent", "good", "check"),
        "unconfirmed": Look("Perhaps sent", "warn", "alert"),
        "failed": Look("Not sent", "bad", "alert"),
        "silent": Look("Nobody to write to", "", "close"),
    },
    "webhook": {
        "waiting": Look("To be sent", "info", "clock"),
        "delivered": Look("Delivered", "good", "check"),
        "failed": Look("Failed", "bad", "alert"),
        "kept": Look("Kept: the endpoint is off", "warn", "pause"),
    },
    "endpoint": {
        "enabled": Look("On", "good", "check"),
        "disabled": Look("Off", "bad", "pause"),
    },
    "intent": {
        "pending": Look("To be asked", "info", "clock"),
        "running": Look("Being asked", "info", "clock"),
        "unknown": Look("Outcome unknown", "warn", "alert"),
        "done": Look("Answered", "good", "check"),
        "refused": Look("Refused", "warn", "close"),
        "dead": Look("Dead", "bad", "alert"),
    },
    "delivery": {
        "pending": Look("To be done", "info", "clock"),
        "done": Look("Done", "good", "check"),
        "dead": Look("Dead", "bad", "alert"),
    },
    "connection": {
        "listening": Look("Listening", "info", "clock"),
        "live": Look("Live", "good", "check"),
        "paused": Look("Paused", "warn", "pause"),
    },
    "hold": {
        "active": Look("Active", "bad", "pause"),
        "released": Look("Released", "good", "check"),
        "expired": Look("Expired", "", "clock"),
    },
    "outcome": {
        "waiting": Look("Waiting", "", "clock"),
        "done": Look("Done", "good", "check"),
        "repeated": Look("Already done", "", "check"),
        "refused": Look("Refused", "bad", "alert"),
    },
    "supply_import": {
        "received": Look("Received", "", "clock"),
        "checking": Look("Being checked", "info", "clock"),
        "checked": Look("Checked, not applied", "warn", "alert"),
        "applying": Look("Being applied", "info", "clock"),
        "applied": Look("Applied", "good", "check"),
    },
    "row": {
        "created": Look("New", "good", "check"),
        "changed": Look("Changed", "info", "check"),
        "same": Look("Same"),
        "removed": Look("Removed", "warn", "close"),
        "refused": Look("Refused", "bad", "alert"),
    },
    "money": {
        "requested": Look("Requested", "info", "clock"),
        "live": Look("Live", "good", "check"),
        "expired": Look("Expired", "bad", "alert"),
        "voided": Look("Voided", "", "close"),
        "used": Look("Used", "good", "check"),
        "succeeded": Look("Succeeded", "good", "check"),
        "failed": Look("Failed", "bad", "alert"),
        "unknown": Look("Outcome unknown", "warn", "clock"),
        "withdrawn": Look("Withdrawn", "", "close"),
        "pending": Look("Pending", "info", "clock"),
        "sent": Look("Sent", "info", "clock"),
        "retried": Look("Retried", "", "clock"),
        "manual": Look("Settled by hand", "good", "check"),
    },
    "severity": {
        "1": Look("Stops orders", "bad", "alert"),
        "2": Look("Urgent", "warn", "alert"),
        "3": Look("Normal", "info"),
        "4": Look("Can wait"),
    },
    "verdict": {
        "chosen": Look("Chosen", "good", "check"),
        "costs_more": Look("Costs more"),
        "dominated": Look("Costs more"),
        "no_stock": Look("No stock", "bad", "close"),
        "part_stock": Look("Part of the stock", "warn", "alert"),
        "excluded": Look("Excluded after a short", "bad", "close"),
        "node_closed": Look("Closed", "bad", "close"),
        "node_paused": Look("Paused", "warn", "pause"),
        "capacity": Look("Full", "warn", "alert"),
        "no_service": Look("No such service", "bad", "close"),
        "not_in_network": Look("Not for this channel", "", "close"),
        "pinned_elsewhere": Look("Pinned elsewhere", "", "close"),
        "too_far": Look("Too far", "", "close"),
        "late": Look("Would be late", "warn", "clock"),
    },
}


def look(kind: str, value: object) -> Look:
    """The look of a value of a kind; an unknown one is shown by its own code, in words."""
    known = _LOOKS[kind].get(str(value))
    return known or Look(str(value).replace("_", " ").capitalize())


def choices(kind: str) -> list[tuple[str, str]]:
    """(code, label) of every value of a kind, in the order of the machine."""
    return [(code, each.label) for code, each in _LOOKS[kind].items()]
