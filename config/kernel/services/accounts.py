"""Set up accounts: brands, channels and staff, created or updated by code. Twice changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import models, transaction

from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Account, Brand, Channel, Grant, Role, User
from config.kernel.types import ALL_ACCOUNTS, Actor


@dataclass(frozen=True, slots=True)
class ChannelDraft:
    code: str
    name: str
    kind: str
    brand_code: str
    currency: str
    timezone: str = "UTC"
    tax_inclusive: bool = False
    remorse_minutes: int = 0
    backorders: bool = True


@dataclass(frozen=True, slots=True)
class StaffDraft:
    """A person with one role within the account; `node_id` narrows it to one node."""

    username: str
    name: str
    password: str
    role_code: str
    node_id: int | None = None


@transaction.atomic
def define_account(
    code: str, name: str, *, currency: str, timezone: str, at: datetime, actor: Actor
) -> UUID:
    """Create the account or update its name, currency and time zone; return its id."""
    account, created = Account.objects.update_or_create(
        code=code, defaults={"name": name, "currency": currency, "timezone": timezone}
    )
    _record(Account, [account.pk], created=created, at=at, actor=actor)
    return account.pk


@transaction.atomic
def define_brands(
    brands: Sequence[tuple[str, str]], *, account_id: UUID, at: datetime, actor: Actor
) -> dict[str, UUID]:
    """Create or update brands given as (code, name); return ids by code."""
    Brand.objects.bulk_create(
        [Brand(account_id=account_id, code=code, name=name) for code, name in brands],
        update_conflicts=True,
        unique_fields=["account", "code"],
        update_fields=["name"],
    )
    found = dict(
        Brand.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in=[code for code, _ in brands])
        .values_list("code", "pk")
    )
    _record(Brand, list(found.values()), created=False, at=at, actor=actor)
    return found


@transaction.atomic
def define_channels(
    drafts: Sequence[ChannelDraft],
    *,
    account_id: UUID,
    brand_ids: dict[str, UUID],
    at: datetime,
    actor: Actor,
) -> dict[str, UUID]:
    """Create or update channels; return ids by code."""
    fields = (
        "name", "kind", "currency", "timezone", "tax_inclusive", "remorse_minutes", "backorders",
    )  # fmt: skip
    Channel.objects.bulk_create(
        [
            Channel(
                account_id=account_id,
                brand_id=brand_ids[draft.brand_code],
                code=draft.code,
                **{name: getattr(draft, name) for name in fields},
            )
            for draft in drafts
        ],
        update_conflicts=True,
        unique_fields=["account", "code"],
        update_fields=[*fields, "brand"],
    )
    found = dict(
        Channel.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in=[draft.code for draft in drafts])
        .values_list("code", "pk")
    )
    _record(Channel, list(found.values()), created=False, at=at, actor=actor)
    return found


@transaction.atomic
def define_staff(
    drafts: Sequence[StaffDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> dict[str, UUID]:
    """Create staff who are missing, with their role; return ids by user name.

    A person who is there keeps their password.
    """
    # Hashing is slow on purpose: once per password, not per person.
    hashes = {password: make_password(password) for password in {d.password for d in drafts}}
    User.objects.bulk_create(
        [
            User(
                username=draft.username,
                first_name=draft.name,
                password=hashes[draft.password],
                is_staff=True,
            )
            for draft in drafts
        ],
        ignore_conflicts=True,
    )
    names = [draft.username for draft in drafts]
    found = dict(User.objects.filter(username__in=names).values_list("username", "pk"))
    roles = dict(Role.objects.values_list("code", "pk"))
    Grant.objects.bulk_create(
        [
            Grant(
                user_id=found[draft.username],
                role_id=roles[draft.role_code],
                account_id=account_id,
                node_id=draft.node_id,
            )
            for draft in drafts
        ],
        ignore_conflicts=True,
    )
    grants = list(Grant.objects.filter(user_id__in=found.values()).values_list("pk", flat=True))
    _record(Grant, grants, created=False, at=at, actor=actor)
    return found


@transaction.atomic
def keep_setting(code: str, name: str, value: Any) -> None:
    """Set one of the account's settings, leaving the others."""
    account = Account.objects.select_for_update().get(code=code)
    account.settings = account.settings | {name: value}
    account.save(update_fields=["settings"])


def _record(
    model: type[models.Model], pks: Sequence[UUID], *, created: bool, at: datetime, actor: Actor
) -> None:
    change = Change.CREATED if created else Change.CHANGED
    record_history(model, pks, change, at=at, actor=actor, reason="defined")
