"""Returns let in, refused, called off or lapsed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from config.kernel.errors import DomainError
from config.kernel.services import intents
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from returns.facts import OrderFacts, facts_of
from returns.models import Return
from returns.services.credit import credit_what_is_due
from returns.services.labels import ask_labels
from returns.services.work import Work, final_standings, open_returns, owner_of, refused
from returns.states import ReturnState, Trigger
from returns.types import Authorization, ReturnStanding

BATCH = 200
_LONGEST_WHY = 200


@transaction.atomic
def authorize_returns(
    authorizations: Sequence[Authorization], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Let returns come. One outcome each, in order.

    They come to the node named, or to where the goods were sent from, with a label asked of the
    carrier. What the buyer keeps is refunded and settled; so is, where the policy pays at once,
    what is still to come.
    """
    work = open_returns([one.return_id for one in authorizations], scope=actor.scope)
    facts = facts_of({one.order_id for one in work.returns.values() if one.order_id})
    verdicts: list[Outcome[UUID]] = []
    let_in: list[UUID] = []
    for one in authorizations:
        try:
            returned = work.visible(one.return_id)
            if returned.state in {ReturnState.AUTHORIZED, ReturnState.IN_TRANSIT}:
                verdicts.append(Outcome.repeated(one.return_id))
                continue
            returned.node_id = one.node_id or returned.node_id
            _let_in(returned, facts, at=at)
        except DomainError as refusal:
            verdicts.append(refused(refusal, work.returns.get(one.return_id)))
            continue
        let_in.append(one.return_id)
        verdicts.append(Outcome.done(one.return_id))
    _go_on(work, let_in, facts, at=at, actor=actor)
    return final_standings(work, verdicts)


def authorize_in_hand(
    work: Work,
    return_ids: Sequence[UUID],
    facts: Mapping[UUID, OrderFacts],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Authorise returns that the caller has just made, in its transaction."""
    for return_id in return_ids:
        _let_in(work.returns[return_id], facts, at=at)
    _go_on(work, return_ids, facts, at=at, actor=actor)


def _let_in(returned: Return, facts: Mapping[UUID, OrderFacts], *, at: datetime) -> None:
    days = int(returned.verdict.get("expires_days", 30))
    returned.authorize(expires_at=at + timedelta(days=days), at=at)
    if returned.node_id is None:
        of = facts[owner_of(returned)]
        returned.node_id = next(
            (of.shipped_from[line_id] for line_id in of.lines if line_id in of.shipped_from), None
        )


def _go_on(
    work: Work,
    return_ids: Sequence[UUID],
    facts: Mapping[UUID, OrderFacts],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """What follows from an authorisation: a label, and money where it does not wait for goods."""
    if not return_ids:
        return
    let_in = [work.returns[return_id] for return_id in return_ids]
    for returned in let_in:
        work.tell(returned, "return.authorized", node_id=returned.node_id, keep=returned.keep)
    labels = ask_labels(let_in, facts)
    due = [one.pk for one in let_in if one.keep or one.refund_trigger == Trigger.AT_ONCE]
    credit_what_is_due(work, due, at=at, actor=actor)
    for returned in let_in:
        if returned.keep:
            returned.settle(at=at)
            work.tell(returned, "return.settled", credited_minor=returned.credited_minor)
    work.write(at=at, actor=actor, reason="authorised")
    intents.add(labels, at=at, actor=actor)


@transaction.atomic
def decline_returns(
    return_ids: Sequence[UUID], *, why: str, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Refuse returns, with a reason that the buyer is told. One outcome each, in order."""
    return _end(return_ids, "decline", "return.declined", at=at, actor=actor, why=why)


@transaction.atomic
def cancel_returns(
    return_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Call returns off before anything is on its way. One outcome each, in order."""
    return _end(return_ids, "cancel", "return.cancelled", at=at, actor=actor)


def _end(  # two verbs share it
    return_ids: Sequence[UUID],
    verb: str,
    topic: str,
    *,
    at: datetime,
    actor: Actor,
    why: str | None = None,
) -> list[Outcome[ReturnStanding]]:
    work = open_returns(return_ids, scope=actor.scope)
    verdicts: list[Outcome[UUID]] = []
    target = {"decline": ReturnState.DECLINED, "cancel": ReturnState.CANCELLED}[verb]
    for return_id in return_ids:
        try:
            returned = work.visible(return_id)
            if returned.state == target:
                verdicts.append(Outcome.repeated(return_id))
                continue
            if why is None:
                returned.cancel()
            else:
                returned.decline(why=why[:_LONGEST_WHY])
        except DomainError as refusal:
            verdicts.append(refused(refusal, work.returns.get(return_id)))
            continue
        work.tell(returned, topic)
        verdicts.append(Outcome.done(return_id))
    work.write(at=at, actor=actor, reason=why or verb)
    return final_standings(work, verdicts)


@transaction.atomic
def expire_returns(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """End the authorised returns of which nothing was heard in time. Answers how many."""
    due = list(
        Return.objects.for_scope(ALL_ACCOUNTS)
        .overdue(at)
        .order_by("expires_at")
        .values_list("pk", flat=True)[:limit]
    )
    if not due:
        return 0
    work = open_returns(due, scope=ALL_ACCOUNTS)
    ended = 0
    for returned in work.returns.values():
        if returned.state == ReturnState.AUTHORIZED and (returned.expires_at or at) < at:
            returned.expire()
            work.tell(returned, "return.expired")
            if returned.credited_minor:
                work.report("RETURN_UNPAID_GOODS", returned, credited_minor=returned.credited_minor)
            ended += 1
    work.write(at=at, actor=actor, reason="nothing came")
    return ended
