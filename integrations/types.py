"""Frozen values of the integrations: who sends, what was understood, what could not be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from config.kernel.errors import DomainError
from config.kernel.types import Actor, ActorKind, Scope

OUR_API: Final = "api"
"""The adapter, so to speak, of what programs send to our own API."""


@dataclass(frozen=True, slots=True)
class ConnectionRef:
    """One counterpart as adapters see it. `settings` hold nothing secret."""

    id: UUID
    account_id: UUID
    kind: str
    code: str
    adapter: str
    base_url: str
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    state: str = "listening"
    channel_id: UUID | None = None
    node_id: int | None = None
    carrier_code: str = ""

    @property
    def source(self) -> str:
        """Where its messages come from, in the inbox and in external keys."""
        return f"{self.adapter}:{self.code}"

    @property
    def live(self) -> bool:
        """Whether we send to it."""
        return self.state == "live"

    def actor(self) -> Actor:
        """The counterpart itself acts, within its account."""
        kind = ActorKind.CHANNEL if self.channel_id else ActorKind.SYSTEM
        return Actor(
            kind,
            str(self.channel_id or self.id),
            self.code,
            Scope(frozenset({self.account_id})),
        )


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """What a translator must know of the channel that a message came through.

    `service_levels` maps the channel's names of shipping methods to our service level codes.
    """

    id: UUID
    account_id: UUID
    brand_id: UUID
    code: str
    currency: str
    timezone: str = "UTC"
    tax_inclusive: bool = False
    service_levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChannelCancel:
    """The channel says that an order (by its own id) is cancelled."""

    external_id: str
    reason: str


class Unreadable(DomainError):
    """The message cannot become an order: no id, no lines, or not this kind of document."""

    code, title, status = "unreadable", "The message cannot be read", 422


class NotSold(DomainError):
    """The document is well-formed, and is not a sale: unpaid draft, failed or trashed checkout."""

    code, title, status = "not-sold", "The document is not a sale", 422


class BadSignature(DomainError):
    """The message does not prove that it comes from the channel. Nothing of it is kept."""

    code, title, status = "bad-signature", "The signature does not match", 401
