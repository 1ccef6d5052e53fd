"""Standard Webhooks: secrets, and the headers that prove a message. https://www.standardwebhooks.com"""

import base64
import secrets as random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
BOTH_SIGN: Final = timedelta(hours=24)
"""How long an old secret goes on signing beside the new one."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret; `until` is when it stops signing, None for the newest. Machine time."""

    text: str
    until: datetime | None = None


def new_secret() -> str:
    return PREFIX + base64.b64encode(random.token_bytes(SECRET_BYTES)).decode()


def rotated(held: Sequence[Secret], *, now: datetime) -> list[Secret]:
    """A new secret first; the newest of before signs on for a day, older ones are over."""
    return [Secret(new_secret()), Secret(held[0].text, now + BOTH_SIGN)]


def message_id(event_id: UUID) -> str:
    """The id by which a receiver knows a repeat: the event's, in every try and replay."""
    return f"msg_{event_id.hex}"


def headers(held: Sequence[Secret], event_id: UUID, body: str, *, now: datetime) -> dict[str, str]:
    """What proves a body: its id, the time of this try, a signature per secret that is good."""
    from standardwebhooks.webhooks import Webhook  # with it comes an HTTP client

    named = message_id(event_id)
    good = [secret for secret in held if secret.until is None or secret.until > now]
    # The library calls whatever time it is given UTC, so it is given UTC.
    signatures = [Webhook(secret.text).sign(named, now, body) for secret in good]
    return {
        "webhook-id": named,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def to_plain(held: Sequence[Secret]) -> dict[str, Any]:
    """The secrets as they are sealed."""
    return {
        "secrets": [
            {"text": secret.text, "until": secret.until.isoformat() if secret.until else None}
            for secret in held
        ]
    }


def from_plain(plain: dict[str, Any]) -> list[Secret]:
    return [
        Secret(one["text"], datetime.fromisoformat(one["until"]) if one["until"] else None)
        for one in plain["secrets"]
    ]
