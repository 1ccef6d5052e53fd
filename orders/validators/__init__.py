"""What opens a hold, warns or rejects: pure functions over a draft and what is known about it."""

from collections.abc import Callable

from orders.types import OrderDraft
from orders.validators import address, amounts, basket, carts, duplicates, party, payment
from orders.validators.finding import Finding, Known, Severity, is_sold

Validator = Callable[[OrderDraft, Known], list[Finding]]

VALIDATORS: tuple[Validator, ...] = (
    basket.check_lines,
    basket.check_skus,
    amounts.check_currency,
    amounts.check_arithmetic,
    address.check_destinations,
    party.check_customer,
    payment.check_payment,
    duplicates.check_lookalike,
    carts.check_cart,
    basket.check_translation,
)


def judge(draft: OrderDraft, known: Known) -> list[Finding]:
    """Everything found, all at once, in a fixed order.

    A draft that is sold already is never rejected: what would reject it becomes a hold.
    """
    findings = [finding for validator in VALIDATORS for finding in validator(draft, known)]
    if not is_sold(draft):
        return findings
    return [
        Finding(
            Severity.HOLD,
            finding.code,
            finding.detail,
            finding.pointer,
            finding.hold_type,
            finding.group,
            finding.line,
        )
        if finding.severity is Severity.REJECT
        else finding
        for finding in findings
    ]
