"""WooCommerce's webhooks: who sent it, which message it is, and what it asks of us."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from integrations.appliers import Ignored
from integrations.channels import refund_reading
from integrations.channels.applier import Understood
from integrations.channels.reading import parsed
from integrations.channels.woocommerce import seen
from integrations.dialects import Dialect
from integrations.types import ChannelRef

FIRST: Final = "order.created"
"""What tells of a sale; whatever else tells of an order may be news of an old one."""
POLLED: Final = "order.updated"
ORDERS: Final = frozenset({FIRST, POLLED, "order.restored"})


def signed(secret: str, headers: Mapping[str, str], raw: bytes) -> bool:
    """Whether X-WC-Webhook-Signature is the HMAC of the bytes as they came."""
    given = headers.get("X-WC-Webhook-Signature", "")
    made = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(made.encode(), given.encode())


def message_id(headers: Mapping[str, str], raw: bytes) -> str:
    """Of an order the id, time and content of what is told: a poll finds the same.

    Of anything else the delivery's id with the hash of the bytes: it is numbered per site only.
    """
    document = parsed(raw) if topic(headers, raw) in ORDERS else None
    if document and (told := seen.message_id(document)):
        return told
    delivery = headers.get("X-WC-Webhook-Delivery-ID", "")[:64]
    return f"{delivery}:{hashlib.sha256(raw).hexdigest()}"


def topic(headers: Mapping[str, str], raw: bytes) -> str:
    del raw
    return headers.get("X-WC-Webhook-Topic", "")[:48]


def understand(
    kind: str, document: Mapping[str, Any], channel: ChannelRef, received_at: datetime
) -> Understood:
    """An order as it is now, or why there is nothing to do. Raises Unreadable, NotSold."""
    if kind == refund_reading.TOPIC:
        return seen.refunds_alone(document, channel)
    if kind not in ORDERS:
        return Ignored("topic", f"The topic {kind or 'without a name'} asks nothing of us.")
    order = seen.shop_order(document, channel, received_at=received_at)
    return replace(order, over=False) if kind == FIRST else order


DIALECT = Dialect(
    name="woocommerce",
    signed=signed,
    message_id=message_id,
    topic=topic,
    kept=("x-wc-webhook-",),
)
