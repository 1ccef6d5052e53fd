"""Parcels: found, on their way, and as they are at hand."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS, Scope
from fulfillment import carriers
from fulfillment.models import Parcel, ParcelLine, TrackingEvent
from fulfillment.querysets import ParcelQuerySet
from fulfillment.states import FOLLOWED, ON_THE_WAY, ParcelState
from fulfillment.types import ParcelAtHand


def parcel(parcel_id: UUID, scope: Scope, *, node_ids: Collection[int] | None = None) -> Parcel:
    """One parcel with its tracking. Raises NotFound outside the scope and the nodes."""
    found: Parcel | None = (
        shown_parcels(scope)
        .at_nodes(node_ids)
        .select_related("fulfillment_order__order", "fulfillment_order__node")
        .prefetch_related(
            Prefetch(
                "tracking",
                TrackingEvent.objects.for_scope(ALL_ACCOUNTS).order_by("-happened_at", "-pk"),
            )
        )
        .filter(pk=parcel_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such parcel.")
    return found


def orders_by_tracking(tracking_number: str, scope: Scope) -> list[UUID]:
    """Ids of the orders that have a parcel under this tracking number or parcel number."""
    wanted = tracking_number.strip()
    return list(
        Parcel.objects.for_scope(scope)
        .filter(Q(tracking_number=wanted) | Q(number=wanted))
        .order_by("-pk")
        .values_list("fulfillment_order__order_id", flat=True)
    )


def parcels_on_the_way(scope: Scope) -> list[UUID]:
    """Parcels that a carrier has and has not brought, oldest first."""
    return list(
        Parcel.objects.for_scope(scope)
        .filter(state__in=ON_THE_WAY)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def tracking_url(parcel: Parcel) -> str:
    """The carrier's public page on the parcel; empty when there is none."""
    if not parcel.tracking_number:
        return ""
    return carriers.tracking_url(parcel.carrier_code, parcel.account_id, parcel.tracking_number)


def parcels_to_ask_about(
    account_id: UUID,
    carrier_code: str,
    *,
    heard_before: datetime,
    packed_after: datetime,
    after: UUID | None,
    limit: int,
) -> list[tuple[UUID, str]]:
    """(id, tracking number) of parcels that the carrier may know more of than we, by id.

    Nothing of them happened after `heard_before` that we were told of. `after` is the last id of
    the page before.
    """
    found = (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            account_id=account_id,
            carrier_code=carrier_code,
            state__in=FOLLOWED,
            packed_at__gt=packed_after,
        )
        .exclude(tracking_number="")
        .filter(
            Q(last_heard_at__lt=heard_before)
            | Q(last_heard_at__isnull=True, labelled_at__lt=heard_before)
        )
    )
    if after is not None:
        found = found.filter(pk__gt=after)
    return list(found.order_by("pk").values_list("pk", "tracking_number")[:limit])


def orders_of_parcels(parcel_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The order that each parcel belongs to."""
    rows = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=list(parcel_ids))
    return dict(rows.values_list("pk", "fulfillment_order__order_id"))


def never_scanned(parcel_ids: Collection[UUID]) -> set[UUID]:
    """Those of the parcels that their carrier has, and has said nothing of."""
    rows = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(parcel_ids), state=ParcelState.HANDED_OVER
    )
    return set(rows.values_list("pk", flat=True))


def parcels_numbered(account_id: UUID, tracking_numbers: Collection[str]) -> dict[str, UUID]:
    """The account's youngest parcel under each of the tracking numbers."""
    rows = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id, tracking_number__in=list(tracking_numbers)
    )
    return dict(rows.order_by("pk").values_list("tracking_number", "pk"))


def shown_parcels(scope: Scope = ALL_ACCOUNTS) -> ParcelQuerySet:
    contents = ParcelLine.objects.for_scope(ALL_ACCOUNTS).select_related("line__sku").order_by("pk")
    return (
        Parcel.objects.for_scope(scope).prefetch_related(Prefetch("lines", contents)).order_by("pk")
    )


def reachable_parcels(
    parcel_ids: Collection[UUID], scope: Scope, *, node_ids: Collection[int] | None = None
) -> list[UUID]:
    """Those of the parcels that lie within the scope and the nodes, each once, in the order given.

    Raises NotFound when one does not.
    """
    wanted = list(dict.fromkeys(parcel_ids))
    found = set(
        Parcel.objects.for_scope(scope)
        .at_nodes(node_ids)
        .filter(pk__in=wanted)
        .values_list("pk", flat=True)
    )
    if len(found) < len(wanted):
        raise NotFound("There is no such parcel.")
    return wanted


def parcel_numbers(parcel_ids: Collection[UUID], scope: Scope) -> set[str]:
    """The numbers of these parcels, as far as the scope reaches."""
    found = Parcel.objects.for_scope(scope).filter(pk__in=list(parcel_ids))
    return set(found.values_list("number", flat=True))


def parcels_at_hand(parcel_ids: Collection[UUID], scope: Scope) -> list[ParcelAtHand]:
    """These parcels with their units per order line, by id. Three statements."""
    return _at_hand(Parcel.objects.for_scope(scope).filter(pk__in=list(parcel_ids)), "pk")


def parcels_sent(order_ids: Collection[UUID], scope: Scope) -> dict[UUID, list[ParcelAtHand]]:
    """The parcels of these orders that have left, by order, in that order. Three statements."""
    found: dict[UUID, list[ParcelAtHand]] = {}
    left = Parcel.objects.for_scope(scope).filter(
        fulfillment_order__order_id__in=list(order_ids), handed_over_at__isnull=False
    )
    for one in _at_hand(left.exclude(state=ParcelState.VOIDED), "handed_over_at", "pk"):
        found.setdefault(one.order_id, []).append(one)
    return found


def _at_hand(parcels: "QuerySet[Parcel]", *order: str) -> list[ParcelAtHand]:
    rows = (
        parcels.select_related("fulfillment_order")
        .prefetch_related(
            Prefetch("lines", ParcelLine.objects.for_scope(ALL_ACCOUNTS).select_related("line"))
        )
        .order_by(*order)
    )
    return [
        ParcelAtHand(
            row.pk,
            row.number,
            row.state,
            row.account_id,
            row.fulfillment_order.order_id,
            row.fulfillment_order.node_id,
            row.carrier_code,
            row.tracking_number,
            tuple(
                (content.line.order_line_id, content.quantity)
                for content in row.lines.all()
                if content.quantity
            ),
        )
        for row in rows
    ]
