"""Shares of an order's price: exact to the minor unit, whatever ships and whatever is cancelled.

Every unit of a line has its own share of the line's total (the units in a row, the residue on
the last). A unit is closed when it is shipped or cancelled; what is closed next takes the next
shares. So the invoices and the cancelled amounts of a line always add up to its total. What the
order charges beyond its lines (shipping, rounding) goes with the first invoice, or is cancelled
when nothing was ever invoiced; when it is negative it is shared over the value that closes. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orders.states import CollectedBy


@dataclass(frozen=True, slots=True)
class Closing:
    """Units of a line that are shipped or cancelled now, after `closed` others were."""

    total_minor: int
    ordered: int
    closed: int
    shipping: int = 0
    cancelling: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """What is charged and what falls away, per closing and of the order's own part."""

    charged: tuple[int, ...]
    dropped: tuple[int, ...]
    order_charged: int
    order_dropped: int

    @property
    def charged_minor(self) -> int:
        return sum(self.charged) + self.order_charged

    @property
    def dropped_minor(self) -> int:
        return sum(self.dropped) + self.order_dropped


def value_of(total_minor: int, ordered: int, units: int) -> int:
    """What the first `units` units of a line cost together."""
    if not ordered:
        return 0
    sign, size = (-1, -total_minor) if total_minor < 0 else (1, total_minor)
    return sign * (size * units // ordered)


def bill(
    closings: Sequence[Closing],
    *,
    order_part_minor: int,
    lines_total_minor: int,
    lines_closed_minor: int,
    invoiced_before: bool,
    last: bool,
) -> Bill:
    """Split what closes into charged and dropped.

    `lines_closed_minor` is the value of all lines closed before; `last` says that nothing of the
    order stays open. Σ charged + Σ dropped over all calls is the order's total, exactly.
    """
    charged, dropped = [], []
    for closing in closings:
        before = value_of(closing.total_minor, closing.ordered, closing.closed)
        shipped = closing.closed + closing.shipping
        middle = value_of(closing.total_minor, closing.ordered, shipped)
        after = value_of(closing.total_minor, closing.ordered, shipped + closing.cancelling)
        charged.append(middle - before)
        dropped.append(after - middle)
    ships = any(closing.shipping for closing in closings)
    if order_part_minor < 0:
        order_charged, order_dropped = _shared_part(
            order_part_minor,
            lines_total_minor,
            lines_closed_minor,
            sum(charged),
            sum(dropped),
            last=last,
        )
    else:
        order_charged = order_part_minor if ships and not invoiced_before else 0
        order_dropped = order_part_minor if last and not ships and not invoiced_before else 0
    return Bill(tuple(charged), tuple(dropped), order_charged, order_dropped)


def _shared_part(
    part: int, whole: int, closed: int, charging: int, dropping: int, *, last: bool
) -> tuple[int, int]:
    """Share a negative order part over the value that closes; the residue falls on the last."""
    if whole <= 0:
        return (part, 0) if last else (0, 0)
    before = value_of(part, whole, closed)
    middle = value_of(part, whole, closed + charging)
    after = part if last else value_of(part, whole, closed + charging + dropping)
    if last and not dropping:
        middle = after
    return middle - before, after - middle


class Payable(Protocol):
    """What is asked of a tender to know what is owed on it."""

    collected_by: str
    amount_minor: int
    captured_minor: int


def owed_on(invoiced_minor: int, tenders: Sequence[Payable]) -> list[int]:
    """Of what is invoiced, what each tender of ours has still to give and was not asked for."""
    shares = across_tenders(invoiced_minor, [tender.amount_minor for tender in tenders])
    return [
        max(0, share - tender.captured_minor) if tender.collected_by == CollectedBy.US else 0
        for tender, share in zip(tenders, shares, strict=True)
    ]


def across_tenders(amount_minor: int, rooms: Sequence[int]) -> list[int]:
    """Take an amount from tenders in their order, each giving at most its room."""
    shares = []
    for room in rooms:
        share = max(0, min(amount_minor, room))
        shares.append(share)
        amount_minor -= share
    return shares
