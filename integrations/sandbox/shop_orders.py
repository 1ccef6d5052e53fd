"""An order as a simulated shop keeps it: made, counted and summed. Pure; money in minor units.

A line holds `quantity` as ordered, and of it the units `cancelled` (never to be sent), `refunded` (with
or without goods) and `fulfilled`. Each face writes the same document in its own shape.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from integrations.sandbox.shoppers import Basket, taxes

Document = dict[str, Any]
Numbers = Callable[[str], int]
"""The next number of a sequence of the shop's."""


def stamp(at: datetime) -> str:
    """An instant as the shop keeps it: UTC, whole seconds."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat()


def new_order(
    basket: Basket,
    catalog: Mapping[str, Document],
    numbers: Numbers,
    *,
    currency: str,
    token: str,
    at: datetime,
) -> Document:
    """The document of a paid order."""
    number = numbers("order_number")
    place = basket.buyer["address"]
    code, title, price = basket.shipping[:3]
    order: Document = {
        "id": numbers("order_id"),
        "number": number,
        "token": token,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "cancelled_at": None,
        "cancel_reason": None,
        "cancelled_by": None,
        "completed_at": None,
        "status": "processing",
        "currency": currency,
        "customer": {"id": numbers("customer_id"), **_without(basket.buyer, "address")},
        "address": dict(place),
        "lines": [
            new_line(catalog[sku], units, place, numbers, percent=basket.discount_percent)
            for sku, units in basket.lines
        ],
        "shipping": {
            "id": numbers("shipping_id"),
            "code": code,
            "title": title,
            "price": int(price),
            "taxes": taxes(place, int(price)),
            "refunded": 0,
        },
        "discount_code": f"SAVE{basket.discount_percent}" if basket.discount_percent else "",
        "note": basket.note,
        "attributes": {"gift": "yes"} if basket.gift else {},
        "tags": [],
        "meta": [],
        "notes": [],
        "fulfillment_order": numbers("fulfillment_order_id"),
        "fulfillments": [],
        "refunds": [],
        "transactions": [],
    }
    order["transactions"].append(transaction(order, "sale", total(order), numbers, at=at))
    return order


def new_line(
    item: Mapping[str, Any],
    units: int,
    place: Mapping[str, Any],
    numbers: Numbers,
    *,
    percent: int = 0,
) -> Document:
    goods = item["price"] * units
    off = goods * percent // 100
    return {
        "id": numbers("line_id"),
        "fulfillment_line": numbers("fulfillment_line_id"),
        "sku": item["sku"],
        "title": item["title"],
        "grams": item["grams"],
        "product": item["product"],
        "variant": item["variant"],
        "item": item["item"],
        "price": item["price"],
        "quantity": units,
        "discount": off,
        "taxes": taxes(place, goods - off),
        "cancelled": 0,
        "refunded": 0,
        "fulfilled": 0,
        "added": False,
    }


def transaction(
    order: Document, kind: str, amount: int, numbers: Numbers, *, at: datetime
) -> Document:
    """Money moved: a `sale`, or a `refund` of it."""
    sale = order["transactions"][0]["id"] if order["transactions"] else None
    return {
        "id": numbers("transaction_id"),
        "kind": kind,
        "amount": amount,
        "parent": sale,
        "created_at": stamp(at),
    }


def tracking(said: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Document:
    """The numbers of a fulfillment, each with its page: those that are said, several or one, instead
    of those before.
    """
    known = before or {"numbers": [], "urls": [], "company": None}
    numbers, pages = known["numbers"], known["urls"]
    if "numbers" in said:
        numbers, pages = said["numbers"], said.get("urls", ())
    elif said.get("number"):
        numbers, pages = [said["number"]], [said.get("url")]
    return {
        "numbers": [str(number) for number in numbers],
        "urls": [str(page or "") for page, _ in zip_longest(pages[: len(numbers)], numbers)],
        "company": said.get("company", known["company"]),
    }


def goods(line: Mapping[str, Any]) -> int:
    """What the line costs before tax, its discount taken off."""
    return int(line["price"] * line["quantity"] - line["discount"])


def tax(line: Mapping[str, Any]) -> int:
    return sum(int(one["amount"]) for one in line["taxes"])


def share(amount: int, units: int, before: int, count: int) -> int:
    """The part of an amount for `count` of `units`, after `before` of them: all parts add up to it."""
    return amount * (before + count) // units - amount * before // units


def open_units(line: Mapping[str, Any]) -> int:
    """Units that are still to be sent."""
    return int(line["quantity"] - line["cancelled"] - line["fulfilled"])


def kept_units(line: Mapping[str, Any]) -> int:
    """Units that the buyer still has or expects."""
    return int(line["quantity"] - line["refunded"])


def shipping_total(order: Mapping[str, Any]) -> int:
    """The price of shipping with its tax."""
    shipping = order["shipping"]
    return int(shipping["price"]) + sum(int(one["amount"]) for one in shipping["taxes"])


def total(order: Mapping[str, Any]) -> int:
    """What the order came to; additions count, cuts do not."""
    return sum(goods(line) + tax(line) for line in order["lines"]) + shipping_total(order)


def current_total(order: Mapping[str, Any]) -> int:
    """What the order comes to without what was taken off it."""
    kept = 0
    for line in order["lines"]:
        for amount in (goods(line), tax(line)):
            kept += amount - share(amount, line["quantity"], 0, line["refunded"])
    return kept + shipping_total(order) - int(order["shipping"]["refunded"])


def received(order: Mapping[str, Any]) -> int:
    return sum(one["amount"] for one in order["transactions"] if one["kind"] == "sale")


def refunded(order: Mapping[str, Any]) -> int:
    return sum(one["amount"] for one in order["transactions"] if one["kind"] == "refund")


def shrink(line: Document) -> int:
    """Make the line one unit smaller, in place. Answers what the unit was worth."""
    units = line["quantity"]
    before = goods(line) + tax(line)
    line["discount"] -= share(line["discount"], units, 0, 1)
    for one in line["taxes"]:
        one["amount"] -= share(one["amount"], units, 0, 1)
    line["quantity"] = units - 1
    return before - goods(line) - tax(line)


def fulfillment_status(order: Mapping[str, Any]) -> str | None:
    """`fulfilled`, `partial`, or None while nothing has been sent."""
    if not any(line["fulfilled"] for line in order["lines"]):
        return None
    return "partial" if any(open_units(line) for line in order["lines"]) else "fulfilled"


def due_back(order: Mapping[str, Any]) -> int:
    """What of the order may still be given back, also by hand where the shop took nothing itself."""
    return (total(order) if order.get("payment") else received(order)) - refunded(order)


def financial_status(order: Mapping[str, Any]) -> str:
    """How the money stands; `payment` is set where the seller's own gateway takes it."""
    if payment := order.get("payment"):
        return "voided" if order["cancelled_at"] else str(payment)
    back = refunded(order)
    if not back:
        return "paid" if received(order) >= current_total(order) else "partially_paid"
    return "refunded" if back >= received(order) else "partially_refunded"


def line_of(order: Mapping[str, Any], line_id: object) -> Document | None:
    """By the line's id, or by that of its line in the fulfillment order."""
    for line in order["lines"]:
        if str(line_id) in {str(line["id"]), str(line["fulfillment_line"])}:
            found: Document = line
            return found
    return None


def refund_lines(
    order: Mapping[str, Any], wanted: Sequence[tuple[Document, int, str]], numbers: Numbers
) -> list[Document]:
    """What units of lines are worth. The lines are not changed yet."""
    before: dict[int, int] = {}
    made = []
    for line, units, restock in wanted:
        done = line["refunded"] + before.get(line["id"], 0)
        before[line["id"]] = before.get(line["id"], 0) + units
        made.append(
            {
                "id": numbers("refund_line_id"),
                "line": line["id"],
                "quantity": units,
                "restock": restock,
                "subtotal": share(goods(line), line["quantity"], done, units),
                "tax": share(tax(line), line["quantity"], done, units),
            }
        )
    return made


def _without(document: Mapping[str, Any], *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}
