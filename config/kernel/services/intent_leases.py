"""Intents in a worker's hands: leased by one statement, one at a time of each queue.

Only the first of a queue stands in the index of what is due; those `behind` it are not looked at
and not written to, however long it backs off or lies dead. Whoever ends a first one lets the next
come forward (`advance`), after its own commit.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

LEASE_SECONDS: Final = 120
MOST_ATTEMPTS: Final = 32_000
"""Counting stops here: what is put off for weeks without being asked must not overflow."""
_PAYLOAD: Final = 6
"""Its place among the columns of a leased intent."""
_FORWARD: Final = "behind = false, due_at = greatest(due_at, clock_timestamp())"


@dataclass(frozen=True, slots=True)
class LeasedIntent:
    """An intent in a worker's hands. `attempt` fences the answer."""

    id: UUID
    account_id: UUID
    kind: str
    key: str
    subject_kind: str
    subject_id: UUID
    payload: Mapping[str, Any]
    attempt: int
    tried_before: bool
    """An earlier call may have had its effect."""
    queue: str = ""
    first: bool = False
    """Nobody was asked before this attempt."""


def lease(kinds: Sequence[str], limit: int) -> list[LeasedIntent]:
    """Take due intents of these kinds, in one statement.

    `attempts` rises with each taker. One found running has a lapsed lease: its worker died. Of a
    queue only the first that is neither done nor refused can be taken.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_intent AS intent
            SET state = 'running', attempts = least(intent.attempts + 1, %s),
                lease_until = clock_timestamp() + make_interval(secs => %s),
                due_at = clock_timestamp() + make_interval(secs => %s),
                first_tried_at = coalesce(intent.first_tried_at, clock_timestamp())
            FROM (
                SELECT id FROM kernel_intent AS waiting
                WHERE state IN ('pending', 'running', 'unknown') AND NOT behind
                  AND due_at <= clock_timestamp() AND kind = ANY(%s)
                  AND (queue = '' OR NOT EXISTS (
                    SELECT FROM kernel_intent AS before
                    WHERE before.queue = waiting.queue AND before.queue <> ''
                      AND before.id < waiting.id
                      AND before.state IN ('pending', 'running', 'unknown', 'dead')))
                ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
            ) AS due
            WHERE intent.id = due.id
            RETURNING intent.id, intent.account_id, intent.kind, intent.key, intent.subject_kind,
                intent.subject_id, intent.payload, intent.attempts, old.state <> 'pending',
                intent.queue, old.first_tried_at IS NULL
            """,
            [MOST_ATTEMPTS, LEASE_SECONDS, LEASE_SECONDS, list(kinds), limit],
        )
        rows: list[list[Any]] = [list(row) for row in cursor.fetchall()]
    for row in rows:
        row[_PAYLOAD] = json.loads(row[_PAYLOAD])
    return [LeasedIntent(*row) for row in rows]


def waiting_behind(intent: LeasedIntent) -> int:
    """How many wait behind it in its queue."""
    if not intent.queue:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM kernel_intent WHERE queue = %s AND queue <> '' AND id > %s "
            "AND state IN ('pending', 'unknown')",
            [intent.queue, intent.id],
        )
        ((found,),) = cursor.fetchall()
    return int(found)


def advance_later(queues: Iterable[str]) -> None:
    """Have the first of each queue come forward once this transaction has committed.

    Only then does it see what others have added meanwhile, and they, after theirs, what ended here:
    whoever commits last sees both.
    """
    stirred = sorted({queue for queue in queues if queue})
    if stirred:
        transaction.on_commit(partial(advance, stirred))


def advance(queues: Sequence[str]) -> None:
    """Let the first of each queue be found by workers, due from now unless it backs off."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE kernel_intent SET {_FORWARD}
            WHERE behind AND id IN (
                SELECT head.id FROM unnest(%s::text[]) AS stirred (queue)
                CROSS JOIN LATERAL (
                    SELECT id FROM kernel_intent
                    WHERE queue = stirred.queue AND queue <> ''
                      AND state IN ('pending', 'running', 'unknown', 'dead')
                    ORDER BY id LIMIT 1) AS head)
            """,  # noqa: S608  # own text
            [list(queues)],
        )


def advance_all() -> int:
    """Do so for every queue: its worker may have died before it could. Returns how many came forward.

    Steps from queue to queue in their index: what it costs grows with queues, not with what waits.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE head AS (
                (SELECT queue, id, behind FROM kernel_intent
                 WHERE queue <> '' AND state IN ('pending', 'running', 'unknown', 'dead')
                 ORDER BY queue, id LIMIT 1)
                UNION ALL
                SELECT following.* FROM head CROSS JOIN LATERAL (
                    SELECT queue, id, behind FROM kernel_intent
                    WHERE queue > head.queue AND queue <> ''
                      AND state IN ('pending', 'running', 'unknown', 'dead')
                    ORDER BY queue, id LIMIT 1) AS following
            )
            UPDATE kernel_intent SET {_FORWARD}
            WHERE behind AND id IN (SELECT id FROM head WHERE behind)
            """  # noqa: S608  # own text
        )
        return int(cursor.rowcount)
