"""SKUs with everything that is said of them: created or changed by code, each for itself."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from config.kernel import versions
from config.kernel.fsm import transitions_of
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Brand
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory import lives
from inventory.models import KitComponent, Sku, StockPosition
from inventory.services.item_news import CHANGED, CREATED, RETIRED, tell_items
from inventory.services.lots import redate_skus
from inventory.services.publishing import touch
from inventory.states import Lifecycle, SkuKind
from inventory.types import ItemDraft

TOPIC: Final = "skus"
FIELDS: Final = tuple(field.name for field in fields(ItemDraft) if field.name != "code")
_COLUMNS: Final = [name.removesuffix("_id") for name in FIELDS]
_HAZARD: Final = re.compile(r"[1-9](\.[1-9])?[A-Z]?")
_SETTLE: Final = """
    WITH meant AS (
        SELECT id FROM inventory_sku WHERE id = ANY(%(skus)s)
        UNION
        SELECT kit_id FROM inventory_kitcomponent WHERE component_id = ANY(%(skus)s)
    ), own AS (
        SELECT s.id, s.kind, s.active, s.hazmat, s.hazard_class <> '' AS dangerous,
            s.lifecycle IN ('active', 'phasing_out')
                OR (s.lifecycle = 'discontinued' AND s.sell_through) AS sold
        FROM inventory_sku s
        WHERE s.id IN (SELECT id FROM meant) OR s.id IN (
            SELECT c.component_id FROM inventory_kitcomponent c
            WHERE c.kit_id IN (SELECT id FROM meant))
    ), parts AS (
        SELECT c.kit_id, bool_and(p.sold) AS sold, bool_or(p.dangerous) AS dangerous
        FROM inventory_kitcomponent c JOIN own p ON p.id = c.component_id
        WHERE c.kit_id IN (SELECT id FROM meant) GROUP BY 1
    ), derived AS (
        SELECT o.id, o.sold AND coalesce(p.sold, true) AS active,
            o.dangerous OR coalesce(p.dangerous, false) AS hazmat
        FROM own o LEFT JOIN parts p ON p.kit_id = o.id WHERE o.id IN (SELECT id FROM meant)
    )
    UPDATE inventory_sku s SET active = d.active, hazmat = d.hazmat
    FROM derived d
    WHERE s.id = d.id AND (s.active, s.hazmat) IS DISTINCT FROM (d.active, d.hazmat)
    RETURNING s.id
"""


@transaction.atomic
def put_items(
    drafts: Sequence[ItemDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Create or change SKUs by code; one outcome each, with the SKU's id, in the order given.

    Refused is what contradicts itself, names another account's brand, or a lifecycle that the present
    one does not lead to. The number of statements does not depend on how many.
    """
    known = _locked(account_id, {draft.code for draft in drafts})
    refused = _refusals(drafts, known, account_id)
    before = {code: as_draft(sku) for code, sku in known.items()}
    fresh = {draft.code: draft for draft, why in zip(drafts, refused, strict=True) if why is None}
    redated = [
        known[code].pk
        for code, draft in fresh.items()
        if code in known and known[code].min_remaining_life_days != draft.min_remaining_life_days
    ]
    sku_ids = {code: sku.pk for code, sku in known.items()}
    sku_ids |= _write(list(fresh.values()), known, account_id, at=at, actor=actor)
    tell_items(_news(fresh, before, sku_ids), at=at, actor=actor)
    if redated:
        redate_skus(redated)
    return [
        why if why is not None else Outcome.done(sku_ids[draft.code])
        for draft, why in zip(drafts, refused, strict=True)
    ]


@transaction.atomic
def change_items(
    changes: Sequence[Mapping[str, Any]], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Likewise from what is given of each SKU: the rest stays as it is, or as a new one has it.

    `code` names it; `brand` is a brand's code. A new one needs a name.
    """
    known = _locked(account_id, {one["code"] for one in changes})
    brands = dict(
        Brand.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in={one.get("brand") or "" for one in changes})
        .values_list("code", "pk")
    )
    drafts: list[ItemDraft] = []
    refused: list[Outcome[int] | None] = []
    for one in changes:
        said = {name: value for name, value in one.items() if name in FIELDS}
        if "brand" in one:
            said["brand_id"] = brands.get(one["brand"])
        sku = known.get(one["code"])
        why = None
        if one.get("brand") and one["brand"] not in brands:
            why = Outcome[int].refused("invalid", "The account has no such brand.", column="brand")
        elif sku is None and not said.get("name"):
            why = Outcome[int].refused("invalid", "It is new: name it.", column="name")
        refused.append(why)
        if why is None:
            drafts.append(as_draft(sku, **said) if sku else ItemDraft(one["code"], **said))
    told = iter(put_items(drafts, account_id=account_id, at=at, actor=actor))
    return [why if why is not None else next(told) for why in refused]


def settle(sku_ids: Collection[int], *, at: datetime) -> None:
    """Have `active` and `hazmat` of these SKUs, and of the kits that hold them, follow the rest.

    Called in the transaction that changes what they follow from. Two statements at most.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"skus": sorted(set(sku_ids))})
        moved = [sku_id for (sku_id,) in cursor.fetchall()]
    touch(moved, at=at)


def _news(
    drafts: Mapping[str, ItemDraft], before: Mapping[str, ItemDraft], sku_ids: Mapping[str, int]
) -> dict[int, tuple[str, Sequence[str]]]:
    """What there is to tell of the SKUs that were written; of one that stays as it was, nothing."""
    news: dict[int, tuple[str, Sequence[str]]] = {}
    for code, draft in drafts.items():
        was = before.get(code)
        if was is None:
            news[sku_ids[code]] = (CREATED, ())
            continue
        parts = [name for name in FIELDS if getattr(was, name) != getattr(draft, name)]
        over = "lifecycle" in parts and draft.lifecycle == Lifecycle.DISCONTINUED
        if parts:
            news[sku_ids[code]] = (RETIRED if over else CHANGED, parts)
    return news


def _locked(account_id: UUID, codes: Collection[str]) -> dict[str, Sku]:
    """The account's SKUs of these codes, locked with the kits that hold them, by ascending id."""
    kits = KitComponent.objects.filter(
        component__account_id=account_id, component__code__in=codes
    ).values("kit_id")
    found = (
        Sku.objects.for_scope(ALL_ACCOUNTS)
        .filter(Q(account_id=account_id, code__in=codes) | Q(pk__in=kits))
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    return {sku.code: sku for sku in found if sku.code in codes}


def _write(
    drafts: Sequence[ItemDraft],
    known: Mapping[str, Sku],
    account_id: UUID,
    *,
    at: datetime,
    actor: Actor,
) -> dict[str, int]:
    """Write the SKUs in one statement; returns their ids by code."""
    if not drafts:
        return {}
    rows = [
        Sku(
            account_id=account_id,
            code=draft.code,
            **{name: getattr(draft, name) for name in FIELDS},
        )
        for draft in drafts
    ]
    Sku.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["account", "code"], update_fields=_COLUMNS
    )
    sku_ids = dict(
        Sku.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in=[draft.code for draft in drafts])
        .values_list("code", "pk")
    )
    settle(sku_ids.values(), at=at)
    for change, meant in [(Change.CREATED, False), (Change.CHANGED, True)]:
        wanted = [pk for code, pk in sku_ids.items() if (code in known) is meant]
        record_history(Sku, wanted, change, at=at, actor=actor, reason="defined")
    versions.bump(TOPIC, lives.TOPIC)
    return sku_ids


def _refusals(
    drafts: Sequence[ItemDraft], known: Mapping[str, Sku], account_id: UUID
) -> list[Outcome[int] | None]:
    brands = set(
        Brand.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, pk__in={d.brand_id for d in drafts if d.brand_id})
        .values_list("pk", flat=True)
    )
    fixed = _of_fixed_kind(drafts, known)
    leads = {(source, target) for _, source, target in transitions_of(Sku, "lifecycle")}
    taken: set[str] = set()
    refused: list[Outcome[int] | None] = []
    for draft in drafts:
        sku = known.get(draft.code)
        checks = [
            (draft.code not in taken, "code", "It was said before in the same batch."),
            *_contradictions(draft),
            (
                draft.brand_id is None or draft.brand_id in brands,
                "brand",
                "The account has no such brand.",
            ),
            (
                sku is None or sku.kind == draft.kind or draft.code not in fixed,
                "kind",
                "It has stock, components or kits: its kind stays.",
            ),
            (
                sku is None
                or sku.lifecycle == draft.lifecycle
                or (sku.lifecycle, draft.lifecycle) in leads,
                "lifecycle",
                f"From {sku.lifecycle if sku else ''} it does not become {draft.lifecycle}.",
            ),
        ]
        taken.add(draft.code)
        refused.append(
            next(
                (
                    Outcome.refused("invalid", said, column=at)
                    for holds, at, said in checks
                    if not holds
                ),
                None,
            )
        )
    return refused


def _contradictions(draft: ItemDraft) -> list[tuple[bool, str, str]]:
    """(holds, column, what is wrong) of what a draft says of itself."""
    stocked = draft.kind == SkuKind.STOCK
    hazard = draft.hazard_class
    return [
        (bool(draft.code.strip()), "code", "A SKU has a code."),
        (draft.kind in SkuKind.values, "kind", "There is no such kind of SKU."),
        (
            not hazard or bool(_HAZARD.fullmatch(hazard)),
            "hazard_class",
            "A hazard class is written like 3, 2.1 or 1.4S.",
        ),
        (
            stocked or not hazard,
            "hazard_class",
            "Only goods are dangerous; a kit is as its components are.",
        ),
        (
            bool(hazard) or not (draft.un_number or draft.packing_group or draft.limited_quantity),
            "hazard_class",
            "A UN number, packing group or limited quantity needs its hazard class.",
        ),
        (
            not draft.un_number or bool(re.fullmatch(r"[0-9]{4}", draft.un_number)),
            "un_number",
            "A UN number has four digits.",
        ),
        (
            draft.packing_group in {"", "I", "II", "III"},
            "packing_group",
            "A packing group is I, II or III.",
        ),
        (
            stocked or not (draft.lot_tracked or draft.serial_tracked or draft.expires),
            "lot_tracked",
            "Only goods that are kept in stock have lots, serials or an expiry.",
        ),
        (
            draft.expires or not draft.shelf_life_days,
            "shelf_life_days",
            "Only what expires has a shelf life.",
        ),
        (
            draft.expires or not draft.min_remaining_life_days,
            "min_remaining_life_days",
            "Only what expires has a remaining life.",
        ),
    ]


def _of_fixed_kind(drafts: Sequence[ItemDraft], known: Mapping[str, Sku]) -> set[str]:
    """Codes of SKUs whose kind would change though it may not. Nothing is read when none would."""
    turned = {
        known[draft.code].pk: draft.code
        for draft in drafts
        if draft.code in known and known[draft.code].kind != draft.kind
    }
    if not turned:
        return set()
    bound = set(
        StockPosition.objects.for_scope(ALL_ACCOUNTS)
        .filter(sku_id__in=turned)
        .values_list("sku_id", flat=True)
    )
    for kit_id, component_id in (
        KitComponent.objects.filter(kit_id__in=turned)
        .values_list("kit_id", "component_id")
        .union(
            KitComponent.objects.filter(component_id__in=turned).values_list(
                "kit_id", "component_id"
            )
        )
    ):
        bound |= {kit_id, component_id}
    return {code for pk, code in turned.items() if pk in bound}


def as_draft(sku: Sku, **changes: object) -> ItemDraft:
    """The SKU as it stands, with what is to be different."""
    said = {name: getattr(sku, name) for name in FIELDS} | changes
    return ItemDraft(code=sku.code, **said)
