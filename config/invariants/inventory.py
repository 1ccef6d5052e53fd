"""Invariant 1: the books of supply add up."""

from config.invariants import by_sql, register

register(
    by_sql(
        "stock.on_hand",
        "On hand is the sum of the movements of its level",
        "Level {}: {} on hand, but its movements add up to {}.",
        """
        SELECT level.id, level.on_hand, coalesce(moved.units, 0)
        FROM (SELECT * FROM inventory_stocklevel WHERE {account}) AS level
        LEFT JOIN (SELECT level_id, sum(quantity) AS units FROM inventory_movement
            WHERE {account} GROUP BY 1) AS moved ON moved.level_id = level.id
        WHERE level.on_hand <> coalesce(moved.units, 0) ORDER BY 1
        """,
    ),
    by_sql(
        "stock.movement_without_level",
        "Every movement belongs to a level",
        "Movements name level {}, which does not exist.",
        """
        SELECT DISTINCT moved.level_id
        FROM (SELECT * FROM inventory_movement WHERE {account}) AS moved
        WHERE NOT EXISTS (SELECT FROM inventory_stocklevel level WHERE level.id = moved.level_id)
        ORDER BY 1
        """,
    ),
    by_sql(
        "stock.sellable",
        "Sellable is what lies on the sellable levels of the position",
        "Position {}: {} sellable, but its levels hold {}.",
        """
        SELECT position.id, position.sellable, coalesce(held.units, 0)
        FROM (SELECT * FROM inventory_stockposition WHERE {account}) AS position
        LEFT JOIN (SELECT position_id, sum(on_hand) AS units FROM inventory_stocklevel
            WHERE condition = 'available' AND {account} GROUP BY 1) AS held
            ON held.position_id = position.id
        WHERE position.sellable <> coalesce(held.units, 0) ORDER BY 1
        """,
    ),
    by_sql(
        "stock.reserved",
        "Reserved is the sum of the position's open reservations",
        "Position {}: {} reserved, but its open reservations claim {}.",
        """
        SELECT position.id, position.reserved, coalesce(claimed.units, 0)
        FROM (SELECT * FROM inventory_stockposition WHERE {account}) AS position
        LEFT JOIN (SELECT position_id, sum(quantity - consumed - released) AS units
            FROM inventory_reservation
            WHERE state IN ('held', 'reserved', 'committed') AND {account} GROUP BY 1) AS claimed
            ON claimed.position_id = position.id
        WHERE position.reserved <> coalesce(claimed.units, 0) ORDER BY 1
        """,
    ),
    by_sql(
        "stock.oversold",
        "No more is reserved than there is, beyond a shortfall that says so",
        "Position {}: {} reserved of {} sellable with a shortfall of {}.",
        """
        SELECT id, reserved, sellable, shortfall FROM inventory_stockposition
        WHERE {account}
          AND (reserved < 0 OR shortfall <> greatest(0, reserved - sellable)) ORDER BY 1
        """,
    ),
    by_sql(
        "stock.shortfall_work",
        "A shortfall has one open row of work, of its size",
        "Position {}: a shortfall of {}, but open work for {}.",
        """
        SELECT position.id, position.shortfall, coalesce(work.quantity, 0)
        FROM (SELECT * FROM inventory_stockposition WHERE {account}) AS position
        LEFT JOIN inventory_shortfallwork work
            ON work.position_id = position.id AND work.done_at IS NULL
        WHERE position.shortfall <> coalesce(work.quantity, 0) ORDER BY 1
        """,
    ),
    by_sql(
        "stock.landed_work",
        "Units set aside have one open row of work, of their number",
        "Position {}: {} landed, but open work for {}.",
        """
        SELECT position.id, position.landed, coalesce(work.quantity, 0)
        FROM (SELECT * FROM inventory_stockposition WHERE {account}) AS position
        LEFT JOIN inventory_landedwork work
            ON work.position_id = position.id AND work.done_at IS NULL
        WHERE position.landed <> coalesce(work.quantity, 0) ORDER BY 1
        """,
    ),
    by_sql(
        "stock.reservation_place",
        "A reservation is for the node, SKU and account of its position; a waiting one for such as exist",
        "Reservation {} names another place than its position {}, or one that is not there.",
        """
        SELECT claim.id, claim.position_id
        FROM (SELECT * FROM inventory_reservation WHERE {account}) AS claim
        JOIN inventory_stockposition position ON position.id = claim.position_id
        WHERE (claim.node_id, claim.sku_id, claim.account_id)
            IS DISTINCT FROM (position.node_id, position.sku_id, position.account_id)
        UNION ALL
        SELECT claim.id, NULL
        FROM (SELECT * FROM inventory_reservation WHERE {account} AND position_id IS NULL) AS claim
        LEFT JOIN inventory_sku sku ON sku.id = claim.sku_id
        LEFT JOIN inventory_node node ON node.id = claim.node_id
        LEFT JOIN inventory_inboundline line ON line.id = claim.inbound_line_id
        WHERE sku.account_id IS DISTINCT FROM claim.account_id OR line.sku_id <> claim.sku_id
            OR claim.node_id IS NOT NULL AND node.id IS NULL
        ORDER BY 1
        """,
    ),
    by_sql(
        "stock.buffer",
        "A buffer is the safety stock that rules or people have set, and the node's haircut",
        "Position {}: {} kept back, but rules and hands say {} and the haircut is {}.",
        """
        SELECT position.id, position.buffer, coalesce(safety.units, 0), position.haircut
        FROM (SELECT * FROM inventory_stockposition WHERE {account}) AS position
        LEFT JOIN inventory_positionsafety safety ON safety.position_id = position.id
        WHERE position.buffer <> coalesce(safety.units, 0) + position.haircut ORDER BY 1
        """,
    ),
    by_sql(
        "stock.sold_ahead",
        "No cap counts less than what is sold ahead under it",
        "Cap {}: {} counted, but {} units wait under it.",
        """
        SELECT cap.id, cap.used, counted.units
        FROM (SELECT * FROM inventory_aheadcap WHERE {account}) AS cap
        JOIN LATERAL (
            SELECT sum(claim.quantity - claim.consumed - claim.released) AS units
            FROM inventory_backing backing
            JOIN inventory_reservation claim ON claim.id = backing.reservation_id
                AND claim.state = 'waiting'
            WHERE backing.cap_id = cap.id) AS counted ON true
        WHERE cap.used < counted.units ORDER BY 1
        """,
    ),
    by_sql(
        "stock.quota_used",
        "A live quota has used what its reservations count",
        "Quota {}: {} used, but its reservations count {}.",
        """
        SELECT quota.id, quota.used, coalesce(counted.units, 0)
        FROM (SELECT * FROM inventory_quota WHERE {account}) AS quota
        LEFT JOIN LATERAL (
            SELECT sum(claim.quantity - claim.released
                - CASE WHEN quota.kind = 'fixed' THEN 0 ELSE claim.consumed END) AS units
            FROM inventory_quotause use
            JOIN inventory_reservation claim ON claim.id = use.reservation_id
            WHERE use.quota_id = quota.id) AS counted ON true
        WHERE quota.state = 'live' AND quota.used <> coalesce(counted.units, 0) ORDER BY 1
        """,
    ),
)
