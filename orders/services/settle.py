"""Asking the payment provider: performers called with no transaction open, and what follows answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from config.kernel import case_reports
from config.kernel.history import Change
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS, Actor
from orders.billing import owed_on
from orders.models import Authorization, Capture, Refund
from orders.payments import PaymentAnswer, PaymentCall, provider
from orders.services.sheet import Sheet, open_sheet
from orders.services.tenders import (
    TenderInHand,
    lock_tenders,
    refold_payment,
    write_asked,
    write_tenders,
)
from orders.states import AuthorizationState, CaptureState, RefundState


def perform_capture(intent: LeasedIntent) -> Answer:
    """Take the money that a shipment earned."""
    return _answered(provider(intent.payload["provider"]).capture(_call(intent)))


def perform_void(intent: LeasedIntent) -> Answer:
    """Let an authorisation go that nothing will be captured from."""
    return _answered(provider(intent.payload["provider"]).void(_call(intent)))


def perform_refund(intent: LeasedIntent) -> Answer:
    """Give money back that is not owed any more."""
    return _answered(provider(intent.payload["provider"]).refund(_call(intent)))


def find(intent: LeasedIntent) -> Answer | None:
    """What became of an earlier call with this key; None when the provider never had it."""
    found = provider(intent.payload["provider"]).find(intent.key)
    return None if found is None else _answered(found)


def _call(intent: LeasedIntent) -> PaymentCall:
    return PaymentCall(
        key=intent.key,
        amount_minor=intent.payload["amount_minor"],
        currency=intent.payload["currency"],
        authorization_reference=intent.payload["reference"],
        payload={"number": intent.payload["number"]},
    )


def _answered(answer: PaymentAnswer) -> Answer:
    if answer.status == "done":
        return Answer.done(reference=answer.reference)
    error = answer.message or answer.code or answer.status
    if answer.status == "refused":
        return Answer.refused(error, code=answer.code)
    return Answer.unknown(error) if answer.status == "unknown" else Answer.retry(error)


def record_capture(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down how a capture ended.

    A refused one gives its room back and marks its authorisation: nothing is asked of that again by
    itself, and a case stands until a person retries or another authorisation covers the money. One
    that was given up while it may have happened keeps its room: it is unknown, with a case.
    """
    order_id = UUID(intent.payload["order_id"])
    sheet = open_sheet([order_id])
    tenders = lock_tenders([order_id])[order_id]
    capture = Capture.objects.for_scope(ALL_ACCOUNTS).get(pk=intent.subject_id)
    if capture.state not in {CaptureState.REQUESTED, CaptureState.UNKNOWN}:
        return
    before = str(capture.state)
    if answer.kind is AnswerKind.UNKNOWN:
        _report_unknown(sheet, order_id, answer, "capture", at=at)
        if capture.state == CaptureState.UNKNOWN:
            return
        capture.lose_sight()
        sheet.tell(order_id, "payment.capture_unknown", told_of(capture))
    elif answer.kind is AnswerKind.DONE:
        succeed(sheet, capture, tenders, reference=str(answer.data.get("reference", "")), at=at)
    else:
        fail(sheet, capture, tenders, why=answer.error, at=at)
    write_asked(sheet, Capture, [(capture, before)])
    write_tenders(sheet, tenders)
    refold_payment(sheet.orders[order_id], tenders)
    sheet.write(at=at, actor=actor, reason="capture answered")


def succeed(
    sheet: Sheet,
    capture: Capture,
    tenders: Sequence[TenderInHand],
    *,
    reference: str,
    at: datetime,
) -> None:
    """The money was taken."""
    _tender_of(capture, tenders).unanswered_minor -= capture.amount_minor
    capture.succeed(reference=reference, at=at)
    sheet.tell(capture.order_id, "payment.captured", told_of(capture))
    _use_up(sheet, capture, tenders)


def fail(
    sheet: Sheet, capture: Capture, tenders: Sequence[TenderInHand], *, why: str, at: datetime
) -> None:
    """The money was not taken: its room is free again, its authorisation marked, with a case."""
    tender = _tender_of(capture, tenders)
    tender.unanswered_minor -= capture.amount_minor
    tender.captured_minor -= capture.amount_minor
    capture.fail(why=why[:200], at=at)
    _mark_refused(sheet, capture, tender, at)
    sheet.tell(capture.order_id, "payment.capture_failed", told_of(capture))
    case_reports.report([_failed(sheet, capture.order_id, why, "capture")], at=at)


def _tender_of(capture: Capture, tenders: Sequence[TenderInHand]) -> TenderInHand:
    return next(tender for tender in tenders if tender.id == capture.tender_id)


def record_void(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down that an authorisation is gone; one the provider keeps lapses by itself."""
    sheet = open_sheet([UUID(intent.payload["order_id"])])
    row = Authorization.objects.for_scope(ALL_ACCOUNTS).get(pk=intent.subject_id)
    if row.state != AuthorizationState.LIVE:
        return
    if answer.kind is AnswerKind.DONE:
        row.void()
        _write_authorization(sheet, row)
        sheet.tell(row.order_id, "payment.voided", {"authorization_id": str(row.id)})
    else:
        case_reports.report([_failed(sheet, row.order_id, answer.error, "void")], at=at)
    sheet.write(at=at, actor=actor, reason="void answered")


def record_refund(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down how a refund ended; a refused one waits for someone to settle it, with a case."""
    sheet = open_sheet([UUID(intent.payload["order_id"])])
    refund = Refund.objects.for_scope(ALL_ACCOUNTS).get(pk=intent.subject_id)
    if refund.state not in {RefundState.PENDING, RefundState.SENT}:
        return
    before = str(refund.state)
    told = told_of(refund)
    if answer.kind is AnswerKind.UNKNOWN:
        _report_unknown(sheet, refund.order_id, answer, "refund", at=at)
        if refund.state == RefundState.SENT:
            return
        refund.send()
        sheet.tell(refund.order_id, "payment.refund_unknown", told)
    elif answer.kind is AnswerKind.DONE:
        refund.succeed(reference=str(answer.data.get("reference", "")), at=at)
        sheet.tell(refund.order_id, "payment.refunded", told)
    else:
        fail_refund(sheet, refund, why=answer.error, at=at)
    write_asked(sheet, Refund, [(refund, before)])
    sheet.write(at=at, actor=actor, reason="refund answered")


def fail_refund(sheet: Sheet, refund: Refund, *, why: str, at: datetime) -> None:
    """The money was not given back, with a case."""
    refund.fail(why=why[:200], at=at)
    sheet.tell(refund.order_id, "payment.refund_failed", told_of(refund))
    case_reports.report([_failed(sheet, refund.order_id, why, "refund")], at=at)


def told_of(asked: Capture | Refund) -> dict[str, object]:
    """What an event says of a capture or refund."""
    return {"id": str(asked.id), "amount_minor": asked.amount_minor}


def _mark_refused(sheet: Sheet, capture: Capture, tender: TenderInHand, at: datetime) -> None:
    for authorization in tender.authorizations:
        if authorization.id == capture.authorization_id:
            authorization.refused_at = at
            sheet.statement.update(Authorization, [{"id": authorization.id, "refused_at": at}])
            sheet.note_history(Authorization, authorization.id, Change.CHANGED)


def _use_up(sheet: Sheet, capture: Capture, tenders: Sequence[TenderInHand]) -> None:
    """An authorisation is used once everything it secures has been captured."""
    if capture.authorization_id is None:
        return
    row = Authorization.objects.for_scope(ALL_ACCOUNTS).get(pk=capture.authorization_id)
    if row.state != AuthorizationState.LIVE:
        return
    succeeded = Capture.objects.for_scope(ALL_ACCOUNTS).filter(
        authorization_id=row.pk, state=CaptureState.SUCCEEDED
    )
    taken = capture.amount_minor + sum(succeeded.values_list("amount_minor", flat=True))
    order_id = capture.order_id
    order_ends = not any(
        [
            *(line.open for line in sheet.lines_of(order_id)),
            *(tender.unanswered_minor for tender in tenders),
            *owed_on(sheet.orders[order_id].invoiced_minor, tenders),
        ]
    )
    if taken >= row.amount_minor or order_ends:
        row.use_up()
        _write_authorization(sheet, row)
        for tender in tenders:
            kept = [one for one in tender.authorizations if one.id != row.id]
            tender.authorizations = kept


def _write_authorization(sheet: Sheet, row: Authorization) -> None:
    sheet.statement.update(
        Authorization,
        [{"id": row.id, "before_state": AuthorizationState.LIVE.value, "state": str(row.state)}],
        guard='kept.state = given."before_state"',
    )
    sheet.note_history(Authorization, row.id, Change.CHANGED)


def _report_unknown(
    sheet: Sheet, order_id: UUID, answer: Answer, what: str, *, at: datetime
) -> None:
    report = _failed(sheet, order_id, answer.error, what)
    case_reports.report([replace(report, kind="PAYMENT_UNKNOWN")], at=at)


def _failed(sheet: Sheet, order_id: UUID, why: str, what: str) -> case_reports.Report:
    return case_reports.Report(
        kind="PAYMENT_FAILED",
        subject_kind="order",
        subject_id=order_id,
        account_id=sheet.orders[order_id].account_id,
        evidence={"what": what, "why": why[:200]},
        thread_id=order_id,
    )
