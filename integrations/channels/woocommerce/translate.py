"""A WooCommerce order (REST v3, the body of the order.* webhooks) as an order draft. Pure.

Whatever the shop shows its buyers, the document states lines before tax, discounts already taken
off `total`; so the draft is always tax-exclusive, and a line's discount is `subtotal − total`.
"""

import html
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from config.kernel import money
from integrations.channels.reading import Reading, mapping, required_id, rows, text
from integrations.types import ChannelCancel, ChannelRef, NotSold, Unreadable
from orders.types import (
    Address,
    GroupDraft,
    LineDraft,
    OrderDraft,
    Party,
    StatedTotals,
    TenderDraft,
)

NOT_SOLD = frozenset({"pending", "failed", "trash", "checkout-draft", "auto-draft"})
GONE = frozenset({"cancelled", "refunded"})
PICKUP_METHODS = frozenset({"local_pickup", "pickup_location"})
OFFLINE = {"bacs": "bank_transfer", "cheque": "cheque", "cod": "cash"}


def order_draft(
    document: Mapping[str, Any], channel: ChannelRef, *, received_at: datetime, mode: str = "live"
) -> OrderDraft:
    """Translate one order. Raises NotSold for an unpaid or trashed one, Unreadable for no order."""
    external_id = required_id(document)
    status = text(document.get("status"), 32)
    if status in NOT_SOLD:
        raise NotSold(f"WooCommerce says {status}: nothing was sold.", pointer="/status")
    reading = Reading(text(document.get("currency"), 3).upper() or channel.currency)
    if status in GONE:
        reading.note(status, f"WooCommerce says {status} already.", "/status")
    if status == "on-hold":
        reading.note("payment-pending", "WooCommerce waits for the payment.", "/status")
    if status == "completed" and mode == "live":
        reading.note("completed", "WooCommerce says it has been fulfilled already.", "/status")
    placed = document.get("date_created_gmt") or document.get("date_created")
    lines = _lines(reading, document)
    return OrderDraft(
        channel_id=channel.id,
        account_id=channel.account_id,
        brand_id=channel.brand_id,
        external_id=external_id,
        external_number=text(document.get("number"), 64),
        currency=reading.currency,
        placed_at=reading.instant(placed, received_at, "/date_created_gmt"),
        mode=mode,
        tax_inclusive=False,
        customer=_customer(document),
        groups=(_group(reading, document, channel, lines),),
        tenders=_tenders(reading, document, status),
        totals=_totals(reading, document, lines),
        note=text(document.get("customer_note"), 2_000),
        problems=tuple(reading.problems),
    )


def cancellation(document: Mapping[str, Any]) -> ChannelCancel | None:
    """The cancel that an updated order amounts to; None while it stands."""
    status = text(document.get("status"), 32)
    if status not in GONE and status not in ("failed", "trash"):
        return None
    return ChannelCancel(required_id(document), f"{status} at WooCommerce")


def _customer(document: Mapping[str, Any]) -> Party:
    billing = mapping(document, "billing")
    number = text(document.get("customer_id"), 64)
    return Party(
        name=_name(billing),
        company=text(billing.get("company"), 120),
        email=text(billing.get("email"), 254),
        phone=text(billing.get("phone"), 40),
        external_id="" if number == "0" else number,
    )


def _name(given: Mapping[str, Any]) -> str:
    parts = (text(given.get(key), 80) for key in ("first_name", "last_name"))
    return " ".join(part for part in parts if part)


def address_of(document: Mapping[str, Any]) -> Address | None:
    """The shipping address, or the billing address where the shop left shipping blank."""
    given = mapping(document, "shipping")
    if not given.get("address_1"):
        given = mapping(document, "billing")
    if not given.get("address_1"):
        return None
    return Address(
        name=_name(given),
        company=text(given.get("company"), 120),
        line1=text(given.get("address_1"), 160),
        line2=text(given.get("address_2"), 160),
        city=text(given.get("city"), 80),
        region=text(given.get("state"), 16),
        postal_code=text(given.get("postcode"), 16),
        country=text(given.get("country"), 2).upper(),
        phone=text(given.get("phone") or mapping(document, "billing").get("phone"), 40),
    )


def _group(
    reading: Reading,
    document: Mapping[str, Any],
    channel: ChannelRef,
    lines: tuple[LineDraft, ...],
) -> GroupDraft:
    methods = [text(line.get("method_id"), 64) for line in rows(document, "shipping_lines")]
    method = methods[0].split(":")[0] if methods else ""
    if method in PICKUP_METHODS:
        reading.note("no-pickup-node", "WooCommerce does not say where the order is picked up.")
        return GroupDraft(lines=lines, method="pickup")
    level = channel.service_levels.get(method)
    if method and channel.service_levels and level is None:
        reading.note("unknown-service", f"The shipping method {method!r} is not mapped.")
    return GroupDraft(lines=lines, address=address_of(document), service_level_code=level)


def _lines(reading: Reading, document: Mapping[str, Any]) -> tuple[LineDraft, ...]:
    lines = [
        _line(reading, row, f"/line_items/{position}")
        for position, row in enumerate(rows(document, "line_items"))
    ]
    if not lines:
        raise Unreadable("The order has no lines.", pointer="/line_items")
    fees = [_fee(reading, row) for row in rows(document, "fee_lines")]
    rebate = -sum(fee.total_minor or 0 for fee in fees if (fee.total_minor or 0) < 0)
    if rebate:
        lines = _share_rebate(lines, rebate)
    return (*lines, *(fee for fee in fees if (fee.total_minor or 0) >= 0))


def _line(reading: Reading, row: Mapping[str, Any], pointer: str) -> LineDraft:
    quantity = reading.quantity(row.get("quantity"), f"{pointer}/quantity")
    gross = reading.decimal(row.get("subtotal"), f"{pointer}/subtotal")
    net = reading.minor(row.get("total"), f"{pointer}/total")
    tax = reading.minor(row.get("total_tax"), f"{pointer}/total_tax")
    product = text(row.get("variation_id"), 40)
    if product in ("", "0"):
        product = text(row.get("product_id"), 40)
    return LineDraft(
        external_id=text(row.get("id"), 64),
        sku_code=text(row.get("sku"), 80) or f"product:{product}",
        quantity=quantity,
        title=html.unescape(text(row.get("name"), 200)),
        unit_price=(gross / quantity).quantize(Decimal("0.000001")) if quantity else Decimal(0),
        discount_minor=money.to_minor(gross, reading.currency) - net,
        tax_minor=tax,
        total_minor=net + tax,
        properties={
            text(entry.get("key"), 80): text(entry.get("value"))
            for entry in rows(row, "meta_data")
            if not str(entry.get("key", "")).startswith("_")
        },
    )


def _fee(reading: Reading, row: Mapping[str, Any]) -> LineDraft:
    amount = reading.decimal(row.get("total"), "/fee_lines")
    tax = reading.minor(row.get("total_tax"), "/fee_lines")
    return LineDraft(
        external_id=text(row.get("id"), 64),
        sku_code="FEE",
        quantity=1,
        title=text(row.get("name"), 200) or "Fee",
        kind="service",
        unit_price=amount,
        tax_minor=tax,
        total_minor=money.to_minor(amount, reading.currency) + tax,
    )


def _share_rebate(lines: list[LineDraft], rebate: int) -> list[LineDraft]:
    """A negative fee is a discount in disguise: share it over the goods by what they cost."""
    parts = money.split(rebate, [line.total_minor or 0 for line in lines])
    return [
        LineDraft(
            external_id=line.external_id,
            sku_code=line.sku_code,
            quantity=line.quantity,
            title=line.title,
            unit_price=line.unit_price,
            discount_minor=line.discount_minor + part,
            tax_minor=line.tax_minor,
            total_minor=(line.total_minor or 0) - part,
            properties=line.properties,
        )
        for line, part in zip(lines, parts, strict=True)
    ]


def _tenders(reading: Reading, document: Mapping[str, Any], status: str) -> tuple[TenderDraft, ...]:
    total = reading.minor(document.get("total"), "/total")
    if not total:
        return ()
    method = text(document.get("payment_method"), 40)
    paid = bool(document.get("date_paid") or document.get("date_paid_gmt"))
    return (
        TenderDraft(
            kind=OFFLINE.get(method, "card"),
            amount_minor=total,
            collected_by="channel",
            provider=method or "woocommerce",
            captured_minor=total if paid and status != "on-hold" else 0,
        ),
    )


def _totals(
    reading: Reading, document: Mapping[str, Any], lines: tuple[LineDraft, ...]
) -> StatedTotals:
    """The document's sums; shipping includes its tax, the discount is what lines came down by."""
    return StatedTotals(
        discount_minor=sum(line.discount_minor for line in lines),
        shipping_minor=reading.minor(document.get("shipping_total"), "/shipping_total")
        + reading.minor(document.get("shipping_tax"), "/shipping_tax"),
        tax_minor=reading.minor(document.get("total_tax"), "/total_tax"),
        total_minor=reading.minor(document.get("total"), "/total"),
    )
