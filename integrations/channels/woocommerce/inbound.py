"""WooCommerce's webhooks: who sent it, which message it is, and what it asks of us."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.appliers import Ignored
from integrations.channels.applier import Understood
from integrations.channels.woocommerce import translate
from integrations.dialects import Dialect
from integrations.types import ChannelRef

CAPTURES = frozenset({"order.created", "order.updated", "order.restored"})


def signed(secret: str, headers: Mapping[str, str], raw: bytes) -> bool:
    """Whether X-WC-Webhook-Signature is the HMAC of the bytes as they came."""
    given = headers.get("X-WC-Webhook-Signature", "")
    made = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(made.encode(), given.encode())


def message_id(headers: Mapping[str, str], raw: bytes) -> str:
    """The delivery's id with the hash of the bytes: WooCommerce numbers deliveries per site only."""
    delivery = headers.get("X-WC-Webhook-Delivery-ID", "")[:64]
    return f"{delivery}:{hashlib.sha256(raw).hexdigest()}"


def topic(headers: Mapping[str, str], raw: bytes) -> str:
    del raw
    return headers.get("X-WC-Webhook-Topic", "")[:48]


def understand(
    kind: str, document: Mapping[str, Any], channel: ChannelRef, received_at: datetime
) -> Understood:
    """An order to capture, a cancel, or why there is nothing to do. Raises Unreadable, NotSold."""
    if kind not in CAPTURES:
        return Ignored("topic", f"The topic {kind or 'without a name'} asks nothing of us.")
    if kind == "order.updated" and (cancel := translate.cancellation(document)) is not None:
        return cancel
    return translate.order_draft(document, channel, received_at=received_at)


DIALECT = Dialect(
    name="woocommerce",
    signed=signed,
    message_id=message_id,
    topic=topic,
    kept=("x-wc-webhook-",),
)
