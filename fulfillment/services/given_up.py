"""What follows when a node gives units up: on the book, at the node, and for the order.

The account's rejection rules say it by reason (`routing.rejections`). Units wait again and look for
another node, unless the rule says otherwise, they were to be collected, or they have gone round
too many nodes: then a person decides.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, F, Q

import inventory.services
import orders.services
import routing.services
from config.kernel import case_reports
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import FulfillmentLine
from fulfillment.services.handback import give_back
from fulfillment.services.work import PICKUP, Work
from inventory.services.take import lock_positions
from inventory.states import ShortageReason
from inventory.types import ExclusionWanted, Portion, Shortage
from orders.types import CancelRequest, HoldRequest
from routing.rejections import Consequence, Consequences, consequences
from routing.states import NextStep, Variance

MOST_NODES: Final = 4
"""How many nodes may give a line up before a person decides: it goes round in circles."""

Unit = tuple[FulfillmentLine, int, str]
"""A line, how many units of it were given up, and the reason."""

_BOOKED: Final = {
    Variance.SHORT: ShortageReason.SHORT,
    Variance.DAMAGED: ShortageReason.DAMAGED,
}


def follow(work: Work, units: Sequence[Unit], *, at: datetime, actor: Actor) -> None:
    """Have everything follow that the rules of their accounts say. Call it after `write`.

    Positions are locked last, once. The number of statements does not depend on that of units.
    """
    if not units:
        return
    rules = consequences({work.orders[line.fulfillment_order_id].account_id for line, *_ in units})
    give_back(work, units, at=at, actor=actor)
    _next_steps(work, units, rules, at=at, actor=actor)
    _report_pickups(work, units, at=at)
    said = [(line, _of(work, line, reason, rules), reason) for line, _, reason in units]
    _leave_out(work, said, at=at, actor=actor)
    _book(work, units, rules, at=at, actor=actor)


def _of(work: Work, line: FulfillmentLine, reason: str, rules: Consequences) -> Consequence:
    return rules.of(work.orders[line.fulfillment_order_id].account_id, reason)


def _next_steps(
    work: Work, units: Sequence[Unit], rules: Consequences, *, at: datetime, actor: Actor
) -> None:
    """Hold what a person has to decide on, before anything else finds it a node; cancel what ends."""
    rounds = _rounds([line.order_line_id for line, *_ in units])
    holds: dict[UUID, HoldRequest] = {}
    cancelled: list[CancelRequest] = []
    for line, quantity, reason in units:
        order, step = work.orders[line.fulfillment_order_id], _of(work, line, reason, rules)
        if step.next_step is NextStep.CANCEL:
            why = f"given up by {order.number}: {reason}"
            cancelled.append(
                CancelRequest(order.order_id, line.order_line_id, quantity, why, "system")
            )
        elif why := _why_held(order.method, step, reason, rounds.get(line.order_line_id, 0)):
            holds[line.order_line_id] = HoldRequest(
                order.order_id,
                # The case of a pickup is its work's, with what the store said.
                "buyer_choice" if order.method == PICKUP else "given_up",
                why,
                line_id=line.order_line_id,
                handle=f"given_up:{line.pk}:{line.rejected}:{line.short}",
            )
    if holds:
        orders.services.place_holds(list(holds.values()), at=at, actor=actor)
    if cancelled:
        orders.services.cancel_units(cancelled, at=at, actor=actor)


def _why_held(method: str, step: Consequence, reason: str, rounds: int) -> str:
    """Why a person decides what becomes of the units; empty where another node is looked for."""
    if method == PICKUP:
        return f"The node gave a pickup up ({reason}): ask the buyer."
    if rounds >= MOST_NODES:
        return f"{rounds} nodes gave it up, the last because of {reason}."
    if step.next_step is NextStep.BUYER:
        return f"A node gave it up ({reason}): ask the buyer."
    return f"A node gave it up ({reason})." if step.next_step is NextStep.HOLD else ""


def _rounds(line_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """By order line, how many nodes have given units of it up."""
    given_up = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(
        Q(rejected__gt=0) | Q(short__gt=0), order_line_id__in=line_ids
    )
    counted = given_up.values("order_line_id").annotate(
        nodes=Count(F("fulfillment_order__node_id"), distinct=True)
    )
    return {row["order_line_id"]: row["nodes"] for row in counted}


def _leave_out(
    work: Work,
    said: Sequence[tuple[FulfillmentLine, Consequence, str]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Leave nodes out for SKUs, or altogether, as long as the rules say."""
    full: dict[tuple[int, str], tuple[datetime, str]] = {}
    out: dict[tuple[int, int], ExclusionWanted] = {}
    for line, step, reason in said:
        order = work.orders[line.fulfillment_order_id]
        if step.node_hours:
            function = PICKUP if order.method == PICKUP else "ship"
            until = at + timedelta(hours=step.node_hours)
            full[order.node_id, function] = max(
                full.get((order.node_id, function), (until, reason)), (until, reason)
            )
        if step.sku_hours:
            out[order.node_id, line.sku_id] = ExclusionWanted(
                order.node_id,
                line.sku_id,
                at + timedelta(hours=step.sku_hours),
                f"rejected: {reason}",
                "fulfillment_order",
                line.fulfillment_order_id,
            )
    routing.services.mark_full(full)
    inventory.services.exclude([out[key] for key in sorted(out)], at=at, actor=actor)


def _book(
    work: Work, units: Sequence[Unit], rules: Consequences, *, at: datetime, actor: Actor
) -> None:
    """Units that are not there, or may not be sold, leave the book; the others are free again."""
    missing: list[Shortage] = []
    free: list[Portion] = []
    for line, quantity, reason in units:
        variance = _of(work, line, reason, rules).variance
        if variance is Variance.NONE:
            free.append(Portion(line.reservation_id, quantity))
        else:
            missing.append(Shortage(line.reservation_id, quantity, _BOOKED[variance]))
    if missing and free:
        held = [line.reservation_id for line, *_ in units]
        lock_positions([], held, levels=True)
    if missing:
        inventory.services.record_shortages(missing, at=at, actor=actor)
    if free:
        inventory.services.release(free, reason="rejected", at=at, actor=actor)


def _report_pickups(work: Work, units: Sequence[Unit], *, at: datetime) -> None:
    """A pickup that was given up is a case: nothing is sent without the buyer's consent."""
    pickups = {
        order.pk: order
        for order in (work.orders[line.fulfillment_order_id] for line, _, _ in units)
        if order.method == PICKUP
    }
    case_reports.report(
        [
            case_reports.Report(
                "PICKUP_REJECTED",
                "fulfillment_order",
                order.pk,
                order.account_id,
                evidence={"number": order.number},
                cause=f"node:{order.node_id}",
                thread_id=order.order_id,
            )
            for _, order in sorted(pickups.items())
        ],
        at=at,
    )
