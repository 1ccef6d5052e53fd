"""What is due for returns, credited through orders: the money is theirs to keep and to give back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orders.services
from config.kernel.errors import Conflict
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.selectors import creditable_lines
from orders.types import Credited, CreditedUnits, CreditRequest
from returns.models import Return, ReturnLine
from returns.services.work import Work
from returns.states import HERE, ReturnState, Trigger, Wants

CAUSE = "return"


def due_units(returned: Return, line: ReturnLine) -> int:
    """Units of the line that are to be paid for by now, and were not yet."""
    if line.order_line_id is None:
        return 0
    asked = max(line.requested, line.accepted)
    arrived = returned.state in HERE
    if returned.keep:
        due = line.requested
    elif returned.refund_trigger == Trigger.AT_ONCE:
        due = asked
    elif returned.refund_trigger == Trigger.FIRST_SCAN:
        due = asked if arrived or returned.state == ReturnState.IN_TRANSIT else 0
    elif returned.refund_trigger == Trigger.RECEIPT:
        due = line.received - line.rejected
    else:
        due = line.accepted
    return max(0, due - line.refunded)


def credit_what_is_due(
    work: Work, return_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> None:
    """Credit what the trigger of each return makes due; an exchange waits to be placed."""
    wanted = {
        return_id: {
            line.pk: units
            for line in work.lines_of(return_id)
            if (units := due_units(work.returns[return_id], line))
        }
        for return_id in return_ids
        if work.returns[return_id].wants == Wants.REFUND
    }
    credit(work, wanted, at=at, actor=actor)


def credit(
    work: Work,
    wanted: Mapping[UUID, Mapping[UUID, int]],
    *,
    carried_minor: Mapping[UUID, int] | None = None,
    at: datetime,
    actor: Actor,
) -> dict[UUID, Outcome[Credited]]:
    """Credit units of return lines: one note per return. Answers how each ended.

    A fee is kept of the first note, and shipping given back with it. Units that the order cannot
    credit yet, being still underway by the book, are left for later, with a case. A refusal is the
    caller's to tell where it carries money to another order, a case otherwise.
    """
    asked: dict[UUID, CreditRequest] = {}
    counted: dict[UUID, dict[UUID, int]] = {}
    room = _room(work, [return_id for return_id, units in wanted.items() if units])
    for return_id, units in wanted.items():
        returned = work.returns[return_id]
        fitting = _fitting(work, returned, units, room)
        if not fitting or returned.order_id is None:
            continue
        counted[return_id] = fitting
        asked[return_id] = CreditRequest(
            order_id=returned.order_id,
            cause_kind=CAUSE,
            cause_id=return_id,
            key=str(returned.credits + 1),
            units=_per_order_line(work, fitting),
            shipping_minor=None if returned.refunds_shipping and not returned.credits else 0,
            fee_minor=0 if returned.credits else returned.fee_minor,
            carried_minor=(carried_minor or {}).get(return_id, 0),
            reason=f"return {returned.number}",
        )
    outcomes = dict(
        zip(
            asked,
            orders.services.credit_units(list(asked.values()), at=at, actor=actor),
            strict=True,
        )
    )
    for return_id, outcome in outcomes.items():
        returned = work.returns[return_id]
        if outcome.value is None:
            if carried_minor is None:
                why = outcome.problem.detail if outcome.problem else ""
                work.report("RETURN_NOT_CREDITED", returned, why=why[:200])
            continue
        for line_id, paid in counted[return_id].items():
            work.count(work.lines[line_id], refunded=paid)
        returned.credits += 1
        returned.credited_minor += outcome.value.amount_minor
        work.tell(
            returned,
            "return.credited",
            credit_note_id=str(outcome.value.note_id),
            amount_minor=outcome.value.amount_minor,
            currency=outcome.value.currency,
        )
    return outcomes


def _room(work: Work, return_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Units per order line that may be credited. Nothing is read when nothing is wanted."""
    order_ids = {work.returns[return_id].order_id for return_id in return_ids} - {None}
    if not order_ids:
        return {}
    return {
        line.line_id: line.creditable
        for line in creditable_lines([one for one in order_ids if one], ALL_ACCOUNTS)
    }


def _fitting(
    work: Work, returned: Return, units: Mapping[UUID, int], room: dict[UUID, int]
) -> dict[UUID, int]:
    """As many of the units as the order can credit; what it cannot is told."""
    fitting: dict[UUID, int] = {}
    short = 0
    for line_id, quantity in units.items():
        order_line_id = _order_line(work, line_id)
        possible = min(quantity, room.get(order_line_id, 0))
        short += quantity - possible
        if possible:
            room[order_line_id] -= possible
            fitting[line_id] = possible
    if short:
        work.report("RETURN_NOT_CREDITED", returned, units=short, why="not delivered by the book")
    return fitting


def _per_order_line(work: Work, units: Mapping[UUID, int]) -> tuple[CreditedUnits, ...]:
    summed: dict[UUID, int] = {}
    for line_id, quantity in units.items():
        order_line_id = _order_line(work, line_id)
        summed[order_line_id] = summed.get(order_line_id, 0) + quantity
    return tuple(CreditedUnits(line_id, quantity) for line_id, quantity in summed.items())


def _order_line(work: Work, line_id: UUID) -> UUID:
    """The order line that units are of: what is of none is never due."""
    order_line_id = work.lines[line_id].order_line_id
    if order_line_id is None:
        raise Conflict("Nobody has ordered these goods.")
    return order_line_id
