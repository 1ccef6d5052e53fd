"""Holds: placed, released, expired; and what happens to stock that waits under one for too long."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.errors import Conflict, DomainError
from config.kernel.history import Change
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.models import Hold
from orders.services.accept import accept_orders
from orders.services.claims import release_lines
from orders.services.holding import active_holds, case_of, check_reason, hold_row, refold_holds
from orders.services.sheet import Sheet, is_live, open_sheet, visible
from orders.services.source import is_blocked
from orders.states import Blocks, HoldState
from orders.types import HoldRequest

BATCH = 200


@transaction.atomic
def place_holds(
    requests: Sequence[HoldRequest], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Place each hold; one with the same handle by the same placer is the same hold, repeated."""
    sheet = open_sheet(request.order_id for request in requests)
    holds = active_holds(sheet.orders)
    standing = {
        (hold.order_id, hold.placed_by, hold.handle): hold.id
        for held in holds.values()
        for hold in held
    }
    outcomes: list[Outcome[UUID]] = []
    reports = []
    for request in requests:
        try:
            row = _row(sheet, request, at=at, actor=actor)
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        key = (request.order_id, row["placed_by"], row["handle"])
        if key in standing:
            outcomes.append(Outcome.repeated(standing[key]))
            continue
        standing[key] = row["id"]
        sheet.place_hold(row)
        sheet.raise_plan(request.order_id)
        reports += [found for found in [case_of(row)] if found is not None]
        outcomes.append(Outcome.done(row["id"]))
    sheet.write(at=at, actor=actor, reason="held")
    case_reports.report(reports, at=at)
    return outcomes


def _row(sheet: Sheet, request: HoldRequest, *, at: datetime, actor: Actor) -> dict[str, Any]:
    order = visible(sheet, request.order_id, actor.scope)
    check_reason(request.reason)
    if not is_live(order):
        raise Conflict(
            f"The order is {order.get_state_display().lower()}; there is nothing to hold."
        )
    if request.group_id is not None and (
        request.group_id not in sheet.groups or sheet.groups[request.group_id].order_id != order.id
    ):
        raise Conflict("The order has no such delivery group.")
    if request.line_id is not None and (
        request.line_id not in sheet.lines or sheet.lines[request.line_id].order_id != order.id
    ):
        raise Conflict("The order has no such line.")
    return hold_row(order.account_id, request, placed_by=actor.name, at=at)


def release_holds(
    hold_ids: Sequence[UUID], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Lift the holds; then accept, in a transaction of its own, what they kept from acceptance.

    Raises Invalid for a reason that is more than a code or a sentence.
    """
    check_reason(reason)
    outcomes, freed = _end_holds(hold_ids, reason, _release, at=at, actor=actor)
    if freed:
        accept_orders(freed, at=at, actor=actor)
    return outcomes


def release_holds_of_orders(
    order_ids: Sequence[UUID], reason: str, *, hold_type: str = "", at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Lift every active hold of each order, or those of one type. One outcome per order."""
    wanted = Hold.objects.for_scope(ALL_ACCOUNTS).active().filter(order_id__in=list(order_ids))
    if hold_type:
        wanted = wanted.filter(type=hold_type)
    held = dict(wanted.values_list("pk", "order_id"))
    lifted = dict(zip(held, release_holds(list(held), reason, at=at, actor=actor), strict=True))
    outcomes: list[Outcome[UUID]] = []
    for order_id in order_ids:
        ended = [lifted[hold_id] for hold_id, owner in held.items() if owner == order_id]
        refused = next((outcome for outcome in ended if not outcome.ok), None)
        if not ended:
            outcomes.append(Outcome.refused("conflict", "No such hold stands on the order."))
        else:
            outcomes.append(refused or Outcome.done(order_id))
    return outcomes


def expire_holds(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """End the holds whose time is over; answers how many."""
    due = list(
        Hold.objects.for_scope(ALL_ACCOUNTS)
        .active()
        .filter(until__lte=at)
        .order_by("until")
        .values_list("pk", flat=True)[:limit]
    )
    if not due:
        return 0
    _, freed = _end_holds(due, "its time is over", _expire, at=at, actor=actor)
    if freed:
        accept_orders(freed, at=at, actor=actor)
    return len(due)


def _release(hold: Hold, at: datetime, by: str, reason: str) -> None:
    hold.release(at=at, by=by, reason=reason)


def _expire(hold: Hold, at: datetime, by: str, reason: str) -> None:
    hold.expire(at=at, by=by, reason=reason)


@transaction.atomic
def _end_holds(
    hold_ids: Sequence[UUID],
    reason: str,
    end: Callable[[Hold, datetime, str, str], None],
    *,
    at: datetime,
    actor: Actor,
) -> tuple[list[Outcome[UUID]], list[UUID]]:
    """End the holds; answer an outcome each, and the orders that may go on to acceptance."""
    named = {
        hold.id: hold
        for hold in Hold.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=list(hold_ids))
        if actor.scope.allows(hold.account_id)
    }
    sheet = open_sheet(hold.order_id for hold in named.values())
    standing = active_holds(sheet.orders)
    by_id = {hold.id: hold for held in standing.values() for hold in held}
    outcomes: list[Outcome[UUID]] = []
    ended: dict[UUID, Hold] = {}
    for hold_id in hold_ids:
        if hold_id not in named:
            outcomes.append(Outcome.refused("not-found", "There is no such hold."))
        elif hold_id not in by_id:
            state = named[hold_id].get_state_display().lower()
            outcomes.append(Outcome.refused("conflict", f"The hold is no longer active ({state})."))
        elif hold_id in ended:
            outcomes.append(Outcome.repeated(hold_id))
        else:
            hold = ended[hold_id] = by_id[hold_id]
            end(hold, at, actor.name, reason)
            outcomes.append(Outcome.done(hold_id))
    end_holds_on_sheet(sheet, standing, list(ended.values()))
    sheet.write(at=at, actor=actor, reason=reason or "hold ended")
    freed = {
        hold.order_id
        for hold in ended.values()
        if Blocks.ACCEPT in hold.blocks or hold.stock_given_back_at is not None
    }
    return outcomes, sorted(freed)


def end_holds_on_sheet(
    sheet: Sheet, standing: Mapping[UUID, Sequence[Hold]], ended: Sequence[Hold]
) -> None:
    """Put holds down that have been released or expired in memory, and fold their orders again."""
    for hold in ended:
        sheet.note_history(Hold, hold.id, Change.CHANGED)
        sheet.raise_plan(hold.order_id)
        sheet.tell(
            hold.order_id,
            "order.hold_released",
            {"hold_id": str(hold.id), "type": hold.type, "state": str(hold.state)},
        )
    for order_id in {hold.order_id for hold in ended}:
        refold_holds(sheet.orders[order_id], standing.get(order_id, ()))
    sheet.statement.update(
        Hold,
        [
            {
                "id": hold.id,
                "before_state": HoldState.ACTIVE.value,
                "state": str(hold.state),
                "ended_at": hold.ended_at,
                "ended_by": hold.ended_by[:120],
                "ended_reason": hold.ended_reason[:500],
            }
            for hold in ended
        ],
        guard='kept.state = given."before_state"',
    )


@transaction.atomic
def give_stock_back(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """Give back what has been reserved under a hold past its deadline, and open a case.

    The units are pending and are sourced again when the hold ends. Answers how many
    holds were past their deadline.
    """
    due = list(
        Hold.objects.for_scope(ALL_ACCOUNTS)
        .active()
        .filter(deadline_at__lte=at, stock_given_back_at__isnull=True)
        .order_by("deadline_at")[:limit]
    )
    if not due:
        return 0
    sheet = open_sheet((hold.order_id for hold in due), skip_locked=True)
    late = [hold for hold in due if hold.order_id in sheet.orders]
    given: dict[UUID, int] = {}
    for hold in late:
        for line in sheet.lines_of(hold.order_id):
            if line.reserved and is_blocked(line, [hold], Blocks.RELEASE):
                given[line.id] = line.reserved
                sheet.move(line.id, "reserved", "pending", line.reserved)
        sheet.note_history(Hold, hold.id, Change.CHANGED)
        sheet.tell(hold.order_id, "order.hold_overdue", {"hold_id": str(hold.id)})
    sheet.statement.update(Hold, [{"id": hold.id, "stock_given_back_at": at} for hold in late])
    release_lines(given, "hold deadline", at=at, actor=actor)
    sheet.write(at=at, actor=actor, reason="hold past its deadline")
    case_reports.report([_overdue(hold) for hold in late], at=at)
    return len(late)


def _overdue(hold: Hold) -> case_reports.Report:
    return case_reports.Report(
        kind="HOLD_DEADLINE",
        subject_kind="order",
        subject_id=hold.order_id,
        account_id=hold.account_id,
        evidence={"hold_id": str(hold.id), "type": hold.type},
        thread_id=hold.order_id,
        dedupe_key=f"HOLD_DEADLINE:{hold.id}",
    )
