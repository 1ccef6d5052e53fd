"""Intents: what is asked of the outside world, written by a command, carried out with no transaction.

`add` writes the intent in the command's transaction. A worker leases it, calls the performer while
no transaction is open, and records the answer together with what follows from it (`on_answer`) in
one transaction. Whoever dies in between leaves a lapsed lease: the call may have had its effect, so
`find` is asked before the performer is called again. Transient refusals back off, for 75 hours in
all; then the intent is dead, with a case. Every call carries the intent's `key`, so that the other
side can tell a repeat.

Intents of one `queue` are carried out one after another, by id: whoever writes two into a queue in
transactions that overlap holds the lock of what they are about. While the first backs off or is
dead the others wait; other queues go on.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from config.kernel import case_reports, ids
from config.kernel.case_reports import Report
from config.kernel.errors import Conflict, in_brief
from config.kernel.models import Intent, IntentState
from config.kernel.services import intent_leases
from config.kernel.services.intent_leases import LeasedIntent as LeasedIntent  # noqa: PLC0414  # offered here
from config.kernel.types import Actor, Outcome

BACK_OFF_SECONDS: Final = (
    *(5, 30, 60, 120),
    *(300, 300, 300),
    *(600, 1_800, 3_600),
    *(2 * 3_600, 4 * 3_600, 8 * 3_600, 12 * 3_600),
)
"""Seconds from a failed attempt to the next; the last one repeats. After a quarter of an hour of
silence the next attempt is at most five minutes away, so that the backlog is made good in ten."""
GIVE_UP_HOURS: Final = 75
DEAD_INTENT: Final = "DEAD_INTENT"

_log = logging.getLogger(__name__)


class AnswerKind(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It may have happened: `find` is asked before it is tried again."""
    RETRY = "retry"
    """It has not happened, and may be asked again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one call. `error` is a short sentence without personal data.

    `after_seconds` says when a retry is worth while; without it the back-off decides. Not `asked`
    are those that were put off before anybody was called: they do not count towards giving up.
    """

    kind: AnswerKind
    data: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    after_seconds: float | None = None
    asked: bool = True

    @classmethod
    def done(cls, **data: Any) -> "Answer":
        return cls(AnswerKind.DONE, data)

    @classmethod
    def refused(cls, error: str, **data: Any) -> "Answer":
        return cls(AnswerKind.REFUSED, data, error)

    @classmethod
    def unknown(cls, error: str, **data: Any) -> "Answer":
        return cls(AnswerKind.UNKNOWN, data, error)

    @classmethod
    def retry(
        cls, error: str, *, after_seconds: float | None = None, asked: bool = True
    ) -> "Answer":
        return cls(AnswerKind.RETRY, {}, error, after_seconds, asked)


@dataclass(frozen=True, slots=True)
class NewIntent:
    """Something to ask. `key` is unique per kind, and goes out as the idempotency key.

    Those of one `queue` are asked one after another, across kinds; without one they are on their own.
    """

    kind: str
    key: str
    subject_kind: str
    subject_id: UUID
    account_id: UUID
    payload: Mapping[str, Any] = field(default_factory=dict)
    queue: str = ""


Perform = Callable[[LeasedIntent], Answer]
Find = Callable[[LeasedIntent], Answer | None]


class OnAnswer(Protocol):
    """The command that follows an answer, in the transaction that records it."""

    def __call__(
        self, intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor
    ) -> object: ...


@dataclass(frozen=True, slots=True)
class _Kind:
    perform: Perform
    on_answer: OnAnswer
    find: Find | None
    instead: str
    """What to do where `revive` is refused; empty where it is not."""


_kinds: dict[str, _Kind] = {}


def register(
    kind: str,
    perform: Perform,
    *,
    on_answer: OnAnswer,
    find: Find | None = None,
    revivable: bool = True,
    instead: str = "",
) -> None:
    """Say how intents of a kind are carried out; called from `AppConfig.ready()`.

    `perform(intent)` calls the outside and answers; an exception from it counts as unknown.
    `on_answer(intent, answer, *, at, actor)` is a command: it runs in the transaction that records
    the answer, for done, refused, and when the intent is given up (`given_up` in its data): refused
    when it has certainly not happened, unknown when it may have.
    `find(intent)` asks what became of an earlier call; None when the other side never had it.
    Not `revivable` are kinds whose owner has a try of its own, with a key of its own: `revive`
    refuses them and says what to do `instead`.
    """
    if revivable == bool(instead):
        raise ValueError(f"{kind}: say what to do instead of reviving, where it is refused")
    if kind in _kinds:
        raise ValueError(f"the intent kind {kind} is registered twice")
    _kinds[kind] = _Kind(perform, on_answer, find, instead)


def registered() -> list[str]:
    return sorted(_kinds)


def add(wanted: Sequence[NewIntent], *, at: datetime, actor: Actor) -> list[UUID]:
    """Write the intents, in one statement; those whose (kind, key) exists already stay as they are.

    Returns the ids of the new ones. Raises RuntimeError outside a transaction.
    """
    if not wanted:
        return []
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an intent is written inside the transaction that decides it")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_intent (id, kind, key, subject_kind, subject_id, account_id, payload,
                queue, state, attempts, answer, last_error, actor_id, at, due_at, behind)
            SELECT asked.*, 'pending', 0, '{}', '', %s, %s, clock_timestamp(),
                asked.queue <> '' AND (
                    row_number() OVER (PARTITION BY asked.queue ORDER BY asked.id) > 1
                    OR EXISTS (
                        SELECT FROM kernel_intent AS before
                        WHERE before.queue = asked.queue AND before.queue <> ''
                          AND before.state IN ('pending', 'running', 'unknown', 'dead')))
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::uuid[], %s::uuid[],
                %s::jsonb[], %s::text[])
                AS asked (id, kind, key, subject_kind, subject_id, account_id, payload, queue)
            ON CONFLICT (kind, key) DO NOTHING
            RETURNING id, CASE WHEN behind THEN queue ELSE '' END
            """,
            [
                actor.id,
                at,
                [ids.uuid7() for _ in wanted],
                [intent.kind for intent in wanted],
                [intent.key for intent in wanted],
                [intent.subject_kind for intent in wanted],
                [intent.subject_id for intent in wanted],
                [intent.account_id for intent in wanted],
                [Jsonb(dict(intent.payload)) for intent in wanted],
                [intent.queue for intent in wanted],
            ],
        )
        written = cursor.fetchall()
    # What they wait behind may have ended while they were written.
    intent_leases.advance_later(queue for _, queue in written)
    return [intent_id for intent_id, _ in written]


def run_due(*, at: datetime, limit: int = 5) -> int:
    """Lease due intents, carry them out one by one, record each answer. Returns how many ran.

    Raises RuntimeError inside a transaction: nothing may stay locked while the outside thinks.
    """
    _refuse_in_transaction()
    leased = intent_leases.lease(registered(), limit)
    for intent in leased:
        answer = _ask(intent)
        try:
            settle(intent, answer, at=at)
        except Exception as error:  # noqa: BLE001  # whatever an app's command raises
            _log.exception("an answer could not be recorded", extra={"intent": str(intent.id)})
            _set_aside(intent, Answer.unknown(in_brief(error)), at=at)
    return len(leased)


def settle(intent: LeasedIntent, answer: Answer, *, at: datetime) -> None:
    """Record the answer and what follows from it. A worker overtaken meanwhile records nothing."""
    if answer.kind in {AnswerKind.UNKNOWN, AnswerKind.RETRY}:
        _set_aside(intent, answer, at=at)
        return
    state = IntentState.DONE if answer.kind is AnswerKind.DONE else IntentState.REFUSED
    with transaction.atomic():
        if _write(intent, state, answer):
            intent_leases.advance_later([intent.queue])
            _follow(intent, answer, at=at)


AGAIN: Final = (
    "state = 'unknown', attempts = 0, first_tried_at = NULL, due_at = clock_timestamp(), "
    "lease_until = NULL, behind = false"
)
"""An earlier call may have had its effect: `find` is asked before the performer."""


def revive(intent_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Try dead and refused intents again, now. One outcome per id, in order.

    What became of the earlier calls is asked first. Refused for kinds that are not revivable: the
    refusal says what to do instead.
    """
    del at
    wanted = list(intent_ids)
    with transaction.atomic():
        found = {
            intent.pk: intent for intent in Intent.objects.for_scope(actor.scope).locked(wanted)
        }
        outcomes: list[Outcome[UUID]] = []
        ready = []
        for intent_id in wanted:
            intent = found.get(intent_id)
            if intent is None:
                outcomes.append(Outcome.refused("not-found", "There is no such intent."))
                continue
            try:
                _refuse_revival(intent.kind)
                intent.revive()
            except Conflict as refusal:
                outcomes.append(Outcome.refused(refusal.code, refusal.detail, **refusal.extra))
                continue
            ready.append(intent_id)
            outcomes.append(Outcome.done(intent_id))
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE kernel_intent SET {AGAIN} "  # noqa: S608  # own text
                "WHERE id = ANY(%s) AND state IN ('dead', 'refused')",
                [ready],
            )
    return outcomes


def _refuse_revival(kind: str) -> None:
    known = _kinds.get(kind)
    if known is not None and known.instead:
        raise Conflict(f"This cannot be revived: {known.instead}.")


def still_dead(intent_ids: Sequence[UUID]) -> set[UUID]:
    """Of these intents, those that are dead still."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM kernel_intent WHERE id = ANY(%s) AND state = 'dead'",
            [list(intent_ids)],
        )
        return {intent_id for (intent_id,) in cursor.fetchall()}


def _refuse_in_transaction() -> None:
    if transaction.get_connection().in_atomic_block:
        raise RuntimeError("the outside is never called inside a transaction")


def _ask(intent: LeasedIntent) -> Answer:
    """Ask what became of an earlier call, then call. No transaction is open, and none stays open."""
    kind = _kinds[intent.kind]
    try:
        answer = kind.find(intent) if intent.tried_before and kind.find else None
        if answer is None:
            answer = kind.perform(intent)
    except Exception as error:  # noqa: BLE001  # whatever an app's client raises
        _log.exception("an intent failed", extra={"intent": str(intent.id), "kind": intent.kind})
        answer = Answer.unknown(in_brief(error))
    _refuse_in_transaction()
    return answer


def _set_aside(intent: LeasedIntent, answer: Answer, *, at: datetime) -> None:
    """Put the intent back with a later due time, or bury it after 75 hours. Its queue waits behind it."""
    state = IntentState.UNKNOWN if answer.kind is AnswerKind.UNKNOWN else IntentState.PENDING
    pause = _back_off(intent.attempt) if answer.after_seconds is None else answer.after_seconds
    untried = intent.first and not answer.asked
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_intent
            SET state = CASE WHEN clock_timestamp() + make_interval(secs => %s)
                    > first_tried_at + make_interval(hours => %s) THEN 'dead' ELSE %s END,
                due_at = clock_timestamp() + make_interval(secs => %s),
                first_tried_at = CASE WHEN %s THEN NULL ELSE first_tried_at END,
                lease_until = NULL, last_error = %s
            WHERE id = %s AND state = 'running' AND attempts = %s
            RETURNING state
            """,
            [
                pause,
                GIVE_UP_HOURS,
                state,
                pause,
                untried,
                answer.error,
                intent.id,
                intent.attempt,
            ],
        )
        row = cursor.fetchone()
        if row is None:
            return
        dead = row[0] == IntentState.DEAD
        if not dead:
            return
        _report_dead(intent, answer, at=at, behind=intent_leases.waiting_behind(intent))
        may_have_happened = answer.kind is AnswerKind.UNKNOWN
        given_up = Answer.unknown if may_have_happened else Answer.refused
        _follow(intent, given_up(answer.error, given_up=True), at=at)


def _back_off(attempt: int) -> int:
    return BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS)) - 1]


def _write(intent: LeasedIntent, state: IntentState, answer: Answer) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_intent SET state = %s, answer = %s, last_error = %s, lease_until = NULL "
            "WHERE id = %s AND state = 'running' AND attempts = %s",
            [state, json.dumps(dict(answer.data)), answer.error, intent.id, intent.attempt],
        )
        return bool(cursor.rowcount == 1)


def _follow(intent: LeasedIntent, answer: Answer, *, at: datetime) -> None:
    actor = Actor.system(f"intent:{intent.kind}", causation_id=str(intent.id))
    _kinds[intent.kind].on_answer(intent, answer, at=at, actor=actor)


def _report_dead(intent: LeasedIntent, answer: Answer, *, at: datetime, behind: int) -> None:
    stopped = {"queue": intent.queue, "waiting_behind": behind} if intent.queue else {}
    case_reports.report(
        [
            Report(
                DEAD_INTENT,
                subject_kind="intent",
                subject_id=intent.id,
                account_id=intent.account_id,
                cause=f"{intent.kind}: {answer.error}"[:160],
                evidence={
                    "kind": intent.kind,
                    "attempts": intent.attempt,
                    "about": intent.subject_kind,
                    "about_id": str(intent.subject_id),
                    **stopped,
                },
            )
        ],
        at=at,
    )
