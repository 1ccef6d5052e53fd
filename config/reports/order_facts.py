"""What verbs need to know of many orders before they act: one statement for up to 1,000."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from config.reports.sql import Row, rows

_FACTS: Final = """
SELECT o.id, o.number, o.account_id, o.state, o.progress, o.payment_state, o.holds_open,
    o.blocked, o.remorse_until, o.currency, o.total_minor,
    units.pending, units.backordered, units.reserved, units.released, units.shipped,
    units.cancelled, units.ordered, holds.list AS holds, groups.list AS groups,
    EXISTS (SELECT FROM orders_authorization a WHERE a.order_id = o.id AND a.state = 'live'
        AND a.refused_at IS NOT NULL) AS refused
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
        'reason', h.reason, 'group', h.group_id) ORDER BY h.id) AS list
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
WHERE o.id = ANY(%(ids)s)
"""


def facts(ids: Sequence[UUID]) -> list[Row]:
    """The facts of these orders, in the order given. Their scope is the caller's."""
    by_id = {each["id"]: each for each in rows(_FACTS, {"ids": list(ids)})}
    for each in by_id.values():
        each["holds"] = each["holds"] or []
        each["groups"] = each["groups"] or []
        for hold in each["holds"]:
            hold["id"] = UUID(hold["id"])
        for group in each["groups"]:
            group["id"] = UUID(group["id"])
    return [by_id[each] for each in ids if each in by_id]
