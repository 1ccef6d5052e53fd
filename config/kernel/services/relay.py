"""Events become deliveries, behind the horizon of running transactions.

An event's `xid` is the number of the transaction that wrote it. Everything below
`pg_snapshot_xmin(pg_current_snapshot())` has ended: what committed is visible, what did not never
will be. Reading only below it, from the stored `(xid, id)` on, steps over no late commit.

All that lies below one horizon becomes visible in one transaction, so a later event of a subject is
never delivered while an earlier one has yet to be relayed. The cursor's row is locked by the same
statement: that lock is the lease, and it cannot outlive the connection of its holder.
"""

from typing import Final

from django.db import connection

from config.kernel import events

SHARDS: Final = 64
_CURSOR: Final = "deliveries"

_RELAY: Final = """
WITH position AS (
    SELECT xid, event_id FROM kernel_relaycursor WHERE name = %s FOR UPDATE SKIP LOCKED
), fresh AS MATERIALIZED (
    SELECT e.id, e.xid, e.topic, e.subject_id, e.seq
    FROM position JOIN kernel_event e ON (e.xid, e.id) > (position.xid, position.event_id)
    WHERE e.xid < pg_snapshot_xmin(pg_current_snapshot())
), owed AS (
    INSERT INTO kernel_delivery (event_id, consumer, topic, subject_id, seq, shard, state,
        attempts, due_at, last_error)
    SELECT fresh.id, s.consumer, fresh.topic, fresh.subject_id, fresh.seq,
        uuid_hash(fresh.subject_id) & %s, 'pending', 0, statement_timestamp(), ''
    FROM fresh
    JOIN unnest(%s::text[], %s::text[]) AS s (consumer, topic) ON s.topic = fresh.topic
    ON CONFLICT (event_id, consumer) DO NOTHING
), moved AS (
    UPDATE kernel_relaycursor c SET xid = last.xid, event_id = last.id
    FROM (SELECT xid, id FROM fresh ORDER BY xid DESC, id DESC LIMIT 1) AS last
    WHERE c.name = %s
)
SELECT (SELECT count(*) FROM position), (SELECT count(*) FROM fresh)
"""


def relay() -> int:
    """Turn the events of all ended transactions into deliveries. Returns how many events it read.

    One statement, its own transaction. Another relay at work makes it return 0.
    """
    owed = events.subscriptions()
    consumers, topics = [consumer for consumer, _ in owed], [topic for _, topic in owed]
    with connection.cursor() as cursor:
        cursor.execute(_RELAY, [_CURSOR, SHARDS - 1, consumers, topics, _CURSOR])
        held, read = cursor.fetchone()
        if not held:
            _make_cursor()
        return int(read)


def _make_cursor() -> None:
    """Begin at the first event, in a database where nothing was relayed yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_relaycursor (name, xid, event_id) "
            "VALUES (%s, '0', '00000000-0000-0000-0000-000000000000') "
            "ON CONFLICT (name) DO NOTHING",
            [_CURSOR],
        )
