"""What delivery groups want of the network now: the question that sourcing is asked about them."""

from collections.abc import Collection
from uuid import UUID

from config.kernel.types import Scope
from orders.models import DeliveryGroup, OrderLine
from orders.sourcing import Demand, DemandLine
from orders.states import FulfilledBy, LineKind, Relation

_DEPENDENT = frozenset({Relation.GIFT, Relation.WRAP, Relation.ENGRAVING})


def demands_of(
    group_ids: Collection[UUID], scope: Scope, *, with_released: bool = False
) -> dict[UUID, Demand]:
    """The unreleased units of our groups as a demand each; a group that wants nothing is absent.

    What a group has reserved counts as wanted; on request also what its nodes have. Two statements.
    """
    groups = {
        group.pk: group
        for group in DeliveryGroup.objects.for_scope(scope)
        .filter(pk__in=list(group_ids), fulfilled_by=FulfilledBy.US)
        .select_related("order")
    }
    lines: dict[UUID, list[DemandLine]] = {}
    for line in (
        OrderLine.objects.for_scope(scope)
        .filter(group_id__in=list(groups), kind=LineKind.STOCK, sku__isnull=False)
        .order_by("position")
    ):
        units = line.pending + line.backordered + line.reserved
        if with_released:
            units += line.released
        if units and line.sku_id is not None:
            lines.setdefault(line.group_id, []).append(
                DemandLine(
                    line_id=line.pk,
                    sku_id=line.sku_id,
                    quantity=units,
                    weight_grams=line.unit_weight_grams,
                    unit_value_minor=line.total_minor // line.ordered if line.ordered else 0,
                    parent_id=line.parent_id if line.relation in _DEPENDENT else None,
                )
            )
    return {
        group_id: _demand(groups[group_id], tuple(wanted)) for group_id, wanted in lines.items()
    }


def _demand(group: DeliveryGroup, lines: tuple[DemandLine, ...]) -> Demand:
    order = group.order
    return Demand(
        group_id=group.pk,
        order_id=order.pk,
        account_id=order.account_id,
        channel_id=order.channel_id,
        currency=order.currency,
        method=group.method,
        service_level=group.service_code,
        postal_code=group.postal_code,
        region=group.region,
        country=group.country,
        lines=lines,
        ship_complete=group.ship_complete,
        pinned_node_id=group.pinned_node_id,
        pickup_node_id=group.pickup_node_id,
        plan_version=order.plan_version,
        not_before=group.not_before,
        requested_by=group.requested_by,
        priority=order.priority,
        tags=tuple(order.tags),
        customer_tags=tuple(order.customer_tags),
        placed_at=order.placed_at,
        quote_id=group.quote_id,
        quote_option=group.quote_option,
        bounds=group.bounds,
    )
