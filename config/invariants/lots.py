"""Invariants of lots: what is bound adds up, and nothing is on sale that may not be sold."""

from config.invariants import by_sql, register

register(
    by_sql(
        "stock.allocated",
        "What is bound of a level is the sum of its allocations",
        "Level {}: {} bound, but its allocations hold {}.",
        """
        SELECT level.id, level.allocated, coalesce(bound.units, 0)
        FROM (SELECT * FROM inventory_stocklevel WHERE {account}) AS level
        LEFT JOIN (SELECT level_id, sum(units) AS units FROM inventory_allocation
            WHERE {account} GROUP BY 1) AS bound ON bound.level_id = level.id
        WHERE level.allocated <> coalesce(bound.units, 0) ORDER BY 1
        """,
    ),
    by_sql(
        "stock.allocation_open",
        "No more is bound to a reservation than it still wants, and only where it claims",
        "Reservation {}: {} bound, but {} open.",
        """
        SELECT claim.id, bound.units, claim.quantity - claim.consumed - claim.released
        FROM (SELECT reservation_id, sum(units) AS units FROM inventory_allocation
            WHERE {account} GROUP BY 1) AS bound
        JOIN inventory_reservation claim ON claim.id = bound.reservation_id
        WHERE bound.units > claim.quantity - claim.consumed - claim.released
           OR claim.state NOT IN ('held', 'reserved', 'committed') ORDER BY 1
        """,
    ),
    by_sql(
        "stock.lot_on_sale",
        "Of a lot that is held, recalled or expired, and settled, nothing is on sale",
        "Level {}: {} units of lot {} are on sale, which is {}.",
        """
        SELECT level.id, level.on_hand, lot.code, lot.state
        FROM (SELECT * FROM inventory_lot WHERE {account}) AS lot
        JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
        JOIN inventory_stocklevel level ON level.position_id = position.id
            AND level.lot = lot.code AND level.condition = 'available' AND level.on_hand > 0
        WHERE lot.state <> 'active' AND NOT lot.unsettled ORDER BY 1
        """,
    ),
    by_sql(
        "stock.fresh_until",
        "A position says when the first of its lots on sale stops being sold",
        "Position {} says {}, but its lots say {}.",
        """
        SELECT position.id, position.fresh_until, min(
            (level.expires_on - sku.min_remaining_life_days)::timestamp AT TIME ZONE node.timezone)
        FROM (SELECT * FROM inventory_stockposition WHERE {account}) AS position
        JOIN inventory_sku sku ON sku.id = position.sku_id
        JOIN inventory_node node ON node.id = position.node_id
        LEFT JOIN inventory_stocklevel level ON level.position_id = position.id
            AND level.condition = 'available' AND level.on_hand > 0
            AND level.expires_on IS NOT NULL
        GROUP BY 1, 2
        HAVING position.fresh_until IS DISTINCT FROM min(
            (level.expires_on - sku.min_remaining_life_days)::timestamp AT TIME ZONE node.timezone)
        ORDER BY 1
        """,
    ),
)
