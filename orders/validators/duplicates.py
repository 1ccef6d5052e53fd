"""Suspected duplicates: the same basket, for the same person and place, shortly before."""

from orders.states import DocumentKind, Mode
from orders.types import OrderDraft
from orders.validators.finding import Finding, Known, Severity


def check_lookalike(draft: OrderDraft, known: Known) -> list[Finding]:
    if (
        known.lookalike is None
        or draft.mode != Mode.LIVE
        or draft.document_kind != DocumentKind.SALE
    ):
        return []
    return [
        Finding(
            Severity.HOLD,
            "duplicate-suspect",
            f"Order {known.lookalike.number} has the same basket for the same person and place. "
            "Release the hold if both are wanted, or cancel one.",
            "",
            "duplicate",
        )
    ]
