"""How the work of the whole installation stands, as numbers by code: of every account together."""

from config.reports.cases import OPEN
from config.reports.sql import Row, row, rows


def lag() -> Row:
    """How far events and deliveries are behind, and what orders and stock should never show."""
    return (
        row(
            """
            SELECT
                (SELECT extract(epoch FROM clock_timestamp() - min(e.recorded_at))
                    FROM kernel_relaycursor r JOIN kernel_event e
                    ON (e.xid, e.id) > (r.xid, coalesce(r.event_id,
                        '00000000-0000-0000-0000-000000000000'::uuid))) AS relay_lag,
                (SELECT extract(epoch FROM clock_timestamp() - min(d.due_at))
                    FROM kernel_delivery d WHERE d.state = 'pending'
                    AND d.due_at < clock_timestamp()) AS delivery_lag,
                (SELECT count(*) FROM inventory_stockposition p WHERE p.shortfall > 0) AS oversold,
                (SELECT min(o.captured_at) FROM orders_order o WHERE o.state = 'captured'
                    AND o.mode <> 'history' AND NOT o.blocked @> ARRAY['accept']::varchar[])
                    AS oldest_captured
            """,
            {},
        )
        or {}
    )


def open_deliveries() -> list[Row]:
    return rows(
        "SELECT d.consumer, d.state, count(*) AS n FROM kernel_delivery d "
        "WHERE d.state <> 'done' GROUP BY 1, 2 ORDER BY 1, 2",
        {},
    )


def open_intents() -> list[Row]:
    return rows(
        "SELECT i.kind, i.state, count(*) AS n FROM kernel_intent i "
        "WHERE i.state IN ('pending', 'running', 'unknown', 'dead') GROUP BY 1, 2 ORDER BY 1, 2",
        {},
    )


def cases() -> list[Row]:
    return rows(
        "SELECT c.kind, count(*) AS n FROM kernel_case c WHERE c.state = ANY(%(open)s) "
        "GROUP BY 1 ORDER BY 1",
        {"open": list(OPEN)},
    )


def open_messages() -> list[Row]:
    return rows(
        "SELECT m.source, m.state, count(*) AS n FROM integrations_inboxmessage m "
        "WHERE m.state IN ('received', 'dead') GROUP BY 1, 2 ORDER BY 1, 2",
        {},
    )


def heartbeats() -> list[Row]:
    """Seconds since each periodic work was last done; the shards of one consumer together."""
    return rows(
        "SELECT regexp_replace(l.name, ':[0-9]+$', '') AS work, "
        "min(extract(epoch FROM clock_timestamp() - l.done_at)) AS n FROM kernel_lease l "
        "WHERE l.done_at IS NOT NULL GROUP BY 1 ORDER BY 1",
        {},
    )
