"""Taking orders in: capture, then accept what is new. Single orders that wait together go together.

Each request thread hands its parsed order to the process's combiner. Whoever leads takes the
idempotency keys, runs the two commands and writes the answers, each for all orders of a caller at
once: under load the statements of an order are shared. Who sent what stays apart: outcome, key and
correlation id are each request's own.
"""

import json
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from django.db import OperationalError

from config.kernel import clock, idempotency
from config.kernel.combining import Combiner, each_for_itself
from config.kernel.errors import DomainError, Invalid
from config.kernel.idempotency import Asked, Finished, Proceed, Stored
from config.kernel.models import Channel
from config.kernel.prepared import planned_once
from config.kernel.types import Actor, Outcome, OutcomeKind
from orders import keeping, selectors, services
from orders.api import rendering
from orders.api.channels import unknown_channel
from orders.api.parsing import read_order, wrong_besides
from orders.api.requests import refusal_of
from orders.keeping import SentOrder
from orders.types import AcceptedOrder, CapturedOrder, OrderDraft

Taken: TypeAlias = tuple[Outcome[CapturedOrder], AcceptedOrder | None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """One order of one request: `raw` as it came; `asked` when there is an `Idempotency-Key`."""

    draft: OrderDraft
    actor: Actor
    asked: Asked | None = None
    raw: bytes = b""
    channel_code: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the request is answered, and the order that it is about."""

    status: int
    body: dict[str, Any]
    order_id: UUID


def take_in_one(sent: Sent) -> Answer | Stored:
    """Take one order in, together with those that other threads are waiting with.

    Answers a repeated request with what it was told. Raises the refusal of a refused order.
    """
    return _together.submit(sent)


def read_one(
    body: Any,
    channel: Channel | Invalid,
    raw: bytes,
    asked: Asked | None,
    *,
    at: datetime,
    actor: Actor,
) -> Sent:
    """The order that the JSON describes. Raises Invalid with all that is wrong, the channel too.

    What was sent for a channel is kept with the refusal.
    """
    if isinstance(channel, Invalid):
        raise wrong_besides(body, channel, at=at)
    try:
        draft = read_order(body, channel, at=at)
    except Invalid as refusal:
        keeping.keep([_unread(channel, raw, refusal)], at=at)
        raise
    if asked is not None and draft.id is not None:
        asked = replace(asked, ids=(draft.id,))
    return Sent(draft, actor, asked, raw, channel.code)


def read_orders(
    bodies: Sequence[Any], channels: Sequence[Channel | None], *, at: datetime, actor: Actor
) -> list[Sent | DomainError]:
    """Each order of the list, or why it is none; those are kept, in one statement."""
    read: list[Sent | DomainError] = []
    wrong = []
    for place, (body, channel) in enumerate(zip(bodies, channels, strict=True)):
        pointer = f"/orders/{place}"
        if channel is None:
            unknown = unknown_channel(f"{pointer}/channel")
            read.append(wrong_besides(body, unknown, at=at, pointer=pointer))
            continue
        raw = json.dumps(body).encode()
        try:
            draft = read_order(body, channel, at=at, pointer=pointer)
        except Invalid as refusal:
            wrong.append(_unread(channel, raw, refusal))
            read.append(refusal)
        else:
            read.append(Sent(draft, actor, raw=raw, channel_code=channel.code))
    keeping.keep(wrong, at=at)
    return read


def _unread(channel: Channel, raw: bytes, refusal: Invalid) -> SentOrder:
    return SentOrder(
        channel.account_id,
        channel.pk,
        channel.code,
        raw,
        OutcomeKind.REFUSED,
        refusal.code,
        refusal.detail,
    )


def take_in(
    sent: Sequence[Sent], *, at: datetime, actor: Actor, made: Collection[UUID] = ()
) -> list[Taken]:
    """Capture, then accept what is new: two commands, two commits.

    A crash between them leaves captured orders, which the sweeper accepts. `made` are the ids that
    an earlier try of the same request gave its orders: those that are there are its own, and new.
    """
    captured = [_as_new(outcome, made) for outcome in _capture(sent, at=at, actor=actor)]
    fresh = _fresh(captured)
    outcomes = services.accept_orders(fresh, at=at, actor=actor) if fresh else []
    accepted = dict(zip(fresh, outcomes, strict=True))
    standing = _standing(captured, fresh)
    return [_taken(outcome, accepted, standing) for outcome in captured]


def _capture(sent: Sequence[Sent], *, at: datetime, actor: Actor) -> list[Outcome[CapturedOrder]]:
    """Capture; what was sent is kept in the same transaction, with its outcome."""

    def keep(outcomes: Sequence[Outcome[CapturedOrder]]) -> None:
        kept = [
            keeping.sent_order(one.draft, one.channel_code, one.raw, outcome)
            for one, outcome in zip(sent, outcomes, strict=True)
            if one.raw
        ]
        keeping.keep(kept, at=at)

    return services.capture_orders([one.draft for one in sent], at=at, actor=actor, beside=keep)


def _as_new(outcome: Outcome[CapturedOrder], made: Collection[UUID]) -> Outcome[CapturedOrder]:
    """An order that an earlier try of the same request made is no repeat: nobody was told of it."""
    if outcome.value is None or outcome.value.id not in made:
        return outcome
    return Outcome.done(replace(outcome.value, repeated=False))


@planned_once()
def take_in_together(batch: Sequence[Sent]) -> list[Answer | Stored | Exception]:
    """Take the keys, make the effects caller by caller, keep the answers.

    The number of statements does not depend on the number of orders, only on that of callers.
    """
    answers: dict[int, Answer | Stored | Exception] = {}
    keys: dict[int, Proceed] = {}
    keyed = [(place, one.asked) for place, one in enumerate(batch) if one.asked is not None]
    rights = idempotency.begin_all([asked for _, asked in keyed])
    for (place, _), right in zip(keyed, rights, strict=True):
        if isinstance(right, Proceed):
            keys[place] = right
        else:
            answers[place] = right
    try:
        callers: dict[Actor, list[int]] = {}
        for place, one in enumerate(batch):
            if place not in answers:
                caller = replace(one.actor, correlation_id="", idempotency_key="")
                callers.setdefault(caller, []).append(place)
        for caller, places in callers.items():
            sent = [batch[place] for place in places]
            made = {made for place in places if place in keys for made in keys[place].made}
            answers |= zip(places, _effects(caller, sent, made), strict=True)
    finally:
        _settle(keys, answers)
    return [answers[place] for place in range(len(batch))]


def _effects(
    caller: Actor, sent: Sequence[Sent], made: Collection[UUID]
) -> list[Answer | Exception]:
    """The two commands for the orders of one caller; a fault is told to whom it concerns."""
    at, actor = clock.now(), _actor_of(caller, sent)
    captured = [
        _as_new(outcome, made) if isinstance(outcome, Outcome) else outcome
        for outcome in each_for_itself(lambda some: _capture(some, at=at, actor=actor), sent)
    ]
    _keep_faults(sent, captured, at=at)
    whole = [outcome for outcome in captured if isinstance(outcome, Outcome)]
    fresh = _fresh(whole)
    outcomes = each_for_itself(
        lambda order_ids: services.accept_orders(order_ids, at=at, actor=actor), fresh
    )
    accepted = dict(zip(fresh, outcomes, strict=True))
    standing = _standing(whole, fresh)
    return [
        outcome if isinstance(outcome, Exception) else _answer(outcome, accepted, standing)
        for outcome in captured
    ]


def _keep_faults(
    sent: Sequence[Sent], captured: Sequence[Outcome[CapturedOrder] | Exception], *, at: datetime
) -> None:
    """Keep what failed through a fault of ours, to be replayed; what was only busy is sent again."""
    broken = [
        keeping.sent_order(one.draft, one.channel_code, one.raw, outcome)
        for one, outcome in zip(sent, captured, strict=True)
        if isinstance(outcome, Exception)
        and not isinstance(outcome, OperationalError | DomainError)
        and one.raw
    ]
    try:
        keeping.keep(broken, at=at)
    except Exception:  # noqa: BLE001  # the senders hear of the fault itself
        _log.exception("orders that could not be taken in could not be kept either")


def _actor_of(caller: Actor, sent: Sequence[Sent]) -> Actor:
    """Who acts: the request itself, or the caller for several, each order under its request."""
    if len(sent) == 1:
        return sent[0].actor
    return replace(
        caller,
        correlations={
            one.draft.id: one.actor.correlation_id for one in sent if one.draft.id is not None
        },
    )


def _answer(
    outcome: Outcome[CapturedOrder],
    accepted: dict[UUID, Outcome[AcceptedOrder] | Exception],
    standing: dict[UUID, AcceptedOrder],
) -> Answer | Exception:
    captured = outcome.value
    if captured is None:
        return refusal_of(outcome)
    acceptance = accepted.get(captured.id)
    if isinstance(acceptance, Exception):
        return acceptance
    stands = acceptance.value if acceptance else standing.get(captured.id)
    body = rendering.taken_order(captured, stands)
    return Answer(200 if captured.repeated else 201, body, captured.id)


def _settle(keys: dict[int, Proceed], answers: dict[int, Answer | Stored | Exception]) -> None:
    """Keep the answers under their keys; free the keys of what came to nothing."""
    finished, freed = [], []
    for place, taken in keys.items():
        answer = answers.get(place)
        if isinstance(answer, Answer):
            kept = idempotency.stored(answer.status, answer.body)
            finished.append(Finished(taken, kept, [answer.order_id]))
        else:
            freed.append(taken)
    idempotency.finish_all(finished)
    idempotency.give_up_all(freed)


def _fresh(captured: Iterable[Outcome[CapturedOrder]]) -> list[UUID]:
    return [
        outcome.value.id
        for outcome in captured
        if outcome.value is not None and not outcome.value.repeated and outcome.value.accepts
    ]


def _standing(
    captured: Iterable[Outcome[CapturedOrder]], fresh: Collection[UUID]
) -> dict[UUID, AcceptedOrder]:
    """What stands of the orders that were there before: a repeat is answered from their rows."""
    known = {outcome.value.id for outcome in captured if outcome.value is not None} - set(fresh)
    there = {
        outcome.value.id
        for outcome in captured
        if outcome.value is not None and (outcome.value.repeated or not outcome.value.accepts)
    }
    return selectors.accepted_orders(known & there) if known & there else {}


def _taken(
    outcome: Outcome[CapturedOrder],
    accepted: dict[UUID, Outcome[AcceptedOrder]],
    standing: dict[UUID, AcceptedOrder],
) -> Taken:
    if outcome.value is None:
        return outcome, None
    acceptance = accepted.get(outcome.value.id)
    return outcome, acceptance.value if acceptance else standing.get(outcome.value.id)


_together: Combiner[Sent, Answer | Stored] = Combiner(take_in_together)
