"""Invariant 8, of supply: what a channel is said to have is there.

A figure is compared while no position in it has changed since it was worked out: then what could be
counted at its as-of is what can be counted now. Exclusions, quotas and thresholds only lower it.
"""

from config.invariants import by_sql, register

register(
    by_sql(
        "availability.published",
        "A channel's figure is not above what all nodes together could promise at its as-of",
        "Figure {}: {} units, but there were {}.",
        """
        WITH free AS (
            SELECT sku_id, max(changed_xid) AS changed,
                sum(greatest(0, sellable - reserved - buffer - landed)) AS units
            FROM inventory_stockposition
            WHERE {account} AND (owner_id = account_id
                OR owner_id IN (SELECT owner_id FROM inventory_ownerchannel))
            GROUP BY 1
        ), made AS (
            SELECT c.kit_id AS sku_id, max(coalesce(free.changed, 0)) AS changed,
                min(floor(coalesce(free.units, 0) / c.quantity)) AS units
            FROM inventory_kitcomponent c LEFT JOIN free ON free.sku_id = c.component_id
            GROUP BY 1
        )
        SELECT known.id, known.ats, coalesce(free.units, 0) + coalesce(made.units, 0)
        FROM (SELECT * FROM inventory_channelavailability WHERE {account}) AS known
        LEFT JOIN free ON free.sku_id = known.sku_id
        LEFT JOIN made ON made.sku_id = known.sku_id
        WHERE greatest(coalesce(free.changed, 0), coalesce(made.changed, 0)) < known.seen_xid
          AND known.ats > coalesce(free.units, 0) + coalesce(made.units, 0)
          AND NOT EXISTS (SELECT FROM inventory_dirtysku d WHERE d.sku_id = known.sku_id)
        ORDER BY 1
        """,
    ),
    by_sql(
        "availability.version",
        "No channel was told a version that its figure has not had",
        "Figure {}: version {} was told, but it is at {}.",
        """
        SELECT id, published_version, version FROM inventory_channelavailability
        WHERE {account} AND published_version > version ORDER BY 1
        """,
    ),
)
