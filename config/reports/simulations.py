"""What the studio asks of orders and decisions: orders by their numbers, and how often rules decided."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, rows, within


def order_ids(numbers: Sequence[str], *, scope: Scope) -> dict[str, UUID]:
    """Orders by the number that people use: ours, or the channel's."""
    found = rows(
        f"""
        SELECT asked.number, o.id FROM unnest(%(numbers)s::text[]) AS asked (number)
        JOIN orders_order o ON o.number = upper(asked.number)
            OR o.external_number = asked.number
        WHERE {within(scope, "o")}
        """,  # noqa: S608  # own text
        reach(scope) | {"numbers": list(numbers)},
    )
    return {row["number"]: row["id"] for row in found}


def numbers_of(order_ids: Collection[UUID]) -> dict[UUID, str]:
    found = rows(
        "SELECT id, number FROM orders_order WHERE id = ANY(%(ids)s)", {"ids": list(order_ids)}
    )
    return {row["id"]: row["number"] for row in found}


def hits_of(code: str, *, scope: Scope, since: datetime) -> dict[str, int]:
    """How often each rule of a policy decided, by the rule's code; empty for the policy itself."""
    found = rows(
        f"""
        SELECT split_part(d.record->'p'->>0, '/', 2) AS rule, count(*) AS n
        FROM routing_routingdecision d
        WHERE d.at >= %(since)s AND {within(scope, "d")}
            AND split_part(d.record->'p'->>0, '/', 1) = %(code)s
        GROUP BY 1
        """,  # noqa: S608  # own text
        reach(scope) | {"since": since, "code": code},
    )
    return {row["rule"]: row["n"] for row in found}


def recent_groups(*, scope: Scope, since: datetime, limit: int) -> list[Row]:
    """Deliveries decided last, with what rules may ask of them."""
    return rows(
        f"""
        SELECT d.id, d.group_id, o.channel_id, o.account_id, o.currency, o.priority, g.method,
            g.service_code, g.postal_code, g.region, g.country, g.ship_complete, g.requested_by,
            o.tags, o.customer_tags,
            (SELECT jsonb_agg(jsonb_build_array(l.sku_id, l.ordered, l.unit_weight_grams,
                CASE WHEN l.ordered > 0 THEN l.total_minor / l.ordered ELSE 0 END))
             FROM orders_orderline l WHERE l.group_id = g.id AND l.sku_id IS NOT NULL
                AND l.kind = 'stock') AS lines
        FROM routing_routingdecision d
        JOIN orders_order o ON o.id = d.order_id
        JOIN orders_deliverygroup g ON g.id = d.group_id
        WHERE d.at >= %(since)s AND {within(scope, "d")}
        ORDER BY d.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope) | {"since": since, "limit": limit},
    )


def certificates(*, scope: Scope, limit: int = 26) -> list[Row]:
    """The certificates of weeks, the latest first."""
    return rows(
        f"""
        SELECT c.id, c.starts_at, c.ends_at, c.currency, c.orders, c.left_out, c.live_minor,
            c.bound_minor, c.causes, c.examples, c.made_by, c.at
        FROM routing_certificate c WHERE {within(scope, "c")}
        ORDER BY c.ends_at DESC, c.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope) | {"limit": limit},
    )
