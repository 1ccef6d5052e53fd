"""What it would touch to stop a node: claims, work, goods on their way, and the channels' figures."""

from typing import Final

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

_CLAIMS: Final = """
    SELECT
        count(*) FILTER (WHERE moves) AS moving, coalesce(sum(units) FILTER (WHERE moves), 0) AS
            moving_units, count(DISTINCT order_id) FILTER (WHERE moves) AS moving_orders,
        count(DISTINCT order_id) FILTER (WHERE NOT moves AND method = 'pickup') AS pickups,
        count(DISTINCT order_id) FILTER (WHERE NOT moves AND method <> 'pickup') AS pinned
    FROM (
        SELECT l.order_id, g.method, r.quantity - r.consumed - r.released AS units,
            g.method <> 'pickup' AND g.pinned_node_id IS DISTINCT FROM r.node_id AS moves
        FROM inventory_reservation r
        JOIN orders_orderline l ON l.id = r.demand_id
        JOIN orders_deliverygroup g ON g.id = l.group_id
        WHERE r.node_id = %(node)s AND r.state = 'reserved' AND {claims}
    ) AS claim
"""
_WORK: Final = """
    SELECT count(*) FILTER (WHERE f.state IN ('released', 'acknowledged')) AS unbegun,
        count(*) FILTER (WHERE f.state IN ('picking', 'packed')) AS begun,
        count(*) FILTER (WHERE f.state = 'ready_for_pickup') AS waiting
    FROM fulfillment_fulfillmentorder f
    WHERE f.node_id = %(node)s AND f.state IN
        ('released', 'acknowledged', 'picking', 'packed', 'ready_for_pickup') AND {work}
"""
_COMING: Final = """
    SELECT
        (SELECT coalesce(sum(l.expected - l.received), 0) FROM inventory_inbound i
            JOIN inventory_inboundline l ON l.inbound_id = i.id AND l.expected > l.received
            WHERE i.node_id = %(node)s AND i.state IN ('expected', 'arriving') AND {inbound})
            AS inbound_units,
        (SELECT count(*) FROM inventory_transfer t WHERE t.destination_id = %(node)s
            AND t.state IN ('approved', 'released', 'shipped') AND {transfer}) AS transfers_in,
        (SELECT count(*) FROM inventory_transfer t WHERE t.source_id = %(node)s
            AND t.state IN ('approved', 'released') AND {transfer}) AS transfers_out
"""
# What is free here is what channels lose; a SKU is gone from a channel when no other node has any.
_CHANNELS: Final = """
    SELECT c.code, c.name, count(*) AS skus, sum(here.free) AS units,
        count(*) FILTER (WHERE NOT EXISTS (
            SELECT FROM inventory_channelnode n
            JOIN inventory_node o ON o.id = n.node_id AND o.state = 'active'
            JOIN inventory_stockposition p ON p.node_id = n.node_id AND p.sku_id = here.sku_id
            WHERE n.channel_id = c.id AND n.ships AND n.node_id <> %(node)s AND p.shortfall = 0
              AND p.sellable - p.reserved - p.buffer - p.landed > 0)) AS gone
    FROM inventory_channelnode u
    JOIN kernel_channel c ON c.id = u.channel_id
    JOIN LATERAL (
        SELECT p.sku_id, p.sellable - p.reserved - p.buffer - p.landed AS free
        FROM inventory_stockposition p
        WHERE p.node_id = u.node_id AND p.account_id = c.account_id AND p.shortfall = 0
          AND p.sellable - p.reserved - p.buffer - p.landed > 0
    ) AS here ON true
    WHERE u.node_id = %(node)s AND u.ships AND {channel}
    GROUP BY 1, 2 ORDER BY units DESC, 1
"""


def touched(node_id: int, *, scope: Scope) -> Row:
    """What stopping the node moves, what it leaves, and by how much channels' figures fall."""
    values = reach(scope) | {"node": node_id}
    found: Row = {}
    for query in (
        _CLAIMS.format(claims=within(scope, "r")),
        _WORK.format(work=within(scope, "f")),
        _COMING.format(inbound=within(scope, "i"), transfer=within(scope, "t")),
    ):
        found |= row(query, values) or {}
    found["channels"] = rows(_CHANNELS.format(channel=within(scope, "c")), values)
    return found
