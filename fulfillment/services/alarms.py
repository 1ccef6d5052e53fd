"""What is late or silent is found on schedule, and reported once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from config.kernel import case_reports
from config.kernel.types import Actor
from fulfillment.states import ON_THE_WAY, OPEN_FULFILLMENT, FulfillmentState

ACK_OVERDUE = "ACK_OVERDUE"
ACK_PARTIAL = "ACK_PARTIAL"
SHIP_BY_MISSED = "SHIP_BY_MISSED"
TRACKING_SILENT = "TRACKING_SILENT"

SILENT_AFTER = timedelta(hours=72)
"""How long a carrier may say nothing of a parcel that it has."""


@transaction.atomic
def report_overdue(*, limit: int, at: datetime, actor: Actor) -> int:
    """Report work not taken on in time, or only in part, and work that is past its ship-by.

    Each fulfillment order is reported once per kind. Three statements and the reports.
    """
    del actor
    unacknowledged = _raise_alarm(
        ACK_OVERDUE,
        "state = 'released' AND acknowledge_by < %s",
        "acknowledge_by",
        [at],
        limit,
    )
    partial = _raise_alarm(
        ACK_PARTIAL,
        "state = ANY(%s) AND acknowledge_by < %s AND EXISTS (SELECT FROM "
        "fulfillment_fulfillmentline line WHERE line.fulfillment_order_id = "
        "fulfillment_fulfillmentorder.id AND line.waiting > 0)",
        "acknowledge_by",
        [[s for s in OPEN_FULFILLMENT if s is not FulfillmentState.RELEASED], at],
        limit,
    )
    missed = _raise_alarm(
        SHIP_BY_MISSED,
        "state = ANY(%s) AND ship_by < %s",
        "ship_by",
        [[s for s in OPEN_FULFILLMENT if s is not FulfillmentState.READY_FOR_PICKUP], at],
        limit,
    )
    found = [(ACK_OVERDUE, row) for row in unacknowledged]
    found += [(ACK_PARTIAL, row) for row in partial]
    found += [(SHIP_BY_MISSED, row) for row in missed]
    case_reports.report(
        [
            case_reports.Report(
                kind,
                "fulfillment_order",
                order_id,
                account_id,
                evidence={"number": number, "due": due.isoformat()},
                cause=f"node:{node_id}",
                thread_id=thread_id,
            )
            for kind, (order_id, account_id, number, node_id, thread_id, due) in found
        ],
        at=at,
    )
    return len(found)


def _raise_alarm(
    kind: str, condition: str, due: str, params: Sequence[Any], limit: int
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE fulfillment_fulfillmentorder AS work SET alarms = alarms || %s::text
            FROM (
                SELECT id FROM fulfillment_fulfillmentorder
                WHERE {condition} AND NOT alarms @> ARRAY[%s]::varchar[]
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            ) AS late
            WHERE work.id = late.id
            RETURNING work.id, account_id, number, node_id, order_id, {due}
            """,  # noqa: S608  # conditions written above
            [kind, *params, kind, limit],
        )
        return list(cursor.fetchall())


@transaction.atomic
def report_silent(*, limit: int, at: datetime, actor: Actor) -> int:
    """Report parcels of which their carrier has said nothing for too long. Returns how many."""
    del actor
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE fulfillment_parcel AS parcel SET alarms = parcel.alarms || %s::text
            FROM (
                SELECT p.id, w.order_id FROM fulfillment_parcel p
                JOIN fulfillment_fulfillmentorder w ON w.id = p.fulfillment_order_id
                WHERE p.state = ANY(%s) AND p.last_heard_at < %s
                    AND NOT p.alarms @> ARRAY[%s]::varchar[]
                ORDER BY p.id LIMIT %s FOR UPDATE OF p SKIP LOCKED
            ) AS silent
            WHERE parcel.id = silent.id
            RETURNING parcel.id, account_id, number, carrier_code, last_heard_at, silent.order_id
            """,
            [TRACKING_SILENT, list(ON_THE_WAY), at - SILENT_AFTER, TRACKING_SILENT, limit],
        )
        silent = cursor.fetchall()
    case_reports.report(
        [
            case_reports.Report(
                TRACKING_SILENT,
                "parcel",
                parcel_id,
                account_id,
                evidence={"parcel": number, "last_heard_at": heard_at.isoformat()},
                cause=f"carrier:{carrier_code}",
                thread_id=thread_id,
            )
            for parcel_id, account_id, number, carrier_code, heard_at, thread_id in silent
        ],
        at=at,
    )
    return len(silent)
