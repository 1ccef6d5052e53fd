"""Money whose asking ended badly: tried again, looked up at the provider, or settled by a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.errors import Conflict, DomainError, Invalid, NotFound
from config.kernel.services import owned_intents
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.models import Capture, Refund
from orders.services import money, settle
from orders.services.sheet import Sheet, open_sheet, visible
from orders.services.tenders import (
    TenderInHand,
    Tenders,
    lock_tenders,
    refold_payment,
    write_asked,
    write_tenders,
)
from orders.states import CaptureState, RefundState
from orders.types import HandSettlement

LONGEST_REFERENCE = 128
_SETTLED = "settled otherwise"


@transaction.atomic
def retry_refunds(order_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Ask again for the refunds that the provider refused. One outcome per order.

    A new refund with a key of its own takes the place of each. Refused where none was refused.
    """
    sheet = open_sheet(order_ids)
    tenders = _by_id(lock_tenders(list(sheet.orders)))
    failed = _refunds(sheet, [RefundState.FAILED])
    tried: set[UUID] = set()
    outcomes: list[Outcome[UUID]] = []
    for order_id in order_ids:
        try:
            visible(sheet, order_id, actor.scope)
            own = [refund for refund in failed if refund.order_id == order_id]
            if not own:
                raise Conflict("No refund of the order was refused.")
            if any(tenders[refund.tender_id].disputed_minor for refund in own):
                raise Conflict("The buyer disputes the payment: the bank has to decide first.")
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        tried.add(order_id)
        outcomes.append(Outcome.done(order_id))
    again = [refund for refund in failed if refund.order_id in tried]
    intents = []
    for refund in again:
        refund.retry()
        intents.append(
            money.ask_refund(
                sheet,
                sheet.orders[refund.order_id],
                tenders[refund.tender_id],
                refund.amount_minor,
                refund.reason,
                at,
                source=refund.source or tenders[refund.tender_id].paid_reference,
            )
        )
    write_asked(sheet, Refund, [(refund, RefundState.FAILED.value) for refund in again])
    sheet.write(at=at, actor=actor, reason="refund retried")
    _withdraw(money.REFUND, again)
    money.Asked(intents).send(at=at, actor=actor)
    return outcomes


def retry_refund(order_id: UUID, *, at: datetime, actor: Actor) -> Outcome[UUID]:
    """`retry_refunds` of one order."""
    return retry_refunds([order_id], at=at, actor=actor)[0]


@transaction.atomic
def look_up_payments(
    order_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Have the provider asked what became of payments with an unknown outcome. One outcome each.

    Only what it never had is tried once more. Refused where no outcome is unknown.
    """
    sheet = open_sheet(order_ids)
    captures, refunds = _captures(sheet), _refunds(sheet, [RefundState.SENT])
    unknown = {row.order_id for row in captures} | {row.order_id for row in refunds}
    asked: set[UUID] = set()
    outcomes: list[Outcome[UUID]] = []
    for order_id in order_ids:
        try:
            visible(sheet, order_id, actor.scope)
            if order_id not in unknown:
                raise Conflict("No payment of the order has an unknown outcome.")
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        asked.add(order_id)
        outcomes.append(Outcome.done(order_id))
    for order_id in sorted(asked):
        sheet.tell(order_id, "payment.lookup_requested")
    sheet.write(at=at, actor=actor, reason="asked the provider")
    for kind, rows in ((money.CAPTURE, captures), (money.REFUND, refunds)):
        keys = [money.key_of(kind, row.id) for row in rows if row.order_id in asked]
        owned_intents.ask_again(kind, keys)
    return outcomes


@dataclass(slots=True)
class _Found:
    """Payments that may be settled by hand, by id, and those that were, with their state before."""

    captures: dict[UUID, Capture]
    refunds: dict[UUID, Refund]
    ended_captures: list[tuple[Capture, str]] = field(default_factory=list)
    ended_refunds: list[tuple[Refund, str]] = field(default_factory=list)
    reports: list[case_reports.Report] = field(default_factory=list)


@transaction.atomic
def settle_payments_by_hand(
    settlements: Sequence[HandSettlement], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Record what a person found out about refunds and captures. One outcome each, with its order.

    A refund that was refused or has an unknown outcome was given by hand, or was not; a capture
    with an unknown outcome succeeded, or did not. What happened has a reference.
    """
    wanted = [one.payment_id for one in settlements]
    sheet = open_sheet(_orders_of(wanted))
    tenders = lock_tenders(list(sheet.orders))
    found = _Found(
        {row.id: row for row in _captures(sheet)},
        {row.id: row for row in _refunds(sheet, [RefundState.SENT, RefundState.FAILED])},
    )
    outcomes: list[Outcome[UUID]] = []
    for one in settlements:
        try:
            outcomes.append(Outcome.done(_settle(sheet, tenders, found, one, at=at, actor=actor)))
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
    failed = [row for row, _ in found.ended_refunds if row.state == RefundState.FAILED]
    asked, settled = settle.follow_failures(sheet, failed, tenders, at=at)
    write_asked(sheet, Capture, found.ended_captures)
    write_asked(sheet, Refund, found.ended_refunds)
    _write_authorizations(sheet, tenders, found)
    touched = {capture.order_id for capture, _ in found.ended_captures} - settled
    for order_id in sorted(touched):
        refold_payment(sheet.orders[order_id], tenders[order_id])
    write_tenders(sheet, [tender for order_id in touched for tender in tenders[order_id]])
    sheet.write(at=at, actor=actor, reason="settled by hand")
    case_reports.report(found.reports, at=at)
    asked.send(at=at, actor=actor)
    _withdraw(money.CAPTURE, [capture for capture, _ in found.ended_captures])
    _withdraw(money.REFUND, [refund for refund, _ in found.ended_refunds])
    return outcomes


def _write_authorizations(sheet: Sheet, tenders: Tenders, found: _Found) -> None:
    """What was captured from may be used up by it, what was refused is marked."""
    ended = [capture for capture, _ in found.ended_captures]
    own = [tender for order_id in {row.order_id for row in ended} for tender in tenders[order_id]]
    settle.use_up(sheet, [row for row in ended if row.state == CaptureState.SUCCEEDED], own)
    settle.mark_refused(sheet, [row for row in ended if row.state == CaptureState.FAILED], own)


def _settle(
    sheet: Sheet,
    tenders: Tenders,
    found: _Found,
    one: HandSettlement,
    *,
    at: datetime,
    actor: Actor,
) -> UUID:
    """Settle one payment on the sheet; answers its order. Raises the refusal."""
    capture, refund = found.captures.get(one.payment_id), found.refunds.get(one.payment_id)
    payment = capture or refund
    if payment is None:
        raise NotFound("There is no payment of this id that waits for a person.")
    order_id: UUID = visible(sheet, payment.order_id, actor.scope).id
    if one.happened and not 0 < len(one.reference) <= LONGEST_REFERENCE:
        raise Invalid(f"A reference of 1 to {LONGEST_REFERENCE} characters is needed.")
    if any(done is payment for done, _ in (*found.ended_captures, *found.ended_refunds)):
        raise Conflict("It was settled just now.")
    if capture is not None:
        found.ended_captures.append((capture, str(capture.state)))
        if one.happened:
            settle.succeed(sheet, capture, tenders[order_id], reference=one.reference, at=at)
        else:
            found.reports.append(
                settle.fail(sheet, capture, tenders[order_id], why="not taken", at=at)
            )
    elif refund is not None:
        _settle_refund(sheet, found, refund, one, at=at)
    return order_id


def _settle_refund(
    sheet: Sheet, found: _Found, refund: Refund, one: HandSettlement, *, at: datetime
) -> None:
    before = str(refund.state)
    if one.happened:
        refund.settle_by_hand(reference=one.reference, at=at)
        sheet.tell(refund.order_id, "payment.refund_settled", settle.told_of(refund))
    elif before == RefundState.FAILED:
        raise Conflict("The provider has refused it: try it again, or give the money back by hand.")
    else:
        settle.fail_refund(sheet, refund, why="not given back", at=at)
    found.ended_refunds.append((refund, before))


def _captures(sheet: Sheet) -> list[Capture]:
    """Captures of the orders on the sheet that have an unknown outcome."""
    rows = Capture.objects.for_scope(ALL_ACCOUNTS).of_orders(sheet.orders)
    return list(rows.filter(state=CaptureState.UNKNOWN).order_by("pk"))


def _refunds(sheet: Sheet, states: Sequence[str]) -> list[Refund]:
    rows = Refund.objects.for_scope(ALL_ACCOUNTS).of_orders(sheet.orders)
    return list(rows.filter(state__in=states).order_by("pk"))


def _orders_of(payment_ids: Sequence[UUID]) -> set[UUID]:
    """The orders of captures and refunds, so that they can be locked first."""
    captures = Capture.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=payment_ids)
    refunds = Refund.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=payment_ids)
    return {
        *captures.values_list("order_id", flat=True),
        *refunds.values_list("order_id", flat=True),
    }


def _by_id(tenders: Tenders) -> dict[UUID, TenderInHand]:
    return {tender.id: tender for own in tenders.values() for tender in own}


def _withdraw(kind: str, payments: Iterable[Capture | Refund]) -> None:
    """What was given up is not looked at any more."""
    keys = [money.key_of(kind, payment.id) for payment in payments]
    if keys:
        owned_intents.withdraw(kind, keys, why=_SETTLED)
