"""The money of a captured order: its amounts, tenders and authorisations."""

from collections.abc import Sequence
from datetime import datetime

from config.kernel import ids
from orders.progress import TenderStanding, fold_payment
from orders.services.shaped import Row, Shaped
from orders.states import (
    CollectedBy,
    LineKind,
)
from orders.types import OrderDraft
from orders.validators.payment import due_of


def shape_money(shaped: Shaped, currency: str, at: datetime) -> None:
    """The order's amounts, its tenders, and where its payment stands."""
    draft, lines = shaped.draft, [row for row in shaped.lines if row["kind"] != LineKind.KIT]
    stated = draft.totals
    total = due_of(draft)
    shaped.order |= {
        "items_minor": _or_sum(stated.items_minor if stated else None, lines, "gross_minor"),
        "discount_minor": _or_sum(
            stated.discount_minor if stated else None, lines, "discount_minor"
        ),
        "shipping_minor": stated.shipping_minor if stated else 0,
        "tax_minor": _or_sum(stated.tax_minor if stated else None, lines, "tax_minor"),
        "total_minor": total,
        "payment_state": payment_of(draft, total),
    }
    for position, tender in enumerate(draft.tenders):
        row = {
            "id": ids.uuid7(),
            "order_id": shaped.id,
            "account_id": draft.account_id,
            "position": position,
            "kind": tender.kind[:24],
            "provider": tender.provider[:32],
            "collected_by": tender.collected_by,
            "amount_minor": tender.amount_minor,
            "captured_minor": tender.captured_minor,
            "capabilities": {},
        }
        shaped.tenders.append(row)
        if tender.authorization_reference and tender.collected_by == CollectedBy.US:
            shaped.authorizations.append(
                {
                    "id": ids.uuid7(),
                    "tender_id": row["id"],
                    "order_id": shaped.id,
                    "account_id": draft.account_id,
                    "reference": tender.authorization_reference[:128],
                    "amount_minor": row["amount_minor"],
                    "expires_at": tender.authorization_expires_at,
                    "at": at,
                }
            )


def payment_of(draft: OrderDraft, total: int) -> str:
    """Where the payment of a fresh order stands."""
    return fold_payment(
        total,
        [
            TenderStanding(
                tender.collected_by,
                tender.amount_minor,
                tender.captured_minor,
                tender.amount_minor if tender.authorization_reference else 0,
            )
            for tender in draft.tenders
        ],
    ).value


def _or_sum(stated: int | None, lines: Sequence[Row], name: str) -> int:
    return sum(row[name] for row in lines) if stated is None else stated
