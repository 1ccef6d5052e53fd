"""Invariants 2 to 5, as far as orders and their reservations tell: units, states and money."""

from config.invariants import by_sql, register
from orders.selectors import Machine, machines

register(
    by_sql(
        "orders.once",
        "One order per channel, document kind and external id",
        "Order {}: {} more orders have its channel, kind and external id.",
        """
        SELECT min(id::text), count(*) - 1 FROM orders_order WHERE {account}
        GROUP BY channel_id, document_kind, external_id HAVING count(*) > 1
        """,
    ),
    by_sql(
        "orders.units",
        "The units of a line add up",
        "Line {}: {} ordered, but its buckets hold {}.",
        """
        SELECT id, ordered, pending + backordered + reserved + released + shipped + cancelled
        FROM orders_orderline
        WHERE kind <> 'kit' AND {account}
          AND (ordered <> pending + backordered + reserved + released + shipped + cancelled
            OR shipped <> underway + delivered + lost + sent_back OR returned > delivered)
        ORDER BY id
        """,
    ),
    by_sql(
        "orders.reserved",
        "Every reserved unit of a line has one open reservation",
        "Line {}: {} reserved, but {} units are reserved for it.",
        """
        SELECT line.id, line.reserved, coalesce(claimed.units, 0)
        FROM (SELECT * FROM orders_orderline WHERE {account}) AS line
        LEFT JOIN (SELECT demand_id, sum(quantity - consumed - released) AS units
            FROM inventory_reservation WHERE state IN ('held', 'reserved') AND {account}
            GROUP BY 1) AS claimed ON claimed.demand_id = line.id
        WHERE line.reserved <> coalesce(claimed.units, 0) ORDER BY line.id
        """,
    ),
    by_sql(
        "orders.backordered",
        "Every backordered unit of a line waits for supply",
        "Line {}: {} backordered, but {} units wait for it.",
        """
        SELECT line.id, line.backordered, coalesce(queued.units, 0)
        FROM (SELECT * FROM orders_orderline WHERE {account}) AS line
        LEFT JOIN (SELECT demand_id, sum(quantity - consumed - released) AS units
            FROM inventory_reservation WHERE state = 'waiting' AND {account}
            GROUP BY 1) AS queued ON queued.demand_id = line.id
        WHERE line.backordered <> coalesce(queued.units, 0) ORDER BY line.id
        """,
    ),
    by_sql(
        "orders.not_ours",
        "What is not ours to fulfill has no reservation",
        "Line {} belongs to a group fulfilled by {}, and has a reservation.",
        """
        SELECT line.id, delivery.fulfilled_by
        FROM (SELECT * FROM orders_orderline WHERE {account}) AS line
        JOIN orders_deliverygroup delivery ON delivery.id = line.group_id
        WHERE delivery.fulfilled_by <> 'us' AND EXISTS (
            SELECT FROM inventory_reservation claim WHERE claim.demand_id = line.id)
        ORDER BY line.id
        """,
    ),
    by_sql(
        "orders.cancellations",
        "Every cancelled unit says why",
        "Line {}: {} cancelled, but its cancellations name {}.",
        """
        SELECT line.id, line.cancelled, coalesce(said.units, 0)
        FROM (SELECT * FROM orders_orderline WHERE {account}) AS line
        LEFT JOIN (SELECT line_id, sum(quantity) AS units FROM orders_linecancellation
            WHERE {account} GROUP BY 1) AS said ON said.line_id = line.id
        WHERE line.cancelled <> coalesce(said.units, 0) ORDER BY line.id
        """,
    ),
    by_sql(
        "orders.holds",
        "An order counts the holds that stand on it",
        "Order {} counts {} holds, but {} stand.",
        """
        SELECT o.id, o.holds_open, coalesce(held.holds, 0)
        FROM (SELECT * FROM orders_order WHERE {account}) AS o
        LEFT JOIN (SELECT order_id, count(*) AS holds FROM orders_hold
            WHERE state = 'active' AND {account} GROUP BY 1) AS held ON held.order_id = o.id
        WHERE o.holds_open <> coalesce(held.holds, 0) ORDER BY o.id
        """,
    ),
    by_sql(
        "orders.cancelled",
        "An order is cancelled exactly when nothing of it is left",
        "Order {} is {}, with {} units not cancelled.",
        """
        SELECT o.id, o.state, sum(line.ordered - line.cancelled)
        FROM (SELECT * FROM orders_order WHERE {account}) AS o
        JOIN orders_orderline line ON line.order_id = o.id AND line.kind <> 'kit'
        GROUP BY o.id, o.state
        HAVING o.state = 'cancelled' AND sum(line.ordered - line.cancelled) > 0
            OR o.state IN ('captured', 'accepted') AND sum(line.ordered) > 0
                AND sum(line.ordered - line.cancelled) = 0
        ORDER BY o.id
        """,
    ),
    by_sql(
        "money.captures",
        "A tender counts what was asked for and not refused, and takes no more than it holds",
        "Tender {}: {} counted as captured, but {} was asked for or taken in advance.",
        """
        SELECT tender.id, tender.captured_minor, coalesce(taken.minor, 0)
        FROM (SELECT * FROM orders_tender WHERE {account}) AS tender
        LEFT JOIN (SELECT tender_id, sum(amount_minor) AS minor FROM orders_capture
            WHERE state NOT IN ('failed', 'withdrawn') AND {account} GROUP BY 1) AS taken
            ON taken.tender_id = tender.id
        WHERE coalesce(taken.minor, 0) > tender.captured_minor ORDER BY tender.id
        """,
    ),
    by_sql(
        "money.refunds",
        "No tender gives back more than it took, to buyers and to banks",
        "Tender {}: {} given back of {} captured.",
        """
        SELECT tender.id, given.minor + tender.charged_back_minor, tender.captured_minor
        FROM (SELECT * FROM orders_tender WHERE {account}) AS tender
        JOIN (SELECT tender_id, sum(amount_minor) AS minor FROM orders_refund
            WHERE state NOT IN ('failed', 'retried') AND {account} GROUP BY 1) AS given
            ON given.tender_id = tender.id
        WHERE given.minor + tender.charged_back_minor > tender.captured_minor ORDER BY tender.id
        """,
    ),
    by_sql(
        "money.charged_back",
        "A tender counts as charged back what its chargebacks say",
        "Tender {}: {} charged back, but its chargebacks add up to {}.",
        """
        SELECT tender.id, tender.charged_back_minor, coalesce(taken.minor, 0)
        FROM (SELECT * FROM orders_tender WHERE {account}) AS tender
        LEFT JOIN (SELECT taken.tender_id, sum(taken.amount_minor - lost.beyond_minor) AS minor
            FROM (SELECT * FROM orders_chargeback WHERE {account}) AS taken
            JOIN orders_dispute lost ON lost.id = taken.dispute_id GROUP BY 1) AS taken
            ON taken.tender_id = tender.id
        WHERE tender.charged_back_minor <> coalesce(taken.minor, 0) ORDER BY tender.id
        """,
    ),
    by_sql(
        "money.disputes",
        "A dispute that was lost, and no other, has its chargeback",
        "Dispute {} is {}, and has {} chargebacks of its amount.",
        """
        SELECT dispute.id, dispute.state, count(taken.id)
        FROM (SELECT * FROM orders_dispute WHERE {account}) AS dispute
        LEFT JOIN orders_chargeback taken ON taken.dispute_id = dispute.id
            AND taken.amount_minor = dispute.amount_minor AND taken.tender_id = dispute.tender_id
        GROUP BY dispute.id, dispute.state
        HAVING (dispute.state = 'lost') <> (count(taken.id) = 1) ORDER BY dispute.id
        """,
    ),
    by_sql(
        "money.authorized",
        "No more is captured from an authorisation than it secures",
        "Authorisation {} secures {}, but {} was captured from it.",
        """
        SELECT secured.id, secured.amount_minor, sum(taken.amount_minor)
        FROM (SELECT * FROM orders_authorization WHERE {account}) AS secured
        JOIN orders_capture taken
            ON taken.authorization_id = secured.id
            AND taken.state NOT IN ('failed', 'withdrawn')
        GROUP BY secured.id, secured.amount_minor
        HAVING sum(taken.amount_minor) > secured.amount_minor ORDER BY secured.id
        """,
    ),
    by_sql(
        "money.elsewhere",
        "What others collect is neither captured nor refunded by us",
        "Tender {} is collected by {}, and has a capture or refund of ours.",
        """
        SELECT tender.id, tender.collected_by
        FROM (SELECT * FROM orders_tender WHERE {account}) AS tender
        WHERE tender.collected_by <> 'us' AND (
            EXISTS (SELECT FROM orders_capture taken WHERE taken.tender_id = tender.id)
            OR EXISTS (SELECT FROM orders_refund given WHERE given.tender_id = tender.id))
        ORDER BY tender.id
        """,
    ),
    by_sql(
        "money.documents",
        "What an order has invoiced is the sum of its invoices",
        "Order {}: {} invoiced, but its invoices add up to {}.",
        """
        SELECT o.id, o.invoiced_minor, coalesce(charged.minor, 0)
        FROM (SELECT * FROM orders_order WHERE {account}) AS o
        LEFT JOIN (SELECT order_id, sum(CASE kind WHEN 'invoice' THEN amount_minor
                ELSE -amount_minor END) AS minor
            FROM orders_invoice WHERE {account} GROUP BY 1) AS charged ON charged.order_id = o.id
        WHERE o.invoiced_minor <> coalesce(charged.minor, 0) ORDER BY o.id
        """,
    ),
    by_sql(
        "money.balance",
        "When nothing is open, invoices and cancellations are the order's total",
        "Order {} costs {}, but {} was invoiced or cancelled.",
        """
        SELECT o.id, o.total_minor, o.invoiced_minor + o.cancelled_minor
        FROM (SELECT * FROM orders_order WHERE {account}) AS o
        WHERE o.mode <> 'history' AND o.state IN ('accepted', 'closed', 'cancelled')
          AND o.invoiced_minor + o.cancelled_minor <> o.total_minor
          AND EXISTS (SELECT FROM orders_orderline line WHERE line.order_id = o.id)
          AND NOT EXISTS (SELECT FROM orders_orderline line WHERE line.order_id = o.id
            AND line.pending + line.backordered + line.reserved + line.released > 0)
        ORDER BY o.id
        """,
    ),
    by_sql(
        "history.events",
        "Every order has its events, as many as its version says",
        "Order {} is at version {}, but its last event is number {}.",
        """
        SELECT o.id, o.event_seq, coalesce(told.seq, 0)
        FROM (SELECT * FROM orders_order WHERE {account}) AS o
        LEFT JOIN (SELECT subject_id, max(seq) AS seq FROM kernel_event
            WHERE subject_kind = 'order' AND {account} GROUP BY 1) AS told
            ON told.subject_id = o.id
        WHERE o.event_seq <> coalesce(told.seq, 0) ORDER BY o.id
        """,
    ),
)


def _legal_steps(machine: Machine) -> str:
    """The declared steps as SQL rows; several steps in one transaction count too."""
    steps = set(machine.steps)
    while True:
        longer = {(a, d) for a, b in steps for c, d in steps if b == c}
        if longer <= steps:
            return ", ".join(f"('{source}', '{target}')" for source, target in sorted(steps))
        steps |= longer


register(
    *(
        by_sql(
            f"history.{machine.name}",
            f"The states of every {machine.name} follow its graph",
            "{} went from {} to {}, which its graph does not know.",
            f"""
            SELECT id, before, state FROM (
                SELECT id, state, account_id, lag(state) OVER (
                    PARTITION BY id ORDER BY history_id) AS before
                FROM {machine.history_table}) AS path
            WHERE {{account}} AND before IS NOT NULL AND before <> state
              AND (before, state) NOT IN ({_legal_steps(machine)})
            ORDER BY id
            """,  # noqa: S608  # states of the model's own graph
        )
        for machine in machines()
    ),
)
