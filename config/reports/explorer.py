"""One SKU opened: each node with its age and cover, what channels were told, and on hand at a time."""

from datetime import datetime
from typing import Final

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

COVER_DAYS: Final = 28
"""Days over which what left is averaged, for days of cover."""

_AT: Final = "(%(all_nodes)s OR p.node_id = ANY(%(nodes)s))"


def _values(scope: Scope, nodes: set[int] | None) -> Row:
    return reach(scope) | {"all_nodes": nodes is None, "nodes": sorted(nodes or ())}


def by_node(sku_id: int, *, scope: Scope, nodes: set[int] | None, now: datetime) -> list[Row]:
    """The SKU at each node: the position's terms, what else lies there, cover, and ages.

    `owner` is whose goods they are, where they are not the account's own: a row of its own.
    """
    return rows(
        f"""
        SELECT p.id AS position_id, n.id AS node_id, n.code, n.name, n.state, n.timezone,
            p.sellable, p.reserved, p.buffer, p.haircut, p.landed, p.shortfall, p.counted_at,
            held.list AS conditions, e.until AS excluded_until, e.reason AS excluded_why,
            q.opened_at AS count_asked, coming.units AS inbound, coming.eta AS inbound_eta,
            gone.per_day, feed.seen_at AS feed_seen, feed.state AS feed_state,
            feed.degrade AS feed_effect, feed.degraded AS feed_degraded,
            CASE WHEN p.owner_id <> p.account_id THEN coalesce(o.code, p.owner_id::text) END AS owner
        FROM inventory_stockposition p
        JOIN inventory_node n ON n.id = p.node_id
        LEFT JOIN inventory_stockowner o ON o.id = p.owner_id
        LEFT JOIN LATERAL (
            SELECT json_object_agg(x.condition, x.units) AS list FROM (
                SELECT l.condition, sum(l.on_hand) AS units FROM inventory_stocklevel l
                WHERE l.position_id = p.id AND l.on_hand > 0 AND l.condition <> 'available'
                GROUP BY l.condition) x
        ) held ON true
        LEFT JOIN inventory_exclusion e ON e.node_id = p.node_id AND e.sku_id = p.sku_id
            AND e.until > %(now)s
        LEFT JOIN inventory_countrequest q ON q.node_id = p.node_id AND q.sku_id = p.sku_id
            AND q.state = 'open'
        LEFT JOIN LATERAL (
            SELECT sum(i.expected - i.received) AS units, min(i.eta_at) AS eta
            FROM inventory_inboundline i JOIN inventory_inbound b ON b.id = i.inbound_id
            WHERE i.sku_id = p.sku_id AND b.node_id = p.node_id AND i.received < i.expected
                AND b.state IN ('expected', 'arriving')
        ) coming ON p.owner_id = p.account_id
        LEFT JOIN LATERAL (
            SELECT -sum(m.quantity)::float / {COVER_DAYS} AS per_day FROM inventory_movement m
            WHERE m.position_id = p.id AND m.kind IN ('issue', 'sale') AND m.quantity < 0
                AND m.at > %(now)s - interval '{COVER_DAYS} days'
        ) gone ON true
        LEFT JOIN LATERAL (
            SELECT f.seen_at, f.state, f.degrade, f.degraded FROM inventory_feed f
            WHERE f.node_id = p.node_id AND f.account_id = p.account_id
            ORDER BY f.state = 'silent' DESC, f.seen_at LIMIT 1
        ) feed ON true
        WHERE p.sku_id = %(sku)s AND {_AT} AND {within(scope, "p")}
        ORDER BY n.code, owner NULLS FIRST
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"sku": sku_id, "now": now},
    )


def channels(sku_id: int, *, scope: Scope) -> list[Row]:
    """Every channel of the SKU's account: the figure that is kept, and what the channel was told."""
    return rows(
        f"""
        SELECT c.id AS channel_id, c.code, c.name, c.active, k.ats, k.version, k.as_of, k.changed_at,
            k.published_version, o.number AS last_order, l.external_sku,
            x.name AS connection_name, x.id AS connection_id, x.settings AS connection_settings,
            told.units AS told_units, told.sent_at, told.seen_at, told.state AS told_state,
            told.failure
        FROM inventory_sku s
        JOIN kernel_channel c ON c.account_id = s.account_id
        LEFT JOIN inventory_channelavailability k ON k.channel_id = c.id AND k.sku_id = s.id
        LEFT JOIN orders_order o ON o.id = k.last_order_id
        LEFT JOIN inventory_channellisting l ON l.channel_id = c.id AND l.sku_id = s.id
        LEFT JOIN integrations_connection x ON x.channel_id = c.id
        LEFT JOIN LATERAL (
            SELECT (t.wanted ->> 'quantity')::bigint AS units, t.sent_at, t.seen_at, t.state,
                t.failure
            FROM integrations_channelcopy t
            WHERE t.connection_id = x.id AND t.kind = 'stock'
                AND t.wanted ->> 'sku' = coalesce(l.external_sku, s.code)
            LIMIT 1
        ) told ON true
        WHERE s.id = %(sku)s AND {within(scope, "s")}
            AND EXISTS (SELECT FROM inventory_channelnode n WHERE n.channel_id = c.id)
        ORDER BY c.name, x.name
        """,  # noqa: S608  # own text
        reach(scope) | {"sku": sku_id},
    )


def on_hand_at(sku_id: int, moment: datetime, *, scope: Scope, nodes: set[int] | None) -> list[Row]:
    """What lay at each node at a time: the ledger, folded up to it."""
    return rows(
        f"""
        SELECT n.code, n.name, m.condition, sum(m.quantity)::bigint AS units
        FROM inventory_stockposition p
        JOIN inventory_movement m ON m.position_id = p.id AND m.at <= %(moment)s
        JOIN inventory_node n ON n.id = p.node_id
        WHERE p.sku_id = %(sku)s AND {_AT} AND {within(scope, "p")}
        GROUP BY 1, 2, 3 HAVING sum(m.quantity) <> 0 ORDER BY 1, 3
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"sku": sku_id, "moment": moment},
    )


def sku_of_figure(figure_id: int, *, scope: Scope) -> int | None:
    """The SKU that a kept figure is of."""
    found = row(
        f"SELECT p.sku_id FROM inventory_channelavailability p "  # noqa: S608  # own text
        f"WHERE p.id = %(figure)s AND {within(scope, 'p')}",
        reach(scope) | {"figure": figure_id},
    )
    return found["sku_id"] if found else None
