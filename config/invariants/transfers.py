"""Invariant 1 for goods that move between nodes: documents and ledger tell the same."""

from config.invariants import by_sql, register


def _told(end: str, counted: str, sign: str) -> str:
    """Units per open transfer and SKU as its lines say and as the ledger of one end says."""
    return f"""
        SELECT told.number, told.sku_id, told.units, coalesce(moved.units, 0)
        FROM (SELECT transfer.id, transfer.number, transfer.{end}_id AS node_id, line.sku_id,
                sum({counted}) AS units
            FROM (SELECT * FROM inventory_transfer WHERE {{account}}) AS transfer
            JOIN inventory_transferline line ON line.transfer_id = transfer.id
            WHERE transfer.state IN ('draft', 'approved', 'released', 'shipped', 'received')
            GROUP BY 1, 2, 3, 4) AS told
        LEFT JOIN LATERAL (SELECT {sign}sum(quantity) AS units FROM inventory_movement movement
            WHERE movement.cause_id = told.id AND movement.kind = 'transfer'
              AND movement.node_id = told.node_id AND movement.sku_id = told.sku_id) AS moved
            ON true
        WHERE told.units <> coalesce(moved.units, 0) ORDER BY 1, 2
    """  # noqa: S608  # own text


register(
    by_sql(
        "transfers.shipped",
        "What the lines of a transfer have shipped left its source",
        "Transfer {}, SKU {}: {} shipped, but {} left the source.",
        _told("source", "line.shipped", "-"),
    ),
    by_sql(
        "transfers.received",
        "What the lines of a transfer have received came to its destination",
        "Transfer {}, SKU {}: {} received, but {} came to the destination.",
        _told("destination", "line.received + line.damaged", ""),
    ),
    by_sql(
        "transfers.reserved",
        "Only a transfer that its source is asked for has reservations, and no more than it asks",
        "Transfer {}, line {}: {} reserved while it is {}.",
        """
        SELECT transfer.number, line.id, claimed.units, transfer.state
        FROM (SELECT * FROM inventory_transfer WHERE {account}) AS transfer
        JOIN inventory_transferline line ON line.transfer_id = transfer.id
        JOIN LATERAL (SELECT sum(quantity - consumed - released) AS units
            FROM inventory_reservation claim
            WHERE claim.demand_id = line.id AND claim.state IN ('held', 'reserved', 'committed')
            ) AS claimed ON claimed.units > 0
        WHERE transfer.state NOT IN ('released', 'shipped')
           OR claimed.units > line.requested - least(line.shipped, line.requested)
        ORDER BY 1, 2
        """,
    ),
)
