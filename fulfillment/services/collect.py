"""Pickups: the buyer comes, or does not come and the units go back onto the shelf."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

import inventory.services
import orders.services
from config.kernel import case_reports, events, ids
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment import packing
from fulfillment.models import FulfillmentLine, FulfillmentOrder, Parcel, ParcelLine
from fulfillment.services.handback import withdraw
from fulfillment.services.parcels import contents_of, next_numbers, parcel_fact
from fulfillment.services.tracing import Packing, Traces, leave, traces_of
from fulfillment.services.work import Work, not_found, not_now, open_orders, write
from fulfillment.states import FulfillmentState, ParcelState
from fulfillment.types import Collection, Content, Worked
from inventory.types import Portion
from orders.types import Move, ShippedUnits

_COLLECTABLE = (FulfillmentState.READY_FOR_PICKUP, FulfillmentState.EXPIRED)


@dataclass(slots=True)
class _Handed:
    """Units of one pickup that the buyer took now."""

    order: FulfillmentOrder
    parcel_id: UUID
    contents: tuple[Content, ...]


@transaction.atomic
def collect(
    collections: Sequence[Collection], *, at: datetime, actor: Actor
) -> list[Outcome[Worked]]:
    """Record that buyers took what was ready, whole or in part. One outcome per item, in order.

    What was taken stands as a parcel that is delivered: collected counts as shipped and
    delivered. What the law misses of it on record is a case: the buyer has it.
    """
    work = open_orders([item.fulfillment_order_id for item in collections], scope=actor.scope)
    handed: list[_Handed] = []
    verdicts = [_collect(work, item, handed) for item in collections]
    write(work, at=at, actor=actor, reason="collected")
    if handed:
        parcels = _insert_parcels(handed, at=at, actor=actor)
        traces = _trace(work, handed, parcels, at=at, actor=actor)
        _move_units(work, handed, traces, at=at, actor=actor)
        leave(work, traces, parcels, at=at, actor=actor)
    return work.outcomes(verdicts)


def _collect(work: Work, item: Collection, handed: list[_Handed]) -> Outcome[UUID]:
    order = work.orders.get(item.fulfillment_order_id)
    if order is None:
        return not_found()
    if order.state == FulfillmentState.COLLECTED:
        return Outcome.repeated(order.pk)
    if order.state not in _COLLECTABLE:
        return not_now(order, f"{order.number} is not ready for pickup.")
    contents = item.contents or tuple(
        Content(line.pk, line.packed) for line in work.lines_of(order.pk) if line.packed
    )
    ready = {line.pk: line.packed for line in work.lines_of(order.pk)}
    if not item.contents and order.pk in {taken.order.pk for taken in handed}:
        return Outcome.repeated(order.pk)
    for content in contents:
        ready[content.line_id] = ready.get(content.line_id, 0) - content.quantity
    if not contents or any(left < 0 for left in ready.values()):
        return Outcome.refused("too-many", "That is more than lies ready.")
    for content in contents:
        work.shift(work.lines[content.line_id], "packed", "collected", content.quantity)
    order.collected_by = item.collected_by[:16]
    work.tell(
        order.pk,
        "fulfillment.collected",
        lines={content.line_id: content.quantity for content in contents},
    )
    handed.append(_Handed(order, ids.uuid7(), contents))
    return Outcome.done(order.pk)


def _insert_parcels(handed: Sequence[_Handed], *, at: datetime, actor: Actor) -> list[Parcel]:
    numbers = next_numbers("P-", "fulfillment_parcel_number", len(handed))
    parcels = [
        Parcel(
            id=taken.parcel_id,
            number=number,
            account_id=taken.order.account_id,
            fulfillment_order_id=taken.order.pk,
            state=ParcelState.DELIVERED,
            weight_grams=packing.PACKAGING_GRAMS,
            packed_at=at,
            handed_over_at=at,
            last_heard_at=at,
            delivered_at=at,
            issued_under=_cause(handed)[1],
            event_seq=1,
        )
        for taken, number in zip(handed, numbers, strict=True)
    ]
    Parcel.objects.bulk_create(parcels)
    ParcelLine.objects.bulk_create(
        ParcelLine(
            account_id=taken.order.account_id,
            parcel_id=taken.parcel_id,
            line_id=content.line_id,
            quantity=content.quantity,
        )
        for taken in handed
        for content in taken.contents
    )
    record_history(
        Parcel,
        [parcel.pk for parcel in parcels],
        Change.CREATED,
        at=at,
        actor=actor,
        reason="collected",
    )
    events.record(
        [
            parcel_fact("parcel.collected", parcel, taken.order)
            for parcel, taken in zip(parcels, handed, strict=True)
        ],
        at=at,
        actor=actor,
    )
    return parcels


def _trace(
    work: Work, handed: Sequence[_Handed], parcels: Sequence[Parcel], *, at: datetime, actor: Actor
) -> Traces:
    """Which lots were picked for the buyers go with the parcels."""
    lines = {content.line_id for taken in handed for content in taken.contents}
    picked = Packing.of(lines)
    for taken in handed:
        for content in taken.contents:
            picked.put(work.lines[content.line_id], content, taken.parcel_id, at=at)
    picked.write(at=at, actor=actor)
    return traces_of(work, parcels, contents_of([parcel.pk for parcel in parcels]))


def _cause(handed: Sequence[_Handed]) -> tuple[str, UUID]:
    if len(handed) == 1:
        return "parcel", handed[0].parcel_id
    return "handover", handed[0].order.pk


def _move_units(
    work: Work, handed: Sequence[_Handed], traces: Traces, *, at: datetime, actor: Actor
) -> None:
    units = [
        (taken, work.lines[content.line_id], content.quantity)
        for taken in handed
        for content in taken.contents
    ]
    orders.services.record_shipments(
        [
            ShippedUnits(taken.order.order_id, line.order_line_id, quantity, taken.parcel_id)
            for taken, line, quantity in units
        ],
        at=at,
        actor=actor,
    )
    orders.services.move_units(
        [
            Move(line.order_line_id, "underway", "delivered", quantity)
            for _, line, quantity in units
        ],
        topic="order.delivered",
        at=at,
        actor=actor,
    )
    inventory.services.issue(
        [
            Portion(line.reservation_id, quantity, traces.lots(taken.parcel_id, line.pk))
            for taken, line, quantity in units
        ],
        *_cause(handed),
        at=at,
        actor=actor,
    )


@transaction.atomic
def expire_pickups(*, limit: int, at: datetime, actor: Actor) -> int:
    """Close pickups that nobody came for in time; each becomes a case. Returns how many.

    The units stay aside and reserved until they are scanned back (`put_back`).
    """
    due = list(
        FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=FulfillmentState.READY_FOR_PICKUP, collect_by__lt=at)
        .order_by("collect_by")
        .values_list("pk", flat=True)[:limit]
    )
    work = open_orders(due, scope=ALL_ACCOUNTS)
    expired = [
        order
        for order in work.orders.values()
        if order.state == FulfillmentState.READY_FOR_PICKUP
        and order.collect_by is not None
        and order.collect_by < at
    ]
    for order in expired:
        work.tell(order.pk, "fulfillment.expired")
        work.expiring.add(order.pk)
    write(work, at=at, actor=actor, reason="not collected in time")
    case_reports.report(
        [
            case_reports.Report(
                "PICKUP_EXPIRED",
                "fulfillment_order",
                order.pk,
                order.account_id,
                evidence={"number": order.number},
                cause=f"node:{order.node_id}",
                thread_id=order.order_id,
            )
            for order in expired
        ],
        at=at,
    )
    return len(expired)


@transaction.atomic
def put_back(
    fulfillment_order_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[Worked]]:
    """Scan what was not collected back onto the shelf: it can be sold again, the buyer's units
    are cancelled. One outcome per id, in order.
    """
    work = open_orders(fulfillment_order_ids, scope=actor.scope, whole=True)
    returned: list[tuple[FulfillmentLine, int]] = []
    verdicts = [_put_back(work, order_id, returned) for order_id in fulfillment_order_ids]
    write(work, at=at, actor=actor, reason="put back")
    withdraw(work, returned, why="Not collected in time.", initiator="system", at=at, actor=actor)
    return work.outcomes(verdicts)


def _put_back(
    work: Work, order_id: UUID, returned: list[tuple[FulfillmentLine, int]]
) -> Outcome[UUID]:
    order = work.orders.get(order_id)
    if order is None:
        return not_found()
    if order.state not in {FulfillmentState.EXPIRED, FulfillmentState.COLLECTED}:
        return not_now(order, f"{order.number} is still waiting for its buyer.")
    aside = {line.pk: line.packed for line in work.lines_of(order_id) if line.packed}
    if not aside:
        return Outcome.repeated(order_id)
    for line_id, quantity in aside.items():
        work.shift(work.lines[line_id], "packed", "cancelled", quantity)
        returned.append((work.lines[line_id], quantity))
    work.tell(order_id, "fulfillment.put_back", lines=aside)
    return Outcome.done(order_id)
