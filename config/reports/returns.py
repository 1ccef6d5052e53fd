"""The returns desk: what stands in each tab, and where goods may be received."""

from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

PAGE: Final = 50
_OPEN: Final = "('requested', 'review', 'authorized', 'in_transit', 'received', 'inspected')"
_TABS: Final = {
    "expected": "r.state IN ('authorized', 'in_transit')",
    "unidentified": "r.state IN ('received', 'inspected') AND r.order_id IS NULL",
    "to_grade": "r.state = 'received' AND r.order_id IS NOT NULL",
    "to_decide": "r.state IN ('requested', 'review')",
    "to_refund": "r.state = 'inspected' AND r.order_id IS NOT NULL",
    "done": f"r.state NOT IN {_OPEN}",
}
"""The tabs of the desk; every return stands in one."""


def _reach(scope: Scope, nodes: set[int] | None) -> tuple[str, Row]:
    """The condition for the returns that the reader sees."""
    wall = f"{within(scope, 'r')} AND (%(all_nodes)s OR r.node_id = ANY(%(nodes)s))"
    return wall, reach(scope) | {"all_nodes": nodes is None, "nodes": sorted(nodes or ())}


def counts(*, scope: Scope, nodes: set[int] | None) -> dict[str, int]:
    """Open returns per tab. One statement over a partial index."""
    seen, values = _reach(scope, nodes)
    counted = ", ".join(
        f"count(*) FILTER (WHERE {condition}) AS {tab}"
        for tab, condition in _TABS.items()
        if tab != "done"
    )
    found = row(
        f"SELECT {counted} FROM returns_return r WHERE r.state IN {_OPEN} AND {seen}",  # noqa: S608
        values,
    )
    return dict(found or {})


def page(
    tab: str,
    *,
    scope: Scope,
    nodes: set[int] | None,
    after: UUID | None = None,
    clean: bool = False,
) -> list[Row]:
    """One page of a tab, one row more when there are others: open ones the oldest first.

    `clean` are those that the policy accepts as they are.
    """
    seen, values = _reach(scope, nodes)
    back = tab == "done"
    return rows(
        f"""
        SELECT r.id, r.number, r.kind, r.state, r.wants, r.keep, r.words, r.currency,
            r.credited_minor, r.tracking_number, r.requested_at, r.expires_at, r.first_scan_at,
            r.updated_at, r.received_at, r.label_pending, r.verdict->>'decision' AS decision,
            o.number AS order_number, c.name AS channel_name, n.code AS node_code,
            n.name AS node_name, inside.list AS items, inside.units, inside.ungraded
        FROM returns_return r
        LEFT JOIN orders_order o ON o.id = r.order_id
        LEFT JOIN kernel_channel c ON c.id = o.channel_id
        LEFT JOIN inventory_node n ON n.id = r.node_id
        LEFT JOIN LATERAL (
            SELECT json_agg(json_build_object('title', coalesce(nullif(l.title, ''), s.name, ''),
                    'sku', s.code, 'units', greatest(l.requested, l.received),
                    'reason', l.reason) ORDER BY l.position) AS list,
                sum(greatest(l.requested, l.received)) AS units,
                sum(l.received - l.accepted - l.rejected) AS ungraded
            FROM returns_returnline l LEFT JOIN inventory_sku s ON s.id = l.sku_id
            WHERE l.returned_id = r.id
        ) inside ON true
        WHERE {_TABS[tab]} AND {seen}
            AND (%(after)s::uuid IS NULL OR r.id {"<" if back else ">"} %(after)s)
            AND (NOT %(clean)s OR r.verdict->>'decision' = 'accept')
        ORDER BY r.id {"DESC" if back else "ASC"} LIMIT %(limit)s
        """,  # noqa: S608  # own text
        values | {"after": after, "limit": PAGE + 1, "clean": clean},
    )


def id_of(number: str, *, scope: Scope, nodes: set[int] | None) -> UUID | None:
    """The return of this number, when the reader may see it."""
    seen, values = _reach(scope, nodes)
    found = row(
        f"SELECT r.id FROM returns_return r WHERE r.number = %(number)s AND {seen}",  # noqa: S608
        values | {"number": number},
    )
    return found["id"] if found else None


def number_of(return_id: UUID, *, scope: Scope, nodes: set[int] | None) -> str | None:
    seen, values = _reach(scope, nodes)
    found = row(
        f"SELECT r.number FROM returns_return r WHERE r.id = %(id)s AND {seen}",  # noqa: S608
        values | {"id": return_id},
    )
    return found["number"] if found else None


def named(text: str, *, scope: Scope, nodes: set[int] | None) -> list[Row]:
    """Returns of this number or tracking number."""
    seen, values = _reach(scope, nodes)
    return rows(
        f"SELECT r.number, r.state FROM returns_return r WHERE {seen} AND (r.number = upper(%(text)s) "  # noqa: S608
        "OR (r.tracking_number = %(text)s AND r.tracking_number <> '')) ORDER BY r.id DESC LIMIT 5",
        values | {"text": text},
    )


def receiving_nodes(*, scope: Scope, nodes: set[int] | None) -> list[Row]:
    """The nodes where the reader may take goods in, by name, with the accounts they work for."""
    return rows(
        f"""
        SELECT n.id, n.code, n.name, array_agg(g.account_id) AS accounts
        FROM inventory_node n JOIN inventory_nodegrant g ON g.node_id = n.id
        WHERE {within(scope, "g")} AND n.state <> 'closed'
            AND (%(all_nodes)s OR n.id = ANY(%(nodes)s))
        GROUP BY n.id ORDER BY n.name, n.id
        """,  # noqa: S608  # own text
        reach(scope) | {"all_nodes": nodes is None, "nodes": sorted(nodes or ())},
    )


def orders_like(order_ids: list[UUID], *, scope: Scope) -> list[Row]:
    """Orders that goods may belong to, as somebody at the desk compares them; in the order given."""
    return rows(
        f"""
        SELECT o.id, o.number, o.external_number, o.placed_at, o.state, o.progress,
            c.name AS channel_name, inside.list AS brought
        FROM orders_order o JOIN kernel_channel c ON c.id = o.channel_id
        LEFT JOIN LATERAL (
            SELECT json_agg(json_build_object('title', coalesce(nullif(l.title, ''), s.name, ''),
                'sku', s.code, 'sku_id', l.sku_id, 'delivered', l.delivered, 'sent', l.shipped)
                ORDER BY l.position) AS list
            FROM orders_orderline l LEFT JOIN inventory_sku s ON s.id = l.sku_id
            WHERE l.order_id = o.id AND l.kind <> 'kit' AND l.shipped > 0
        ) inside ON true
        WHERE o.id = ANY(%(ids)s) AND {within(scope, "o")}
        ORDER BY array_position(%(ids)s::uuid[], o.id)
        """,  # noqa: S608  # own text
        reach(scope) | {"ids": order_ids},
    )


def claims(*, scope: Scope, state: str = "open", before: UUID | None = None) -> list[Row]:
    """Claims against carriers, the latest first, one row more than a page when there are older.

    `open` are those that wait for somebody: for the carrier's answer, or for what the buyer gets.
    """
    return rows(
        f"""
        SELECT c.id, c.number, c.kind, c.state, c.resolution, c.carrier_code, c.tracking_number,
            c.opened_at, c.filed_at, c.amount_minor, c.credited_minor, c.currency, c.reference,
            o.number AS order_number, coalesce(carrier.name, c.carrier_code) AS carrier_name
        FROM returns_claim c JOIN orders_order o ON o.id = c.order_id
        LEFT JOIN inventory_carrier carrier ON carrier.code = c.carrier_code
        WHERE {within(scope, "c")} AND (%(before)s::uuid IS NULL OR c.id < %(before)s)
            AND (%(open)s = (c.state IN ('open', 'filed')
                OR (c.resolution = '' AND c.state <> 'withdrawn')))
        ORDER BY c.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope) | {"open": state == "open", "before": before, "limit": PAGE + 1},
    )


def claim_number(claim_id: UUID, *, scope: Scope) -> str | None:
    found = row(
        f"SELECT c.number FROM returns_claim c WHERE c.id = %(id)s AND {within(scope, 'c')}",  # noqa: S608
        reach(scope) | {"id": claim_id},
    )
    return found["number"] if found else None


def claim_id(number: str, *, scope: Scope) -> UUID | None:
    found = row(
        f"SELECT c.id FROM returns_claim c WHERE c.number = %(number)s AND {within(scope, 'c')}",  # noqa: S608
        reach(scope) | {"number": number},
    )
    return found["id"] if found else None
