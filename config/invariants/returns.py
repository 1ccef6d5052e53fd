"""What comes back: its units, its money, and the orders that follow."""

from config.invariants import by_sql, register

register(
    by_sql(
        "returns.units",
        "A return line has accepted no more than came, and came as its receipts say",
        "Return line {}: {} received, but its receipts hold {}.",
        """
        SELECT line.id, line.received, coalesce(came.units, 0)
        FROM (SELECT * FROM returns_returnline WHERE {account}) AS line
        LEFT JOIN (SELECT line_id, sum(quantity) AS units FROM returns_receiptline
            WHERE {account} GROUP BY 1) AS came ON came.line_id = line.id
        WHERE line.received <> coalesce(came.units, 0)
          OR line.accepted + line.rejected > line.received
        ORDER BY line.id
        """,
    ),
    by_sql(
        "returns.graded",
        "What is accepted or rejected is what inspections say",
        "Return line {}: {} accepted and {} rejected, but its inspections say otherwise.",
        """
        SELECT line.id, line.accepted, line.rejected
        FROM (SELECT * FROM returns_returnline WHERE {account}) AS line
        LEFT JOIN (SELECT line_id, coalesce(sum(quantity) FILTER (WHERE accepted), 0) AS good,
                coalesce(sum(quantity) FILTER (WHERE NOT accepted), 0) AS bad
            FROM returns_inspection WHERE {account} GROUP BY 1) AS found
            ON found.line_id = line.id
        WHERE line.accepted <> coalesce(found.good, 0) OR line.rejected <> coalesce(found.bad, 0)
        ORDER BY line.id
        """,
    ),
    by_sql(
        "returns.stock",
        "What was graded lies on the book, by one movement per inspection",
        "Inspection {} is of {} units, but {} were put on the book for it.",
        """
        SELECT found.id, found.quantity, coalesce(sum(moved.quantity), 0)
        FROM (SELECT * FROM returns_inspection WHERE {account}) AS found
        JOIN returns_returnline line ON line.id = found.line_id AND line.sku_id IS NOT NULL
        LEFT JOIN inventory_movement moved
            ON moved.source = 'returns' AND moved.external_id = found.id::text
            AND moved.account_id = found.account_id
        GROUP BY found.id, found.quantity
        HAVING coalesce(sum(moved.quantity), 0) <> found.quantity ORDER BY found.id
        """,
    ),
    by_sql(
        "returns.awaited",
        "Open returns announce no more units of a line than were delivered",
        "Line {}: {} delivered and {} back, but {} more are announced.",
        """
        SELECT line.id, line.delivered, line.returned, sum(greatest(0, back.requested - back.received))
        FROM (SELECT * FROM orders_orderline WHERE {account}) AS line
        JOIN returns_returnline back ON back.order_line_id = line.id
        JOIN returns_return AS return ON return.id = back.returned_id
            AND return.state IN ('requested', 'review', 'authorized', 'in_transit',
                'received', 'inspected')
            AND return.kind <> 'sent_back'
        GROUP BY line.id, line.delivered, line.returned
        HAVING line.returned + sum(greatest(0, back.requested - back.received)) > line.delivered
        ORDER BY line.id
        """,
    ),
    by_sql(
        "returns.money",
        "What a return was credited is what its credit notes say",
        "Return {}: {} credited, but its credit notes add up to {}.",
        """
        SELECT return.id, return.credited_minor, coalesce(noted.minor, 0)
        FROM (SELECT * FROM returns_return WHERE {account}) AS return
        LEFT JOIN (SELECT cause_id, sum(amount_minor) AS minor FROM orders_creditnote
            WHERE cause_kind = 'return' AND {account} GROUP BY 1) AS noted
            ON noted.cause_id = return.id
        WHERE return.credited_minor <> coalesce(noted.minor, 0) ORDER BY return.id
        """,
    ),
    by_sql(
        "money.credits",
        "What an order was credited is the sum of its credit notes",
        "Order {}: {} credited, but its credit notes add up to {}.",
        """
        SELECT o.id, o.credited_minor, coalesce(noted.minor, 0)
        FROM (SELECT * FROM orders_order WHERE {account}) AS o
        LEFT JOIN (SELECT order_id, sum(amount_minor) AS minor FROM orders_creditnote
            WHERE {account} GROUP BY 1) AS noted ON noted.order_id = o.id
        WHERE o.credited_minor <> coalesce(noted.minor, 0) ORDER BY o.id
        """,
    ),
    by_sql(
        "money.credit_parts",
        "A credit note is the sum of its parts",
        "Credit note {} is of {}, but its parts add up to {}.",
        """
        SELECT note.id, note.amount_minor, coalesce(part.minor, 0)
        FROM (SELECT * FROM orders_creditnote WHERE {account}) AS note
        LEFT JOIN (SELECT note_id, sum(amount_minor) AS minor FROM orders_creditline
            WHERE {account} GROUP BY 1) AS part ON part.note_id = note.id
        WHERE note.amount_minor <> coalesce(part.minor, 0) ORDER BY note.id
        """,
    ),
    by_sql(
        "money.credited_once",
        "No unit is credited twice, and none that never left",
        "Line {}: {} shipped, but {} units are credited.",
        """
        SELECT line.id, line.shipped, sum(part.quantity)
        FROM (SELECT * FROM orders_orderline WHERE {account}) AS line
        JOIN orders_creditline part ON part.line_id = line.id
        GROUP BY line.id, line.shipped HAVING sum(part.quantity) > line.shipped
        ORDER BY line.id
        """,
    ),
    by_sql(
        "money.credits_answered",
        "Every credit was carried to another order, asked for, or waits",
        "Order {}: {} credited, of which {} waits, but its tenders answer for {}.",
        """
        SELECT o.id, o.credited_minor, o.credit_open_minor, coalesce(sum(tender.credited_minor), 0)
        FROM (SELECT * FROM orders_order WHERE {account}) AS o
        JOIN orders_tender tender ON tender.order_id = o.id
        GROUP BY o.id, o.credited_minor, o.credit_open_minor
        HAVING o.credited_minor <> o.credit_open_minor + coalesce(sum(tender.credited_minor), 0)
        ORDER BY o.id
        """,
    ),
    by_sql(
        "money.carried",
        "What is given back or carried to another order was taken",
        "Tender {}: {} taken, but {} given back and {} carried to another order.",
        """
        SELECT id, captured_minor, refunded_minor, carried_minor
        FROM orders_tender
        WHERE collected_by = 'us' AND refunded_minor + carried_minor > captured_minor
          AND {account}
        ORDER BY id
        """,
    ),
)
