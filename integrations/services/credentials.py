"""Secrets shared with channels: written, sealed, never shown."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import vault
from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Channel
from config.kernel.types import Actor
from integrations.models import ChannelCredential, CredentialKind

HINT_LENGTH = 4
MIN_LENGTH = 8


@transaction.atomic
def set_secret(
    channel_id: UUID, kind: str, secret: str, *, at: datetime, actor: Actor
) -> ChannelCredential:
    """Set or replace a channel's secret of a kind. Only its last characters stay readable.

    Raises NotFound outside the actor's accounts, Invalid for an unknown kind or too short a secret.
    """
    channel = Channel.objects.for_scope(actor.scope).filter(pk=channel_id).first()
    if channel is None:
        raise NotFound("There is no such channel.")
    if kind not in CredentialKind.values:
        raise Invalid(f"{kind} is no kind of credential.")
    if len(secret) < MIN_LENGTH:
        raise Invalid(f"A secret has at least {MIN_LENGTH} characters.")
    [key] = vault.new_keys(1)
    credential, created = ChannelCredential.objects.for_scope(actor.scope).update_or_create(
        channel_id=channel_id,
        kind=kind,
        defaults={
            "account_id": channel.account_id,
            "key_id": key.id,
            "sealed": vault.seal(key.id, {"secret": secret}),
            "hint": f"…{secret[-HINT_LENGTH:]}",
            "changed_at": at,
        },
    )
    record_history(
        ChannelCredential,
        [credential.pk],
        Change.CREATED if created else Change.CHANGED,
        at=at,
        actor=actor,
        reason="secret set",
    )
    stored: ChannelCredential = credential
    return stored
