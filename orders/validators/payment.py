"""Payment: the tenders cover the order, and what we are to collect is secured."""

from config.kernel.money import Money
from orders.states import CollectedBy, Mode, values_of
from orders.types import OrderDraft
from orders.validators.amounts import total_of
from orders.validators.finding import Finding, Known, Severity


def due_of(draft: OrderDraft) -> int:
    """What the buyer owes by the draft, in minor units: as stated, else summed."""
    if draft.totals is not None and draft.totals.total_minor is not None:
        return draft.totals.total_minor
    shipping = draft.totals.shipping_minor if draft.totals else 0
    return shipping + sum(
        line.total_minor
        if line.total_minor is not None
        else total_of(line, draft.currency, tax_inclusive=draft.tax_inclusive)
        for group in draft.groups
        for line in group.lines
    )


def check_payment(draft: OrderDraft, known: Known) -> list[Finding]:
    """An order without tenders is settled outside; one with tenders must be covered by them."""
    if draft.mode == Mode.HISTORY or not draft.tenders:
        return []
    found = _check_tenders(draft)
    covered, due = sum(tender.amount_minor for tender in draft.tenders), due_of(draft)
    if covered < due:
        found.append(
            Finding(
                Severity.HOLD,
                "payment-short",
                f"The payment covers {Money(covered, draft.currency)} of "
                f"{Money(due, draft.currency)}.",
                "/tenders",
                "payment",
            )
        )
    for position, tender in enumerate(draft.tenders):
        secured = tender.authorization_reference or tender.captured_minor >= tender.amount_minor
        if tender.collected_by == CollectedBy.US and tender.amount_minor > 0 and not secured:
            found.append(
                Finding(
                    Severity.HOLD,
                    "payment-pending",
                    f"The {tender.kind} payment of {Money(tender.amount_minor, draft.currency)} "
                    "is not authorised yet.",
                    f"/tenders/{position}",
                    "payment",
                )
            )
    return found


def _check_tenders(draft: OrderDraft) -> list[Finding]:
    found = []
    for position, tender in enumerate(draft.tenders):
        if tender.collected_by not in values_of(CollectedBy):
            found.append(
                Finding(
                    Severity.REJECT,
                    "unknown-value",
                    f"“{tender.collected_by}” collects no money here; possible are "
                    f"{', '.join(values_of(CollectedBy))}.",
                    f"/tenders/{position}/collected_by",
                )
            )
        if tender.amount_minor < 0 or not 0 <= tender.captured_minor <= tender.amount_minor:
            found.append(
                Finding(
                    Severity.REJECT,
                    "tender-amount",
                    "A payment is not negative, and what was taken is within it.",
                    f"/tenders/{position}/amount_minor",
                )
            )
    return found
