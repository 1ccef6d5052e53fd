"""The books that credits are worked out from: what was charged per line, and what was credited.

Read by the command that writes a credit note and by whoever asks beforehand what it would be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection

from config.kernel.errors import Conflict, Invalid
from orders import billing
from orders.billing import Charged, Extras
from orders.models import CreditLine, Order
from orders.states import CreditPart
from orders.types import CreditedPart, CreditRequest

_LINES = """
    SELECT line.id, line.order_id, line.total_minor, line.tax_minor, line.ordered, line.shipped,
        line.cancelled, coalesce(gone.minor, 0)::bigint,
        line.delivered + line.lost + line.sent_back,
        coalesce(back.units, 0)::int, coalesce(back.minor, 0)::bigint,
        coalesce(back.tax, 0)::bigint
    FROM orders_orderline line
    LEFT JOIN LATERAL (SELECT sum(amount_minor) AS minor FROM orders_linecancellation gone
        WHERE gone.line_id = line.id) AS gone ON true
    LEFT JOIN (SELECT line_id, sum(quantity) FILTER (WHERE part = 'item') AS units,
            sum(amount_minor) AS minor, sum(amount_minor) FILTER (WHERE part = 'tax') AS tax
        FROM orders_creditline WHERE order_id = ANY(%s) AND line_id IS NOT NULL
        GROUP BY line_id) AS back ON back.line_id = line.id
    WHERE line.order_id = ANY(%s) AND line.kind <> 'kit'
    ORDER BY line.order_id, line.position
"""


@dataclass(slots=True)
class Books:
    """Lines and order parts of some orders, as charged and credited so far."""

    lines: dict[UUID, Charged]
    orders: dict[UUID, UUID]
    """Line → order."""
    invoiced: dict[UUID, int]
    beyond: dict[tuple[UUID, str], int]
    """Credited of an order beyond its lines, by part."""

    def extras(self, order_id: UUID) -> Extras:
        own = [self.lines[line_id] for line_id, of in self.orders.items() if of == order_id]
        lines = sum(line.charged_minor for line in own)
        part = self.invoiced[order_id] - lines
        kind = CreditPart.DISCOUNT if part < 0 else CreditPart.SHIPPING
        return Extras(
            part,
            self.beyond.get((order_id, kind.value), 0),
            lines,
            sum(line.credited_minor for line in own),
            all_back=all(line.credited >= line.shipped for line in own),
        )

    def take(self, line_id: UUID, quantity: int) -> billing.CreditedLine:
        """Credit units in memory. Raises Conflict when so many may not be credited."""
        line = self.lines[line_id]
        if not 0 < quantity <= line.creditable:
            raise Conflict(
                f"{quantity} units are to be credited, but {line.creditable} have come to the end "
                "of their way and are not credited yet.",
                line_id=str(line_id),
            )
        taken = billing.credit_line(line, quantity)
        self.lines[line_id] = replace(
            line,
            credited=line.credited + quantity,
            credited_minor=line.credited_minor + taken.amount_minor,
            credited_tax_minor=line.credited_tax_minor + taken.tax_minor,
        )
        return taken

    def keep(self, order_id: UUID, parts: Iterable[CreditedPart]) -> None:
        """Remember what a note credits beyond the lines: the next one of the order counts on."""
        for part in parts:
            if part.line_id is None:
                key = order_id, part.part
                self.beyond[key] = self.beyond.get(key, 0) + part.amount_minor


def open_books(orders: Mapping[UUID, Order]) -> Books:
    """Read the books of these orders: two statements."""
    wanted = list(orders)
    with connection.cursor() as cursor:
        cursor.execute(_LINES, [wanted, wanted])
        rows = cursor.fetchall()
        cursor.execute(
            f"SELECT order_id, part, sum(amount_minor)::bigint FROM {CreditLine._meta.db_table} "  # noqa: S608  # own table
            "WHERE order_id = ANY(%s) AND line_id IS NULL GROUP BY order_id, part",
            [wanted],
        )
        beyond = {(order_id, part): minor for order_id, part, minor in cursor.fetchall()}
    return Books(
        {row[0]: Charged(*row[2:]) for row in rows},
        {row[0]: row[1] for row in rows},
        {order_id: order.invoiced_minor for order_id, order in orders.items()},
        beyond,
    )


def price(books: Books, request: CreditRequest) -> tuple[CreditedPart, ...]:
    """What the request is worth, part by part; its units count as credited from then on.

    Raises Invalid for units that are none of the order's, Conflict for more than may be credited.
    """
    _require_units(books, request)
    before = books.extras(request.order_id)
    parts: list[CreditedPart] = []
    credited = 0
    for unit in request.units:
        taken = books.take(unit.line_id, unit.quantity)
        credited += taken.amount_minor
        parts.append(
            CreditedPart(CreditPart.ITEM.value, taken.item_minor, unit.line_id, unit.quantity)
        )
        if taken.tax_minor:
            parts.append(CreditedPart(CreditPart.TAX.value, taken.tax_minor, unit.line_id))
    after = books.extras(request.order_id)
    extras = replace(before, all_back=after.all_back)
    discount = billing.credit_discount(extras, credited)
    shipping = billing.credit_shipping(extras, request.shipping_minor)
    amount = credited + discount + shipping
    fee = min(max(0, request.fee_minor), max(0, amount))
    for part, minor in (
        (CreditPart.DISCOUNT, discount),
        (CreditPart.SHIPPING, shipping),
        (CreditPart.FEE, -fee),
    ):
        if minor:
            parts.append(CreditedPart(part.value, minor))
    if amount - fee < 0:
        raise Conflict("What would be credited is less than nothing.")
    return tuple(parts)


def _require_units(books: Books, request: CreditRequest) -> None:
    wanted: dict[UUID, int] = {}
    for unit in request.units:
        if books.orders.get(unit.line_id) != request.order_id:
            raise Invalid("A line is not the order's, or ships nothing.")
        wanted[unit.line_id] = wanted.get(unit.line_id, 0) + unit.quantity
    for line_id, quantity in wanted.items():
        line = books.lines[line_id]
        if quantity > line.creditable or any(
            unit.quantity < 1 for unit in request.units if unit.line_id == line_id
        ):
            raise Conflict(
                f"{quantity} units are to be credited, but {line.creditable} have come to the end "
                "of their way and are not credited yet.",
                line_id=str(line_id),
            )


def total_of(parts: Sequence[CreditedPart]) -> int:
    """What the parts add up to."""
    return sum(part.amount_minor for part in parts)
