"""News of parcels: all of it is kept, and the parcel's state is folded from all of it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

import orders.services
from config.kernel import case_reports, external_keys, ids
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome, Scope
from fulfillment import tracking
from fulfillment.models import Parcel, TrackingEvent
from fulfillment.services.parcels import contents_of, standings, write_parcels
from fulfillment.services.ship import hand_over
from fulfillment.services.work import Work, not_found, not_now, open_parcels, write
from fulfillment.states import AT_THE_NODE, TRACKED, FulfillmentState, ParcelState
from fulfillment.types import ParcelStanding, Shipment, TrackingNews
from orders.types import Move

_TROUBLE = {
    ParcelState.LOST: "PARCEL_LOST",
    ParcelState.DAMAGED: "PARCEL_DAMAGED",
    ParcelState.RETURNED: "PARCEL_CAME_BACK",
}
_TOPICS = {
    ParcelState.DELIVERED: "parcel.delivered",
    ParcelState.RETURNED: "parcel.returned",
    ParcelState.LOST: "parcel.lost",
    ParcelState.DAMAGED: "parcel.damaged",
}
_TRANSITIONS = {
    ParcelState.IN_TRANSIT: "travel",
    ParcelState.OUT_FOR_DELIVERY: "go_out",
    ParcelState.ATTEMPTED: "attempt",
    ParcelState.AT_PICKUP_POINT: "wait_at_pickup_point",
    ParcelState.RETURNING: "turn_back",
    ParcelState.RETURNED: "come_back",
    ParcelState.DAMAGED: "damage",
    ParcelState.LOST: "lose",
}


@transaction.atomic
def record_tracking(
    news: Sequence[TrackingNews], *, at: datetime, actor: Actor
) -> list[Outcome[ParcelStanding]]:
    """Keep what was said about parcels and move them accordingly. One outcome per item, in order.

    News of a parcel that we think is still at the node proves that it left: it is shipped first.
    Repeated news answers as the first did.
    """
    named = _parcels_named(news, scope=actor.scope)
    known = _known(news, named)
    told = {parcel_id for place, parcel_id in enumerate(named) if parcel_id and place not in known}
    work = open_parcels(told, scope=actor.scope)
    verdicts, kept = _judge(work, news, named, known, at=at)
    TrackingEvent.objects.bulk_create(kept)
    _ship_what_moved(work, kept, at=at, actor=actor)
    _fold(work, {event.parcel_id for event in kept}, at=at, actor=actor)
    unmoved = {parcel_id for parcel_id in named if parcel_id} - told
    at_rest = Parcel.objects.for_scope(actor.scope).in_bulk(list(unmoved)) if unmoved else {}
    return standings(work.parcels | at_rest, verdicts)


def _known(news: Sequence[TrackingNews], named: Sequence[UUID | None]) -> set[int]:
    """Places of what was told before. Carriers say a parcel's whole way each time: nothing is locked
    for what it says again.
    """
    keys: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for place, (item, parcel_id) in enumerate(zip(news, named, strict=True)):
        if parcel_id:
            keys[item.source][place] = _key(parcel_id, item)
    return {
        place
        for source, said in keys.items()
        for owned in [external_keys.owners_of("tracking", source, list(said.values()))]
        for place, key in said.items()
        if key in owned
    }


def _parcels_named(news: Sequence[TrackingNews], *, scope: Scope) -> list[UUID | None]:
    """The parcel that each item names; of several with one tracking number, the youngest."""
    rows = (
        Parcel.objects.for_scope(scope)
        .filter(
            Q(pk__in=[item.parcel_id for item in news if item.parcel_id])
            | Q(tracking_number__in=[item.tracking_number for item in news if item.tracking_number])
        )
        .order_by("pk")
        .values_list("pk", "account_id", "carrier_code", "tracking_number")
    )
    known: dict[object, UUID] = {}
    for parcel_id, account_id, carrier_code, tracking_number in rows:
        known[parcel_id] = parcel_id
        for account in (None, account_id) if tracking_number else ():
            known[account, carrier_code, tracking_number] = parcel_id
            known[account, "", tracking_number] = parcel_id
    return [
        known.get(item.parcel_id or (item.account_id, item.carrier_code, item.tracking_number))
        for item in news
    ]


def _judge(
    work: Work,
    news: Sequence[TrackingNews],
    named: Sequence[UUID | None],
    known: Collection[int],
    *,
    at: datetime,
) -> tuple[list[Outcome[UUID]], list[TrackingEvent]]:
    told: dict[int, Outcome[UUID]] = {}
    events: dict[int, TrackingEvent] = {}
    for place, (item, parcel_id) in enumerate(zip(news, named, strict=True)):
        parcel = work.parcels.get(parcel_id) if parcel_id else None
        if parcel_id and place in known:
            told[place] = Outcome.repeated(parcel_id)
        elif parcel is None:
            told[place] = not_found("parcel")
        elif item.status not in TRACKED:
            told[place] = Outcome.refused(
                "unknown-status", f"{item.status} says nothing about a way.", known=list(TRACKED)
            )
        elif parcel.state == ParcelState.VOIDED:
            told[place] = not_now(parcel, f"{parcel.number} was opened again.")
        else:
            events[place] = _event_of(parcel, item, at=at)
    owners = external_keys.claim(
        "tracking",
        [
            external_keys.Claim(event.source, event.external_id, event.pk)
            for event in events.values()
        ],
    )
    first = dict(zip(events, owners, strict=True))
    verdicts = [
        told.get(place)
        or (
            Outcome.done(events[place].parcel_id)
            if first[place] == events[place].pk
            else Outcome.repeated(events[place].parcel_id)
        )
        for place in range(len(news))
    ]
    return verdicts, [event for place, event in events.items() if first[place] == event.pk]


def _key(parcel_id: UUID, item: TrackingNews) -> str:
    """What the news is known by: what its teller calls it, of this parcel."""
    said = item.external_id or f"{item.status}@{item.happened_at.isoformat()}"
    if item.correction:
        said = f"{said} corrected"
    return f"{parcel_id}:{said}"[:120]


def _event_of(parcel: Parcel, item: TrackingNews, *, at: datetime) -> TrackingEvent:
    return TrackingEvent(
        id=ids.uuid7(),
        account_id=parcel.account_id,
        parcel_id=parcel.pk,
        status=item.status,
        happened_at=item.happened_at,
        correction=item.correction,
        source=item.source,
        external_id=_key(parcel.pk, item),
        place=item.place,
        at=at,
    )


def _ship_what_moved(
    work: Work, kept: Sequence[TrackingEvent], *, at: datetime, actor: Actor
) -> None:
    moved = {event.parcel_id for event in kept}
    hand_over(
        work,
        {
            parcel_id: Shipment(parcel_id)
            for parcel_id in moved
            if work.parcels[parcel_id].state in AT_THE_NODE
        },
        at=at,
        actor=actor,
    )
    work.touched.clear()
    work.facts.clear()
    work.journeys.clear()


def _fold(work: Work, heard_of: Collection[UUID], *, at: datetime, actor: Actor) -> None:
    if not heard_of:
        return
    told: defaultdict[UUID, list[tracking.News]] = defaultdict(list)
    for parcel_id, status, happened_at, correction in (
        TrackingEvent.objects.for_scope(ALL_ACCOUNTS)
        .filter(parcel_id__in=list(heard_of))
        .values_list("parcel_id", "status", "happened_at", "correction")
    ):
        told[parcel_id].append(tracking.News(ParcelState(status), happened_at, correction))
    was = {parcel_id: work.parcels[parcel_id].state for parcel_id in heard_of}
    for parcel_id in heard_of:
        _stand(work.parcels[parcel_id], told[parcel_id])
    _write_heard([work.parcels[parcel_id] for parcel_id in sorted(heard_of)])
    moved = [
        work.parcels[parcel_id]
        for parcel_id in sorted(heard_of)
        if work.parcels[parcel_id].state != was[parcel_id]
    ]
    write_parcels(
        work,
        moved,
        was,
        topic={parcel.pk: _TOPICS.get(parcel.state, "parcel.moved") for parcel in moved},
        reason="tracked",
        at=at,
        actor=actor,
    )
    _end_journeys(work, moved, at=at, actor=actor)
    _report_trouble(work, moved, at=at)
    _move_units(work, moved, was, at=at, actor=actor)


def _stand(parcel: Parcel, news: Sequence[tracking.News]) -> None:
    # A scan may tell of a time before the handing over was written down.
    told = min(item.happened_at for item in news)
    since = min(parcel.handed_over_at or told, told)
    standing = tracking.fold(since, news)
    parcel.last_heard_at = standing.heard_at
    if standing.state == parcel.state or standing.state is ParcelState.HANDED_OVER:
        return
    if standing.state is ParcelState.DELIVERED:
        parcel.deliver(at=standing.since)
    else:
        getattr(parcel, _TRANSITIONS[standing.state])()


def _write_heard(parcels: Sequence[Parcel]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE fulfillment_parcel AS parcel
            SET last_heard_at = told.heard_at, alarms = array_remove(alarms, 'TRACKING_SILENT')
            FROM unnest(%s::uuid[], %s::timestamptz[]) AS told(id, heard_at)
            WHERE parcel.id = told.id
            """,
            [[parcel.pk for parcel in parcels], [parcel.last_heard_at for parcel in parcels]],
        )


def _end_journeys(work: Work, moved: Sequence[Parcel], *, at: datetime, actor: Actor) -> None:
    """Complete the fulfillment orders all of whose parcels have ended their way."""
    touched = {parcel.fulfillment_order_id for parcel in moved}
    if not touched:
        return
    going: Counter[UUID] = Counter()
    for order_id, state in (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order_id__in=list(touched))
        .exclude(state=ParcelState.VOIDED)
        .values_list("fulfillment_order_id", "state")
    ):
        going[order_id] += state not in tracking.ENDED
    for order_id in touched:
        order = work.orders[order_id]
        over = not going[order_id]
        target = FulfillmentState.COMPLETED if over else FulfillmentState.SHIPPED
        if order.state in {FulfillmentState.SHIPPED, FulfillmentState.COMPLETED} - {target}:
            work.journeys[order_id] = over
            work.tell(order_id, "fulfillment.completed" if over else "fulfillment.resumed")
    write(work, at=at, actor=actor, reason="tracked")


def _report_trouble(work: Work, moved: Sequence[Parcel], *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                _TROUBLE[ParcelState(parcel.state)],
                "parcel",
                parcel.pk,
                parcel.account_id,
                evidence={"parcel": parcel.number, "carrier": parcel.carrier_code},
                cause=f"carrier:{parcel.carrier_code}",
                thread_id=work.orders[parcel.fulfillment_order_id].order_id,
            )
            for parcel in moved
            if parcel.state in _TROUBLE
        ],
        at=at,
    )


def _move_units(
    work: Work,
    moved: Sequence[Parcel],
    was: Mapping[UUID, str],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Count the units of the parcels where their new state has them."""
    crossing = {
        parcel.pk: (
            tracking.bucket(ParcelState(was[parcel.pk])),
            tracking.bucket(ParcelState(parcel.state)),
        )
        for parcel in moved
    }
    crossing = {
        pk: (source, target) for pk, (source, target) in crossing.items() if source != target
    }
    units: Counter[tuple[UUID, str, str]] = Counter()
    for parcel_id, contents in (contents_of(crossing) if crossing else {}).items():
        for content in contents:
            if content.quantity:
                line_id = work.lines[content.line_id].order_line_id
                units[line_id, *crossing[parcel_id]] += content.quantity
    by_topic: defaultdict[str, list[Move]] = defaultdict(list)
    for (line_id, source, target), quantity in sorted(units.items()):
        topic = "order.delivered" if target == "delivered" else ""
        by_topic[topic].append(Move(line_id, source, target, quantity))
    for topic, moves in by_topic.items():
        orders.services.move_units(moves, topic=topic, at=at, actor=actor)
