"""Deliveries run: in order per subject, the effect and its mark in one transaction.

Work is leased by (consumer, shard), so that one subject is handled by one worker at a time. The
mark is made first, guarded by `state = 'pending'`, and the handler runs after it in the same
transaction: of two workers one waits and then finds nothing to mark, and a killed one leaves nothing
behind. A failing batch is halved until the one that fails stands alone; it backs off, and after five
attempts is dead, with a case. It stops later events of its own subject, for its own consumer, only.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel import case_reports, events
from config.kernel.case_reports import Report
from config.kernel.errors import in_brief
from config.kernel.events import Recorded
from config.kernel.services import leases

BATCH: Final = 200
SHARDS_AT_ONCE: Final = 16
"""Shards of one consumer that a worker leases together: one batch for many quiet subjects."""
ATTEMPTS: Final = 5
BACK_OFF_SECONDS: Final = (1, 5, 30, 120)
"""How long after the first, second, … failed attempt the next one is due."""
LEASE_SECONDS: Final = 60.0
DEAD_DELIVERY: Final = "DEAD_DELIVERY"

_DUE: Final = """
    SELECT consumer, shard, due_at, seq, event_id
    FROM (
        SELECT consumer, shard, state, due_at, seq, event_id,
            bool_or(state = 'dead') OVER before AS behind_dead, max(due_at) OVER before AS waits_for
        FROM kernel_delivery WHERE {among}
        WINDOW before AS (PARTITION BY consumer, subject_id ORDER BY seq, event_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ) AS open
    WHERE state = 'pending' AND due_at <= clock_timestamp() AND behind_dead IS NOT TRUE
      AND (waits_for IS NULL OR waits_for <= due_at)
"""
"""Deliveries that may run: not while an earlier event of their subject is dead, or is due after them
(it backs off, or was just revived). Those of equal `due_at` were relayed together: `seq` decides.

One pass over what lies open, in the order of its index. What lies open changes faster than statistics:
asked as a join of each with the earlier ones, a planner that believes in few rows compares them all.
"""
DUE: Final = _DUE.format(among="state <> 'done'")
_DUE_OF: Final = _DUE.format(among="state <> 'done' AND consumer = %s AND shard = ANY(%s)")

_log = logging.getLogger(__name__)


class Overtaken(RuntimeError):
    """Another worker has handled the batch since it was read."""


def due_shards(limit: int = 500) -> list[tuple[str, int]]:
    """Every (consumer, shard) that has something due, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT consumer, shard FROM ({DUE}) AS due LIMIT %s",  # noqa: S608
            [limit],
        )
        return [(consumer, shard) for consumer, shard in cursor.fetchall()]


def run_due(*, at: datetime, shards: Iterable[tuple[str, int]] | None = None) -> int:
    """Run what is due, some shards at a time, until nothing is. Returns how many are done.

    Consumers that this process does not know (an older worker during an upgrade) are left alone.
    """
    done = 0
    known = {consumer for consumer, _ in events.subscriptions()}
    due = sorted(due_shards() if shards is None else shards)
    for consumer, of_consumer in groupby(due, key=lambda pair: pair[0]):
        numbers = [shard for _, shard in of_consumer] if consumer in known else []
        for first in range(0, len(numbers), SHARDS_AT_ONCE):
            done += run_shards(consumer, numbers[first : first + SHARDS_AT_ONCE], at=at)
    return done


def run_shards(consumer: str, shards: Sequence[int], *, at: datetime) -> int:
    """Drain those shards of a consumer that are free, together. Returns how many are done."""
    names = {_lease_name(consumer, shard): shard for shard in shards}
    done = 0
    with leases.held_of(list(names), seconds=LEASE_SECONDS) as held:
        mine = [names[name] for name in held.tokens]
        while mine and (batch := _next_batch(consumer, mine)):
            ran = _run(consumer, batch, at=at)
            done += ran
            if not ran:
                break
            held.renew()
    return done


def _lease_name(consumer: str, shard: int) -> str:
    return f"deliveries:{consumer}:{shard}"


def replay(deliveries: Sequence[tuple[UUID, str]]) -> int:
    """Make dead (event, consumer) pairs pending again, now. Returns how many were dead."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_delivery d
            SET state = 'pending', attempts = 0, due_at = clock_timestamp()
            FROM unnest(%s::uuid[], %s::text[]) AS asked (event_id, consumer)
            WHERE d.event_id = asked.event_id AND d.consumer = asked.consumer AND d.state = 'dead'
            """,
            [[event_id for event_id, _ in deliveries], [consumer for _, consumer in deliveries]],
        )
        return int(cursor.rowcount)


def still_dead(event_ids: Sequence[UUID]) -> set[UUID]:
    """Of these events, those with a delivery that is dead still."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT event_id FROM kernel_delivery "
            "WHERE event_id = ANY(%s) AND state = 'dead'",
            [list(event_ids)],
        )
        return {event_id for (event_id,) in cursor.fetchall()}


def _next_batch(consumer: str, shards: Sequence[int]) -> list[Recorded]:
    """The next due deliveries, in an order that keeps each subject's."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT e.data, e.id, e.topic, e.subject_kind, e.subject_id, e.seq, e.account_id,
                e.thread_id, e.at, e.actor_kind, e.actor_id, e.correlation_id
            FROM ({_DUE_OF} ORDER BY due_at, seq, event_id LIMIT %s) AS d
            JOIN kernel_event e ON e.id = d.event_id
            ORDER BY d.due_at, d.seq, d.event_id
            """,  # noqa: S608  # a constant
            [consumer, list(shards), BATCH],
        )
        return [_recorded(*row) for row in cursor.fetchall()]


def _recorded(data: str, *columns: Any) -> Recorded:
    event_id, topic, subject_kind, subject_id, seq, account_id, thread_id, at, *who = columns
    return Recorded(
        event_id,
        topic,
        subject_kind,
        subject_id,
        seq,
        account_id,
        thread_id,
        at,
        json.loads(data),
        *who,
    )


def _run(consumer: str, batch: Sequence[Recorded], *, at: datetime) -> int:
    """Handle the batch, halving it around what fails. Returns how many are done."""
    try:
        with transaction.atomic():
            _mark_done(consumer, batch)
            events.handler_of(consumer)(batch)
    except Overtaken:
        return 0
    except Exception as error:  # noqa: BLE001  # whatever an app's handler raises
        if len(batch) == 1:
            _log.exception("delivery failed", extra={"consumer": consumer})
            _put_off(consumer, batch[0], error, at=at)
            return 0
    else:
        return len(batch)
    middle = len(batch) // 2
    first = batch[:middle]
    done = _run(consumer, first, at=at)
    if done == len(first):
        return done + _run(consumer, batch[middle:], at=at)
    stopped = _open_subjects(consumer, first)
    rest = [event for event in batch[middle:] if event.subject_id not in stopped]
    return done + (_run(consumer, rest, at=at) if rest else 0)


def _mark_done(consumer: str, batch: Sequence[Recorded]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_delivery SET state = 'done', done_at = clock_timestamp(), "
            "attempts = attempts + 1 "
            "WHERE event_id = ANY(%s) AND consumer = %s AND state = 'pending'",
            [[event.id for event in batch], consumer],
        )
        if cursor.rowcount != len(batch):
            raise Overtaken


def _open_subjects(consumer: str, batch: Sequence[Recorded]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT subject_id FROM kernel_delivery "
            "WHERE event_id = ANY(%s) AND consumer = %s AND state <> 'done'",
            [[event.id for event in batch], consumer],
        )
        return {subject_id for (subject_id,) in cursor.fetchall()}


def _put_off(consumer: str, event: Recorded, error: Exception, *, at: datetime) -> None:
    """Count the failed attempt: back off, or give up with a case."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_delivery
            SET attempts = attempts + 1, last_error = %s,
                state = CASE WHEN attempts + 1 >= %s THEN 'dead' ELSE state END,
                due_at = clock_timestamp()
                    + make_interval(secs => (%s::int[])[least(attempts + 1, %s)])
            WHERE event_id = %s AND consumer = %s AND state = 'pending'
            RETURNING state, attempts
            """,
            [
                in_brief(error),
                ATTEMPTS,
                list(BACK_OFF_SECONDS),
                len(BACK_OFF_SECONDS),
                event.id,
                consumer,
            ],
        )
        row = cursor.fetchone()
        if row is None or row[0] != "dead":
            return
        case_reports.report(
            [
                Report(
                    DEAD_DELIVERY,
                    subject_kind="event",
                    subject_id=event.id,
                    account_id=event.account_id,
                    thread_id=event.thread_id,
                    cause=f"{consumer}: {type(error).__name__}",
                    dedupe_key=f"{DEAD_DELIVERY}:{consumer}:{event.id}",
                    evidence={"consumer": consumer, "topic": event.topic, "attempts": row[1]},
                )
            ],
            at=at,
        )
