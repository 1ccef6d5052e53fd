"""Shopify's webhooks: who sent it, which message it is, and what it asks of us."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.appliers import Ignored
from integrations.channels.applier import Understood
from integrations.channels.shopify import translate
from integrations.dialects import Dialect
from integrations.types import ChannelRef

CAPTURES = frozenset({"orders/create", "orders/paid"})


def signed(secret: str, headers: Mapping[str, str], raw: bytes) -> bool:
    """Whether X-Shopify-Hmac-Sha256 is the HMAC of the bytes as they came."""
    given = headers.get("X-Shopify-Hmac-Sha256", "")
    made = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(made.encode(), given.encode())


def message_id(headers: Mapping[str, str], raw: bytes) -> str:
    """Shopify's own id, the same over its retries; without one, the hash of the bytes."""
    return headers.get("X-Shopify-Webhook-Id", "")[:255] or hashlib.sha256(raw).hexdigest()


def topic(headers: Mapping[str, str], raw: bytes) -> str:
    del raw
    return headers.get("X-Shopify-Topic", "")[:48]


def understand(
    kind: str, document: Mapping[str, Any], channel: ChannelRef, received_at: datetime
) -> Understood:
    """An order to capture, a cancel, or why there is nothing to do. Raises Unreadable."""
    if kind in CAPTURES:
        return translate.order_draft(document, channel, received_at=received_at)
    if kind == "orders/cancelled":
        return translate.cancellation(document)
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
