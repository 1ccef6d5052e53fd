"""What promises rest on, for the console: quotes given, what channels promise, learnt lanes."""

from datetime import datetime

from config.kernel.types import Scope
from config.reports.sql import Row, reach, rows, within


def recent_quotes(*, scope: Scope, limit: int) -> list[Row]:
    """The latest quotes, with how many ways they offered."""
    return rows(
        f"""
        SELECT q.id, q.at, q.expires_at, q.kind, q.postal_code, q.region, q.country,
            channel.name AS channel, jsonb_array_length(q.options) AS options,
            (SELECT string_agg(line ->> 0 || ' × ' || (line ->> 1), ', ')
                FROM jsonb_array_elements(q.lines) AS line) AS goods
        FROM routing_promisequote q JOIN kernel_channel channel ON channel.id = q.channel_id
        WHERE {within(scope, "q")} ORDER BY q.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope) | {"limit": limit},
    )


def pledges(*, scope: Scope, now: datetime) -> list[Row]:
    """What channels promise: what is in force or to come first, then what has ended."""
    return rows(
        f"""
        SELECT p.id, channel.name AS channel, service.name AS service, p.ship_days, p.deliver_days,
            p.cutoff, p.starts_at, p.ends_at, channel.timezone,
            p.starts_at <= %(now)s AND coalesce(p.ends_at > %(now)s, true) AS in_force,
            coalesce(p.ends_at <= %(now)s, false) AS ended
        FROM routing_channelpledge p JOIN kernel_channel channel ON channel.id = p.channel_id
        LEFT JOIN inventory_servicelevel service ON service.id = p.service_level_id
        WHERE {within(scope, "p")} ORDER BY ended, channel.name, p.starts_at DESC LIMIT 200
        """,  # noqa: S608  # own text
        reach(scope) | {"now": now},
    )


def lanes(*, scope: Scope) -> list[Row]:
    """How long carriers took from nodes of the scope, beside what was agreed."""
    return rows(
        f"""
        SELECT node.code, node.name, coalesce(level.name, lane.service) AS service,
            lane.max_km, lane.parcels, lane.seen_p50,
            lane.seen_p90, lane.contract_p50, lane.contract_p90, lane.p50, lane.p90, lane.learnt_at,
            (SELECT json_agg(json_build_array(day.weekday, day.p50, day.p90, day.parcels)
                ORDER BY day.weekday)
                FROM routing_learntlane day WHERE day.node_id = lane.node_id
                AND day.service = lane.service AND day.max_km = lane.max_km
                AND day.weekday IS NOT NULL) AS weekdays
        FROM routing_learntlane lane JOIN inventory_node node ON node.id = lane.node_id
        LEFT JOIN inventory_servicelevel level ON level.code = lane.service
        WHERE lane.weekday IS NULL AND EXISTS (SELECT FROM inventory_nodegrant g
            WHERE g.node_id = node.id AND {within(scope, "g")})
        ORDER BY node.code, lane.service, lane.max_km LIMIT 500
        """,  # noqa: S608  # own text
        reach(scope),
    )
