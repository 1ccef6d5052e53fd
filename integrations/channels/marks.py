"""How we mark at a shop what is ours, so that its echo is known and nothing is done twice. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from integrations.channels.reading import text

_MARK: Final = re.compile(r"\[sy:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(:cancel)?\]")
_STATED: Final = re.compile(r": (\d+(?:\.\d+)?) [A-Z]{3} by the seller's own provider")


def given_elsewhere(amount: Decimal, currency: str) -> str:
    """Words for a refund whose money went back by whoever took it; `stated_in` reads them."""
    return f"Given back by Switchyard: {amount} {currency} by the seller's own provider"


def stated_in(words: object) -> Decimal | None:
    """The amount that such words name; None in others."""
    found = _STATED.search(text(words))
    return Decimal(found.group(1)) if found else None


def marked(words: str, ours: UUID, *, cancel: bool = False) -> str:
    """Words for a note or reason there, with the id of the copy that they belong to."""
    return f"{words} [sy:{ours}{':cancel' if cancel else ''}]".strip()


def marks_cancel(words: object) -> bool:
    """Whether a note or reason of ours goes with units that were taken off."""
    found = _MARK.search(text(words))
    return bool(found and found.group(2))


def ours_in(words: object) -> UUID | None:
    """The id of ours that a note or reason carries."""
    found = _MARK.search(text(words))
    return UUID(found.group(1)) if found else None


def theirs(connection_id: UUID, kind: str, their_id: str) -> UUID:
    """The name under which we keep what the channel made: the same for the same thing."""
    return uuid5(connection_id, f"{kind}:{their_id}")


def version_of(value: object) -> str:
    """A shop's time of change as text that sorts, in UTC; without an offset it is UTC. Empty for none."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat()


def hash_of(content: Any) -> str:
    """A short hash of plain values, the same whatever the order of their keys."""
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def message_of_order(document: Mapping[str, Any], version: str, read: Any) -> str:
    """The id of news of an order: what is pushed and what is polled is one message.

    Two changes within the shop's second differ in what is read of them.
    """
    return f"order:{text(document.get('id'), 64)}:{version}:{hash_of(read)}"
