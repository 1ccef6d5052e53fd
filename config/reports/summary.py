"""The fortnight in numbers: what the demo prints, counted by SQL and nothing else."""

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within


def totals(*, scope: Scope) -> Row:
    """Orders and units of everything that is not imported history, in one statement."""
    return (
        row(
            f"""
        WITH o AS (SELECT * FROM orders_order o WHERE {within(scope, "o")} AND o.mode <> 'history'),
        l AS (SELECT l.* FROM orders_orderline l JOIN o ON o.id = l.order_id),
        f AS (SELECT f.* FROM fulfillment_fulfillmentorder f JOIN o ON o.id = f.order_id)
        SELECT
            (SELECT count(*) FROM o) AS captured,
            (SELECT count(DISTINCT h.order_id) FROM orders_hold h JOIN o ON o.id = h.order_id)
                AS held,
            (SELECT count(*) FROM o WHERE holds_open > 0 AND state IN ('captured', 'accepted'))
                AS held_now,
            (SELECT count(*) FROM o WHERE accepted_at IS NOT NULL) AS accepted,
            (SELECT count(DISTINCT e.thread_id) FROM kernel_event e
                JOIN o ON o.id = e.thread_id WHERE e.topic = 'order.backordered') AS backordered,
            (SELECT count(DISTINCT order_id) FROM l WHERE backordered > 0) AS backordered_now,
            (SELECT count(DISTINCT order_id) FROM f) AS released,
            (SELECT count(*) FROM f) AS fulfillment_orders,
            (SELECT count(DISTINCT f.order_id) FROM f
                JOIN fulfillment_parcel p ON p.fulfillment_order_id = f.id
                WHERE p.handed_over_at IS NOT NULL) AS shipped,
            (SELECT count(*) FROM fulfillment_parcel p JOIN f ON f.id = p.fulfillment_order_id
                WHERE p.handed_over_at IS NOT NULL) AS parcels,
            (SELECT count(*) FROM o WHERE progress = 'delivered') AS delivered,
            (SELECT count(*) FROM o WHERE state = 'cancelled') AS cancelled,
            (SELECT count(*) FROM kernel_case c WHERE {within(scope, "c")}) AS cases,
            (SELECT count(*) FROM kernel_case c WHERE {within(scope, "c")}
                AND c.state IN ('open', 'acknowledged', 'in_progress', 'waiting')) AS cases_open
        """,  # noqa: S608  # own text; values are parameters
            reach(scope),
        )
        or {}
    )


def splits(*, scope: Scope) -> list[Row]:
    """How many groups shipped from several nodes, by the cause that their decision names."""
    return rows(
        f"""
        SELECT d.split_cause AS cause, count(DISTINCT d.group_id) AS groups
        FROM routing_routingdecision d
        WHERE {within(scope, "d")} AND d.split_cause <> ''
        GROUP BY 1 ORDER BY 2 DESC, 1
        """,  # noqa: S608
        reach(scope),
    )


def punctuality(*, scope: Scope) -> Row:
    """Groups delivered whole, and those of them that kept the first promise given to the buyer.

    A group without a promise or with units still open counts in neither.
    """
    return (
        row(
            f"""
        WITH done AS (
            SELECT f.group_id, max(p.delivered_at) AS delivered_at
            FROM fulfillment_fulfillmentorder f
            JOIN fulfillment_parcel p ON p.fulfillment_order_id = f.id
            WHERE {within(scope, "f")} AND p.state <> 'voided'
            GROUP BY 1 HAVING bool_and(p.state = 'delivered')
        ), promised AS (
            SELECT DISTINCT ON (group_id) group_id, deliver_latest
            FROM orders_promise ORDER BY group_id, version
        )
        SELECT count(*) AS delivered,
            count(*) FILTER (WHERE done.delivered_at <= promised.deliver_latest) AS on_time
        FROM done JOIN promised USING (group_id)
        """,  # noqa: S608
            reach(scope),
        )
        or {}
    )


def cancelled_after_promise(*, scope: Scope) -> list[Row]:
    """Orders of which units were taken off after their first promise, by the reason given."""
    return rows(
        f"""
        SELECT c.reason, count(DISTINCT c.order_id) AS orders
        FROM orders_linecancellation c
        WHERE {within(scope, "c")} AND EXISTS (
            SELECT FROM orders_promise p WHERE p.order_id = c.order_id AND p.at < c.at)
        GROUP BY 1 ORDER BY 2 DESC, 1
        """,  # noqa: S608
        reach(scope),
    )


def returned(*, scope: Scope) -> Row:
    """Returns, those that are settled, and what was credited for them."""
    return (
        row(
            f"""
        SELECT count(*) AS returns,
            count(*) FILTER (WHERE r.settled_at IS NOT NULL) AS settled,
            coalesce(sum(r.credited_minor), 0) AS credited_minor
        FROM returns_return r WHERE {within(scope, "r")}
        """,  # noqa: S608
            reach(scope),
        )
        or {}
    )


def oversold(*, scope: Scope) -> int:
    """Units promised beyond what any position can hold: reserved above sellable and shortfall."""
    found = row(
        f"""
        SELECT coalesce(sum(greatest(0, p.reserved - p.sellable - p.shortfall)), 0) AS units
        FROM inventory_stockposition p WHERE {within(scope, "p")}
        """,  # noqa: S608
        reach(scope),
    )
    return int(found["units"]) if found else 0
