"""Connections and what goes over them: news against what was expected, messages by the hour, queues."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

HOURS: Final = 24
_ROW: Final = """
SELECT c.id, c.account_id, c.kind, c.code, c.adapter, c.name, c.base_url, c.state, c.hint,
    c.expected_every, c.last_heard_at, c.last_answered_at, c.last_failed_at, c.failure,
    c.changed_at, c.settings->'rate' AS rate, ch.code AS channel_code, ch.name AS channel_name,
    n.code AS node_code, n.name AS node_name, c.carrier_code, carrier.name AS carrier_name
FROM integrations_connection c
LEFT JOIN kernel_channel ch ON ch.id = c.channel_id
LEFT JOIN inventory_node n ON n.id = c.node_id
LEFT JOIN inventory_carrier carrier ON carrier.code = c.carrier_code AND c.carrier_code <> ''
"""


def others(*, scope: Scope) -> list[Row]:
    """The connections that are not a channel's, by kind and code."""
    return rows(
        f"{_ROW} WHERE c.kind <> 'channel' AND {within(scope, 'c')} ORDER BY c.kind, c.code, c.id",
        reach(scope),
    )


def one(connection_id: UUID, *, scope: Scope) -> Row | None:
    return row(
        f"{_ROW} WHERE c.id = %(id)s AND {within(scope, 'c')}",
        reach(scope) | {"id": connection_id},
    )


def hourly(connection_id: UUID, *, at: datetime) -> list[Row]:
    """Messages in, and those of them that died, in each of the last hours; the oldest first."""
    return rows(
        """
        SELECT hour, count(m.id) AS came, count(m.id) FILTER (WHERE m.state = 'dead') AS died
        FROM generate_series(%(since)s, %(until)s, interval '1 hour') hour
        LEFT JOIN integrations_inboxmessage m ON m.connection_id = %(id)s
            AND m.received_at > hour - interval '1 hour' AND m.received_at <= hour
            AND m.received_at > %(since)s - interval '1 hour'
        GROUP BY hour ORDER BY hour
        """,
        {"id": connection_id, "since": at - timedelta(hours=HOURS - 1), "until": at},
    )


def dead_since(connection_id: UUID, since: datetime, *, scope: Scope, limit: int) -> list[UUID]:
    """Dead messages of the connection that came since then, the oldest first."""
    found = rows(
        f"SELECT m.id FROM integrations_inboxmessage m WHERE m.connection_id = %(id)s "  # noqa: S608
        f"AND m.state = 'dead' AND m.received_at >= %(since)s AND {within(scope, 'm')} "
        "ORDER BY m.id LIMIT %(limit)s",
        reach(scope) | {"id": connection_id, "since": since, "limit": limit},
    )
    return [each["id"] for each in found]


def last_comparison(connection_id: UUID) -> Row | None:
    """The latest job that compares the connection's shop with our copies."""
    return row(
        "SELECT j.id, j.state, j.total, j.done, j.refused, j.at, j.actor_name FROM kernel_job j "
        "WHERE j.kind = 'channels.compare' AND j.params->>'connection' = %(connection)s "
        "ORDER BY j.id DESC LIMIT 1",
        {"connection": str(connection_id)},
    )
