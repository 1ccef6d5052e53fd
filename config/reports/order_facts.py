"""What verbs need to know of many orders before they act: one statement for up to 1,000."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from config.reports.sql import Row, rows

_FACTS: Final = """
SELECT o.id, o.number, o.account_id, o.state, o.progress, o.payment_state, o.holds_open,
    o.blocked, o.remorse_until, o.currency, o.total_minor,
    units.pending, units.backordered, units.reserved, units.released, units.shipped,
    units.cancelled, units.ordered, holds.list AS holds, groups.list AS groups,
    EXISTS (SELECT FROM orders_authorization a WHERE a.order_id = o.id AND a.state = 'live'
        AND a.refused_at IS NOT NULL) AS refused, payments.list AS payments
FROM orders_order o
LEFT JOIN LATERAL (
    SELECT coalesce(sum(l.pending), 0) AS pending, coalesce(sum(l.backordered), 0) AS backordered,
        coalesce(sum(l.reserved), 0) AS reserved, coalesce(sum(l.released), 0) AS released,
        coalesce(sum(l.shipped), 0) AS shipped, coalesce(sum(l.cancelled), 0) AS cancelled,
        coalesce(sum(l.ordered) FILTER (WHERE l.kind <> 'kit'), 0) AS ordered
    FROM orders_orderline l WHERE l.order_id = o.id
) units ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('id', h.id, 'type', h.type, 'blocks', h.blocks,
        'reason', h.reason, 'group', h.group_id, 'handle', h.handle) ORDER BY h.id) AS list
    FROM orders_hold h WHERE h.order_id = o.id AND h.state = 'active'
) holds ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('id', g.id, 'position', g.position + 1, 'method', g.method,
        'ours', g.fulfilled_by = 'us', 'pinned', g.pinned_node_id, 'reserved', l.reserved,
        'unreleased', l.unreleased) ORDER BY g.position) AS list
    FROM orders_deliverygroup g
    LEFT JOIN LATERAL (SELECT coalesce(sum(x.reserved), 0) AS reserved,
        coalesce(sum(x.pending + x.backordered + x.reserved), 0) AS unreleased
        FROM orders_orderline x WHERE x.group_id = g.id AND x.kind = 'stock') l ON true
    WHERE g.order_id = o.id
) groups ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('id', p.id, 'what', p.what, 'state', p.state,
        'amount', p.amount_minor) ORDER BY p.id) AS list
    FROM (SELECT r.id, 'Refund' AS what, r.state, r.amount_minor FROM orders_refund r
            WHERE r.order_id = o.id AND r.state IN ('sent', 'failed')
        UNION ALL SELECT c.id, 'Capture', c.state, c.amount_minor FROM orders_capture c
            WHERE c.order_id = o.id AND c.state = 'unknown') p
) payments ON true
WHERE o.id = ANY(%(ids)s)
"""


def facts(ids: Sequence[UUID]) -> list[Row]:
    """The facts of these orders, in the order given. Their scope is the caller's."""
    by_id = {each["id"]: each for each in rows(_FACTS, {"ids": list(ids)})}
    for each in by_id.values():
        each["holds"] = each["holds"] or []
        each["groups"] = each["groups"] or []
        each["payments"] = each["payments"] or []
        for hold in each["holds"]:
            hold["id"] = UUID(hold["id"])
        for group in each["groups"]:
            group["id"] = UUID(group["id"])
        for payment in each["payments"]:
            payment["id"] = UUID(payment["id"])
    return [by_id[each] for each in ids if each in by_id]


def ended_holds(ids: Sequence[UUID], *, by: str, reason: str, since: datetime) -> list[Row]:
    """The holds of these orders that somebody has released for a reason, since a moment."""
    return rows(
        "SELECT h.order_id, h.type, h.reason, h.until, h.group_id, h.line_id, h.blocks, h.handle "
        "FROM orders_hold h WHERE h.order_id = ANY(%(ids)s) AND h.state = 'released' "
        "AND h.ended_by = %(by)s AND h.ended_reason = %(reason)s AND h.ended_at >= %(since)s "
        "ORDER BY h.id",
        {"ids": list(ids), "by": by, "reason": reason, "since": since},
    )


def notes_by(ids: Sequence[UUID], *, by: str, since: datetime) -> list[Row]:
    """The notes that somebody has written on these orders since a moment."""
    return rows(
        "SELECT n.id, n.order_id FROM orders_ordernote n WHERE n.order_id = ANY(%(ids)s) "
        "AND n.author = %(by)s AND n.at >= %(since)s AND n.key_id IS NOT NULL ORDER BY n.id",
        {"ids": list(ids), "by": by, "since": since},
    )


def unsecured(order_id: UUID) -> int:
    """What of our tenders no authorisation secures and nothing was taken for, in minor units."""
    found = rows(
        """
        SELECT coalesce(sum(greatest(0, t.amount_minor - t.captured_minor - coalesce(
            (SELECT sum(greatest(0, a.amount_minor - coalesce((SELECT sum(c.amount_minor)
                FROM orders_capture c WHERE c.authorization_id = a.id
                    AND c.state NOT IN ('failed', 'withdrawn')), 0)))
            FROM orders_authorization a WHERE a.order_id = t.order_id AND a.tender_id = t.id
                AND a.state = 'live' AND a.refused_at IS NULL AND a.void_asked_at IS NULL),
            0))), 0)::bigint AS minor
        FROM orders_tender t WHERE t.order_id = %(id)s AND t.collected_by = 'us'
        """,
        {"id": order_id},
    )
    return int(found[0]["minor"])
