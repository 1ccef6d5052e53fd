"""What no node can fill: free gifts fall away, the rest waits for supply or is held."""

from datetime import datetime

from config.kernel import case_reports
from config.kernel.types import Actor
from inventory.types import FutureWant
from orders.services.ahead import back_waiting, wait_for_goods
from orders.services.holding import hold_row
from orders.services.in_hand import LineInHand
from orders.services.sheet import Sheet
from orders.services.source import DEPENDENT, Sourced, demands_of, refold_promise
from orders.types import HoldRequest


def settle_unfilled(
    sheet: Sheet, result: Sourced, *, at: datetime, actor: Actor
) -> list[case_reports.Report]:
    """What nothing can fill: a free gift falls away, the rest is backordered and waits for supply.

    It is promised by when goods of it are there. What may not be sold ahead, or where the channel
    accepts no backorders, is held too, with a case. Answers the cases to report.
    """
    future, why = [], {}
    for line_id, (quantity, reason) in result.unfilled.items():
        line = sheet.lines[line_id]
        if line.relation in DEPENDENT and line.total_minor == 0:
            _drop_gift(sheet, line, quantity, at=at)
            continue
        if units := min(quantity, line.pending):
            future.append(_future(sheet, line, units))
            why[line_id] = reason
            sheet.move(line_id, "pending", "backordered", units)
    if not future:
        return []
    backed = back_waiting(sheet, future, at=at, actor=actor)
    reports = [
        _hold_unfilled(sheet, want, one.refused or why[want.demand_id], at=at)
        for want, one in zip(future, backed, strict=True)
        if one.refused
        or (one.cap_id is None and not sheet.order_of_line(want.demand_id).channel.backorders)
    ]
    for order_id in wait_for_goods(sheet, future, backed, demands_of, at=at, actor=actor):
        refold_promise(sheet, order_id)
    return reports


def _hold_unfilled(
    sheet: Sheet, want: FutureWant, reason: str, *, at: datetime
) -> case_reports.Report:
    """Hold a line that nothing can fill and that may not wait; the case to report."""
    line, units = sheet.lines[want.demand_id], want.quantity
    order = sheet.orders[line.order_id]
    sheet.place_hold(
        hold_row(
            order.account_id,
            HoldRequest(
                order.id,
                "no_stock",
                f"Nothing can fill {units} of {line.external_sku} now ({reason}), and no more of "
                "it may be sold ahead."
                if order.channel.backorders
                else f"Nothing can fill {units} of {line.external_sku} now ({reason}), and the "
                "channel takes no backorders.",
                line_id=line.id,
                handle=f"no_stock:{line.id}:{order.plan_version}",
            ),
            placed_by="sourcing",
            at=at,
        )
    )
    return case_reports.Report(
        kind="UNFILLABLE",
        subject_kind="order",
        subject_id=order.id,
        account_id=order.account_id,
        evidence={"line_id": str(line.id), "units": units, "why": reason},
        cause=f"sku:{line.sku_id}",
        thread_id=order.id,
    )


def _drop_gift(sheet: Sheet, line: LineInHand, quantity: int, *, at: datetime) -> None:
    """A gift never delays what it was given with: without stock it falls away."""
    portions = {"pending": min(quantity, line.pending)}
    portions["backordered"] = min(quantity - portions["pending"], line.backordered)
    gone = sheet.cancel_units(
        line.id, portions, reason="the gift is out of stock", initiator="system", at=at
    )
    if gone:
        sheet.tell(line.order_id, "order.units_cancelled", {"line_id": str(line.id), "units": gone})


def _future(sheet: Sheet, line: LineInHand, units: int) -> FutureWant:
    group, order = sheet.groups[line.group_id], sheet.orders[line.order_id]
    return FutureWant(
        sku_id=line.sku_id or 0,
        node_id=group.pinned_node_id or group.pickup_node_id,
        quantity=units,
        demand_id=line.id,
        thread_id=order.id,
        account_id=order.account_id,
        priority=order.priority,
        promised_at=order.deliver_by,
    )
