"""Settling: the buyer gets what is due for what was accepted, in money or in other goods."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

import orders.services
from config.kernel.errors import Conflict, DomainError
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.selectors import skus_by_code
from orders.selectors import creditable_lines, disputed_orders, order_heads, orders_giving_back
from orders.types import Credited, LinkedLine, LinkedOrder, OrderHead
from returns.models import Return
from returns.services.credit import CAUSE, credit
from returns.services.work import Work, final_standings, open_returns, owner_of, refused, require
from returns.states import ReturnState
from returns.types import Exchange, ExchangeItem, ReturnStanding

BATCH = 200
PAID_TOO_MUCH = "RETURN_UNPAID_GOODS"
DISPUTED = "The buyer disputes the payment: what is due is given back once the bank has decided."


@transaction.atomic
def settle_returns(
    return_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Give back what is due for what was accepted. One outcome per id, in order.

    What was paid before and not accepted stays with the buyer, with a case.
    """
    work = open_returns(return_ids, scope=actor.scope)
    disputed = _disputed(work)
    verdicts: list[Outcome[UUID]] = []
    wanted: dict[UUID, dict[UUID, int]] = {}
    for return_id in return_ids:
        try:
            returned = work.visible(return_id)
            if returned.state in {ReturnState.SETTLED, ReturnState.CLOSED}:
                verdicts.append(Outcome.repeated(return_id))
                continue
            _require_inspected(returned)
            require(returned.order_id not in disputed, DISPUTED)
        except DomainError as refusal:
            verdicts.append(refused(refusal, work.returns.get(return_id)))
            continue
        wanted[return_id] = _due(work, return_id)
        verdicts.append(Outcome.done(return_id))
    credit(work, wanted, at=at, actor=actor)
    settle_in_hand(work, list(wanted), at=at)
    work.write(at=at, actor=actor, reason="settled")
    return final_standings(work, verdicts)


def _disputed(work: Work) -> set[UUID]:
    """The orders whose payment the buyer disputes. Nothing is read when there are none."""
    owners = {returned.order_id for returned in work.returns.values() if returned.order_id}
    return disputed_orders(owners, ALL_ACCOUNTS) if owners else set()


def _require_inspected(returned: Return) -> None:
    require(
        returned.state == ReturnState.INSPECTED,
        f"{returned.number} is {returned.get_state_display().lower()}: grade what came first.",
    )


def _due(work: Work, return_id: UUID) -> dict[UUID, int]:
    return {
        line.pk: line.accepted - line.refunded
        for line in work.lines_of(return_id)
        if line.order_line_id is not None and line.accepted > line.refunded
    }


def settle_in_hand(work: Work, return_ids: Sequence[UUID], *, at: datetime) -> None:
    """Mark returns that are locked and paid for as settled."""
    for return_id in return_ids:
        returned = work.returns[return_id]
        if returned.state != ReturnState.INSPECTED:
            continue
        returned.settle(at=at)
        work.tell(returned, "return.settled", credited_minor=returned.credited_minor)
        over = sum(max(0, line.refunded - line.accepted) for line in work.lines_of(returned.pk))
        if over and not returned.keep:
            work.report(PAID_TOO_MUCH, returned, units=over)


@transaction.atomic
def exchange_returns(
    exchanges: Sequence[Exchange], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Give other goods for what was accepted: a linked order each. One outcome each, in order.

    What the goods that came back are worth pays for it; what is left goes back to the buyer, what
    is missing waits for their payment. Refused while the money was not taken yet.
    """
    work = open_returns([one.return_id for one in exchanges], scope=actor.scope)
    heads = order_heads(
        [one.order_id for one in work.returns.values() if one.order_id], ALL_ACCOUNTS
    )
    prices = _prices(work, exchanges, heads)
    outcomes: dict[int, Outcome[UUID]] = {}
    ready: dict[UUID, tuple[int, tuple[LinkedLine, ...]]] = {}
    for place, one in enumerate(exchanges):
        try:
            returned = work.visible(one.return_id)
            if returned.exchange_order_id is not None:
                outcomes[place] = Outcome.repeated(one.return_id)
                continue
            _require_inspected(returned)
            require(bool(_due(work, one.return_id)), "Nothing was accepted that is not paid for.")
            lines = _lines(returned, one.items, heads, prices)
        except DomainError as refusal:
            outcomes[place] = refused(refusal, work.returns.get(one.return_id))
            continue
        cost = sum(line.price_minor * line.quantity for line in lines)
        ready[one.return_id] = cost, lines
        outcomes[place] = Outcome.done(one.return_id)
    credited = credit(
        work,
        {return_id: _due(work, return_id) for return_id in ready},
        carried_minor={return_id: cost for return_id, (cost, _) in ready.items()},
        at=at,
        actor=actor,
    )
    failed = _place(work, ready, credited, at=at, actor=actor)
    work.write(at=at, actor=actor, reason="exchanged")
    return final_standings(
        work, [failed.get(exchanges[at].return_id, outcomes[at]) for at in sorted(outcomes)]
    )


def _prices(
    work: Work, exchanges: Sequence[Exchange], heads: Mapping[UUID, OrderHead]
) -> dict[tuple[UUID, str], int]:
    """What the SKUs cost now, by channel and code: one statement per channel."""
    codes: dict[tuple[UUID, UUID], set[str]] = {}
    for one in exchanges:
        returned = work.returns.get(one.return_id)
        known = returned is not None and returned.order_id is not None
        head = heads.get(owner_of(returned)) if known and returned is not None else None
        if head is not None:
            wanted = codes.setdefault((head.account_id, head.channel_id), set())
            wanted.update(item.sku_code for item in one.items)
    return {
        (channel_id, code): view.price_minor
        for (account_id, channel_id), wanted in codes.items()
        for code, view in skus_by_code(account_id, channel_id, sorted(wanted)).items()
    }


def _lines(
    returned: Return,
    items: Sequence[ExchangeItem],
    heads: Mapping[UUID, OrderHead],
    prices: Mapping[tuple[UUID, str], int],
) -> tuple[LinkedLine, ...]:
    require(bool(items), "An exchange gives at least one thing.")
    channel_id = heads[owner_of(returned)].channel_id
    lines = []
    for item in items:
        if (channel_id, item.sku_code) not in prices:
            raise Conflict(f"There is no SKU {item.sku_code}.")
        require(item.quantity > 0, "An exchange gives at least one unit of each.")
        price = prices[channel_id, item.sku_code] if item.price_minor is None else item.price_minor
        require(price >= 0, "A price is not negative.")
        lines.append(LinkedLine(item.sku_code, item.quantity, price))
    return tuple(lines)


def _place(
    work: Work,
    ready: Mapping[UUID, tuple[int, tuple[LinkedLine, ...]]],
    credited: Mapping[UUID, Outcome[Credited]],
    *,
    at: datetime,
    actor: Actor,
) -> dict[UUID, Outcome[UUID]]:
    """Place the linked orders of what was credited; answers those that could not be, with why.

    Raises Conflict when an order is refused whose money was carried over already.
    """
    failed: dict[UUID, Outcome[UUID]] = {}
    groups = {
        line.line_id: line.group_id
        for line in creditable_lines([owner_of(work.returns[one]) for one in ready], ALL_ACCOUNTS)
    }
    wanted: dict[UUID, LinkedOrder] = {}
    for return_id, (_, lines) in ready.items():
        outcome = credited.get(return_id)
        if outcome is None or outcome.value is None:
            why = outcome.problem.detail if outcome and outcome.problem else "Nothing to credit."
            failed[return_id] = Outcome.refused("conflict", why)
            continue
        returned = work.returns[return_id]
        own = [line.order_line_id for line in work.lines_of(return_id)]
        wanted[return_id] = LinkedOrder(
            owner_of(returned),
            next(groups[line_id] for line_id in own if line_id in groups),
            "exchange",
            CAUSE,
            return_id,
            lines,
            outcome.value.carried,
        )
    placed = orders.services.place_linked(list(wanted.values()), at=at, actor=actor)
    for return_id, made in zip(wanted, placed, strict=True):
        if made.value is None:
            raise Conflict(made.problem.detail if made.problem else "It could not be placed.")
        returned = work.returns[return_id]
        returned.exchange_order_id = made.value.id
        work.tell(returned, "return.exchanged", exchange_order_id=str(made.value.id))
        settle_in_hand(work, [return_id], at=at)
    return failed


@transaction.atomic
def close_settled_returns(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """Close the settled returns whose money has arrived. Answers how many."""
    settled = list(
        Return.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=ReturnState.SETTLED)
        .order_by("updated_at")
        .values_list("pk", "order_id")[:limit]
    )
    giving = orders_giving_back([order_id for _, order_id in settled if order_id], ALL_ACCOUNTS)
    due = [return_id for return_id, order_id in settled if order_id not in giving]
    if not due:
        return 0
    work = open_returns(due, scope=ALL_ACCOUNTS)
    closed = 0
    for returned in work.returns.values():
        if returned.state == ReturnState.SETTLED:
            returned.close(at=at)
            work.tell(returned, "return.closed")
            closed += 1
    work.write(at=at, actor=actor, reason="the money has arrived")
    return closed
