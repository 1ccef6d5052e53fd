"""Invariants of routing: looks at planned orders say what they wrote down, and move nothing round."""

from config.invariants import by_sql, register

register(
    by_sql(
        "routing.moves",
        "What a look says it moved is what it wrote down",
        "Look {}: {} moved, {} written down.",
        """
        SELECT r.id, r.moved, count(m.id)
        FROM (SELECT * FROM routing_replanrun WHERE {account}) AS r
        LEFT JOIN routing_replanmove m ON m.run_id = r.id
        WHERE r.took_ms > 0 GROUP BY r.id, r.moved HAVING r.moved <> count(m.id) ORDER BY r.id
        """,
    ),
    by_sql(
        "routing.churn",
        "No delivery group is sent from elsewhere more than twice a day",
        "Group {}: {} moves within the day before {}.",
        """
        SELECT group_id, times, at FROM (
            SELECT group_id, at, count(*) OVER (PARTITION BY group_id ORDER BY at
                RANGE BETWEEN '23:59:59' PRECEDING AND CURRENT ROW) AS times
            FROM routing_replanmove WHERE {account}) AS moves
        WHERE times > 2 ORDER BY group_id, at
        """,
    ),
)
