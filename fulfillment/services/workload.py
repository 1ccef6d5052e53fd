"""How much of a node's capacity orders use: told to inventory as totals, whenever they move."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

import inventory.selectors
import inventory.services
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import FulfillmentLine, FulfillmentOrder
from fulfillment.states import ParcelState
from inventory.states import CapacityResource, Function
from inventory.types import WorkAtNode
from orders.selectors.groups import methods_of_lines

_PICKUP = "pickup"

Key = tuple[UUID, int, str]
"""(order, node, function)."""


@dataclass(slots=True)
class _Load:
    """What an order gives a node to do, by order line, and what of that is done."""

    units: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    handled: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    parcels: int = 0

    def work(self) -> Mapping[str, int]:
        asked = sum(self.units.values())
        return {
            CapacityResource.ORDERS: int(asked > 0),
            CapacityResource.LINES: sum(units > 0 for units in self.units.values()),
            CapacityResource.UNITS: asked,
            CapacityResource.PARCELS: max(int(asked > 0), self.parcels),
        }

    def done(self) -> Mapping[str, int]:
        whole = [
            line for line, units in self.units.items() if units and self.handled[line] >= units
        ]
        lines = sum(units > 0 for units in self.units.values())
        return {
            CapacityResource.ORDERS: int(bool(lines) and len(whole) == lines),
            CapacityResource.LINES: len(whole),
            CapacityResource.UNITS: sum(self.handled.values()),
            CapacityResource.PARCELS: self.parcels,
        }


@transaction.atomic
def count_work(order_ids: Collection[UUID], *, at: datetime, actor: Actor) -> int:
    """Enter what the orders use of their nodes' capacity, as it stands; a repeat changes nothing.

    Units count from the moment that they are reserved, and until they are picked they are given back
    when they leave. One statement while no node counts its capacity. Answers the entries made.
    """
    nodes = inventory.selectors.counted_nodes()
    if not nodes or not order_ids:
        return 0
    loads = _loads(order_ids, list(nodes))
    works = [
        WorkAtNode(node_id, function, "order", order_id, at, load.work(), load.done())
        for (order_id, node_id, function), load in loads.items()
    ]
    return inventory.services.use_capacity(works, about=order_ids, at=at, actor=actor)


def _loads(order_ids: Collection[UUID], node_ids: Collection[int]) -> dict[Key, _Load]:
    methods = methods_of_lines(order_ids)
    loads: dict[Key, _Load] = defaultdict(_Load)
    for claim in inventory.selectors.claims_upon(order_ids, node_ids):
        if claim.node_id is not None and claim.demand_id in methods:
            key = (claim.thread_id, claim.node_id, _function(methods[claim.demand_id]))
            loads[key].units[claim.demand_id] += claim.quantity - claim.released
    lines = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order__order_id__in=order_ids, fulfillment_order__node_id__in=node_ids
    )
    for order_id, node_id, method, line_id, *handled in lines.values_list(
        "fulfillment_order__order_id",
        "fulfillment_order__node_id",
        "fulfillment_order__method",
        "order_line_id",
        "picked",
        "packed",
        "shipped",
        "collected",
    ):
        loads[order_id, node_id, _function(method)].handled[line_id] += sum(handled)
    work = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=order_ids, node_id__in=node_ids
    )
    for order_id, node_id, method, parcels in work.annotate(
        packed=Count("parcels", filter=~Q(parcels__state=ParcelState.VOIDED))
    ).values_list("order_id", "node_id", "method", "packed"):
        loads[order_id, node_id, _function(method)].parcels += parcels
    return loads


def _function(method: str) -> str:
    return Function.PICKUP.value if method == _PICKUP else Function.SHIP.value
