"""What Shopify's Admin REST API writes of money that went back. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.sandbox import shop_orders
from integrations.sandbox.shop_orders import Document
from integrations.sandbox.shop_shopify_lines import (
    GATEWAY,
    LOCATION_ID,
    amount,
    amounts,
    gid,
    line,
    shipping_line,
    when,
)


def refund(of: Mapping[str, Any], known: Mapping[str, Any]) -> Document:
    currency = of["currency"]
    lines = []
    for one in known["lines"]:
        found = shop_orders.line_of(of, one["line"])
        lines.append(
            {
                "id": one["id"],
                "line_item_id": one["line"],
                "location_id": None if one["restock"] == "no_restock" else LOCATION_ID,
                "quantity": one["quantity"],
                "restock_type": one["restock"],
                "subtotal": one["subtotal"] / 100,
                "subtotal_set": amounts(one["subtotal"], currency),
                "total_tax": one["tax"] / 100,
                "total_tax_set": amounts(one["tax"], currency),
                "line_item": line(found, of) if found is not None else None,
            }
        )
    return {
        "id": known["id"],
        "admin_graphql_api_id": gid("Refund", known["id"]),
        "created_at": when(known["created_at"]),
        "note": known["note"] or None,
        "order_id": of["id"],
        "processed_at": when(known["created_at"]),
        "restock": any(one["restock"] != "no_restock" for one in known["lines"]),
        "total_additional_fees_set": amounts(0, currency),
        "total_duties_set": amounts(0, currency),
        "user_id": None,
        "additional_fees": [],
        "duties": [],
        "return": None,
        "order_adjustments": _adjustments(of, known),
        "refund_shipping_lines": _refunded_shipping(of, known["shipping"]),
        "transactions": [
            transaction(of, one) for one in of["transactions"] if one["id"] in known["transactions"]
        ],
        "refund_line_items": lines,
    }


def transaction(of: Mapping[str, Any], known: Mapping[str, Any]) -> Document:
    return {
        "id": known["id"],
        "admin_graphql_api_id": gid("OrderTransaction", known["id"]),
        "amount": amount(known["amount"]),
        "authorization": None,
        "created_at": when(known["created_at"]),
        "currency": of["currency"],
        "device_id": None,
        "error_code": None,
        "gateway": of.get("gateway") or GATEWAY,
        "kind": known["kind"],
        "location_id": None,
        "message": None,
        "order_id": of["id"],
        "parent_id": known["parent"],
        "payment_id": f"#{of['number']}.{known['id']}",
        "processed_at": when(known["created_at"]),
        "receipt": {},
        "source_name": "web",
        "status": "success",
        "test": False,
        "user_id": None,
    }


def suggested(of: Mapping[str, Any], refund_lines: Sequence[Document], shipping: int) -> Document:
    """What `refunds/calculate` answers: what a refund of this would come to."""
    currency = of["currency"]
    left = shop_orders.received(of) - shop_orders.refunded(of)
    worth = shipping + sum(one["subtotal"] + one["tax"] for one in refund_lines)
    made: Document = {
        "id": None,
        "created_at": of["created_at"],
        "note": "",
        "lines": list(refund_lines),
        "shipping": shipping,
        "amount": worth,
        "transactions": [],
    }
    shown = refund(of, made)
    kept = {"duties", "total_duties_set", "return", "additional_fees", "refund_line_items"}
    kept |= {"total_additional_fees_set", "refund_shipping_lines"}
    most = shop_orders.shipping_total(of) - of["shipping"]["refunded"]
    return {
        **{name: shown[name] for name in shown if name in kept},
        "shipping": {
            "amount": amount(shipping - _shipping_tax(of, shipping)),
            "tax": amount(_shipping_tax(of, shipping)),
            "maximum_refundable": amount(most),
        },
        "transactions": [
            {
                "order_id": of["id"],
                "kind": "suggested_refund",
                "gateway": GATEWAY,
                "parent_id": of["transactions"][0]["id"],
                "amount": amount(min(worth, left)),
                "currency": currency,
                "maximum_refundable": amount(left),
            }
        ],
        "currency": currency,
    }


def _adjustments(of: Mapping[str, Any], known: Mapping[str, Any]) -> list[Document]:
    """What of the money stands for no units: shipping, or an amount given out of goodwill."""
    shipping = int(known["shipping"])
    tax = _shipping_tax(of, shipping)
    rest = known["amount"] - shipping - sum(one["subtotal"] + one["tax"] for one in known["lines"])
    wanted = [
        (shipping - tax, tax, "shipping_refund", "Shipping refund"),
        (rest, 0, "refund_discrepancy", "Refund discrepancy"),
    ]
    return [
        {
            "id": int(known["id"] or 0) * 10 + place,
            "order_id": of["id"],
            "refund_id": known["id"],
            "amount": amount(-minor),
            "tax_amount": amount(-tax_minor),
            "kind": kind,
            "reason": reason,
            "amount_set": amounts(-minor, of["currency"]),
            "tax_amount_set": amounts(-tax_minor, of["currency"]),
        }
        for place, (minor, tax_minor, kind, reason) in enumerate(wanted)
        if minor
    ]


def _refunded_shipping(of: Mapping[str, Any], minor: int) -> list[Document]:
    if not minor:
        return []
    return [
        {
            "id": of["shipping"]["id"] + 1,
            "shipping_line_id": of["shipping"]["id"],
            "subtotal_amount_set": amounts(minor - _shipping_tax(of, minor), of["currency"]),
            "shipping_line": shipping_line(of),
        }
    ]


def _shipping_tax(of: Mapping[str, Any], minor: int) -> int:
    """The tax in this part of what shipping came to."""
    whole = shop_orders.shipping_total(of)
    return minor * (whole - int(of["shipping"]["price"])) // whole if whole else 0
