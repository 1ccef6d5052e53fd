"""A Shopify order as it is now: lines that still stand, cancel, refunds, fulfillments. Pure.

A line's `current_quantity` counts neither units that were taken off nor units that came back. Came
back is what a refund restocks as a return, and what it does not restock as far as it had left;
everything else that is missing from `quantity` was taken off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from config.kernel import money
from integrations.channels.marks import (
    marks_cancel,
    message_of_order,
    ours_in,
    stated_in,
    version_of,
)
from integrations.channels.reading import Reading, mapping, required_id, rows, text
from integrations.channels.shopify import translate
from integrations.channels.types import (
    ShopFulfillment,
    ShopLine,
    ShopOrder,
    ShopRefund,
    ShopRefunds,
)
from integrations.types import ChannelRef
from orders.types import OrderDraft

TAG: Final = "switchyard:"
"""What the acknowledgement's tag begins with; our number follows."""
ABSORBED: Final = frozenset({"changed-before-capture", "cancelled"})
"""Doubts about a document alone that are none once its changes are followed."""
_FAILED: Final = frozenset({"cancelled", "error", "failure"})
_CAME_BACK: Final = "return"
_MAYBE: Final = "no_restock"

_Units = dict[str, int]


def shop_order(
    document: Mapping[str, Any],
    channel: ChannelRef,
    *,
    received_at: datetime,
    cancelled: bool = False,
) -> ShopOrder:
    """What the document says of the order now. Raises Unreadable for one without an id, or lines.

    `cancelled`: the topic says so, whatever the document says. Such a one needs no lines.
    """
    external_id = required_id(document)
    reading = Reading(text(document.get("currency"), 3).upper() or channel.currency)
    lines = rows(document, "line_items")
    gone = cancelled or bool(document.get("cancelled_at"))
    draft = None
    if lines or not gone:
        draft = translate.order_draft(document, channel, received_at=received_at)
    left = left_of(document)
    return ShopOrder(
        external_id=external_id,
        version=version_of(document.get("updated_at")),
        draft=without_absorbed(draft),
        lines=tuple(_line(reading, row, left, document) for row in lines),
        lines_told=bool(lines),
        cancelled=translate.cancellation(document).reason if gone else "",
        address=translate.address_of(document),
        shipping=sum(
            (
                reading.decimal(row.get("price"), "")
                for row in rows(document, "shipping_lines")
                if not row.get("is_removed")
            ),
            Decimal(0),
        ),
        refunds=tuple(
            refund(row, reading.currency, left, cancelled=gone) for row in rows(document, "refunds")
        ),
        fulfillments=tuple(fulfillment(row) for row in rows(document, "fulfillments")),
        taken_on=taken_on(document),
        over=document.get("fulfillment_status") == "fulfilled",
    )


def refunds_alone(document: Mapping[str, Any], channel: ChannelRef) -> ShopRefunds:
    """The body of refunds/create: one refund, with the order that it belongs to."""
    order_id = text(document.get("order_id"), 64)
    required_id({"id": order_id})
    # Nothing is said of what had left: what is restocked as a return had.
    left = {
        text(row.get("line_item_id"), 64): 1
        for row in rows(document, "refund_line_items")
        if row.get("restock_type") == _CAME_BACK
    }
    return ShopRefunds(order_id, (refund(document, channel.currency, left, cancelled=False),))


def message_id(document: Mapping[str, Any]) -> str:
    """The id of news of an order, pushed or polled; empty where the document names no time."""
    version = version_of(document.get("updated_at"))
    if not version or document.get("id") in (None, ""):
        return ""
    return message_of_order(document, version, _read(document))


def without_absorbed(draft: OrderDraft | None) -> OrderDraft | None:
    """The draft without the doubts that following its changes answers."""
    if draft is None:
        return None
    kept = tuple(one for one in draft.problems if one.code not in ABSORBED)
    return replace(draft, problems=kept)


def _line(
    reading: Reading, row: Mapping[str, Any], left: _Units, document: Mapping[str, Any]
) -> ShopLine:
    line_id = text(row.get("id"), 64)
    quantity = reading.quantity(row.get("quantity"), "/line_items/quantity")
    current = row.get("current_quantity")
    standing = current if isinstance(current, int) and 0 <= current <= quantity else quantity
    back = _came_back(document, left).get(line_id, 0)
    return ShopLine(
        line_id,
        text(row.get("sku"), 80),
        min(quantity, standing + back),
        reading.decimal(row.get("price"), "/line_items/price"),
    )


def left_of(document: Mapping[str, Any]) -> _Units:
    """Units per line that left by fulfillments that stand."""
    units: _Units = {}
    for one in (fulfillment(row) for row in rows(document, "fulfillments")):
        for line_id, quantity in one.units.items() if not one.gone else ():
            units[line_id] = units.get(line_id, 0) + quantity
    return units


def _came_back(document: Mapping[str, Any], left: _Units) -> _Units:
    units: _Units = {}
    for row in rows(document, "refunds"):
        for line_id, quantity in _returned(row, left).items():
            units[line_id] = units.get(line_id, 0) + quantity
    return {line_id: min(many, left.get(line_id, 0)) for line_id, many in units.items()}


def _returned(row: Mapping[str, Any], left: _Units) -> _Units:
    """Units of one refund that had left: those restocked as a return, and those not restocked."""
    units: _Units = {}
    for item in rows(row, "refund_line_items"):
        line_id = text(item.get("line_item_id"), 64)
        if item.get("restock_type") not in (_CAME_BACK, _MAYBE) or not left.get(line_id):
            continue
        quantity = item.get("quantity")
        if isinstance(quantity, int) and quantity > 0:
            units[line_id] = units.get(line_id, 0) + quantity
    return units


def refund(row: Mapping[str, Any], currency: str, left: _Units, *, cancelled: bool) -> ShopRefund:
    """One refund. It goes with a cancel where the order was, or where nothing of it had left."""
    reading = Reading(currency)
    units = _returned(row, left)
    amounts = (
        reading.decimal(one.get("amount"), "/transactions/amount")
        for one in rows(row, "transactions")
        if one.get("kind") == "refund" and one.get("status") in (None, "success", "pending")
    )
    items = rows(row, "refund_line_items")
    stated = stated_in(row.get("note"))
    return ShopRefund(
        text(row.get("id"), 64),
        money.to_minor(sum(amounts, Decimal(0)), currency),
        units,
        money.to_minor(_shipping_back(row, reading), currency),
        ours_in(row.get("note")),
        of_cancel=cancelled or marks_cancel(row.get("note")) or (bool(items) and not units),
        named=_named(items),
        stated_minor=None if stated is None else money.to_minor(stated, currency),
    )


def _named(items: Sequence[Mapping[str, Any]]) -> _Units:
    """Units per line of the shop that a refund names, whatever became of them."""
    units: _Units = {}
    for item in items:
        quantity, line_id = item.get("quantity"), text(item.get("line_item_id"), 64)
        if isinstance(quantity, int) and quantity > 0:
            units[line_id] = units.get(line_id, 0) + quantity
    return units


def _shipping_back(row: Mapping[str, Any], reading: Reading) -> Decimal:
    """The shipping in a refund, its tax included: adjustments are negative."""
    back = (
        reading.decimal(one.get("amount"), "") + reading.decimal(one.get("tax_amount"), "")
        for one in rows(row, "order_adjustments")
        if one.get("kind") == "shipping_refund"
    )
    return abs(sum(back, Decimal(0)))


def fulfillment(row: Mapping[str, Any]) -> ShopFulfillment:
    units: _Units = {}
    for item in rows(row, "line_items"):
        quantity = item.get("quantity")
        if isinstance(quantity, int) and quantity > 0:
            line_id = text(item.get("id"), 64)
            units[line_id] = units.get(line_id, 0) + quantity
    given = row.get("tracking_numbers")
    numbers: Sequence[object] = given if isinstance(given, list) else [row.get("tracking_number")]
    return ShopFulfillment(
        text(row.get("id"), 64),
        units,
        tuple(number for one in numbers if (number := text(one, 80))),
        gone=row.get("status") in _FAILED,
    )


def taken_on(document: Mapping[str, Any]) -> str:
    """Our number of the order, as it stands in its tags."""
    tags = (part.strip() for part in text(document.get("tags")).split(","))
    return next((tag[len(TAG) :] for tag in tags if tag.startswith(TAG)), "")


def _read(document: Mapping[str, Any]) -> Any:
    """What is read of an order, for telling two changes of one second apart."""
    return [
        document.get("cancelled_at"),
        document.get("financial_status"),
        document.get("total_outstanding"),
        document.get("tags"),
        [
            [row.get("id"), row.get("quantity"), row.get("current_quantity"), row.get("price")]
            for row in rows(document, "line_items")
        ],
        [row.get("id") for row in rows(document, "refunds")],
        [
            [row.get("id"), row.get("status"), fulfillment(row).tracking]
            for row in rows(document, "fulfillments")
        ],
        [
            mapping(document, "shipping_address").get(name)
            for name in ("name", "address1", "address2", "city", "zip", "country_code")
        ],
    ]
