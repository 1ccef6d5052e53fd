"""Delivery groups that are planned and not released: what may still be sent from elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from config.kernel.types import Scope
from orders.selectors.demands import demands_of
from orders.sourcing import Demand


@dataclass(frozen=True, slots=True)
class StandingGroup:
    """What a group has reserved, as the question it was planned for, and what its buyer was told."""

    demand: Demand
    ship_by: datetime
    deliver_by: datetime


def standing_groups(
    account_id: UUID, currency: str, *, after: UUID | None, limit: int, leaves_after: datetime
) -> list[StandingGroup]:
    """The account's groups of which every unit is reserved and none released, by order.

    Only those that leave after that time, go to an address, and are pinned nowhere. `after` is the
    last order of the range before. Three statements.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT g.id, g.ship_by, g.deliver_by
            FROM orders_order o
            JOIN orders_deliverygroup g ON g.order_id = o.id
            JOIN orders_orderline l ON l.group_id = g.id AND l.kind = 'stock'
            WHERE o.account_id = %(account)s AND o.state = 'accepted' AND o.currency = %(currency)s
                AND o.ship_by IS NOT NULL AND g.ship_by > %(leaves_after)s
                AND g.deliver_by IS NOT NULL AND g.fulfilled_by = 'us'
                AND g.method IN ('ship', 'own_delivery') AND g.pinned_node_id IS NULL
                AND (%(after)s::uuid IS NULL OR o.id > %(after)s)
            GROUP BY g.id, o.id
            HAVING sum(l.reserved) > 0
                AND sum(l.pending + l.backordered + l.released + l.shipped) = 0
            ORDER BY o.id, g.id LIMIT %(limit)s
            """,
            {
                "account": account_id,
                "currency": currency,
                "leaves_after": leaves_after,
                "after": after,
                "limit": limit,
            },
        )
        dates = {row[0]: row[1:] for row in cursor.fetchall()}
    demands = demands_of(dates, Scope(frozenset({account_id})))
    return [
        StandingGroup(demands[group_id], ship_by, deliver_by)
        for group_id, (ship_by, deliver_by) in dates.items()
        if group_id in demands
    ]


def accounts_standing(*, accepted_by: datetime, leaves_after: datetime) -> set[UUID]:
    """Accounts with an order that is reserved, stands since that time and leaves later. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT account_id FROM orders_order
            WHERE state = 'accepted' AND progress = 'reserved' AND accepted_at <= %s
                AND ship_by > %s
            """,
            [accepted_by, leaves_after],
        )
        return {row[0] for row in cursor.fetchall()}
