"""Orders that programs sent to our own API, read again when somebody replays one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config.kernel.errors import Invalid
from integrations.channels.applier import Understood
from integrations.types import ChannelRef, Unreadable
from orders.api.parsing import read_order


def understand(
    kind: str, document: Mapping[str, Any], channel: ChannelRef, received_at: datetime
) -> Understood:
    """The order that was sent. Raises Unreadable when it is not one."""
    del kind
    try:
        return read_order(document, channel, at=received_at)
    except Invalid as refusal:
        places = ", ".join(error["pointer"] for error in refusal.extra["errors"])
        raise Unreadable(f"{refusal.detail} ({places})") from None
