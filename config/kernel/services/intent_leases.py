"""Intents in a worker's hands: leased by one statement, one at a time of each queue."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection

LEASE_SECONDS: Final = 120
MOST_ATTEMPTS: Final = 32_000
"""Counting stops here: what is put off for weeks without being asked must not overflow."""
_PAYLOAD: Final = 6
"""Its place among the columns of a leased intent."""


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
                WHERE state IN ('pending', 'running', 'unknown') AND due_at <= clock_timestamp()
                  AND kind = ANY(%s)
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


def hold_back(intent: LeasedIntent, seconds: float) -> int:
    """Let what waits in the intent's queue look again when it is due itself; answer how many."""
    if not intent.queue:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_intent SET due_at = clock_timestamp() + make_interval(secs => %s)
            WHERE id IN (
                SELECT id FROM kernel_intent
                WHERE queue = %s AND queue <> '' AND id > %s AND state IN ('pending', 'unknown')
                ORDER BY id FOR UPDATE SKIP LOCKED)
            """,
            [seconds, intent.queue, intent.id],
        )
        return int(cursor.rowcount)


def wake(intent_ids: Sequence[UUID]) -> None:
    """Have what waits in the queues of these intents look again now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_intent SET due_at = clock_timestamp() WHERE id IN (
                SELECT behind.id FROM kernel_intent AS behind
                WHERE behind.state = 'pending' AND behind.due_at > clock_timestamp()
                  AND behind.queue <> '' AND behind.queue IN (
                    SELECT queue FROM kernel_intent WHERE id = ANY(%s))
                ORDER BY behind.id FOR UPDATE SKIP LOCKED)
            """,
            [list(intent_ids)],
        )
