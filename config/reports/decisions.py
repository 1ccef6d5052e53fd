"""Routing decisions as a list: what was chosen, for which order, and why it was split."""

from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

PAGE = 50


def recent(
    *,
    scope: Scope,
    node: str = "",
    split: str = "",
    level: str = "",
    rule: str = "",
    before: UUID | None = None,
) -> list[Row]:
    """The latest decisions (`rule` is a policy's code, or CODE/RULE), one row more than a page when there are older ones."""
    return rows(
        f"""
        SELECT d.id, d.at, d.winner, d.cost_minor, d.currency, d.split_cause, d.level, d.pinned,
            d.plan_version, o.number AS order_number, o.plan_version AS order_version,
            g.position + 1 AS group_position, g.postal_code, g.region, g.country,
            p.code AS policy_code, p.version AS policy_version
        FROM routing_routingdecision d
        JOIN orders_order o ON o.id = d.order_id
        JOIN orders_deliverygroup g ON g.id = d.group_id
        LEFT JOIN routing_sourcingpolicy p ON p.id = d.policy_id
        WHERE {within(scope, "d")} AND (%(before)s::uuid IS NULL OR d.id < %(before)s)
            AND (%(node)s = '' OR d.winner LIKE %(winner)s)
            AND (%(split)s = '' OR (%(split)s = 'any' AND d.split_cause <> '')
                OR d.split_cause = %(split)s)
            AND (%(rule)s = '' OR d.record->'p'->>0 = %(rule)s)
            AND (%(level)s = '' OR d.level = %(level)s)
        ORDER BY d.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope)
        | {
            "before": before,
            "node": node,
            "winner": f"%{node}%",
            "split": split,
            "level": level,
            "rule": rule,
            "limit": PAGE + 1,
        },
    )


def split_causes(*, scope: Scope) -> list[Row]:
    """How often each cause split a group, in the last thousand decisions."""
    return rows(
        f"""
        SELECT split_cause AS code, count(*) AS n FROM (
            SELECT d.split_cause FROM routing_routingdecision d WHERE {within(scope, "d")}
            ORDER BY d.id DESC LIMIT 1000) last
        WHERE split_cause <> '' GROUP BY 1 ORDER BY 2 DESC
        """,  # noqa: S608  # own text
        reach(scope),
    )


def one(decision_id: UUID, *, scope: Scope) -> Row | None:
    """One decision with the order and group that it is for."""
    return row(
        f"""
        SELECT d.id, d.at, d.winner, d.cost_minor, d.currency, d.split_cause, d.level, d.record,
            d.pinned, d.plan_version, d.order_id, d.group_id, o.number AS order_number,
            g.position + 1 AS group_position, p.name AS policy_name, p.version AS policy_version,
            d.policy_id
        FROM routing_routingdecision d
        JOIN orders_order o ON o.id = d.order_id
        JOIN orders_deliverygroup g ON g.id = d.group_id
        LEFT JOIN routing_sourcingpolicy p ON p.id = d.policy_id
        WHERE d.id = %(id)s AND {within(scope, "d")}
        """,  # noqa: S608  # own text
        reach(scope) | {"id": decision_id},
    )


def latest_of_groups(group_ids: list[UUID]) -> list[Row]:
    """The decision that stands for each delivery group, as it was recorded."""
    return rows(
        "SELECT DISTINCT ON (d.group_id) d.group_id, d.record FROM routing_routingdecision d "
        "WHERE d.group_id = ANY(%(groups)s) ORDER BY d.group_id, d.id DESC",
        {"groups": group_ids},
    )


def latest_of(group_id: UUID) -> UUID | None:
    """The id of the decision that stands for a delivery group."""
    found = row(
        "SELECT d.id FROM routing_routingdecision d WHERE d.group_id = %(group)s "
        "ORDER BY d.id DESC LIMIT 1",
        {"group": group_id},
    )
    return found["id"] if found else None
