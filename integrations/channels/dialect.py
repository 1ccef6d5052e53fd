"""What a channel's webhooks must tell us, whichever software sends them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.types import ChannelCancel, ChannelRef
from orders.types import OrderDraft


@dataclass(frozen=True, slots=True)
class Ignored:
    """The message is in order and asks nothing of us."""

    code: str
    reason: str


Understood = OrderDraft | ChannelCancel | Ignored
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of channel speaks: pure functions over headers and bytes.

    `signed(secret, headers, raw)` compares in constant time, over the bytes as they came.
    `understand(topic, document, channel, received_at)` raises Unreadable or NotSold.
    """

    name: str
    credential: str
    signed: Callable[[str, Headers, bytes], bool]
    message_id: Callable[[Headers, bytes], str]
    topic: Callable[[Headers], str]
    understand: Callable[[str, Mapping[str, Any], ChannelRef, datetime], Understood]
