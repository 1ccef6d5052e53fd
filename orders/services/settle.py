"""Asking the payment provider: performers called with no transaction open, and what follows answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from config.kernel import case_reports
from config.kernel.history import Change
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent, NewIntent, add
from config.kernel.types import ALL_ACCOUNTS, Actor
from orders.billing import owed_on
from orders.models import Authorization, Capture, Refund
from orders.payments import ENDED, PaymentAnswer, PaymentCall, PaymentProvider, provider
from orders.services import chargebacks, money, reauthorize
from orders.services.sheet import Sheet, open_sheet
from orders.services.tenders import (
    TenderInHand,
    Tenders,
    lock_tenders,
    refold_payment,
    write_asked,
    write_tenders,
)
from orders.states import AuthorizationState, CaptureState, RefundState


def perform_capture(intent: LeasedIntent) -> Answer:
    """Take the money that a shipment earned."""
    return answered(provider_of(intent).capture(call_of(intent)))


def perform_void(intent: LeasedIntent) -> Answer:
    """Let an authorisation go that nothing will be captured from."""
    return answered(provider_of(intent).void(call_of(intent)))


def perform_refund(intent: LeasedIntent) -> Answer:
    """Give money back that is not owed any more."""
    return answered(provider_of(intent).refund(call_of(intent)))


def find(intent: LeasedIntent) -> Answer | None:
    """What became of an earlier call with this key; None when the provider never had it."""
    found = provider_of(intent).find(intent.key)
    return None if found is None else answered(found)


def provider_of(intent: LeasedIntent) -> PaymentProvider:
    """Whoever is asked by the intent."""
    return provider(intent.payload["provider"], intent.account_id)


def call_of(intent: LeasedIntent) -> PaymentCall:
    """What the provider is asked by the intent."""
    return PaymentCall(
        key=intent.key,
        amount_minor=intent.payload["amount_minor"],
        currency=intent.payload["currency"],
        authorization_reference=intent.payload["reference"],
        payload={
            "number": intent.payload["number"],
            "ended": intent.payload.get("ended", False),
        },
    )


def answered(answer: PaymentAnswer) -> Answer:
    """What the provider's answer means for the intent."""
    if answer.status == "done":
        until = {"expires_at": answer.expires_at.isoformat()} if answer.expires_at else {}
        return Answer.done(reference=answer.reference, **until)
    error = answer.message or answer.code or answer.status
    if answer.status == "refused":
        return Answer.refused(error, code=answer.code)
    if answer.status == "unknown":
        return Answer.unknown(error)
    return Answer.retry(error, after_seconds=answer.after_seconds, asked=answer.asked)


def record_capture(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down how a capture ended.

    A refused one gives its room back and marks its authorisation: nothing is asked of that again by
    itself, and a case stands until a person retries or another authorisation covers the money. Where
    the provider has ended the authorisation, what is left of it is asked for again instead. One that
    was given up while it may have happened keeps its room: it is unknown, with a case.
    """
    order_id = UUID(intent.payload["order_id"])
    sheet = open_sheet([order_id])
    tenders = lock_tenders([order_id])[order_id]
    capture = Capture.objects.for_scope(ALL_ACCOUNTS).get(pk=intent.subject_id)
    if capture.state not in {CaptureState.REQUESTED, CaptureState.UNKNOWN}:
        return
    before = str(capture.state)
    again: list[NewIntent] = []
    if answer.kind is AnswerKind.UNKNOWN:
        _report_unknown(sheet, order_id, answer, "capture", at=at)
        if capture.state == CaptureState.UNKNOWN:
            return
        capture.lose_sight()
        sheet.tell(order_id, "payment.capture_unknown", told_of(capture))
    elif answer.kind is AnswerKind.DONE:
        succeed(sheet, capture, tenders, reference=str(answer.data.get("reference", "")), at=at)
        use_up(sheet, [capture], tenders)
    else:
        failed = fail(sheet, capture, tenders, why=answer.error, at=at)
        if answer.data.get("code") == ENDED:
            again = _authorize_anew(sheet, capture, tenders, at=at)
        if not again:
            case_reports.report([failed], at=at)
        mark_refused(sheet, [capture], tenders)
    write_asked(sheet, Capture, [(capture, before)])
    write_tenders(sheet, tenders)
    refold_payment(sheet.orders[order_id], tenders)
    sheet.write(at=at, actor=actor, reason="capture answered")
    add(again, at=at, actor=actor)


def _authorize_anew(
    sheet: Sheet, capture: Capture, tenders: Sequence[TenderInHand], *, at: datetime
) -> list[NewIntent]:
    """End the authorisation that the provider has ended, and ask for what is left of it again.

    Nothing where another capture from it is not answered, or it may not be asked for again.
    """
    row = Authorization.objects.for_scope(ALL_ACCOUNTS).get(pk=capture.authorization_id)
    others = Capture.objects.for_scope(ALL_ACCOUNTS).open().filter(authorization=row)
    if row.state != AuthorizationState.LIVE or others.exclude(pk=capture.pk).exists():
        return []
    wanted = reauthorize.wanted_anew(sheet, [row], {capture.order_id: list(tenders)})
    if not wanted:
        return []
    intents = reauthorize.ask_anew(sheet, wanted)
    row.expire()
    row.renewal_asked_at = at
    write_authorizations(sheet, [row])
    sheet.tell(
        row.order_id,
        "payment.authorization_expired",
        {"authorization_id": str(row.id), "amount_minor": row.amount_minor},
    )
    tender = tender_of(capture, tenders)
    tender.authorizations = [one for one in tender.authorizations if one.id != row.id]
    return intents


def succeed(
    sheet: Sheet,
    capture: Capture,
    tenders: Sequence[TenderInHand],
    *,
    reference: str,
    at: datetime,
) -> None:
    """The money was taken."""
    tender_of(capture, tenders).keep_taken(capture.authorization_id, capture.amount_minor)
    capture.succeed(reference=reference, at=at)
    sheet.tell(capture.order_id, "payment.captured", told_of(capture))


def fail(
    sheet: Sheet, capture: Capture, tenders: Sequence[TenderInHand], *, why: str, at: datetime
) -> case_reports.Report:
    """The money was not taken: its room is free again, its authorisation refused (`mark_refused`
    writes it); answers the case.
    """
    tender = tender_of(capture, tenders)
    tender.give_back_room(capture.authorization_id, capture.amount_minor)
    for authorization in tender.authorizations:
        if authorization.id == capture.authorization_id:
            authorization.refused_at = at
    capture.fail(why=why[:200], at=at)
    sheet.tell(capture.order_id, "payment.capture_failed", told_of(capture))
    return _failed(sheet, capture.order_id, why, "capture")


def tender_of(asked: Capture | Refund, tenders: Sequence[TenderInHand]) -> TenderInHand:
    return next(tender for tender in tenders if tender.id == asked.tender_id)


def record_void(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down that an authorisation is gone; one the provider keeps lapses by itself."""
    sheet = open_sheet([UUID(intent.payload["order_id"])])
    row = Authorization.objects.for_scope(ALL_ACCOUNTS).get(pk=intent.subject_id)
    if row.state != AuthorizationState.LIVE:
        return
    if answer.kind is AnswerKind.DONE:
        row.void()
        write_authorizations(sheet, [row])
        sheet.tell(row.order_id, "payment.voided", {"authorization_id": str(row.id)})
    else:
        case_reports.report([_failed(sheet, row.order_id, answer.error, "void")], at=at)
    sheet.write(at=at, actor=actor, reason="void answered")


def record_refund(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down how a refund ended; a refused one waits for someone to settle it, with a case.

    Where a bank has taken the same money meanwhile, that stands for it.
    """
    sheet = open_sheet([UUID(intent.payload["order_id"])])
    tenders = lock_tenders(list(sheet.orders))
    refund = Refund.objects.for_scope(ALL_ACCOUNTS).get(pk=intent.subject_id)
    if refund.state not in {RefundState.PENDING, RefundState.SENT}:
        return
    before = str(refund.state)
    told, asked = told_of(refund), money.Asked()
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
        asked, _ = follow_failures(sheet, [refund], tenders, at=at)
    write_asked(sheet, Refund, [(refund, before)])
    sheet.write(at=at, actor=actor, reason="refund answered")
    asked.send(at=at, actor=actor)


def fail_refund(sheet: Sheet, refund: Refund, *, why: str, at: datetime) -> None:
    """The money was not given back; `follow_failures` says what comes of it."""
    refund.fail(why=why[:200], at=at)
    sheet.tell(refund.order_id, "payment.refund_failed", told_of(refund))


def follow_failures(
    sheet: Sheet, failed: Sequence[Refund], tenders: Tenders, *, at: datetime
) -> tuple[money.Asked, set[UUID]]:
    """What comes of refunds that failed: cases, or what a bank took stands for them.

    Answers what is to be asked and reported, and the orders whose tenders are written by that.
    """
    touched = chargebacks.stand_in(sheet, tenders, failed, at=at)
    asked = money.ask(sheet, {order_id: tenders[order_id] for order_id in touched}, at=at)
    asked.reports += [
        _failed(sheet, refund.order_id, refund.failure, "refund")
        for refund in failed
        if refund.state == RefundState.FAILED
    ]
    return asked, touched


def told_of(asked: Capture | Refund) -> dict[str, object]:
    """What an event says of a capture or refund."""
    return {"id": str(asked.id), "amount_minor": asked.amount_minor}


def mark_refused(sheet: Sheet, failed: Sequence[Capture], tenders: Sequence[TenderInHand]) -> None:
    """Write the authorisations of captures that failed just now as refused."""
    wanted = {capture.authorization_id for capture in failed}
    refused = {
        one.id: one.refused_at
        for tender in tenders
        for one in tender.authorizations
        if one.id in wanted
    }
    sheet.statement.update(
        Authorization, [{"id": pk, "refused_at": when} for pk, when in refused.items()]
    )
    for authorization_id in refused:
        sheet.note_history(Authorization, authorization_id, Change.CHANGED)


def use_up(sheet: Sheet, taken: Sequence[Capture], tenders: Sequence[TenderInHand]) -> None:
    """An authorisation is used once everything it secures was captured, or nothing else will be.

    Called once with all that was captured in this command: at most one statement.
    """
    wanted = {capture.authorization_id for capture in taken}
    ended: dict[UUID, bool] = {}
    used = []
    for tender in tenders:
        order_id = tender.order_id
        if order_id not in ended:
            ended[order_id] = _is_at_its_end(sheet, order_id, tenders)
        spent = [
            one
            for one in tender.authorizations
            if one.id in wanted
            and not one.void_asked
            and one.refused_at is None
            and (one.is_used_up or ended[order_id])
        ]
        used += [one.id for one in spent]
        tender.authorizations = [one for one in tender.authorizations if one not in spent]
    rows = Authorization.objects.for_scope(ALL_ACCOUNTS).in_bulk(used) if used else {}
    for row in rows.values():
        row.use_up()
    write_authorizations(sheet, list(rows.values()))


def _is_at_its_end(sheet: Sheet, order_id: UUID, tenders: Sequence[TenderInHand]) -> bool:
    """Whether nothing of the order is to be captured any more."""
    own = [tender for tender in tenders if tender.order_id == order_id]
    return not any(
        [
            *(line.open for line in sheet.lines_of(order_id)),
            *(tender.unanswered_minor for tender in own),
            *owed_on(sheet.orders[order_id].invoiced_minor, own),
        ]
    )


def write_authorizations(sheet: Sheet, rows: Sequence[Authorization]) -> None:
    """Put authorisations that were live on the sheet as they stand now."""
    sheet.statement.update(
        Authorization,
        [
            {
                "id": row.id,
                "before_state": AuthorizationState.LIVE.value,
                "state": str(row.state),
                "renewal_asked_at": row.renewal_asked_at,
                "renewal_failed_at": row.renewal_failed_at,
            }
            for row in rows
        ],
        guard='kept.state = given."before_state"',
    )
    for row in rows:
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
