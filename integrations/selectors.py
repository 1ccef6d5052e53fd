"""Reads of the integrations: channels as translators see them, messages and imports."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from config.kernel import clock, vault
from config.kernel.errors import NotFound
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Scope
from integrations.appliers import Letter
from integrations.models import Connection, ImportRun, InboxBody, InboxMessage
from integrations.states import ConnectionState, InboxState
from integrations.types import ChannelRef, ConnectionRef

SETTLE_SECONDS: Final = 30
PATIENCE: Final = 3
"""How much longer each try of a message waits than the one before."""


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


def ref_of(row: Connection) -> ConnectionRef:
    """The connection as adapters see it."""
    return ConnectionRef(
        id=row.pk,
        account_id=row.account_id,
        kind=row.kind,
        code=row.code,
        adapter=row.adapter,
        base_url=row.base_url,
        settings=row.settings,
        state=row.state,
        channel_id=row.channel_id,
        node_id=row.node_id,
        carrier_code=row.carrier_code,
    )


def channels_by_id(channel_ids: Sequence[UUID]) -> dict[UUID, ChannelRef]:
    rows = Channel.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=channel_ids)
    return {row.pk: channel_ref(row) for row in rows}


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


def body_keys(order_ids: Sequence[UUID]) -> set[UUID]:
    """The subject keys with which the messages about these orders are sealed."""
    about = InboxMessage.objects.for_scope(ALL_ACCOUNTS).filter(thread_id__in=list(order_ids))
    bodies = InboxBody.objects.filter(pk__in=about.values("pk"))
    return set(bodies.values_list("key_id", flat=True))


def unsettled(*, now: datetime, limit: int) -> list[UUID]:
    """Messages that are not settled and due for a try, oldest first; `now` is machine time.

    Half a minute after they came, then after thrice as long each time: what they wait for may be on
    its way, and comes the later the longer it has not come.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM integrations_inboxmessage
            WHERE state = 'received'
              AND recorded_at <= %s - make_interval(secs => %s * power(%s, attempts))
            ORDER BY id LIMIT %s
            """,
            [now, SETTLE_SECONDS, PATIENCE, limit],
        )
        return [message_id for (message_id,) in cursor.fetchall()]


def still_dead(message_ids: Sequence[UUID]) -> set[UUID]:
    """Which of the messages are dead now."""
    return set(
        InboxMessage.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=message_ids, state=InboxState.DEAD)
        .values_list("pk", flat=True)
    )


def silent(at: datetime, *, among: Sequence[UUID] | None = None) -> list[ConnectionRef]:
    """Connections that should have had news by now, and had none; paused ones are not expected to.

    The time counts from the last news, or from when the connection was changed last.
    """
    rows = Connection.objects.for_scope(ALL_ACCOUNTS).filter(expected_every__isnull=False)
    if among is not None:
        rows = rows.filter(pk__in=list(among))
    return [
        ref_of(row)
        for row in rows.exclude(state=ConnectionState.PAUSED).order_by("pk")
        if at - max(row.last_heard_at or row.changed_at, row.changed_at)
        > timedelta(seconds=row.expected_every)
    ]


def still_silent(connection_ids: Sequence[UUID]) -> set[UUID]:
    """Which of the connections are silent now."""
    return {ref.id for ref in silent(clock.now(), among=connection_ids)}


def messages_of(thread_id: UUID, scope: Scope) -> list[InboxMessage]:
    """What came in about an order, oldest first."""
    return list(InboxMessage.objects.for_scope(scope).filter(thread_id=thread_id).order_by("pk"))


def recent_runs(scope: Scope, limit: int = 50) -> list[ImportRun]:
    return list(
        ImportRun.objects.for_scope(scope).select_related("channel").order_by("-pk")[:limit]
    )
