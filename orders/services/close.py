"""Closing: an order of which nothing is open any more, neither goods nor money nor work."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders import progress
from orders.models import Capture, Dispute, Order, Refund, Tender
from orders.services import money
from orders.services.sheet import Sheet, open_sheet
from orders.services.tenders import is_billed
from orders.states import (
    CaptureState,
    CollectedBy,
    OrderState,
    PaymentState,
    Progress,
    RefundState,
)

BATCH = 200
_OPEN_CAPTURES = [CaptureState.REQUESTED, CaptureState.UNKNOWN]
_OPEN_REFUNDS = [RefundState.PENDING, RefundState.SENT, RefundState.FAILED]
_SETTLED = [Progress.DELIVERED, Progress.LOST]


@transaction.atomic
def close_settled(order_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Close the orders whose units are all settled, whose money balances, and nothing holds.

    Money that a hold kept back is asked for first; the order then closes the next time.
    """
    sheet = open_sheet(order_ids, skip_locked=True)
    open_money = _open_money(list(sheet.orders))
    asked = money.settle(sheet, list(sheet.orders), at=at)
    awaiting = {intent.payload["order_id"] for intent in asked.intents}
    outcomes: list[Outcome[UUID]] = []
    for order_id in order_ids:
        why = _why_open(sheet, order_id, open_money)
        if not why and str(order_id) in awaiting:
            why = "Its money is being asked for."
        if not why and order_id in asked.owing:
            why = "Money is owed that nothing secures."
        if why:
            outcomes.append(Outcome.refused("conflict", why))
            continue
        sheet.orders[order_id].close(at=at)
        sheet.tell(order_id, "order.closed", {})
        outcomes.append(Outcome.done(order_id))
    sheet.write(at=at, actor=actor, reason="settled")
    asked.send(at=at, actor=actor)
    return outcomes


def _why_open(sheet: Sheet, order_id: UUID, open_money: set[UUID]) -> str:
    """What keeps the order open; empty when nothing does."""
    order = sheet.orders.get(order_id)
    if order is None:
        return "The order does not exist, or somebody is at work on it."
    if order.state != OrderState.ACCEPTED:
        return f"The order is {order.get_state_display().lower()}."
    if not order.is_free_to_close():
        return "The order is held."
    if not progress.all_settled(sheet.lines_of(order_id)):
        return "Units are still open or underway."
    return _why_money_is_open(order, open_money)


def _why_money_is_open(order: Order, open_money: set[UUID]) -> str:
    if order.id in open_money:
        return "A capture or refund is not answered yet, or a payment is disputed."
    if is_billed(order) and order.invoiced_minor + order.cancelled_minor != order.total_minor:
        return "What was invoiced and cancelled is not what the order costs."
    return ""


def _open_money(order_ids: Sequence[UUID]) -> set[UUID]:
    """Orders with a capture, refund or dispute that is not settled yet: one statement."""
    captures = Capture.objects.for_scope(ALL_ACCOUNTS).of_orders(order_ids)
    refunds = Refund.objects.for_scope(ALL_ACCOUNTS).of_orders(order_ids)
    disputes = Dispute.objects.for_scope(ALL_ACCOUNTS).of_orders(order_ids).open()
    return set(
        captures.filter(state__in=_OPEN_CAPTURES)
        .values_list("order_id", flat=True)
        .union(
            refunds.filter(state__in=_OPEN_REFUNDS).values_list("order_id", flat=True),
            disputes.values_list("order_id", flat=True),
        )
    )


def close_due(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """Close what is settled; answers how many were closed.

    What is owed and not secured waits for a person or for the buyer, and is not looked at.
    """
    captures = Capture.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id=OuterRef("pk"), state__in=_OPEN_CAPTURES
    )
    refunds = Refund.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id=OuterRef("pk"), state__in=_OPEN_REFUNDS
    )
    disputes = Dispute.objects.for_scope(ALL_ACCOUNTS).open().filter(order_id=OuterRef("pk"))
    unpaid = Tender.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id=OuterRef("pk"),
        collected_by=CollectedBy.US,
        captured_minor__lt=F("amount_minor"),
    )
    due = list(
        Order.objects.for_scope(ALL_ACCOUNTS)
        .accepted()
        .filter(progress__in=_SETTLED, holds_open=0)
        .filter(~Exists(captures), ~Exists(refunds), ~Exists(disputes))
        .exclude(Exists(unpaid), payment_state__in=[PaymentState.PENDING, PaymentState.FAILED])
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )
    if not due:
        return 0
    return sum(outcome.ok for outcome in close_settled(due, at=at, actor=actor))
