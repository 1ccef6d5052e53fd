"""Commands on who may do what: roles, grants and API keys, with history."""

from collections.abc import Iterable, Mapping
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
    """Bring the roles of the software up to date: missing ones are made, permissions that are new to
    a role since it was last brought up to date are added to it.

    What was taken from a role by hand stays taken, what was given to it stays given. A role of the
    same code that was never brought up to date stays as it is, and is remembered from now on.
    """
    brought = {code: known(kind.permissions) for code, kind in ROLE_PERMISSIONS.items()}
    with transaction.atomic():
        held = {role.code: role for role in Role.objects.order_by("pk").select_for_update()}
        created = Role.objects.bulk_create(
            [
                Role(
                    code=code,
                    name=ROLE_PERMISSIONS[code].name,
                    permissions=brought[code],
                    offered=brought[code],
                )
                for code in sorted(set(brought) - set(held))
            ],
            ignore_conflicts=True,
        )
        grown = _grown(held, brought)
        stale = [held[code] for code in brought if code in held]
        for role in stale:
            role.offered = brought[role.code]
        Role.objects.bulk_update(stale, ["permissions", "offered"])
        for rows, change in ((created, Change.CREATED), (grown, Change.CHANGED)):
            record_history(
                Role,
                [role.pk for role in rows],
                change,
                at=at,
                actor=actor,
                reason="comes with the software",
            )
    return list(Role.objects.order_by("code"))


def _grown(held: Mapping[str, Role], brought: Mapping[str, list[str]]) -> list[Role]:
    """The roles that the software brings more for than it last did, with that added."""
    grown = []
    for code in sorted(set(brought) & set(held)):
        role = held[code]
        new = set(brought[code]) - set(role.permissions)
        new -= set(brought[code] if role.offered is None else role.offered)
        if new:
            role.permissions = known({*role.permissions, *new})
            grown.append(role)
    return grown


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
