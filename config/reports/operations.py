"""The machinery: jobs, the outbox, intents, leases, partitions and messages from outside."""

from collections.abc import Sequence
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

PAGE = 50
ITEMS = 1_000


def jobs(*, scope: Scope, state: str = "", before: UUID | None = None) -> list[Row]:
    """The latest jobs, one row more than a page when there are older ones."""
    return rows(
        f"""
        SELECT j.id, j.kind, j.title, j.state, j.total, j.done, j.refused, j.cancel_asked,
            j.actor_name, j.at, j.queued_at, j.started_at, j.progressed_at, j.finished_at
        FROM kernel_job j WHERE {within(scope, "j")}
            AND (%(state)s = '' OR j.state = %(state)s)
            AND (%(before)s::uuid IS NULL OR j.id < %(before)s)
        ORDER BY j.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope) | {"state": state, "before": before, "limit": PAGE + 1},
    )


def job(job_id: UUID, *, scope: Scope) -> Row | None:
    """One job with its speed (items a second, by the machine's clock) and idle time."""
    return row(
        f"""
        SELECT j.*, extract(epoch FROM coalesce(j.finished_at, j.progressed_at,
                clock_timestamp()) - j.started_at) AS seconds,
            extract(epoch FROM clock_timestamp() - coalesce(j.progressed_at, j.queued_at)) AS idle
        FROM kernel_job j WHERE j.id = %(id)s AND {within(scope, "j")}
        """,  # noqa: S608  # own text
        reach(scope) | {"id": job_id},
    )


def job_items(job_id: UUID, *, outcome: str = "") -> list[Row]:
    """A job's items in order, refused ones first, with what they are about."""
    return rows(
        """
        SELECT i.position, i.subject_id, i.outcome, i.code, i.detail,
            coalesce(o.number, f.number, 'Parcel ' || p.number, co.number, 'Case ' || c.number,
                cc.their_id, k.name, n.name, r.reason) AS label,
            CASE WHEN o.id IS NOT NULL OR co.id IS NOT NULL THEN 'order'
                WHEN f.id IS NOT NULL OR p.id IS NOT NULL THEN 'fulfillment'
                WHEN c.id IS NOT NULL THEN 'case' WHEN n.id IS NOT NULL THEN 'node'
                WHEN r.id IS NOT NULL THEN 'recall' END AS kind,
            coalesce(o.number, fo.number, co.number, c.number::text, n.code, r.id::text) AS target
        FROM kernel_jobitem i
        LEFT JOIN orders_order o ON o.id = i.subject_id
        LEFT JOIN fulfillment_fulfillmentorder f ON f.id = i.subject_id
        LEFT JOIN fulfillment_parcel p ON p.id = i.subject_id
        LEFT JOIN fulfillment_fulfillmentorder pf ON pf.id = p.fulfillment_order_id
        LEFT JOIN orders_order fo ON fo.id = coalesce(f.order_id, pf.order_id)
        LEFT JOIN inventory_recall r ON r.id = i.subject_id
        LEFT JOIN inventory_node n ON i.subject_id::text LIKE '00000000-0001-8%%'
            AND n.id = ('x' || substr(replace(i.subject_id::text, '-', ''), 17))::bit(64)::bigint
                & 4611686018427387903
        LEFT JOIN kernel_case c ON c.id = i.subject_id
        LEFT JOIN integrations_channelcopy cc ON cc.id = i.subject_id
        LEFT JOIN orders_order co ON co.id = cc.order_id
        LEFT JOIN integrations_connection k ON k.id = i.subject_id
        WHERE i.job_id = %(job)s AND (%(outcome)s = '' OR i.outcome = %(outcome)s)
        ORDER BY i.outcome <> 'refused', i.position LIMIT %(limit)s
        """,
        {"job": job_id, "outcome": outcome, "limit": ITEMS},
    )


def jobs_done(job_ids: Sequence[UUID]) -> Row:
    """Whether these jobs have ended, with what params, and what they were done to."""
    found = row(
        "SELECT bool_and(j.state NOT IN ('queued', 'running')) AS ended, "
        "(array_agg(j.params))[1] AS params, (SELECT array_agg(i.subject_id ORDER BY i.position) "
        "FROM kernel_jobitem i WHERE i.job_id = ANY(%(jobs)s) AND i.outcome = 'done') AS done "
        "FROM kernel_job j WHERE j.id = ANY(%(jobs)s)",
        {"jobs": list(job_ids)},
    )
    return found or {}


def job_keys(order_ids: Sequence[UUID]) -> set[UUID]:
    """The subject keys with which jobs on these orders keep what they were to write down."""
    found = rows(
        "SELECT DISTINCT (j.params->>'key')::uuid AS key FROM kernel_jobitem i "
        "JOIN kernel_job j ON j.id = i.job_id WHERE i.subject_id = ANY(%(orders)s) "
        "AND j.params ? 'sealed'",
        {"orders": list(order_ids)},
    )
    return {each["key"] for each in found}


def running_jobs(*, scope: Scope) -> int:
    found = row(
        f"SELECT count(*) AS n FROM kernel_job j WHERE j.state IN ('queued', 'running') "  # noqa: S608
        f"AND {within(scope, 'j')}",
        reach(scope),
    )
    return int(found["n"]) if found else 0


def outbox(*, scope: Scope) -> Row:
    """How far the relay is behind, and what of the scope is open, late and dead among deliveries."""
    return (
        row(
            f"""
            SELECT
                (SELECT extract(epoch FROM clock_timestamp() - min(e.recorded_at))
                    FROM kernel_relaycursor r JOIN kernel_event e
                    ON (e.xid, e.id) > (r.xid, coalesce(r.event_id,
                        '00000000-0000-0000-0000-000000000000'::uuid))) AS relay_lag,
                (SELECT count(*) FROM kernel_delivery d WHERE d.state = 'pending'
                    AND {_owed_within(scope)}) AS pending,
                (SELECT extract(epoch FROM clock_timestamp() - min(d.due_at))
                    FROM kernel_delivery d WHERE d.state = 'pending'
                    AND d.due_at < clock_timestamp() AND {_owed_within(scope)}) AS delivery_lag,
                (SELECT count(*) FROM kernel_delivery d WHERE d.state = 'dead'
                    AND {_owed_within(scope)}) AS dead,
                (SELECT count(*) FROM kernel_casereport c WHERE NOT c.folded
                    AND {within(scope, "c")}) AS reports
            """,  # noqa: S608  # own text
            reach(scope),
        )
        or {}
    )


def _owed_within(scope: Scope) -> str:
    """Whether the delivery `d` is of an event of the scope."""
    if scope.everything:
        return "true"
    return (
        "EXISTS (SELECT FROM kernel_event e WHERE e.id = d.event_id "  # own text
        f"AND {within(scope, 'e')})"
    )


def dead_deliveries(*, scope: Scope) -> list[Row]:
    """What gave up, newest first."""
    return rows(
        "SELECT d.event_id, d.consumer, d.topic, d.subject_id, d.attempts, d.last_error, "  # noqa: S608
        "d.due_at, o.number AS order_number FROM kernel_delivery d "
        "LEFT JOIN orders_order o ON o.id = d.subject_id "
        f"WHERE d.state = 'dead' AND {_owed_within(scope)} ORDER BY d.event_id DESC LIMIT 100",
        reach(scope),
    )


def intents(*, scope: Scope) -> list[Row]:
    """What is asked of the outside world, by kind and state; the oldest due of each."""
    return rows(
        "SELECT i.kind, i.state, count(*) AS n, min(i.due_at) FILTER (WHERE NOT i.behind) AS due, max(i.attempts) AS attempts, "  # noqa: S608
        "max(i.last_error) AS last_error FROM kernel_intent i WHERE i.state <> 'done' "
        f"AND {within(scope, 'i')} GROUP BY i.kind, i.state ORDER BY i.kind, i.state",
        reach(scope),
    )


def leases() -> list[Row]:
    """Periodic work, the shards of one consumer together: how many, held now, last done."""
    return rows(
        """
        SELECT regexp_replace(l.name, ':[0-9]+$', '') AS name, count(*) AS n,
            count(*) FILTER (WHERE l.expires_at > clock_timestamp()) AS held,
            max(l.holder) AS holder,
            min(extract(epoch FROM clock_timestamp() - l.done_at)) AS idle
        FROM kernel_lease l GROUP BY 1 ORDER BY 1
        """,
        {},
    )


def partitions() -> list[Row]:
    """Tables kept by month: how many partitions, and the last one that stands ready."""
    return rows(
        """
        SELECT parent.relname AS name, count(*) AS n, max(substring(child.relname FROM '_([0-9]{6})$')) AS last,
            sum(pg_total_relation_size(child.oid)) AS bytes
        FROM pg_inherits i JOIN pg_class parent ON parent.oid = i.inhparent
        JOIN pg_class child ON child.oid = i.inhrelid
        WHERE parent.relkind = 'p' AND child.relkind = 'r'
        GROUP BY parent.relname ORDER BY 1
        """,
        {},
    )


def inbox(
    *,
    scope: Scope,
    state: str = "",
    text: str = "",
    before: UUID | None = None,
    connection: UUID | None = None,
) -> list[Row]:
    """Messages from outside, newest first, one row more than a page when there are older ones.

    Those of one connection when it is named.
    """
    return rows(
        f"""
        SELECT m.id, m.source, m.external_id, m.kind, m.state, m.code, m.reason, m.attempts,
            m.received_at, m.settled_at, c.name AS channel_name, o.number AS order_number
        FROM integrations_inboxmessage m
        LEFT JOIN kernel_channel c ON c.id = m.channel_id
        LEFT JOIN orders_order o ON o.id = m.thread_id
        WHERE {within(scope, "m")} AND (%(state)s = '' OR m.state = %(state)s)
            AND (%(text)s = '' OR m.external_id = %(text)s OR o.number = upper(%(text)s)
                OR o.external_id = %(text)s OR o.external_number = %(text)s)
            AND (%(before)s::uuid IS NULL OR m.id < %(before)s)
            AND (%(connection)s::uuid IS NULL OR m.connection_id = %(connection)s)
        ORDER BY m.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope)
        | {
            "state": state,
            "text": text,
            "before": before,
            "connection": connection,
            "limit": PAGE + 1,
        },
    )


def message(message_id: UUID, *, scope: Scope) -> Row | None:
    """One message from outside with what it came to; its body lies apart."""
    return row(
        f"""
        SELECT m.*, c.name AS channel_name, k.name AS connection_name, o.number AS order_number
        FROM integrations_inboxmessage m
        LEFT JOIN kernel_channel c ON c.id = m.channel_id
        LEFT JOIN integrations_connection k ON k.id = m.connection_id
        LEFT JOIN orders_order o ON o.id = m.thread_id
        WHERE m.id = %(id)s AND {within(scope, "m")}
        """,  # noqa: S608  # own text
        reach(scope) | {"id": message_id},
    )


def inbox_states(*, scope: Scope) -> dict[str, int]:
    """How many messages stand open or dead."""
    found = rows(
        f"SELECT m.state, count(*) AS n FROM integrations_inboxmessage m "  # noqa: S608  # own text
        f"WHERE {within(scope, 'm')} AND m.state IN ('received', 'dead') GROUP BY 1",
        reach(scope),
    )
    return {each["state"]: each["n"] for each in found}
