"""Money that follows units: invoices as they leave, captures as they are invoiced, and giving back.

Works on a sheet, before it is written. What must be asked of a provider becomes rows (capture,
refund) and intents; the asking is `orders.services.settle`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from config.kernel import case_reports, ids
from config.kernel.history import Change
from config.kernel.services.intents import NewIntent, add
from config.kernel.types import Actor
from orders import billing
from orders.models import Authorization, Capture, Invoice, Order, Refund
from orders.services.in_hand import LineInHand
from orders.services.sheet import Sheet
from orders.services.tenders import (
    AuthorizationInHand,
    TenderInHand,
    Tenders,
    is_billed,
    lock_tenders,
    refold_payment,
    write_tenders,
)
from orders.states import Blocks, InvoiceKind, LineKind

CAPTURE, VOID, REFUND = "payment.capture", "payment.void", "payment.refund"


@dataclass(slots=True)
class Asked:
    """Intents and cases that go with the sheet once it is written; orders that owe what nothing secures."""

    intents: list[NewIntent] = field(default_factory=list)
    reports: list[case_reports.Report] = field(default_factory=list)
    owing: set[UUID] = field(default_factory=set)

    def send(self, *, at: datetime, actor: Actor) -> None:
        """Two statements at most, after the sheet."""
        if self.intents:
            add(self.intents, at=at, actor=actor)
        case_reports.report(self.reports, at=at)


def bill_changes(
    sheet: Sheet, order_id: UUID, *, at: datetime, parcel_id: UUID | None = None
) -> None:
    """Invoice what was shipped and drop what was cancelled since the last bill of this order."""
    order = sheet.orders[order_id]
    lines = [line for line in sheet.lines_of(order_id) if line.kind != LineKind.KIT]
    closing = [
        line for line in lines if (line.shipped, line.cancelled) != sheet.closed_before(line.id)
    ]
    if not closing or not is_billed(order):
        return
    closings = [_closing(sheet, line) for line in closing]
    total = sum(line.total_minor for line in lines)
    made = billing.bill(
        closings,
        order_part_minor=order.total_minor - total,
        lines_total_minor=total,
        lines_closed_minor=sum(
            billing.value_of(line.total_minor, line.ordered, sum(sheet.closed_before(line.id)))
            for line in lines
        ),
        invoiced_before=any(sheet.closed_before(line.id)[0] for line in lines),
        last=not any(line.open for line in lines),
    )
    for line, dropped in zip(closing, made.dropped, strict=True):
        sheet.price_cancellation(line.id, dropped)
        sheet.bill_up_to_now(line.id)
    order.cancelled_minor += made.dropped_minor
    if any(closing.shipping for closing in closings):
        order.invoiced_minor += made.charged_minor
        sheet.insert(Invoice, _invoice_row(order, made.charged_minor, parcel_id, at))


def credit_changes(sheet: Sheet, order_id: UUID, *, at: datetime, parcel_id: UUID) -> int:
    """Write the credit note for units that are shipped no more; answers its amount."""
    order = sheet.orders[order_id]
    lines = [line for line in sheet.lines_of(order_id) if line.kind != LineKind.KIT]
    taken = [line for line in lines if line.shipped < sheet.closed_before(line.id)[0]]
    if not taken or not is_billed(order):
        return 0
    total = sum(line.total_minor for line in lines)
    before = {line.id: sum(sheet.closed_before(line.id)) for line in lines}
    amount = billing.credit(
        [
            billing.Closing(
                line.total_minor,
                line.ordered,
                before[line.id],
                sheet.closed_before(line.id)[0] - line.shipped,
            )
            for line in taken
        ],
        order_part_minor=order.total_minor - total,
        lines_total_minor=total,
        lines_closed_minor=sum(
            billing.value_of(line.total_minor, line.ordered, before[line.id]) for line in lines
        ),
        was_last=all(before[line.id] == line.ordered for line in lines),
        still_invoiced=any(line.shipped for line in lines),
    )
    for line in taken:
        sheet.bill_up_to_now(line.id)
    order.invoiced_minor -= amount
    row = _invoice_row(order, amount, parcel_id, at)
    sheet.insert(Invoice, row | {"kind": InvoiceKind.CREDIT_NOTE.value})
    return amount


def _closing(sheet: Sheet, line: LineInHand) -> billing.Closing:
    shipped, cancelled = sheet.closed_before(line.id)
    return billing.Closing(
        line.total_minor,
        line.ordered,
        shipped + cancelled,
        line.shipped - shipped,
        line.cancelled - cancelled,
    )


def _invoice_row(order: Order, amount: int, parcel_id: UUID | None, at: datetime) -> dict[str, Any]:
    return {
        "id": ids.uuid7(),
        "order_id": order.id,
        "account_id": order.account_id,
        "parcel_id": parcel_id,
        "kind": InvoiceKind.INVOICE.value,
        "amount_minor": amount,
        "currency": order.currency,
        "at": at,
    }


def settle(sheet: Sheet, order_ids: Sequence[UUID], *, at: datetime) -> Asked:
    """Ask for what is invoiced and not captured, give back what is captured and not owed.

    Locks the tenders of these orders (one statement). Only what we collect is touched. Money under
    a hold that blocks capture waits; the amounts are to date, so that the next call catches up.
    """
    return ask(sheet, tenders_of(sheet, order_ids), at=at)


def tenders_of(sheet: Sheet, order_ids: Sequence[UUID]) -> Tenders:
    """Lock the tenders of those orders whose money is ours to keep: one statement."""
    return lock_tenders([i for i in order_ids if is_billed(sheet.orders[i])])


def ask(
    sheet: Sheet,
    tenders: Tenders,
    *,
    at: datetime,
    credited: Mapping[UUID, Sequence[UUID]] | None = None,
) -> Asked:
    """`settle` for tenders that are locked already; stores where each order's payment stands.

    `credited` names the credit notes that this command has written, by order.
    """
    asked = Asked()
    voided: list[dict[str, Any]] = []
    for order_id, own in tenders.items():
        order = sheet.orders[order_id]
        _ask_captures(sheet, order, own, asked, at)
        _ask_credits(sheet, order, own, asked, at, (credited or {}).get(order_id, ()))
        _ask_refunds(sheet, order, own, asked, at)
        voided += _ask_voids(sheet, order, own, asked, at)
        refold_payment(order, own)
    write_tenders(sheet, [tender for own in tenders.values() for tender in own])
    sheet.statement.update(Authorization, voided)
    return asked


def _ask_captures(
    sheet: Sheet, order: Order, tenders: Sequence[TenderInHand], asked: Asked, at: datetime
) -> None:
    # What came back before it was paid for is not asked for any more.
    due = order.invoiced_minor - order.credit_open_minor
    if Blocks.CAPTURE in order.blocked or due <= 0:
        return
    for tender, owed in zip(tenders, billing.owed_on(due, tenders), strict=True):
        missing = owed
        for authorization in tender.authorizations:
            if amount := min(missing, authorization.room(at)):
                missing -= amount
                intent = _ask_capture(sheet, order, tender, authorization, amount, at)
                asked.intents.append(intent)
        if missing:
            asked.owing.add(order.id)
        if missing and not any(one.renewing for one in tender.authorizations):
            asked.reports.append(_payment_report(order, tender, missing))


def _ask_capture(
    sheet: Sheet,
    order: Order,
    tender: TenderInHand,
    authorization: AuthorizationInHand,
    amount: int,
    at: datetime,
) -> NewIntent:
    capture_id = ids.uuid7()
    tender.captured_minor += amount
    tender.unanswered_minor += amount
    authorization.taken_minor += amount
    authorization.unanswered_minor += amount
    sheet.insert(
        Capture,
        {
            "id": capture_id,
            "tender_id": tender.id,
            "authorization_id": authorization.id,
            "order_id": order.id,
            "account_id": order.account_id,
            "amount_minor": amount,
            "at": at,
        },
    )
    sheet.note_history(Capture, capture_id, Change.CREATED)
    sheet.tell(
        order.id,
        "payment.capture_requested",
        {"capture_id": str(capture_id), "amount_minor": amount},
    )
    return intent_of(
        CAPTURE, "capture", capture_id, tender, order, amount, reference=authorization.reference
    )


def _ask_refunds(
    sheet: Sheet, order: Order, tenders: Sequence[TenderInHand], asked: Asked, at: datetime
) -> None:
    """What we hold beyond what the order is worth now goes back, the last tender first.

    What is disputed waits for the bank.
    """
    due = order.total_minor - order.cancelled_minor
    shares = billing.across_tenders(due, [tender.amount_minor for tender in tenders])
    for tender, share in zip(tenders, shares, strict=True):
        over = tender.captured_minor - tender.given_back_minor - share
        if not tender.is_ours or tender.disputed_minor or over <= 0:
            continue
        tender.refunded_minor += over
        asked.intents += ask_refunds(sheet, order, tender, over, "cancelled", at)


def _ask_credits(
    sheet: Sheet,
    order: Order,
    tenders: Sequence[TenderInHand],
    asked: Asked,
    at: datetime,
    notes: Sequence[UUID],
) -> None:
    """Give back what is credited. What is being taken waits until it was taken, what is disputed
    for the bank; what a bank has taken back need not be given again.

    What others collect they are to give back: they are told, and it counts as answered for.
    """
    if not order.credit_open_minor:
        return
    if not tenders:
        # It was paid outside, and is given back there.
        order.credit_open_minor = 0
        return
    shares = billing.credit_shares(order.credit_open_minor, order.invoiced_minor, tenders)
    for tender, share in zip(tenders, shares, strict=True):
        absorbed = min(share, tender.absorbing_minor) if tender.is_ours else 0
        order.credit_open_minor -= absorbed
        tender.credited_minor += absorbed
        rest = share - absorbed
        amount = min(rest, tender.returnable_minor) if tender.is_ours else rest
        if amount <= 0:
            continue
        order.credit_open_minor -= amount
        tender.credited_minor += amount
        if tender.is_ours:
            tender.refunded_minor += amount
            asked.intents += ask_refunds(sheet, order, tender, amount, "credited", at)
        else:
            sheet.tell(
                order.id,
                "payment.refund_due_elsewhere",
                {
                    "tender_id": str(tender.id),
                    "collected_by": tender.collected_by,
                    "amount_minor": amount,
                    "credit_notes": [str(note_id) for note_id in notes],
                },
            )


def ask_refunds(
    sheet: Sheet, order: Order, tender: TenderInHand, amount: int, reason: str, at: datetime
) -> list[NewIntent]:
    """Put refunds of so much in all on the sheet, one per authorisation that it was taken from;
    answers what is to be asked. The tender counts them already.
    """
    return [
        ask_refund(sheet, order, tender, share, reason, at, source=source)
        for source, share in tender.give_back_through(amount)
    ]


def ask_refund(
    sheet: Sheet,
    order: Order,
    tender: TenderInHand,
    amount: int,
    reason: str,
    at: datetime,
    *,
    source: str,
) -> NewIntent:
    """One refund through one authorisation."""
    refund_id = ids.uuid7()
    sheet.insert(
        Refund,
        {
            "id": refund_id,
            "tender_id": tender.id,
            "order_id": order.id,
            "account_id": order.account_id,
            "amount_minor": amount,
            "reason": reason,
            "source": source,
            "at": at,
        },
    )
    sheet.note_history(Refund, refund_id, Change.CREATED)
    sheet.tell(
        order.id, "payment.refund_requested", {"refund_id": str(refund_id), "amount_minor": amount}
    )
    return intent_of(REFUND, "refund", refund_id, tender, order, amount, reference=source)


def _ask_voids(
    sheet: Sheet, order: Order, tenders: Sequence[TenderInHand], asked: Asked, at: datetime
) -> list[dict[str, Any]]:
    """Authorisations from which nothing was and nothing will be captured are let go."""
    if any(line.open for line in sheet.lines_of(order.id)) or order.invoiced_minor:
        return []
    # One that this command brings is no row yet: a late answer about an order that was cancelled.
    new = {row["id"]: row for row in sheet.inserted(Authorization)}
    rows = []
    for tender in tenders:
        if not tender.is_ours or tender.captured_minor:
            continue
        for authorization in tender.authorizations:
            if authorization.void_asked:
                continue
            authorization.void_asked = True
            if authorization.id in new:
                new[authorization.id]["void_asked_at"] = at
            else:
                rows.append({"id": authorization.id, "void_asked_at": at})
                sheet.note_history(Authorization, authorization.id, Change.CHANGED)
            asked.intents.append(
                intent_of(
                    VOID,
                    "authorization",
                    authorization.id,
                    tender,
                    order,
                    authorization.amount_minor,
                    reference=authorization.reference,
                )
            )
    return rows


def key_of(kind: str, subject_id: UUID) -> str:
    """The key under which the provider is asked about a capture, refund or authorisation."""
    return f"{kind}:{subject_id}"


def intent_of(
    kind: str,
    subject_kind: str,
    subject_id: UUID,
    tender: TenderInHand,
    order: Order,
    amount: int,
    *,
    reference: str,
) -> NewIntent:
    return NewIntent(
        kind=kind,
        key=key_of(kind, subject_id),
        subject_kind=subject_kind,
        subject_id=subject_id,
        account_id=order.account_id,
        payload={
            "provider": tender.provider,
            "reference": reference,
            "amount_minor": amount,
            "currency": order.currency,
            "order_id": str(order.id),
            "number": order.number,
        },
    )


def _payment_report(order: Order, tender: TenderInHand, missing: int) -> case_reports.Report:
    refused = any(one.refused_at is not None for one in tender.authorizations)
    return case_reports.Report(
        kind="PAYMENT_FAILED",
        subject_kind="order",
        subject_id=order.id,
        account_id=order.account_id,
        evidence={
            "missing_minor": missing,
            "currency": order.currency,
            "why": "the provider refused it" if refused else "no authorisation covers it",
        },
        thread_id=order.id,
    )
