"""Goods on their way for people: which are late, who waits for them, and what may be sold ahead."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, escaped, reach, row, rows, within

PAGE: Final = 50
_OPEN: Final = "b.state IN ('expected', 'arriving')"
_TABS: Final = {
    "": _OPEN,
    "late": f"{_OPEN} AND sums.next_eta < %(now)s",
    "arriving": "b.state = 'arriving'",
    "ended": "b.state IN ('received', 'cancelled')",
}


def documents(
    *,
    scope: Scope,
    nodes: set[int] | None,
    now: datetime,
    tab: str = "",
    text: str = "",
    node: str = "",
    supplier: str = "",
    sku: str = "",
) -> list[Row]:
    """Orders, notices and transfers on their way, the longest late first; one page and one more."""
    return rows(
        f"""
        SELECT b.id, b.number, b.kind, b.state, b.supplier, b.source, n.code AS node_code,
            n.name AS node_name, sums.*, sums.next_eta < %(now)s AND {_OPEN} AS late,
            from_node.code AS from_code, b.closed_at
        FROM inventory_inbound b
        JOIN inventory_node n ON n.id = b.node_id
        LEFT JOIN inventory_transfer t ON t.inbound_id = b.id
        LEFT JOIN inventory_node from_node ON from_node.id = t.source_id
        JOIN LATERAL (
            SELECT count(*) AS lines, sum(l.expected + l.advised) AS ordered,
                sum(l.received) AS received, sum(greatest(0, l.expected - l.received)) AS coming,
                min(l.eta_at) FILTER (WHERE l.received < l.expected) AS next_eta,
                max(l.eta_at) AS last_eta, sum(l.sold_ahead) AS sold_ahead,
                bool_or(l.first_eta_at IS NOT NULL) AS slipped
            FROM inventory_inboundline l WHERE l.inbound_id = b.id
        ) sums ON true
        WHERE {within(scope, "b")} AND {_TABS.get(tab, _OPEN)}
            AND (%(all_nodes)s OR b.node_id = ANY(%(nodes)s))
            AND (%(text)s = '' OR b.number ILIKE %(prefix)s)
            AND (%(node)s = '' OR n.code = %(node)s)
            AND (%(supplier)s = '' OR b.supplier = %(supplier)s)
            AND (%(sku)s = '' OR EXISTS (
                SELECT FROM inventory_inboundline l JOIN inventory_sku s ON s.id = l.sku_id
                WHERE l.inbound_id = b.id AND s.code = %(sku)s))
        ORDER BY sums.next_eta NULLS LAST, b.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope)
        | {
            "now": now,
            "all_nodes": nodes is None,
            "nodes": sorted(nodes or ()),
            "text": text,
            "prefix": f"{escaped(text)}%",
            "node": node,
            "supplier": supplier,
            "sku": sku,
            "limit": PAGE + 1,
        },
    )


def suppliers(*, scope: Scope) -> list[str]:
    """Who has sent something, by code."""
    found = rows(
        f"SELECT DISTINCT b.supplier FROM inventory_inbound b "  # noqa: S608  # own text
        f"WHERE {within(scope, 'b')} AND b.supplier <> '' ORDER BY 1 LIMIT 500",
        reach(scope),
    )
    return [each["supplier"] for each in found]


def promised(line_ids: Collection[UUID], *, scope: Scope) -> dict[UUID, Row]:
    """The orders of these lines, with what their groups are promised now and were first."""
    found = rows(
        f"""
        SELECT l.id AS line_id, o.number AS order_number, o.progress, c.name AS channel_name,
            g.deliver_by, g.ship_by, first.deliver_latest AS first_by, o.holds_open
        FROM orders_orderline l
        JOIN orders_order o ON o.id = l.order_id
        JOIN orders_deliverygroup g ON g.id = l.group_id
        JOIN kernel_channel c ON c.id = o.channel_id
        LEFT JOIN LATERAL (
            SELECT p.deliver_latest FROM orders_promise p WHERE p.group_id = g.id
            ORDER BY p.version LIMIT 1
        ) first ON true
        WHERE l.id = ANY(%(lines)s) AND {within(scope, "l")}
        """,  # noqa: S608  # own text
        reach(scope) | {"lines": sorted(line_ids)},
    )
    return {each["line_id"]: each for each in found}


def numbers(thread_ids: Collection[UUID], *, scope: Scope) -> list[str]:
    """The numbers of these orders."""
    found = rows(
        f"SELECT o.number FROM orders_order o WHERE o.id = ANY(%(threads)s) "  # noqa: S608  # own text
        f"AND {within(scope, 'o')} ORDER BY o.number",
        reach(scope) | {"threads": sorted(thread_ids)},
    )
    return [each["number"] for each in found]


def timeline(inbound_id: UUID) -> list[Row]:
    """What was recorded of a document, newest first."""
    return rows(
        """
        SELECT e.topic, e.at, e.actor_name, e.data FROM kernel_event e
        WHERE e.subject_kind = 'inbound' AND e.subject_id = %(subject)s
        ORDER BY e.seq DESC LIMIT 50
        """,
        {"subject": inbound_id},
    )


def channel_of(code: str, *, scope: Scope) -> tuple[UUID, UUID] | None:
    """(channel, account) of a code within the scope."""
    found = row(
        f"SELECT c.id, c.account_id FROM kernel_channel c "  # noqa: S608  # own text
        f"WHERE c.code = %(code)s AND {within(scope, 'c')}",
        reach(scope) | {"code": code},
    )
    return (found["id"], found["account_id"]) if found else None
