"""Fulfillment orders, what is wished of nodes, and what is open at them."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS, Scope
from fulfillment.actions import LegalWish, legal_wishes
from fulfillment.models import FulfillmentLine, FulfillmentOrder, NodeRequest, TrackingEvent
from fulfillment.selectors.parcels import shown_parcels
from fulfillment.states import RequestKind, RequestState


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
            Prefetch("parcels", shown_parcels()),
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


def node_at_work(code: str, scope: Scope, *, node_ids: Collection[int] | None = None) -> int:
    """The id of a node that works or has worked for these accounts. Raises NotFound otherwise."""
    found = FulfillmentOrder.objects.for_scope(scope).at_nodes(node_ids).filter(node__code=code)
    node_id: int | None = found.values_list("node_id", flat=True).first()
    if node_id is None:
        raise NotFound(f"There is no node {code} with work of yours.")
    return node_id


def _lines() -> QuerySet[FulfillmentLine]:
    found: QuerySet[FulfillmentLine] = (
        FulfillmentLine.objects.for_scope(ALL_ACCOUNTS)
        .select_related("sku", "order_line")
        .order_by("fulfillment_order_id", "position")
    )
    return found
