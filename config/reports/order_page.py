"""Everything one order's page shows, in a constant number of statements."""

from typing import Any, Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

TIMELINE_LIMIT: Final = 200

_LINES: Final = """
SELECT l.id, l.group_id, l.position, l.kind, l.parent_id, l.relation, l.title, l.external_sku,
    l.unit_price, l.gross_minor, l.discount_minor, l.tax_minor, l.total_minor, l.ordered,
    l.pending, l.backordered, l.reserved, l.released, l.shipped, l.cancelled, l.underway,
    l.delivered, l.lost, l.sent_back, l.returned, s.id AS sku_id, s.code AS sku_code,
    s.name AS sku_name, places.list AS places
FROM orders_orderline l
LEFT JOIN inventory_sku s ON s.id = l.sku_id
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('node', n.code, 'name', n.name, 'city', n.city,
        'units', used.units) ORDER BY used.units DESC, n.code) AS list
    FROM (SELECT r.node_id, sum(r.quantity - r.released) AS units FROM inventory_reservation r
        WHERE r.demand_id = l.id AND r.state IN ('reserved', 'committed', 'consumed')
        GROUP BY r.node_id) used
    JOIN inventory_node n ON n.id = used.node_id WHERE used.units > 0
) places ON true
WHERE l.order_id = %(order)s ORDER BY l.position
"""
_GROUPS: Final = """
SELECT g.id, g.position + 1 AS position, g.method, g.fulfilled_by, g.postal_code, g.region, g.country,
    g.service_code, g.ship_complete, g.not_before, g.requested_by, g.handling_notes,
    g.ship_by, g.deliver_by, g.contact_id, g.gift_message IS NOT NULL AS has_gift_message,
    pin.code AS pinned_node, pick.code AS pickup_node, pick.name AS pickup_name,
    service.name AS service_name, first.deliver_latest AS first_promise,
    last.deliver_latest AS promise, last.version AS promise_version, last.cause AS promise_cause
FROM orders_deliverygroup g
LEFT JOIN inventory_node pin ON pin.id = g.pinned_node_id
LEFT JOIN inventory_node pick ON pick.id = g.pickup_node_id
LEFT JOIN inventory_servicelevel service ON service.id = g.service_level_id
LEFT JOIN LATERAL (SELECT p.deliver_latest FROM orders_promise p
    WHERE p.group_id = g.id ORDER BY p.version LIMIT 1) first ON true
LEFT JOIN LATERAL (SELECT p.deliver_latest, p.version, p.cause FROM orders_promise p
    WHERE p.group_id = g.id ORDER BY p.version DESC LIMIT 1) last ON true
WHERE g.order_id = %(order)s ORDER BY g.position
"""
_WORK: Final = """
SELECT f.id, f.number, f.group_id, f.state, f.method, f.released_at, f.acknowledge_by, f.ship_by,
    f.acknowledged_at, f.packed_at, f.shipped_at, f.ready_at, f.ended_at, f.collect_by,
    f.external_id, n.id AS node_id, n.code AS node_code, n.name AS node_name, n.city, n.timezone,
    n.has_wms, lines.list AS lines
FROM fulfillment_fulfillmentorder f
JOIN inventory_node n ON n.id = f.node_id
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('id', fl.id, 'line', fl.order_line_id, 'sku', s.code,
        'name', s.name, 'requested', fl.requested, 'waiting', fl.waiting, 'accepted', fl.accepted,
        'picked', fl.picked, 'packed', fl.packed, 'shipped', fl.shipped,
        'collected', fl.collected, 'rejected', fl.rejected, 'short', fl.short,
        'cancelled', fl.cancelled) ORDER BY fl.position) AS list
    FROM fulfillment_fulfillmentline fl JOIN inventory_sku s ON s.id = fl.sku_id
    WHERE fl.fulfillment_order_id = f.id
) lines ON true
WHERE f.order_id = %(order)s ORDER BY f.id
"""
_PARCELS: Final = """
SELECT p.id, p.number, p.fulfillment_order_id, p.state, p.weight_grams, p.carrier_code,
    p.tracking_number, p.packed_at, p.handed_over_at, p.last_heard_at, p.delivered_at,
    carrier.name AS carrier_name, carrier.tracking_url, inside.list AS contents, news.list AS news
FROM fulfillment_parcel p
JOIN fulfillment_fulfillmentorder f ON f.id = p.fulfillment_order_id
LEFT JOIN inventory_carrier carrier ON carrier.code = p.carrier_code
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('sku', s.code, 'quantity', pl.quantity,
        'excess', pl.excess) ORDER BY fl.position) AS list
    FROM fulfillment_parcelline pl JOIN fulfillment_fulfillmentline fl ON fl.id = pl.line_id
    JOIN inventory_sku s ON s.id = fl.sku_id WHERE pl.parcel_id = p.id
) inside ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('status', t.status, 'at', t.happened_at, 'place', t.place)
        ORDER BY t.happened_at DESC) AS list
    FROM fulfillment_trackingevent t WHERE t.parcel_id = p.id
) news ON true
WHERE f.order_id = %(order)s ORDER BY p.id
"""
_MONEY: Final = """
SELECT t.id, t.kind, t.provider, t.collected_by, t.amount_minor, t.captured_minor,
    t.refunded_minor, moves.list AS moves
FROM orders_tender t
LEFT JOIN LATERAL (
    SELECT json_agg(each ORDER BY each->>'at') AS list FROM (
        SELECT json_build_object('id', a.id, 'what', 'Authorisation', 'state', a.state, 'amount',
            a.amount_minor, 'at', a.at, 'reference', a.reference, 'why', '') AS each
        FROM orders_authorization a WHERE a.tender_id = t.id
        UNION ALL SELECT json_build_object('id', c.id, 'what', 'Capture', 'state', c.state, 'amount',
            c.amount_minor, 'at', c.at, 'reference', c.reference, 'why', c.failure)
        FROM orders_capture c WHERE c.tender_id = t.id
        UNION ALL SELECT json_build_object('id', r.id, 'what', 'Refund', 'state', r.state, 'amount',
            r.amount_minor, 'at', r.at, 'reference', r.reference, 'why', r.failure)
        FROM orders_refund r WHERE r.tender_id = t.id
    ) every
) moves ON true
WHERE t.order_id = %(order)s ORDER BY t.position
"""


def head(number: str, *, scope: Scope) -> Row | None:
    """The order itself; None outside the scope."""
    return row(
        f"""
        SELECT o.*, c.code AS channel_code, c.name AS channel_name, c.kind AS channel_kind,
            b.name AS brand_name, a.timezone AS account_timezone, cu.contact_id AS customer_contact
        FROM orders_order o
        JOIN kernel_channel c ON c.id = o.channel_id
        JOIN kernel_brand b ON b.id = o.brand_id
        JOIN kernel_account a ON a.id = o.account_id
        LEFT JOIN orders_customer cu ON cu.id = o.customer_id
        WHERE o.number = %(number)s AND {within(scope, "o")}
        """,  # noqa: S608  # own text
        reach(scope) | {"number": number},
    )


def parts(order_id: UUID) -> dict[str, list[Row]]:
    """Lines, groups, holds, fulfillment orders, parcels, money, invoices and cases."""
    values = {"order": order_id}
    return {
        "lines": rows(_LINES, values),
        "groups": rows(_GROUPS, values),
        "holds": rows(
            "SELECT h.*, g.position + 1 AS group_position, l.title AS line_title FROM orders_hold h "
            "LEFT JOIN orders_deliverygroup g ON g.id = h.group_id "
            "LEFT JOIN orders_orderline l ON l.id = h.line_id "
            "WHERE h.order_id = %(order)s ORDER BY h.state <> 'active', h.id",
            values,
        ),
        "work": rows(_WORK, values),
        "parcels": rows(_PARCELS, values),
        "tenders": rows(_MONEY, values),
        "invoices": rows(
            "SELECT i.kind, i.amount_minor, i.currency, i.at, p.number AS parcel "
            "FROM orders_invoice i LEFT JOIN fulfillment_parcel p ON p.id = i.parcel_id "
            "WHERE i.order_id = %(order)s ORDER BY i.id",
            values,
        ),
        "cases": rows(
            "SELECT c.number, c.kind, c.state, c.severity, c.opened_at, c.due_at, c.evidence "
            "FROM kernel_case c WHERE c.thread_id = %(order)s "
            "ORDER BY c.state IN ('resolved', 'auto_resolved'), c.id DESC",
            values,
        ),
    }


def timeline(order_id: UUID, *, limit: int = TIMELINE_LIMIT) -> list[Row]:
    """What happened, newest first: events of the order and of all that belongs to it."""
    return rows(
        "SELECT e.id, e.topic, e.subject_kind, e.subject_id, e.at, e.recorded_at, e.actor_kind, "
        "e.actor_name, e.on_behalf_of, e.data FROM kernel_event e "
        "WHERE e.thread_id = %(order)s OR e.subject_id = %(order)s "
        "ORDER BY e.at DESC, e.id DESC LIMIT %(limit)s",
        {"order": order_id, "limit": limit},
    )


def notes(order_id: UUID) -> list[Row]:
    """The order's notes, still sealed."""
    return rows(
        "SELECT n.id, n.key_id, n.sealed, n.author, n.at FROM orders_ordernote n "
        "WHERE n.order_id = %(order)s ORDER BY n.id DESC",
        {"order": order_id},
    )


def contacts(ids: list[UUID]) -> list[Row]:
    """Contacts, still sealed."""
    return rows(
        "SELECT c.id, c.key_id, c.sealed, c.erased_at, c.region, c.postal_code, c.country "
        "FROM orders_contact c WHERE c.id = ANY(%(ids)s)",
        {"ids": ids},
    )


def customer_orders(customer_id: UUID | None, order_id: UUID) -> dict[str, Any]:
    """How many other orders this customer has, and the last five."""
    if customer_id is None:
        return {"count": 0, "latest": []}
    latest = rows(
        "SELECT o.number, o.placed_at, o.state, o.progress, o.total_minor, o.currency, "
        "count(*) OVER () AS n FROM orders_order o WHERE o.customer_id = %(customer)s "
        "AND o.id <> %(order)s ORDER BY o.id DESC LIMIT 5",
        {"customer": customer_id, "order": order_id},
    )
    return {"count": latest[0]["n"] if latest else 0, "latest": latest}


def changes(order_id: UUID) -> list[Row]:
    """The versions of the order and its holds, newest first, as stored by the audit history."""
    return rows(
        """
        SELECT 'Order' AS what, h.history_id AS version, h.history_at AS at,
            h.history_type AS kind, h.history_change_reason AS reason, to_jsonb(h) AS fields
        FROM orders_historicalorder h WHERE h.id = %(order)s
        UNION ALL
        SELECT 'Hold ' || h.type, h.history_id, h.history_at, h.history_type,
            h.history_change_reason, to_jsonb(h)
        FROM orders_historicalhold h WHERE h.order_id = %(order)s
        UNION ALL
        SELECT f.number, f.history_id, f.history_at, f.history_type,
            f.history_change_reason, to_jsonb(f)
        FROM fulfillment_historicalfulfillmentorder f WHERE f.order_id = %(order)s
        ORDER BY 3, 2
        """,
        {"order": order_id},
    )


def deliveries(order_id: UUID) -> list[Row]:
    """Deliveries of the order's events that are not done: what somebody has not heard yet."""
    return rows(
        "SELECT d.consumer, d.topic, d.state, d.attempts, d.last_error, d.due_at "
        "FROM kernel_delivery d WHERE d.subject_id = %(order)s AND d.state <> 'done' "
        "ORDER BY d.event_id LIMIT 50",
        {"order": order_id},
    )
