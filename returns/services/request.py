"""Returns asked for: the policy says what it thinks, in words, and they stay with the return."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

import orders.services
from config.kernel import events, ids
from config.kernel.errors import Conflict, DomainError, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.selectors import order_heads
from orders.states import Mode
from returns import policy
from returns.facts import OrderFacts, facts_of
from returns.models import Return, ReturnLine
from returns.services.authorize import authorize_in_hand
from returns.services.work import Work, fact_of, refused, standing_of
from returns.states import Decision, ReturnKind, ReturnState, Wants
from returns.types import RequestedUnits, ReturnRequest, ReturnStanding, Verdict


@transaction.atomic
def request_returns(
    requests: Sequence[ReturnRequest], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Ask for goods to come back. One outcome per request, in order.

    What the policy accepts waits to be authorised, or is at once where the policy says so; what it
    does not settle waits for a person; what it refuses is refused with its words, unless somebody
    lets it in with a reason. What a channel has agreed with the buyer is authorised. A channel's
    number is asked for once: a repeat answers with the first.
    """
    orders.services.lock_orders({request.order_id for request in requests})
    facts = facts_of({request.order_id for request in requests})
    past = {
        head.id for head in order_heads(facts, ALL_ACCOUNTS).values() if head.mode == Mode.HISTORY
    }
    known = _known(requests)
    outcomes: list[Outcome[UUID]] = []
    fresh: list[Return] = []
    lines: list[ReturnLine] = []
    repeated = dict(known)
    for request in requests:
        of = facts.get(request.order_id)
        if request.external_id and of and (of.account_id, request.external_id) in repeated:
            outcomes.append(Outcome.repeated(repeated[of.account_id, request.external_id].pk))
            continue
        try:
            made, own = _shape(request, of, lines, past, at=at, actor=actor)
        except DomainError as refusal:
            outcomes.append(refused(refusal))
            continue
        fresh.append(made)
        lines += own
        if request.external_id:
            repeated[made.account_id, request.external_id] = made
        outcomes.append(Outcome.done(made.pk))
    work = insert_returns(fresh, lines, "return.requested", at=at, actor=actor)
    authorize_in_hand(work, _authorized_at_once(work, facts), facts, at=at, actor=actor)
    every = {**{one.pk: one for one in known.values()}, **work.returns}
    return [
        Outcome(one.kind, standing_of(every[one.value]) if one.value else None, one.problem)
        for one in outcomes
    ]


def _known(requests: Sequence[ReturnRequest]) -> dict[tuple[UUID, str], Return]:
    named = [request.external_id for request in requests if request.external_id]
    if not named:
        return {}
    rows = Return.objects.for_scope(ALL_ACCOUNTS).filter(external_id__in=named)
    return {(row.account_id, row.external_id): row for row in rows}


def _shape(
    request: ReturnRequest,
    of: OrderFacts | None,
    before: Sequence[ReturnLine],
    past: set[UUID],
    *,
    at: datetime,
    actor: Actor,
) -> tuple[Return, list[ReturnLine]]:
    """A fresh return with its lines, as the policy judges it. Raises the refusal."""
    if of is None or not actor.scope.allows(of.account_id):
        raise NotFound("There is no such order.")
    if request.order_id in past:
        raise Conflict("The order is a fact of the past: what it brought back was not kept here.")
    wanted = _summed(request.lines)
    taken: dict[UUID | None, int] = {}
    for line in before:
        taken[line.order_line_id] = taken.get(line.order_line_id, 0) + line.requested
    _require_units(of, wanted, taken)
    verdict = policy.judge(of.terms, [of.asked(units) for units in wanted], at=at)
    agreed = request.kind == ReturnKind.CHANNEL
    if verdict.decision == Decision.REFUSE and not agreed and not request.override:
        raise Conflict(
            verdict.words,
            lines=[asdict(line) | {"line_id": str(line.line_id)} for line in verdict.lines],
        )
    made = _return_of(request, of, verdict, at=at)
    if verdict.decision == Decision.REVIEW and not agreed and not request.override:
        made.ask_for_review()
    return made, [
        _line_of(made, of, units, place, verdict) for place, units in enumerate(wanted, start=1)
    ]


def _summed(lines: Sequence[RequestedUnits]) -> list[RequestedUnits]:
    """Units per line and reason, each named once."""
    units: dict[tuple[UUID, str], int] = {}
    for line in lines:
        key = (line.order_line_id, line.reason)
        units[key] = units.get(key, 0) + line.quantity
    return [
        RequestedUnits(line_id, quantity, reason) for (line_id, reason), quantity in units.items()
    ]


def _require_units(
    of: OrderFacts, wanted: Sequence[RequestedUnits], taken: dict[UUID | None, int]
) -> None:
    """No more than there is, whatever the policy says: counted over reasons and requests."""
    if not wanted:
        raise Conflict("A return has at least one line.")
    total: dict[UUID, int] = {}
    for units in wanted:
        total[units.order_line_id] = total.get(units.order_line_id, 0) + units.quantity
    for line_id, quantity in total.items():
        left = of.returnable(line_id) - taken.get(line_id, 0)
        if quantity > left or any(units.quantity < 1 for units in wanted):
            title = of.lines[line_id].title if line_id in of.lines else "A line"
            raise Conflict(
                f"{title}: {max(0, left)} may come back, {quantity} are asked for.",
                line_id=str(line_id),
            )


def _return_of(request: ReturnRequest, of: OrderFacts, verdict: Verdict, *, at: datetime) -> Return:
    words = verdict.words
    if request.override:
        words = f"{words} Let in: {request.override}"
    if request.kind == ReturnKind.CHANNEL:
        words = "The channel has agreed with the buyer."
    return Return(
        id=ids.uuid7(),
        account_id=of.account_id,
        order_id=of.order_id,
        kind=request.kind,
        external_id=request.external_id,
        policy=of.policy,
        verdict=frozen(verdict, of),
        words=words[:500],
        currency=of.currency,
        wants=request.wants,
        keep=verdict.keep and request.wants == Wants.REFUND,
        fee_minor=verdict.fee_minor,
        refunds_shipping=verdict.refunds_shipping,
        label_paid_by=verdict.label_paid_by,
        refund_trigger=verdict.refund_trigger,
        requested_at=at,
        updated_at=at,
        event_seq=1,
    )


def frozen(verdict: Verdict, of: OrderFacts) -> dict[str, Any]:
    """The verdict as it is kept, with the version of the policy that gave it."""
    return {
        "decision": verdict.decision,
        "words": verdict.words,
        "policy_version": of.policy.version if of.policy else 0,
        "expires_days": of.terms.expires_days,
        "authorizes_itself": of.terms.authorizes_itself,
        "lines": [
            {
                "line_id": str(line.line_id),
                "decision": line.decision,
                "code": line.code,
                "words": line.words,
            }
            for line in verdict.lines
        ],
    }


def _line_of(
    made: Return, of: OrderFacts, units: RequestedUnits, place: int, verdict: Verdict
) -> ReturnLine:
    line = of.lines[units.order_line_id]
    said = verdict.lines[place - 1]
    return ReturnLine(
        id=ids.uuid7(),
        account_id=made.account_id,
        returned_id=made.pk,
        position=place,
        order_line_id=line.line_id,
        sku_id=line.sku_id,
        title=line.title,
        reason=units.reason[:48],
        reason_class=said.reason_class,
        requested=units.quantity,
    )


def insert_returns(
    fresh: Sequence[Return],
    lines: Sequence[ReturnLine],
    topic: str,
    *,
    at: datetime,
    actor: Actor,
) -> Work:
    """Insert returns with their lines, their history and an event each; they are in hand then."""
    Return.objects.bulk_create(fresh)
    ReturnLine.objects.bulk_create(lines)
    numbers = dict(
        Return.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=[one.pk for one in fresh])
        .values_list("pk", "number")
    )
    for one in fresh:
        one.number = numbers[one.pk]
    record_history(Return, list(numbers), Change.CREATED, at=at, actor=actor, reason=topic)
    events.record([fact_of(one, topic, {}) for one in fresh], at=at, actor=actor)
    return Work({one.pk: one for one in fresh}, {line.pk: line for line in lines}, actor.scope)


def _authorized_at_once(work: Work, facts: dict[UUID, OrderFacts]) -> list[UUID]:
    """Those that nobody needs to look at."""
    return [
        one.pk
        for one in work.returns.values()
        if one.state == ReturnState.REQUESTED
        and one.order_id is not None
        and (
            one.kind == ReturnKind.CHANNEL
            or (
                one.verdict["decision"] == Decision.ACCEPT
                and facts[one.order_id].terms.authorizes_itself
            )
        )
    ]
