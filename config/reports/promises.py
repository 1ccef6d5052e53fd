"""Promises still to be kept, by the slack that they have left; and what became of those due today."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.order_filters import Moment
from config.reports.sql import Row, reach, row, rows, within

LEVEL: Final = """
CASE WHEN s.certain_at <= %(now)s THEN 'certain' WHEN s.high_at <= %(now)s THEN 'high'
    WHEN s.medium_at <= %(now)s THEN 'medium' WHEN s.low_at <= %(now)s THEN 'low' ELSE '' END
"""
"""How likely it is now that the promise is missed; `fulfillment.slack.level_of` says the same."""
_FROM: Final = """
FROM fulfillment_promiseslack s
JOIN orders_order o ON o.id = s.order_id
JOIN orders_deliverygroup g ON g.id = s.group_id
JOIN kernel_channel c ON c.id = o.channel_id
LEFT JOIN inventory_node n ON n.id = s.node_id
LEFT JOIN inventory_carrier carrier ON carrier.code = s.carrier_code
"""
_SORTS: Final = {"slack": "s.high_at, s.group_id", "promised": "s.promised_at, s.group_id"}
FILTERS: Final = ("level", "stage", "node", "channel", "carrier")
_MEANING: Final = {
    "stage": "s.stage = %(stage)s",
    "node": "n.code = %(node)s",
    "channel": "c.code = %(channel)s",
    "carrier": "s.carrier_code = %(carrier)s",
    "channel_id": "o.channel_id = %(channel_id)s::uuid",
    "level": f"({LEVEL}) = %(level)s",
}
AT_RISK: Final = "risk"
"""Stands for the levels at which a promise will probably be missed: high and certain."""


def _narrowed(
    scope: Scope, nodes: set[int] | None, chosen: dict[str, str], moment: Moment
) -> tuple[str, Row]:
    wall = f"{within(scope, 's')} AND (%(all_nodes)s OR s.node_id = ANY(%(nodes)s))"
    parts = [wall]
    for name, value in chosen.items():
        if name == "level" and value == AT_RISK:
            parts.append("s.high_at <= %(now)s")
        elif value and name in _MEANING:
            parts.append(_MEANING[name])
    values = reach(scope) | chosen
    values |= {"now": moment.now, "all_nodes": nodes is None, "nodes": sorted(nodes or ())}
    return " AND ".join(parts), values


def open_promises(
    *,
    scope: Scope,
    nodes: set[int] | None,
    moment: Moment,
    chosen: dict[str, str],
    sort: str = "slack",
    limit: int = 100,
    offset: int = 0,
    after: Sequence[Any] | None = None,
) -> list[Row]:
    """Promises still to be kept, the least slack first; those after (slack's end, group)."""
    where, values = _narrowed(scope, nodes, chosen, moment)
    if after is not None:
        where += " AND (s.high_at, s.group_id) > (%(after_at)s, %(after_id)s)"
        values |= {"after_at": after[0], "after_id": after[1]}
    return rows(
        f"""
        SELECT s.group_id, o.number, o.id AS order_id, g.position + 1 AS position, c.code AS channel,
            c.name AS channel_name, n.code AS node, n.name AS node_name, s.carrier_code,
            coalesce(carrier.name, s.carrier_code) AS carrier_name, s.stage, s.since, s.target_at,
            s.promised_at, s.high_at, {LEVEL} AS level,
            extract(epoch FROM s.high_at - %(now)s)::bigint AS slack_seconds
        {_FROM} WHERE {where} ORDER BY {_SORTS.get(sort, _SORTS["slack"])}
        LIMIT %(limit)s OFFSET %(offset)s
        """,  # noqa: S608  # own text
        values | {"limit": limit, "offset": offset},
    )


def tallies(
    *, scope: Scope, nodes: set[int] | None, moment: Moment, chosen: dict[str, str]
) -> dict[str, list[Row]]:
    """How many promises are open, and in danger, by stage, node and level. One statement."""
    where, values = _narrowed(scope, nodes, chosen, moment)
    found = rows(
        f"""
        WITH open AS (SELECT s.stage, n.code AS node, n.name AS node_name, {LEVEL} AS level
            {_FROM} WHERE {where})
        SELECT CASE WHEN grouping(stage) = 0 THEN 'stage' WHEN grouping(level) = 0 THEN 'level'
                ELSE 'node' END AS by,
            coalesce(stage, level, node, '') AS code, max(node_name) AS name, count(*) AS n,
            count(*) FILTER (WHERE level IN ('high', 'certain')) AS at_risk
        FROM open GROUP BY GROUPING SETS ((stage), (level), (node)) ORDER BY 5 DESC, 4 DESC, 2
        """,  # noqa: S608
        values,
    )
    return {by: [each for each in found if each["by"] == by] for by in ("stage", "level", "node")}


def at_risk(*, scope: Scope, moment: Moment) -> int:
    """Promises that will probably be missed: the tower's number."""
    where, values = _narrowed(scope, None, {"level": AT_RISK}, moment)
    found = row(f"SELECT count(*) AS n FROM fulfillment_promiseslack s WHERE {where}", values)  # noqa: S608
    return int(found["n"]) if found else 0


_DUE: Final = """
SELECT g.id AS group_id, o.number, g.position + 1 AS position, c.name AS channel_name, g.ship_by,
    out.at AS out_at, out.node, CASE
        WHEN units.open > 0 AND g.ship_by < %(now)s THEN 'broken'
        WHEN units.open > 0 THEN 'open'
        WHEN out.at <= g.ship_by THEN 'kept' ELSE 'broken' END AS verdict
FROM orders_deliverygroup g
JOIN orders_order o ON o.id = g.order_id AND o.mode <> 'history'
    AND o.state IN ('accepted', 'closed') AND o.placed_at > %(day_start)s - interval '45 days'
JOIN kernel_channel c ON c.id = o.channel_id
JOIN LATERAL (
    SELECT sum(l.pending + l.backordered + l.reserved + l.released) AS open,
        sum(l.ordered - l.cancelled) AS wanted
    FROM orders_orderline l WHERE l.group_id = g.id AND l.kind = 'stock'
) units ON units.wanted > 0
LEFT JOIN LATERAL (
    SELECT max(coalesce(f.shipped_at, f.ready_at)) AS at, max(n.code) AS node
    FROM fulfillment_fulfillmentorder f JOIN inventory_node n ON n.id = f.node_id
    WHERE f.group_id = g.id AND f.state <> 'cancelled'
        AND (%(all_nodes)s OR f.node_id = ANY(%(nodes)s))
) out ON true
WHERE g.fulfilled_by = 'us' AND g.ship_by >= %(day_start)s AND g.ship_by < %(day_end)s
    AND (%(all_nodes)s OR out.node IS NOT NULL)
"""


def _today(scope: Scope, nodes: set[int] | None, moment: Moment) -> tuple[str, Row]:
    values: dict[str, Any] = reach(scope) | {
        "now": moment.now,
        "day_start": moment.day_start,
        "day_end": moment.day_end,
        "all_nodes": nodes is None,
        "nodes": sorted(nodes or ()),
    }
    return f"{_DUE} AND {within(scope, 'g')}", values


def due_today(*, scope: Scope, nodes: set[int] | None, moment: Moment) -> dict[str, int]:
    """Groups whose ship-by is today: kept, open still, broken."""
    query, values = _today(scope, nodes, moment)
    found = rows(f"SELECT verdict, count(*) AS n FROM ({query}) due GROUP BY 1", values)  # noqa: S608
    counted = {each["verdict"]: int(each["n"]) for each in found}
    return {name: counted.get(name, 0) for name in ("kept", "open", "broken")}


def due_list(
    verdict: str, *, scope: Scope, nodes: set[int] | None, moment: Moment, limit: int = 100
) -> list[Row]:
    """The groups behind one of today's numbers, by ship-by."""
    query, values = _today(scope, nodes, moment)
    return rows(
        f"SELECT * FROM ({query}) due WHERE verdict = %(verdict)s "  # noqa: S608
        "ORDER BY ship_by, group_id LIMIT %(limit)s",
        values | {"verdict": verdict, "limit": limit},
    )


def order_slack(order_id: UUID, *, moment: Moment) -> list[Row]:
    """The slack of each open group of an order."""
    return rows(
        f"SELECT s.group_id, s.fulfillment_order_id, s.stage, s.high_at, s.promised_at, "  # noqa: S608
        f"{LEVEL} AS level, extract(epoch FROM s.high_at - %(now)s)::bigint AS slack_seconds "
        "FROM fulfillment_promiseslack s WHERE s.order_id = %(order)s",
        {"order": order_id, "now": moment.now},
    )


BAR: Final = """
SELECT f.id, f.number, f.group_id, f.node_id, n.name AS node_name, f.account_id, o.placed_at,
    o.accepted_at, f.released_at, f.acknowledged_at, f.picked_at, f.packed_at, f.state,
    coalesce(f.shipped_at, f.ready_at) AS shipped_at, g.ship_by, g.deliver_by, gone.carrier_code,
    gone.delivered_at
FROM fulfillment_fulfillmentorder f
JOIN orders_order o ON o.id = f.order_id
JOIN orders_deliverygroup g ON g.id = f.group_id AND g.ship_by IS NOT NULL
JOIN inventory_node n ON n.id = f.node_id
LEFT JOIN LATERAL (
    SELECT max(p.carrier_code) AS carrier_code,
        CASE WHEN bool_and(p.delivered_at IS NOT NULL) THEN max(p.delivered_at) END AS delivered_at
    FROM fulfillment_parcel p WHERE p.fulfillment_order_id = f.id AND p.state <> 'voided'
) gone ON true
"""


def bars_of_order(order_id: UUID) -> list[Row]:
    """What each fulfillment order of an order was promised, and when each of its stages ended."""
    return rows(
        f"{BAR} WHERE f.order_id = %(order)s AND f.state <> 'cancelled' ORDER BY f.id",
        {"order": order_id},
    )


def bars_of_work(fulfillment_order_id: UUID) -> list[Row]:
    """The same of one fulfillment order."""
    return rows(f"{BAR} WHERE f.id = %(work)s", {"work": fulfillment_order_id})


def is_of_channel(group_id: UUID, channel_id: UUID) -> bool:
    """Whether the delivery group is of an order of the channel."""
    found = row(
        "SELECT o.channel_id FROM orders_deliverygroup g JOIN orders_order o ON o.id = g.order_id "
        "WHERE g.id = %(group)s",
        {"group": group_id},
    )
    return found is not None and found["channel_id"] == channel_id
