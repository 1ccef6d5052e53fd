"""What Shopify's Admin REST API writes: orders and fulfillments, key for key. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from integrations.sandbox import shop_orders
from integrations.sandbox.shop_orders import Document
from integrations.sandbox.shop_shopify_lines import (
    GATEWAY,
    LOCATION_ID,
    SHOP_ID,
    address,
    amount,
    amounts,
    gid,
    line,
    shipping_line,
    taxes,
    when,
)
from integrations.sandbox.shop_shopify_refunds import refund

_EMPTY: Final = (
    "browser_ip",
    "cart_token",
    "checkout_id",
    "checkout_token",
    "client_details",
    "current_total_additional_fees_set",
    "current_total_duties_set",
    "device_id",
    "landing_site",
    "landing_site_ref",
    "location_id",
    "merchant_business_entity_id",
    "merchant_of_record_app_id",
    "original_total_additional_fees_set",
    "original_total_duties_set",
    "payment_terms",
    "po_number",
    "reference",
    "referring_site",
    "source_identifier",
    "source_url",
    "user_id",
)
_NO_MONEY: Final = (
    "total_cash_rounding_payment_adjustment_set",
    "total_cash_rounding_refund_adjustment_set",
)


def order(known: Mapping[str, Any], domain: str) -> Document:
    """The order, as it is read and as it is the body of the orders/* webhooks."""
    currency = known["currency"]
    document: Document = {
        **dict.fromkeys(_EMPTY),
        **{name: amounts(0, currency) for name in _NO_MONEY},
        **_named(known, domain),
        **_standing(known),
        **_bought_by(known),
        **_discounts(known),
        "currency": currency,
        "payment_gateway_names": [known.get("gateway") or GATEWAY],
        "presentment_currency": currency,
        "tags": ", ".join(known["tags"]),
        "tax_lines": taxes(_summed_taxes(known), currency),
        "taxes_included": False,
        "total_shipping_price_set": amounts(known["shipping"]["price"], currency),
        "total_tip_received": "0.00",
        "total_weight": sum(one["grams"] * one["quantity"] for one in known["lines"]),
        "fulfillments": [fulfillment(known, one) for one in known["fulfillments"]],
        "line_items": [line(one, known) for one in known["lines"]],
        "refunds": [refund(known, one) for one in known["refunds"]],
        "shipping_lines": [shipping_line(known)],
    }
    for name, minor in _sums(known).items():
        document |= {name: amount(minor), f"{name}_set": amounts(minor, currency)}
    return document


def _named(known: Mapping[str, Any], domain: str) -> Document:
    """What the order is called, and where it came from."""
    number = known["number"]
    return {
        "id": known["id"],
        "admin_graphql_api_id": gid("Order", known["id"]),
        "app_id": 580_111,
        "confirmation_number": known["token"][:9].upper(),
        "confirmed": True,
        "duties_included": False,
        "estimated_taxes": False,
        "name": f"#{number}",
        "number": number - 1000,
        "order_number": number,
        "order_status_url": f"https://{domain}/{SHOP_ID}/orders/{known['token']}/authenticate",
        "source_name": "web",
        "tax_exempt": False,
        "test": False,
        "token": known["token"],
    }


def _standing(known: Mapping[str, Any]) -> Document:
    """How the order stands, and since when."""
    owed = max(0, shop_orders.total(known) - shop_orders.received(known))
    return {
        "cancel_reason": known["cancel_reason"],
        "cancelled_at": when(known["cancelled_at"]),
        "closed_at": when(known["completed_at"]),
        "created_at": when(known["created_at"]),
        "financial_status": shop_orders.financial_status(known),
        "fulfillment_status": shop_orders.fulfillment_status(known),
        "processed_at": when(known["created_at"]),
        "total_outstanding": amount(owed),
        "updated_at": when(known["updated_at"]),
    }


def _bought_by(known: Mapping[str, Any]) -> Document:
    buyer, place = known["customer"], address(known)
    attributes = known["attributes"].items()
    return {
        "buyer_accepts_marketing": False,
        "contact_email": buyer["email"],
        "customer_locale": "en",
        "email": buyer["email"],
        "note": known["note"] or None,
        "note_attributes": [{"name": name, "value": value} for name, value in attributes],
        "phone": buyer["phone"],
        "billing_address": place,
        "shipping_address": place,
        "customer": _customer(known, place),
    }


def _sums(known: Mapping[str, Any]) -> dict[str, int]:
    lines = known["lines"]
    discount = sum(one["discount"] for one in lines)
    net = sum(map(shop_orders.goods, lines))
    shipping_tax = sum(one["amount"] for one in known["shipping"]["taxes"])
    return {
        "current_subtotal_price": _current(known, shop_orders.goods),
        "current_total_discounts": _current(known, lambda one: int(one["discount"])),
        "current_total_price": shop_orders.current_total(known),
        "current_total_tax": _current(known, shop_orders.tax) + shipping_tax,
        "subtotal_price": net,
        "total_discounts": discount,
        "total_line_items_price": net + discount,
        "total_price": shop_orders.total(known),
        "total_tax": sum(map(shop_orders.tax, lines)) + shipping_tax,
    }


def fulfillment(of: Mapping[str, Any], known: Mapping[str, Any]) -> Document:
    """The fulfillment with its lines; their quantity is what it sent."""
    tracking = known["tracking"]
    place = next(n for n, one in enumerate(of["fulfillments"], 1) if one["id"] == known["id"])
    lines = []
    for sent in known["lines"]:
        found = shop_orders.line_of(of, sent["line"])
        if found is not None:
            lines.append({**line(found, of), "quantity": sent["quantity"]})
    return {
        "id": known["id"],
        "admin_graphql_api_id": gid("Fulfillment", known["id"]),
        "created_at": when(known["created_at"]),
        "location_id": LOCATION_ID,
        "name": f"#{of['number']}.{place}",
        "order_id": of["id"],
        "origin_address": {},
        "receipt": {},
        "service": "manual",
        "shipment_status": None,
        "status": known["status"],
        "tracking_company": tracking["company"],
        "tracking_number": next(iter(tracking["numbers"]), None),
        "tracking_numbers": tracking["numbers"],
        "tracking_url": next(iter(tracking["urls"]), None),
        "tracking_urls": [url for url in tracking["urls"] if url],
        "updated_at": when(known["updated_at"]),
        "line_items": lines,
    }


def fulfillment_order(known: Mapping[str, Any]) -> Document:
    """The one fulfillment order of an order: all its lines, from the shop's one location."""
    place = address(known)
    open_lines = any(shop_orders.open_units(one) for one in known["lines"])
    status = "open" if not known["fulfillments"] else "in_progress"
    if not open_lines:
        status = "cancelled" if known["cancelled_at"] else "closed"
    return {
        "id": known["fulfillment_order"],
        "created_at": when(known["created_at"]),
        "updated_at": when(known["updated_at"]),
        "shop_id": SHOP_ID,
        "order_id": known["id"],
        "assigned_location_id": LOCATION_ID,
        "request_status": "unsubmitted",
        "status": status,
        "fulfill_at": when(known["created_at"]),
        "fulfill_by": None,
        "supported_actions": ["create_fulfillment", "move", "hold"] if open_lines else [],
        "destination": {
            "id": known["fulfillment_order"] + 1,
            **{name: place[name] for name in ("address1", "address2", "city", "company")},
            **{name: place[name] for name in ("country", "first_name", "last_name", "phone")},
            **{name: place[name] for name in ("province", "zip")},
            "email": known["customer"]["email"],
        },
        "line_items": [
            {
                "id": one["fulfillment_line"],
                "shop_id": SHOP_ID,
                "fulfillment_order_id": known["fulfillment_order"],
                "quantity": one["quantity"] - one["cancelled"],
                "line_item_id": one["id"],
                "inventory_item_id": one["item"],
                "fulfillable_quantity": shop_orders.open_units(one),
                "variant_id": one["variant"],
            }
            for one in known["lines"]
            if one["quantity"] > one["cancelled"]
        ],
        "international_duties": None,
        "fulfillment_holds": [],
        "delivery_method": None,
        "assigned_location": {
            "address1": None,
            "address2": None,
            "city": None,
            "country_code": "US",
            "location_id": LOCATION_ID,
            "name": "Online",
            "phone": None,
            "province": None,
            "zip": None,
        },
        "merchant_requests": [],
    }


def _customer(known: Mapping[str, Any], place: Mapping[str, Any]) -> Document:
    buyer = known["customer"]
    return {
        "id": buyer["id"],
        "email": buyer["email"],
        "created_at": when(known["created_at"]),
        "updated_at": when(known["created_at"]),
        "first_name": buyer["first_name"],
        "last_name": buyer["last_name"],
        "state": "disabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "email_marketing_consent": None,
        "sms_marketing_consent": None,
        "tax_exempt": False,
        "phone": buyer["phone"],
        "tags": "",
        "currency": known["currency"],
        "tax_exemptions": [],
        "admin_graphql_api_id": gid("Customer", buyer["id"]),
        "default_address": {**place, "id": buyer["id"], "customer_id": buyer["id"]},
    }


def _current(known: Mapping[str, Any], worth: Callable[[Mapping[str, Any]], int]) -> int:
    """What the lines are worth without the units that were taken off."""
    return sum(
        worth(one) - shop_orders.share(worth(one), one["quantity"], 0, one["refunded"])
        for one in known["lines"]
    )


def _summed_taxes(known: Mapping[str, Any]) -> list[Document]:
    """One tax line per jurisdiction, over lines and shipping."""
    summed: Counter[tuple[str, float]] = Counter()
    for of in (*known["lines"], known["shipping"]):
        for one in of["taxes"]:
            summed[one["title"], one["rate"]] += one["amount"]
    return [
        {"title": title, "rate": rate, "amount": minor} for (title, rate), minor in summed.items()
    ]


def _discounts(known: Mapping[str, Any]) -> Document:
    code = known["discount_code"]
    if not code:
        return {"discount_codes": [], "discount_applications": []}
    off = sum(one["discount"] for one in known["lines"])
    percent = code.removeprefix("SAVE")
    return {
        "discount_codes": [{"code": code, "amount": amount(off), "type": "percentage"}],
        "discount_applications": [
            {
                "target_type": "line_item",
                "type": "discount_code",
                "value": f"{percent}.0",
                "value_type": "percentage",
                "allocation_method": "across",
                "target_selection": "all",
                "code": code,
            }
        ],
    }
