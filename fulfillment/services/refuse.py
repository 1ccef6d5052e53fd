"""What a node cannot find, and what it will not do: the units wait again, without this node."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel.types import Actor, Outcome
from fulfillment.models import FulfillmentLine, FulfillmentOrder
from fulfillment.services.given_up import follow
from fulfillment.services.work import (
    PICKUP,
    Work,
    not_found,
    not_now,
    open_lines,
    open_orders,
    write,
)
from fulfillment.states import OPEN_FULFILLMENT, RejectReason, ShortReason
from fulfillment.types import Rejection, Short, Worked


@transaction.atomic
def report_shorts(shorts: Sequence[Short], *, at: datetime, actor: Actor) -> list[Outcome[Worked]]:
    """Record units that could not be had, as a total per line. One outcome per short, in order.

    What follows is as the account's rejection rules say. Usually they leave the book as a fact, a
    count is asked for, and the order lines wait again: they are sourced elsewhere, or become a case
    when nothing is left.
    """
    work = open_lines([short.line_id for short in shorts], scope=actor.scope)
    missing: list[tuple[FulfillmentLine, int, str]] = []
    verdicts = [_short(work, short, missing) for short in shorts]
    write(work, at=at, actor=actor, reason="short")
    follow(work, missing, at=at, actor=actor)
    return work.outcomes(verdicts)


def _short(
    work: Work, short: Short, missing: list[tuple[FulfillmentLine, int, str]]
) -> Outcome[UUID]:
    line = work.lines.get(short.line_id)
    if line is None:
        return not_found("fulfillment line")
    if short.reason not in ShortReason.values:
        return Outcome.refused(
            "unknown-reason", f"{short.reason} is no reason.", known=list(ShortReason.values)
        )
    order = work.orders[line.fulfillment_order_id]
    more = short.short - line.short
    if more <= 0:
        return Outcome.repeated(order.pk)
    # What a buyer will collect is set aside without a parcel: it can still turn out broken.
    sources = ("waiting", "accepted", "picked", *(["packed"] if order.method == PICKUP else []))
    left = sum(getattr(line, source) for source in sources)
    if more > left:
        return Outcome.refused(
            "too-many", f"Only {left} units of the line are still to be packed.", left=left
        )
    work.draw(line, sources, "short", more)
    work.tell(order.pk, "fulfillment.short", lines={line.pk: more})
    missing.append((line, more, short.reason))
    return Outcome.done(order.pk)


@transaction.atomic
def reject(rejections: Sequence[Rejection], *, at: datetime, actor: Actor) -> list[Outcome[Worked]]:
    """Record that the node will not do what it has not picked. One outcome per item, in order.

    What follows is as the account's rejection rules say. Usually the units wait again, and the node
    is left out for their SKUs for a day. A rejected pickup is never sent by parcel instead: it is
    held and becomes a case, for the buyer has to be asked.
    """
    work = open_orders([item.fulfillment_order_id for item in rejections], scope=actor.scope)
    refused: list[tuple[FulfillmentLine, int, str]] = []
    verdicts = [_reject(work, item, refused) for item in rejections]
    write(work, at=at, actor=actor, reason="rejected")
    follow(work, refused, at=at, actor=actor)
    return work.outcomes(verdicts)


def _reject(
    work: Work, item: Rejection, refused: list[tuple[FulfillmentLine, int, str]]
) -> Outcome[UUID]:
    order = work.orders.get(item.fulfillment_order_id)
    if order is None:
        return not_found()
    if item.reason not in RejectReason.values:
        return Outcome.refused(
            "unknown-reason", f"{item.reason} is no reason.", known=list(RejectReason.values)
        )
    lines = [line for line in work.lines_of(order.pk) if item.line_id in {None, line.pk}]
    undone = {line.pk: line.waiting + line.accepted for line in lines}
    if not any(undone.values()):
        return _nothing_to_reject(order, lines)
    for line in lines:
        if undone[line.pk]:
            work.draw(line, ("waiting", "accepted"), "rejected", undone[line.pk])
            refused.append((line, undone[line.pk], item.reason))
    work.tell(order.pk, "fulfillment.rejected", lines=undone)
    return Outcome.done(order.pk)


def _nothing_to_reject(order: FulfillmentOrder, lines: Sequence[FulfillmentLine]) -> Outcome[UUID]:
    if not lines:
        return not_found("line in this fulfillment order")
    if any(line.rejected for line in lines):
        return Outcome.repeated(order.pk)
    if order.state in OPEN_FULFILLMENT:
        return Outcome.refused(
            "begun", "The units are picked: report them short, or finish the work."
        )
    return not_now(order, f"{order.number} is {order.get_state_display().lower()}.")
