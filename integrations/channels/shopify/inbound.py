"""Shopify's webhooks: who sent it, which message it is, and what it asks of us."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from integrations.appliers import Ignored
from integrations.channels.applier import Understood
from integrations.channels.reading import parsed
from integrations.channels.shopify import seen
from integrations.dialects import Dialect
from integrations.types import ChannelRef

CANCELLED: Final = "orders/cancelled"
FIRST: Final = frozenset({"orders/create", "orders/paid"})
"""What tells of a sale; whatever else tells of an order may be news of an old one."""
ORDERS: Final = FIRST | {
    "orders/updated",
    "orders/edited",
    CANCELLED,
    "orders/fulfilled",
    "orders/partially_fulfilled",
}
POLLED: Final = "orders/updated"
REFUNDED: Final = "refunds/create"
_TOLD_BY_ORDER: Final = frozenset(
    {"fulfillments/create", "fulfillments/update", "order_transactions/create"}
)


def signed(secret: str, headers: Mapping[str, str], raw: bytes) -> bool:
    """Whether X-Shopify-Hmac-Sha256 is the HMAC of the bytes as they came."""
    given = headers.get("X-Shopify-Hmac-Sha256", "")
    made = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(made.encode(), given.encode())


def message_id(headers: Mapping[str, str], raw: bytes) -> str:
    """Of an order the id, time and content of what is told: a poll finds the same.

    Of anything else Shopify's own id, the same over its retries; without one, the hash of the bytes.
    """
    document = parsed(raw) if topic(headers, raw) in ORDERS else None
    if document and (told := seen.message_id(document)):
        return told
    return headers.get("X-Shopify-Webhook-Id", "")[:255] or hashlib.sha256(raw).hexdigest()


def topic(headers: Mapping[str, str], raw: bytes) -> str:
    del raw
    return headers.get("X-Shopify-Topic", "")[:48]


def understand(
    kind: str, document: Mapping[str, Any], channel: ChannelRef, received_at: datetime
) -> Understood:
    """An order as it is now, refunds, or why there is nothing to do. Raises Unreadable."""
    if kind in ORDERS:
        if isinstance(document, dict) and "order_edit" in document:
            return Ignored("told-by-order", "The order's own update says what the edit came to.")
        order = seen.shop_order(
            document, channel, received_at=received_at, cancelled=kind == CANCELLED
        )
        return replace(order, over=False) if kind in FIRST else order
    if kind == REFUNDED:
        return seen.refunds_alone(document, channel)
    if kind in _TOLD_BY_ORDER:
        return Ignored("told-by-order", "The order's own update tells it.")
    return Ignored("topic", f"The topic {kind or 'without a name'} asks nothing of us.")


DIALECT = Dialect(
    name="shopify",
    signed=signed,
    message_id=message_id,
    topic=topic,
    kept=(
        "x-shopify-hmac",
        "x-shopify-topic",
        "x-shopify-shop",
        "x-shopify-webhook",
        "x-shopify-api",
        "x-shopify-event",
        "x-shopify-triggered",
        "x-shopify-order",
        "x-shopify-test",
    ),
)
