"""The exceptions of supply: what they are, and how to tell whether they still stand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Max, Q

from config.kernel import case_reports
from config.kernel.case_reports import CaseKind, Report
from config.kernel.services.dwell import Stayer
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors
from inventory.models import CountRequest, Inbound, Sku, StockAdjustment, StockPosition, Transfer
from inventory.states import OPEN_COUNT_STATES, AdjustmentState, InboundState, TransferState
from inventory.types import ShortRisk, SubjectTag, pk_of, subject_id

COUNT_OVERDUE_AFTER: Final = timedelta(hours=24)
COUNT_STUCK_AFTER: Final = timedelta(days=3)
INBOUND_STUCK_AFTER: Final = timedelta(days=2)
ADJUSTMENT_STUCK_AFTER: Final = timedelta(days=2)
TRANSFER_STUCK_AFTER: Final = timedelta(days=3)
FOUND_AT_ONCE: Final = 100


def still_short(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Positions that still have more reserved than there is."""
    pks = StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=map(pk_of, subject_ids), shortfall__gt=0
    )
    return {subject_id(SubjectTag.POSITION, pk) for pk in pks.values_list("pk", flat=True)}


def still_uncounted(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Count requests that are still open."""
    pks = CountRequest.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=map(pk_of, subject_ids), state__in=OPEN_COUNT_STATES
    )
    return {subject_id(SubjectTag.COUNT_REQUEST, pk) for pk in pks.values_list("pk", flat=True)}


def still_different(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Transfers whose differences nobody has settled yet."""
    found = Transfer.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=subject_ids, state=TransferState.RECEIVED
    )
    return set(found.values_list("pk", flat=True))


def still_coming(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Inbound documents of which something is still on its way."""
    found = Inbound.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=map(pk_of, subject_ids), state__in=[InboundState.EXPECTED, InboundState.ARRIVING]
    )
    return {subject_id(SubjectTag.INBOUND, pk) for pk in found.values_list("pk", flat=True)}


def still_at_risk(subject_ids: Sequence[UUID]) -> set[UUID]:
    """SKUs that are still running out."""
    risky = {subject_id(SubjectTag.SKU, risk.sku_id) for risk in _risks()}
    return risky & set(subject_ids)


KINDS: Final = (
    CaseKind(
        code="SHORTFALL",
        label="More reserved than there is",
        severity=1,
        due=timedelta(hours=2),
        owner_team="operations",
        playbook="Orders are re-sourced by themselves; look for what nothing else can serve.",
        still_true=still_short,
    ),
    CaseKind(
        code="STOCK_DISCREPANCY",
        label="Book and fact differ",
        severity=3,
        due=timedelta(hours=24),
        owner_team="inventory",
        playbook="Have the SKU counted at the node, then look for the movement that is missing.",
    ),
    CaseKind(
        code="COUNT_OVERDUE",
        label="A count was not answered",
        severity=3,
        due=timedelta(hours=24),
        owner_team="inventory",
        playbook="Call the node: the SKU is not sourced there until it has been counted.",
        still_true=still_uncounted,
    ),
    CaseKind(
        code="TRANSFER_DIFFERENCE",
        label="A transfer did not arrive as it left",
        severity=3,
        due=timedelta(hours=48),
        owner_team="inventory",
        playbook="Ask both nodes to count, settle or withdraw the claims, then close the transfer.",
        still_true=still_different,
    ),
    CaseKind(
        code="SKU_SHORT_RISK",
        label="A SKU is running out",
        severity=3,
        due=timedelta(hours=24),
        owner_team="merchandising",
        playbook="Expedite inbound, move stock between nodes, or stop selling it.",
        still_true=still_at_risk,
    ),
    CaseKind(
        code="INBOUND_SLIPPED",
        label="Goods on their way come too late for what was promised",
        severity=2,
        due=timedelta(hours=8),
        owner_team="inventory",
        playbook="Expedite it, move stock from another node, or tell the buyers who wait another day.",
        still_true=still_coming,
    ),
    CaseKind(
        code="NOTICE_DIFFERS",
        label="A shipping notice says something else than its order",
        severity=3,
        due=timedelta(hours=24),
        owner_team="inventory",
        playbook="Ask the supplier; correct the order, or close it short when the rest does not come.",
        still_true=still_coming,
    ),
    CaseKind(
        code="AVAILABILITY_DRIFT",
        label="A channel's figure had said too much",
        severity=2,
        due=timedelta(hours=8),
        owner_team="inventory",
        playbook="It has been put right. Find what changed without saying so; then look for oversells.",
    ),
)


def detect_overdue_counts(*, at: datetime) -> int:
    """Report counts that nobody has answered in time: by their due time, or within a day."""
    late = Q(due_at__lte=at) | Q(due_at=None, opened_at__lte=at - COUNT_OVERDUE_AFTER)
    overdue = (
        CountRequest.objects.for_scope(ALL_ACCOUNTS)
        .filter(late, state__in=OPEN_COUNT_STATES)
        .order_by("opened_at", "pk")[:FOUND_AT_ONCE]
    )
    reports = [
        Report(
            "COUNT_OVERDUE",
            "count_request",
            subject_id(SubjectTag.COUNT_REQUEST, request.pk),
            request.account_id,
            {"node_id": request.node_id, "sku_id": request.sku_id},
            cause=f"node:{request.node_id}",
        )
        for request in overdue
    ]
    case_reports.report(reports, at=at)
    return len(reports)


def detect_short_risk(*, at: datetime) -> int:
    """Report SKUs of which nothing is free while somebody waits or has lately bought."""
    risky = {risk.sku_id: risk for risk in _risks()}
    accounts = Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=risky)
    reports = [
        Report(
            "SKU_SHORT_RISK",
            "sku",
            subject_id(SubjectTag.SKU, sku_id),
            account_id,
            {"sku": risky[sku_id].code, "waiting": risky[sku_id].waiting}
            | {"shortfall": risky[sku_id].shortfall},
            cause=f"sku:{risky[sku_id].code}",
        )
        for sku_id, account_id in accounts.values_list("pk", "account_id")
    ]
    case_reports.report(reports, at=at)
    return len(reports)


def open_counts(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
    """Count requests open since before then."""
    found = CountRequest.objects.for_scope(ALL_ACCOUNTS).filter(
        state__in=OPEN_COUNT_STATES, opened_at__lt=before
    )
    if among is not None:
        found = found.filter(pk__in=_pks(among, SubjectTag.COUNT_REQUEST))
    return [
        Stayer(subject_id(SubjectTag.COUNT_REQUEST, row.pk), row.account_id, row.opened_at)
        for row in found.order_by("opened_at", "pk")[:limit]
    ]


def waiting_adjustments(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
    """Adjustments that have waited for a second person since before then."""
    found = StockAdjustment.objects.for_scope(ALL_ACCOUNTS).filter(
        state=AdjustmentState.PROPOSED, proposed_at__lt=before
    )
    if among is not None:
        found = found.filter(pk__in=among)
    rows = found.order_by("proposed_at", "pk")[:limit]
    return [Stayer(row.pk, row.account_id, row.proposed_at) for row in rows]


def unshipped_transfers(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
    """Transfers that their source has been asked for before then, and of which nothing has left."""
    found = Transfer.objects.for_scope(ALL_ACCOUNTS).filter(
        state=TransferState.RELEASED, released_at__lt=before
    )
    if among is not None:
        found = found.filter(pk__in=among)
    return [
        Stayer(row.pk, row.account_id, row.released_at)
        for row in found.order_by("released_at", "pk")[:limit]
        if row.released_at is not None
    ]


def late_inbound(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
    """Inbound whose last line was expected before then, and that has not all arrived."""
    found = (
        Inbound.objects.for_scope(ALL_ACCOUNTS)
        .filter(state__in=[InboundState.EXPECTED, InboundState.ARRIVING])
        .filter(lines__received__lt=F("lines__expected"))
        .annotate(due=Max("lines__eta_at"))
        .filter(due__lt=before)
    )
    if among is not None:
        found = found.filter(pk__in=_pks(among, SubjectTag.INBOUND))
    return [
        Stayer(subject_id(SubjectTag.INBOUND, row.pk), row.account_id, row.due)
        for row in found.order_by("due", "pk")[:limit]
    ]


def _risks() -> list[ShortRisk]:
    return [
        risk for risk in selectors.short_risk(ALL_ACCOUNTS, limit=FOUND_AT_ONCE) if risk.free <= 0
    ]


def _pks(subject_ids: Sequence[UUID], tag: SubjectTag) -> list[int]:
    """The rows of one kind among subjects of any kind."""
    return [pk_of(one) for one in subject_ids if one.int >> 80 == tag]
