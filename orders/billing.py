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


def credit(
    takings: Sequence[Closing],
    *,
    order_part_minor: int,
    lines_total_minor: int,
    lines_closed_minor: int,
    was_last: bool,
    still_invoiced: bool,
) -> int:
    """What is credited when shipped units are open again: `shipping` of each is taken back.

    The shares that closed last open first, whichever units come back, so that what `bill` charges
    and drops after it still adds up to the total. `lines_closed_minor` is the value of all lines
    closed before, `was_last` says that nothing was open, `still_invoiced` that other units are out.
    """
    opened = sum(
        value_of(one.total_minor, one.ordered, one.closed)
        - value_of(one.total_minor, one.ordered, one.closed - one.shipping)
        for one in takings
    )
    if order_part_minor >= 0:
        return opened + (0 if still_invoiced else order_part_minor)
    whole = max(0, lines_total_minor)
    before = order_part_minor if was_last else value_of(order_part_minor, whole, lines_closed_minor)
    return opened + before - value_of(order_part_minor, whole, lines_closed_minor - opened)


@dataclass(frozen=True, slots=True)
class Charged:
    """A line as far as it was invoiced, and what of it has been credited so far.

    `ended` units have come to the end of their way: delivered, lost or sent back. Only they may be
    credited. Amounts include the line's tax; `tax_minor` is the tax of the whole line.
    """

    total_minor: int
    tax_minor: int
    ordered: int
    shipped: int
    cancelled: int
    cancelled_minor: int
    ended: int
    credited: int = 0
    credited_minor: int = 0
    credited_tax_minor: int = 0

    @property
    def charged_minor(self) -> int:
        """What was invoiced for the units that left."""
        closed = value_of(self.total_minor, self.ordered, self.shipped + self.cancelled)
        return closed - self.cancelled_minor

    @property
    def creditable(self) -> int:
        """Units that may be credited still."""
        return max(0, self.ended - self.credited)


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """What some units of a line are credited: goods and their tax."""

    quantity: int
    item_minor: int
    tax_minor: int

    @property
    def amount_minor(self) -> int:
        return self.item_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class Extras:
    """What an order charged beyond its lines (negative: took off), and what of it was credited."""

    part_minor: int
    credited_minor: int
    lines_minor: int
    lines_credited_minor: int
    all_back: bool


def credit_line(line: Charged, quantity: int) -> CreditedLine:
    """What the next `quantity` units of a line are worth.

    Worked out to date: when the last unit is credited, the credits add up to what was charged.
    """
    units = line.credited + quantity
    whole = line.charged_minor
    to_date = whole if units >= line.shipped else value_of(whole, line.shipped, units)
    amount = _not_beyond(to_date - line.credited_minor, whole)
    tax_to_date = _tax_of(line, line.credited_minor + amount)
    tax = _not_beyond(tax_to_date - line.credited_tax_minor, amount)
    return CreditedLine(quantity, amount - tax, tax)


def credit_discount(extras: Extras, credited_minor: int) -> int:
    """The share of an order's discount that goes with the lines credited now: zero or less."""
    if extras.part_minor >= 0 or extras.lines_minor <= 0:
        return 0
    to_date = (
        extras.part_minor
        if extras.all_back
        else value_of(
            extras.part_minor, extras.lines_minor, extras.lines_credited_minor + credited_minor
        )
    )
    return min(0, to_date - extras.credited_minor)


def credit_shipping(extras: Extras, wanted_minor: int | None) -> int:
    """What of the shipping is credited: as much as is wanted (None: all) and not credited yet."""
    left = max(0, extras.part_minor - extras.credited_minor)
    return left if wanted_minor is None else max(0, min(left, wanted_minor))


def _tax_of(line: Charged, amount_minor: int) -> int:
    if not line.total_minor:
        return 0
    return value_of(line.tax_minor, abs(line.total_minor), abs(amount_minor))


def _not_beyond(amount: int, whole: int) -> int:
    """The amount, on the side of zero where the whole lies."""
    return max(0, amount) if whole >= 0 else min(0, amount)


class Creditable(Protocol):
    """What is asked of a tender to know how much of a credit it can answer for."""

    collected_by: str
    amount_minor: int
    credited_minor: int

    @property
    def answerable_minor(self) -> int: ...


def credit_shares(open_minor: int, invoiced_minor: int, tenders: Sequence[Creditable]) -> list[int]:
    """Which tender answers for how much of an open credit: the last that was drawn on first.

    Ours answer for what they hold or lost to a bank, the others for what was invoiced on them.
    """
    invoiced = across_tenders(invoiced_minor, [tender.amount_minor for tender in tenders])
    rooms = [
        tender.answerable_minor
        if tender.collected_by == CollectedBy.US
        else share - tender.credited_minor
        for tender, share in zip(tenders, invoiced, strict=True)
    ]
    return across_tenders(open_minor, rooms[::-1])[::-1]


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
