"""Events become deliveries, behind the horizon of running transactions.

An event's `xid` is the number of the transaction that wrote it. Everything below
`pg_snapshot_xmin(pg_current_snapshot())` has ended: what committed is visible, what did not never
will be. Reading only below it, from the stored `(xid, id)` on, steps over no late commit.

Numbers are given when a transaction first writes, so one that then waits for a row may have a lower
number than the one it waited for: of two events of a subject the later may lie below the horizon and
the earlier above. The relay then stops before the later one, so that a later event of a subject is
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
), seen AS MATERIALIZED (
    SELECT e.id, e.xid, e.topic, e.subject_id, e.seq,
        e.xid < pg_snapshot_xmin(pg_current_snapshot()) AS ended
    FROM position JOIN kernel_event e ON (e.xid, e.id) > (position.xid, position.event_id)
), crossed AS (
    SELECT EXISTS (
        SELECT FROM seen early JOIN seen later USING (subject_id)
        WHERE NOT early.ended AND later.ended AND later.seq > early.seq
    ) AS happened
), fresh AS MATERIALIZED (
    SELECT seen.id, seen.xid, seen.topic, seen.subject_id, seen.seq FROM seen, crossed
    WHERE seen.ended AND CASE WHEN crossed.happened THEN seen.xid::text::bigint <= (
        -- The last transaction up to which no event waits for one of a later transaction.
        SELECT max(reached.xid) FROM (
            SELECT needed.xid, needed.ended, max(needed.latest) OVER (ORDER BY needed.xid) AS latest
            FROM (
                SELECT xid::text::bigint AS xid, ended, max(xid::text::bigint)
                    OVER (PARTITION BY subject_id ORDER BY seq) AS latest
                FROM seen
            ) AS needed
        ) AS reached WHERE reached.ended AND reached.latest <= reached.xid
    ) ELSE true END
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
