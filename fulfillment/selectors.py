"""What can be asked of fulfillment."""

import base64
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from config.kernel import vault
from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS, Scope
from fulfillment import carriers
from fulfillment.actions import LegalWish, legal_wishes
from fulfillment.models import (
    FulfillmentLine,
    FulfillmentOrder,
    Label,
    Manifest,
    ManifestLine,
    NodeRequest,
    Parcel,
    ParcelLine,
    TrackingEvent,
)
from fulfillment.querysets import ParcelQuerySet
from fulfillment.states import (
    FOLLOWED,
    ON_THE_WAY,
    READY_FOR_CARRIER,
    ParcelState,
    RequestKind,
    RequestState,
)
from fulfillment.types import ParcelAtHand
from orders.selectors import ContactAddress, contact_addresses
from orders.types import Address


def fulfillment_orders(
    scope: Scope, *, node_ids: Collection[int] | None = None
) -> QuerySet[FulfillmentOrder]:
    """Fulfillment orders within the scope, of these nodes or of all, with what a page shows."""
    found: QuerySet[FulfillmentOrder] = (
        FulfillmentOrder.objects.for_scope(scope)
        .at_nodes(node_ids)
        .select_related("node", "order", "service_level")
        .prefetch_related(
            Prefetch("lines", _lines()),
            Prefetch("parcels", _parcels()),
        )
    )
    return found


def fulfillment_order(
    order_id: UUID, scope: Scope, *, node_ids: Collection[int] | None = None
) -> FulfillmentOrder:
    """One fulfillment order. Raises NotFound outside the scope and the nodes."""
    found = fulfillment_orders(scope, node_ids=node_ids).filter(pk=order_id).first()
    if found is None:
        raise NotFound("There is no such fulfillment order.")
    return found


def fulfillment_orders_of(order_ids: Collection[UUID]) -> dict[UUID, list[FulfillmentOrder]]:
    """The fulfillment orders of each order, with lines, parcels and tracking, oldest first."""
    found: dict[UUID, list[FulfillmentOrder]] = {order_id: [] for order_id in order_ids}
    rows = (
        fulfillment_orders(ALL_ACCOUNTS)
        .filter(order_id__in=list(order_ids))
        .prefetch_related(
            Prefetch(
                "parcels__tracking",
                TrackingEvent.objects.for_scope(ALL_ACCOUNTS).order_by("-happened_at", "-pk"),
            )
        )
        .order_by("pk")
    )
    for row in rows:
        found[row.order_id].append(row)
    return found


def parcel(parcel_id: UUID, scope: Scope, *, node_ids: Collection[int] | None = None) -> Parcel:
    """One parcel with its tracking. Raises NotFound outside the scope and the nodes."""
    found: Parcel | None = (
        _parcels(scope)
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


def line_by_scan(
    order_id: UUID, code_skus: Collection[int], scope: Scope
) -> FulfillmentLine | None:
    """The line of the fulfillment order that a scanned SKU is picked for next; None when none is."""
    found: FulfillmentLine | None = (
        FulfillmentLine.objects.for_scope(scope)
        .filter(Q(waiting__gt=0) | Q(accepted__gt=0))
        .filter(fulfillment_order_id=order_id, sku_id__in=list(code_skus))
        .order_by("position")
        .first()
    )
    return found


def open_requests(scope: Scope, *, node_ids: Collection[int] | None = None) -> list[NodeRequest]:
    """What nodes are asked and have not answered, the most urgent first."""
    found = NodeRequest.objects.for_scope(scope).filter(state=RequestState.SENT)
    if node_ids is not None:
        found = found.filter(fulfillment_order__node_id__in=list(node_ids))
    return list(
        found.select_related("fulfillment_order__node", "line__sku", "service_level").order_by(
            "until", "pk"
        )
    )


def requests_of(order_ids: Collection[UUID]) -> list[NodeRequest]:
    """Every question asked about the fulfillment orders of these orders, oldest first."""
    return list(
        NodeRequest.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order__order_id__in=list(order_ids))
        .select_related("fulfillment_order__node", "line__sku", "service_level")
        .order_by("pk")
    )


def requests_about(fulfillment_order_id: UUID) -> list[NodeRequest]:
    """Every question asked about one fulfillment order, oldest first."""
    return list(
        NodeRequest.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order_id=fulfillment_order_id)
        .select_related("service_level")
        .order_by("pk")
    )


def wishes_about(order: FulfillmentOrder) -> list[LegalWish]:
    """What may be wished of the work now, and why not. One statement where its lines are read."""
    asked = [one for one in requests_about(order.pk) if one.state == RequestState.SENT]
    return legal_wishes(
        order,
        order.lines.all(),
        change_asked=any(one.kind == RequestKind.CHANGE for one in asked),
        asked=sum(one.asked for one in asked if one.kind != RequestKind.CHANGE),
    )


def open_work(scope: Scope) -> Mapping[int, Counter[str]]:
    """Open fulfillment orders by node and state, for the node table. One statement."""
    counted: dict[int, Counter[str]] = {}
    for node_id, state, number in (
        FulfillmentOrder.objects.for_scope(scope)
        .open()
        .values_list("node_id", "state")
        .annotate(number=Count("pk"))
    ):
        counted.setdefault(node_id, Counter())[state] = number
    return counted


def late_orders(scope: Scope, *, at: datetime) -> QuerySet[FulfillmentOrder]:
    """Fulfillment orders past their ship-by and not out of the door."""
    found: QuerySet[FulfillmentOrder] = (
        FulfillmentOrder.objects.for_scope(scope).late(at).select_related("node", "order")
    )
    return found


def parcels_on_the_way(scope: Scope) -> list[UUID]:
    """Parcels that a carrier has and has not brought, oldest first."""
    return list(
        Parcel.objects.for_scope(scope)
        .filter(state__in=ON_THE_WAY)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def missing_labels(scope: Scope, *, node_ids: Collection[int] | None = None) -> list[UUID]:
    """Packed parcels that have no label and have not been asked for one."""
    return list(
        Parcel.objects.for_scope(scope)
        .at_nodes(node_ids)
        .filter(state=ParcelState.PACKED, label_pending=False)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def label_keys(order_ids: Sequence[UUID]) -> set[UUID]:
    """The subject keys with which the labels of these orders are sealed."""
    found = Label.objects.for_scope(ALL_ACCOUNTS).filter(
        parcel__fulfillment_order__order_id__in=list(order_ids)
    )
    return set(found.values_list("sealed_with", flat=True))


def label_documents(
    parcel_ids: Collection[UUID], scope: Scope, *, node_ids: Collection[int] | None = None
) -> dict[str, tuple[bytes, str]]:
    """The latest label of each parcel, by parcel number: (document, media type).

    A parcel without a label, or whose buyer was erased, is absent.
    """
    found = Label.objects.for_scope(scope).filter(
        parcel_id__in=list(parcel_ids), voided_at__isnull=True
    )
    if node_ids is not None:
        found = found.filter(parcel__fulfillment_order__node_id__in=list(node_ids))
    labels = {
        number: (key_id, bytes(sealed), media_type)
        for number, key_id, sealed, media_type in found.order_by("bought_at").values_list(
            "parcel__number", "sealed_with", "document", "media_type"
        )
    }
    vault.preload(key_id for key_id, _, _ in labels.values())
    documents = {}
    for number, (key_id, sealed, media_type) in labels.items():
        try:
            opened = vault.open_(key_id, sealed)
        except vault.Erased:
            continue
        documents[number] = (base64.b64decode(opened["document"]), media_type)
    return documents


def waiting_for_carriers(scope: Scope, node_id: int) -> list[tuple[str, int]]:
    """(carrier, parcels) that go with the next manifests of the node, by carrier."""
    found = Parcel.objects.for_scope(scope).at_nodes([node_id]).filter(state__in=READY_FOR_CARRIER)
    counted = Counter(found.values_list("carrier_code", flat=True))
    return sorted(counted.items())


def manifests(scope: Scope, *, node_ids: Collection[int] | None = None) -> QuerySet[Manifest]:
    """Closed manifests with their parcels, the latest first."""
    found: QuerySet[Manifest] = Manifest.objects.for_scope(scope).order_by("-pk")
    if node_ids is not None:
        found = found.filter(node_id__in=list(node_ids))
    lines = (
        ManifestLine.objects.for_scope(ALL_ACCOUNTS)
        .select_related("parcel__fulfillment_order__order")
        .order_by("parcel__number")
    )
    return found.select_related("node").prefetch_related(Prefetch("lines", lines))


def manifest(
    manifest_id: UUID, scope: Scope, *, node_ids: Collection[int] | None = None
) -> Manifest:
    """One manifest. Raises NotFound outside the scope and the nodes."""
    found = manifests(scope, node_ids=node_ids).filter(pk=manifest_id).first()
    if found is None:
        raise NotFound("There is no such manifest.")
    return found


def node_at_work(code: str, scope: Scope, *, node_ids: Collection[int] | None = None) -> int:
    """The id of a node that works or has worked for these accounts. Raises NotFound otherwise."""
    found = FulfillmentOrder.objects.for_scope(scope).at_nodes(node_ids).filter(node__code=code)
    node_id: int | None = found.values_list("node_id", flat=True).first()
    if node_id is None:
        raise NotFound(f"There is no node {code} with work of yours.")
    return node_id


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


def _lines() -> QuerySet[FulfillmentLine]:
    found: QuerySet[FulfillmentLine] = (
        FulfillmentLine.objects.for_scope(ALL_ACCOUNTS)
        .select_related("sku", "order_line")
        .order_by("fulfillment_order_id", "position")
    )
    return found


def _parcels(scope: Scope = ALL_ACCOUNTS) -> ParcelQuerySet:
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


def destinations_of(fulfillment_order_ids: Collection[UUID]) -> dict[UUID, ContactAddress]:
    """Where work goes: to its own address, else its group's. One whose buyer was erased is absent."""
    rows = (
        FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(fulfillment_order_ids))
        .values_list("pk", "contact_id", "group__contact_id")
    )
    contacts = {pk: own or of_group for pk, own, of_group in rows}
    opened = contact_addresses({contact_id for contact_id in contacts.values() if contact_id})
    return {pk: opened[contact_id] for pk, contact_id in contacts.items() if contact_id in opened}


def addresses_of(fulfillment_order_ids: Collection[UUID]) -> dict[UUID, carriers.PostalAddress]:
    """Where fulfillment orders go, opened; one whose buyer was erased is absent."""
    return {
        pk: postal_address(found.address)
        for pk, found in destinations_of(fulfillment_order_ids).items()
    }


def postal_address(address: Address) -> carriers.PostalAddress:
    """An address as carriers and nodes are told it."""
    return carriers.PostalAddress(
        name=address.name,
        company=address.company,
        line1=address.line1,
        line2=address.line2,
        city=address.city,
        region=address.region,
        postal_code=address.postal_code,
        country=address.country,
        phone=address.phone,
    )


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
