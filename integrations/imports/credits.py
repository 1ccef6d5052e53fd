"""Which earlier sale a credit takes back: same customer and SKU, the latest first. Pure.

The book is written from the file itself, so that an import that goes on after a stop matches as if
it had never stopped.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from integrations.channels.online_retail.translate import Credit
from orders.types import OrderDraft


@dataclass(slots=True)
class Sold:
    """Units of one line of one order that no credit has taken back yet."""

    order: str
    line: str
    at: datetime
    left: int


@dataclass(frozen=True, slots=True)
class Match:
    """Units of a credit that go back to one line of one order."""

    credit: Credit
    order: str
    line: str
    quantity: int


class Book:
    """Sales by customer and SKU, of those that some credit of the file names: it stays small.

    A guest's sales cannot be told apart, so they are not in it.
    """

    def __init__(self, credited: AbstractSet[tuple[str, str]]) -> None:
        self._credited = credited
        self._sold: dict[tuple[str, str], list[Sold]] = {}

    def sell(self, draft: OrderDraft) -> None:
        """Write the order's lines of goods into the book."""
        customer = draft.customer.external_id
        if not customer:
            return
        for group in draft.groups:
            for line in group.lines:
                if line.kind is None and (customer, line.sku_code) in self._credited:
                    self._sold.setdefault((customer, line.sku_code), []).append(
                        Sold(draft.external_id, line.external_id, draft.placed_at, line.quantity)
                    )

    def take_back(self, credit: Credit) -> list[Match]:
        """The lines that the credit goes back to: sold before it, the latest first."""
        matches = []
        left = credit.quantity
        for sold in reversed(self._sold.get((credit.customer, credit.sku), [])):
            if not left:
                break
            part = min(left, sold.left) if sold.at <= credit.at else 0
            if part:
                sold.left -= part
                left -= part
                matches.append(Match(credit, sold.order, sold.line, part))
        return matches
