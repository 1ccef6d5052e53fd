"""The link to an order's tracking page: it names the order, and proves that we made it.

The token is the order's id and 128 bits of a keyed hash over it. Nothing is stored, and nothing can be
found by trying: a token that we did not make says no more than any other.
"""

import base64
import binascii
import hmac
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from uuid import UUID

from django.conf import settings

from config.kernel import vault

if TYPE_CHECKING:
    from orders.models import Order

PAY_URL: Final = "pay_url"
"""In a channel's settings: the https address where an order is paid, with `{number}` in it."""
_PROOF_BYTES: Final = 16
_ID_BYTES: Final = 16


def token_of(order_id: UUID) -> str:
    return base64.urlsafe_b64encode(order_id.bytes + _proof(order_id)).decode().rstrip("=")


def order_behind(token: str) -> UUID | None:
    """The order that the token was made for; None when we did not make it."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(raw) != _ID_BYTES + _PROOF_BYTES:
        return None
    order_id = UUID(bytes=raw[:_ID_BYTES])
    proven = hmac.compare_digest(raw[_ID_BYTES:], _proof(order_id))
    # One way to write each: what decodes to the same bytes is not the same link.
    return order_id if proven and token == token_of(order_id) else None


def url_of(order_id: UUID) -> str:
    """The whole address of the page, as messages and the console show it."""
    return f"{settings.PUBLIC_URL}/t/{token_of(order_id)}"


def pay_url_of(order: "Order") -> str:
    """Where the buyer pays the order; empty where its channel names no such page."""
    page = str(order.channel.settings.get(PAY_URL, ""))
    if not page.startswith("https://"):
        return ""
    return page.replace("{number}", quote(order.external_number or order.number, safe=""))


def _proof(order_id: UUID) -> bytes:
    return bytes.fromhex(vault.digest("tracking link", str(order_id)))[:_PROOF_BYTES]
