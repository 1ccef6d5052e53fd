"""Promises keep within what binds them: what channels promise, and what buyers were quoted."""

from config.invariants import by_sql, register

register(
    by_sql(
        "promises.channel",
        "Nobody promises later than the channel does",
        "Group {} is promised until {}, but its channel promises {}.",
        """
        SELECT delivery.id, promise.deliver_latest,
            (delivery.bounds -> 'channel' ->> 'deliver_by')::timestamptz
        FROM (SELECT * FROM orders_deliverygroup WHERE {account} AND bounds ? 'channel') AS delivery
        JOIN orders_promise promise ON promise.group_id = delivery.id
        WHERE promise.deliver_latest > (delivery.bounds -> 'channel' ->> 'deliver_by')::timestamptz
            OR promise.ship_by > (delivery.bounds -> 'channel' ->> 'ship_by')::timestamptz
        ORDER BY promise.id
        """,
    ),
    by_sql(
        "promises.quoted",
        "What a buyer was quoted is what stands, until the buyer is given another date",
        "Group {} is promised until {}, but its buyer was quoted {}.",
        """
        SELECT delivery.id, delivery.deliver_by,
            (delivery.bounds -> 'quote' ->> 'deliver_by')::timestamptz
        FROM orders_deliverygroup delivery
        WHERE {account} AND delivery.bounds ? 'quote' AND delivery.deliver_by IS NOT NULL
          AND delivery.deliver_by > (delivery.bounds -> 'quote' ->> 'deliver_by')::timestamptz
        ORDER BY delivery.id
        """,
    ),
)
