"""Units go from orders that claim them less to one that a person puts first."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.types import Actor
from inventory import selectors as inventory
from inventory.services.reservations import release
from inventory.types import Portion, ReservationView
from orders.services.holding import active_holds
from orders.services.in_hand import LineInHand
from orders.services.moving import claim_on_sheet, portion_of
from orders.services.resource import (
    end_no_stock_holds,
    group_of_ours,
    tell_sourced,
    unfilled_reports,
)
from orders.services.sheet import Sheet, open_sheet, orders_of_lines
from orders.services.source import (
    Sourced,
    lock_supply,
    record_decisions,
    source_units,
    wanting,
)
from orders.services.unfilled import settle_unfilled
from orders.states import OrderState
from orders.types import Freed, GaveWay, GiveWay


@transaction.atomic
def free_units(
    line_id: UUID, given: Sequence[GiveWay], reason: str, *, at: datetime, actor: Actor
) -> Freed:
    """Take units from the named reservations for a line that waits; who loses is sourced again.

    One step: the line has its units, and those who gave way have others, or wait with a new date
    and a case. Raises Invalid without a reason, NotFound for what is out of reach, and Conflict
    where the line wants no such units, may not have them, or another order stands above it.
    """
    if not reason.strip():
        refusal = "Say why."
        errors = [{"pointer": "/reason", "code": "required", "detail": refusal}]
        raise Invalid(refusal, errors=errors)
    own = orders_of_lines([line_id])
    known = inventory.reservations([one.reservation_id for one in given])
    if line_id not in own:
        raise NotFound("There is no such order line.")
    sheet = open_sheet({*own.values(), *(claim.thread_id for claim in known.values())})
    known = inventory.reservations(list(known))
    line = _first_line(sheet, line_id, actor)
    before = {group.id: group.deliver_by for group in sheet.groups.values()}
    lost: dict[UUID, int] = {}
    portions = []
    for one in given:
        claim = claim_on_sheet(sheet, known.get(one.reservation_id), actor)
        _require_lower(sheet, line, claim)
        units = claim.open if one.quantity is None else one.quantity
        portions.append(portion_of(sheet, claim, units))
        lost[claim.demand_id] = lost.get(claim.demand_id, 0) + units
    results = _hand_on(sheet, line, lost, portions, at=at, actor=actor)
    reports = settle_unfilled(sheet, results[1], at=at, actor=actor)
    reports += unfilled_reports(sheet, results[1])
    freed = _freed(sheet, line, lost, results[1], before)
    holds = active_holds([line.order_id])
    end_no_stock_holds(sheet, holds, at=at, actor=actor)
    _tell(sheet, freed, reason)
    for result in results:
        tell_sourced(sheet, result.reserved)
    sheet.write(at=at, actor=actor, reason=f"put first: {reason}")
    for result in results:
        record_decisions(result, at=at, actor=actor)
    case_reports.report([*reports, *_cases(sheet, freed, reason)], at=at)
    return freed


def preview_free_units(
    line_id: UUID, given: Sequence[GiveWay], *, at: datetime, actor: Actor
) -> Freed:
    """What `free_units` would do now: it is done, looked at, and taken back. Raises the same."""
    with transaction.atomic():
        freed = free_units(line_id, given, "preview", at=at, actor=actor)
        transaction.set_rollback(True)
    return freed


def _first_line(sheet: Sheet, line_id: UUID, actor: Actor) -> LineInHand:
    """The line that is put first. Raises Conflict where it waits for nothing that supply gives."""
    line = sheet.lines.get(line_id)
    if line is None or not actor.scope.allows(line.account_id):
        raise NotFound("There is no such order line.")
    group_of_ours(sheet, line.group_id, actor)
    order = sheet.orders[line.order_id]
    if order.state != OrderState.ACCEPTED:
        raise Conflict(f"{order.number} is not accepted yet.")
    holds = active_holds([order.id])
    if not wanting(sheet, [order.id], holds, with_backordered=True).get(line_id):
        raise Conflict(f"{line.external_sku} of {order.number} waits for no stock.")
    return line


def _require_lower(sheet: Sheet, line: LineInHand, claim: ReservationView) -> None:
    winner, loser = sheet.orders[line.order_id], sheet.order_of_line(claim.demand_id)
    if loser.id == winner.id:
        raise Conflict("The order has these units itself.")
    if claim.sku_id != line.sku_id or loser.account_id != winner.account_id:
        raise Conflict(f"{loser.number} reserves something else.")
    if loser.priority > winner.priority:
        raise Conflict(f"{loser.number} has a higher priority than {winner.number}.")


def _hand_on(
    sheet: Sheet,
    line: LineInHand,
    lost: dict[UUID, int],
    portions: Sequence[Portion],
    *,
    at: datetime,
    actor: Actor,
) -> tuple[Sourced, Sourced]:
    """Give back and take anew, first for the line, then for those who gave way."""
    units = sum(lost.values())
    if units > line.pending + line.backordered:
        raise Conflict(f"It waits for {line.pending + line.backordered} units only.")
    lock_supply(sheet, [line.id, *lost], [portion.reservation_id for portion in portions], at=at)
    release(portions, "gave way", at=at, actor=actor)
    first = source_units(sheet, {line.id: units}, waited=True, locked=True, at=at, actor=actor)
    if first.reserved.get(line.id, 0) < units:
        why = first.unfilled.get(line.id, (0, "no node can send it"))[1]
        raise Conflict(
            f"These units cannot be sent to {sheet.orders[line.order_id].number}: "
            f"{why.replace('_', ' ')}. Nothing was changed."
        )
    return first, source_units(sheet, lost, locked=True, at=at, actor=actor)


def _freed(
    sheet: Sheet,
    line: LineInHand,
    lost: dict[UUID, int],
    result: Sourced,
    before: dict[UUID, datetime | None],
) -> Freed:
    losers = []
    for line_id, units in lost.items():
        theirs = sheet.lines[line_id]
        found = result.reserved.get(line_id, 0)
        losers.append(
            GaveWay(
                theirs.order_id,
                sheet.orders[theirs.order_id].number,
                line_id,
                units,
                found,
                units - found,
                before[theirs.group_id],
                sheet.groups[theirs.group_id].deliver_by,
            )
        )
    return Freed(
        line.order_id,
        sheet.orders[line.order_id].number,
        line.id,
        sum(lost.values()),
        before[line.group_id],
        sheet.groups[line.group_id].deliver_by,
        tuple(losers),
    )


def _tell(sheet: Sheet, freed: Freed, reason: str) -> None:
    """Both sides say from whom and to whom, how much and why."""
    for loser in freed.losers:
        sheet.tell(
            freed.order_id,
            "order.units_gained",
            {
                "line_id": str(freed.line_id),
                "units": loser.units,
                "from": loser.number,
                "reason": reason,
            },
        )
        sheet.tell(
            loser.order_id,
            "order.units_given_up",
            {
                "line_id": str(loser.line_id),
                "units": loser.units,
                "to": freed.number,
                "found": loser.found,
                "waits": loser.waits,
                "reason": reason,
            },
        )


def _cases(sheet: Sheet, freed: Freed, reason: str) -> list[case_reports.Report]:
    """A case for each order whose buyer has to be told of another date."""
    return [
        case_reports.Report(
            kind="GAVE_WAY",
            subject_kind="order",
            subject_id=loser.order_id,
            account_id=sheet.orders[loser.order_id].account_id,
            evidence={
                "line_id": str(loser.line_id),
                "units": loser.units,
                "to": freed.number,
                "why": reason,
                "promised": loser.promised.isoformat() if loser.promised else "",
                "promised_now": loser.promised_now.isoformat() if loser.promised_now else "",
            },
            cause=f"order:{freed.order_id}",
            thread_id=loser.order_id,
        )
        for loser in freed.losers
        if loser.later
    ]
