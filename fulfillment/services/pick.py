"""The node takes its work on and picks it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

import orders.services
from config.kernel.types import Actor, Outcome
from fulfillment.models import FulfillmentLine
from fulfillment.services.tracing import trace_picks
from fulfillment.services.work import Work, not_found, not_now, open_lines, open_orders, write
from fulfillment.states import OPEN_FULFILLMENT
from fulfillment.types import Acknowledgement, Pick, Worked
from orders.types import PromiseMove


@transaction.atomic
def acknowledge(
    answers: Sequence[Acknowledgement], *, at: datetime, actor: Actor
) -> list[Outcome[Worked]]:
    """Record that the node has taken on what it was asked for. One outcome per answer, in order.

    Units that it names per line are totals; what it does not name waits on. A day on which it will
    leave moves the promise, when that is later than was promised.
    """
    work = open_orders([answer.fulfillment_order_id for answer in answers], scope=actor.scope)
    later: list[PromiseMove] = []
    verdicts = [_dated(work, answer, _take_on(work, answer), later) for answer in answers]
    write(work, at=at, actor=actor, reason="acknowledged")
    if later:
        orders.services.move_promises(later, at=at, actor=actor)
    return work.outcomes(verdicts)


def _dated(
    work: Work, answer: Acknowledgement, verdict: Outcome[UUID], later: list[PromiseMove]
) -> Outcome[UUID]:
    """Write down when the node says that the work leaves."""
    order = work.orders.get(answer.fulfillment_order_id)
    said = answer.expected_at
    if order is None or said is None or not verdict.ok or order.state not in OPEN_FULFILLMENT:
        return verdict
    if said == order.expected_at:
        return verdict
    order.expected_at = said
    if order.ship_by is not None and said > order.ship_by:
        order.ship_by = said
        later.append(PromiseMove(order.group_id, said))
    work.tell(order.pk, "fulfillment.rescheduled")["expected_at"] = said.isoformat()
    return Outcome.done(order.pk)


def _take_on(work: Work, answer: Acknowledgement) -> Outcome[UUID]:
    order = work.orders.get(answer.fulfillment_order_id)
    if order is None:
        return not_found()
    waiting = [line for line in work.lines_of(order.pk) if line.waiting]
    if not waiting:
        if order.acknowledged_at or order.state in OPEN_FULFILLMENT:
            return Outcome.repeated(order.pk)
        return not_now(order, f"{order.number} is {order.get_state_display().lower()}.")
    moved = _taken(waiting, answer)
    if not moved:
        return Outcome.repeated(order.pk)
    order.external_id = answer.external_id or order.external_id
    for line in waiting:
        work.shift(line, "waiting", "accepted", moved.get(line.pk, 0))
    work.tell(order.pk, "fulfillment.acknowledged", lines=moved)
    return Outcome.done(order.pk)


def _taken(waiting: Sequence[FulfillmentLine], answer: Acknowledgement) -> dict[UUID, int]:
    """The units per line that the answer takes on beyond what was taken on before."""
    if not answer.lines:
        return {line.pk: line.waiting for line in waiting}
    told = {content.line_id: content.quantity for content in answer.lines}
    moved = {}
    for line in waiting:
        taken = line.accepted + line.picked + line.packed + line.shipped + line.collected
        more = min(line.waiting, told.get(line.pk, 0) - taken)
        if more > 0:
            moved[line.pk] = more
    return moved


@transaction.atomic
def record_picks(picks: Sequence[Pick], *, at: datetime, actor: Actor) -> list[Outcome[Worked]]:
    """Record what has left the shelf, as a total per line. One outcome per pick, in order.

    A total that is not above what is recorded changes nothing. To pick is to acknowledge. Lots and
    serials that are named are kept.
    """
    work = open_lines([pick.line_id for pick in picks], scope=actor.scope)
    verdicts = [_pick(work, pick) for pick in picks]
    write(work, at=at, actor=actor, reason="picked")
    trace_picks(work, picks, at=at, actor=actor)
    return work.outcomes(verdicts)


def _pick(work: Work, pick: Pick) -> Outcome[UUID]:
    line = work.lines.get(pick.line_id)
    if line is None:
        return not_found("fulfillment line")
    order_id = line.fulfillment_order_id
    more = pick.picked - (line.picked + line.packed + line.shipped + line.collected)
    if more <= 0:
        return Outcome.repeated(order_id)
    left = line.waiting + line.accepted
    if more > left:
        return Outcome.refused(
            "too-many",
            f"{pick.picked} picked, but only {pick.picked - more + left} are asked for.",
            left=left,
        )
    work.draw(line, ("accepted", "waiting"), "picked", more)
    work.tell(order_id, "fulfillment.picked", lines={line.pk: more})
    return Outcome.done(order_id)
