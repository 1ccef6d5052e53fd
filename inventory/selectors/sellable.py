"""What a channel's nodes can promise together, under the codes that the channel sells by."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class ForSale:
    """Units of a SKU that are free over all the nodes asked about, under one code of the channel."""

    code: str
    sku_id: int
    units: int


_FREE = """
    WITH free AS (
        SELECT p.sku_id, p.node_id, sum(CASE WHEN p.shortfall = 0 AND x.id IS NULL
            THEN greatest(0, p.sellable - p.reserved - p.buffer - p.landed) ELSE 0 END) AS units
        FROM inventory_stockposition p
        LEFT JOIN inventory_exclusion x
          ON x.sku_id = p.sku_id AND x.node_id = p.node_id AND x.until > %(at)s
        WHERE p.account_id = %(account)s AND p.owner_id = p.account_id
          AND p.node_id = ANY(%(nodes)s)
        GROUP BY 1, 2
    ), kits AS (
        SELECT c.kit_id AS sku_id, n.node_id, min(coalesce(f.units, 0) / c.quantity) AS units
        FROM inventory_kitcomponent c
        JOIN inventory_sku k ON k.id = c.kit_id AND k.account_id = %(account)s
        CROSS JOIN unnest(%(nodes)s::bigint[]) AS n (node_id)
        LEFT JOIN free f ON f.sku_id = c.component_id AND f.node_id = n.node_id
        GROUP BY 1, 2
    ), summed AS (
        SELECT sku_id, sum(units) AS units
        FROM (SELECT sku_id, floor(units) AS units FROM kits UNION ALL
              SELECT sku_id, units FROM free) AS each
        GROUP BY 1
    )
    SELECT coalesce(l.external_sku, s.code), s.id, summed.units::bigint
    FROM summed JOIN inventory_sku s ON s.id = summed.sku_id AND s.active
    LEFT JOIN inventory_channellisting l ON l.sku_id = s.id AND l.channel_id = %(channel)s
    ORDER BY 1
"""


def for_sale(
    account_id: UUID, channel_id: UUID, node_ids: Collection[int], *, at: datetime
) -> list[ForSale]:
    """Every active SKU with stock rows at these nodes, sold out ones too; kits by node. One statement.

    A SKU that must not be sourced at a node counts nothing there. Without a listing of the channel
    our own code is what it sells by.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _FREE,
            {
                "account": account_id,
                "channel": channel_id,
                "nodes": sorted(set(node_ids)),
                "at": at,
            },
        )
        return [ForSale(*row) for row in cursor.fetchall()]
