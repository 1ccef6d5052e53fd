"""Picked units go into parcels, and out of them again while they are still at the node."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

import inventory.selectors
from config.kernel import events, ids
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment import packing
from fulfillment.models import FulfillmentOrder, Parcel, ParcelLine
from fulfillment.services.labels import give_back_labels
from fulfillment.services.parcels import (
    contents_of,
    next_numbers,
    parcel_fact,
    standings,
    write_parcels,
)
from fulfillment.services.tracing import Packing, unpack
from fulfillment.services.work import (
    PICKUP,
    Work,
    not_found,
    not_now,
    open_orders,
    open_parcels,
    write,
)
from fulfillment.states import AT_THE_NODE, OPEN_FULFILLMENT, ParcelState
from fulfillment.types import Content, LotUnits, Pack, PackedOrder, ParcelStanding

_PACKABLE = ("picked", "accepted", "waiting")


@dataclass(slots=True)
class _Closed:
    """A parcel that is about to be written, and what lies in it: (quantity, excess) per line."""

    order: FulfillmentOrder
    parcel_id: UUID
    external_id: str
    weight_grams: int
    contents: dict[UUID, tuple[int, int]]
    named: tuple[Content, ...] = ()


@transaction.atomic
def record_packs(
    packs: Sequence[Pack], *, at: datetime, actor: Actor
) -> list[Outcome[PackedOrder]]:
    """Record parcels that were closed. One outcome per pack, in order.

    To pack is to pick. Units beyond what the node was asked for are written down as excess: they
    lie in the parcel, whatever we think of it. What a buyer will collect is set aside without a
    parcel. The same `external_id` packs once.
    """
    work = open_orders([pack.fulfillment_order_id for pack in packs], scope=actor.scope)
    known = _packed_before(packs)
    unit_grams = _unit_weights(work)
    closed: list[_Closed] = []
    outcomes = [_pack(work, pack, known, unit_grams, closed) for pack in packs]
    write(work, at=at, actor=actor, reason="packed")
    _insert_parcels(closed, at=at, actor=actor)
    _trace(work, closed, at=at, actor=actor)
    return outcomes


def _packed_before(packs: Sequence[Pack]) -> dict[tuple[UUID, str], UUID]:
    named = [pack.external_id for pack in packs if pack.external_id]
    if not named:
        return {}
    rows = (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            fulfillment_order_id__in=[pack.fulfillment_order_id for pack in packs],
            external_id__in=named,
        )
        .values_list("fulfillment_order_id", "external_id", "pk")
    )
    return {(order_id, external_id): pk for order_id, external_id, pk in rows}


def _unit_weights(work: Work) -> dict[UUID, int]:
    """Grams of one unit of each line."""
    skus = inventory.selectors.skus({line.sku_id for line in work.lines.values()})
    return {line.pk: skus[line.sku_id].weight_grams for line in work.lines.values()}


def _pack(
    work: Work,
    pack: Pack,
    known: dict[tuple[UUID, str], UUID],
    unit_grams: dict[UUID, int],
    closed: list[_Closed],
) -> Outcome[PackedOrder]:
    order = work.orders.get(pack.fulfillment_order_id)
    if order is None:
        return not_found()
    if repeated := known.get((order.pk, pack.external_id)):
        return Outcome.repeated(PackedOrder(order.pk, (repeated,)))
    if refusal := _refusal(work, order, pack):
        return refusal
    boxes = _boxes(work, order, pack, unit_grams)
    if not boxes:
        return Outcome.refused("nothing-to-pack", f"Nothing of {order.number} is picked.")
    parcels = [_close(work, order, pack, box) for box in boxes]
    if order.method == PICKUP:
        return Outcome.done(PackedOrder(order.pk, ()))
    closed.extend(parcels)
    if pack.external_id:
        known[order.pk, pack.external_id] = parcels[0].parcel_id
    return Outcome.done(PackedOrder(order.pk, tuple(parcel.parcel_id for parcel in parcels)))


def _refusal(work: Work, order: FulfillmentOrder, pack: Pack) -> Outcome[PackedOrder] | None:
    """Why the pack cannot be written down at all; None when it can."""
    if order.state not in OPEN_FULFILLMENT:
        return not_now(order, f"{order.number} is {order.get_state_display().lower()}.")
    own = {line.pk for line in work.lines_of(order.pk)}
    if any(content.line_id not in own for content in pack.contents):
        return not_found("line in this fulfillment order")
    return None


def _boxes(
    work: Work, order: FulfillmentOrder, pack: Pack, unit_grams: dict[UUID, int]
) -> list[packing.Box]:
    """The parcels that the pack names, or those that packing makes of what is picked."""
    if pack.contents:
        wanted: defaultdict[UUID, int] = defaultdict(int)
        lots: defaultdict[UUID, tuple[LotUnits, ...]] = defaultdict(tuple)
        for content in pack.contents:
            wanted[content.line_id] += content.quantity
            lots[content.line_id] += content.lots
        contents = tuple(
            Content(line_id, quantity, lots[line_id])
            for line_id, quantity in wanted.items()
            if quantity > 0
        )
        weight = pack.weight_grams or packing.weight_of(contents, unit_grams)
        return [packing.Box(contents, weight)] if contents else []
    picked = [
        packing.Units(line.pk, line.picked, unit_grams[line.pk])
        for line in work.lines_of(order.pk)
        if line.picked
    ]
    if pack.weight_grams and picked:
        contents = tuple(Content(units.line_id, units.quantity) for units in picked)
        return [packing.Box(contents, pack.weight_grams)]
    return packing.pack(picked)


def _close(work: Work, order: FulfillmentOrder, pack: Pack, box: packing.Box) -> _Closed:
    contents: dict[UUID, tuple[int, int]] = {}
    for content in box.contents:
        line = work.lines[content.line_id]
        drawn = work.draw(line, _PACKABLE, "packed", content.quantity)
        contents[line.pk] = (drawn, content.quantity - drawn)
    work.tell(
        order.pk,
        "fulfillment.packed",
        lines={line_id: quantity for line_id, (quantity, _) in contents.items()},
    )
    return _Closed(
        order, ids.uuid7(), pack.external_id, box.weight_grams, contents, tuple(box.contents)
    )


def _trace(work: Work, closed: Sequence[_Closed], *, at: datetime, actor: Actor) -> None:
    """Keep which lots lie in the parcels: those that are named, and those that were picked."""
    if not closed:
        return
    packing_in = Packing.of([line_id for box in closed for line_id in box.contents])
    for box in closed:
        for content in box.named:
            packing_in.put(work.lines[content.line_id], content, box.parcel_id, at=at)
    packing_in.write(at=at, actor=actor)


def _insert_parcels(closed: Sequence[_Closed], *, at: datetime, actor: Actor) -> None:
    if not closed:
        return
    numbers = next_numbers("P-", "fulfillment_parcel_number", len(closed))
    parcels = [
        Parcel(
            id=box.parcel_id,
            number=number,
            account_id=box.order.account_id,
            fulfillment_order_id=box.order.pk,
            external_id=box.external_id,
            weight_grams=box.weight_grams,
            packed_at=at,
            event_seq=1,
        )
        for box, number in zip(closed, numbers, strict=True)
    ]
    Parcel.objects.bulk_create(parcels)
    ParcelLine.objects.bulk_create(
        ParcelLine(
            account_id=box.order.account_id,
            parcel_id=box.parcel_id,
            line_id=line_id,
            quantity=quantity,
            excess=excess,
        )
        for box in closed
        for line_id, (quantity, excess) in box.contents.items()
    )
    record_history(
        Parcel,
        [parcel.pk for parcel in parcels],
        Change.CREATED,
        at=at,
        actor=actor,
        reason="packed",
    )
    events.record(
        [
            parcel_fact("parcel.packed", parcel, box.order)
            for parcel, box in zip(parcels, closed, strict=True)
        ],
        at=at,
        actor=actor,
    )


@transaction.atomic
def void_parcels(
    parcel_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[ParcelStanding]]:
    """Open parcels that have not left: their units are picked again. One outcome per id, in order.

    A label that was bought for one is given back to the carrier by an intent.
    """
    work = open_parcels(parcel_ids, scope=actor.scope)
    inside = contents_of(work.parcels)
    was: dict[UUID, str] = {}
    verdicts = [_void(work, parcel_id, inside, was) for parcel_id in parcel_ids]
    voided = [work.parcels[parcel_id] for parcel_id in sorted(was)]
    write(work, at=at, actor=actor, reason="opened")
    write_parcels(work, voided, was, topic="parcel.voided", reason="voided", at=at, actor=actor)
    give_back_labels(voided, at=at, actor=actor)
    unpack([parcel.pk for parcel in voided])
    return standings(work.parcels, verdicts)


def _void(
    work: Work,
    parcel_id: UUID,
    inside: Mapping[UUID, list[ParcelLine]],
    was: dict[UUID, str],
) -> Outcome[UUID]:
    parcel = work.parcels.get(parcel_id)
    if parcel is None:
        return not_found("parcel")
    if parcel.state == ParcelState.VOIDED:
        return Outcome.repeated(parcel_id)
    if parcel.state not in AT_THE_NODE:
        return not_now(parcel, f"{parcel.number} has left the node.")
    for content in inside[parcel_id]:
        work.shift(work.lines[content.line_id], "packed", "picked", content.quantity)
    was[parcel_id] = parcel.state
    parcel.void()
    work.tell(parcel.fulfillment_order_id, "fulfillment.unpacked")
    return Outcome.done(parcel_id)


@transaction.atomic
def manifest_parcels(
    parcel_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[ParcelStanding]]:
    """Put parcels on the list that waits for the carrier. One outcome per id, in order."""
    work = open_parcels(parcel_ids, scope=actor.scope)
    listed: dict[UUID, Parcel] = {}
    verdicts = [_manifest(work, parcel_id, listed) for parcel_id in parcel_ids]
    manifest_opened(work, list(listed.values()), at=at, actor=actor)
    return standings(work.parcels, verdicts)


def manifest_opened(work: Work, parcels: Sequence[Parcel], *, at: datetime, actor: Actor) -> None:
    """List opened parcels, in the caller's transaction. Those that are listed already stay so."""
    fresh = sorted(
        (parcel for parcel in parcels if parcel.state != ParcelState.MANIFESTED),
        key=lambda parcel: parcel.pk,
    )
    was = {parcel.pk: parcel.state for parcel in fresh}
    for parcel in fresh:
        parcel.manifest()
    write_parcels(
        work, fresh, was, topic="parcel.manifested", reason="manifested", at=at, actor=actor
    )


def _manifest(work: Work, parcel_id: UUID, listed: dict[UUID, Parcel]) -> Outcome[UUID]:
    parcel = work.parcels.get(parcel_id)
    if parcel is None:
        return not_found("parcel")
    if parcel.state == ParcelState.MANIFESTED or parcel_id in listed:
        return Outcome.repeated(parcel_id)
    if parcel.state not in AT_THE_NODE:
        return not_now(parcel, f"{parcel.number} is {parcel.get_state_display().lower()}.")
    listed[parcel_id] = parcel
    return Outcome.done(parcel_id)
