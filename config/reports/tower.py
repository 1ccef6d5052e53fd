"""The control tower's numbers: each is a filter of a list, counted."""

from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from config.kernel.types import Scope
from config.reports.order_filters import STEPS, Filters, Moment, condition
from config.reports.sql import Row, reach, row, rows, within

_OPEN_CASES = "('open', 'acknowledged', 'in_progress', 'waiting')"
_LOOK_AHEAD_DAYS: Final = 8
_SPARK_DAYS: Final = 14

# When an order came to stand at a step, for the median age of what stands there.
_SINCE: Final[dict[str, str]] = {
    "new": "o.captured_at",
    "held": "(SELECT min(h.placed_at) FROM orders_hold h WHERE h.order_id = o.id "
    "AND h.state = 'active')",
    "reserved": "o.accepted_at",
    "released": "(SELECT min(f.released_at) FROM fulfillment_fulfillmentorder f "
    "WHERE f.order_id = o.id AND f.state IN ('released', 'acknowledged'))",
    "picking": "(SELECT min(f.acknowledged_at) FROM fulfillment_fulfillmentorder f "
    "WHERE f.order_id = o.id AND f.state = 'picking')",
    "packed": "(SELECT min(f.packed_at) FROM fulfillment_fulfillmentorder f "
    "WHERE f.order_id = o.id AND f.state IN ('packed', 'ready_for_pickup'))",
    "shipped": "(SELECT min(p.handed_over_at) FROM fulfillment_fulfillmentorder f "
    "JOIN fulfillment_parcel p ON p.fulfillment_order_id = f.id WHERE f.order_id = o.id)",
    "delivered": "o.closed_at",
}
LABELS: Final[dict[str, str]] = {
    "new": "New",
    "held": "Held",
    "reserved": "Reserved",
    "released": "Released",
    "picking": "Picking",
    "packed": "Packed",
    "shipped": "Shipped",
    "delivered": "Delivered today",
}


def tiles(*, scope: Scope, moment: Moment) -> Row:
    """The numbers of the first row, in one statement."""
    values: dict[str, Any] = reach(scope)
    parts = []
    for name in ("miss", "held", "stuck"):
        where, more = condition(Filters({"need": name}), scope=scope, moment=moment)
        values |= more
        parts.append(f"(SELECT count(*) FROM orders_order o WHERE {where}) AS {name}")  # noqa: S608
    values |= {
        "now": moment.now,
        "day_start": moment.day_start,
        "week_ago_start": moment.day_start - timedelta(days=7),
        "week_ago": moment.now - timedelta(days=7),
    }
    live = f"{within(scope, 'o')} AND o.mode <> 'history'"
    parts += [
        (
            "(SELECT count(*) FROM orders_order o WHERE "  # noqa: S608  # own text
            f"{live} AND o.placed_at >= %(day_start)s AND o.placed_at <= %(now)s) AS orders_today"
        ),
        (
            "(SELECT count(*) FROM orders_order o WHERE "  # noqa: S608  # own text
            f"{live} AND o.placed_at >= %(week_ago_start)s AND o.placed_at <= %(week_ago)s) "
            "AS orders_week_ago"
        ),
        (
            "(SELECT count(*) FROM kernel_case c WHERE "  # noqa: S608  # own text
            f"{within(scope, 'c')} AND c.state IN {_OPEN_CASES}) AS cases"
        ),
        (
            "(SELECT min(c.opened_at) FROM kernel_case c WHERE "  # noqa: S608  # own text
            f"{within(scope, 'c')} AND c.state IN {_OPEN_CASES}) AS oldest_case"
        ),
        f"(SELECT count(*) FROM ({risky_skus(scope)}) risky) AS short_risk",  # noqa: S608
        (
            "(SELECT count(*) FROM fulfillment_promiseslack s WHERE "  # noqa: S608  # own text
            f"{within(scope, 's')} AND s.high_at <= %(now)s) AS jeopardy"
        ),
    ]
    return row(f"SELECT {', '.join(parts)}", values) or {}


def risky_skus(scope: Scope) -> str:
    """SKUs with a shortfall, or with demand waiting and nothing free anywhere."""
    return f"""
        SELECT p.sku_id FROM inventory_stockposition p
        WHERE p.shortfall > 0 AND {within(scope, "p")}
        UNION
        SELECT l.sku_id FROM orders_orderline l
        WHERE (l.backordered > 0 OR l.pending > 0) AND l.sku_id IS NOT NULL AND l.kind = 'stock'
            AND {within(scope, "l")}
            AND NOT EXISTS (SELECT FROM inventory_stockposition p WHERE p.sku_id = l.sku_id
                AND p.shortfall = 0 AND p.sellable - p.reserved - p.buffer - p.landed > 0)
    """  # noqa: S608  # own text


def placed_by_day(*, scope: Scope, moment: Moment) -> list[int]:
    """Orders placed on each of the last fourteen days, oldest first, today last."""
    first = moment.day_start - timedelta(days=_SPARK_DAYS - 1)
    found = rows(
        f"""
        SELECT (o.placed_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS n
        FROM orders_order o
        WHERE {within(scope, "o")} AND o.mode <> 'history'
            AND o.placed_at >= %(first)s AND o.placed_at <= %(now)s
        GROUP BY 1
        """,  # noqa: S608  # own text
        reach(scope) | {"zone": moment.zone.key, "first": first, "now": moment.now},
    )
    by_day = {each["day"]: each["n"] for each in found}
    start = first.date()
    return [by_day.get(start + timedelta(days=back), 0) for back in range(_SPARK_DAYS)]


def flow(*, scope: Scope, moment: Moment) -> list[Row]:
    """Each step from new to delivered: how many orders stand there, and for how long (median)."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    for place, step in enumerate(STEPS):
        where, more = condition(Filters({"step": step}), scope=scope, moment=moment)
        values |= more
        parts.append(
            f"SELECT {place} AS place, '{step}' AS step, count(*) AS n, "  # noqa: S608
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM "
            f"%(now)s - {_SINCE[step]})) AS median FROM orders_order o WHERE {where}"
        )
    found = rows(f"{' UNION ALL '.join(parts)} ORDER BY place", values | {"now": moment.now})
    for each in found:
        each["label"] = LABELS[each["step"]]
    working = [each for each in found if each["step"] not in {"shipped", "delivered", "held"}]
    slowest = max(working, key=lambda each: each["median"] or 0, default=None)
    for each in found:
        each["slow"] = each is slowest and bool(each["n"])
    return found


def nodes(*, scope: Scope, moment: Moment, node_ids: set[int] | None = None) -> list[Row]:
    """Each node: open work, what is due today and overdue, and when the next cutoff comes."""
    found = rows(
        f"""
        SELECT n.id, n.code, n.name, n.kind, n.state, n.timezone, n.city, n.region,
            n.has_wms, n.pause_reason, n.paused_until,
            work.open_orders, work.units, work.due_today, work.overdue, work.to_acknowledge,
            functions.list AS functions, cutoffs.list AS cutoffs, closures.list AS closures
        FROM inventory_node n
        LEFT JOIN LATERAL (
            SELECT count(DISTINCT f.id) AS open_orders,
                coalesce(sum(fl.waiting + fl.accepted + fl.picked + fl.packed), 0) AS units,
                count(DISTINCT f.id) FILTER (WHERE f.ship_by < %(day_end)s) AS due_today,
                count(DISTINCT f.id) FILTER (WHERE f.ship_by < %(now)s) AS overdue,
                count(DISTINCT f.id) FILTER (WHERE f.state = 'released') AS to_acknowledge
            FROM fulfillment_fulfillmentorder f
            JOIN fulfillment_fulfillmentline fl ON fl.fulfillment_order_id = f.id
            WHERE f.node_id = n.id AND f.state IN
                ('released', 'acknowledged', 'picking', 'packed', 'ready_for_pickup')
                AND {within(scope, "f")}
        ) work ON true
        LEFT JOIN LATERAL (
            SELECT json_agg(json_build_object('function', x.function, 'paused', x.paused,
                'until', x.paused_until, 'reason', x.reason) ORDER BY x.function) AS list
            FROM inventory_nodefunction x WHERE x.node_id = n.id
        ) functions ON true
        LEFT JOIN LATERAL (
            SELECT json_agg(json_build_array(x.weekday, x.at_local)) AS list
            FROM inventory_nodecutoff x WHERE x.node_id = n.id
        ) cutoffs ON true
        LEFT JOIN LATERAL (
            SELECT json_agg(x.on) AS list FROM inventory_nodeclosure x
            WHERE x.node_id = n.id AND x.on >= %(today)s AND x.on < %(today)s + 9
        ) closures ON true
        WHERE EXISTS (SELECT FROM inventory_nodegrant g
            WHERE g.node_id = n.id AND {within(scope, "g")})
            AND (%(all_nodes)s OR n.id = ANY(%(node_ids)s))
        ORDER BY n.state = 'closed', n.kind, n.code
        """,  # noqa: S608  # own text
        reach(scope)
        | {
            "now": moment.now,
            "day_end": moment.day_end,
            "today": moment.now.astimezone(moment.zone).date(),
            "all_nodes": node_ids is None,
            "node_ids": sorted(node_ids or ()),
        },
    )
    for each in found:
        each["next_cutoff"] = next_cutoff(each, moment.now)
        each["paused_functions"] = [one for one in each["functions"] or () if one["paused"]]
    return found


def next_cutoff(node: Row, now: datetime) -> datetime | None:
    """The first cutoff after now, in the node's own zone; None when none is set for a week."""
    zone = ZoneInfo(node["timezone"])
    closed = set(node["closures"] or ())
    by_weekday: dict[int, list[time]] = {}
    for weekday, at_local in node["cutoffs"] or ():
        by_weekday.setdefault(weekday, []).append(time.fromisoformat(at_local))
    local = now.astimezone(zone)
    for ahead in range(_LOOK_AHEAD_DAYS):
        day = local.date() + timedelta(days=ahead)
        if day.isoformat() in closed:
            continue
        for at_local in sorted(by_weekday.get(day.weekday(), ())):
            moment = datetime.combine(day, at_local, tzinfo=zone)
            if moment > now:
                return moment
    return None
