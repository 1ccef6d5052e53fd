"""Messages from outside: kept first, in their own transaction; then applied, as often as it takes.

The effect of a message and its mark commit together, so it has its effect once however often it
is tried. A message that fails is tried again by the sweep and buried, with a case, after
`ATTEMPTS`; a buried or ignored one can be replayed by hand once its cause is mended.
"""

import base64
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

import orders.services
from config.kernel import case_reports, ids, vault
from config.kernel.case_reports import Report
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from integrations import selectors
from integrations.cases import INBOX_DEAD
from integrations.channels import registry
from integrations.channels.dialect import Ignored, Understood
from integrations.models import InboxMessage
from integrations.states import InboxState
from integrations.types import ChannelCancel, ChannelRef, NotSold, Unreadable
from orders.selectors.external import ids_by_external
from orders.types import CancelRequest, OrderDraft

ATTEMPTS = 5
SETTLE_SECONDS = 30
SWEEP_LIMIT = 200
KEPT_HEADERS = ("content-type", "user-agent")
KEPT_HEADER_PREFIXES = ("x-shopify-", "x-wc-")
_SECRET_HEADERS = frozenset({"x-shopify-access-token"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message whose sender is proven. `source` is dialect:channel code."""

    account_id: UUID
    channel_id: UUID
    source: str
    external_id: str
    kind: str
    headers: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a message stands: its id with us, and whether it had come before."""

    id: UUID
    state: str
    repeated: bool


@transaction.atomic(durable=True)
def keep_messages(messages: Sequence[Incoming], *, at: datetime, actor: Actor) -> list[Kept]:
    """Keep the messages before anything else is tried; one that came before answers as it stands.

    Four statements for any number of messages.
    """
    del actor
    made: dict[tuple[UUID, str, str], tuple[UUID, Incoming]] = {}
    for message in messages:
        natural = (message.account_id, message.source, message.external_id)
        made.setdefault(natural, (ids.uuid7(), message))
    ours = _insert_messages([(key, message) for key, message in made.values()], at)
    fresh = [(key, message) for key, message in made.values() if key in ours]
    _insert_bodies(fresh)
    known = _states_of([message for key, message in made.values() if key not in ours])
    answers = []
    for message in messages:
        natural = (message.account_id, message.source, message.external_id)
        key, first = made[natural]
        if key in ours:
            answers.append(Kept(key, InboxState.RECEIVED, repeated=first is not message))
        else:
            answers.append(Kept(*known[natural], repeated=True))
    return answers


def apply_messages(
    message_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Have the messages take effect; one outcome each with the order's id. Settled ones stand.

    Two transactions: capture or cancel with the marks, then acceptance of what was captured. When
    the batch fails as a whole it is halved, until the message that fails stands alone and its
    attempt is counted.
    """
    if not message_ids:
        return []
    try:
        outcomes, captured = _apply_batch(message_ids, at=at, actor=actor)
    except Exception as fault:  # noqa: BLE001  # whatever it is, the message must not be lost
        if len(message_ids) > 1:
            middle = len(message_ids) // 2
            return [
                *apply_messages(message_ids[:middle], at=at, actor=actor),
                *apply_messages(message_ids[middle:], at=at, actor=actor),
            ]
        _log.exception("a message could not be applied", extra={"inbox_id": str(message_ids[0])})
        return [_count_failure(message_ids[0], type(fault).__name__, at=at)]
    if captured:
        orders.services.accept_orders(captured, at=at, actor=actor)
    return outcomes


def apply_unsettled(*, now: datetime, at: datetime, actor: Actor) -> int:
    """Try again what a crash or a fault left behind; return how many were tried.

    `now` is machine time: how long a message has lain here is no matter of business.
    """
    waiting = selectors.unsettled(before=now - timedelta(seconds=SETTLE_SECONDS), limit=SWEEP_LIMIT)
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
) -> tuple[list[Outcome[UUID]], list[UUID]]:
    """Lock, read, capture, cancel, mark. Returns the outcomes and the orders to accept."""
    rows = list(InboxMessage.objects.for_scope(ALL_ACCOUNTS).locked(message_ids))
    open_rows = [row for row in rows if row.state == InboxState.RECEIVED]
    read = _read(open_rows)
    drafts = {key: what for key, what in read.items() if isinstance(what, OrderDraft)}
    cancels = {key: what for key, what in read.items() if isinstance(what, ChannelCancel)}
    by_id = {row.pk: row for row in open_rows}
    outcomes: dict[UUID, Outcome[UUID]] = {
        row.pk: Outcome.repeated(row.subject_id) for row in rows if row not in open_rows
    }
    captured: list[UUID] = []
    answers = orders.services.capture_orders(list(drafts.values()), at=at, actor=actor)
    for message_id, answer in zip(drafts, answers, strict=True):
        row = by_id[message_id]
        if answer.value is None:
            outcomes[message_id] = _bury(row, answer, at=at)
        elif answer.value.repeated:
            number = answer.value.number
            row.ignore(
                code="repeated",
                reason=f"The order {number} was captured before.",
                at=at,
                subject_id=answer.value.id,
            )
            outcomes[message_id] = Outcome.repeated(answer.value.id)
        else:
            row.apply(order_id=answer.value.id, at=at)
            captured.append(answer.value.id)
            outcomes[message_id] = Outcome.done(answer.value.id)
    outcomes |= _cancel(cancels, by_id, at=at, actor=actor)
    for message_id, what in read.items():
        if isinstance(what, Ignored):
            by_id[message_id].ignore(code=what.code, reason=what.reason, at=at)
            outcomes[message_id] = Outcome.refused(what.code, what.reason)
        elif isinstance(what, Outcome):
            outcomes[message_id] = _bury(by_id[message_id], what, at=at)
    _save(open_rows)
    _report_dead(open_rows, at=at)
    missing = Outcome[UUID].refused("not-found", "There is no such message.")
    return [outcomes.get(message_id, missing) for message_id in message_ids], captured


def _read(rows: Iterable[InboxMessage]) -> dict[UUID, Understood | Outcome[UUID]]:
    """What each message asks, or the refusal that it cannot be read."""
    wanted = list(rows)
    letters = selectors.letters_of([row.pk for row in wanted])
    channels = selectors.channels_by_id([row.channel_id for row in wanted if row.channel_id])
    return {
        row.pk: _understand(
            row, letters.get(row.pk), channels.get(row.channel_id) if row.channel_id else None
        )
        for row in wanted
    }


def _understand(
    row: InboxMessage, letter: selectors.Letter | None, channel: ChannelRef | None
) -> Understood | Outcome[UUID]:
    if letter is None or channel is None:
        return Outcome.refused("erased", "The message's content was erased.")
    try:
        document = json.loads(letter.raw)
        dialect = registry.dialect(row.source.partition(":")[0])
        understood = dialect.understand(row.kind, document, channel, row.received_at)
    except (ValueError, RecursionError):
        return Outcome.refused("not-json", "The message is not valid JSON.")
    except NotSold as nothing:
        return Ignored(nothing.code, nothing.detail)
    except Unreadable as unreadable:
        return Outcome.refused(unreadable.code, unreadable.detail, **unreadable.extra)
    if isinstance(understood, OrderDraft):
        return replace(understood, inbox_id=row.pk)
    return understood


def _cancel(
    cancels: Mapping[UUID, ChannelCancel],
    rows: Mapping[UUID, InboxMessage],
    *,
    at: datetime,
    actor: Actor,
) -> dict[UUID, Outcome[UUID]]:
    """Cancel what channels have cancelled. One that we do not have yet waits for its order."""
    if not cancels:
        return {}
    named = {
        key: (channel_id, cancel.external_id)
        for key, cancel in cancels.items()
        if (channel_id := rows[key].channel_id) is not None
    }
    found = ids_by_external(list(named.values()))
    outcomes: dict[UUID, Outcome[UUID]] = {}
    wanted: list[tuple[UUID, UUID, CancelRequest]] = []
    for key, natural in named.items():
        order_id = found.get(natural)
        if order_id is None:
            outcomes[key] = _fail(rows[key], "no-order", "Its order has not come yet.", at=at)
        else:
            asked = CancelRequest(order_id, reason=cancels[key].reason, initiator="channel")
            wanted.append((key, order_id, asked))
    answers = orders.services.cancel_units([ask for *_, ask in wanted], at=at, actor=actor)
    for (key, order_id, _), answer in zip(wanted, answers, strict=True):
        if answer.ok:
            rows[key].apply(order_id=order_id, at=at)
            outcomes[key] = Outcome.done(order_id)
        else:
            problem = answer.problem
            rows[key].ignore(
                code=problem.code if problem else "refused",
                reason=problem.detail if problem else "The cancel was refused.",
                at=at,
                subject_id=order_id,
            )
            outcomes[key] = Outcome.refused(rows[key].code, rows[key].reason)
    return outcomes


def _fail(row: InboxMessage, code: str, reason: str, *, at: datetime) -> Outcome[UUID]:
    """Count an attempt that may yet succeed; the last one buries the message."""
    row.attempts += 1
    row.code, row.reason = code, reason
    if row.attempts >= ATTEMPTS:
        row.bury(code=code, reason=reason, at=at)
    return Outcome.refused(code, reason)


def _bury(row: InboxMessage, refusal: Outcome[Any], *, at: datetime) -> Outcome[UUID]:
    problem = refusal.problem
    code = problem.code if problem else "refused"
    reason = problem.detail if problem else "It was refused."
    row.attempts += 1
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
        InboxMessage.objects.for_scope(ALL_ACCOUNTS).bulk_update(
            rows,
            [
                "state",
                "code",
                "reason",
                "attempts",
                "subject_kind",
                "subject_id",
                "thread_id",
                "settled_at",
            ],
        )


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


def _insert_messages(made: Sequence[tuple[UUID, Incoming]], at: datetime) -> set[UUID]:
    """Insert what has not come before; return the ids that are ours."""
    # Sorted, so that two batches with the same messages do not wait for each other in a ring.
    ordered = sorted(made, key=lambda pair: (pair[1].source, pair[1].external_id))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_inboxmessage (id, account_id, channel_id, source, external_id,
                kind, state, code, reason, attempts, subject_kind, received_at)
            SELECT fresh.*, 'received', '', '', 0, '', %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[])
                AS fresh
            ON CONFLICT (account_id, source, external_id) DO NOTHING
            RETURNING id
            """,
            [
                at,
                [key for key, _ in ordered],
                [message.account_id for _, message in ordered],
                [message.channel_id for _, message in ordered],
                [message.source for _, message in ordered],
                [message.external_id for _, message in ordered],
                [message.kind for _, message in ordered],
            ],
        )
        return {row[0] for row in cursor.fetchall()}


def _insert_bodies(fresh: Sequence[tuple[UUID, Incoming]]) -> None:
    if not fresh:
        return
    keys = vault.new_keys(len(fresh))
    sealed = [
        vault.seal(
            key.id,
            {
                "headers": kept_headers(message.headers),
                "raw": base64.b64encode(message.raw).decode(),
            },
        )
        for key, (_, message) in zip(keys, fresh, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO integrations_inboxbody (id, key_id, sealed) "
            "SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bytea[])",
            [[message_id for message_id, _ in fresh], [key.id for key in keys], sealed],
        )


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers worth keeping: the channel's own, never a credential."""
    return {
        name.lower(): value[:500]
        for name, value in headers.items()
        if (name.lower() in KEPT_HEADERS or name.lower().startswith(KEPT_HEADER_PREFIXES))
        and name.lower() not in _SECRET_HEADERS
    }


def _states_of(messages: Sequence[Incoming]) -> dict[tuple[UUID, str, str], tuple[UUID, str]]:
    if not messages:
        return {}
    rows = (
        InboxMessage.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            account_id__in={message.account_id for message in messages},
            source__in={message.source for message in messages},
            external_id__in={message.external_id for message in messages},
        )
        .values_list("account_id", "source", "external_id", "pk", "state")
    )
    return {(account, source, key): (pk, state) for account, source, key, pk, state in rows}
