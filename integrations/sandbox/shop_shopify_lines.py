"""The small parts of what Shopify's Admin REST API writes: times, amounts, lines, addresses. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from integrations.sandbox import shop_orders
from integrations.sandbox.shop_orders import Document

LOCATION_ID: Final = 655_441_491
"""The shop's one location."""
ZONE: Final = ZoneInfo("America/New_York")
SHOP_ID: Final = 548_380_009
GATEWAY: Final = "shopify_payments"
STATES: Final = {
    "CA": "California", "CO": "Colorado", "FL": "Florida", "GA": "Georgia", "IL": "Illinois",
    "MA": "Massachusetts", "NJ": "New Jersey", "NY": "New York", "OH": "Ohio", "OR": "Oregon",
    "TX": "Texas", "WA": "Washington",
}  # fmt: skip


def when(at: str | None) -> str | None:
    """An instant in the shop's own zone, with its offset."""
    return datetime.fromisoformat(at).astimezone(ZONE).isoformat() if at else None


def amount(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def amounts(minor: int, currency: str) -> Document:
    """In the shop's and in the buyer's currency, which are one here."""
    one = {"amount": amount(minor), "currency_code": currency}
    return {"shop_money": one, "presentment_money": dict(one)}


def gid(kind: str, number: object) -> str:
    return f"gid://shopify/{kind}/{number}"


def taxes(lines: Sequence[Mapping[str, Any]], currency: str) -> list[Document]:
    return [
        {
            "channel_liable": False,
            "price": amount(one["amount"]),
            "price_set": amounts(one["amount"], currency),
            "rate": one["rate"],
            "title": one["title"],
        }
        for one in lines
    ]


def line(known: Mapping[str, Any], of: Mapping[str, Any]) -> Document:
    currency, left = of["currency"], shop_orders.open_units(known)
    sent = known["fulfilled"]
    return {
        "id": known["id"],
        "admin_graphql_api_id": gid("LineItem", known["id"]),
        "attributed_staffs": [],
        "current_quantity": min(
            shop_orders.kept_units(known), known["quantity"] - known["cancelled"]
        ),
        "fulfillable_quantity": left,
        "fulfillment_service": "manual",
        "fulfillment_status": None if not sent else "partial" if left else "fulfilled",
        "gift_card": False,
        "grams": known["grams"],
        "name": known["title"],
        "price": amount(known["price"]),
        "price_set": amounts(known["price"], currency),
        "product_exists": True,
        "product_id": known["product"],
        "properties": [],
        "quantity": known["quantity"],
        "requires_shipping": known.get("ships", True),
        "sku": known["sku"],
        "taxable": True,
        "title": known["title"],
        "total_discount": "0.00",
        "total_discount_set": amounts(0, currency),
        "variant_id": known["variant"],
        "variant_inventory_management": "shopify",
        "variant_title": None,
        "vendor": None,
        "tax_lines": taxes(known["taxes"], currency),
        "duties": [],
        "discount_allocations": _allocations(known, currency),
    }


def shipping_line(known: Mapping[str, Any]) -> Document:
    shipping, currency = known["shipping"], known["currency"]
    return {
        "id": shipping["id"],
        "carrier_identifier": None,
        "code": shipping["code"],
        "discounted_price": amount(shipping["price"]),
        "discounted_price_set": amounts(shipping["price"], currency),
        "is_removed": False,
        "phone": None,
        "price": amount(shipping["price"]),
        "price_set": amounts(shipping["price"], currency),
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": shipping["title"],
        "tax_lines": taxes(shipping["taxes"], currency),
        "discount_allocations": [],
    }


def address(known: Mapping[str, Any]) -> Document:
    place, buyer = known["address"], known["customer"]
    return {
        "first_name": buyer["first_name"],
        "address1": place["line1"],
        "phone": buyer["phone"],
        "city": place["city"],
        "zip": place["zip"],
        "province": STATES.get(place["region"], place["region"]),
        "country": "United States",
        "last_name": buyer["last_name"],
        "address2": place["line2"],
        "company": None,
        "latitude": None,
        "longitude": None,
        "name": f"{buyer['first_name']} {buyer['last_name']}",
        "country_code": place["country"],
        "province_code": place["region"],
    }


def _allocations(known: Mapping[str, Any], currency: str) -> list[Document]:
    if not known["discount"]:
        return []
    return [
        {
            "amount": amount(known["discount"]),
            "amount_set": amounts(known["discount"], currency),
            "discount_application_index": 0,
        }
    ]
