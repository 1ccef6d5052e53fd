"""Where a line of an imported file ended: every line in exactly one bucket."""

from dataclasses import dataclass
from enum import StrEnum


class Bucket(StrEnum):
    """Names are stored in `ImportRun.counts`; labels are what the table prints."""

    CAPTURED = "captured"
    SERVICE = "service"
    HELD = "held"
    REPEATED = "repeated"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    CREDITED_IN_PART = "credited_in_part"
    UNMATCHED_CREDIT = "unmatched_credit"
    SERVICE_CREDIT = "service_credit"
    STOCK_ADJUSTMENT = "stock_adjustment"
    BOOKKEEPING = "bookkeeping"
    NOT_SOLD = "not_sold"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    FAILED = "failed"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Bucket.CAPTURED: "captured",
    Bucket.SERVICE: "captured as a service line (postage, fees, manual charges)",
    Bucket.HELD: "captured, the order on hold",
    Bucket.REPEATED: "there already: the order was captured before",
    Bucket.CANCELLED: "credit: unshipped units cancelled",
    Bucket.RETURNED: "credit: shipped units recorded as returned",
    Bucket.CREDITED_IN_PART: "credit: only some of its units found on earlier orders",
    Bucket.UNMATCHED_CREDIT: "credit: no earlier order of this customer with this SKU",
    Bucket.SERVICE_CREDIT: "credit of a service: no units to take back",
    Bucket.STOCK_ADJUSTMENT: "stock count or write-off: not an order",
    Bucket.BOOKKEEPING: "correction of the books: not an order",
    Bucket.NOT_SOLD: "not a sale (unpaid, failed or trashed)",
    Bucket.REFUSED: "refused by validation",
    Bucket.UNREADABLE: "unreadable",
    Bucket.FAILED: "failed: a fault on our side",
}

PROBLEMS = frozenset({Bucket.REFUSED, Bucket.UNREADABLE, Bucket.FAILED})
"""Buckets that make an import partial."""

TOLD = frozenset(Bucket) - {Bucket.CAPTURED, Bucket.SERVICE, Bucket.HELD, Bucket.REPEATED}
"""Buckets whose lines are listed one by one, with their reason."""


@dataclass(frozen=True, slots=True)
class LineResult:
    """How one line ended, and why."""

    line: int
    reference: str
    bucket: Bucket
    code: str = ""
    detail: str = ""
