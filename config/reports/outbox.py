"""What goes out: what is asked of others, what is owed to our own consumers, and webhooks."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

PAGE: Final = 50
_PARTS: Final = (
    "fulfillment_fulfillmentorder",
    "orders_tender",
    "orders_authorization",
    "orders_capture",
    "orders_refund",
    "returns_return",
    "integrations_buyermessage",
    "integrations_channelcopy",
)
"""Tables whose rows outside requests are about, each with its order."""
_INTENT: Final = """
SELECT i.id, i.kind, i.key, i.subject_kind, i.subject_id, i.queue, i.state, i.attempts, i.due_at,
    i.first_tried_at, i.last_error, i.at, i.payload, i.answer, i.account_id,
    coalesce(o.number, fo.number) AS order_number
FROM kernel_intent i
LEFT JOIN orders_order o
    ON o.id = CASE WHEN i.subject_kind = 'order' THEN i.subject_id
        ELSE nullif(i.payload->>'order_id', '')::uuid END
LEFT JOIN fulfillment_fulfillmentorder f
    ON f.id = i.subject_id AND i.subject_kind = 'fulfillment_order'
LEFT JOIN orders_order fo ON fo.id = f.order_id
"""


def intents(
    kinds: Sequence[str],
    *,
    scope: Scope,
    state: str = "open",
    text: str = "",
    before: UUID | None = None,
) -> list[Row]:
    """What is asked of others, newest first, one row more than a page when there are older ones.

    `open` is whatever has no answer yet. The text is an order's number, a kind or a key of one of
    the kinds, or the id of what is asked about.
    """
    return rows(
        f"""
        {_INTENT}
        WHERE {within(scope, "i")} AND (%(before)s::uuid IS NULL OR i.id < %(before)s)
            AND (%(state)s = '' OR i.state = %(state)s OR (%(state)s = 'open'
                AND i.state IN ('pending', 'running', 'unknown')))
            AND (%(text)s = '' OR i.kind = %(text)s OR i.subject_id = ANY(%(subjects)s)
                OR (i.kind = ANY(%(kinds)s) AND i.key = %(text)s))
        ORDER BY i.id DESC LIMIT %(limit)s
        """,
        reach(scope)
        | {
            "text": text,
            "kinds": list(kinds),
            "subjects": _behind(text, scope) if text else [],
            "state": state,
            "before": before,
            "limit": PAGE + 1,
        },
    )


def _behind(text: str, scope: Scope) -> list[UUID]:
    """The ids behind an order's number: the order, its work, parcels, money and copies."""
    parts = " UNION ALL ".join(
        f"SELECT part.id FROM {table} part JOIN named ON part.order_id = named.id"  # noqa: S608
        for table in _PARTS
    )
    found = rows(
        f"""
        WITH named AS (SELECT o.id FROM orders_order o WHERE o.number = upper(%(text)s)
            AND {within(scope, "o")})
        SELECT id FROM named UNION ALL {parts}
        UNION ALL SELECT p.id FROM fulfillment_parcel p
            JOIN fulfillment_fulfillmentorder f ON f.id = p.fulfillment_order_id
            JOIN named ON f.order_id = named.id
        """,  # noqa: S608  # own text
        reach(scope) | {"text": text},
    )
    return [each["id"] for each in found]


def intent(intent_id: UUID, *, scope: Scope) -> Row | None:
    """One question with its answer, and how many of its queue wait behind it."""
    return row(
        f"""
        SELECT asked.*, CASE WHEN asked.queue = '' THEN 0 ELSE
            (SELECT count(*) FROM kernel_intent b WHERE b.queue = asked.queue AND b.id > asked.id
                AND b.state IN ('pending', 'running', 'unknown', 'dead')) END AS behind
        FROM ({_INTENT} WHERE i.id = %(id)s AND {within(scope, "i")}) asked
        """,  # noqa: S608  # own text
        reach(scope) | {"id": intent_id},
    )


def intent_states(*, scope: Scope) -> dict[str, int]:
    """How many questions are open, refused or dead."""
    found = rows(
        f"SELECT i.state, count(*) AS n FROM kernel_intent i WHERE i.state IN ('pending', 'running', "  # noqa: S608
        f"'unknown', 'dead') AND {within(scope, 'i')} GROUP BY 1",
        reach(scope),
    )
    counted = {each["state"]: each["n"] for each in found}
    dead = counted.pop("dead", 0)
    return {"open": sum(counted.values()), "dead": dead}


def deliveries(
    *, scope: Scope, state: str = "pending", text: str = "", before: UUID | None = None
) -> list[Row]:
    """Events owed to our own consumers, newest first. The text is a consumer, topic or order."""
    return rows(
        f"""
        SELECT d.event_id, d.consumer, d.topic, e.subject_kind, d.subject_id, d.state, d.attempts,
            d.last_error, d.due_at, o.number AS order_number
        FROM kernel_delivery d JOIN kernel_event e ON e.id = d.event_id
        LEFT JOIN orders_order o ON o.id = coalesce(e.thread_id, d.subject_id)
        WHERE d.state = %(state)s AND {within(scope, "e")}
            AND (%(before)s::uuid IS NULL OR d.event_id < %(before)s)
            AND (%(text)s = '' OR d.consumer = %(text)s OR d.topic = %(text)s
                OR o.number = upper(%(text)s))
        ORDER BY d.event_id DESC, d.consumer LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope) | {"state": state, "text": text, "before": before, "limit": PAGE + 1},
    )


def endpoints(*, scope: Scope) -> list[Row]:
    """Endpoints of outgoing webhooks with what waits, failed or was kept for each."""
    return rows(
        f"""
        SELECT w.id, w.name, w.url, w.topics, w.state, w.reason, w.failing_since,
            w.last_delivered_at, counted.waiting, counted.failed, counted.kept
        FROM integrations_webhookendpoint w
        LEFT JOIN LATERAL (
            SELECT count(*) FILTER (WHERE d.state = 'waiting') AS waiting,
                count(*) FILTER (WHERE d.state = 'failed') AS failed,
                count(*) FILTER (WHERE d.state = 'kept') AS kept
            FROM integrations_webhookdelivery d
            WHERE d.endpoint_id = w.id AND d.state <> 'delivered'
        ) counted ON true
        WHERE w.state <> 'removed' AND {within(scope, "w")} ORDER BY w.name, w.id
        """,  # noqa: S608  # own text
        reach(scope),
    )


def webhooks(
    endpoint_id: UUID, *, scope: Scope, state: str = "", text: str = "", before: UUID | None = None
) -> list[Row]:
    """What an endpoint was sent, newest first. The text is a topic, a message id or an order."""
    return rows(
        f"""
        SELECT d.id, d.event_id, d.topic, d.state, d.reason, d.attempts, d.at, d.settled_at,
            o.number AS order_number
        FROM integrations_webhookdelivery d LEFT JOIN orders_order o ON o.id = d.thread_id
        WHERE d.endpoint_id = %(endpoint)s AND {within(scope, "d")}
            AND (%(state)s = '' OR d.state = %(state)s)
            AND (%(text)s = '' OR d.topic = %(text)s OR d.event_id::text = %(text)s
                OR o.number = upper(%(text)s))
            AND (%(before)s::uuid IS NULL OR d.id < %(before)s)
        ORDER BY d.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope)
        | {
            "endpoint": endpoint_id,
            "state": state,
            "text": text,
            "before": before,
            "limit": PAGE + 1,
        },
    )
