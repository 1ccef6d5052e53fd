"""Demand as supply sees it: units that are sold and have no place yet."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection


class UnplacedDemand:
    """The answer to `inventory.demand`, from order lines."""

    def unplaced(self, sku_ids: Collection[int] | None) -> dict[int, int]:
        """Units of open orders that wait for a node or for supply, by SKU."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT l.sku_id, sum(l.pending + l.backordered)::bigint
                FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
                WHERE (l.backordered > 0 OR l.pending > 0) AND l.sku_id IS NOT NULL
                  AND (%(all)s OR l.sku_id = ANY(%(skus)s))
                  AND o.state IN ('captured', 'accepted')
                GROUP BY 1
                """,
                {"all": sku_ids is None, "skus": sorted(set(sku_ids or ()))},
            )
            return dict(cursor.fetchall())

    def newest(self, channel_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Each channel's newest order: ids are made in the order of capture."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT asked.channel_id, last.id FROM unnest(%s::uuid[]) AS asked (channel_id)
                CROSS JOIN LATERAL (SELECT id FROM orders_order o
                    WHERE o.channel_id = asked.channel_id ORDER BY o.id DESC LIMIT 1) AS last
                """,
                [list(channel_ids)],
            )
            return dict(cursor.fetchall())
