"""Disputes of orders, as pages and apps above ask for them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from config.kernel.types import Scope
from orders.models import Dispute


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A dispute as it stands. `charged_back_minor` is what the bank took; amounts in minor units.

    `beyond_minor` of that had been given back before: the buyer has it twice.
    """

    id: UUID
    order_id: UUID
    tender_id: UUID
    provider: str
    reference: str
    state: str
    amount_minor: int
    currency: str
    reason: str
    evidence_due_at: datetime | None
    opened_at: datetime
    settled_at: datetime | None
    charged_back_minor: int = 0
    beyond_minor: int = 0

    @property
    def is_open(self) -> bool:
        return self.state == "opened"


def disputes_of(order_ids: Collection[UUID], scope: Scope) -> dict[UUID, list[DisputeView]]:
    """The disputes of these orders, each order's oldest first. One statement."""
    rows = (
        Dispute.objects.for_scope(scope)
        .of_orders(order_ids)
        .select_related("order", "chargeback")
        .order_by("pk")
    )
    found: dict[UUID, list[DisputeView]] = {}
    for row in rows:
        chargeback = getattr(row, "chargeback", None)
        found.setdefault(row.order_id, []).append(
            DisputeView(
                id=row.pk,
                order_id=row.order_id,
                tender_id=row.tender_id,
                provider=row.provider,
                reference=row.reference,
                state=str(row.state),
                amount_minor=row.amount_minor,
                currency=row.order.currency,
                reason=row.reason,
                evidence_due_at=row.evidence_due_at,
                opened_at=row.opened_at,
                settled_at=row.settled_at,
                charged_back_minor=chargeback.amount_minor if chargeback else 0,
                beyond_minor=row.beyond_minor,
            )
        )
    return found


def disputed_orders(order_ids: Collection[UUID], scope: Scope) -> set[UUID]:
    """Those of the orders of which a payment is disputed now. One statement."""
    open_ones = Dispute.objects.for_scope(scope).of_orders(order_ids).open()
    return set(open_ones.values_list("order_id", flat=True))
