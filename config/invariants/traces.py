"""Invariant 10: what the law wants on record of a line is there when it has left."""

from config.invariants import by_sql, register

register(
    by_sql(
        "trace.regulated",
        "A regulated line ships only with lot, serial and expiry recorded and verified",
        "Of line {} in parcel {}, {} units left and {} of them are verified; no case says so.",
        """
        SELECT content.line_id, content.parcel_id, content.quantity + content.excess,
            coalesce(known.units, 0)
        FROM (SELECT * FROM fulfillment_parcelline WHERE {account}) AS content
        JOIN fulfillment_parcel parcel ON parcel.id = content.parcel_id
            AND parcel.handed_over_at IS NOT NULL AND parcel.state <> 'voided'
        JOIN fulfillment_fulfillmentline line ON line.id = content.line_id
        JOIN inventory_sku sku ON sku.id = line.sku_id AND sku.regulation = 'medicine'
        LEFT JOIN LATERAL (
            SELECT sum(traced.quantity) AS units FROM fulfillment_tracedunits traced
            WHERE traced.parcel_id = content.parcel_id AND traced.line_id = content.line_id
              AND traced.verified AND traced.lot <> ''
              AND (NOT sku.serial_tracked OR traced.serial <> '')) AS known ON true
        WHERE coalesce(known.units, 0) < content.quantity + content.excess
          AND NOT EXISTS (SELECT FROM kernel_casereport report
            WHERE report.kind = 'TRACE_MISSING' AND report.subject_id = content.parcel_id)
          AND NOT EXISTS (SELECT FROM kernel_case found
            WHERE found.kind = 'TRACE_MISSING' AND found.subject_id = content.parcel_id)
        ORDER BY 1
        """,
    ),
    by_sql(
        "trace.whole",
        "No more is recorded of a line in a parcel than lies in it",
        "Of line {} in parcel {}, {} units lie there, but {} are recorded.",
        """
        SELECT content.line_id, content.parcel_id, content.quantity + content.excess, known.units
        FROM (SELECT * FROM fulfillment_parcelline WHERE {account}) AS content
        JOIN (SELECT parcel_id, line_id, sum(quantity) AS units FROM fulfillment_tracedunits
            WHERE {account} AND parcel_id IS NOT NULL GROUP BY 1, 2) AS known
            ON (known.parcel_id, known.line_id) = (content.parcel_id, content.line_id)
        WHERE known.units > content.quantity + content.excess ORDER BY 1
        """,
    ),
)
