"""How captures and refunds ended by the provider's own word: late, by a push or a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.errors import Conflict, DomainError, Invalid, NotFound
from config.kernel.services import owned_intents
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.models import Capture, Refund
from orders.payments import PaymentNews, read_key
from orders.services import money, settle
from orders.services.sheet import Sheet, open_sheet, visible
from orders.services.tenders import (
    Tenders,
    lock_tenders,
    refold_payment,
    write_asked,
    write_tenders,
)
from orders.states import CaptureState, RefundState

_ENDED = "the provider has said how it ended"
_HAPPENED = {CaptureState.SUCCEEDED, RefundState.SUCCEEDED}
_NOT_HAPPENED = {CaptureState.FAILED, RefundState.FAILED, RefundState.RETRIED, RefundState.MANUAL}
"""By the provider: what a person gave back did not go its way."""


@dataclass(slots=True)
class _Known:
    """The payments that news are about, by key, and those that ended, with their state before."""

    payments: dict[str, Capture | Refund]
    captures: list[tuple[Capture, str]] = field(default_factory=list)
    refunds: list[tuple[Refund, str]] = field(default_factory=list)
    reports: list[case_reports.Report] = field(default_factory=list)


@transaction.atomic
def record_payment_news(
    news: Sequence[PaymentNews], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Write down how payments ended that were not answered yet, or that failed late.

    One outcome per news, with its order. What is known is repeated. What contradicts what was
    recorded, in its end or its amount, changes nothing and is a case.
    """
    sheet = open_sheet(_orders_of(news))
    tenders = lock_tenders(list(sheet.orders))
    known = _Known(_payments(news))
    outcomes: list[Outcome[UUID]] = []
    for one in news:
        try:
            outcomes.append(_take(sheet, tenders, known, one, at=at, actor=actor))
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
    _write(sheet, tenders, known, at=at, actor=actor)
    _end_asking(known)
    case_reports.report(known.reports, at=at)
    return outcomes


def _ids(news: Sequence[PaymentNews]) -> list[UUID]:
    return [read[1] for one in news if (read := read_key(one.key)) is not None]


def _orders_of(news: Sequence[PaymentNews]) -> set[UUID]:
    wanted = _ids(news)
    captures = Capture.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=wanted)
    refunds = Refund.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=wanted)
    return {
        *captures.values_list("order_id", flat=True),
        *refunds.values_list("order_id", flat=True),
    }


def _payments(news: Sequence[PaymentNews]) -> dict[str, Capture | Refund]:
    wanted = _ids(news)
    captures = Capture.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=wanted).order_by("pk")
    refunds = Refund.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=wanted).order_by("pk")
    return {
        **{money.key_of(money.CAPTURE, row.pk): row for row in captures},
        **{money.key_of(money.REFUND, row.pk): row for row in refunds},
    }


def _take(
    sheet: Sheet,
    tenders: Tenders,
    known: _Known,
    one: PaymentNews,
    *,
    at: datetime,
    actor: Actor,
) -> Outcome[UUID]:
    """Put one piece of news on the sheet. Raises the refusal."""
    payment = known.payments.get(one.key)
    if payment is None or payment.account_id != one.account_id:
        raise NotFound("There is no such payment here.")
    order_id: UUID = visible(sheet, payment.order_id, actor.scope).id
    if one.amount_minor != payment.amount_minor:
        known.reports.append(differs(payment, one))
        raise Invalid(
            f"The provider says {one.amount_minor}, but {payment.amount_minor} was asked for."
        )
    if payment.state in (_HAPPENED if one.happened else _NOT_HAPPENED):
        return Outcome.repeated(order_id)
    before = str(payment.state)
    if isinstance(payment, Capture):
        _end_capture(sheet, tenders, known, payment, one, at=at)
        known.captures.append((payment, before))
    else:
        _end_refund(sheet, known, payment, one, at=at)
        known.refunds.append((payment, before))
    return Outcome.done(order_id)


def _end_capture(
    sheet: Sheet,
    tenders: Tenders,
    known: _Known,
    capture: Capture,
    one: PaymentNews,
    *,
    at: datetime,
) -> None:
    if capture.state not in {CaptureState.REQUESTED, CaptureState.UNKNOWN}:
        _contradicts(known, capture, one)
    own = tenders[capture.order_id]
    if one.happened:
        settle.succeed(sheet, capture, own, reference=one.reference, at=at)
    else:
        known.reports.append(settle.fail(sheet, capture, own, why=one.why or "not taken", at=at))


def _end_refund(
    sheet: Sheet, known: _Known, refund: Refund, one: PaymentNews, *, at: datetime
) -> None:
    waiting = {RefundState.PENDING, RefundState.SENT}
    if one.happened and refund.state in waiting:
        refund.succeed(reference=one.reference, at=at)
        sheet.tell(refund.order_id, "payment.refunded", settle.told_of(refund))
    elif not one.happened and refund.state in {*waiting, RefundState.SUCCEEDED}:
        settle.fail_refund(sheet, refund, why=one.why or "not given back", at=at)
    else:
        _contradicts(known, refund, one)


def _contradicts(known: _Known, payment: Capture | Refund, one: PaymentNews) -> None:
    known.reports.append(differs(payment, one))
    says = "happened" if one.happened else "did not happen"
    raise Conflict(f"The provider says that it {says}, but it is {payment.state} here.")


def differs(payment: Capture | Refund, one: PaymentNews) -> case_reports.Report:
    """The case of a payment that the provider knows otherwise."""
    return case_reports.Report(
        kind="PAYMENT_DIFFERS",
        subject_kind="order",
        subject_id=payment.order_id,
        account_id=payment.account_id,
        evidence={
            "key": one.key,
            "ours": f"{payment.state}, {payment.amount_minor}",
            "theirs": f"{'happened' if one.happened else 'not happened'}, {one.amount_minor}",
            "reference": one.reference,
        },
        thread_id=payment.order_id,
        dedupe_key=f"PAYMENT_DIFFERS:{one.key}",
    )


def _write(sheet: Sheet, tenders: Tenders, known: _Known, *, at: datetime, actor: Actor) -> None:
    """Write what ended; the authorisations of what was taken may be used up by it."""
    failed = [row for row, _ in known.refunds if row.state == RefundState.FAILED]
    asked, settled = settle.follow_failures(sheet, failed, tenders, at=at)
    touched = {capture.order_id for capture, _ in known.captures} - settled
    own = [tender for order_id in sorted(touched) for tender in tenders[order_id]]
    ended = [row for row, _ in known.captures]
    settle.use_up(sheet, [row for row in ended if row.state == CaptureState.SUCCEEDED], own)
    settle.mark_refused(sheet, [row for row in ended if row.state == CaptureState.FAILED], own)
    write_asked(sheet, Capture, known.captures)
    write_asked(sheet, Refund, known.refunds)
    for order_id in sorted(touched):
        refold_payment(sheet.orders[order_id], tenders[order_id])
    write_tenders(sheet, own)
    sheet.write(at=at, actor=actor, reason="told by the provider")
    asked.send(at=at, actor=actor)


def _end_asking(known: _Known) -> None:
    """What was given up in doubt is not looked at any more; what is still asked hears the same."""
    for kind, payments in ((money.CAPTURE, known.captures), (money.REFUND, known.refunds)):
        keys = [money.key_of(kind, payment.id) for payment, _ in payments]
        if keys:
            owned_intents.withdraw(kind, keys, why=_ENDED)
