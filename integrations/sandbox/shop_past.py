"""A shop's past: what it sold before anybody listened, and what it was told of that since.

Control plane of the shops, each call for many orders at once; money in minor units:

    POST /_sandbox/past        {"orders": [{"at", "buyer", "lines": [{"sku", "title", "price", "grams",
                               "quantity", "discount", "tax", "ships"}], "shipping": [code, title,
                               price], "discount_percent", "payment", "gateway"}]}
    POST /_sandbox/past/told   {"told": [{"order", "kind", "at", …}]}

`payment` is `authorized` or `pending` where the seller's own gateway takes the money, and the shop none.
What is told is of one of these kinds, and answered with the shop's id of what was made:

    written     "tags", "meta": {key: value}
    sent        "lines": {line: units}, "tracking": {"number", "company", "url"}, "key", "last"; or no
                lines, and "rest_of": [line] of what has been sent before
    given_back  "lines": {line: units}, "worth": {line: amount}, "amount", "note", by whoever took it
    taken_off   "lines": {line: units}, "note"
    cancelled   "reason"
    stands      how the order stands, in the words of a face (`integrations.sandbox.marketplace`)
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from integrations.sandbox import shop_orders
from integrations.sandbox.clock import instant
from integrations.sandbox.shop_orders import Document
from integrations.sandbox.shoppers import Basket

if TYPE_CHECKING:
    from integrations.sandbox.shop_book import ShopBook


def answer(shop: "ShopBook", words: list[str], body: Mapping[str, Any]) -> Document:
    """Do what the control plane was asked. Raises KeyError and ValueError for what makes no sense."""
    if words == ["told"]:
        return {"made": [hold(shop, one) for one in body["told"]]}
    if words:
        raise ValueError(f"there is no past/{'/'.join(words)}")
    return {"orders": [_sold(sell(shop, one)) for one in body["orders"]]}


def sell(shop: "ShopBook", said: Mapping[str, Any]) -> Document:
    """An order as it was placed, at the prices that were paid; nobody is told of it."""
    at = _when(said["at"])
    basket = Basket(
        lines=(),
        buyer=said["buyer"],
        shipping=said["shipping"],
        discount_percent=int(said.get("discount_percent", 0)),
    )
    order = shop_orders.new_order(
        basket,
        {},
        shop.number,
        currency=shop.settings["currency"],
        token=shop.new_id(),
        at=at,
    )
    payment = str(said.get("payment", ""))
    if payment == "pending":
        order["status"] = "on-hold"
    order |= {"payment": payment, "gateway": str(said.get("gateway", "")), "transactions": []}
    order["shipping"]["taxes"] = []
    order["lines"] = [_line(shop, line, order) for line in said["lines"]]
    kind, amount = "authorization" if payment else "sale", shop_orders.total(order)
    order["transactions"].append(shop_orders.transaction(order, kind, amount, shop.number, at=at))
    shop.store["orders"][str(order["id"])] = order
    for line in order["lines"]:
        shop.sold(line["sku"], line["quantity"])
    shop.log.append("placed", at=order["created_at"], order=order["id"], number=order["number"])
    shop.recall(order, said)
    return order


def hold(shop: "ShopBook", told: Mapping[str, Any]) -> str:
    """Have the order hold what the shop was told of it then; the id of what was made, if anything."""
    order, at = shop.store["orders"][str(told["order"])], _when(told["at"])
    made = ""
    match told["kind"]:
        case "written":
            order["tags"] = sorted({*order["tags"], *told.get("tags", ())})
            for key, value in told.get("meta", {}).items():
                order["meta"].append({"id": shop.number("meta_id"), "key": key, "value": value})
        case "sent":
            made = shop.sent(order, _units(order, told), told, at)
        case "taken_off" if not order["cancelled_at"]:
            made = str(shop.taken_off(order, _units(order, told), str(told["note"]), at)["id"])
        case "given_back":
            made = str(shop.given_back(order, _units(order, told), told, at)["id"])
        case "cancelled" if not order["cancelled_at"]:
            reason = str(told["reason"])
            shop.cancel(order, at, by="api", reason=reason, restock=True, back=0)
        case "stands":
            shop.stood(order, told, at)
    shop.updated(order, at)
    return made


def _line(shop: "ShopBook", said: Mapping[str, Any], order: Document) -> Document:
    """A line at its own price and tax. What the catalog has no more was an article of its own."""
    sku = str(said["sku"])
    item = shop.store["catalog"].get(sku) or {
        "sku": sku,
        "product": shop.number("product_id"),
        "variant": shop.number("variant_id"),
        "item": shop.number("item_id"),
    }
    item = {
        **item,
        "title": str(said["title"]),
        "price": int(said["price"]),
        "grams": int(said.get("grams", 0)),
    }
    line = shop_orders.new_line(item, int(said["quantity"]), order["address"], shop.number)
    tax, net = int(said["tax"]), int(said["price"]) * int(said["quantity"]) - int(said["discount"])
    line["discount"] = int(said["discount"])
    rate = round(tax / net, 4) if net else 0.0
    line["taxes"] = [{"title": "Sales Tax", "rate": rate, "amount": tax}] if tax else []
    if not said.get("ships", True):
        # What nobody carries is given with the order.
        line |= {"ships": False, "fulfilled": line["quantity"]}
    return line


def _units(order: Document, told: Mapping[str, Any]) -> list[tuple[Document, int]]:
    found = []
    for line_id, units in told["lines"].items():
        line = shop_orders.line_of(order, line_id)
        if line is None:
            raise KeyError(f"order {order['id']} has no line {line_id}")
        found.append((line, int(units)))
    return found


def _sold(order: Document) -> Document:
    return {
        "id": order["id"],
        "number": order["number"],
        "lines": [line["id"] for line in order["lines"]],
    }


def _when(said: object) -> datetime:
    read = instant(said)
    if read is None:
        raise ValueError("what is past has a time")
    return read.astimezone(UTC)
