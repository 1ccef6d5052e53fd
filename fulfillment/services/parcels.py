"""What every command on parcels needs: their contents, their numbers, and writing them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, Q

from config.kernel import events
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment.models import FulfillmentOrder, Parcel, ParcelLine
from fulfillment.services.work import Work, expect
from fulfillment.types import ParcelStanding


def next_numbers(prefix: str, sequence: str, count: int) -> list[str]:
    """Human numbers from a sequence, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, count]
        )
        return [f"{prefix}{number}" for (number,) in cursor.fetchall()]


def contents_of(parcel_ids: Collection[UUID]) -> Mapping[UUID, list[ParcelLine]]:
    """What lies in each parcel; `is_traced` says whether anybody keeps track of its lots or serials."""
    inside: defaultdict[UUID, list[ParcelLine]] = defaultdict(list)
    for content in (
        ParcelLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(parcel_id__in=list(parcel_ids))
        .annotate(
            is_traced=ExpressionWrapper(
                Q(line__sku__lot_tracked=True)
                | Q(line__sku__serial_tracked=True)
                | ~Q(line__sku__regulation=""),
                output_field=BooleanField(),
            )
        )
        .order_by("parcel_id", "pk")
    ):
        inside[content.parcel_id].append(content)
    return inside


def write_parcels(
    work: Work,
    changed: Sequence[Parcel],
    was: Mapping[UUID, str],
    *,
    topic: str | Mapping[UUID, str],
    reason: str,
    at: datetime,
    actor: Actor,
    data: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> None:
    """Write parcels whose state has moved, with history and one event each: three statements.

    `was` holds the states under which they were locked; another state now is a Conflict. `topic`
    is one for all, or one per parcel.
    """
    if not changed:
        return
    for parcel in changed:
        parcel.event_seq += 1
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE fulfillment_parcel AS parcel
            SET state = told.state, event_seq = told.event_seq, carrier_code = told.carrier_code,
                tracking_number = told.tracking_number, labelled_at = told.labelled_at,
                handed_over_at = told.handed_over_at, last_heard_at = told.last_heard_at,
                delivered_at = told.delivered_at, label_asked = told.label_asked,
                label_pending = told.label_pending, issued_under = told.issued_under
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[],
                %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                %s::smallint[], %s::boolean[], %s::uuid[])
                AS told(id, was, state, event_seq, carrier_code, tracking_number, labelled_at,
                    handed_over_at, last_heard_at, delivered_at, label_asked, label_pending,
                    issued_under)
            WHERE parcel.id = told.id AND parcel.state = told.was
            """,
            [
                [parcel.pk for parcel in changed],
                [was[parcel.pk] for parcel in changed],
                *(
                    [getattr(parcel, name) for parcel in changed]
                    for name in (
                        "state",
                        "event_seq",
                        "carrier_code",
                        "tracking_number",
                        "labelled_at",
                        "handed_over_at",
                        "last_heard_at",
                        "delivered_at",
                        "label_asked",
                        "label_pending",
                        "issued_under",
                    )
                ),
            ],
        )
        expect(cursor.rowcount, len(changed))
    record_history(
        Parcel,
        [parcel.pk for parcel in changed],
        Change.CHANGED,
        at=at,
        actor=actor,
        reason=reason,
    )
    more = data or {}
    events.record(
        [
            parcel_fact(
                topic if isinstance(topic, str) else topic[parcel.pk],
                parcel,
                work.orders[parcel.fulfillment_order_id],
                more.get(parcel.pk),
            )
            for parcel in changed
        ],
        at=at,
        actor=actor,
    )


def parcel_fact(
    topic: str,
    parcel: Parcel,
    order: FulfillmentOrder,
    data: Mapping[str, Any] | None = None,
) -> events.Fact:
    return events.Fact(
        topic,
        "parcel",
        parcel.pk,
        parcel.event_seq,
        parcel.account_id,
        {
            "number": parcel.number,
            "state": parcel.state,
            "fulfillment_order_id": str(order.pk),
            "node_id": order.node_id,
            "carrier": parcel.carrier_code,
            "tracking_number": parcel.tracking_number,
            **(data or {}),
        },
        order.order_id,
    )


def standings(
    parcels: Mapping[UUID, Parcel], verdicts: Iterable[Outcome[UUID]]
) -> list[Outcome[ParcelStanding]]:
    """Say of each item where its parcel stands now."""
    return [
        Outcome(
            verdict.kind,
            _standing(parcels[verdict.value]) if verdict.value else None,
            verdict.problem,
        )
        for verdict in verdicts
    ]


def _standing(parcel: Parcel) -> ParcelStanding:
    return ParcelStanding(parcel.pk, parcel.number, parcel.state)
