"""Payments as providers name them: by the key they were asked with, or their own references."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS, Scope
from orders.models import Authorization, Capture, Dispute, Refund
from orders.payments import (
    DisputeVerdict,
    LapsedAuthorization,
    NewDispute,
    PaymentNews,
    read_key,
)
from orders.states import CaptureState, RefundState


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A capture or refund of ours. `happened`, at the provider, is None while nobody has answered."""

    key: str
    id: UUID
    order_id: UUID
    account_id: UUID
    state: str
    amount_minor: int
    reference: str
    happened: bool | None


_OPEN = frozenset(
    {
        CaptureState.REQUESTED,
        CaptureState.UNKNOWN,
        RefundState.PENDING,
        RefundState.SENT,
    }
)


def payments_by_key(keys: Sequence[str], scope: Scope) -> dict[str, PaymentRow]:
    """Captures and refunds by the key under which the provider was asked. Two statements."""
    wanted = [read[1] for key in keys if (read := read_key(key)) is not None]
    found = [
        *(_row("capture", row) for row in Capture.objects.for_scope(scope).filter(pk__in=wanted)),
        *(_row("refund", row) for row in Refund.objects.for_scope(scope).filter(pk__in=wanted)),
    ]
    return {row.key: row for row in found}


def payments_after(
    account_id: UUID,
    provider: str,
    kind: Literal["capture", "refund"],
    after: UUID | None,
    *,
    asked_before: datetime,
    limit: int,
) -> list[PaymentRow]:
    """The next captures or refunds that a provider was asked for, in the order of their ids."""
    model = Capture if kind == "capture" else Refund
    rows = model.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id, tender__provider=provider, at__lt=asked_before
    )
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return [_row(kind, row) for row in rows.order_by("pk")[:limit]]


def _row(kind: str, row: Capture | Refund) -> PaymentRow:
    happened = (
        None if row.state in _OPEN else row.state in {CaptureState.SUCCEEDED, RefundState.SUCCEEDED}
    )
    return PaymentRow(
        f"payment.{kind}:{row.pk}",
        row.pk,
        row.order_id,
        row.account_id,
        str(row.state),
        row.amount_minor,
        row.reference,
        happened,
    )


def orders_told_of(
    news: Sequence[PaymentNews | LapsedAuthorization | NewDispute | DisputeVerdict],
) -> set[UUID]:
    """The orders that news of providers are about, as far as they are known. Four statements."""
    keys = [one.key for one in news if isinstance(one, PaymentNews)]
    references = [one.reference for one in news if isinstance(one, LapsedAuthorization)]
    references += [one.authorization_reference for one in news if isinstance(one, NewDispute)]
    disputes = [one.reference for one in news if isinstance(one, DisputeVerdict)]
    found = (
        {row.order_id for row in payments_by_key(keys, ALL_ACCOUNTS).values()} if keys else set()
    )
    if references:
        secured = Authorization.objects.for_scope(ALL_ACCOUNTS).filter(reference__in=references)
        found |= set(secured.values_list("order_id", flat=True))
    if disputes:
        known = Dispute.objects.for_scope(ALL_ACCOUNTS).filter(reference__in=disputes)
        found |= set(known.values_list("order_id", flat=True))
    return found
