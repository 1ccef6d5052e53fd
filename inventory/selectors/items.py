"""SKUs, by id and by whatever name a channel or a scanner gives them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from config.kernel.types import Scope
from inventory.models import KitComponent, Sku
from inventory.types import SkuView

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
    """SKUs of these accounts with this barcode or code. One statement."""
    found = Sku.objects.for_scope(scope).filter(Q(code=code) | Q(barcodes__value=code))
    return list(found.order_by("pk").values_list("pk", flat=True).distinct())


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
