"""What a SKU says of itself, and what belongs to it, for its page."""

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within


def about(sku_id: int, *, scope: Scope) -> Row | None:
    """The SKU's own words."""
    return row(
        "SELECT s.*, b.name AS brand_name FROM inventory_sku s "  # noqa: S608  # own text
        "LEFT JOIN kernel_brand b ON b.id = s.brand_id "
        f"WHERE s.id = %(sku)s AND {within(scope, 's')}",
        reach(scope) | {"sku": sku_id},
    )


def packs(sku_id: int) -> list[Row]:
    """Its packs, the unit itself first, with their barcodes."""
    return rows(
        """
        SELECT coalesce(p.level, 'each') AS level, coalesce(p.units, 1) AS units,
            coalesce(p.breakable, false) AS breakable, p.weight_grams, k.code AS sold_as,
            k.id AS sold_as_id, array_remove(array_agg(b.value ORDER BY b.value), NULL) AS barcodes
        FROM inventory_barcode b
        FULL JOIN inventory_skupack p ON p.id = b.pack_id
        LEFT JOIN inventory_sku k ON k.id = p.sold_as_id
        WHERE coalesce(b.sku_id, p.sku_id) = %(sku)s
        GROUP BY p.id, k.id ORDER BY 2, 1
        """,
        {"sku": sku_id},
    )


def parts(sku_id: int) -> list[Row]:
    """What a kit holds, or which kits hold it: `way` is `holds` or `held`."""
    return rows(
        """
        SELECT 'holds' AS way, s.id, s.code, s.name, c.quantity
        FROM inventory_kitcomponent c JOIN inventory_sku s ON s.id = c.component_id
        WHERE c.kit_id = %(sku)s
        UNION ALL
        SELECT 'held', s.id, s.code, s.name, c.quantity
        FROM inventory_kitcomponent c JOIN inventory_sku s ON s.id = c.kit_id
        WHERE c.component_id = %(sku)s
        ORDER BY 1, 3
        """,
        {"sku": sku_id},
    )


def substitutes(sku_id: int) -> list[Row]:
    """What may go out instead of it, proposals among them; retired ones left out."""
    return rows(
        """
        SELECT t.state, t.rank, t.ratio, t.needs_consent, t.price_rule, t.starts_at, t.ends_at,
            t.approved_by, o.id, o.code, o.name, o.active, c.name AS channel
        FROM inventory_substitute t
        JOIN inventory_sku o ON o.id = CASE WHEN t.sku_id = %(sku)s THEN t.substitute_id
            ELSE t.sku_id END
        LEFT JOIN kernel_channel c ON c.id = t.channel_id
        WHERE (t.sku_id = %(sku)s OR (t.substitute_id = %(sku)s AND t.both_ways))
          AND t.state <> 'retired'
        ORDER BY t.state, t.rank, o.code
        """,
        {"sku": sku_id},
    )
