"""Documents as channels send them, and what tests ask of the drafts made from them."""

from datetime import UTC, datetime
from typing import Any

from config.kernel import ids
from integrations.types import ChannelRef
from orders.types import OrderDraft
from orders.validators.amounts import total_of

RECEIVED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CHANNEL = ChannelRef(ids.uuid7(), ids.uuid7(), ids.uuid7(), "web-us", "USD", "America/New_York")
BLANK_ADDRESS = {"first_name": "", "address_1": ""}


def lines_of(draft: OrderDraft) -> list[Any]:
    return [line for group in draft.groups for line in group.lines]


def summed(draft: OrderDraft) -> int:
    """What lines and shipping add up to, as the validators add."""
    shipping = draft.totals.shipping_minor if draft.totals else 0
    return shipping + sum(
        total_of(line, draft.currency, tax_inclusive=draft.tax_inclusive)
        for line in lines_of(draft)
    )


def problems(draft: OrderDraft) -> list[str]:
    return [problem.code for problem in draft.problems]


def shop_order(**changes: Any) -> dict[str, Any]:
    """A Shopify order of two tees, discounted and taxed, with paid shipping."""
    return {
        "id": 450789469,
        "name": "#1001",
        "currency": "USD",
        "created_at": "2026-03-02T06:30:00-05:00",
        "email": "ann@example.com",
        "financial_status": "paid",
        "total_line_items_price": "40.00",
        "total_discounts": "4.00",
        "total_tax": "2.88",
        "total_price": "43.83",
        "total_outstanding": "0.00",
        "payment_gateway_names": ["shopify_payments"],
        "line_items": [
            {
                "id": 1,
                "sku": "TEE-M",
                "name": "Tee - M",
                "quantity": 2,
                "price": "20.00",
                "requires_shipping": True,
                "fulfillment_service": "manual",
                "tax_lines": [{"price": "2.88"}],
                "discount_allocations": [{"amount": "4.00"}],
            }
        ],
        "shipping_lines": [{"code": "Standard", "price": "4.95"}],
        "shipping_address": {
            "name": "Ann Lee",
            "address1": "350 Fifth Avenue",
            "city": "New York",
            "province_code": "NY",
            "zip": "10118",
            "country_code": "US",
        },
        **changes,
    }


def woo_order(**changes: Any) -> dict[str, Any]:
    """A WooCommerce order of three mugs with a coupon."""
    return {
        "id": 727,
        "number": "727",
        "status": "processing",
        "currency": "USD",
        "date_created_gmt": "2026-03-02T11:30:00",
        "total": "39.70",
        "total_tax": "2.20",
        "shipping_total": "10.00",
        "shipping_tax": "0.50",
        "date_paid_gmt": "2026-03-02T11:31:00",
        "payment_method": "stripe",
        "billing": {
            "first_name": "Ann",
            "last_name": "Lee",
            "email": "ann@example.com",
            "phone": "(212) 555-0100",
            "address_1": "350 Fifth Avenue",
            "city": "New York",
            "state": "NY",
            "postcode": "10118",
            "country": "US",
        },
        "shipping": BLANK_ADDRESS,
        "shipping_lines": [{"method_id": "flat_rate", "total": "10.00"}],
        "line_items": [
            {
                "id": 315,
                "name": "Mug &ndash; blue",
                "sku": "MUG",
                "product_id": 93,
                "quantity": 3,
                "subtotal": "30.00",
                "total": "27.50",
                "total_tax": "1.70",
            }
        ],
        **changes,
    }
