"""A WooCommerce order as it is now: its lines, cancel, refunds, and the tracking that stands on it. Pure.

The document names a refund's amount and reason; its lines are read apart (`refunds_alone`), and what of
them was a cancel and what came back the shop does not say. A line whose quantity was edited states the new one; a line that was removed is absent.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from config.kernel import money
from integrations.channels.marks import marks_cancel, message_of_order, ours_in, version_of
from integrations.channels.reading import Reading, mapping, required_id, rows, text
from integrations.channels.types import (
    ShopFulfillment,
    ShopLine,
    ShopOrder,
    ShopRefund,
    ShopRefunds,
)
from integrations.channels.woocommerce import translate
from integrations.types import ChannelRef, NotSold
from orders.types import OrderDraft

NUMBER_KEY: Final = "_switchyard_number"
"""The acknowledgement: our number of the order, among its meta data."""
TRACKING_KEY: Final = "_wc_shipment_tracking_items"
"""Where the shipment tracking extension, and most of what reads tracking, looks for parcels."""
REFUNDED_KEY: Final = "_refunded_item_id"
"""By which a line of a refund names the line of the order."""
_CANCELLED: Final = frozenset({"cancelled", "failed", "trash"})


def shop_order(
    document: Mapping[str, Any], channel: ChannelRef, *, received_at: datetime
) -> ShopOrder:
    """What the document says of the order now. Raises Unreadable, and NotSold for no sale yet."""
    external_id = required_id(document)
    reading = Reading(text(document.get("currency"), 3).upper() or channel.currency)
    cancel = translate.cancellation(document)
    status = text(document.get("status"), 32)
    refunds = tuple(
        refund(row, reading.currency, of_cancel=status in _CANCELLED)
        for row in rows(document, "refunds")
    )
    if status == "refunded" and refunds and all(one.ours for one in refunds):
        cancel = None  # What we had given back came to all of it.
    changed = document.get("date_modified_gmt") or document.get("date_modified")
    return ShopOrder(
        external_id=external_id,
        version=version_of(changed),
        draft=_draft(
            document, channel, received_at, ended=translate.cancellation(document) is not None
        ),
        lines=tuple(_line(reading, row) for row in rows(document, "line_items")),
        lines_told=bool(rows(document, "line_items")),
        cancelled=cancel.reason if cancel else "",
        by_money=status == "refunded",
        address=translate.address_of(document),
        shipping=reading.decimal(document.get("shipping_total"), "/shipping_total"),
        refunds=refunds,
        fulfillments=tuple(
            ShopFulfillment(
                text(one.get("tracking_id"), 64), {}, (text(one["tracking_number"], 80),)
            )
            for one in tracking_items(document)
            if one.get("tracking_number")
        ),
        taken_on=text(meta(document, NUMBER_KEY), 32),
        over=status == "completed",
    )


def message_id(document: Mapping[str, Any]) -> str:
    """The id of news of an order, pushed or polled; empty where the document names no time."""
    version = version_of(document.get("date_modified_gmt") or document.get("date_modified"))
    if not version or document.get("id") in (None, ""):
        return ""
    return message_of_order(document, version, _read(document))


def meta(document: Mapping[str, Any], key: str) -> Any:
    """The value of a meta datum; None without one."""
    return next(
        (row.get("value") for row in rows(document, "meta_data") if row.get("key") == key), None
    )


def tracking_items(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parcels that stand on the order; the extension keeps a list, some exports a text of it."""
    kept = meta(document, TRACKING_KEY)
    if isinstance(kept, str):
        try:
            kept = json.loads(kept)
        except ValueError:
            kept = None
    return [one for one in kept if isinstance(one, dict)] if isinstance(kept, list) else []


def _draft(
    document: Mapping[str, Any], channel: ChannelRef, received_at: datetime, *, ended: bool
) -> OrderDraft | None:
    try:
        draft = translate.order_draft(document, channel, received_at=received_at)
    except NotSold:
        if ended:
            return None
        raise
    absorbed = translate.GONE
    return replace(draft, problems=tuple(one for one in draft.problems if one.code not in absorbed))


def _line(reading: Reading, row: Mapping[str, Any]) -> ShopLine:
    quantity = reading.quantity(row.get("quantity"), "/line_items/quantity")
    total = reading.decimal(row.get("total"), "/line_items/total")
    each = (total / quantity).quantize(Decimal("0.01")) if quantity else Decimal(0)
    return ShopLine(text(row.get("id"), 64), text(row.get("sku"), 80), quantity, each)


def refund(row: Mapping[str, Any], currency: str, *, of_cancel: bool) -> ShopRefund:
    """The order's own word on a refund: a negative total, and the reason that was given."""
    reading = Reading(currency)
    amount = abs(reading.decimal(row.get("total"), "/refunds/total"))
    return ShopRefund(
        text(row.get("id"), 64),
        money.to_minor(amount, reading.currency),
        ours=ours_in(row.get("reason")),
        of_cancel=of_cancel or marks_cancel(row.get("reason")),
        unread=True,
    )


def refunds_alone(document: Mapping[str, Any], channel: ChannelRef) -> ShopRefunds:
    """Refunds of one order as `orders/{id}/refunds` lists them, with the order that they belong to."""
    order_id = text(document.get("order_id"), 64)
    required_id({"id": order_id})
    reading = Reading(text(document.get("currency"), 3).upper() or channel.currency)
    found = (refund_with_lines(row, reading) for row in rows(document, "refunds"))
    return ShopRefunds(order_id, tuple(found))


def refund_with_lines(row: Mapping[str, Any], reading: Reading) -> ShopRefund:
    """A refund's own word on itself: quantities and totals of its lines count downwards."""
    named: dict[str, int] = {}
    worth: dict[str, int] = {}
    for line in rows(row, "line_items"):
        line_id = text(meta(line, REFUNDED_KEY), 64)
        quantity = line.get("quantity")
        if line_id and isinstance(quantity, int) and quantity:
            named[line_id] = named.get(line_id, 0) + abs(quantity)
        if line_id and (minor := _given_back(reading, line)):
            worth[line_id] = worth.get(line_id, 0) + minor
    return ShopRefund(
        text(row.get("id"), 64),
        _amount(row, reading),
        shipping_minor=sum(_given_back(reading, line) for line in rows(row, "shipping_lines")),
        ours=ours_in(row.get("reason")),
        of_cancel=marks_cancel(row.get("reason")),
        named=named,
        worth=worth,
        undecided=True,
    )


def _amount(row: Mapping[str, Any], reading: Reading) -> int:
    """What was given back; of a refund that is not there any more, as its order told it."""
    told = row.get("amount_minor")
    return told if isinstance(told, int) else abs(reading.minor(row.get("amount"), "/amount"))


def _given_back(reading: Reading, line: Mapping[str, Any]) -> int:
    total, tax = (reading.minor(line.get(name), f"/{name}") for name in ("total", "total_tax"))
    return abs(total + tax)


def _read(document: Mapping[str, Any]) -> Any:
    """What is read of an order, for telling two changes of one second apart."""
    address = mapping(document, "shipping")
    return [
        document.get("status"),
        document.get("date_paid_gmt") or document.get("date_paid"),
        document.get("shipping_total"),
        [
            [row.get("id"), row.get("quantity"), row.get("total")]
            for row in rows(document, "line_items")
        ],
        [row.get("id") for row in rows(document, "refunds")],
        meta(document, NUMBER_KEY),
        [one.get("tracking_number") for one in tracking_items(document)],
        [address.get(name) for name in ("first_name", "address_1", "city", "postcode", "country")],
    ]
