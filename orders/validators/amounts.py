"""Currency, prices and sums."""

import re

from config.kernel.money import Money, to_minor
from orders.types import LineDraft, OrderDraft
from orders.validators.finding import Finding, Known, Severity

_CURRENCY = re.compile(r"[A-Z]{3}")


def check_currency(draft: OrderDraft, known: Known) -> list[Finding]:
    """The currency is one, and the one the channel sells in."""
    if not _CURRENCY.fullmatch(draft.currency):
        return [
            Finding(
                Severity.REJECT,
                "currency",
                f"“{draft.currency}” is not a currency code; the channel sells in "
                f"{known.channel_currency}.",
                "/currency",
            )
        ]
    if draft.currency != known.channel_currency:
        return [
            Finding(
                Severity.HOLD,
                "currency-unusual",
                f"The order is in {draft.currency}, the channel sells in {known.channel_currency}.",
                "/currency",
            )
        ]
    return []


def gross_of(line: LineDraft, currency: str) -> int:
    """Unit price times quantity, rounded once, half-even, in minor units."""
    return to_minor(line.unit_price * max(line.quantity, 0), currency)


def total_of(line: LineDraft, currency: str, *, tax_inclusive: bool) -> int:
    """What the line costs the buyer by its own parts, in minor units."""
    return total_from(gross_of(line, currency), line, tax_inclusive=tax_inclusive)


def total_from(gross_minor: int, line: LineDraft, *, tax_inclusive: bool) -> int:
    """The same, of a gross amount that is known already."""
    return gross_minor - line.discount_minor + (0 if tax_inclusive else line.tax_minor)


def check_arithmetic(draft: OrderDraft, known: Known) -> list[Finding]:
    """Lines add up to what they say, and the order to its lines, within a cent per line."""
    currency = draft.currency if _CURRENCY.fullmatch(draft.currency) else known.channel_currency
    found: list[Finding] = []
    total, count = 0, 0
    for group_at, group in enumerate(draft.groups):
        for line_at, line in enumerate(group.lines):
            computed = total_of(line, currency, tax_inclusive=draft.tax_inclusive)
            stated = computed if line.total_minor is None else line.total_minor
            total, count = total + stated, count + 1
            pointer = f"/groups/{group_at}/lines/{line_at}"
            if line.unit_price < 0:
                found.append(
                    Finding(
                        Severity.HOLD,
                        "price-negative",
                        f"{line.sku_code or line.title} has a negative price.",
                        f"{pointer}/unit_price",
                        "totals",
                    )
                )
            if abs(stated - computed) > 1:
                found.append(
                    Finding(
                        Severity.HOLD,
                        "line-total",
                        f"{line.sku_code or line.title} says {Money(stated, currency)}, but price, "
                        f"discount and tax make {Money(computed, currency)}.",
                        f"{pointer}/total_minor",
                        "totals",
                    )
                )
    if draft.totals is None or draft.totals.total_minor is None:
        return found
    computed = total + draft.totals.shipping_minor
    if abs(draft.totals.total_minor - computed) > max(1, count):
        found.append(
            Finding(
                Severity.HOLD,
                "order-total",
                f"The order says {Money(draft.totals.total_minor, currency)}, but its lines and "
                f"shipping make {Money(computed, currency)}.",
                "/totals/total_minor",
                "totals",
            )
        )
    return found
