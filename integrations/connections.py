"""Connections as adapters use them: who is on the other end, its secrets, its client, its health.

Reads answer frozen refs. `client` answers a client that keeps the connection's rate, breaks when the
other end keeps failing, and sends nothing that the connection's state forbids.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Q

from config.kernel import vault
from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS
from integrations.models import Connection
from integrations.selectors import ref_of
from integrations.states import ConnectionKind, ConnectionState
from integrations.types import ConnectionRef

if TYPE_CHECKING:
    from integrations.http import RemoteClient

__all__ = ["ConnectionRef", "ref_of"]

WEBHOOK_SECRET: Final = "webhook_secret"  # noqa: S105  # the name of one
HEALTH_SECONDS: Final = 5
"""Health is written at most this often for each connection: a hot row would make callers wait."""
PAUSED_SECONDS: Final = 120.0
"""How long what is to be sent waits before it looks whether the connection is live again."""

Secrets = Mapping[str, str]
HeadersOf = Callable[[Secrets], Mapping[str, str]]


# --- who is there -----------------------------------------------------------------------------


def by_id(connection_id: UUID) -> ConnectionRef:
    """Raises NotFound."""
    found = by_ids([connection_id])
    if connection_id not in found:
        raise NotFound("There is no such connection.")
    return found[connection_id]


def by_ids(connection_ids: Iterable[UUID]) -> dict[UUID, ConnectionRef]:
    rows = Connection.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=list(connection_ids))
    return {row.pk: ref_of(row) for row in rows}


def by_code(kind: str, code: str, *, account_id: UUID | None = None) -> ConnectionRef | None:
    """The connection of this kind and code; None also when several accounts have one."""
    rows = Connection.objects.for_scope(ALL_ACCOUNTS).filter(kind=kind, code=code)
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    return _only(rows[:2])


def of_node(node_id: int) -> ConnectionRef | None:
    """The warehouse system of a node."""
    return of_nodes([node_id]).get(node_id)


def of_nodes(node_ids: Iterable[int]) -> dict[int, ConnectionRef]:
    rows = Connection.objects.for_scope(ALL_ACCOUNTS).filter(
        kind=ConnectionKind.WAREHOUSE, node_id__in=list(node_ids)
    )
    return {row.node_id: ref_of(row) for row in rows}


def of_channel(channel_id: UUID) -> ConnectionRef | None:
    return of_channels([channel_id]).get(channel_id)


def of_channels(channel_ids: Iterable[UUID]) -> dict[UUID, ConnectionRef]:
    rows = Connection.objects.for_scope(ALL_ACCOUNTS).filter(
        kind=ConnectionKind.CHANNEL, channel_id__in=list(channel_ids)
    )
    return {row.channel_id: ref_of(row) for row in rows}


def of_carrier(account_id: UUID, carrier_code: str) -> ConnectionRef | None:
    rows = Connection.objects.for_scope(ALL_ACCOUNTS).filter(
        kind=ConnectionKind.CARRIER, account_id=account_id, carrier_code=carrier_code
    )
    return _only(rows[:2])


def of_adapter(*adapters: str, live_only: bool = False) -> list[ConnectionRef]:
    """Every connection of these adapters that is not paused: what a poll goes through."""
    rows = Connection.objects.for_scope(ALL_ACCOUNTS).filter(adapter__in=adapters)
    states = (
        [ConnectionState.LIVE] if live_only else [ConnectionState.LIVE, ConnectionState.LISTENING]
    )
    return [ref_of(row) for row in rows.filter(state__in=states).order_by("pk")]


def _only(rows: Iterable[Connection]) -> ConnectionRef | None:
    found = list(rows)
    return ref_of(found[0]) if len(found) == 1 else None


# --- secrets ----------------------------------------------------------------------------------


def secrets(ref: ConnectionRef) -> dict[str, str]:
    """The connection's secrets by name; empty when it has none."""
    row = Connection.objects.for_scope(ALL_ACCOUNTS).filter(pk=ref.id).first()
    return open_secrets(row) if row else {}


def open_secrets(row: Connection) -> dict[str, str]:
    return vault.open_(row.key_id, row.sealed) if row.key_id else {}


def signing(adapter: str, code: str) -> list[tuple[ConnectionRef, str]]:
    """Every secret that may have signed a message to this address, with whose it is.

    Accounts may use the same code; during a rotation a connection has several.
    """
    rows = list(
        Connection.objects.for_scope(ALL_ACCOUNTS)
        .filter(code=code, adapter=adapter, key__isnull=False)
        .filter(Q(channel__isnull=True) | Q(channel__active=True))
        .order_by("pk")
    )
    vault.preload(row.key_id for row in rows)
    return [
        (ref_of(row), secret)
        for row in rows
        for name, secret in sorted(open_secrets(row).items())
        if name.startswith(WEBHOOK_SECRET)
    ]


# --- health: business time, written now and then ------------------------------------------------


def heard(connection_ids: Iterable[UUID], *, at: datetime) -> None:
    """Something came from them, by itself or by a poll."""
    _note("last_heard_at", list(connection_ids), at)


def answered(connection_id: UUID, *, at: datetime) -> None:
    """They answered a call of ours."""
    _note("last_answered_at", [connection_id], at)


def failed(connection_id: UUID, why: str, *, at: datetime) -> None:
    """A call failed; `why` is short and without personal data."""
    _note("last_failed_at", [connection_id], at, failure=why[:255])


def _note(column: str, wanted: Sequence[UUID], at: datetime, *, failure: str | None = None) -> None:
    """Write a time of health, unless it was written moments ago or somebody holds the row."""
    if not wanted:
        return
    since = at - timedelta(seconds=HEALTH_SECONDS)
    words = ", failure = %s" if failure is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE integrations_connection SET {column} = %s{words} WHERE id IN ("  # noqa: S608  # own names
            "SELECT id FROM integrations_connection WHERE id = ANY(%s) "
            f"AND ({column} IS NULL OR {column} < %s) ORDER BY id FOR UPDATE SKIP LOCKED)",
            [at, *([failure] if failure is not None else []), sorted(set(wanted)), since],
        )


# --- how far a poll has come --------------------------------------------------------------------


def cursor_of(connection_id: UUID, name: str) -> Any:
    """The watermark that `move_cursor` has kept under this name; None at first."""
    rows = Connection.objects.for_scope(ALL_ACCOUNTS).filter(pk=connection_id)
    kept = rows.values_list("cursor", flat=True).first()
    return (kept or {}).get(name)


def move_cursor(connection_id: UUID, name: str, value: Any) -> None:
    """Keep a watermark; other names of the same connection stay as they are."""
    with connection.cursor() as sql:
        sql.execute(
            "UPDATE integrations_connection SET cursor = cursor || jsonb_build_object(%s::text, %s::jsonb) "
            "WHERE id = %s",
            [name, json.dumps(value), connection_id],
        )


# --- calling them -------------------------------------------------------------------------------


def bearer(held: Secrets) -> Mapping[str, str]:
    """The access token as most APIs want it."""
    token = held.get("access_token", "")
    return {"Authorization": f"Bearer {token}"} if token else {}


def client(ref: ConnectionRef, *, headers: HeadersOf = bearer) -> "RemoteClient":
    """The connection's client, one per process (`integrations.clients`).

    Loaded with the first call: a web process that asks nobody does without what speaks HTTP.
    `headers` makes what every request carries out of the connection's secrets.
    """
    from integrations.clients import client_of

    return client_of(ref, headers=headers)


def forget() -> None:
    """Drop every client and what was learnt about the counterparts: between tests."""
    from integrations import clients

    clients.forget()
