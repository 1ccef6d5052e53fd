"""What banks took back: counted as given back, and never more than the buyer has of it.

A refund that is on its way when a bank decides counts as given: it most likely was. Where it turns out
that it was not, the bank's money takes its place (`stand_in`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from config.kernel import case_reports, ids
from config.kernel.history import Change
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Chargeback, Dispute, Order, Refund
from orders.services.sheet import Sheet
from orders.services.tenders import TenderInHand, Tenders, write_asked
from orders.states import DisputeState, RefundState

TAKEN_TWICE = "PAYMENT_GIVEN_TWICE"
_WITH_THE_BANK = "the bank took it back"


def charge_back(
    sheet: Sheet, tenders: Mapping[UUID, TenderInHand], lost: Sequence[Dispute], *, at: datetime
) -> list[case_reports.Report]:
    """Write what banks took, and count it as given back; answers the cases of what went twice.

    The disputes' `beyond_minor` is set; the caller writes it.
    """
    replaced = _give_way(sheet, {row.tender_id for row in lost}, at=at)
    reports = []
    for row in lost:
        order, tender = sheet.orders[row.order_id], tenders[row.tender_id]
        tender.refunded_minor -= replaced.pop(tender.id, 0)
        counted = min(row.amount_minor, max(0, tender.held_minor - tender.unanswered_minor))
        row.beyond_minor = row.amount_minor
        _count(row, tender, counted)
        sheet.insert(
            Chargeback,
            {
                "id": ids.uuid7(),
                "dispute_id": row.id,
                "tender_id": tender.id,
                "order_id": order.id,
                "account_id": order.account_id,
                "amount_minor": row.amount_minor,
                "currency": order.currency,
                "at": at,
            },
        )
        if row.beyond_minor:
            reports.append(_given_twice(order, row))
    return reports


def stand_in(
    sheet: Sheet, tenders: Tenders, failed: Sequence[Refund], *, at: datetime
) -> set[UUID]:
    """Have what banks took stand for refunds that failed after the verdict, as far as it goes.

    Such a refund, whose row the caller writes, needs no second try. Answers the orders of which money
    is to be asked anew: less may be given back by now than is owed.
    """
    by_id = {tender.id: tender for own in tenders.values() for tender in own}
    lost = _lost_beyond({refund.tender_id for refund in failed})
    touched = set()
    for refund in failed:
        own = [row for row in lost if row.tender_id == refund.tender_id and row.beyond_minor]
        if not own:
            continue
        refund.retry()
        refund.failure, refund.answered_at = _WITH_THE_BANK, at
        tender, left = by_id[refund.tender_id], refund.amount_minor
        tender.refunded_minor -= left
        for row in own:
            part = min(left, row.beyond_minor)
            _count(row, tender, part)
            left -= part
        touched.add(refund.order_id)
    changed = [row for row in lost if row.order_id in touched]
    sheet.statement.update(
        Dispute, [{"id": row.id, "beyond_minor": row.beyond_minor} for row in changed]
    )
    for row in changed:
        sheet.note_history(Dispute, row.id, Change.CHANGED)
    return touched


def _count(row: Dispute, tender: TenderInHand, amount_minor: int) -> None:
    """So much of what the bank took stands for what we need not give back any more."""
    row.beyond_minor -= amount_minor
    tender.refunded_minor += amount_minor
    tender.charged_back_minor += amount_minor


def _lost_beyond(tender_ids: Collection[UUID]) -> list[Dispute]:
    """Disputes of these tenders by which buyers have something twice, the oldest first."""
    rows = Dispute.objects.for_scope(ALL_ACCOUNTS).filter(
        tender_id__in=list(tender_ids), state=DisputeState.LOST, beyond_minor__gt=0
    )
    return list(rows.order_by("pk"))


def _give_way(sheet: Sheet, tender_ids: Collection[UUID], *, at: datetime) -> dict[UUID, int]:
    """Refunds that the provider has refused need no second try: the bank gave the money back.

    Answers how much of each tender that was.
    """
    if not tender_ids:
        return {}
    failed = list(
        Refund.objects.for_scope(ALL_ACCOUNTS)
        .filter(tender_id__in=tender_ids, state=RefundState.FAILED)
        .order_by("pk")
    )
    replaced: dict[UUID, int] = {}
    for refund in failed:
        refund.retry()
        refund.failure, refund.answered_at = _WITH_THE_BANK, at
        replaced[refund.tender_id] = replaced.get(refund.tender_id, 0) + refund.amount_minor
    write_asked(sheet, Refund, [(refund, RefundState.FAILED.value) for refund in failed])
    return replaced


def _given_twice(order: Order, row: Dispute) -> case_reports.Report:
    return case_reports.Report(
        kind=TAKEN_TWICE,
        subject_kind="order",
        subject_id=order.id,
        account_id=order.account_id,
        evidence={
            "reference": row.reference,
            "beyond_minor": row.beyond_minor,
            "currency": order.currency,
        },
        thread_id=order.id,
    )
