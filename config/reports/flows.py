"""What flows from which node to where, and how well each node does its part.

Work that was released to nodes in a period. What was not measured is None.
"""

from datetime import datetime
from typing import Final

from config.kernel.types import Scope
from config.reports.sql import Row, reach, rows, within

FEW: Final = 20
"""Below so many pieces of work a share says little: `few` marks the row."""
MOST_REJECTED: Final = 200
_SENT: Final = ("ship", "ship_to_store", "same_day")


def _within(scope: Scope, nodes: set[int] | None) -> tuple[str, Row]:
    wall = f"{within(scope, 'f')} AND (%(all_nodes)s OR f.node_id = ANY(%(nodes)s))"
    return wall, reach(scope) | {"all_nodes": nodes is None, "nodes": sorted(nodes or ())}


def flows(
    *,
    scope: Scope,
    nodes: set[int] | None,
    since: datetime,
    until: datetime,
    node: str = "",
    channel: str = "",
) -> list[Row]:
    """Work and units by node and state of the destination, the largest first."""
    wall, values = _within(scope, nodes)
    return rows(
        f"""
        SELECT n.code, n.name, n.latitude, n.longitude, n.postal_code, n.region AS node_region,
            n.country AS node_country, g.region, g.country, count(*) AS deliveries,
            sum(lines.units)::bigint AS units
        FROM fulfillment_fulfillmentorder f
        JOIN orders_order o ON o.id = f.order_id
        JOIN orders_deliverygroup g ON g.id = f.group_id
        JOIN kernel_channel c ON c.id = o.channel_id
        JOIN inventory_node n ON n.id = f.node_id
        LEFT JOIN LATERAL (
            SELECT sum(l.requested) AS units FROM fulfillment_fulfillmentline l
            WHERE l.fulfillment_order_id = f.id) lines ON true
        WHERE f.released_at >= %(since)s AND f.released_at < %(until)s AND {wall}
            AND f.method = ANY(%(sent)s)
            AND (%(node)s = '' OR n.code = %(node)s)
            AND (%(channel)s = '' OR c.code = %(channel)s)
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY deliveries DESC, n.code, g.region
        """,  # noqa: S608  # own text
        values
        | {"since": since, "until": until, "node": node, "channel": channel, "sent": list(_SENT)},
    )


def scorecards(
    *, scope: Scope, nodes: set[int] | None, since: datetime, until: datetime, at: datetime
) -> list[Row]:
    """A row for each node with work: acceptance, shorts, pick time, punctuality, cost, load."""
    wall, values = _within(scope, nodes)
    return rows(
        f"""
        WITH work AS (
            SELECT f.id, f.node_id, f.acknowledged_at, f.released_at, f.picked_at, f.shipped_at,
                f.ready_at, f.ship_by
            FROM fulfillment_fulfillmentorder f
            WHERE f.released_at >= %(since)s AND f.released_at < %(until)s AND {wall}
        ),
        units AS (
            SELECT work.node_id, sum(l.requested) AS requested, sum(l.rejected) AS rejected,
                sum(l.short) AS short, sum(l.shipped + l.collected) AS gone
            FROM work JOIN fulfillment_fulfillmentline l ON l.fulfillment_order_id = work.id
            GROUP BY 1
        ),
        labels AS (
            SELECT work.node_id, count(DISTINCT l.parcel_id) AS parcels, sum(l.cost_minor) AS cost,
                min(l.currency) AS currency
            FROM work
            JOIN fulfillment_parcel p ON p.fulfillment_order_id = work.id
            JOIN fulfillment_label l ON l.parcel_id = p.id
            WHERE l.voided_at IS NULL AND l.cost_minor IS NOT NULL
            GROUP BY 1
        ),
        pace AS (
            SELECT node_id, count(*) AS work,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY
                    extract(epoch FROM picked_at - coalesce(acknowledged_at, released_at)) / 3600)
                    FILTER (WHERE picked_at IS NOT NULL) AS pick_hours,
                percentile_cont(0.9) WITHIN GROUP (ORDER BY
                    extract(epoch FROM picked_at - coalesce(acknowledged_at, released_at)) / 3600)
                    FILTER (WHERE picked_at IS NOT NULL) AS pick_hours_p90,
                avg((coalesce(shipped_at, ready_at, 'infinity') <= ship_by)::int)
                    FILTER (WHERE ship_by IS NOT NULL
                        AND (ship_by <= %(at)s OR coalesce(shipped_at, ready_at) IS NOT NULL))::float
                    AS on_time,
                count(*) FILTER (WHERE ship_by <= %(at)s
                    AND coalesce(shipped_at, ready_at, 'infinity') > ship_by) AS late
            FROM work GROUP BY 1
        ),
        room AS (
            SELECT w.node_id, sum(w.used)::float / nullif(sum(w.most), 0) AS load,
                max(w.used::float / nullif(w.most, 0)) AS fullest
            FROM inventory_capacitywindow w
            WHERE w.starts_at >= %(since)s AND w.starts_at < %(until)s
                AND w.function <> 'receiving'
            GROUP BY 1
        )
        SELECT n.code, n.name, n.kind, pace.work, pace.work < %(few)s AS few, units.requested,
            1 - units.rejected::float / nullif(units.requested, 0) AS acceptance,
            units.rejected, units.short::float / nullif(units.requested, 0) AS short_rate,
            units.short, pace.pick_hours, pace.pick_hours_p90, pace.on_time, pace.late,
            labels.parcels, labels.cost::float / nullif(labels.parcels, 0) AS cost_minor,
            labels.currency, room.load, room.fullest
        FROM pace
        JOIN inventory_node n ON n.id = pace.node_id
        LEFT JOIN units ON units.node_id = pace.node_id
        LEFT JOIN labels ON labels.node_id = pace.node_id
        LEFT JOIN room ON room.node_id = pace.node_id
        ORDER BY pace.work DESC, n.code
        """,  # noqa: S608  # own text
        values | {"since": since, "until": until, "at": at, "few": FEW},
    )


def rejected_work(
    *, scope: Scope, nodes: set[int] | None, node: str, since: datetime, until: datetime
) -> list[Row]:
    """What the node rejected of the work released to it in the period, the latest first.

    `why` is known while the SKU is left out there for this very work; otherwise it is empty. Of very
    many the first are answered.
    """
    wall, values = _within(scope, nodes)
    return rows(
        f"""
        SELECT o.number AS order_number, f.number, f.released_at, s.code AS sku, l.requested,
            l.rejected, coalesce(e.reason, '') AS why
        FROM fulfillment_fulfillmentorder f
        JOIN inventory_node n ON n.id = f.node_id
        JOIN orders_order o ON o.id = f.order_id
        JOIN fulfillment_fulfillmentline l ON l.fulfillment_order_id = f.id AND l.rejected > 0
        JOIN inventory_sku s ON s.id = l.sku_id
        LEFT JOIN inventory_exclusion e ON e.sku_id = l.sku_id AND e.node_id = f.node_id
            AND e.cause_id = f.id
        WHERE f.released_at >= %(since)s AND f.released_at < %(until)s AND {wall}
            AND n.code = %(node)s
        ORDER BY f.released_at DESC, f.number, l.position LIMIT %(most)s
        """,  # noqa: S608  # own text
        values | {"since": since, "until": until, "node": node, "most": MOST_REJECTED},
    )


def splits_by_node(*, scope: Scope, since: datetime, until: datetime) -> dict[str, dict[str, int]]:
    """By node, how many split deliveries it sent a part of, by cause; of those that stand."""
    found = rows(
        f"""
        SELECT trim(node) AS code, standing.split_cause AS cause, count(*) AS n FROM (
            SELECT DISTINCT ON (d.group_id) d.winner, d.split_cause
            FROM routing_routingdecision d
            WHERE d.at >= %(since)s AND d.at < %(until)s AND {within(scope, "d")}
            ORDER BY d.group_id, d.id DESC) standing,
            unnest(string_to_array(standing.winner, ',')) AS node
        WHERE standing.split_cause <> '' GROUP BY 1, 2
        """,  # noqa: S608  # own text
        reach(scope) | {"since": since, "until": until},
    )
    by_node: dict[str, dict[str, int]] = {}
    for row in found:
        by_node.setdefault(row["code"], {})[row["cause"]] = row["n"]
    return by_node
