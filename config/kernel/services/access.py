"""Commands on who may do what: roles, grants and API keys, with history."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import authentication
from config.kernel.access import ROLE_PERMISSIONS, known
from config.kernel.errors import NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import ApiKey, Role
from config.kernel.types import Actor


def sync_roles(*, at: datetime, actor: Actor) -> list[Role]:
    """Create the roles the software brings along where they are missing. Edited ones stay as they are."""
    with transaction.atomic():
        missing = set(ROLE_PERMISSIONS) - set(Role.objects.values_list("code", flat=True))
        created = Role.objects.bulk_create(
            [
                Role(
                    code=code,
                    name=ROLE_PERMISSIONS[code].name,
                    permissions=known(ROLE_PERMISSIONS[code].permissions),
                )
                for code in sorted(missing)
            ],
            ignore_conflicts=True,
        )
        record_history(
            Role,
            [role.pk for role in created],
            Change.CREATED,
            at=at,
            actor=actor,
            reason="comes with the software",
        )
    return list(Role.objects.order_by("code"))


def issue_api_key(
    *,
    account_id: UUID,
    channel_id: UUID | None,
    name: str,
    scopes: Iterable[str],
    requests_per_minute: int = 6_000,
    expires_at: datetime | None = None,
    at: datetime,
    actor: Actor,
) -> tuple[ApiKey, str]:
    """Make a key. The second value is the key itself: it is shown once and never stored."""
    prefix, secret, digest = authentication.draw()
    with transaction.atomic():
        key = ApiKey(
            account_id=account_id,
            channel_id=channel_id,
            name=name,
            prefix=prefix,
            digest=digest,
            scopes=known(scopes),
            requests_per_minute=requests_per_minute,
            created_at=at,
            expires_at=expires_at,
        )
        key.save(force_insert=True)
        record_history(ApiKey, [key.pk], Change.CREATED, at=at, actor=actor, reason="issued")
    return key, secret


def revoke_api_key(key_id: UUID, *, at: datetime, actor: Actor) -> ApiKey:
    """End a key. Every process refuses it within five seconds; a second revocation changes nothing.

    Raises NotFound outside the actor's scope.
    """
    with transaction.atomic():
        key: ApiKey | None = ApiKey.objects.for_scope(actor.scope).locked([key_id]).first()
        if key is None:
            raise NotFound("There is no such API key.")
        if key.revoked_at is None:
            key.revoked_at = at
            key.save(update_fields=["revoked_at"])
            record_history(ApiKey, [key.pk], Change.CHANGED, at=at, actor=actor, reason="revoked")
    authentication.forget()
    return key
