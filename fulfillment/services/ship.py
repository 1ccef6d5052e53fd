"""Parcels leave the node. What has left is recorded, whatever was asked for in the meantime."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

import inventory.services
import orders.services
from config.kernel import case_reports, ids
from config.kernel.types import Actor, Outcome
from fulfillment.models import Parcel, ParcelLine
from fulfillment.services.parcels import contents_of, standings, write_parcels
from fulfillment.services.requests import overtaken_requests
from fulfillment.services.tracing import Traces, leave, traces_of
from fulfillment.services.work import Work, not_found, not_now, open_parcels, write
from fulfillment.states import AT_THE_NODE, ParcelState
from fulfillment.types import ParcelStanding, Shipment
from inventory.types import Portion
from orders.types import ShippedUnits


@transaction.atomic
def confirm_shipments(
    shipments: Sequence[Shipment], *, at: datetime, actor: Actor
) -> list[Outcome[ParcelStanding]]:
    """Record that parcels were handed to the carrier. One outcome per shipment, in order.

    Consumes the reservations, moves the order lines, and has the money taken for what left. What
    the law wants on record is asked of nodes that work by hand before the parcel goes; where a
    system tells that it went, what is missing is a case.
    """
    work = open_parcels([shipment.parcel_id for shipment in shipments], scope=actor.scope)
    leaving: dict[UUID, Shipment] = {}
    verdicts = [_judge(work, shipment, leaving) for shipment in shipments]
    inside = contents_of(leaving)
    traces = traces_of(work, [work.parcels[key] for key in sorted(leaving)], inside)
    verdicts = [
        _lawful(work, one, traces, leaving) for one in zip(shipments, verdicts, strict=True)
    ]
    hand_over(work, leaving, inside, traces, at=at, actor=actor)
    return standings(work.parcels, verdicts)


def _judge(work: Work, shipment: Shipment, leaving: dict[UUID, Shipment]) -> Outcome[UUID]:
    parcel = work.parcels.get(shipment.parcel_id)
    if parcel is None:
        return not_found("parcel")
    if parcel.state == ParcelState.VOIDED:
        return not_now(parcel, f"{parcel.number} was opened again.")
    if parcel.state not in AT_THE_NODE or parcel.pk in leaving:
        return Outcome.repeated(parcel.pk)
    leaving[parcel.pk] = shipment
    return Outcome.done(parcel.pk)


def _lawful(
    work: Work,
    judged: tuple[Shipment, Outcome[UUID]],
    traces: Traces,
    leaving: dict[UUID, Shipment],
) -> Outcome[UUID]:
    """Keep back what the law wants more of on record, and say what is missing."""
    shipment, verdict = judged
    words = traces.missing.get(shipment.parcel_id)
    if not words or shipment.told or shipment.parcel_id not in leaving:
        return verdict
    del leaving[shipment.parcel_id]
    number = work.parcels[shipment.parcel_id].number
    return Outcome.refused(
        "not-traced", f"{number} may not leave: missing is {', '.join(words)}.", missing=list(words)
    )


def hand_over(
    work: Work,
    leaving: Mapping[UUID, Shipment],
    inside: Mapping[UUID, list[ParcelLine]] | None = None,
    traces: Traces | None = None,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Record the handing over of opened parcels, in the caller's transaction.

    `inside` and `traces` are what lies in them, where the caller has read it.
    """
    if not leaving:
        return
    parcels = [work.parcels[parcel_id] for parcel_id in sorted(leaving)]
    inside = contents_of(leaving) if inside is None else inside
    traces = traces_of(work, parcels, inside) if traces is None else traces
    was = {parcel.pk: parcel.state for parcel in parcels}
    # Movements name one cause: the parcel, or the act by which several left together.
    cause_kind, cause_id = (
        ("parcel", parcels[0].pk) if len(parcels) == 1 else ("handover", ids.uuid7())
    )
    for parcel in parcels:
        _leave(work, parcel, leaving[parcel.pk], inside[parcel.pk])
        parcel.hand_over(issued_under=cause_id, at=at)
        work.journeys[parcel.fulfillment_order_id] = False
    overtaken_requests(work, at=at, actor=actor)
    write(work, at=at, actor=actor, reason="shipped")
    write_parcels(
        work,
        parcels,
        was,
        topic="parcel.shipped",
        reason="shipped",
        at=at,
        actor=actor,
        data={parcel.pk: {"excess": excess_of(work, inside[parcel.pk])} for parcel in parcels},
    )
    _report_excess(work, parcels, inside, at=at)
    orders.services.record_shipments(
        [
            ShippedUnits(
                work.orders[parcel.fulfillment_order_id].order_id,
                work.lines[content.line_id].order_line_id,
                content.quantity,
                parcel.pk,
            )
            for parcel in parcels
            for content in inside[parcel.pk]
            if content.quantity
        ],
        at=at,
        actor=actor,
    )
    inventory.services.issue(
        [
            Portion(
                work.lines[content.line_id].reservation_id,
                content.quantity,
                traces.lots(parcel.pk, content.line_id),
            )
            for parcel in parcels
            for content in inside[parcel.pk]
            if content.quantity
        ],
        cause_kind,
        cause_id,
        at=at,
        actor=actor,
    )
    leave(work, traces, parcels, at=at, actor=actor)


def _leave(
    work: Work,
    parcel: Parcel,
    shipment: Shipment,
    contents: Sequence[ParcelLine],
) -> None:
    parcel.carrier_code = shipment.carrier_code or parcel.carrier_code
    parcel.tracking_number = shipment.tracking_number or parcel.tracking_number
    for content in contents:
        work.shift(work.lines[content.line_id], "packed", "shipped", content.quantity)
    work.tell(
        parcel.fulfillment_order_id,
        "fulfillment.shipped",
        lines={content.line_id: content.quantity for content in contents},
    )


def excess_of(work: Work, contents: Sequence[ParcelLine]) -> list[dict[str, object]]:
    """What lies in a parcel beyond what was asked for, as its events say it."""
    return [
        {
            "parcel_line_id": str(content.pk),
            "sku_id": work.lines[content.line_id].sku_id,
            "quantity": content.excess,
        }
        for content in contents
        if content.excess
    ]


def _report_excess(
    work: Work,
    parcels: Sequence[Parcel],
    inside: Mapping[UUID, list[ParcelLine]],
    *,
    at: datetime,
) -> None:
    case_reports.report(
        [
            case_reports.Report(
                "EXCESS_SHIPPED",
                "parcel",
                parcel.pk,
                parcel.account_id,
                evidence={
                    "parcel": parcel.number,
                    "units": sum(content.excess for content in inside[parcel.pk]),
                    "cancelled": sum(
                        work.lines[content.line_id].cancelled for content in inside[parcel.pk]
                    ),
                },
                cause=f"node:{work.orders[parcel.fulfillment_order_id].node_id}",
                thread_id=work.orders[parcel.fulfillment_order_id].order_id,
            )
            for parcel in parcels
            if any(content.excess for content in inside[parcel.pk])
        ],
        at=at,
    )
