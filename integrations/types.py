"""Frozen values of the integrations: who sends, what was understood, what could not be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from config.kernel.errors import DomainError


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
