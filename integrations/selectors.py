"""Reads of the integrations: channels as translators see them, secrets, messages and imports."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from config.kernel import vault
from config.kernel.errors import NotFound
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Scope
from integrations.models import (
    ChannelCredential,
    ImportRun,
    InboxBody,
    InboxMessage,
)
from integrations.states import InboxState
from integrations.types import ChannelRef


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it came: its headers and its bytes. Personal data; never logged."""

    headers: dict[str, str]
    raw: bytes


def channel_ref(channel: Channel) -> ChannelRef:
    """The channel as translators see it."""
    levels = channel.settings.get("service_levels", {})
    return ChannelRef(
        id=channel.id,
        account_id=channel.account_id,
        brand_id=channel.brand_id,
        code=channel.code,
        currency=channel.currency,
        timezone=channel.timezone,
        tax_inclusive=channel.tax_inclusive,
        service_levels=levels if isinstance(levels, dict) else {},
    )


def channel_by_code(code: str, scope: Scope) -> Channel:
    """The active channel of this code within the scope. Raises NotFound, also when two have it."""
    found = list(Channel.objects.for_scope(scope).filter(code=code, active=True)[:2])
    if not found:
        raise NotFound(f"There is no active channel {code}.")
    if len(found) > 1:
        raise NotFound(f"Several accounts have a channel {code}; name the account.")
    channel: Channel = found[0]
    return channel


def channels_by_id(channel_ids: Sequence[UUID]) -> dict[UUID, ChannelRef]:
    rows = Channel.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=channel_ids)
    return {row.pk: channel_ref(row) for row in rows}


def secrets_of(channel_code: str, kind: str) -> list[tuple[ChannelRef, str]]:
    """The secrets that a message to this channel code may be signed with, with their channels."""
    rows = list(
        ChannelCredential.objects.for_scope(ALL_ACCOUNTS)
        .filter(channel__code=channel_code, channel__active=True, kind=kind)
        .select_related("channel")
        .order_by("pk")
    )
    vault.preload(row.key_id for row in rows)
    return [
        (channel_ref(row.channel), vault.open_(row.key_id, row.sealed)["secret"]) for row in rows
    ]


def letters_of(message_ids: Sequence[UUID]) -> dict[UUID, Letter]:
    """The messages' own bytes, opened. Those whose key was destroyed are absent."""
    bodies = list(InboxBody.objects.filter(pk__in=message_ids))
    vault.preload(body.key_id for body in bodies)
    letters = {}
    for body in bodies:
        try:
            opened = vault.open_(body.key_id, body.sealed)
        except vault.Erased:
            continue
        letters[body.pk] = Letter(opened["headers"], base64.b64decode(opened["raw"]))
    return letters


def unsettled(*, before: datetime, limit: int) -> list[UUID]:
    """Messages received before a machine time and not settled since, oldest first."""
    return list(
        InboxMessage.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=InboxState.RECEIVED, recorded_at__lt=before)
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )


def still_dead(message_ids: Sequence[UUID]) -> set[UUID]:
    """Which of the messages are dead now."""
    return set(
        InboxMessage.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=message_ids, state=InboxState.DEAD)
        .values_list("pk", flat=True)
    )


def messages_of(thread_id: UUID, scope: Scope) -> list[InboxMessage]:
    """What came in about an order, oldest first."""
    return list(InboxMessage.objects.for_scope(scope).filter(thread_id=thread_id).order_by("pk"))


def recent_runs(scope: Scope, limit: int = 50) -> list[ImportRun]:
    return list(
        ImportRun.objects.for_scope(scope).select_related("channel").order_by("-pk")[:limit]
    )
