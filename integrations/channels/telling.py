"""From events to what a shop is to hold: our number, each parcel, each cancel, each refund.

What a shop has told us itself (its cancels, its refunds) is not told back to it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.events import Recorded
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, ActorKind
from fulfillment import carriers
from fulfillment.selectors import parcels_at_hand, parcels_sent
from fulfillment.types import ParcelAtHand
from integrations import connections
from integrations.channels import part_kits, port
from integrations.channels.copies import Wanted
from integrations.models import CopyKind
from integrations.types import ConnectionRef
from orders.selectors import LineStanding, order_heads, standing_lines
from orders.selectors.credits import collected_by_channels, parts_of_notes, taken_off_by_us
from orders.services import lock_orders
from orders.states import CreditPart, DocumentKind, Initiator, Mode, OrderState
from orders.types import CreditedPart, OrderHead

_CHANNEL: Final = "channel"
_PARCELS: Final = frozenset({"parcel.shipped", "parcel.collected", "parcel.shipment_reversed"})
_CANCELLED: Final = "order.units_cancelled"
_CREDITED: Final = "order.credited"


@dataclass(frozen=True, slots=True)
class _Scene:
    """What the events of one batch are read with."""

    heads: Mapping[UUID, OrderHead]
    refs: Mapping[UUID, ConnectionRef]
    lines: Mapping[UUID, Sequence[LineStanding]]
    parcels: Mapping[UUID, ParcelAtHand]
    sent: Mapping[UUID, Sequence[ParcelAtHand]]
    """Order with a kit → its parcels that have left, in the order in which they did."""
    taken_off: Mapping[UUID, Sequence[tuple[UUID, Mapping[UUID, int]]]]
    """Order with a kit → (event, units per line) of its cancels, in the order in which they came."""
    credits: Mapping[UUID, Sequence[CreditedPart]]
    """Credit note → its parts."""
    paid_there: frozenset[UUID]
    """Orders of which the shop has collected something."""
    parts_due: dict[UUID, dict[str, int]] = field(default_factory=dict)
    """Order with a kit → what is due for parts that will never be sent, and was not told: by line."""
    parts_told: dict[UUID, dict[str, int]] = field(default_factory=dict)
    """Order with a kit → what was told of such parts that is due no more: by line."""

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
        if known is None:
            continue
        head, ref = known
        for content in (
            _content(event, order_id, head, scene),
            _parts_due(event, head, scene),
        ):
            if content is not None:
                kind, our_id, told = content
                told = {"order": head.external_id, **told}
                found.append(Wanted(ref, kind, our_id, order_id, told))
    return found


def _scene(events: Sequence[Recorded]) -> _Scene:
    heads = order_heads({event.thread_id or event.subject_id for event in events}, ALL_ACCOUNTS)
    refs = connections.of_channels({head.channel_id for head in heads.values()})
    reached = {head.id for head in heads.values() if head.channel_id in refs}
    parcels = {event.subject_id for event in events if event.topic in _PARCELS}
    cancels = any(event.topic == _CANCELLED for event in events)
    credited = {event.subject_id for event in events if event.topic == _CREDITED} & reached
    lines = standing_lines(reached) if reached else {}
    kits = {id_ for id_, known in lines.items() if any(line.parent_id for line in known)}
    notes = {note_id for event in events for note_id in _notes(event)}
    paid = credited | (kits if parcels or cancels else set())
    paid_there = frozenset(collected_by_channels(paid) if paid else ())
    parts_due, parts_told = _due_for_parts(kits & paid_there) if parcels or cancels else ({}, {})
    return _Scene(
        heads,
        refs,
        lines,
        {one.parcel_id: one for one in parcels_at_hand(parcels, ALL_ACCOUNTS)} if parcels else {},
        parcels_sent(kits, ALL_ACCOUNTS) if parcels and kits else {},
        _cancels_of(kits) if cancels and kits else {},
        parts_of_notes(notes) if notes else {},
        paid_there,
        parts_due,
        parts_told,
    )


_ByKit = dict[UUID, dict[str, int]]


def _due_for_parts(order_ids: set[UUID]) -> tuple[_ByKit, _ByKit]:
    """What is due for missing parts of kits and was not told, and what was told and is not due.

    Locks the orders: it is told once.
    """
    if not order_ids or not taken_off_by_us(order_ids):
        return {}, {}
    lock_orders(order_ids)
    gone, lines = taken_off_by_us(order_ids), standing_lines(order_ids)
    told = part_kits.told(order_ids)
    due = {order_id: part_kits.due(lines[order_id], gone) for order_id in order_ids}
    return (
        {order_id: one.beyond(told.get(order_id, {})) for order_id, one in due.items()},
        {order_id: one.exceeded(told.get(order_id, {})) for order_id, one in due.items()},
    )


def _cancels_of(order_ids: set[UUID]) -> dict[UUID, list[tuple[UUID, dict[UUID, int]]]]:
    """What was taken off these orders, event by event. One statement."""
    rows = Event.objects.for_scope(ALL_ACCOUNTS).filter(thread_id__in=order_ids, topic=_CANCELLED)
    found: dict[UUID, list[tuple[UUID, dict[UUID, int]]]] = {}
    for order_id, event_id, told in rows.order_by("id").values_list("thread_id", "id", "data"):
        found.setdefault(order_id, []).append((event_id, _units_told(told)))
    return found


def _units_told(told: Mapping[str, Any]) -> dict[UUID, int]:
    """Units per line that an event says were taken off."""
    lines = told.get("lines") or {told["line_id"]: told["units"]}
    return {UUID(line): int(many) for line, many in lines.items()}


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
        case "payment.refund_due_elsewhere" | "order.credited":
            return _refund(event, head, scene)
    return None


def _fulfillment(event: Recorded, scene: _Scene) -> _Content | None:
    parcel = scene.parcels.get(event.subject_id)
    if parcel is None:
        return None
    lines = scene.lines[parcel.order_id]
    held = _begun(dict(parcel.units), lines)
    if not held:
        return None
    units = in_this_parcel(parcel, scene.sent.get(parcel.order_id, ()), lines)
    # One that only brings the rest of kits adds its number to what was told of these.
    rest = {} if units else {"rest_of": sorted(held)}
    number = parcel.tracking_number
    page = carriers.tracking_url(parcel.carrier_code, parcel.account_id, number) if number else ""
    return (
        CopyKind.FULFILLMENT,
        parcel.parcel_id,
        {
            "units": units,
            **rest,
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
    lines = scene.lines[head.id]
    units = in_this_cancel(
        event.id, _units_told(event.data), scene.taken_off.get(head.id, ()), lines
    )
    if not units:
        return None
    known = scene.parts_told.get(head.id, {})
    spared = {kit: known.pop(kit) for kit in sorted(units.keys() & known.keys())}
    # The shop reckons a kit's whole price, and has given the share of some of its parts back already.
    less = {"spared_minor": sum(spared.values())} if spared else {}
    counted = {part_kits.KITS: {kit: -minor for kit, minor in spared.items()}} if spared else {}
    return (
        CopyKind.CANCEL,
        event.id,
        {
            **less,
            **counted,
            "units": units,
            "whole": head.state == OrderState.CANCELLED,
            "reason": str(event.data.get("initiator", "")),
            "currency": head.currency,
        },
    )


def _parts_due(event: Recorded, head: OrderHead, scene: _Scene) -> _Content | None:
    """An amount for parts of kits: of what was taken off here, or sent here without them."""
    if event.topic not in _PARCELS and event.topic != _CANCELLED:
        return None
    kits = scene.parts_due.pop(head.id, {})
    if not kits:
        return None
    amount = sum(kits.values())
    return (
        CopyKind.REFUND,
        event.id,
        {"amount_minor": amount, "currency": head.currency, part_kits.KITS: kits},
    )


def _notes(event: Recorded) -> list[UUID]:
    """The credit notes by which money goes back, whoever holds it."""
    match event.topic:
        case "payment.refund_due_elsewhere":
            return [UUID(note_id) for note_id in event.data.get("credit_notes", ())]
        case "order.credited":
            return [UUID(event.data["credit_note_id"])]
    return []


def _refund(event: Recorded, head: OrderHead, scene: _Scene) -> _Content | None:
    """Money that goes back, unless the shop told us that it has.

    Either the shop collected it and is to give it back, or we did (`by_us`): then it only writes
    down what it was for.
    """
    by_us = event.topic == _CREDITED
    other = head.id in scene.paid_there if by_us else event.data.get("collected_by") != _CHANNEL
    amount = int(event.data["amount_minor"]) - int(event.data.get("carried_minor", 0))
    if other or amount <= 0 or event.actor_kind == ActorKind.CHANNEL:
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
            "amount_minor": amount,
            "currency": head.currency,
            "units": in_their_words(units, lines),
            "worth": worth,
            "shipping_minor": shipping,
            **({"by_us": True} if by_us else {}),
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


def in_this_cancel(
    event_id: UUID,
    units: Mapping[UUID, int],
    cancels: Sequence[tuple[UUID, Mapping[UUID, int]]],
    lines: Sequence[LineStanding],
) -> dict[str, int]:
    """Units of the shop's lines that were taken off with this and with nothing before it.

    A kit is taken off once all of its parts are: while one of them may leave, the kit will. With what
    has left (`in_this_parcel`) that never comes to more kits than were ordered.
    """
    before: Counter[UUID] = Counter()
    for known, taken in cancels:
        if known == event_id:
            break
        before.update(taken)
    told = _off(before, lines)
    return {
        line: many - told.get(line, 0)
        for line, many in _off(before + Counter(units), lines).items()
        if many > told.get(line, 0)
    }


def _off(units: Mapping[UUID, int], lines: Sequence[LineStanding]) -> dict[str, int]:
    """Units per line of the shop that are wholly among these."""
    told = {
        line.external_id: many
        for line in lines
        if line.parent_id is None and line.external_id and line.sells
        if (many := units.get(line.line_id, 0)) > 0
    }
    parts: dict[UUID, int] = {}
    for line in lines:
        if line.parent_id is not None and line.ordered:
            kit = next(one for one in lines if one.line_id == line.parent_id)
            whole = units.get(line.line_id, 0) * kit.ordered // line.ordered
            parts[kit.line_id] = min(whole, parts.get(kit.line_id, whole))
    for kit in lines:
        if kit.external_id and parts.get(kit.line_id):
            told[kit.external_id] = parts[kit.line_id]
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
