"""SKUs, packs and barcodes as files."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.models import Brand
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory import services
from inventory.exchange.cells import Choice, Flag, Named, Text, Whole
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.models import Barcode, Sku, SkuPack
from inventory.services.items import FIELDS
from inventory.states import BarcodeKind, Lifecycle, PackLevel, Regulation, SkuKind, Storage
from inventory.types import BarcodeDraft, ItemDraft, PackDraft

CODE: Final = Text(64)
_AT_ONCE: Final = 2_000
_SIZES: Final = ("weight_grams", "length_mm", "width_mm", "height_mm")
_SKU_NAMES: Final = ("code", "brand__code", *(name for name in FIELDS if name != "brand_id"))


def refusals(outcomes: Sequence[Outcome[Any]]) -> list[Refusal | None]:
    """Outcomes of a command as a kind answers them; the column stands in the problem."""
    return [
        None
        if one.problem is None
        else Refusal(str(one.problem.extra.get("column", "")), one.problem.code, one.problem.detail)
        for one in outcomes
    ]


def _skus(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    found = Sku.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id).order_by("code")
    if keys is not None:
        found = found.filter(code__in=[code for (code,) in keys])
    for values in found.values(*_SKU_NAMES).iterator(chunk_size=_AT_ONCE):
        yield {**values, "brand": values["brand__code"] or ""}


def _put_skus(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    brands = dict(
        Brand.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id)
        .values_list("code", "pk")
    )
    refused = {
        row.number: Refusal("brand", "unknown-brand", f"The account has no brand {row['brand']}.")
        for row in rows
        if row["brand"] and row["brand"] not in brands
    }
    fine = [row for row in rows if row.number not in refused]
    drafts = [
        ItemDraft(
            code=row["code"],
            brand_id=brands.get(row["brand"]),
            **{name: row[name] for name in FIELDS if name != "brand_id"},
        )
        for row in fine
    ]
    answers = refusals(services.put_items(drafts, account_id=account_id, at=at, actor=actor))
    told = {row.number: answer for row, answer in zip(fine, answers, strict=True)} | refused
    return [told[row.number] for row in rows]


def _packs(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    found = (
        SkuPack.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id)
        .order_by("sku__code", "units")
    )
    if keys is not None:
        found = found.filter(sku__code__in={sku for sku, _ in keys})
    names = ("sku__code", "level", "units", *_SIZES, "breakable", "sold_as__code")
    for values in found.values(*names).iterator(chunk_size=_AT_ONCE):
        yield {**values, "sku": values["sku__code"], "sold_as": values["sold_as__code"] or ""}


def _put_packs(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    names = ("sku", "level", "units", *_SIZES, "breakable", "sold_as")
    drafts = [PackDraft(**{name: row[name] for name in names}) for row in rows]
    return refusals(services.put_packs(drafts, account_id=account_id, at=at, actor=actor))


def _remove_packs(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    named = [(row["sku"], row["level"]) for row in rows]
    return refusals(services.remove_packs(named, account_id=account_id, at=at, actor=actor))


def _barcodes(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    found = Barcode.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id).order_by("value")
    if keys is not None:
        found = found.filter(value__in=[value for (value,) in keys])
    for values in found.values("value", "sku__code", "pack__level", "kind").iterator(
        chunk_size=_AT_ONCE
    ):
        yield {
            "barcode": values["value"],
            "sku": values["sku__code"],
            "level": values["pack__level"] or "",
            "kind": values["kind"],
        }


def _put_barcodes(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    drafts = [BarcodeDraft(row["barcode"], row["sku"], row["level"], row["kind"]) for row in rows]
    answers = services.put_barcodes(drafts, account_id=account_id, at=at, actor=actor)
    return [
        told
        and Refusal("barcode" if told.column == "value" else told.column, told.code, told.detail)
        for told in refusals(answers)
    ]


def _remove_barcodes(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> list[Refusal | None]:
    values = [row["barcode"] for row in rows]
    return refusals(services.remove_barcodes(values, account_id=account_id, at=at, actor=actor))


def _sizes() -> Iterable[Column]:
    yield Column("weight_grams", Whole(), empty=0)
    for name in ("length_mm", "width_mm", "height_mm"):
        yield Column(name, Whole(most=1_000_000), empty=0)


SKUS: Final = Kind(
    code="skus",
    label="SKUs",
    about="What is sold: name, brand, lifecycle, measures, hazard, lots, price.",
    key=("code",),
    columns=(
        Column("code", CODE, needed=True),
        Column("name", Text(200), needed=True),
        Column("kind", Choice(SkuKind.values), empty=SkuKind.STOCK.value),
        Column("brand", Text(64), empty="", help="The brand's code."),
        Column("lifecycle", Choice(Lifecycle.values), empty=Lifecycle.ACTIVE.value),
        Column("sell_through", Flag(), empty=True, help="Once discontinued, the rest is sold."),
        Column("price_minor", Whole(), empty=0, help="In the smallest coin: 1999 is 19.99."),
        Column("currency", Text(3, "[A-Z]{3}", "USD"), empty="USD"),
        *_sizes(),
        Column("un_number", Text(4, "[0-9]{4}", "1950"), empty=""),
        Column("hazard_class", Text(4), empty=""),
        Column("packing_group", Text(3, "I|II|III", "II"), empty=""),
        Column("limited_quantity", Flag(), empty=False),
        Column("regulation", Choice(Regulation.values), empty=""),
        Column("storage", Choice(Storage.values), empty=Storage.AMBIENT.value),
        Column("origin_country", Text(2, "[A-Z]{2}", "PT"), empty=""),
        Column("hs_code", Text(10, "[0-9]{6,10}", "330499"), empty=""),
        Column("lot_tracked", Flag(), empty=False),
        Column("serial_tracked", Flag(), empty=False),
        Column("expires", Flag(), empty=False),
        Column("shelf_life_days", Whole(1, 36_500)),
        Column("min_remaining_life_days", Whole(0, 36_500), empty=0),
        Column("returnable", Flag(), empty=True),
        Column("attributes", Named(), empty={}, help='As JSON: {"color": "Fern"}.'),
    ),
    current=_skus,
    write=_put_skus,
    permission=Permission.CONFIG_EDIT,
)
PACKS: Final = Kind(
    code="packs",
    label="Packs",
    about="Inner packs, cases and pallets: how many units each holds, and whether it is opened.",
    key=("sku", "level"),
    columns=(
        Column("sku", CODE, needed=True),
        Column("level", Choice(PackLevel.values), needed=True),
        Column("units", Whole(1), needed=True, help="Units of the SKU."),
        *_sizes(),
        Column("breakable", Flag(), empty=True),
        Column("sold_as", CODE, empty="", help="The kit under which the pack is sold by itself."),
    ),
    current=_packs,
    write=_put_packs,
    remove=_remove_packs,
    permission=Permission.CONFIG_EDIT,
)
BARCODES: Final = Kind(
    code="barcodes",
    label="Barcodes",
    about="What is scanned: GTINs with their check digit, and codes of our own.",
    key=("barcode",),
    columns=(
        Column("barcode", Text(64, r"\S+", "4006381333931"), needed=True),
        Column("sku", CODE, needed=True),
        Column("level", Choice(("", *PackLevel.values)), empty="", help="Empty: the unit itself."),
        Column("kind", Choice(("", *BarcodeKind.values)), empty="", help="Empty: a GTIN if it is."),
    ),
    current=_barcodes,
    write=_put_barcodes,
    remove=_remove_barcodes,
    permission=Permission.CONFIG_EDIT,
)
