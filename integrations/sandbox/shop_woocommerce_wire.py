"""What WooCommerce's REST API v3 writes: orders, refunds, notes and products, key for key. Pure.

Times come twice: in the site's own zone, and as `…_gmt`; both without an offset, as the vendor has it.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from zlib import crc32

from integrations.sandbox import shop_orders
from integrations.sandbox.shop_orders import Document

SITE_ZONE: Final = timezone(timedelta(hours=-5))
METHOD: Final = ("stripe", "Credit card")


def amount(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def local(at: str | None) -> str | None:
    """In the site's zone."""
    if not at:
        return None
    return datetime.fromisoformat(at).astimezone(SITE_ZONE).replace(tzinfo=None).isoformat()


def gmt(at: str | None) -> str | None:
    if not at:
        return None
    return datetime.fromisoformat(at).astimezone(UTC).replace(tzinfo=None).isoformat()


def times(name: str, at: str | None) -> Document:
    return {name: local(at), f"{name}_gmt": gmt(at)}


def order(known: Mapping[str, Any], site: str) -> Document:
    """The order, as it is read and as it is the body of the order.* webhooks."""
    lines, shipping = known["lines"], known["shipping"]
    shipping_tax = sum(one["amount"] for one in shipping["taxes"])
    cart_tax = sum(map(shop_orders.tax, lines))
    before = sum(_tax_before(one) for one in lines)
    return {
        "id": known["id"],
        "parent_id": 0,
        "number": str(known["id"]),
        "order_key": f"wc_order_{known['token'][:13]}",
        "created_via": "checkout",
        "version": "9.9.5",
        "status": known["status"],
        "currency": known["currency"],
        **times("date_created", known["created_at"]),
        **times("date_modified", known["updated_at"]),
        "discount_total": amount(sum(one["discount"] for one in lines)),
        "discount_tax": amount(before - cart_tax),
        "shipping_total": amount(shipping["price"]),
        "shipping_tax": amount(shipping_tax),
        "cart_tax": amount(cart_tax),
        "total": amount(shop_orders.total(known)),
        "total_tax": amount(cart_tax + shipping_tax),
        "prices_include_tax": False,
        "customer_id": known["customer"]["id"],
        "customer_ip_address": "",
        "customer_user_agent": "",
        "customer_note": known["note"],
        "billing": {
            **address(known),
            "email": known["customer"]["email"],
            "phone": known["customer"]["phone"],
        },
        "shipping": address(known),
        "payment_method": known.get("gateway") or METHOD[0],
        "payment_method_title": METHOD[1],
        "transaction_id": f"ch_{known['token'][:24]}",
        **times("date_paid", None if known.get("payment") else known["created_at"]),
        **times("date_completed", known["completed_at"]),
        "cart_hash": known["token"],
        "meta_data": [
            {"id": one["id"], "key": one["key"], "value": one["value"]} for one in known["meta"]
        ],
        "line_items": [line(one) for one in lines],
        "tax_lines": _tax_lines(known),
        "shipping_lines": [_shipping_line(known)],
        "fee_lines": [],
        "coupon_lines": _coupons(known),
        "refunds": [
            {"id": one["id"], "reason": one["note"], "total": amount(-one["amount"])}
            for one in known["refunds"]
        ],
        "payment_url": f"{site}/checkout/order-pay/{known['id']}/",
        "is_editable": known["status"] in {"pending", "on-hold"},
        "needs_payment": False,
        "needs_processing": True,
        "currency_symbol": "$",
        "_links": links(site, f"orders/{known['id']}", "orders"),
    }


def line(known: Mapping[str, Any]) -> Document:
    """A line as ordered: what was refunded of it stands in the refunds alone."""
    whole, net = known["price"] * known["quantity"], shop_orders.goods(known)
    return {
        "id": known["id"],
        "name": known["title"],
        "product_id": known["product"],
        "variation_id": 0,
        "quantity": known["quantity"],
        "tax_class": "",
        "subtotal": amount(whole),
        "subtotal_tax": amount(_tax_before(known)),
        "total": amount(net),
        "total_tax": amount(shop_orders.tax(known)),
        "taxes": [
            {
                "id": rate_id(one["title"]),
                "total": amount(one["amount"]),
                "subtotal": amount(one["amount"] * whole // net if net else 0),
            }
            for one in known["taxes"]
        ],
        "meta_data": [],
        "sku": known["sku"],
        "price": net / known["quantity"] / 100,
    }


def refund(of: Mapping[str, Any], known: Mapping[str, Any], site: str) -> Document:
    """A refund; its lines count downwards, and name the line that they take back."""
    lines = []
    for one in known["lines"]:
        found = shop_orders.line_of(of, one["line"])
        if found is None:
            continue
        lines.append(
            {
                "id": one["id"],
                "name": found["title"],
                "product_id": found["product"],
                "variation_id": 0,
                "quantity": -one["quantity"],
                "tax_class": "",
                "subtotal": amount(-one["subtotal"]),
                "subtotal_tax": amount(-one["tax"]),
                "total": amount(-one["subtotal"]),
                "total_tax": amount(-one["tax"]),
                "taxes": [],
                "meta_data": [
                    {
                        "id": one["id"] + 1,
                        "key": "_refunded_item_id",
                        "value": str(one["line"]),
                        "display_key": "_refunded_item_id",
                        "display_value": str(one["line"]),
                    }
                ],
                "sku": found["sku"],
                "price": -(one["subtotal"] / one["quantity"] / 100) if one["quantity"] else 0,
            }
        )
    return {
        "id": known["id"],
        **times("date_created", known["created_at"]),
        "amount": amount(known["amount"]),
        "reason": known["note"],
        "refunded_by": 1,
        "refunded_payment": known.get("by_gateway", True),
        "meta_data": known.get("meta", []),
        "line_items": lines,
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
        "_links": links(site, f"orders/{of['id']}/refunds/{known['id']}", "refunds"),
    }


def product(item: Mapping[str, Any], figure: Mapping[str, Any], site: str) -> Document:
    units = figure["available"]
    return {
        "id": item["product"],
        "name": item["title"],
        "slug": item["sku"].lower(),
        "permalink": f"{site}/product/{item['sku'].lower()}/",
        **times("date_modified", figure["told_at"]),
        "type": "simple",
        "status": "publish",
        "sku": item["sku"],
        "price": amount(item["price"]),
        "regular_price": amount(item["price"]),
        "purchasable": True,
        "manage_stock": True,
        "stock_quantity": units,
        "stock_status": "instock" if units > 0 else "outofstock",
        "backorders": "no",
        "weight": f"{item['grams'] / 1000:g}",
        "variations": [],
        "meta_data": [],
        "_links": links(site, f"products/{item['product']}", "products"),
    }


def address(known: Mapping[str, Any]) -> Document:
    place, buyer = known["address"], known["customer"]
    return {
        "first_name": buyer["first_name"],
        "last_name": buyer["last_name"],
        "company": "",
        "address_1": place["line1"],
        "address_2": place["line2"],
        "city": place["city"],
        "state": place["region"],
        "postcode": place["zip"],
        "country": place["country"],
    }


def rate_id(title: str) -> int:
    """The number of a tax rate, alike for its name."""
    return crc32(title.encode()) % 900 + 1


def links(site: str, one: str, many: str) -> Document:
    base = f"{site}/wp-json/wc/v3"
    return {"self": [{"href": f"{base}/{one}"}], "collection": [{"href": f"{base}/{many}"}]}


def _tax_before(known: Mapping[str, Any]) -> int:
    """The tax of a line before its discount."""
    net = shop_orders.goods(known)
    return shop_orders.tax(known) * known["price"] * known["quantity"] // net if net else 0


def _shipping_line(known: Mapping[str, Any]) -> Document:
    shipping = known["shipping"]
    return {
        "id": shipping["id"],
        "method_title": shipping["title"],
        "method_id": shipping["code"],
        "instance_id": "1",
        "total": amount(shipping["price"]),
        "total_tax": amount(sum(one["amount"] for one in shipping["taxes"])),
        "taxes": [
            {"id": rate_id(one["title"]), "total": amount(one["amount"]), "subtotal": ""}
            for one in shipping["taxes"]
        ],
        "meta_data": [],
    }


def _tax_lines(known: Mapping[str, Any]) -> list[Document]:
    """One per jurisdiction, over goods and shipping."""
    region = known["address"]["region"]
    goods: Counter[str] = Counter()
    for line_ in known["lines"]:
        goods.update({one["title"]: one["amount"] for one in line_["taxes"]})
    shipping = {one["title"]: one["amount"] for one in known["shipping"]["taxes"]}
    return [
        {
            "id": known["id"] * 10 + place,
            "rate_code": f"US-{region}-{title.upper()}-1",
            "rate_id": rate_id(title),
            "label": title,
            "compound": False,
            "tax_total": amount(goods[title]),
            "shipping_tax_total": amount(shipping.get(title, 0)),
            "meta_data": [],
        }
        for place, title in enumerate(sorted({*goods, *shipping}))
    ]


def _coupons(known: Mapping[str, Any]) -> list[Document]:
    if not known["discount_code"]:
        return []
    off = sum(one["discount"] for one in known["lines"])
    return [
        {
            "id": known["id"] * 10 + 9,
            "code": known["discount_code"].lower(),
            "discount": amount(off),
            "discount_tax": "0.00",
            "meta_data": [],
        }
    ]
