"""Everything the page of one promise shows: versions, who was told, what was asked, what was done."""

from typing import Any, Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.promises import BAR
from config.reports.sql import Row, reach, row, rows, within

_PROMISES: Final = """
SELECT p.id, p.group_id, g.position + 1 AS position, p.version, p.ship_by, p.deliver_earliest,
    p.deliver_latest, p.cause, p.at, told.list AS told,
    row_number() OVER (PARTITION BY p.group_id ORDER BY p.version) = 1 AS original,
    row_number() OVER (PARTITION BY p.group_id ORDER BY p.version DESC) = 1 AS stands
FROM orders_promise p JOIN orders_deliverygroup g ON g.id = p.group_id
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('audience', t.audience, 'by', t.by, 'at', t.at,
        'message_id', t.message_id) ORDER BY t.at) AS list
    FROM orders_promisetold t WHERE t.promise_id = p.id
) told ON true
"""
_ASKED: Final = """
SELECT q.id, q.group_id, g.position + 1 AS position, q.number, q.first_latest, q.asked_latest,
    q.silence, q.until, q.asked_at, q.asked_by, q.answered_at, a.choice, a.by AS answered_by,
    a.actor_name, a.text, a.cancelled_units
FROM orders_consentquestion q JOIN orders_deliverygroup g ON g.id = q.group_id
LEFT JOIN orders_consentanswer a ON a.question_id = q.id
"""


def group(group_id: UUID, *, scope: Scope, nodes: set[int] | None) -> Row | None:
    """The delivery group and its order; None outside the scope and the nodes."""
    return row(
        f"""
        SELECT g.id, g.position + 1 AS position, g.method, g.ship_by, g.deliver_by, g.service_code,
            o.number, o.id AS order_id, o.currency, o.state, o.progress, c.name AS channel_name
        FROM orders_deliverygroup g JOIN orders_order o ON o.id = g.order_id
        JOIN kernel_channel c ON c.id = o.channel_id
        WHERE g.id = %(group)s AND {within(scope, "g")} AND (%(all_nodes)s OR EXISTS (
            SELECT FROM fulfillment_fulfillmentorder f
            WHERE f.group_id = g.id AND f.node_id = ANY(%(nodes)s)))
        """,  # noqa: S608  # own text
        reach(scope)
        | {"group": group_id, "all_nodes": nodes is None, "nodes": sorted(nodes or ())},
    )


def ledger(group_id: UUID) -> dict[str, list[Row]]:
    """Versions with whom we told, and questions with their answers, of one group."""
    values = {"group": group_id}
    return {
        "versions": rows(f"{_PROMISES} WHERE p.group_id = %(group)s ORDER BY p.version", values),
        "questions": rows(f"{_ASKED} WHERE q.group_id = %(group)s ORDER BY q.number", values),
    }


def ledger_of_order(order_id: UUID) -> dict[str, list[Row]]:
    """The same of every group of an order."""
    values: dict[str, Any] = {"order": order_id}
    return {
        "versions": rows(
            f"{_PROMISES} WHERE p.order_id = %(order)s ORDER BY g.position, p.version", values
        ),
        "questions": rows(
            f"{_ASKED} WHERE q.order_id = %(order)s ORDER BY g.position, q.number", values
        ),
    }


def bars_of_group(group_id: UUID) -> list[Row]:
    """What each fulfillment order of a group was promised, and when each of its stages ended."""
    return rows(
        f"{BAR} WHERE f.group_id = %(group)s AND f.state <> 'cancelled' ORDER BY f.id",
        {"group": group_id},
    )


def remedies(group_id: UUID) -> list[Row]:
    """What was done about the promise, the latest first."""
    return rows(
        """
        SELECT r.id, r.kind, r.cost_minor, r.currency, r.automatic, r.level, r.before, r.after,
            r.actor_name, r.at, r.undone_at, r.undone_by
        FROM fulfillment_remedy r WHERE r.group_id = %(group)s ORDER BY r.id DESC
        """,
        {"group": group_id},
    )
