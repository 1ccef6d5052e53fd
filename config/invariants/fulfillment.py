"""Invariant 3, as far as nodes and parcels go: every unit at a node is asked for, every unit that
left lies in a parcel.
"""

from config.invariants import by_sql, register

register(
    by_sql(
        "fulfillment.released",
        "Every released unit stands on one live fulfillment line",
        "Order line {}: {} released, but its fulfillment lines hold {}.",
        """
        SELECT line.id, line.released, coalesce(work.units, 0)
        FROM (SELECT * FROM orders_orderline WHERE {account}) AS line
        LEFT JOIN (SELECT order_line_id, sum(waiting + accepted + picked + packed) AS units
            FROM fulfillment_fulfillmentline WHERE {account} GROUP BY 1) AS work
            ON work.order_line_id = line.id
        WHERE line.released <> coalesce(work.units, 0) ORDER BY 1
        """,
    ),
    by_sql(
        "fulfillment.shipped",
        "Every unit that we shipped stands on one fulfillment line",
        "Order line {}: {} shipped, but its fulfillment lines shipped {}.",
        """
        SELECT line.id, line.shipped, coalesce(work.units, 0)
        FROM (SELECT * FROM orders_orderline WHERE {account}) AS line
        JOIN orders_order bought ON bought.id = line.order_id AND bought.mode = 'live'
        JOIN orders_deliverygroup place ON place.id = line.group_id
            AND place.fulfilled_by = 'us' AND place.method NOT IN ('digital', 'none')
        LEFT JOIN (SELECT order_line_id, sum(shipped + collected) AS units
            FROM fulfillment_fulfillmentline WHERE {account} GROUP BY 1) AS work
            ON work.order_line_id = line.id
        WHERE line.kind = 'stock' AND line.shipped <> coalesce(work.units, 0) ORDER BY 1
        """,
    ),
    by_sql(
        "fulfillment.parcels",
        "What a fulfillment line shipped and has packed lies in parcels, excess apart",
        "Fulfillment line {}: {} shipped and {} packed, but parcels hold {} and {}.",
        """
        SELECT line.id, line.shipped + line.collected, line.packed,
            coalesce(boxed.gone, 0), coalesce(boxed.here, 0)
        FROM (SELECT * FROM fulfillment_fulfillmentline WHERE {account}) AS line
        JOIN fulfillment_fulfillmentorder work ON work.id = line.fulfillment_order_id
        LEFT JOIN (SELECT content.line_id,
                sum(content.quantity) FILTER (WHERE box.handed_over_at IS NOT NULL) AS gone,
                sum(content.quantity)
                    FILTER (WHERE box.state IN ('packed', 'labelled', 'manifested')) AS here
            FROM (SELECT * FROM fulfillment_parcelline WHERE {account}) AS content
            JOIN fulfillment_parcel box ON box.id = content.parcel_id GROUP BY 1) AS boxed
            ON boxed.line_id = line.id
        WHERE line.shipped + line.collected <> coalesce(boxed.gone, 0)
           OR work.method <> 'pickup' AND line.packed <> coalesce(boxed.here, 0) ORDER BY 1
        """,
    ),
    by_sql(
        "fulfillment.reservations",
        "A fulfillment line's live units are claimed, its shipped ones consumed",
        "Fulfillment line {}: {} live and {} shipped, but its reservation has {} open, {} consumed.",
        """
        SELECT line.id, line.waiting + line.accepted + line.picked + line.packed,
            line.shipped + line.collected, claim.quantity - claim.consumed - claim.released,
            claim.consumed
        FROM (SELECT * FROM fulfillment_fulfillmentline WHERE {account}) AS line
        LEFT JOIN inventory_reservation claim ON claim.id = line.reservation_id
        WHERE claim.id IS NULL
           OR line.waiting + line.accepted + line.picked + line.packed
              <> claim.quantity - claim.consumed - claim.released
           OR line.shipped + line.collected <> claim.consumed ORDER BY 1
        """,
    ),
    by_sql(
        "fulfillment.not_ours",
        "A group that is not ours has no fulfillment order",
        "Fulfillment order {} is of a group that {} fulfills.",
        """
        SELECT work.id, place.fulfilled_by
        FROM (SELECT * FROM fulfillment_fulfillmentorder WHERE {account}) AS work
        JOIN orders_deliverygroup place ON place.id = work.group_id
        WHERE place.fulfilled_by <> 'us' ORDER BY 1
        """,
    ),
    by_sql(
        "fulfillment.state",
        "A fulfillment order is open while a unit of it is",
        "Fulfillment order {} is {} with {} units left.",
        """
        SELECT work.id, work.state, sum(line.waiting + line.accepted + line.picked + line.packed)
        FROM (SELECT * FROM fulfillment_fulfillmentorder WHERE {account}) AS work
        JOIN fulfillment_fulfillmentline line ON line.fulfillment_order_id = work.id
        GROUP BY work.id, work.state
        HAVING work.state <> 'expired' AND
            (sum(line.waiting + line.accepted + line.picked + line.packed) > 0)
            <> (work.state IN ('released', 'acknowledged', 'picking', 'packed',
                               'ready_for_pickup'))
        ORDER BY 1
        """,
    ),
    by_sql(
        "fulfillment.journeys",
        "A line's delivered, lost and returned units are those of its parcels",
        "Order line {}: {} delivered, {} lost, {} sent back; its parcels say {}, {}, {}.",
        """
        SELECT line.id, line.delivered, line.lost, line.sent_back,
            boxed.delivered, boxed.lost, boxed.sent_back
        FROM (SELECT * FROM orders_orderline WHERE {account}) AS line
        JOIN (SELECT work.order_line_id,
                coalesce(sum(content.quantity)
                    FILTER (WHERE box.state = 'delivered'), 0) AS delivered,
                coalesce(sum(content.quantity) FILTER (WHERE box.state = 'lost'), 0) AS lost,
                coalesce(sum(content.quantity)
                    FILTER (WHERE box.state = 'returned'), 0) AS sent_back
            FROM (SELECT * FROM fulfillment_fulfillmentline WHERE {account}) AS work
            JOIN fulfillment_parcelline content ON content.line_id = work.id
            JOIN fulfillment_parcel box ON box.id = content.parcel_id GROUP BY 1) AS boxed
            ON boxed.order_line_id = line.id
        WHERE (line.delivered, line.lost, line.sent_back)
            <> (boxed.delivered, boxed.lost, boxed.sent_back) ORDER BY 1
        """,
    ),
)
