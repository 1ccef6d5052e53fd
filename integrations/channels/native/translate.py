"""Our own CSV and TSV: one line per order line, the order's columns repeated on each. Pure.

Required columns: `order_id`, `sku`, `quantity`. Known beside them, all optional:

    placed_at, number, currency, unit_price, discount, tax, total, title, line_id, kind, parent_line
    method, fulfilled_by, service_level, pickup_node, group, ship_complete, not_before, requested_by
    name, company, email, phone, customer_id, customer_tags
    address1, address2, city, region, postal_code, country
    shipping, order_total, paid, payment, collected_by, authorization
    gift_message, note, tags

`discount`, `tax` and `total` are amounts of the line, `shipping` and `order_total` of the order, in
major units with a point. `group` tells the delivery groups of one order apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from integrations.channels.reading import Reading, text
from integrations.types import ChannelRef, Unreadable
from orders.types import (
    Address,
    GroupDraft,
    LineDraft,
    OrderDraft,
    Party,
    StatedTotals,
    TenderDraft,
)

REQUIRED = ("order_id", "sku", "quantity")
COLUMNS = frozenset(
    (
        *REQUIRED,
        *"placed_at number currency unit_price discount tax total title line_id kind".split(),
        *"parent_line method fulfilled_by service_level pickup_node group ship_complete".split(),
        *"not_before requested_by name company email phone customer_id".split(),
        "customer_tags",
        *"address1 address2 city region postal_code country".split(),
        *"shipping order_total paid payment collected_by authorization".split(),
        *"gift_message note tags".split(),
    )
)
_YES = frozenset({"1", "true", "yes", "y"})

Row = Mapping[str, str]


def missing_columns(header: Sequence[str]) -> list[str]:
    """The required columns that the file does not have."""
    return [name for name in REQUIRED if name not in header]


def unknown_columns(header: Sequence[str]) -> list[str]:
    """Columns that mean nothing here: said once, so that a misspelt one is not lost in silence."""
    return [name for name in header if name not in COLUMNS]


def order_draft(
    rows: Sequence[Row], channel: ChannelRef, *, received_at: datetime, mode: str = "live"
) -> OrderDraft:
    """Translate the lines of one order. Raises Unreadable when one of them is no order line."""
    first = rows[0]
    external_id = text(first.get("order_id"), 128)
    if not external_id:
        raise Unreadable("The line has no order_id.", pointer="/order_id")
    reading = Reading(text(first.get("currency"), 3).upper() or channel.currency)
    return OrderDraft(
        channel_id=channel.id,
        account_id=channel.account_id,
        brand_id=channel.brand_id,
        external_id=external_id,
        external_number=text(first.get("number"), 64),
        currency=reading.currency,
        placed_at=reading.instant(
            first.get("placed_at"), received_at, "/placed_at", channel.timezone
        ),
        mode=mode,
        tax_inclusive=channel.tax_inclusive,
        customer=_customer(first),
        groups=_groups(reading, rows, channel),
        tenders=_tenders(reading, first),
        totals=_totals(reading, first),
        tags=_tags(first, "tags"),
        customer_tags=_tags(first, "customer_tags"),
        note=text(first.get("note"), 2_000),
        problems=tuple(reading.problems),
    )


def _tags(row: Row, column: str) -> tuple[str, ...]:
    return tuple(text(row.get(column)).replace(",", " ").split())


def _customer(row: Row) -> Party:
    return Party(
        name=text(row.get("name"), 160),
        company=text(row.get("company"), 120),
        email=text(row.get("email"), 254),
        phone=text(row.get("phone"), 40),
        external_id=text(row.get("customer_id"), 64),
    )


def _groups(reading: Reading, rows: Sequence[Row], channel: ChannelRef) -> tuple[GroupDraft, ...]:
    """One group per value of `group` and method; its other columns come from its first line."""
    kept: dict[tuple[str, str], tuple[Row, list[LineDraft]]] = {}
    for number, row in enumerate(rows, start=1):
        method = text(row.get("method"), 24) or "ship"
        _, lines = kept.setdefault((text(row.get("group"), 32), method), (row, []))
        lines.append(_line(reading, row, number))
    return tuple(
        replace(_group(reading, row, channel), method=method, lines=tuple(lines))
        for (_, method), (row, lines) in kept.items()
    )


def _group(reading: Reading, row: Row, channel: ChannelRef) -> GroupDraft:
    level = text(row.get("service_level"), 32)
    return GroupDraft(
        lines=(),
        fulfilled_by=text(row.get("fulfilled_by"), 16) or "us",
        address=_address(row),
        pickup_node_code=text(row.get("pickup_node"), 32) or None,
        service_level_code=channel.service_levels.get(level, level) or None,
        ship_complete=text(row.get("ship_complete"), 8).lower() in _YES,
        not_before=_moment(reading, row, "not_before", channel.timezone),
        requested_by=_moment(reading, row, "requested_by", channel.timezone),
        gift_message=text(row.get("gift_message"), 500),
    )


def _moment(reading: Reading, row: Row, name: str, zone: str) -> datetime | None:
    value = text(row.get(name), 40)
    if not value:
        return None
    floor = datetime.min.replace(tzinfo=UTC)
    moment = reading.instant(value, floor, f"/{name}", zone)
    return None if moment == floor else moment


def _address(row: Row) -> Address | None:
    if not any(row.get(name) for name in ("address1", "city", "postal_code", "country")):
        return None
    return Address(
        name=text(row.get("name"), 160),
        company=text(row.get("company"), 120),
        line1=text(row.get("address1"), 160),
        line2=text(row.get("address2"), 160),
        city=text(row.get("city"), 80),
        region=text(row.get("region"), 16),
        postal_code=text(row.get("postal_code"), 16),
        country=text(row.get("country"), 2).upper(),
        phone=text(row.get("phone"), 40),
    )


def _line(reading: Reading, row: Row, number: int) -> LineDraft:
    pointer = f"/lines/{number - 1}"
    sku = text(row.get("sku"), 80)
    if not sku:
        raise Unreadable("The line has no sku.", pointer=f"{pointer}/sku")
    total = row.get("total")
    return LineDraft(
        external_id=text(row.get("line_id"), 64) or str(number),
        sku_code=sku,
        quantity=reading.quantity(row.get("quantity"), f"{pointer}/quantity"),
        title=text(row.get("title"), 200),
        kind=text(row.get("kind"), 12) or None,
        unit_price=reading.decimal(row.get("unit_price"), f"{pointer}/unit_price"),
        discount_minor=reading.minor(row.get("discount"), f"{pointer}/discount"),
        tax_minor=reading.minor(row.get("tax"), f"{pointer}/tax"),
        total_minor=reading.minor(total, f"{pointer}/total") if total else None,
        parent_external_id=text(row.get("parent_line"), 64) or None,
        relation="gift" if row.get("parent_line") else "",
    )


def _tenders(reading: Reading, row: Row) -> tuple[TenderDraft, ...]:
    """A tender for the order's total, where the file says how or whether it was paid."""
    kind, paid = text(row.get("payment"), 24), row.get("paid")
    total = reading.minor(row.get("order_total"), "/order_total")
    if not total or not (kind or paid):
        return ()
    authorization = text(row.get("authorization"), 128)
    collected_by = text(row.get("collected_by"), 8) or ("us" if authorization else "channel")
    return (
        TenderDraft(
            kind=kind or "card",
            amount_minor=total,
            collected_by=collected_by,
            provider=kind,
            authorization_reference=authorization,
            captured_minor=min(total, reading.minor(paid, "/paid")),
        ),
    )


def _totals(reading: Reading, row: Row) -> StatedTotals | None:
    total = row.get("order_total")
    shipping = reading.minor(row.get("shipping"), "/shipping")
    if not total and not shipping:
        return None
    return StatedTotals(
        shipping_minor=shipping,
        total_minor=reading.minor(total, "/order_total") if total else None,
    )
