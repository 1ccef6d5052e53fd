"""A Shopify order (REST Admin shape, the body of the orders/* webhooks) as an order draft. Pure.

Shopify takes the money itself, so its tenders are collected by the channel whatever the gateway.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from config.kernel import money
from integrations.channels.reading import Reading, mapping, required_id, rows, text
from integrations.types import ChannelCancel, ChannelRef, Unreadable
from orders.types import (
    Address,
    GroupDraft,
    LineDraft,
    OrderDraft,
    Party,
    StatedTotals,
    TenderDraft,
)

OWN_SERVICES = frozenset({"", "manual", "gift_card"})
"""Fulfillment services that mean the merchant's own nodes; any other name fulfills elsewhere."""

_PAYMENT_NOTES = {
    "pending": "Shopify has not been paid yet.",
    "partially_paid": "Shopify has been paid only in part.",
    "voided": "The payment was voided at Shopify.",
    "expired": "The authorization expired at Shopify.",
}


def order_draft(
    document: Mapping[str, Any], channel: ChannelRef, *, received_at: datetime, mode: str = "live"
) -> OrderDraft:
    """Translate one order. Raises Unreadable when it has no id or no lines."""
    external_id = required_id(document)
    reading = Reading(text(document.get("currency"), 3).upper() or channel.currency)
    if not document.get("currency"):
        reading.note("no-currency", f"The order names no currency; {channel.currency} was taken.")
    placed = document.get("processed_at") or document.get("created_at")
    _note_status(reading, document)
    return OrderDraft(
        channel_id=channel.id,
        account_id=channel.account_id,
        brand_id=channel.brand_id,
        external_id=external_id,
        external_number=text(document.get("name"), 64),
        currency=reading.currency,
        placed_at=reading.instant(placed, received_at, "/processed_at"),
        mode=mode,
        tax_inclusive=bool(document.get("taxes_included")),
        customer=_customer(document),
        groups=_groups(reading, document, channel),
        tenders=_tenders(reading, document),
        totals=_totals(reading, document),
        tags=_tags(document),
        customer_tags=_tags(mapping(document, "customer")),
        note=text(document.get("note"), 2_000),
        problems=tuple(reading.problems),
    )


def _tags(document: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(tag for part in text(document.get("tags")).split(",") if (tag := part.strip()))


def cancellation(document: Mapping[str, Any]) -> ChannelCancel:
    """Translate the body of orders/cancelled."""
    return ChannelCancel(
        required_id(document), text(document.get("cancel_reason"), 80) or "cancelled at Shopify"
    )


def _note_status(reading: Reading, document: Mapping[str, Any]) -> None:
    status = text(document.get("financial_status"), 32)
    if status in _PAYMENT_NOTES:
        reading.note("payment-pending", _PAYMENT_NOTES[status], "/financial_status")
    if status in ("refunded", "partially_refunded"):
        reading.note("refunded", "Shopify refunded money before this arrived.", "/financial_status")
    if document.get("cancelled_at"):
        reading.note("cancelled", "Shopify cancelled the order before it arrived.", "/cancelled_at")
    if document.get("test"):
        reading.note("test-order", "Shopify marks this as a test order.", "/test")


def _customer(document: Mapping[str, Any]) -> Party:
    customer = mapping(document, "customer")
    billing = mapping(document, "billing_address")
    name = " ".join(
        part for key in ("first_name", "last_name") if (part := text(customer.get(key), 80))
    )
    return Party(
        name=name or text(billing.get("name"), 160),
        company=text(billing.get("company"), 120),
        email=text(document.get("email") or document.get("contact_email"), 254)
        or text(customer.get("email"), 254),
        phone=text(document.get("phone") or customer.get("phone") or billing.get("phone"), 40),
        external_id=text(customer.get("id"), 64),
    )


def address_of(document: Mapping[str, Any]) -> Address | None:
    given = mapping(document, "shipping_address")
    if not given:
        return None
    return Address(
        name=text(given.get("name"), 160),
        company=text(given.get("company"), 120),
        line1=text(given.get("address1"), 160),
        line2=text(given.get("address2"), 160),
        city=text(given.get("city"), 80),
        region=text(given.get("province_code"), 16),
        postal_code=text(given.get("zip"), 16),
        country=text(given.get("country_code"), 2).upper(),
        phone=text(given.get("phone"), 40),
    )


def _groups(
    reading: Reading, document: Mapping[str, Any], channel: ChannelRef
) -> tuple[GroupDraft, ...]:
    """Lines to ship, lines somebody else ships, and lines that nobody carries: one group each."""
    kept: dict[tuple[str, str], list[LineDraft]] = {}
    for position, row in enumerate(rows(document, "line_items")):
        service = text(row.get("fulfillment_service"), 64)
        digital = row.get("gift_card") or row.get("requires_shipping") is False
        key = (
            ("digital", "us")
            if digital
            else ("ship", "us" if service in OWN_SERVICES else "elsewhere")
        )
        kept.setdefault(key, []).append(_line(reading, row, f"/line_items/{position}"))
    if not kept:
        raise Unreadable("The order has no lines.", pointer="/line_items")
    kept[next(iter(kept))] += _extra_charges(reading, document)
    return tuple(
        GroupDraft(
            lines=tuple(lines),
            method=method,
            fulfilled_by=fulfilled_by,
            address=address_of(document) if method == "ship" else None,
            service_level_code=_service_level(reading, document, channel)
            if method == "ship"
            else None,
        )
        for (method, fulfilled_by), lines in kept.items()
    )


def _line(reading: Reading, row: Mapping[str, Any], pointer: str) -> LineDraft:
    quantity = reading.quantity(row.get("quantity"), f"{pointer}/quantity")
    current = row.get("current_quantity")
    if isinstance(current, int) and current < quantity:
        reading.note(
            "changed-before-capture",
            f"{quantity - current} of {quantity} units were removed at Shopify.",
            f"{pointer}/current_quantity",
        )
    sku = text(row.get("sku"), 80)
    return LineDraft(
        external_id=text(row.get("id"), 64),
        sku_code=sku or f"variant:{text(row.get('variant_id'), 40) or text(row.get('title'), 60)}",
        quantity=quantity,
        title=text(row.get("name") or row.get("title"), 200),
        kind="gift_card" if row.get("gift_card") else None,
        unit_price=reading.decimal(row.get("price"), f"{pointer}/price"),
        discount_minor=_sum(reading, rows(row, "discount_allocations"), "amount", pointer),
        tax_minor=_sum(reading, rows(row, "tax_lines"), "price", pointer),
        properties={
            text(entry.get("name"), 80): text(entry.get("value"))
            for entry in rows(row, "properties")
        },
    )


def _extra_charges(reading: Reading, document: Mapping[str, Any]) -> list[LineDraft]:
    """Tips and duties are paid with the order and belong to no line of goods."""
    duties = mapping(mapping(document, "original_total_duties_set"), "shop_money").get("amount")
    charges = (("TIP", "Tip", document.get("total_tip_received")), ("DUTY", "Duties", duties))
    found = []
    for code, title, value in charges:
        amount = reading.decimal(value, f"/{code.lower()}")
        if amount > 0:
            found.append(LineDraft(code.lower(), code, 1, title, "service", amount))
    return found


def _service_level(
    reading: Reading, document: Mapping[str, Any], channel: ChannelRef
) -> str | None:
    names = [text(line.get("code") or line.get("title"), 80) for line in _shipping(document)]
    if not names or not channel.service_levels:
        return None
    if names[0] in channel.service_levels:
        return channel.service_levels[names[0]]
    reading.note("unknown-service", f"The shipping method {names[0]!r} is not mapped.")
    return None


def _shipping(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [line for line in rows(document, "shipping_lines") if not line.get("is_removed")]


def _tenders(reading: Reading, document: Mapping[str, Any]) -> tuple[TenderDraft, ...]:
    total = reading.minor(document.get("total_price"), "/total_price")
    if not total:
        return ()
    gateways = document.get("payment_gateway_names")
    names = [text(name, 40) for name in gateways] if isinstance(gateways, list) else []
    outstanding = reading.minor(document.get("total_outstanding"), "/total_outstanding")
    paid = document.get("financial_status") in ("paid", "partially_refunded", "refunded")
    return (
        TenderDraft(
            kind="card",
            amount_minor=total,
            collected_by="channel",
            provider=next((name for name in names if name), "shopify"),
            captured_minor=max(0, total - outstanding) if paid else 0,
        ),
    )


def _totals(reading: Reading, document: Mapping[str, Any]) -> StatedTotals:
    """The document's sums; shipping is what the buyer pays for it, its tax included."""
    shipping = _shipping(document)
    listed = sum(reading.minor(line.get("price"), "/shipping_lines") for line in shipping)
    off = sum(_sum(reading, rows(line, "discount_allocations"), "amount", "") for line in shipping)
    added = 0
    if not document.get("taxes_included"):
        added = sum(_sum(reading, rows(line, "tax_lines"), "price", "") for line in shipping)

    def stated(name: str) -> int | None:
        value = document.get(name)
        return None if value in (None, "") else reading.minor(value, f"/{name}")

    discount = stated("total_discounts")
    return StatedTotals(
        items_minor=stated("total_line_items_price"),
        discount_minor=None if discount is None else discount - off,
        shipping_minor=listed - off + added,
        tax_minor=stated("total_tax"),
        total_minor=stated("total_price"),
    )


def _sum(reading: Reading, entries: Sequence[Mapping[str, Any]], name: str, pointer: str) -> int:
    amounts = (reading.decimal(entry.get(name), f"{pointer}/{name}") for entry in entries)
    return money.to_minor(sum(amounts, Decimal(0)), reading.currency)
