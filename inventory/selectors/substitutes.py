"""What may go out instead of a SKU, in the order in which it is offered."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import connection

from inventory.selectors.availability import ats
from inventory.types import SubstituteView

_STAND_IN = """
    WITH ways AS (
        SELECT id, sku_id AS of_id, substitute_id AS other_id, channel_id, rank, ratio,
            needs_consent, price_rule
        FROM inventory_substitute
        WHERE sku_id = ANY(%(skus)s) AND state = 'approved'
          AND (starts_at IS NULL OR starts_at <= %(at)s) AND (ends_at IS NULL OR ends_at > %(at)s)
        UNION ALL
        SELECT id, substitute_id, sku_id, channel_id, rank, ratio, needs_consent, price_rule
        FROM inventory_substitute
        WHERE substitute_id = ANY(%(skus)s) AND both_ways AND state = 'approved'
          AND (starts_at IS NULL OR starts_at <= %(at)s) AND (ends_at IS NULL OR ends_at > %(at)s)
    ), meant AS (
        SELECT DISTINCT ON (of_id, other_id) * FROM ways
        WHERE channel_id IS NULL OR channel_id = %(channel)s
        ORDER BY of_id, other_id, channel_id NULLS LAST, rank, id
    )
    SELECT m.id, m.of_id, m.other_id, o.code, o.name, m.rank, m.ratio, m.needs_consent,
        m.price_rule,
        CASE m.price_rule WHEN 'keep' THEN s.price_minor WHEN 'own' THEN o.price_minor * m.ratio
            ELSE least(s.price_minor, o.price_minor * m.ratio) END,
        s.currency
    FROM meant m JOIN inventory_sku s ON s.id = m.of_id
    JOIN inventory_sku o ON o.id = m.other_id AND o.active AND o.currency = s.currency
    ORDER BY m.of_id, m.rank, o.code
"""


def substitutes(
    sku_ids: Collection[int], channel_id: UUID, *, at: datetime
) -> dict[int, list[SubstituteView]]:
    """What may go out instead of each SKU in the channel, and what of it is free; by rank.

    What the channel has of its own goes before what holds for all. A SKU without is absent.
    A statement, and those of `ats` when there is any.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STAND_IN, {"skus": sorted(set(sku_ids)), "channel": channel_id, "at": at})
        rows = cursor.fetchall()
    if not rows:
        return {}
    free = ats(channel_id, {row[2] for row in rows}, at=at)
    found: dict[int, list[SubstituteView]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(SubstituteView(*(*row, free.get(row[2], 0))))
    return found
