"""Events as entries of a timeline: what happened in words, who did it, and how it looks. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from config.console import words

_TITLES: Final[dict[str, str]] = {
    "order.captured": "Order came in",
    "transfer.drafted": "Drafted",
    "transfer.approved": "Approved",
    "transfer.released": "The source is asked for it",
    "transfer.shorted": "Units taken back: stock fell short",
    "transfer.shipped": "Left the source",
    "transfer.arrived": "Some of it arrived",
    "transfer.received": "All that left has arrived or is known not to",
    "transfer.closed": "Closed",
    "transfer.cancelled": "Cancelled",
    "order.imported": "Imported as history",
    "order.held": "Put on hold",
    "order.hold_released": "Hold released",
    "order.hold_expired": "Hold ended by itself",
    "order.hold_overdue": "Hold took too long: its stock was given back",
    "order.accepted": "Accepted",
    "order.backordered": "Waits for stock",
    "order.cart_taken_over": "Has what its cart held",
    "order.cart_missed": "The hold of its cart had ended",
    "order.quote_kept": "Promised as its buyer was quoted",
    "order.quote_missed": "Its quote did not hold",
    "order.units_moved": "Reserved units moved to another node",
    "order.units_gained": "Put first: has units of another order",
    "order.units_given_up": "Gave units up to an order that goes first",
    "order.replanned": "Sent from where it is better",
    "order.resourced": "Sourced anew",
    "order.cancelled": "Cancelled",
    "order.units_cancelled": "Units cancelled",
    "order.address_corrected": "Address corrected",
    "order.pickup_choice": "The buyer chose for a pickup",
    "order.note_added": "Note",
    "order.note_withdrawn": "Note withdrawn",
    "order.person_erased": "Person erased",
    "order.updated": "Changed",
    "order.shipped": "Shipped",
    "order.shipment_reversed": "Shipment taken back, its invoice credited",
    "order.delivered": "Delivered",
    "order.closed": "Closed",
    "payment.capture_requested": "Payment requested",
    "payment.captured": "Payment taken",
    "payment.capture_failed": "Payment failed",
    "payment.capture_unknown": "Payment given up, outcome unknown",
    "payment.capture_withdrawn": "Payment withdrawn before it was asked for",
    "payment.lookup_requested": "Provider asked what became of a payment",
    "payment.voided": "Authorisation given back",
    "payment.secured_elsewhere": "Payment secured elsewhere",
    "payment.refund_requested": "Refund requested",
    "payment.refunded": "Refunded",
    "payment.refund_failed": "Refund failed",
    "payment.refund_unknown": "Refund given up, outcome unknown",
    "payment.refund_settled": "Refund settled by hand",
    "payment.renewal_requested": "Authorisation to be renewed",
    "payment.renewed": "Authorisation renewed",
    "payment.renewal_failed": "Authorisation not renewed",
    "payment.asked_for": "Buyer asked to pay again",
    "payment.risk_accepted": "Sent at our own risk: owed on account",
    "payment.disputed": "Payment disputed",
    "payment.dispute_won": "Dispute won",
    "payment.dispute_lost": "Dispute lost: the bank took the money back",
    "fulfillment.released": "Released to the node",
    "fulfillment.acknowledged": "Taken on by the node",
    "fulfillment.picked": "Picked",
    "fulfillment.packed": "Packed",
    "fulfillment.unpacked": "Unpacked again",
    "fulfillment.short": "The node came up short",
    "fulfillment.rejected": "Rejected by the node",
    "fulfillment.shipped": "Left the node",
    "fulfillment.shipment_reversed": "Back at the node: it had not left",
    "fulfillment.completed": "All parcels have arrived",
    "fulfillment.ready_for_pickup": "Ready for pickup",
    "fulfillment.collected": "Collected",
    "fulfillment.expired": "Not collected in time",
    "fulfillment.cancelled": "Work cancelled",
    "fulfillment.put_back": "Put back on the shelf",
    "parcel.packed": "Parcel packed",
    "parcel.label_asked": "Label asked for",
    "parcel.labelled": "Label bought",
    "parcel.label_refused": "Label refused by the carrier",
    "parcel.manifested": "Parcel on the manifest",
    "parcel.shipped": "Parcel handed to the carrier",
    "parcel.shipment_reversed": "Parcel taken back before its first scan",
    "parcel.label_given_back": "Label given back to the carrier",
    "parcel.moved": "News of the parcel",
    "parcel.delivered": "Parcel delivered",
    "parcel.lost": "Parcel lost",
    "parcel.damaged": "Parcel damaged",
    "parcel.returned": "Parcel came back",
    "parcel.voided": "Parcel opened again",
    "return.requested": "Return asked for",
    "return.authorized": "Return let in",
    "return.declined": "Return declined",
    "return.cancelled": "Return called off",
    "return.expired": "Return expired",
    "return.shipped": "Return on its way",
    "return.labelled": "Return label bought",
    "return.label_refused": "Return label refused by the carrier",
    "return.received": "Return received",
    "return.identified": "Order of the return found",
    "return.inspected": "Return graded",
    "return.credited": "Return credited",
    "return.exchanged": "Exchanged for other goods",
    "return.settled": "Return settled",
    "return.closed": "Return closed",
    "claim.opened": "Claim opened",
    "claim.filed": "Claim filed with the carrier",
    "claim.answered": "Carrier answered the claim",
    "claim.withdrawn": "Claim withdrawn",
    "claim.resolved": "Claim decided for the buyer",
    "order.credited": "Credited",
    "payment.refund_due_elsewhere": "Others are to give the money back",
    "case.opened": "Case opened",
    "case.acknowledged": "Case acknowledged",
    "case.assigned": "Case assigned",
    "case.taken_up": "Case taken up",
    "case.waiting": "Case waits",
    "case.put_back": "Case put back",
    "case.resolved": "Case resolved",
    "case.auto_resolved": "Case cleared by itself",
    "case.reopened": "Case opened again",
    "contact.revealed": "Contact looked at",
    "message.opened": "Message opened",
}
_ALERT: Final = frozenset(
    {
        "order.held", "order.hold_overdue", "order.backordered", "order.cancelled",
        "order.cart_missed", "order.quote_missed", "order.units_given_up",
        "order.units_cancelled", "payment.capture_failed", "payment.refund_failed",
        "payment.disputed", "payment.dispute_lost", "payment.renewal_failed",
        "fulfillment.short", "fulfillment.rejected", "fulfillment.expired", "parcel.lost",
        "parcel.damaged", "parcel.returned", "parcel.label_refused", "case.opened",
    }
)  # fmt: skip
_GOOD: Final = frozenset(
    {"order.shipped", "order.delivered", "order.closed", "parcel.delivered", "parcel.shipped",
     "fulfillment.collected", "payment.captured", "case.resolved", "case.auto_resolved"}
)  # fmt: skip
_SAID: Final = (
    "number", "type", "state", "status", "reason", "why", "resolution", "node", "node_code",
    "winner", "carrier", "tracking_number", "place", "quantity", "units", "cause", "kind",
    "from", "to", "found", "waits", "given_back",
)  # fmt: skip
KINDS: Final[dict[str, str]] = {
    "": "Everything",
    "order": "Order",
    "fulfillment": "Nodes",
    "parcel": "Parcels",
    "payment": "Money",
    "return": "Returns",
    "case": "Cases",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    at: datetime
    title: str
    detail: str
    who: str
    tone: str
    kind: str
    topic: str


def entries(events: Iterable[Mapping[str, Any]], notes: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Events and opened notes, newest first."""
    happened = list(events)
    withdrawn = {
        event["data"].get("note_id")
        for event in happened
        if event["topic"] == "order.note_withdrawn"
    }
    told = [_entry(event) for event in happened if event["topic"] != "order.note_added"]
    told += [
        Entry(
            note["at"], "Note", note["text"], note["author"], "person", "order", "order.note_added"
        )
        for note in notes
        if str(note["id"]) not in withdrawn
    ]
    return sorted(told, key=lambda each: each.at, reverse=True)


def _entry(event: Mapping[str, Any]) -> Entry:
    topic = event["topic"]
    tone = "alert" if topic in _ALERT else "good" if topic in _GOOD else ""
    if not tone and event["actor_kind"] == "user":
        tone = "person"
    return Entry(
        event["at"],
        title_of(topic),
        detail_of(event["data"]),
        who_of(event),
        tone,
        topic.split(".")[0],
        topic,
    )


def title_of(topic: str) -> str:
    """The topic in words; one without words of its own is read as it is spelled."""
    return _TITLES.get(topic) or topic.replace(".", " ").replace("_", " ").capitalize()


def detail_of(data: Mapping[str, Any]) -> str:
    """What of an event's data a person wants to read; ids are left out."""
    said = []
    for key in _SAID:
        value = data.get(key)
        if value in (None, "", [], {}) or isinstance(value, dict | list):
            continue
        if key in {"type", "state", "status", "cause", "kind", "reason"}:
            value = str(value).replace("_", " ")
        said.append(
            str(value) if key not in {"quantity", "units"} else words.counted(int(value), "unit")
        )
    minor, currency = data.get("amount_minor", data.get("total_minor")), data.get("currency")
    if isinstance(minor, int) and currency:
        said.append(words.amount(minor, str(currency)))
    return " · ".join(said)


def who_of(event: Mapping[str, Any]) -> str:
    """The actor in words; on whose behalf, when it was for someone else."""
    kind, name = event["actor_kind"], event["actor_name"]
    if name.lower().startswith(kind):
        return str(name)
    who = {
        "system": "Switchyard",
        "api_key": f"API key {name}",
        "channel": f"Channel {name}",
        "node": f"Node {name}",
        "buyer": "The buyer",
    }.get(kind, name)
    return f"{who} for {event['on_behalf_of']}" if event.get("on_behalf_of") else who
