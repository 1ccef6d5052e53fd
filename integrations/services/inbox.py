"""Messages from outside, applied as often as it takes once they are kept (`services.keep`).

The effect of a message and its mark commit together, so it has its effect once however often it
is tried. What it asks is the business of its adapter's applier (`integrations.appliers`). A message
whose subject has not come, or that fails, is tried again by the sweep and buried, with a case,
after `ATTEMPTS`; a buried or ignored one can be replayed by hand once its cause is mended.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.case_reports import Report
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from integrations import appliers, connections, selectors
from integrations.appliers import Applied, Envelope, Ignored, NotYet, Received, Refused, Verdict
from integrations.cases import INBOX_DEAD
from integrations.models import InboxMessage
from integrations.services.keep import Found, Incoming, Kept, keep_messages
from integrations.states import ConnectionKind, InboxState
from integrations.types import OUR_API, ConnectionRef

ATTEMPTS = 5
SWEEP_LIMIT = 200
_WRITTEN = (
    "state",
    "code",
    "reason",
    "attempts",
    "subject_kind",
    "subject_id",
    "thread_id",
    "settled_at",
)

_log = logging.getLogger(__name__)


def take_in(
    ref: ConnectionRef,
    external_id: str,
    kind: str,
    raw: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    at: datetime,
    actor: Actor,
) -> Kept:
    """Keep and apply what a poll has found, under the id that a push would have brought."""
    [kept] = take_in_all(ref, [Found(external_id, kind, raw, headers)], at=at, actor=actor)
    return kept


def take_in_all(
    ref: ConnectionRef, found: Sequence[Found], *, at: datetime, actor: Actor
) -> list[Kept]:
    """Likewise for many. What came before, pushed or polled, stands as it is."""
    kept = keep_messages(
        [
            Incoming.of(
                ref,
                external_id=one.external_id,
                kind=one.kind,
                headers=one.headers or {},
                raw=one.raw,
            )
            for one in found
        ],
        at=at,
        actor=actor,
    )
    apply_messages([one.id for one in kept if not one.repeated], at=at, actor=actor)
    return kept


def apply_messages(
    message_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Have the messages take effect; one outcome each with its subject's id. Settled ones stand.

    One transaction for the effects with their marks; what an adapter does after the commit follows.
    When the batch fails as a whole it is halved, until the message that fails stands alone and its
    attempt is counted.
    """
    if not message_ids:
        return []
    try:
        outcomes, created = _apply_batch(message_ids, at=at, actor=actor)
    except Exception as fault:  # noqa: BLE001  # whatever it is, the message must not be lost
        if len(message_ids) > 1:
            middle = len(message_ids) // 2
            return [
                *apply_messages(message_ids[:middle], at=at, actor=actor),
                *apply_messages(message_ids[middle:], at=at, actor=actor),
            ]
        _log.exception("a message could not be applied", extra={"inbox_id": str(message_ids[0])})
        return [_count_failure(message_ids[0], type(fault).__name__, at=at)]
    for adapter, verdicts in created.items():
        _follow(adapter, verdicts, at=at, actor=actor)
    return outcomes


def _follow(adapter: str, verdicts: Sequence[Applied], *, at: datetime, actor: Actor) -> None:
    """What comes after the commit; its failure is a sweep's to mend, and no message's."""
    follow = appliers.follow(adapter)
    if follow is None:
        return
    try:
        follow(verdicts, at=at, actor=actor)
    except Exception:  # noqa: BLE001  # whatever an adapter's commands raise
        _log.exception("what follows on messages failed", extra={"adapter": adapter})


def apply_unsettled(*, now: datetime, at: datetime, actor: Actor) -> int:
    """Try again what a crash or a fault left behind; return how many were tried.

    `now` is machine time: how long a message has lain here is no matter of business.
    """
    waiting = selectors.unsettled(now=now, limit=SWEEP_LIMIT)
    apply_messages(waiting, at=at, actor=actor)
    return len(waiting)


def replay_messages(
    message_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Try dead and ignored messages again, now. Applied ones are refused: their effect stands."""
    refused = _reopen(message_ids, actor)
    wanted = [message_id for message_id in message_ids if message_id not in refused]
    done = dict(zip(wanted, apply_messages(wanted, at=at, actor=actor), strict=True))
    return [refused.get(message_id) or done[message_id] for message_id in message_ids]


@transaction.atomic
def _reopen(message_ids: Sequence[UUID], actor: Actor) -> dict[UUID, Outcome[UUID]]:
    rows = {row.pk: row for row in InboxMessage.objects.for_scope(actor.scope).locked(message_ids)}
    refused: dict[UUID, Outcome[UUID]] = {}
    reopened = []
    for message_id in message_ids:
        row = rows.get(message_id)
        if row is None:
            refused[message_id] = Outcome.refused("not-found", "There is no such message.")
        elif row.state == InboxState.APPLIED:
            refused[message_id] = Outcome.refused("applied", "Its effect stands already.")
        elif row.state != InboxState.RECEIVED:
            row.receive_again()
            row.attempts = 0
            reopened.append(row)
    InboxMessage.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        reopened, ["state", "attempts", "settled_at"]
    )
    return refused


@transaction.atomic
def _apply_batch(
    message_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> tuple[list[Outcome[UUID]], dict[str, list[Applied]]]:
    """Lock, open, have each adapter apply its own, mark. Returns outcomes and what was created."""
    rows = list(InboxMessage.objects.for_scope(ALL_ACCOUNTS).locked(message_ids))
    waiting = [row for row in rows if row.state == InboxState.RECEIVED]
    outcomes: dict[UUID, Outcome[UUID]] = {
        row.pk: Outcome.repeated(row.subject_id) for row in rows if row.state != InboxState.RECEIVED
    }
    verdicts = _verdicts(waiting, at=at, actor=actor)
    created: dict[str, list[Applied]] = {}
    for row in waiting:
        verdict = verdicts[row.pk]
        outcomes[row.pk] = _mark(row, verdict, at=at)
        if isinstance(verdict, Applied) and verdict.created:
            created.setdefault(_adapter(row), []).append(verdict)
    _save(waiting)
    _report_dead(waiting, at=at)
    missing = Outcome[UUID].refused("not-found", "There is no such message.")
    return [outcomes.get(message_id, missing) for message_id in message_ids], created


def _verdicts(rows: Sequence[InboxMessage], *, at: datetime, actor: Actor) -> dict[UUID, Verdict]:
    """What each adapter's applier says, asked once per adapter with all of its messages."""
    letters = selectors.letters_of([row.pk for row in rows])
    refs = connections.by_ids({row.connection_id for row in rows if row.connection_id})
    verdicts: dict[UUID, Verdict] = {}
    batches: dict[str, list[Received]] = {}
    for row in rows:
        letter = letters.get(row.pk)
        ref = refs.get(row.connection_id) if row.connection_id else _of_our_api(row)
        if letter is None:
            verdicts[row.pk] = Refused("erased", "The message's content was erased.")
        elif ref is None:
            verdicts[row.pk] = Refused("no-connection", "Its connection is not set up any more.")
        elif not appliers.known(ref.adapter):
            verdicts[row.pk] = Refused("no-applier", f"Nobody applies messages of {ref.adapter}.")
        else:
            batches.setdefault(ref.adapter, []).append(Received(_envelope(row), letter, ref))
    for adapter, batch in sorted(batches.items()):
        answers = appliers.applier(adapter).apply(batch, at=at, actor=actor)
        verdicts |= {one.row.id: answer for one, answer in zip(batch, answers, strict=True)}
    return verdicts


def _of_our_api(row: InboxMessage) -> ConnectionRef | None:
    """What a program sent came over no connection: its channel stands for one."""
    adapter, _, code = str(row.source).partition(":")
    if adapter != OUR_API or row.channel_id is None:
        return None
    return ConnectionRef(
        row.channel_id,
        row.account_id,
        ConnectionKind.CHANNEL,
        code,
        OUR_API,
        "",
        channel_id=row.channel_id,
    )


def _envelope(row: InboxMessage) -> Envelope:
    return Envelope(
        row.pk,
        row.account_id,
        row.source,
        row.external_id,
        row.kind,
        row.received_at,
        row.attempts,
    )


def _adapter(row: InboxMessage) -> str:
    return str(row.source).partition(":")[0]


def _mark(row: InboxMessage, verdict: Verdict, *, at: datetime) -> Outcome[UUID]:
    """Write the verdict on the row, and say it in an outcome's words."""
    match verdict:
        case Applied(subject_kind, subject_id, thread_id):
            row.apply(subject_kind=subject_kind, subject_id=subject_id, thread_id=thread_id, at=at)
            return Outcome.done(subject_id)
        case Ignored(code, reason, subject_kind, subject_id, thread_id):
            row.ignore(
                code=code[:48],
                reason=reason,
                at=at,
                subject_kind=subject_kind,
                subject_id=subject_id,
                thread_id=thread_id,
            )
            if code == "repeated" and subject_id is not None:
                return Outcome.repeated(subject_id)
            return Outcome.refused(code, reason)
        case NotYet(code, reason):
            return _fail(row, code, reason, at=at)
        case Refused(code, reason):
            row.attempts += 1
            row.bury(code=code[:48], reason=reason, at=at)
            return Outcome.refused(code, reason)


def _fail(row: InboxMessage, code: str, reason: str, *, at: datetime) -> Outcome[UUID]:
    """Count an attempt that may yet succeed; the last one buries the message."""
    row.attempts += 1
    row.code, row.reason = code[:48], reason
    if row.attempts >= ATTEMPTS:
        row.bury(code=code[:48], reason=reason, at=at)
    return Outcome.refused(code, reason)


@transaction.atomic
def _count_failure(message_id: UUID, fault: str, *, at: datetime) -> Outcome[UUID]:
    rows = list(InboxMessage.objects.for_scope(ALL_ACCOUNTS).locked([message_id]))
    if not rows or rows[0].state != InboxState.RECEIVED:
        return Outcome.refused("not-found", "There is no such message waiting.")
    outcome = _fail(rows[0], "fault", f"It could not be applied ({fault}).", at=at)
    _save(rows)
    _report_dead(rows, at=at)
    return outcome


def _save(rows: Sequence[InboxMessage]) -> None:
    if rows:
        InboxMessage.objects.for_scope(ALL_ACCOUNTS).bulk_update(rows, _WRITTEN)


def _report_dead(rows: Iterable[InboxMessage], *, at: datetime) -> None:
    case_reports.report(
        [
            Report(
                INBOX_DEAD,
                "inbox_message",
                row.pk,
                row.account_id,
                evidence={"source": row.source, "code": row.code, "kind": row.kind},
                cause=f"{row.source}:{row.code}",
            )
            for row in rows
            if row.state == InboxState.DEAD
        ],
        at=at,
    )
