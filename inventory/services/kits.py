"""What kits hold: goods, never other kits. Each row is refused for itself."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import Actor, Outcome
from inventory.models import KitComponent, Sku
from inventory.services.item_news import CHANGED, tell_items
from inventory.services.item_rows import (
    Check,
    answers,
    first_wrong,
    gone_or_not,
    keep_told,
    locked_skus,
    twice,
)
from inventory.services.items import settle
from inventory.services.publishing import touch
from inventory.states import SkuKind
from inventory.types import PartDraft


@transaction.atomic
def put_parts(
    drafts: Sequence[PartDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Say what kits hold, by kit and component. One outcome each, with the kit's id.

    A kit holds goods, never another kit. What kits are sold for, and whether they are dangerous,
    follows from it.
    """
    skus = locked_skus(
        account_id, {draft.kit for draft in drafts} | {draft.component for draft in drafts}
    )
    once = twice([(draft.kit, draft.component) for draft in drafts], "component")
    refused = [
        first_wrong([*alone, *_part_checks(draft, skus)])
        for draft, alone in zip(drafts, once, strict=True)
    ]
    rows = [
        KitComponent(kit=skus[draft.kit], component=skus[draft.component], quantity=draft.quantity)
        for draft, why in zip(drafts, refused, strict=True)
        if why is None
    ]
    KitComponent.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["kit", "component"],
        update_fields=["quantity"],
    )
    kits = {row.kit_id for row in rows}
    _kits_changed(
        KitComponent.objects.filter(kit_id__in=kits).values_list("pk", flat=True),
        kits,
        Change.CHANGED,
        at=at,
        actor=actor,
    )
    return answers(refused, [row.kit_id for row in rows])


@transaction.atomic
def remove_parts(
    named: Sequence[tuple[str, str]], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Take components out of kits, by (kit, component)."""
    found = {
        (part.kit.code, part.component.code): part
        for part in KitComponent.objects.filter(
            kit__account_id=account_id, kit__code__in={kit for kit, _ in named}
        ).select_related("kit", "component")
    }
    gone = [found[key] for key in named if key in found]
    keys = [part.pk for part in gone]
    record_history(KitComponent, keys, Change.DELETED, at=at, actor=actor, reason="removed")
    KitComponent.objects.filter(pk__in=keys).delete()
    kits = {part.kit_id for part in gone}
    _kits_changed((), kits, Change.CHANGED, at=at, actor=actor)
    return [gone_or_not(found[key].kit_id if key in found else None) for key in named]


def _kits_changed(
    parts: Iterable[int], kits: Collection[int], change: Change, *, at: datetime, actor: Actor
) -> None:
    keep_told(KitComponent, parts, change, at=at, actor=actor)
    tell_items(dict.fromkeys(kits, (CHANGED, ("components",))), at=at, actor=actor)
    settle(kits, at=at)
    touch(kits, at=at)


def _part_checks(draft: PartDraft, skus: Mapping[str, Sku]) -> list[Check]:
    kit, component = skus.get(draft.kit), skus.get(draft.component)
    return [
        (kit is not None, "kit", f"There is no SKU {draft.kit}."),
        (kit is None or kit.kind == SkuKind.KIT, "kit", f"{draft.kit} is no kit."),
        (component is not None, "component", f"There is no SKU {draft.component}."),
        (
            component is None or component.kind != SkuKind.KIT,
            "component",
            f"{draft.component} is a kit itself; name what it holds.",
        ),
        (draft.quantity > 0, "quantity", "A kit holds at least one of a component."),
    ]
