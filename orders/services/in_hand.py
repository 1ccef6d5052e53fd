"""Lines and delivery groups of locked orders, in memory."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection

from orders.states import BUCKETS

_LINE_COLUMNS = (
    "id",
    "order_id",
    "group_id",
    "account_id",
    "position",
    "kind",
    "parent_id",
    "relation",
    "sku_id",
    "external_sku",
    "external_id",
    "unit_weight_grams",
    "total_minor",
    "ordered",
    *BUCKETS,
)


GROUP_COLUMNS = (
    "id",
    "order_id",
    "position",
    "method",
    "fulfilled_by",
    "contact_id",
    "postal_code",
    "region",
    "country",
    "pickup_node_id",
    "service_code",
    "ship_complete",
    "not_before",
    "requested_by",
    "pinned_node_id",
    "ship_by",
    "deliver_by",
    "quote_id",
    "quote_option",
    "bounds",
)
NO_BOUNDS = "{}"
"""What the database says of a group that nobody has bound; JSON comes from it as text."""


@dataclass(slots=True)
class LineInHand:
    """A line of a locked order. Its buckets change by `Sheet.move` alone."""

    id: UUID
    order_id: UUID
    group_id: UUID
    account_id: UUID
    position: int
    kind: str
    parent_id: UUID | None
    relation: str
    sku_id: int | None
    external_sku: str
    external_id: str
    unit_weight_grams: int
    total_minor: int
    ordered: int
    pending: int
    backordered: int
    reserved: int
    released: int
    shipped: int
    cancelled: int
    underway: int
    delivered: int
    lost: int
    sent_back: int
    returned: int

    @property
    def open(self) -> int:
        return self.pending + self.backordered + self.reserved + self.released

    @property
    def closed(self) -> int:
        return self.shipped + self.cancelled

    def quantities(self) -> tuple[int, ...]:
        return _quantities_of(self)


_quantities_of: Callable[[LineInHand], tuple[int, ...]] = attrgetter(*BUCKETS)


@dataclass(slots=True)
class GroupInHand:
    """A delivery group of a locked order."""

    id: UUID
    order_id: UUID
    position: int
    method: str
    fulfilled_by: str
    contact_id: UUID | None
    postal_code: str
    region: str
    country: str
    pickup_node_id: int | None
    service_code: str
    ship_complete: bool
    not_before: datetime | None
    requested_by: datetime | None
    pinned_node_id: int | None
    ship_by: datetime | None
    deliver_by: datetime | None
    quote_id: UUID | None
    quote_option: str
    bounds: dict[str, Any]


group_values: Callable[[GroupInHand], tuple[Any, ...]] = attrgetter(*GROUP_COLUMNS)

_READ_PARTS = (
    f"SELECT {', '.join(f'l.{name}' for name in _LINE_COLUMNS)}, "  # noqa: S608  # names from this module
    f"{', '.join(f'g.{name}' for name in GROUP_COLUMNS)} "
    "FROM orders_deliverygroup g LEFT JOIN orders_orderline l ON l.group_id = g.id "
    "WHERE g.order_id = ANY(%s) ORDER BY g.order_id, l.position"
)


def read_parts(
    order_ids: Sequence[UUID],
) -> tuple[dict[UUID, LineInHand], dict[UUID, GroupInHand]]:
    """The lines, in their order, and the groups of these orders: one statement.

    Each names its order and group by the one id object there is of it: found without a comparison.
    """
    known = {order_id: order_id for order_id in order_ids}
    lines: dict[UUID, LineInHand] = {}
    groups: dict[UUID, GroupInHand] = {}
    with connection.cursor() as cursor:
        cursor.execute(_READ_PARTS, [list(order_ids)])
        width = len(_LINE_COLUMNS)
        for row in cursor.fetchall():
            group = groups.get(row[width])
            if group is None:
                group = groups[row[width]] = GroupInHand(*row[width:])
                group.bounds = json.loads(row[-1]) if row[-1] != NO_BOUNDS else {}
                group.order_id = known[group.order_id]
            if row[0] is not None:
                line = lines[row[0]] = LineInHand(*row[:width])
                line.order_id, line.group_id = group.order_id, group.id
    return lines, groups
