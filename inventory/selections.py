"""Which SKUs a rule or quota means: the statement that works it out, for any number of them."""

from collections.abc import Sequence
from typing import Any

from inventory.models.rules import SkuSelection
from inventory.types import Selection

_LIKE = """
    (w.brand IS NULL OR s.brand_id = w.brand)
    AND (w.lifecycle IS NULL OR s.lifecycle = w.lifecycle)
    AND (w.attribute IS NULL OR s.attributes ->> w.attribute = w.value)
"""
_SAID = f"coalesce(w.kind, 'stock') = 'stock' AND {_LIKE}"
MEANT = f"""
    wanted AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(selections)s::jsonb) AS wanted (place int,
            codes text[], brand uuid, kind text, lifecycle text, attribute text, value text)
    ), pool AS MATERIALIZED (
        SELECT id, code, brand_id, lifecycle, attributes FROM inventory_sku
        WHERE account_id = %(account)s AND kind = 'stock'
          AND (%(skus)s::bigint[] IS NULL OR id = ANY(%(skus)s::bigint[]))
    ), meant AS MATERIALIZED (
        SELECT w.place, s.id AS sku_id
        FROM wanted w CROSS JOIN LATERAL unnest(w.codes) AS c (code)
        JOIN pool s ON s.code = c.code AND {_SAID}
        UNION ALL
        SELECT w.place, s.id FROM wanted w JOIN pool s ON w.codes IS NULL AND {_SAID}
    )
"""  # noqa: S608  # own text
"""`meant (place, sku_id)`: the stock-kept SKUs of the account that each selection names.

Parameters: `account`, `selections` (as of `as_rows`), `skus` to look among, or None.
"""

HELD = f"""
    {MEANT}
    , held AS MATERIALIZED (
        SELECT place, sku_id, sum(each)::bigint AS each FROM (
            SELECT place, sku_id, 1 AS each FROM meant
            UNION ALL
            SELECT w.place, part.component_id, part.quantity
            FROM wanted w CROSS JOIN LATERAL unnest(w.codes) AS c (code)
            JOIN inventory_sku s ON s.account_id = %(account)s AND s.code = c.code
                AND s.kind = 'kit' AND coalesce(w.kind, 'kit') = 'kit' AND {_LIKE}
            JOIN inventory_kitcomponent part ON part.kit_id = s.id
        ) AS every GROUP BY 1, 2
    )
"""  # noqa: S608  # own text
"""`held (place, sku_id, each)`: as `meant`, with the components of the kits that are named by code.

`each` is how many of it one unit of all that is meant takes. `skus` must be None.
"""


def selection_of(row: SkuSelection) -> Selection:
    return Selection(
        sku_codes=tuple(row.sku_codes),
        brand_id=row.brand_id,
        sku_kind=row.sku_kind,
        lifecycle=row.lifecycle,
        attribute=row.attribute,
        attribute_value=row.attribute_value,
    )


def columns_of(selection: Selection) -> dict[str, Any]:
    """The columns of a row that is about these SKUs."""
    return {
        "sku_codes": sorted(set(selection.sku_codes)),
        "brand_id": selection.brand_id,
        "sku_kind": selection.sku_kind,
        "lifecycle": selection.lifecycle,
        "attribute": selection.attribute,
        "attribute_value": selection.attribute_value,
    }


def as_rows(selections: Sequence[Selection]) -> list[dict[str, Any]]:
    """What `MEANT` takes; each selection's place is its index."""
    return [
        {
            "place": place,
            "codes": sorted(set(one.sku_codes)) or None,
            "brand": str(one.brand_id) if one.brand_id else None,
            "kind": one.sku_kind or None,
            "lifecycle": one.lifecycle or None,
            "attribute": one.attribute or None,
            "value": one.attribute_value,
        }
        for place, one in enumerate(selections)
    ]
