"""Stock for people: a SKU's waterfall over the network, its ledger, and who holds it."""

from typing import Final

from config.kernel.types import Scope
from config.reports.sql import Row, escaped, reach, row, rows, within
from config.reports.tower import risky_skus

PAGE: Final = 60
LEDGER_LIMIT: Final = 200

_SUMS: Final = """
    coalesce(sum(p.sellable), 0) AS sellable, coalesce(sum(p.reserved), 0) AS reserved,
    coalesce(sum(p.buffer), 0) AS buffer, coalesce(sum(p.landed), 0) AS landed,
    coalesce(sum(p.shortfall), 0) AS shortfall,
    coalesce(sum(CASE WHEN p.shortfall = 0
        THEN greatest(0, p.sellable - p.reserved - p.buffer - p.landed) ELSE 0 END), 0) AS free
"""


def _values(scope: Scope, nodes: set[int] | None) -> Row:
    return reach(scope) | {"all_nodes": nodes is None, "nodes": sorted(nodes or ())}


_AT = "(%(all_nodes)s OR p.node_id = ANY(%(nodes)s))"


def search(
    *,
    scope: Scope,
    nodes: set[int] | None,
    text: str = "",
    node: str = "",
    risk: bool = False,
    after: str = "",
) -> list[Row]:
    """SKUs by code, barcode or name, with their sums; those at risk only, when asked."""
    risky = f"AND s.id IN ({risky_skus(scope)})" if risk else ""
    return rows(
        f"""
        SELECT s.id, s.code, s.name, s.kind, {_SUMS}, count(p.id) AS node_count,
            (SELECT coalesce(sum(l.backordered + l.pending), 0) FROM orders_orderline l
                WHERE l.sku_id = s.id AND (l.backordered > 0 OR l.pending > 0)) AS waiting,
            (SELECT coalesce(sum(i.expected - i.received), 0) FROM inventory_inboundline i
                WHERE i.sku_id = s.id AND i.received < i.expected) AS inbound
        FROM inventory_sku s
        LEFT JOIN inventory_stockposition p ON p.sku_id = s.id AND {_AT}
            AND (%(node)s = '' OR p.node_id = (SELECT n.id FROM inventory_node n
                WHERE n.code = %(node)s))
        WHERE {within(scope, "s")} AND s.code > %(after)s AND s.active {risky}
            AND (%(text)s = '' OR s.code ILIKE %(prefix)s OR s.name ILIKE %(anywhere)s
                OR EXISTS (SELECT FROM inventory_barcode b WHERE b.sku_id = s.id
                    AND b.value = %(text)s))
        GROUP BY s.id ORDER BY s.code LIMIT %(limit)s
        """,  # noqa: S608  # own text
        _values(scope, nodes)
        | {
            "text": text,
            "prefix": f"{escaped(text)}%",
            "anywhere": f"%{escaped(text)}%",
            "node": node,
            "after": after,
            "limit": PAGE + 1,
        },
    )


def sku(sku_id: int, *, scope: Scope, nodes: set[int] | None) -> Row | None:
    """One SKU with its sums over the nodes the reader may see."""
    return row(
        f"""
        SELECT s.*, {_SUMS},
            (SELECT coalesce(sum(l.backordered + l.pending), 0) FROM orders_orderline l
                WHERE l.sku_id = s.id AND (l.backordered > 0 OR l.pending > 0)) AS waiting
        FROM inventory_sku s
        LEFT JOIN inventory_stockposition p ON p.sku_id = s.id AND {_AT}
        WHERE s.id = %(sku)s AND {within(scope, "s")} GROUP BY s.id
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"sku": sku_id},
    )


def ledger(sku_id: int, *, nodes: set[int] | None, scope: Scope, node: str = "") -> list[Row]:
    """The latest movements of the SKU, newest first."""
    return rows(
        f"""
        SELECT m.at, m.kind, m.condition, m.lot, m.quantity, m.balance, m.cause_kind, m.cause_id,
            m.source, m.external_id, m.note, m.actor_kind, m.actor_name, n.code AS node_code,
            f.number AS fulfillment_number, o.number AS order_number
        FROM inventory_stockposition p
        JOIN inventory_movement m ON m.position_id = p.id
        JOIN inventory_node n ON n.id = m.node_id
        LEFT JOIN fulfillment_fulfillmentorder f ON f.id = m.cause_id
        LEFT JOIN orders_order o ON o.id = coalesce(f.order_id, m.cause_id)
        WHERE p.sku_id = %(sku)s AND {_AT} AND {within(scope, "p")}
            AND (%(node)s = '' OR n.code = %(node)s)
        ORDER BY m.at DESC, m.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"sku": sku_id, "node": node, "limit": LEDGER_LIMIT},
    )


def holders(sku_id: int, *, nodes: set[int] | None, scope: Scope) -> list[Row]:
    """Who claims the SKU: open reservations with their orders, and demand that waits."""
    return rows(
        f"""
        SELECT p.state, p.quantity - p.consumed - p.released AS units, p.at, p.promised_at,
            p.priority, p.expires_at, n.code AS node_code, o.number AS order_number,
            o.state AS order_state, o.progress AS order_progress, o.holds_open,
            t.number AS transfer_number
        FROM inventory_reservation p
        LEFT JOIN inventory_node n ON n.id = p.node_id
        LEFT JOIN orders_order o ON o.id = p.thread_id
        LEFT JOIN inventory_transfer t ON t.id = p.thread_id
        WHERE p.sku_id = %(sku)s AND p.state IN ('waiting', 'held', 'reserved', 'committed')
            AND (%(all_nodes)s OR p.node_id = ANY(%(nodes)s)) AND {within(scope, "p")}
        ORDER BY p.promised_at NULLS LAST, p.id LIMIT 200
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"sku": sku_id},
    )


def inbound(sku_id: int, *, scope: Scope) -> list[Row]:
    """What is on its way."""
    return rows(
        f"""
        SELECT b.id, b.number, b.kind, b.state, n.code AS node_code, i.expected, i.received, i.eta_at,
            i.reliability_percent
        FROM inventory_inboundline i JOIN inventory_inbound b ON b.id = i.inbound_id
        JOIN inventory_node n ON n.id = b.node_id
        WHERE i.sku_id = %(sku)s AND i.received < i.expected AND {within(scope, "b")}
            AND b.state IN ('expected', 'arriving')
        ORDER BY i.eta_at LIMIT 50
        """,  # noqa: S608  # own text
        reach(scope) | {"sku": sku_id},
    )
