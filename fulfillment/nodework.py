"""What a node's own system must know of its work, and what its names mean here.

A warehouse system names a fulfillment order by its number, a line by its place, a parcel by the id
that the system gave it. Addresses are opened for one document and kept nowhere.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.carriers import PostalAddress
from fulfillment.models import FulfillmentLine, FulfillmentOrder, NodeRequest, Parcel
from fulfillment.selectors import addresses_of, postal_address
from fulfillment.states import OPEN_FULFILLMENT, FulfillmentState, RequestKind
from orders.selectors import contact_addresses


@dataclass(frozen=True, slots=True)
class WorkLine:
    """A line as its node's system names it.

    `within` are the units that may be picked or have been: not those given up or taken back.
    """

    id: UUID
    place: int
    sku_id: int
    reservation_id: UUID
    requested: int
    within: int


@dataclass(frozen=True, slots=True)
class NodeWork:
    """A fulfillment order as its node's system names it, with its parcels by the system's id."""

    id: UUID
    number: str
    order_id: UUID
    account_id: UUID
    node_id: int
    state: str
    lines: Mapping[int, WorkLine]
    parcels: Mapping[str, UUID] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """What the node is asked for of one SKU. `requested` never changes; `wanted` does."""

    place: int
    sku: str
    name: str
    weight_grams: int
    requested: int
    wanted: int


@dataclass(frozen=True, slots=True)
class ReleaseDocument:
    """Everything a node's system is told of a fulfillment order. Personal data: never logged."""

    number: str
    order_number: str
    node_code: str
    method: str
    service: str
    carrier: str
    priority: int
    released_at: datetime
    ship_by: datetime | None
    address: PostalAddress | None
    lines: tuple[DocumentLine, ...]


@dataclass(frozen=True, slots=True)
class RequestDocument:
    """A question to the node: about units of one line of its work, or about a change of all of it.

    A change has no `place`; it names the address, the service, or both. Personal data: never logged.
    """

    id: UUID
    kind: str
    number: str
    place: int | None
    units: int
    until: datetime
    open: bool
    address: PostalAddress | None = None
    service: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question is about: units of this work, or a change of all of it."""

    fulfillment_order_id: UUID
    order_id: UUID
    is_change: bool


def work_of(pairs: Collection[tuple[int, str]]) -> dict[tuple[int, str], NodeWork]:
    """What these (node, number) are, with lines and parcels; unknown ones are absent.

    Three statements.
    """
    wanted = set(pairs)
    if not wanted:
        return {}
    rows = [
        row
        for row in FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(
            number__in={number for _, number in wanted},
            node_id__in={node_id for node_id, _ in wanted},
        )
        if (row.node_id, row.number) in wanted
    ]
    lines: defaultdict[UUID, dict[int, WorkLine]] = defaultdict(dict)
    for line in FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order_id__in=[row.pk for row in rows]
    ):
        lines[line.fulfillment_order_id][line.position] = _line(line)
    parcels: defaultdict[UUID, dict[str, UUID]] = defaultdict(dict)
    for order_id, external_id, pk in (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order_id__in=[row.pk for row in rows])
        .exclude(external_id="")
        .values_list("fulfillment_order_id", "external_id", "pk")
    ):
        parcels[order_id][external_id] = pk
    return {
        (row.node_id, row.number): NodeWork(
            row.pk,
            row.number,
            row.order_id,
            row.account_id,
            row.node_id,
            row.state,
            lines[row.pk],
            parcels[row.pk],
        )
        for row in rows
    }


def _line(line: FulfillmentLine) -> WorkLine:
    return WorkLine(
        line.pk,
        line.position,
        line.sku_id,
        line.reservation_id,
        line.requested,
        line.requested - line.rejected - line.cancelled - line.short,
    )


def requests_named(request_ids: Collection[UUID], node_id: int) -> dict[UUID, Asked]:
    """What each of these questions to the node is about; others are absent."""
    rows = NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(request_ids), fulfillment_order__node_id=node_id
    )
    return {
        pk: Asked(work_id, order_id, kind == RequestKind.CHANGE)
        for pk, work_id, order_id, kind in rows.values_list(
            "pk", "fulfillment_order_id", "fulfillment_order__order_id", "kind"
        )
    }


def release_document(fulfillment_order_id: UUID) -> ReleaseDocument | None:
    """What the node is to be told; None where nothing is wanted of it any more."""
    order = (
        FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS)
        .select_related("order", "node", "service_level__carrier")
        .get(pk=fulfillment_order_id)
    )
    lines = tuple(
        DocumentLine(
            line.position,
            line.sku.code,
            line.sku.name,
            line.sku.weight_grams,
            line.requested,
            _line(line).within,
        )
        for line in FulfillmentLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order_id=order.pk)
        .select_related("sku")
        .order_by("position")
    )
    if order.state not in OPEN_FULFILLMENT or not any(line.wanted for line in lines):
        return None
    service = order.service_level
    return ReleaseDocument(
        number=order.number,
        order_number=order.order.number,
        node_code=order.node.code,
        method=order.method,
        service=service.code if service else "",
        carrier=service.carrier.code if service and service.carrier else "",
        priority=order.priority,
        released_at=order.released_at,
        ship_by=order.ship_by,
        address=addresses_of([order.pk]).get(order.pk),
        lines=lines,
    )


def request_document(request_id: UUID) -> RequestDocument:
    """What the node is to be asked. A change whose buyer was erased since asks for no address."""
    request = (
        NodeRequest.objects.for_scope(ALL_ACCOUNTS)
        .select_related("fulfillment_order", "line", "service_level")
        .get(pk=request_id)
    )
    wanted = contact_addresses([request.contact_id]) if request.contact_id else {}
    found = wanted.get(request.contact_id)
    return RequestDocument(
        request.pk,
        request.kind,
        request.fulfillment_order.number,
        request.line.position if request.line else None,
        request.asked,
        request.until,
        request.answered_at is None,
        postal_address(found.address) if found else None,
        request.service_level.code if request.service_level else "",
    )


def not_taken_on(
    node_id: int, *, released_before: datetime, after: UUID | None, limit: int
) -> list[tuple[UUID, str, UUID, UUID]]:
    """(id, number, order, account) of work at the node that nobody has taken on, by id."""
    rows = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(
        node_id=node_id, state=FulfillmentState.RELEASED, released_at__lt=released_before
    )
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", "number", "order_id", "account_id")[:limit])


def units_aside(node_id: int) -> dict[int, int]:
    """Units by SKU that lie picked or packed at the node: on their way out, and in its book still."""
    aside: defaultdict[int, int] = defaultdict(int)
    for sku_id, picked, packed in (
        FulfillmentLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order__node_id=node_id, fulfillment_order__state__in=OPEN_FULFILLMENT)
        .values_list("sku_id", "picked", "packed")
    ):
        if picked + packed:
            aside[sku_id] += picked + packed
    return dict(aside)


def still_not_taken(ids: Collection[UUID]) -> set[UUID]:
    """Of this work, what no node has taken on yet."""
    rows = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(ids), state=FulfillmentState.RELEASED
    )
    return set(rows.values_list("pk", flat=True))
