"""Connections set up, changed, switched and given secrets. Secrets are written, sealed, never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel import vault
from config.kernel.errors import Forbidden, Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import Actor
from integrations.connections import WEBHOOK_SECRET, open_secrets, ref_of
from integrations.models import Connection
from integrations.states import ConnectionKind, ConnectionState
from integrations.types import ConnectionRef

HINT_LENGTH = 4
MIN_LENGTH = 8
BEFORE = f"{WEBHOOK_SECRET}_before"
"""The webhook secret that a rotation replaces: it counts until the rotation is ended."""


@dataclass(frozen=True, slots=True)
class ConnectionDraft:
    """A counterpart to set up. `secrets` are sealed at once and never shown."""

    account_id: UUID
    kind: str
    code: str
    adapter: str
    name: str
    channel_id: UUID | None = None
    node_id: int | None = None
    carrier_code: str = ""
    base_url: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    expected_every: int | None = None


@transaction.atomic
def define_connection(draft: ConnectionDraft, *, at: datetime, actor: Actor) -> ConnectionRef:
    """Set up a connection, listening; one with this code is brought to what the draft says.

    A draft without secrets leaves those that are there. Raises Forbidden outside the actor's
    accounts, Invalid for what makes no sense.
    """
    _refuse_draft(draft, actor)
    reached = Connection.objects.for_scope(actor.scope)
    row = reached.filter(account_id=draft.account_id, code=draft.code).first()
    change = Change.CHANGED if row else Change.CREATED
    if row is None:
        row = Connection(account_id=draft.account_id, code=draft.code)
    row.kind, row.adapter, row.name = draft.kind, draft.adapter, draft.name
    row.channel_id, row.node_id, row.carrier_code = (
        draft.channel_id,
        draft.node_id,
        draft.carrier_code,
    )
    row.base_url, row.settings = draft.base_url, dict(draft.settings)
    row.expected_every, row.changed_at = draft.expected_every, at
    if draft.secrets:
        _seal(row, draft.secrets)
    row.save()
    record_history(Connection, [row.pk], change, at=at, actor=actor, reason="set up")
    return ref_of(row)


@transaction.atomic
def set_secrets(
    connection_id: UUID, secrets: Mapping[str, str], *, at: datetime, actor: Actor
) -> ConnectionRef:
    """Set or replace secrets by name; the others stay. An empty value takes one away.

    Raises NotFound outside the actor's accounts, Invalid for too short a secret.
    """
    row = _locked(connection_id, actor)
    _keep(row, {**open_secrets(row), **secrets}, at, actor, "secrets set")
    return ref_of(row)


@transaction.atomic
def rotate_webhook_secret(
    connection_id: UUID, secret: str, *, at: datetime, actor: Actor
) -> ConnectionRef:
    """Messages may be signed with the new secret or the one before, until the rotation is ended."""
    row = _locked(connection_id, actor)
    held = open_secrets(row)
    replaced = {BEFORE: held[WEBHOOK_SECRET]} if WEBHOOK_SECRET in held else {}
    _keep(row, {**held, **replaced, WEBHOOK_SECRET: secret}, at, actor, "webhook secret rotated")
    return ref_of(row)


@transaction.atomic
def end_rotation(connection_id: UUID, *, at: datetime, actor: Actor) -> ConnectionRef:
    """From now on only the newest webhook secret counts."""
    row = _locked(connection_id, actor)
    _keep(row, {**open_secrets(row), BEFORE: ""}, at, actor, "webhook secret before dropped")
    return ref_of(row)


def go_live(connection_id: UUID, *, at: datetime, actor: Actor) -> ConnectionRef:
    """From now on we also send."""
    return _switch(connection_id, ConnectionState.LIVE, at, actor)


def pause(connection_id: UUID, *, at: datetime, actor: Actor) -> ConnectionRef:
    """Nothing is asked and nothing sent; what is to be sent waits."""
    return _switch(connection_id, ConnectionState.PAUSED, at, actor)


def listen(connection_id: UUID, *, at: datetime, actor: Actor) -> ConnectionRef:
    """Taken in and polled; nothing is sent."""
    return _switch(connection_id, ConnectionState.LISTENING, at, actor)


@transaction.atomic
def _switch(connection_id: UUID, state: str, at: datetime, actor: Actor) -> ConnectionRef:
    row = _locked(connection_id, actor)
    moves = {
        ConnectionState.LIVE: row.go_live,
        ConnectionState.PAUSED: row.pause,
        ConnectionState.LISTENING: row.listen,
    }
    if row.state != state:
        moves[ConnectionState(state)]()
        row.changed_at = at
        row.save(update_fields=["state", "changed_at"])
        record_history(
            Connection, [row.pk], Change.CHANGED, at=at, actor=actor, reason=f"now {state}"
        )
    return ref_of(row)


def _locked(connection_id: UUID, actor: Actor) -> Connection:
    row = Connection.objects.for_scope(actor.scope).locked([connection_id]).first()
    if row is None:
        raise NotFound("There is no such connection.")
    found: Connection = row
    return found


def _keep(
    row: Connection, secrets: Mapping[str, str], at: datetime, actor: Actor, reason: str
) -> None:
    _seal(row, secrets)
    row.changed_at = at
    row.save(update_fields=["key", "sealed", "hint", "changed_at"])
    record_history(Connection, [row.pk], Change.CHANGED, at=at, actor=actor, reason=reason)


def _seal(row: Connection, secrets: Mapping[str, str]) -> None:
    """Seal them under a key of their own: a key that was destroyed takes no secret of today along."""
    held = {name: secret for name, secret in secrets.items() if secret}
    short = [name for name, secret in held.items() if len(secret) < MIN_LENGTH]
    if short:
        raise Invalid(f"A secret has at least {MIN_LENGTH} characters: {', '.join(short)}.")
    [key] = vault.new_keys(1)
    row.key_id = key.id
    row.sealed = vault.seal(key.id, held)
    row.hint = ", ".join(
        f"{name} …{secret[-HINT_LENGTH:]}" for name, secret in sorted(held.items())
    )[:120]


def _refuse_draft(draft: ConnectionDraft, actor: Actor) -> None:
    if not actor.scope.allows(draft.account_id):
        raise Forbidden("This account is not yours to change.")
    if draft.kind not in ConnectionKind.values:
        raise Invalid(f"{draft.kind} is no kind of connection.")
    wanted = {
        ConnectionKind.CHANNEL: draft.channel_id,
        ConnectionKind.WAREHOUSE: draft.node_id,
        ConnectionKind.CARRIER: draft.carrier_code,
    }
    if draft.kind in wanted and not wanted[ConnectionKind(draft.kind)]:
        raise Invalid(f"A connection of kind {draft.kind} names its {draft.kind}.")
    if draft.base_url and not draft.base_url.startswith(("https://", "http://")):
        raise Invalid("The address of a connection is an http or https URL.")
