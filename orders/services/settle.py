"""Asking the payment provider: performers called with no transaction open, and what follows answers."""

from collections.abc import Sequence
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
from orders.services.tenders import TenderInHand, lock_tenders, refold_payment, write_tenders
from orders.states import AuthorizationState, CaptureState


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
    itself, and a case stands until a person retries or another authorisation covers the money.
    """
    order_id = UUID(intent.payload["order_id"])
    sheet = open_sheet([order_id])
    tenders = lock_tenders([order_id])[order_id]
    capture = Capture.objects.for_scope(ALL_ACCOUNTS).get(pk=intent.subject_id)
    if capture.state not in {CaptureState.REQUESTED, CaptureState.UNKNOWN}:
        return
    before = str(capture.state)
    tender = next(tender for tender in tenders if tender.id == capture.tender_id)
    tender.unanswered_minor -= capture.amount_minor
    told = _told(capture.id, capture.amount_minor)
    if answer.kind is AnswerKind.DONE:
        capture.succeed(reference=str(answer.data.get("reference", "")), at=at)
        sheet.tell(order_id, "payment.captured", told)
        _use_up(sheet, capture, tenders)
    else:
        capture.fail(why=answer.error[:200], at=at)
        tender.captured_minor -= capture.amount_minor
        _mark_refused(sheet, capture, tender, at)
        sheet.tell(order_id, "payment.capture_failed", told)
        case_reports.report([_failed(sheet, order_id, answer, "capture")], at=at)
    sheet.statement.update(
        Capture,
        [
            {
                "id": capture.id,
                "before_state": before,
                "state": str(capture.state),
                "reference": capture.reference[:128],
                "failure": capture.failure,
                "answered_at": at,
            }
        ],
        guard='kept.state = given."before_state"',
    )
    sheet.note_history(Capture, capture.id, Change.CHANGED)
    write_tenders(sheet, [tender])
    refold_payment(sheet.orders[order_id], tenders)
    sheet.write(at=at, actor=actor, reason="capture answered")


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
        case_reports.report([_failed(sheet, row.order_id, answer, "void")], at=at)
    sheet.write(at=at, actor=actor, reason="void answered")


def record_refund(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down how a refund ended; a refused one waits for someone to settle it, with a case."""
    sheet = open_sheet([UUID(intent.payload["order_id"])])
    refund = Refund.objects.for_scope(ALL_ACCOUNTS).get(pk=intent.subject_id)
    if refund.answered_at is not None:
        return
    before = str(refund.state)
    if answer.kind is AnswerKind.DONE:
        refund.succeed(reference=str(answer.data.get("reference", "")), at=at)
        sheet.tell(refund.order_id, "payment.refunded", _told(refund.id, refund.amount_minor))
    else:
        refund.fail(why=answer.error[:200], at=at)
        sheet.tell(refund.order_id, "payment.refund_failed", _told(refund.id, refund.amount_minor))
        case_reports.report([_failed(sheet, refund.order_id, answer, "refund")], at=at)
    sheet.statement.update(
        Refund,
        [
            {
                "id": refund.id,
                "before_state": before,
                "state": str(refund.state),
                "reference": refund.reference[:128],
                "failure": refund.failure,
                "answered_at": at,
            }
        ],
        guard='kept.state = given."before_state"',
    )
    sheet.note_history(Refund, refund.id, Change.CHANGED)
    sheet.write(at=at, actor=actor, reason="refund answered")


def _told(subject_id: UUID, amount_minor: int) -> dict[str, object]:
    return {"id": str(subject_id), "amount_minor": amount_minor}


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


def _failed(sheet: Sheet, order_id: UUID, answer: Answer, what: str) -> case_reports.Report:
    return case_reports.Report(
        kind="PAYMENT_FAILED",
        subject_kind="order",
        subject_id=order_id,
        account_id=sheet.orders[order_id].account_id,
        evidence={"what": what, "why": answer.error[:200]},
        thread_id=order_id,
    )
