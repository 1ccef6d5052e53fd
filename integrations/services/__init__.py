"""Commands of the integrations, by step: keep what came, apply it, replay it; connections; imports."""

from integrations.services.connections import (
    ConnectionDraft,
    define_connection,
    end_rotation,
    go_live,
    listen,
    pause,
    rotate_webhook_secret,
    set_secrets,
)
from integrations.services.inbox import (
    apply_messages,
    apply_unsettled,
    replay_messages,
    take_in,
    take_in_all,
)
from integrations.services.keep import Found, Incoming, Kept, keep_messages
from integrations.services.looks import record_reading
from integrations.services.silence import report_silent

__all__ = [
    "ConnectionDraft",
    "Found",
    "Incoming",
    "Kept",
    "apply_messages",
    "apply_unsettled",
    "define_connection",
    "end_rotation",
    "go_live",
    "keep_messages",
    "listen",
    "pause",
    "record_reading",
    "replay_messages",
    "report_silent",
    "rotate_webhook_secret",
    "set_secrets",
    "take_in",
    "take_in_all",
]
