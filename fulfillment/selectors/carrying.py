"""What carriers need: labels, manifests and addresses."""

import base64
from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from config.kernel import vault
from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS, Scope
from fulfillment import carriers
from fulfillment.models import FulfillmentOrder, Label, Manifest, ManifestLine, Parcel
from fulfillment.states import READY_FOR_CARRIER, ParcelState
from orders.selectors import ContactAddress, contact_addresses
from orders.types import Address


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
