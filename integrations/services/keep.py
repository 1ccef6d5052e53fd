"""Messages are kept before anything else is tried, in their own transaction, once for ever."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from config.kernel import ids, vault
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations import connections, dialects
from integrations.models import InboxMessage
from integrations.states import InboxState
from integrations.types import ConnectionRef

KEPT_HEADERS = ("content-type", "user-agent")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message whose sender is proven. `source` names adapter and connection."""

    account_id: UUID
    channel_id: UUID | None
    connection_id: UUID | None
    source: str
    external_id: str
    kind: str
    headers: Mapping[str, str]
    raw: bytes

    @classmethod
    def of(
        cls,
        ref: ConnectionRef,
        *,
        external_id: str,
        kind: str,
        headers: Mapping[str, str],
        raw: bytes,
    ) -> "Incoming":
        return cls(
            ref.account_id,
            ref.channel_id,
            ref.id,
            ref.source,
            external_id.replace("\x00", "")[:255],
            kind.replace("\x00", "")[:48],
            headers,
            raw,
        )


@dataclass(frozen=True, slots=True)
class Found:
    """One message that a poll has found, with the id under which a push would have brought it."""

    external_id: str
    kind: str
    raw: bytes
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a message stands: its id with us, and whether it had come before."""

    id: UUID
    state: str
    repeated: bool


@transaction.atomic(durable=True)
def keep_messages(messages: Sequence[Incoming], *, at: datetime, actor: Actor) -> list[Kept]:
    """Keep the messages before anything else is tried; one that came before answers as it stands.

    Five statements for any number of messages.
    """
    del actor
    made: dict[tuple[UUID, str, str], tuple[UUID, Incoming]] = {}
    for message in messages:
        natural = (message.account_id, message.source, message.external_id)
        made.setdefault(natural, (ids.uuid7(), message))
    ours = _insert_messages([(key, message) for key, message in made.values()], at)
    fresh = [(key, message) for key, message in made.values() if key in ours]
    _insert_bodies(fresh)
    connections.heard({m.connection_id for m in messages if m.connection_id}, at=at)
    known = _states_of([message for key, message in made.values() if key not in ours])
    answers = []
    for message in messages:
        natural = (message.account_id, message.source, message.external_id)
        key, first = made[natural]
        if key in ours:
            answers.append(Kept(key, InboxState.RECEIVED, repeated=first is not message))
        else:
            answers.append(Kept(*known[natural], repeated=True))
    return answers


def _insert_messages(made: Sequence[tuple[UUID, Incoming]], at: datetime) -> set[UUID]:
    """Insert what has not come before; return the ids that are ours."""
    # Sorted, so that two batches with the same messages do not wait for each other in a ring.
    ordered = sorted(made, key=lambda pair: (pair[1].source, pair[1].external_id))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_inboxmessage (id, account_id, channel_id, connection_id,
                source, external_id, kind, state, code, reason, attempts, subject_kind,
                received_at)
            SELECT fresh.*, 'received', '', '', 0, '', %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[],
                %s::text[]) AS fresh
            ON CONFLICT (account_id, source, external_id) DO NOTHING
            RETURNING id
            """,
            [
                at,
                [key for key, _ in ordered],
                [message.account_id for _, message in ordered],
                [message.channel_id for _, message in ordered],
                [message.connection_id for _, message in ordered],
                [message.source for _, message in ordered],
                [message.external_id for _, message in ordered],
                [message.kind for _, message in ordered],
            ],
        )
        return {row[0] for row in cursor.fetchall()}


def _insert_bodies(fresh: Sequence[tuple[UUID, Incoming]]) -> None:
    if not fresh:
        return
    keys = vault.new_keys(len(fresh))
    sealed = [
        vault.seal(
            key.id,
            {
                "headers": kept_headers(message.headers, message.source),
                "raw": base64.b64encode(message.raw).decode(),
            },
        )
        for key, (_, message) in zip(keys, fresh, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO integrations_inboxbody (id, key_id, sealed) "
            "SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bytea[])",
            [[message_id for message_id, _ in fresh], [key.id for key in keys], sealed],
        )


def kept_headers(headers: Mapping[str, str], source: str) -> dict[str, str]:
    """The headers worth keeping: what the sender's dialect names, never a credential."""
    wanted = dialects.kept_prefixes(source.partition(":")[0])
    return {
        name.lower(): value[:500]
        for name, value in headers.items()
        if name.lower() in KEPT_HEADERS or (wanted and name.lower().startswith(wanted))
    }


def _states_of(messages: Sequence[Incoming]) -> dict[tuple[UUID, str, str], tuple[UUID, str]]:
    if not messages:
        return {}
    rows = (
        InboxMessage.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            account_id__in={message.account_id for message in messages},
            source__in={message.source for message in messages},
            external_id__in={message.external_id for message in messages},
        )
        .values_list("account_id", "source", "external_id", "pk", "state")
    )
    return {(account, source, key): (pk, state) for account, source, key, pk, state in rows}
