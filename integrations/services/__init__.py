"""Commands of the integrations, by step: keep what came, apply it, replay it; secrets; imports."""

from integrations.services.credentials import set_secret
from integrations.services.inbox import (
    Incoming,
    Kept,
    apply_messages,
    apply_unsettled,
    keep_messages,
    replay_messages,
)

__all__ = [
    "Incoming",
    "Kept",
    "apply_messages",
    "apply_unsettled",
    "keep_messages",
    "replay_messages",
    "set_secret",
]
