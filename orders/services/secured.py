"""Payment that somebody else collects: the channel says later that the money is there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel.errors import Conflict, DomainError, Invalid
from config.kernel.types import Actor, Outcome
from orders.billing import across_tenders
from orders.models import Order, Tender
from orders.services.authorize import PAYMENT_HOLD, lift_payment_holds
from orders.services.holding import active_holds
from orders.services.sheet import Sheet, is_live, open_sheet, visible
from orders.services.tenders import TenderInHand, Tenders, lock_tenders
from orders.types import SecuredPayment


@transaction.atomic
def secure_payments(
    given: Sequence[SecuredPayment], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Note what was collected elsewhere since the order came, and lift its holds for payment.

    One outcome per payment, with the order's id; one that changes nothing is repeated. A hold
    stays while tenders of ours are not secured, or all tenders together do not cover the order.
    What was collected is a sum to date and never falls.
    """
    sheet = open_sheet(one.order_id for one in given)
    tenders = lock_tenders(list(sheet.orders))
    held = {
        order_id
        for order_id, holds in active_holds(sheet.orders).items()
        if any(hold.type == PAYMENT_HOLD for hold in holds)
    }
    outcomes: list[Outcome[UUID]] = []
    covered: set[UUID] = set()
    for one in given:
        try:
            written = _collect(sheet, tenders, one, actor)
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        lifted = one.order_id in held - covered and _covers(
            sheet.orders[one.order_id], tenders[one.order_id]
        )
        if lifted:
            covered.add(one.order_id)
        changed = written or lifted
        outcomes.append(Outcome.done(one.order_id) if changed else Outcome.repeated(one.order_id))
    lift_payment_holds(sheet, covered, "the channel has secured the payment", at=at, actor=actor)
    sheet.write(at=at, actor=actor, reason="payment secured elsewhere")
    return outcomes


def _collect(sheet: Sheet, tenders: Tenders, one: SecuredPayment, actor: Actor) -> bool:
    """Spread the sum over the tenders that others collect; answer whether any of it is new."""
    order = visible(sheet, one.order_id, actor.scope)
    if not is_live(order):
        raise Conflict(f"The order is {order.get_state_display().lower()}.")
    if one.collected_minor < 0:
        raise Invalid("What was collected is not negative.")
    theirs = [tender for tender in tenders.get(order.id, ()) if not tender.is_ours]
    if not theirs:
        raise Conflict("Nobody else collects money of the order.")
    shares = across_tenders(one.collected_minor, [tender.amount_minor for tender in theirs])
    rows: list[dict[str, Any]] = []
    for tender, share in zip(theirs, shares, strict=True):
        if share > tender.captured_minor:
            tender.captured_minor = share
            rows.append({"id": tender.id, "captured_minor": share})
    if rows:
        sheet.statement.update(Tender, rows)
        sheet.tell(order.id, "payment.secured_elsewhere", {"collected_minor": one.collected_minor})
    return bool(rows)


def _covers(order: Order, tenders: Sequence[TenderInHand]) -> bool:
    """Whether the tenders are worth the order. Those of ours are secured or not by its state."""
    due = order.total_minor - order.cancelled_minor
    return sum(tender.amount_minor for tender in tenders) >= due
