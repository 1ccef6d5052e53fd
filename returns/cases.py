"""The exceptions that returns detect, and how long a return or a claim may stay in a state."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from config.kernel.case_reports import CaseKind
from config.kernel.services.dwell import Stayer
from config.kernel.types import ALL_ACCOUNTS
from returns.models import Claim, Return
from returns.states import ClaimState, ReturnState


def _without_label(ids: Sequence[UUID]) -> set[UUID]:
    found = Return.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=ids, state=ReturnState.AUTHORIZED, tracking_number="", label_pending=False
    )
    return set(found.values_list("pk", flat=True))


KINDS: Final = (
    CaseKind(
        code="RETURN_MISMATCH",
        label="What came back is not what was announced",
        severity=3,
        due=timedelta(hours=24),
        owner_team="operations",
        playbook="Look at what lies there. Find its order, grade it, or ask the buyer.",
    ),
    CaseKind(
        code="RETURN_NOT_CREDITED",
        label="Goods came back whose money could not be credited",
        severity=2,
        due=timedelta(hours=8),
        owner_team="operations",
        playbook="See what the order says of the units: are they delivered, or credited already?",
    ),
    CaseKind(
        code="RETURN_UNPAID_GOODS",
        label="Money went back for goods that did not come, or were not accepted",
        severity=2,
        due=timedelta(hours=24),
        owner_team="customer-service",
        playbook="Write to the buyer. What stays unpaid is written off, or asked for.",
    ),
    CaseKind(
        code="RETURN_LABEL_REFUSED",
        label="No label for the way back",
        severity=3,
        due=timedelta(hours=8),
        owner_team="operations",
        playbook="Correct the address, or tell the buyer to send it by another way.",
        still_true=_without_label,
    ),
)

Finder = Callable[[datetime, Sequence[UUID] | None, int], list[Stayer]]


def _returns_in(state: ReturnState, since: str) -> Finder:
    def find(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
        found = Return.objects.for_scope(ALL_ACCOUNTS).filter(
            state=state, **{f"{since}__lt": before}
        )
        if among is not None:
            found = found.filter(pk__in=list(among))
        rows = found.order_by(since).values_list("pk", "account_id", since, "order_id")[:limit]
        return [Stayer(*row) for row in rows]

    return find


def _claims_in(state: ClaimState, since: str) -> Finder:
    def find(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
        found = Claim.objects.for_scope(ALL_ACCOUNTS).filter(
            state=state, **{f"{since}__lt": before}
        )
        if among is not None:
            found = found.filter(pk__in=list(among))
        rows = found.order_by(since).values_list("pk", "account_id", since, "order_id")[:limit]
        return [Stayer(*row) for row in rows]

    return find


DWELL: Final = (
    *(
        ("return", str(state), limit, _returns_in(state, since))
        for state, limit, since in (
            (ReturnState.REQUESTED, timedelta(days=2), "requested_at"),
            (ReturnState.REVIEW, timedelta(days=3), "requested_at"),
            (ReturnState.AUTHORIZED, timedelta(days=60), "authorized_at"),
            (ReturnState.IN_TRANSIT, timedelta(days=21), "first_scan_at"),
            (ReturnState.RECEIVED, timedelta(days=3), "received_at"),
            (ReturnState.INSPECTED, timedelta(days=3), "inspected_at"),
            (ReturnState.SETTLED, timedelta(days=14), "settled_at"),
        )
    ),
    ("claim", str(ClaimState.OPEN), timedelta(days=7), _claims_in(ClaimState.OPEN, "opened_at")),
    ("claim", str(ClaimState.FILED), timedelta(days=30), _claims_in(ClaimState.FILED, "filed_at")),
)
