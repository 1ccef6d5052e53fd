"""Who holds what: every open reservation with its holder, its end and its reason; units set aside."""

from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

PAGE: Final = 60

_KINDS: Final = {
    "cart": "r.state = 'held'",
    "order": "r.state = 'reserved' AND t.id IS NULL",
    "released": "r.state = 'committed' AND t.id IS NULL",
    "transfer": "t.id IS NOT NULL",
    "waiting": "r.state = 'waiting'",
}
KINDS: Final = (
    ("", "All of them"),
    ("cart", "Held for carts"),
    ("order", "Reserved for orders"),
    ("released", "Released to their node"),
    ("transfer", "For transfers"),
    ("waiting", "Waiting for stock"),
    ("landed", "Set aside for who waits"),
)

_COLUMNS: Final = """
    SELECT r.id, r.state, r.quantity - r.consumed - r.released AS units, r.at, r.promised_at,
        r.priority, r.expires_at, r.account_id, r.demand_id, r.node_id, s.id AS sku_id,
        s.code AS sku_code, s.name AS sku_name, n.code AS node_code, n.name AS node_name,
        o.number AS order_number, o.ship_by, o.holds_open, l.group_id, ch.name AS channel_name,
        h.id AS hold_id, h.cart, h.extended, h.channel_id, h.minutes, t.number AS transfer_number,
        f.number AS fulfillment_number,
        CASE WHEN r.state = 'held' THEN 'cart' WHEN r.state = 'waiting' THEN 'waiting'
            WHEN t.id IS NOT NULL THEN 'transfer' WHEN r.state = 'committed' THEN 'released'
            ELSE 'order' END AS kind
    FROM inventory_reservation r
    JOIN inventory_sku s ON s.id = r.sku_id
    LEFT JOIN inventory_node n ON n.id = r.node_id
    LEFT JOIN orders_order o ON o.id = r.thread_id
    LEFT JOIN orders_orderline l ON l.id = r.demand_id
    LEFT JOIN inventory_transfer t ON t.id = r.thread_id
    LEFT JOIN inventory_carthold h ON h.id = r.thread_id
    LEFT JOIN kernel_channel ch ON ch.id = coalesce(o.channel_id, h.channel_id)
    LEFT JOIN fulfillment_fulfillmentline fl ON fl.reservation_id = r.id
    LEFT JOIN fulfillment_fulfillmentorder f ON f.id = fl.fulfillment_order_id
    WHERE r.state IN ('waiting', 'held', 'reserved', 'committed')
"""
_AT: Final = "(%(all_nodes)s OR r.node_id = ANY(%(nodes)s))"


def _values(scope: Scope, nodes: set[int] | None) -> Row:
    return reach(scope) | {"all_nodes": nodes is None, "nodes": sorted(nodes or ())}


def open_claims(  # the filters of the page
    *,
    scope: Scope,
    nodes: set[int] | None,
    kind: str = "",
    sku: str = "",
    node: str = "",
    channel: str = "",
    before: UUID | None = None,
) -> list[Row]:
    """Open reservations, the newest first; a page and one more."""
    return rows(
        f"""
        {_COLUMNS} AND {within(scope, "r")} AND {_AT} AND {_KINDS.get(kind, "true")}
            AND (%(sku)s = '' OR s.code = %(sku)s)
            AND (%(node)s = '' OR n.code = %(node)s)
            AND (%(channel)s = '' OR ch.code = %(channel)s)
            AND (%(before)s::uuid IS NULL OR r.id < %(before)s)
        ORDER BY r.id DESC LIMIT %(limit)s
        """,
        _values(scope, nodes)
        | {"sku": sku, "node": node, "channel": channel, "before": before, "limit": PAGE + 1},
    )


def these(ids: list[UUID], *, scope: Scope, nodes: set[int] | None) -> list[Row]:
    """Of these reservations those that are open and within reach, the oldest first."""
    return rows(
        f"{_COLUMNS} AND {within(scope, 'r')} AND {_AT} AND r.id = ANY(%(ids)s) ORDER BY r.id",
        _values(scope, nodes) | {"ids": ids},
    )


def set_aside(*, scope: Scope, nodes: set[int] | None, sku: str = "", node: str = "") -> list[Row]:
    """Units that came in for who waits and are nobody's yet, by node and SKU."""
    return rows(
        f"""
        SELECT r.landed AS units, s.id AS sku_id, s.code AS sku_code, s.name AS sku_name,
            n.code AS node_code, n.name AS node_name,
            (SELECT coalesce(sum(w.quantity - w.consumed - w.released), 0)
                FROM inventory_reservation w
                WHERE w.sku_id = r.sku_id AND w.state = 'waiting') AS wait
        FROM inventory_stockposition r
        JOIN inventory_sku s ON s.id = r.sku_id JOIN inventory_node n ON n.id = r.node_id
        WHERE r.landed > 0 AND {within(scope, "r")} AND {_AT}
            AND (%(sku)s = '' OR s.code = %(sku)s) AND (%(node)s = '' OR n.code = %(node)s)
        ORDER BY r.landed DESC, r.id LIMIT 200
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"sku": sku, "node": node},
    )


def line_that_wants(line_id: UUID, *, scope: Scope) -> Row | None:
    """An order's line with what it waits for."""
    return row(
        f"""
        SELECT l.id, l.group_id, l.sku_id, l.title, l.pending + l.backordered AS wants,
            o.number AS order_number, o.priority, o.account_id, s.code AS sku_code,
            g.deliver_by
        FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
        JOIN orders_deliverygroup g ON g.id = l.group_id
        JOIN inventory_sku s ON s.id = l.sku_id
        WHERE l.id = %(line)s AND {within(scope, "l")}
        """,  # noqa: S608  # own text
        reach(scope) | {"line": line_id},
    )


def waiting_line(number: str, sku_id: int, *, scope: Scope) -> UUID | None:
    """The first line of the order that waits for units of the SKU."""
    found = row(
        f"""
        SELECT l.id FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
        WHERE o.number = %(number)s AND l.sku_id = %(sku)s AND l.pending + l.backordered > 0
            AND {within(scope, "l")}
        ORDER BY l.position LIMIT 1
        """,  # noqa: S608  # own text
        reach(scope) | {"number": number, "sku": sku_id},
    )
    return None if found is None else found["id"]


def lower_claims(line: Row, *, scope: Scope, nodes: set[int] | None) -> list[Row]:
    """Who could give units to the line: the least claim first."""
    return rows(
        f"""
        {_COLUMNS} AND {within(scope, "r")} AND {_AT} AND r.sku_id = %(sku)s
            AND r.state = 'reserved' AND o.id IS NOT NULL AND o.number <> %(number)s
            AND o.priority <= %(priority)s
        ORDER BY r.promised_at DESC NULLS FIRST, r.priority, r.at DESC, r.id DESC LIMIT 50
        """,
        _values(scope, nodes)
        | {"sku": line["sku_id"], "number": line["order_number"], "priority": line["priority"]},
    )
