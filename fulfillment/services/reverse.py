"""Parcels that were said to have left and did not: shipped is released again, until the first scan."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

import inventory.services
import orders.services
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome, OutcomeKind
from fulfillment.models import Parcel, ParcelLine, TrackingEvent
from fulfillment.services.parcels import contents_of, standings, write_parcels
from fulfillment.services.ship import excess_of
from fulfillment.services.work import Work, not_found, not_now, open_parcels, write
from fulfillment.states import AT_THE_NODE, ParcelState
from fulfillment.types import ParcelStanding
from inventory.types import IssuedPortion
from orders.selectors.groups import channels_of_lines
from orders.types import ShippedUnits


@transaction.atomic
def reverse_shipments(
    parcel_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[ParcelStanding]]:
    """Take parcels back that no carrier has scanned. One outcome per id, in order.

    They wait at the node again, packed or labelled; their units are released and on the book again,
    their invoice is credited, a capture that nobody has sent is withdrawn. Refused once the carrier
    has scanned the parcel, and once its money was asked for.
    """
    work = open_parcels(parcel_ids, scope=actor.scope)
    scanned = _scanned(work.parcels)
    verdicts = [_judge(work, parcel_id, scanned) for parcel_id in parcel_ids]
    wanted = {verdict.value for verdict in verdicts if verdict.value and _is_done(verdict)}
    inside = contents_of(wanted) if wanted else {}
    too_late = orders.services.reverse_shipments(_units(work, wanted, inside), at=at, actor=actor)
    back = [
        work.parcels[parcel_id]
        for parcel_id in sorted(wanted)
        if _order_of(work, work.parcels[parcel_id]) not in too_late
    ]
    _take_back(work, back, inside, at=at, actor=actor)
    return standings(work.parcels, [_final(work, verdict, too_late) for verdict in verdicts])


def _scanned(parcel_ids: Collection[UUID]) -> set[UUID]:
    """Parcels of which anything was heard since they left."""
    news = TrackingEvent.objects.for_scope(ALL_ACCOUNTS).filter(parcel_id__in=list(parcel_ids))
    return set(news.values_list("parcel_id", flat=True))


def _judge(work: Work, parcel_id: UUID, scanned: set[UUID]) -> Outcome[UUID]:
    parcel = work.parcels.get(parcel_id)
    if parcel is None:
        return not_found("parcel")
    if parcel.state in AT_THE_NODE:
        return Outcome.repeated(parcel_id)
    if parcel.state != ParcelState.HANDED_OVER:
        return not_now(parcel, f"{parcel.number} is {parcel.get_state_display().lower()}.")
    if parcel_id in scanned:
        return Outcome.refused("scanned", f"The carrier has scanned {parcel.number}.")
    return Outcome.done(parcel_id)


def _final(work: Work, verdict: Outcome[UUID], too_late: Mapping[UUID, str]) -> Outcome[UUID]:
    if verdict.value is None or not _is_done(verdict):
        return verdict
    why = too_late.get(_order_of(work, work.parcels[verdict.value]))
    return Outcome.refused("money-asked", why) if why else verdict


def _is_done(verdict: Outcome[UUID]) -> bool:
    return verdict.kind is OutcomeKind.DONE


def _order_of(work: Work, parcel: Parcel) -> UUID:
    order_id: UUID = work.orders[parcel.fulfillment_order_id].order_id
    return order_id


def _units(
    work: Work, parcel_ids: Collection[UUID], inside: Mapping[UUID, list[ParcelLine]]
) -> list[ShippedUnits]:
    return [
        ShippedUnits(
            _order_of(work, work.parcels[parcel_id]),
            work.lines[content.line_id].order_line_id,
            content.quantity,
            parcel_id,
        )
        for parcel_id in sorted(parcel_ids)
        for content in inside[parcel_id]
        if content.quantity
    ]


def _take_back(
    work: Work,
    parcels: Sequence[Parcel],
    inside: Mapping[UUID, list[ParcelLine]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Have the parcels wait at the node, and their units lie in the book: positions last."""
    if not parcels:
        return
    was = {parcel.pk: parcel.state for parcel in parcels}
    sellers = channels_of_lines(
        {work.lines[content.line_id].order_line_id for each in inside.values() for content in each}
    )
    portions = [
        replace(portion, channel_id=sellers.get(work.lines[line_id].order_line_id))
        for parcel in parcels
        for line_id, portion in _issued(work, parcel, inside)
    ]
    for parcel in parcels:
        for content in inside[parcel.pk]:
            work.shift(work.lines[content.line_id], "shipped", "packed", content.quantity)
        work.tell(
            parcel.fulfillment_order_id,
            "fulfillment.shipment_reversed",
            lines={content.line_id: content.quantity for content in inside[parcel.pk]},
        )
        if parcel.labelled_at is not None:
            parcel.take_back_labelled()
        else:
            parcel.take_back()
    write(work, at=at, actor=actor, reason="shipment reversed")
    write_parcels(
        work,
        parcels,
        was,
        topic="parcel.shipment_reversed",
        reason="shipment reversed",
        at=at,
        actor=actor,
        data={parcel.pk: {"excess": excess_of(work, inside[parcel.pk])} for parcel in parcels},
    )
    _strike_out(parcels, at=at)
    if portions:
        inventory.services.put_back(portions, at=at, actor=actor)


def _issued(
    work: Work, parcel: Parcel, inside: Mapping[UUID, list[ParcelLine]]
) -> list[tuple[UUID, IssuedPortion]]:
    """The units of the parcel by line, under the cause by which they were issued."""
    cause_id = parcel.issued_under or parcel.pk
    cause_kind = "parcel" if cause_id == parcel.pk else "handover"
    return [
        (
            content.line_id,
            IssuedPortion(
                work.lines[content.line_id].reservation_id, content.quantity, cause_kind, cause_id
            ),
        )
        for content in inside[parcel.pk]
        if content.quantity
    ]


def _strike_out(parcels: Sequence[Parcel], *, at: datetime) -> None:
    """They stand on no list of what has left, and their silence means nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH struck AS (
                UPDATE fulfillment_manifestline SET taken_back_at = %s
                WHERE parcel_id = ANY(%s) AND taken_back_at IS NULL)
            UPDATE fulfillment_parcel SET alarms = array_remove(alarms, 'TRACKING_SILENT')
            WHERE id = ANY(%s)
            """,
            [at, *[[parcel.pk for parcel in parcels]] * 2],
        )
