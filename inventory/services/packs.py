"""Packs of SKUs and the barcodes on them. Each row is refused for itself."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel.history import Change
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.gtin import LENGTHS, in_fourteen, is_gtin
from inventory.models import Barcode, KitComponent, Sku, SkuPack
from inventory.services.item_news import CHANGED, tell_items
from inventory.services.item_rows import (
    Check,
    Refused,
    answers,
    first_wrong,
    gone_or_not,
    keep_told,
    locked_skus,
    twice,
)
from inventory.states import BarcodeKind, PackLevel, SkuKind
from inventory.types import BarcodeDraft, PackDraft

_LEVELS: Final = {level: place for place, level in enumerate(PackLevel.values)}
_PACK: Final = ("units", "weight_grams", "length_mm", "width_mm", "height_mm", "breakable")


@transaction.atomic
def put_packs(
    drafts: Sequence[PackDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Create or change packs by SKU and level. One outcome each, with the pack's id.

    The packs of a SKU are looked at together, as they will be: each level holds whole packs of the
    one before, or all that were sent of this SKU are refused.
    """
    skus = locked_skus(
        account_id, {draft.sku for draft in drafts} | {draft.sold_as for draft in drafts} - {""}
    )
    parts = _parts_of({sku.pk for sku in skus.values()})
    once = twice([(draft.sku, draft.level) for draft in drafts], "level")
    refused = [
        first_wrong([*alone, *_pack_checks(draft, skus, parts)])
        for draft, alone in zip(drafts, once, strict=True)
    ]
    stacked = _stacks(drafts, refused, skus)
    refused = [
        why
        or (
            Outcome.refused("invalid", stacked[draft.sku], column="units")
            if draft.sku in stacked
            else None
        )
        for draft, why in zip(drafts, refused, strict=True)
    ]
    rows = [
        SkuPack(
            account_id=account_id,
            sku=skus[draft.sku],
            level=draft.level,
            sold_as=skus[draft.sold_as] if draft.sold_as else None,
            **{name: getattr(draft, name) for name in _PACK},
        )
        for draft, why in zip(drafts, refused, strict=True)
        if why is None
    ]
    SkuPack.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["sku", "level"],
        update_fields=[*_PACK, "sold_as"],
    )
    found = SkuPack.objects.for_scope(ALL_ACCOUNTS).filter(sku__in=[row.sku for row in rows])
    made = {(pack.sku_id, pack.level): pack.pk for pack in found}
    written = [made[row.sku_id, row.level] for row in rows]
    keep_told(SkuPack, written, Change.CHANGED, at=at, actor=actor)
    _tell({row.sku_id for row in rows}, "packs", at=at, actor=actor)
    return answers(refused, written)


@transaction.atomic
def remove_packs(
    named: Sequence[tuple[str, str]], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Take packs away by (SKU, level), with the barcodes on them."""
    found = {
        (pack.sku.code, pack.level): pack.pk
        for pack in SkuPack.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, sku__code__in={code for code, _ in named})
        .select_related("sku")
    }
    gone = [found[key] for key in named if key in found]
    codes = Barcode.objects.for_scope(ALL_ACCOUNTS).filter(pack_id__in=gone)
    keep_told(Barcode, codes.values_list("pk", flat=True), Change.DELETED, at=at, actor=actor)
    keep_told(SkuPack, gone, Change.DELETED, at=at, actor=actor)
    packs = SkuPack.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=gone)
    _tell(packs.values_list("sku_id", flat=True), "packs", at=at, actor=actor)
    SkuPack.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=gone).delete()
    return [gone_or_not(found.get(key)) for key in named]


@transaction.atomic
def put_barcodes(
    drafts: Sequence[BarcodeDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Create barcodes, or give them to another SKU or pack, by value. One outcome each.

    What is sent as a GTIN has its check digit proven. Refused is a GTIN that, in another of its
    lengths, is a barcode already.
    """
    skus = locked_skus(account_id, {draft.sku for draft in drafts})
    packs = {
        (pack.sku_id, pack.level): pack.pk
        for pack in SkuPack.objects.for_scope(ALL_ACCOUNTS).filter(
            sku__in={sku.pk for sku in skus.values()}
        )
    }
    kinds = [draft.kind or guess_kind(draft.value) for draft in drafts]
    gtins = [
        in_fourteen(draft.value) if kind == BarcodeKind.GTIN else ""
        for draft, kind in zip(drafts, kinds, strict=True)
    ]
    taken = dict(
        Barcode.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, gtin__in=set(gtins) - {""})
        .values_list("gtin", "value")
    )
    refused: list[Refused] = []
    once = twice([draft.value for draft in drafts], "value")
    for draft, kind, gtin, alone in zip(drafts, kinds, gtins, once, strict=True):
        checks = [*alone, *_barcode_checks(draft, kind, skus, packs)]
        other = taken.setdefault(gtin, draft.value) if gtin else draft.value
        checks.append((other == draft.value, "value", f"It is {other} already, in another length."))
        refused.append(first_wrong(checks))
    rows = [
        Barcode(
            account_id=account_id,
            value=draft.value,
            kind=kind,
            gtin=gtin,
            sku=skus[draft.sku],
            pack_id=_pack_of(draft, skus[draft.sku].pk, packs),
        )
        for draft, kind, gtin, why in zip(drafts, kinds, gtins, refused, strict=True)
        if why is None
    ]
    Barcode.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "value"],
        update_fields=["kind", "gtin", "sku", "pack"],
    )
    made = dict(
        Barcode.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, value__in=[row.value for row in rows])
        .values_list("value", "pk")
    )
    written = [made[row.value] for row in rows]
    keep_told(Barcode, written, Change.CHANGED, at=at, actor=actor)
    _tell({row.sku_id for row in rows}, "barcodes", at=at, actor=actor)
    return answers(refused, written)


@transaction.atomic
def remove_barcodes(
    values: Sequence[str], *, account_id: UUID, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Take barcodes away by value."""
    wanted = Barcode.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id, value__in=values)
    found = dict(wanted.values_list("value", "pk"))
    keep_told(Barcode, found.values(), Change.DELETED, at=at, actor=actor)
    _tell(wanted.values_list("sku_id", flat=True), "barcodes", at=at, actor=actor)
    wanted.delete()
    return [gone_or_not(found.get(value)) for value in values]


def _tell(sku_ids: Iterable[int], part: str, *, at: datetime, actor: Actor) -> None:
    tell_items(dict.fromkeys(sku_ids, (CHANGED, (part,))), at=at, actor=actor)


def guess_kind(value: str) -> str:
    """A barcode that could be a GTIN is one: a wrong check digit is a typing error then."""
    could = value.isascii() and value.isdigit() and len(value) in LENGTHS
    return BarcodeKind.GTIN.value if could else BarcodeKind.INTERNAL.value


def _pack_checks(
    draft: PackDraft, skus: Mapping[str, Sku], parts: Mapping[int, Sequence[tuple[int, int]]]
) -> list[Check]:
    sku, kit = skus.get(draft.sku), skus.get(draft.sold_as)
    whole = draft.units == 1 if draft.level == PackLevel.EACH else draft.units > 0
    return [
        (
            sku is not None and sku.kind == SkuKind.STOCK,
            "sku",
            f"The account keeps no stock of {draft.sku}.",
        ),
        (draft.level in _LEVELS, "level", f"Use one of {', '.join(_LEVELS)}."),
        (whole, "units", "An each is one unit; a pack holds at least one."),
        (
            not draft.sold_as
            or (
                sku is not None and kit is not None and parts.get(kit.pk) == [(sku.pk, draft.units)]
            ),
            "sold_as",
            f"It is sold as a kit of {draft.units} × {draft.sku} alone; define that kit first.",
        ),
    ]


def _parts_of(kits: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    parts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = KitComponent.objects.filter(kit_id__in=kits)
    for kit_id, component_id, quantity in rows.values_list("kit_id", "component_id", "quantity"):
        parts[kit_id].append((component_id, quantity))
    return parts


def _stacks(
    drafts: Sequence[PackDraft], refused: Sequence[Refused], skus: Mapping[str, Sku]
) -> dict[str, str]:
    """What is wrong with the packs of a SKU taken together, by its code; what is right is absent."""
    after: dict[int, dict[str, int]] = defaultdict(dict)
    for pack in SkuPack.objects.for_scope(ALL_ACCOUNTS).filter(
        sku__in={sku.pk for sku in skus.values()}
    ):
        after[pack.sku_id][pack.level] = pack.units
    for draft, why in zip(drafts, refused, strict=True):
        if why is None:
            after[skus[draft.sku].pk][draft.level] = draft.units
    wrong = {}
    for code, sku in skus.items():
        levels = sorted(after[sku.pk].items(), key=lambda one: _LEVELS[one[0]])
        for (lower, few), (upper, many) in pairwise(levels):
            if many % few or many < few or (many == few and lower != PackLevel.EACH):
                wrong[code] = (
                    f"A {upper} of {many} does not hold whole packs of the {lower} of {few}; "
                    "correct one of them."
                )
    return wrong


def _barcode_checks(
    draft: BarcodeDraft,
    kind: str,
    skus: Mapping[str, Sku],
    packs: Mapping[tuple[int, str], int],
) -> list[Check]:
    sku = skus.get(draft.sku)
    return [
        (bool(draft.value.strip()), "value", "A barcode has a value."),
        (sku is not None, "sku", f"There is no SKU {draft.sku}."),
        (kind in BarcodeKind.values, "kind", f"Use one of {', '.join(BarcodeKind.values)}."),
        (
            kind != BarcodeKind.GTIN or is_gtin(draft.value),
            "value",
            f"{draft.value} is no GTIN: a digit or the length is wrong. Read it again.",
        ),
        (
            sku is None or draft.level in {"", PackLevel.EACH} or (sku.pk, draft.level) in packs,
            "level",
            f"{draft.sku} has no {draft.level}; define the pack first.",
        ),
    ]


def _pack_of(draft: BarcodeDraft, sku_id: int, packs: Mapping[tuple[int, str], int]) -> int | None:
    return packs.get((sku_id, draft.level)) if draft.level else None
