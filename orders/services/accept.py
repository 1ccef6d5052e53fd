"""Acceptance: promise, source and reserve each order, or say why not."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from config.kernel import case_reports
from config.kernel.ahead import sending_ahead
from config.kernel.collecting import uncollected
from config.kernel.prepared import values_apart
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.services.changes import record_changes
from inventory.states import MovementKind
from inventory.types import StockChange
from orders.models import Hold, Order, OrderLine
from orders.services import money
from orders.services.carts import end_carts, open_carts
from orders.services.holding import active_holds
from orders.services.in_hand import LineInHand
from orders.services.sheet import Sheet, open_sheet
from orders.services.source import (
    is_blocked,
    is_sourced,
    record_decisions,
    source_units,
    wanting,
)
from orders.services.unfilled import settle_unfilled
from orders.states import (
    Blocks,
    FulfilledBy,
    HoldState,
    LineKind,
    Method,
    Mode,
    OrderState,
)
from orders.types import AcceptedOrder

BATCH = 200


@dataclass(slots=True)
class _Sorted:
    """The orders of a batch: those to go on with, and the answers of the others."""

    fresh: list[Order] = field(default_factory=list)
    going_on: list[Order] = field(default_factory=list)
    answered: dict[UUID, Outcome[AcceptedOrder]] = field(default_factory=dict)

    @property
    def ids(self) -> list[UUID]:
        return [order.id for order in (*self.fresh, *self.going_on)]


@uncollected
@values_apart
@transaction.atomic
def accept_orders(
    order_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[AcceptedOrder]]:
    """Promise, source and reserve each order, or say why not. One outcome per id, in order.

    An accepted order goes on with what it has pending and nothing keeps any longer; one that has
    nothing to go on with is answered as repeated. What no node has is backordered, or held where
    the channel takes no backorders. The number of statements does not depend on how many.
    """
    sheet = open_sheet(order_ids)
    holds = active_holds([order.id for order in sheet.orders.values() if order.holds_open])
    ready = _sort(sheet, order_ids, holds, actor)
    if not ready.ids:
        return [ready.answered[order_id] for order_id in order_ids]
    for order in ready.fresh:
        order.accept(at=at)
        order.remorse_until = at + timedelta(minutes=order.channel.remorse_minutes)
    carts = open_carts(ready.fresh, at=at)
    asked, sold = _hand_over(sheet, ready.fresh, at=at, actor=actor)
    wanted = wanting(sheet, ready.ids, holds)
    # What is given back of a hold is counted: nothing is sent ahead beside it.
    with sending_ahead() if carts is None else nullcontext():
        result = source_units(sheet, wanted, is_first=not sold, carts=carts, at=at, actor=actor)
        if carts is not None:
            end_carts(sheet, carts, at=at, actor=actor)
        asked.reports += settle_unfilled(sheet, result, at=at, actor=actor)
        answers = _tell(sheet, ready, wanted, result.reserved)
        sheet.write(
            at=at,
            actor=actor,
            reason="accepted",
            meanwhile=partial(record_decisions, result, at=at, actor=actor),
        )
    asked.send(at=at, actor=actor)
    ready.answered |= {
        order_id: Outcome.done(_answer(sheet, order_id, reserved))
        for order_id, reserved in answers.items()
    }
    return [ready.answered[order_id] for order_id in order_ids]


def _sort(
    sheet: Sheet,
    order_ids: Sequence[UUID],
    holds: Mapping[UUID, Sequence[Hold]],
    actor: Actor,
) -> _Sorted:
    found = _Sorted()
    for order_id in dict.fromkeys(order_ids):
        order = sheet.orders.get(order_id)
        if order is None or not actor.scope.allows(order.account_id):
            found.answered[order_id] = Outcome.refused("not-found", "There is no such order.")
        elif order.state == OrderState.ACCEPTED:
            if wanting(sheet, [order_id], holds):
                found.going_on.append(order)
            else:
                found.answered[order_id] = Outcome.repeated(_answer(sheet, order_id, 0))
        elif order.state != OrderState.CAPTURED:
            found.answered[order_id] = Outcome.refused(
                "conflict", f"The order is {order.get_state_display().lower()}."
            )
        elif why := _kept_back(sheet, order, holds.get(order_id, ())):
            found.answered[order_id] = Outcome.refused("held", why)
        else:
            found.fresh.append(order)
    return found


def _kept_back(sheet: Sheet, order: Order, holds: Sequence[Hold]) -> str:
    """Why nothing of the order can be accepted; empty when something can."""
    reasons = [
        hold.reason
        for hold in holds
        if hold.state == HoldState.ACTIVE and Blocks.ACCEPT in hold.blocks
    ]
    if not order.is_free_to_accept():
        return " ".join(reasons) or "The order is held."
    lines = [line for line in sheet.lines_of(order.id) if line.kind != LineKind.KIT]
    if lines and all(
        is_blocked(line, holds, Blocks.ACCEPT) or _waits_for_sku(sheet, line) for line in lines
    ):
        return " ".join(reasons) or "No line of the order is mapped to a SKU."
    return ""


def _waits_for_sku(sheet: Sheet, line: LineInHand) -> bool:
    return line.sku_id is None and is_sourced(line, sheet.groups[line.group_id])


def _hand_over(
    sheet: Sheet, orders: Sequence[Order], *, at: datetime, actor: Actor
) -> tuple[money.Asked, bool]:
    """What needs no node: goods that left with the buyer, and lines that ship nothing.

    Answers what is to be asked of payments and reported, and whether positions are held now.
    """
    sales: list[StockChange] = []
    billed = []
    for order in orders:
        handed = [
            line
            for line in sheet.lines_of(order.id)
            if sheet.groups[line.group_id].method == Method.NONE
            and sheet.groups[line.group_id].fulfilled_by == FulfilledBy.US
            and line.kind != LineKind.KIT
            and line.pending
        ]
        for line in handed:
            node_id = sheet.groups[line.group_id].pickup_node_id
            if order.mode == Mode.LIVE and line.kind == LineKind.STOCK and line.sku_id and node_id:
                sales.append(_sale(order, line, node_id))
            sheet.move(line.id, "pending", "delivered", line.pending)
        if sheet.follow(order.id, at=at) or handed:
            money.bill_changes(sheet, order.id, at=at)
            billed.append(order.id)
    asked = money.settle(sheet, billed, at=at)
    if sales:
        outcomes = record_changes(sales, at=at, actor=actor)
        asked.reports += [
            _unrecorded(sale, outcome.problem.detail)
            for sale, outcome in zip(sales, outcomes, strict=True)
            if outcome.problem is not None
        ]
    return asked, bool(sales)


def _sale(order: Order, line: LineInHand, node_id: int) -> StockChange:
    return StockChange(
        node_id=node_id,
        sku_id=line.sku_id or 0,
        account_id=order.account_id,
        quantity=-line.pending,
        kind=MovementKind.SALE.value,
        cause_kind="order",
        cause_id=order.id,
        source="till",
        external_id=str(line.id),
    )


def _unrecorded(sale: StockChange, why: str) -> case_reports.Report:
    subject = sale.cause_id
    if subject is None:
        raise ValueError("a till sale names its order")
    return case_reports.Report(
        kind="SALE_NOT_IN_STOCK",
        subject_kind="order",
        subject_id=subject,
        account_id=sale.account_id,
        evidence={"node_id": sale.node_id, "sku_id": sale.sku_id, "why": why},
        cause=f"node:{sale.node_id}",
        thread_id=subject,
    )


def _tell(
    sheet: Sheet, ready: _Sorted, wanted: Mapping[UUID, int], reserved: Mapping[UUID, int]
) -> dict[UUID, int]:
    """The events of the batch; answers the units reserved per order."""
    answers = dict.fromkeys(ready.ids, 0)
    for line_id, units in reserved.items():
        answers[sheet.lines[line_id].order_id] += units
    fresh = {order.id for order in ready.fresh}
    short = {
        sheet.lines[line_id].order_id for line_id in wanted if sheet.lines[line_id].backordered
    }
    for order_id, units in answers.items():
        lines = sheet.lines_of(order_id)
        topic = "order.accepted" if order_id in fresh else "order.resourced"
        sheet.tell(
            order_id,
            topic,
            {"reserved": units, "backordered": sum(line.backordered for line in lines)},
        )
        if order_id in short:
            sheet.tell(
                order_id,
                "order.backordered",
                {"lines": {str(line.id): line.backordered for line in lines if line.backordered}},
            )
    return answers


def _answer(sheet: Sheet, order_id: UUID, reserved: int) -> AcceptedOrder:
    order, lines = sheet.orders[order_id], sheet.lines_of(order_id)
    return AcceptedOrder(
        id=order_id,
        number=order.number,
        state=order.state,
        progress=order.progress,
        reserved=reserved,
        backordered=sum(line.backordered for line in lines),
        waiting=sum(line.pending for line in lines),
        ship_by=order.ship_by,
        deliver_by=order.deliver_by,
    )


def accept_captured(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """Accept what a crash left captured, and what waits with nothing to wait for.

    Answers how many orders were looked at. Orders that somebody else holds are left to them.
    """
    waiting = _left_behind(limit, at)
    if waiting:
        accept_orders(waiting, at=at, actor=actor)
    return len(waiting)


def _left_behind(limit: int, at: datetime) -> list[UUID]:
    blocking = Hold.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id=OuterRef("pk"), state=HoldState.ACTIVE, blocks__contains=[Blocks.ACCEPT.value]
    )
    rows = (
        Order.objects.for_scope(ALL_ACCOUNTS)
        .captured()
        .filter(~Exists(blocking), captured_at__lte=at)
        .filter(Exists(OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order_id=OuterRef("pk"))))
        .filter(~Q(mode=Mode.HISTORY))
        .order_by("captured_at")
    )
    return list(rows.values_list("pk", flat=True)[:limit])
