"""From events to what a shop is to hold: our number, each parcel, each cancel, each refund.

What a shop has told us itself (its cancels, its refunds) is not told back to it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.events import Recorded
from config.kernel.types import ALL_ACCOUNTS, ActorKind
from fulfillment import carriers
from fulfillment.selectors import parcels_at_hand, parcels_sent
from fulfillment.types import ParcelAtHand
from integrations import connections
from integrations.channels import port
from integrations.channels.copies import Wanted
from integrations.models import CopyKind
from integrations.types import ConnectionRef
from orders.selectors import LineStanding, order_heads, standing_lines
from orders.selectors.credits import parts_of_notes
from orders.states import CreditPart, DocumentKind, Initiator, Mode, OrderState
from orders.types import CreditedPart, OrderHead

_CHANNEL: Final = "channel"
_PARCELS: Final = frozenset({"parcel.shipped", "parcel.collected", "parcel.shipment_reversed"})


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the events of one batch are read with."""

    heads: Mapping[UUID, OrderHead]
    refs: Mapping[UUID, ConnectionRef]
    lines: Mapping[UUID, Sequence[LineStanding]]
    parcels: Mapping[UUID, ParcelAtHand]
    sent: Mapping[UUID, Sequence[ParcelAtHand]]
    """Order with a kit → its parcels that have left, in the order in which they did."""
    credits: Mapping[UUID, Sequence[CreditedPart]]
    """Credit note → its parts."""

    def shop_of(self, order_id: UUID) -> tuple[OrderHead, ConnectionRef] | None:
        """The order and the shop it came from; None for one that no shop has."""
        head = self.heads.get(order_id)
        ref = self.refs.get(head.channel_id) if head else None
        if head is None or ref is None or not port.known(ref.adapter):
            return None
        if head.document_kind != DocumentKind.SALE or head.mode == Mode.HISTORY:
            return None
        since = str(ref.settings.get("orders_since", ""))
        if since and head.placed_at < datetime.fromisoformat(since):
            return None
        return head, ref


def wanted_by(events: Sequence[Recorded]) -> list[Wanted]:
    """What is wanted of shops by these events. Statements do not grow with them."""
    scene = _scene(events)
    found = []
    for event in events:
        order_id = event.thread_id or event.subject_id
        known = scene.shop_of(order_id)
        if known is not None and (content := _content(event, order_id, known[0], scene)):
            kind, our_id, told = content
            told = {"order": known[0].external_id, **told}
            found.append(Wanted(known[1], kind, our_id, order_id, told))
    return found


def _scene(events: Sequence[Recorded]) -> _Scene:
    heads = order_heads({event.thread_id or event.subject_id for event in events}, ALL_ACCOUNTS)
    refs = connections.of_channels({head.channel_id for head in heads.values()})
    reached = {head.id for head in heads.values() if head.channel_id in refs}
    parcels = {event.subject_id for event in events if event.topic in _PARCELS}
    lines = standing_lines(reached) if reached else {}
    kits = {id_ for id_, known in lines.items() if any(line.parent_id for line in known)}
    notes = {note_id for event in events for note_id in _notes(event)}
    return _Scene(
        heads,
        refs,
        lines,
        {one.parcel_id: one for one in parcels_at_hand(parcels, ALL_ACCOUNTS)} if parcels else {},
        parcels_sent(kits, ALL_ACCOUNTS) if parcels and kits else {},
        parts_of_notes(notes) if notes else {},
    )


_Content = tuple[str, UUID, dict[str, Any]]


def _content(event: Recorded, order_id: UUID, head: OrderHead, scene: _Scene) -> _Content | None:
    match event.topic:
        case "order.accepted":
            return CopyKind.ACKNOWLEDGEMENT, order_id, {"number": head.number}
        case "parcel.shipped" | "parcel.collected":
            return _fulfillment(event, scene)
        case "parcel.shipment_reversed":
            parcel = scene.parcels.get(event.subject_id)
            number = (parcel.tracking_number or parcel.number) if parcel else ""
            return CopyKind.FULFILLMENT, event.subject_id, {"gone": True, "tracking_number": number}
        case "order.units_cancelled":
            return _cancel(event, head, scene)
        case "payment.refund_due_elsewhere":
            return _refund(event, head, scene)
    return None


def _fulfillment(event: Recorded, scene: _Scene) -> _Content | None:
    parcel = scene.parcels.get(event.subject_id)
    if parcel is None:
        return None
    lines = scene.lines[parcel.order_id]
    if not in_their_words(dict(parcel.units), lines):
        return None
    units = in_this_parcel(parcel, scene.sent.get(parcel.order_id, ()), lines)
    number = parcel.tracking_number
    page = carriers.tracking_url(parcel.carrier_code, parcel.account_id, number) if number else ""
    return (
        CopyKind.FULFILLMENT,
        parcel.parcel_id,
        {
            "units": units,
            "carrier": parcel.carrier_code,
            # Every fulfillment has a number there by which it is found again.
            "tracking_number": number or parcel.number,
            "tracking_url": page,
            "shipped_at": event.at.date().isoformat(),
            "last": not any(line.unshipped for line in lines if line.sells and line.ours),
        },
    )


def _cancel(event: Recorded, head: OrderHead, scene: _Scene) -> _Content | None:
    """Units that were taken off by anybody but the shop itself."""
    if event.data.get("initiator") == Initiator.CHANNEL:
        return None
    told = event.data.get("lines") or {event.data["line_id"]: event.data["units"]}
    lines = scene.lines[head.id]
    units = in_their_words({UUID(line): int(many) for line, many in told.items()}, lines)
    if not units:
        return None
    return (
        CopyKind.CANCEL,
        event.id,
        {
            "units": units,
            "whole": head.state == OrderState.CANCELLED,
            "reason": str(event.data.get("initiator", "")),
            "currency": head.currency,
        },
    )


def _notes(event: Recorded) -> list[UUID]:
    """The credit notes by which a shop owes money back."""
    if event.topic != "payment.refund_due_elsewhere":
        return []
    return [UUID(note_id) for note_id in event.data.get("credit_notes", ())]


def _refund(event: Recorded, head: OrderHead, scene: _Scene) -> _Content | None:
    """Money that the shop collected and is to give back, unless it told us that it has."""
    if event.data.get("collected_by") != _CHANNEL or event.actor_kind == ActorKind.CHANNEL:
        return None
    lines = scene.lines[head.id]
    parts = [part for note_id in _notes(event) for part in scene.credits.get(note_id, ())]
    units: dict[UUID, int] = {}
    worth: dict[str, int] = {}
    for part in parts:
        if part.line_id is None:
            continue
        units[part.line_id] = units.get(part.line_id, 0) + part.quantity
        if their_id := _their_line(part.line_id, lines):
            worth[their_id] = worth.get(their_id, 0) + part.amount_minor
    shipping = sum(part.amount_minor for part in parts if part.part == CreditPart.SHIPPING)
    return (
        CopyKind.REFUND,
        event.id,
        {
            "amount_minor": int(event.data["amount_minor"]),
            "currency": head.currency,
            "units": in_their_words(units, lines),
            "worth": worth,
            "shipping_minor": shipping,
        },
    )


def _their_line(line_id: UUID, lines: Sequence[LineStanding]) -> str:
    """What the shop calls a line; of a component its kit. Empty for what it does not know."""
    by_id = {line.line_id: line for line in lines}
    line = by_id.get(line_id)
    if line is not None and line.parent_id is not None:
        line = by_id[line.parent_id]
    return line.external_id if line is not None and line.sells else ""


def in_this_parcel(
    parcel: ParcelAtHand, sent: Sequence[ParcelAtHand], lines: Sequence[LineStanding]
) -> dict[str, int]:
    """Units of the shop's lines that left with this parcel and with none before it.

    A kit has left with the first of its parts: the parcel that brings another part of the same kit
    adds none, so that the shop never counts more kits than were ordered; its number is told all the same.
    """
    before: Counter[UUID] = Counter()
    for one in sent:
        if one.parcel_id == parcel.parcel_id:
            break
        before.update(dict(one.units))
    after = before + Counter(dict(parcel.units))
    told = _begun(before, lines)
    return {
        line: many - told.get(line, 0)
        for line, many in _begun(after, lines).items()
        if many > told.get(line, 0)
    }


def _begun(units: Mapping[UUID, int], lines: Sequence[LineStanding]) -> dict[str, int]:
    """Units per line of the shop of which these are at least a part."""
    by_id = {line.line_id: line for line in lines}
    told: dict[str, int] = {}
    for line_id, many in units.items():
        if (line := by_id.get(line_id)) is None or many <= 0:
            continue
        kit = by_id[line.parent_id] if line.parent_id is not None else None
        if kit is None:
            if line.external_id and line.sells:
                told[line.external_id] = told.get(line.external_id, 0) + many
        elif kit.external_id:
            whole = min(kit.ordered, -(-many * kit.ordered // line.ordered))
            told[kit.external_id] = max(told.get(kit.external_id, 0), whole)
    return told


def in_their_words(units: Mapping[UUID, int], lines: Sequence[LineStanding]) -> dict[str, int]:
    """Units per line of the shop. Components count as kits, as far as they make some up.

    Where all components of a kit are there the scarcest counts, else the most of those that are.
    """
    by_id = {line.line_id: line for line in lines}
    parts = Counter(line.parent_id for line in lines if line.parent_id is not None)
    told: dict[str, int] = {}
    kits: dict[UUID, list[int]] = {}
    for line_id, many in units.items():
        line = by_id.get(line_id)
        if line is None or many <= 0:
            continue
        if line.parent_id is None:
            if line.external_id and line.sells:
                told[line.external_id] = told.get(line.external_id, 0) + many
            continue
        kit = by_id[line.parent_id]
        kits.setdefault(kit.line_id, []).append(many * kit.ordered // line.ordered)
    for kit_id, made_up in kits.items():
        whole = min(made_up) if len(made_up) == parts[kit_id] else max(made_up)
        if by_id[kit_id].external_id and whole:
            told[by_id[kit_id].external_id] = whole
    return told
