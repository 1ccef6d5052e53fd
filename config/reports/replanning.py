"""Looks at planned orders: what each moved, what it left and why, and the prices it went by."""

from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

PAGE = 50


def runs(*, scope: Scope, moved_only: bool = False, before: UUID | None = None) -> list[Row]:
    """The latest looks, one more than a page when there are older ones."""
    return rows(
        f"""
        SELECT r.id, r.at, r.causes, r.looked_at, r.moved, r.saved_minor, r.freight_saved_minor,
            r.refused, r.levels, r.took_ms, r.currency
        FROM routing_replanrun r
        WHERE {within(scope, "r")} AND (%(before)s::uuid IS NULL OR r.id < %(before)s)
            AND (NOT %(moved_only)s OR r.moved > 0)
        ORDER BY r.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope) | {"before": before, "moved_only": moved_only, "limit": PAGE + 1},
    )


def last_week(*, scope: Scope) -> list[Row]:
    """By currency, what looks came to in the week before the last of them. Churn is moves per order."""
    return rows(
        f"""
        SELECT r.currency, count(*) AS looks, sum(r.moved)::bigint AS moved,
            sum(r.saved_minor)::bigint AS saved_minor,
            sum(r.freight_saved_minor)::bigint AS freight_saved_minor,
            (SELECT count(DISTINCT m.order_id) FROM routing_replanmove m
             WHERE {within(scope, "m")}
                AND m.at > (SELECT max(at) - interval '7 days' FROM routing_replanrun l
                    WHERE {within(scope, "l")})) AS orders
        FROM routing_replanrun r
        WHERE {within(scope, "r")} AND r.at > (
            SELECT max(at) - interval '7 days' FROM routing_replanrun l WHERE {within(scope, "l")})
        GROUP BY r.currency ORDER BY r.currency
        """,  # noqa: S608  # own text
        reach(scope),
    )


def one(run_id: UUID, *, scope: Scope) -> Row | None:
    """One look."""
    return row(
        f"""
        SELECT r.id, r.at, r.causes, r.looked_at, r.moved, r.saved_minor, r.freight_saved_minor,
            r.refused, r.levels, r.took_ms, r.currency, b.made_at AS book_made_at
        FROM routing_replanrun r LEFT JOIN routing_pricebook b ON b.id = r.book_id
        WHERE {within(scope, "r")} AND r.id = %(run)s
        """,  # noqa: S608  # own text
        reach(scope) | {"run": run_id},
    )


def moves(run_id: UUID, *, scope: Scope) -> list[Row]:
    """What the look moved, the largest saving first."""
    return rows(
        f"""
        SELECT m.was, m.now, m.was_minor, m.now_minor, m.saved_minor, o.number AS order_number,
            g.position + 1 AS group_position
        FROM routing_replanmove m
        JOIN orders_order o ON o.id = m.order_id
        JOIN orders_deliverygroup g ON g.id = m.group_id
        WHERE {within(scope, "m")} AND m.run_id = %(run)s
        ORDER BY m.saved_minor DESC, m.id LIMIT 500
        """,  # noqa: S608  # own text
        reach(scope) | {"run": run_id},
    )


def books(*, scope: Scope) -> list[Row]:
    """The newest price book of each account."""
    return rows(
        f"""
        SELECT DISTINCT ON (b.account_id) b.made_at, b.skus, b.nodes, b.days_recorded,
            b.orders_recorded, b.days_ahead, b.scenes, b.error_permille / 10 AS error_percent,
            b.took_ms, a.name AS account
        FROM routing_pricebook b JOIN kernel_account a ON a.id = b.account_id
        WHERE {within(scope, "b")}
        ORDER BY b.account_id, b.made_at DESC, b.id DESC
        """,  # noqa: S608  # own text
        reach(scope),
    )
