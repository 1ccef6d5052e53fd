"""Other owners of goods at our nodes: who sells their goods, in what turn, and what they are owed."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel import ids
from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.models import OwnerChannel, OwnerPrice, Sku, StockOwner, StockPosition
from inventory.services.publishing import touch
from inventory.types import OwnerDraft, PriceDraft


@transaction.atomic
def define_owners(
    drafts: Sequence[OwnerDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> dict[str, UUID]:
    """Create or change owners by code; returns their ids. What is reserved of their goods stays so.

    Raises Invalid for an account or channel that is not the actor's, and for an id that is taken.
    """
    if not actor.scope.allows(account_id):
        raise Invalid("The account is not yours.")
    _require_channels(drafts, account_id)
    known = {
        row.code: row
        for row in StockOwner.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in=[draft.code for draft in drafts])
        .order_by("pk")
        .select_for_update()
    }
    for draft in drafts:
        if draft.code in known and draft.owner_id not in {None, known[draft.code].pk}:
            raise Invalid(f"{draft.code} has another id.")
    fresh = {draft.code: draft for draft in drafts if draft.code not in known}
    _require_new([draft.owner_id for draft in fresh.values() if draft.owner_id], account_id)
    rows = [
        StockOwner(
            id=known[draft.code].pk if draft.code in known else draft.owner_id or ids.uuid7(),
            account_id=account_id,
            code=draft.code,
            name=draft.name,
            is_first=draft.is_first,
        )
        for draft in drafts
    ]
    StockOwner.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "code"],
        update_fields=["name", "is_first"],
    )
    for change, codes in ((Change.CREATED, fresh), (Change.CHANGED, known)):
        keys = [row.pk for row in rows if row.code in codes]
        record_history(StockOwner, keys, change, at=at, actor=actor)
    _set_channels({row.code: row for row in rows}, drafts, at=at, actor=actor)
    held = StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(
        owner_id__in=[row.pk for row in rows]
    )
    touch(set(held.values_list("sku_id", flat=True)), at=at)
    return {row.code: row.pk for row in rows}


def _set_channels(
    rows: Mapping[str, StockOwner], drafts: Sequence[OwnerDraft], *, at: datetime, actor: Actor
) -> None:
    wanted = {
        (rows[draft.code].pk, channel_id) for draft in drafts for channel_id in draft.channel_ids
    }
    found = OwnerChannel.objects.filter(owner__in=[row.pk for row in rows.values()])
    had = {(row.owner_id, row.channel_id): row.pk for row in found}
    gone = [pk for pair, pk in had.items() if pair not in wanted]
    record_history(OwnerChannel, gone, Change.DELETED, at=at, actor=actor)
    OwnerChannel.objects.filter(pk__in=gone).delete()
    made = OwnerChannel.objects.bulk_create(
        [
            OwnerChannel(owner_id=owner_id, channel_id=channel_id)
            for owner_id, channel_id in sorted(wanted - had.keys())
        ]
    )
    record_history(OwnerChannel, [row.pk for row in made], Change.CREATED, at=at, actor=actor)


@transaction.atomic
def set_owner_prices(
    drafts: Sequence[PriceDraft], *, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Agree what is owed per unit from now on; what was sold keeps its amount. One outcome each."""
    owners = {
        row.pk: row
        for row in StockOwner.objects.for_scope(actor.scope).filter(
            pk__in={draft.owner_id for draft in drafts}
        )
    }
    skus = dict(
        Sku.objects.for_scope(actor.scope)
        .filter(pk__in={draft.sku_id for draft in drafts})
        .values_list("pk", "account_id")
    )
    refused = [_price_refusal(draft, owners, skus) for draft in drafts]
    good = {
        (draft.owner_id, draft.sku_id): draft
        for draft, why in zip(drafts, refused, strict=True)
        if why is None
    }
    found = OwnerPrice.objects.filter(
        owner__in={owner_id for owner_id, _ in good}, sku__in={sku_id for _, sku_id in good}
    )
    had = {(row.owner_id, row.sku_id): row.pk for row in found.order_by("pk").select_for_update()}
    gone = [had[pair] for pair, draft in good.items() if draft.unit_price is None and pair in had]
    record_history(OwnerPrice, gone, Change.DELETED, at=at, actor=actor)
    OwnerPrice.objects.filter(pk__in=gone).delete()
    kept = {
        pair: (draft.unit_price, draft.currency)
        for pair, draft in good.items()
        if draft.unit_price is not None
    }
    OwnerPrice.objects.bulk_create(
        [
            OwnerPrice(owner_id=owner_id, sku_id=sku_id, unit_price=price, currency=currency)
            for (owner_id, sku_id), (price, currency) in kept.items()
        ],
        update_conflicts=True,
        unique_fields=["owner", "sku"],
        update_fields=["unit_price", "currency"],
    )
    written = OwnerPrice.objects.filter(owner__in=owners, sku__in=skus)
    now = {(row.owner_id, row.sku_id): row.pk for row in written}
    for change, keys in (
        (Change.CREATED, [now[pair] for pair in kept if pair not in had]),
        (Change.CHANGED, [now[pair] for pair in kept if pair in had]),
    ):
        record_history(OwnerPrice, keys, change, at=at, actor=actor)
    return [why or Outcome.done(draft.sku_id) for draft, why in zip(drafts, refused, strict=True)]


def _price_refusal(
    draft: PriceDraft, owners: Mapping[UUID, StockOwner], skus: Mapping[int, UUID]
) -> Outcome[int] | None:
    owner: Any = owners.get(draft.owner_id)
    if owner is None:
        return Outcome.refused("unknown-owner", "There is no such owner.")
    if skus.get(draft.sku_id) != owner.account_id:
        return Outcome.refused("unknown-sku", "The account has no such SKU.")
    if draft.unit_price is None:
        return None
    if draft.unit_price < 0:
        return Outcome.refused("negative", "A price is zero or more.")
    if not re.fullmatch("[A-Z]{3}", draft.currency):
        return Outcome.refused("unknown-currency", "A currency has three capital letters.")
    return None


def _require_channels(drafts: Sequence[OwnerDraft], account_id: UUID) -> None:
    wanted = {channel_id for draft in drafts for channel_id in draft.channel_ids}
    known = Channel.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id, pk__in=wanted)
    if known.count() != len(wanted):
        raise NotFound("There is no such channel.")


def _require_new(owner_ids: Sequence[UUID], account_id: UUID) -> None:
    """An owner's id is neither the account's own nor another owner's."""
    taken = StockOwner.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=owner_ids).exists()
    if account_id in owner_ids or taken:
        raise Invalid("The owner's id is taken.")
