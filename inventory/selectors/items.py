"""SKUs, by id and by whatever name a channel or a scanner gives them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import connection

from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.gtin import in_fourteen, is_gtin
from inventory.models import Barcode, KitComponent, Sku, SkuPack
from inventory.states import PackLevel
from inventory.types import PackView, Scanned, SkuView

_COLUMNS = (
    "id",
    "account_id",
    "code",
    "name",
    "kind",
    "weight_grams",
    "price_minor",
    "currency",
    "hazmat",
    "active",
    "lifecycle",
    "regulation",
    "lot_tracked",
    "serial_tracked",
    "returnable",
)
_NAMES = ", ".join(f"s.{name}" for name in _COLUMNS)
_BY_ID = f"SELECT {_NAMES} FROM inventory_sku s WHERE s.id = ANY(%s)"  # noqa: S608  # own text
_BY_CODE = f"""
SELECT asked.code, {_NAMES}
FROM unnest(%s::text[]) AS asked (code)
CROSS JOIN LATERAL (
    SELECT sku_id FROM (
        SELECT 1 AS turn, l.sku_id FROM inventory_channellisting l
        WHERE l.channel_id = %s::uuid AND l.external_sku = asked.code
        UNION ALL
        SELECT 2, o.id FROM inventory_sku o WHERE o.account_id = %s AND o.code = asked.code
        UNION ALL
        SELECT 3, b.sku_id FROM inventory_barcode b
        WHERE b.account_id = %s AND b.value = asked.code
    ) known ORDER BY turn LIMIT 1
) meant
JOIN inventory_sku s ON s.id = meant.sku_id
"""  # noqa: S608  # names from this module
_BY_SCAN = """
    SELECT DISTINCT ON (meant.sku_id) meant.sku_id, meant.account_id, meant.units, meant.level
    FROM (
        SELECT b.sku_id, b.account_id, coalesce(p.units, 1) AS units,
            coalesce(p.level, 'each') AS level, 1 AS turn
        FROM inventory_barcode b LEFT JOIN inventory_skupack p ON p.id = b.pack_id
        WHERE (b.value = %(code)s OR (b.gtin = %(gtin)s AND b.gtin <> ''))
          AND (%(accounts)s::uuid[] IS NULL OR b.account_id = ANY(%(accounts)s))
        UNION ALL
        SELECT s.id, s.account_id, 1, 'each', 2 FROM inventory_sku s WHERE s.code = %(code)s
          AND (%(accounts)s::uuid[] IS NULL OR s.account_id = ANY(%(accounts)s))
    ) AS meant
    ORDER BY meant.sku_id, meant.turn
"""


def skus(sku_ids: Collection[int]) -> dict[int, SkuView]:
    """The SKUs with these ids, kits with their components. Two statements at most."""
    if not sku_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_ID, [list(sku_ids)])
        return {view.id: view for view in _with_components(cursor.fetchall())}


def skus_by_code(
    account_id: UUID, channel_id: UUID | None, codes: Collection[str]
) -> dict[str, SkuView]:
    """What each code means in this channel: its listing first, then our own code, then a barcode.

    A code that means nothing is absent. Two statements at most.
    """
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_CODE, [wanted, channel_id, account_id, account_id])
        rows = cursor.fetchall()
    views = _with_components([row[1:] for row in rows])
    return {row[0]: view for row, view in zip(rows, views, strict=True)}


def search_skus(scope: Scope, text: str, *, limit: int = 50) -> list[SkuView]:
    """SKUs whose code begins with the text or whose name holds it, by code."""
    found = Sku.objects.for_scope(scope)
    by_code, by_name = found.filter(code__istartswith=text), found.filter(name__icontains=text)
    return _views((by_code | by_name).order_by("code", "pk")[:limit])


def skus_by_scan(code: str, scope: Scope) -> list[int]:
    """SKUs of these accounts that a scan may mean. One statement."""
    return list(dict.fromkeys(one.sku_id for one in scanned(code, scope)))


def scanned(code: str, scope: Scope) -> list[Scanned]:
    """What a scan means in these accounts: a SKU's code, its barcode, or one of a pack of it.

    A GTIN is found in whichever of its lengths it is printed. One statement.
    """
    text = code.strip()
    gtin = in_fourteen(text) if is_gtin(text) else None
    accounts = None if scope.everything else sorted(scope.account_ids)
    with connection.cursor() as cursor:
        cursor.execute(_BY_SCAN, {"code": text, "gtin": gtin, "accounts": accounts})
        return [Scanned(*row) for row in cursor.fetchall()]


def packs(sku_ids: Collection[int]) -> dict[int, list[PackView]]:
    """The packs of each SKU, the smallest first, with their barcodes; two statements.

    The barcodes of the unit itself stand on an "each", which is there for every SKU that has any.
    """
    found: dict[int, list[PackView]] = {}
    codes: dict[tuple[int, int | None], list[str]] = {}
    marks = Barcode.objects.for_scope(ALL_ACCOUNTS).filter(sku_id__in=sku_ids).order_by("value")
    for sku_id, pack_id, value in marks.values_list("sku_id", "pack_id", "value"):
        codes.setdefault((sku_id, pack_id), []).append(value)
    rows = SkuPack.objects.for_scope(ALL_ACCOUNTS).filter(sku_id__in=sku_ids)
    for pack in rows.order_by("sku_id", "units"):
        found.setdefault(pack.sku_id, []).append(
            PackView(
                pack.sku_id,
                pack.level,
                pack.units,
                pack.breakable,
                pack.sold_as_id,
                pack.weight_grams,
                tuple(codes.pop((pack.sku_id, pack.pk), ())),
            )
        )
    for (sku_id, _), values in codes.items():
        known = found.setdefault(sku_id, [])
        if known and known[0].level == PackLevel.EACH:
            known[0] = replace(known[0], barcodes=(*values, *known[0].barcodes))
        else:
            each = PackLevel.EACH.value
            known.insert(0, PackView(sku_id, each, 1, False, None, 0, tuple(values)))
    return found


def _views(found: Iterable[Any]) -> list[SkuView]:
    return _with_components([tuple(getattr(row, name) for name in _COLUMNS) for row in found])


def _with_components(rows: Sequence[tuple[Any, ...]]) -> list[SkuView]:
    """The views of rows of `_COLUMNS`, in their order."""
    views = [SkuView(*row) for row in rows]
    kits = [view.id for view in views if view.kind == "kit"]
    if not kits:
        return views
    components: dict[int, list[tuple[int, int]]] = {}
    for row in KitComponent.objects.filter(kit_id__in=kits).order_by("component_id"):
        components.setdefault(row.kit_id, []).append((row.component_id, row.quantity))
    return [
        replace(view, components=tuple(components[view.id])) if view.id in components else view
        for view in views
    ]
