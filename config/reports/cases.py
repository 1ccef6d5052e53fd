"""Cases as queues and clusters: what needs a person, by kind and by cause."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

OPEN: Final = ("open", "acknowledged", "in_progress", "waiting")
CLUSTER_CASES: Final = 12
_MINE = """(%(all_nodes)s OR EXISTS (SELECT FROM fulfillment_fulfillmentorder f
    WHERE f.node_id = ANY(%(nodes)s) AND (f.id = c.subject_id OR f.order_id = c.thread_id)))"""


def _values(scope: Scope, nodes: set[int] | None) -> Row:
    return reach(scope) | {
        "open": list(OPEN),
        "all_nodes": nodes is None,
        "nodes": sorted(nodes or ()),
    }


def queues(*, scope: Scope, nodes: set[int] | None) -> list[Row]:
    """Each kind with open cases: how many, the oldest, the nearest due, the worst severity."""
    return rows(
        f"""
        SELECT c.kind, count(*) AS n, min(c.opened_at) AS oldest, min(c.due_at) AS due,
            min(c.severity) AS severity, count(*) FILTER (WHERE c.state = 'waiting') AS waiting
        FROM kernel_case c WHERE c.state = ANY(%(open)s) AND {within(scope, "c")} AND {_MINE}
        GROUP BY c.kind ORDER BY min(c.severity), min(c.due_at)
        """,  # noqa: S608  # own text
        _values(scope, nodes),
    )


def clusters(
    *, scope: Scope, nodes: set[int] | None, kind: str = "", mine: UUID | None = None
) -> list[Row]:
    """Open cases grouped by kind and cause, worst and nearest first; a few of each inside."""
    return rows(
        f"""
        SELECT c.kind, c.cause, count(*) AS n, min(c.opened_at) AS oldest, min(c.due_at) AS due,
            min(c.severity) AS severity, sum(c.occurrences) AS occurrences,
            count(*) FILTER (WHERE c.state = 'waiting') AS waiting,
            coalesce(sum(o.total_minor), 0) AS value, min(o.currency) AS currency,
            count(DISTINCT c.thread_id) AS orders,
            (array_agg(c.number ORDER BY c.due_at))[1:%(few)s] AS numbers,
            (array_agg(o.number ORDER BY c.due_at))[1:%(few)s] AS order_numbers
        FROM kernel_case c LEFT JOIN orders_order o ON o.id = c.thread_id
        WHERE c.state = ANY(%(open)s) AND {within(scope, "c")} AND {_MINE}
            AND (%(kind)s = '' OR c.kind = %(kind)s)
            AND (%(mine)s::uuid IS NULL OR c.assignee_id = %(mine)s)
        GROUP BY c.kind, c.cause
        ORDER BY min(c.severity), min(c.due_at) LIMIT 60
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"kind": kind, "mine": mine, "few": CLUSTER_CASES},
    )


def in_cluster(
    *, scope: Scope, nodes: set[int] | None, kind: str, cause: str, limit: int = 1_000
) -> list[UUID]:
    """The ids of the open cases with this kind and cause."""
    found = rows(
        f"""
        SELECT c.id FROM kernel_case c WHERE c.state = ANY(%(open)s) AND {within(scope, "c")}
            AND {_MINE} AND c.kind = %(kind)s AND c.cause = %(cause)s
        ORDER BY c.id LIMIT %(limit)s
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"kind": kind, "cause": cause, "limit": limit},
    )
    return [each["id"] for each in found]


def one(number: int, *, scope: Scope, nodes: set[int] | None) -> Row | None:
    """One case with its order and assignee; None outside the scope."""
    return row(
        f"""
        SELECT c.*, o.number AS order_number, o.state AS order_state, o.progress AS order_progress,
            o.total_minor, o.currency, u.username AS assignee_name
        FROM kernel_case c LEFT JOIN orders_order o ON o.id = c.thread_id
        LEFT JOIN kernel_user u ON u.id = c.assignee_id
        WHERE c.number = %(number)s AND {within(scope, "c")} AND {_MINE}
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"number": number},
    )


def similar(case: Row, *, scope: Scope, nodes: set[int] | None) -> list[Row]:
    """The other open cases of the same kind and cause."""
    return rows(
        f"""
        SELECT c.number, c.state, c.opened_at, c.due_at, o.number AS order_number
        FROM kernel_case c LEFT JOIN orders_order o ON o.id = c.thread_id
        WHERE c.state = ANY(%(open)s) AND {within(scope, "c")} AND {_MINE}
            AND c.kind = %(kind)s AND c.cause = %(cause)s AND c.id <> %(id)s
        ORDER BY c.due_at LIMIT 50
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"kind": case["kind"], "cause": case["cause"], "id": case["id"]},
    )


def events(case_id: UUID) -> list[Row]:
    """What was done about a case, newest first."""
    return rows(
        "SELECT e.topic, e.at, e.actor_kind, e.actor_name, e.data FROM kernel_event e "
        "WHERE e.subject_id = %(id)s ORDER BY e.seq DESC LIMIT 50",
        {"id": case_id},
    )


def reachable(ids: Sequence[UUID], *, scope: Scope, nodes: set[int] | None) -> list[UUID]:
    """Those of the case ids that may be worked on from this scope."""
    found = rows(
        f"SELECT c.id FROM kernel_case c WHERE c.id = ANY(%(ids)s) "  # noqa: S608  # own text
        f"AND {within(scope, 'c')} AND {_MINE}",
        _values(scope, nodes) | {"ids": list(ids)},
    )
    return [each["id"] for each in found]


def stand(ids: Sequence[UUID]) -> list[Row]:
    """How these cases stand. Their scope is the caller's."""
    return rows(
        "SELECT c.id, c.state, c.waiting_until, c.assignee_id FROM kernel_case c "
        "WHERE c.id = ANY(%(ids)s) ORDER BY c.id",
        {"ids": list(ids)},
    )


def orders_of(ids: Sequence[UUID]) -> list[UUID]:
    """The orders that these cases are about."""
    found = rows(
        "SELECT DISTINCT c.thread_id AS id FROM kernel_case c JOIN orders_order o "
        "ON o.id = c.thread_id WHERE c.id = ANY(%(ids)s)",
        {"ids": list(ids)},
    )
    return [each["id"] for each in found]


def cleared(*, scope: Scope, nodes: set[int] | None) -> Row | None:
    """When the last case was resolved, and how many wait: for the empty page."""
    return row(
        f"SELECT max(c.resolved_at) AS last, "  # noqa: S608  # own text
        "count(*) FILTER (WHERE c.state = 'waiting') AS waiting, "
        "min(c.waiting_until) FILTER (WHERE c.state = 'waiting') AS until "
        f"FROM kernel_case c WHERE {within(scope, 'c')} AND {_MINE}",
        _values(scope, nodes),
    )
