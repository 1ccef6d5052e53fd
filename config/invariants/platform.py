"""Invariants 6 and 7: changes have events, events deliveries, messages one end; jobs add up."""

from typing import Final

from config.invariants import Invariant, Violation, by_sql, register
from config.kernel import events
from config.kernel.types import Scope

_SUBJECTS: Final = (
    ("case", "kernel_case", "subject_id"),
    ("node", "inventory_node", "(data->>'node_id')::bigint"),
    ("position", "inventory_stockposition", "(data->>'position_id')::bigint"),
    ("fulfillment_order", "fulfillment_fulfillmentorder", "subject_id"),
    ("parcel", "fulfillment_parcel", "subject_id"),
    ("node_request", "fulfillment_noderequest", "subject_id"),
    ("return", "returns_return", "subject_id"),
    ("claim", "returns_claim", "subject_id"),
)
"""Subjects with a version: kind, table, and how an event names the row's key. Orders stand apart."""

_POSITION: Final = """
    SELECT xid, event_id FROM kernel_relaycursor
    UNION ALL
    SELECT '0'::xid8, '00000000-0000-0000-0000-000000000000'::uuid
    WHERE NOT EXISTS (SELECT FROM kernel_relaycursor)
"""


def _delivered(scope: Scope) -> list[Violation]:
    """Read the subscriptions when asked: apps subscribe at start-up, after this is imported."""
    owed = ", ".join(f"('{consumer}', '{topic}')" for consumer, topic in events.subscriptions())
    if not owed:
        return []
    return by_sql(
        _DELIVERED.code,
        _DELIVERED.title,
        "Event {} ({}) was never handed to {}.",
        f"""
        SELECT told.id, told.topic, owed.consumer
        FROM (SELECT * FROM kernel_event WHERE {{account}}) AS told
        JOIN (VALUES {owed}) AS owed (consumer, topic) ON owed.topic = told.topic
        JOIN (SELECT DISTINCT ON (consumer) consumer, event_id FROM kernel_delivery
                ORDER BY consumer, event_id) AS since
            ON since.consumer = owed.consumer AND since.event_id < told.id
        JOIN ({_POSITION}) AS position ON (told.xid, told.id) <= (position.xid, position.event_id)
        WHERE NOT EXISTS (SELECT FROM kernel_delivery given
            WHERE given.event_id = told.id AND given.consumer = owed.consumer)
        ORDER BY told.id
        """,  # noqa: S608  # own codes
    ).run(scope)


_DELIVERED: Final = Invariant(
    "events.delivered",
    "What was relayed has a delivery for each consumer, from its first one on",
    _delivered,
)

register(
    _DELIVERED,
    by_sql(
        "events.ahead",
        "Beyond the relay's position nothing is delivered",
        "Event {} has a delivery to {}, but the relay has not come to it.",
        f"""
        SELECT told.id, given.consumer
        FROM (SELECT * FROM kernel_event WHERE {{account}}) AS told
        JOIN kernel_delivery given ON given.event_id = told.id
        JOIN ({_POSITION}) AS position ON (told.xid, told.id) > (position.xid, position.event_id)
        ORDER BY told.id
        """,  # noqa: S608  # own text
    ),
    by_sql(
        "events.same",
        "A delivery says of its event what the event says",
        "The delivery of event {} to {} names another topic, subject or number.",
        """
        SELECT told.id, given.consumer
        FROM (SELECT * FROM kernel_event WHERE {account}) AS told
        JOIN kernel_delivery given ON given.event_id = told.id
        WHERE (given.topic, given.subject_id, given.seq)
            IS DISTINCT FROM (told.topic, told.subject_id, told.seq) ORDER BY told.id
        """,
    ),
    by_sql(
        "events.order",
        "A consumer handles the events of a subject in their order",
        "Event {} was handled by {} before an earlier event of its subject, {}.",
        """
        SELECT later.event_id, later.consumer, earlier.event_id
        FROM kernel_delivery earlier
        JOIN kernel_delivery later
            ON later.consumer = earlier.consumer AND later.subject_id = earlier.subject_id
            AND (later.seq, later.event_id) > (earlier.seq, earlier.event_id)
        JOIN (SELECT * FROM kernel_event WHERE {account}) AS told ON told.id = later.event_id
        WHERE earlier.state <> 'done' AND later.state = 'done' ORDER BY later.event_id
        """,
    ),
    by_sql(
        "events.settled",
        "A delivery is done exactly when it says when",
        "The delivery of event {} to {} is {}, done at {}.",
        """
        SELECT given.event_id, given.consumer, given.state, given.done_at
        FROM (SELECT * FROM kernel_event WHERE {account}) AS told
        JOIN kernel_delivery given ON given.event_id = told.id
        WHERE (given.state = 'done') <> (given.done_at IS NOT NULL) ORDER BY given.event_id
        """,
    ),
    by_sql(
        "events.actor",
        "Every event says who did it",
        "Event {} ({}) names no actor.",
        """
        SELECT id, topic FROM kernel_event
        WHERE {account} AND (actor_kind = '' OR actor_id = '') ORDER BY id
        """,
    ),
    *(
        by_sql(
            f"events.{kind}",
            f"Every {kind.replace('_', ' ')} has its events, as many as its version says",
            f"{kind.replace('_', ' ').capitalize()} {{}} is at version {{}}, but its last event is "
            "number {}.",
            f"""
            SELECT subject.id, subject.event_seq, coalesce(told.seq, 0)
            FROM (SELECT {"*, NULL::uuid AS account_id" if kind == "node" else "*"}
                FROM {table}) AS subject
            LEFT JOIN (SELECT {key} AS id, max(seq) AS seq FROM kernel_event
                WHERE subject_kind = '{kind}' GROUP BY 1) AS told ON told.id = subject.id
            WHERE {{account}} AND subject.event_seq <> coalesce(told.seq, 0) ORDER BY subject.id
            """,  # noqa: S608  # the table above
        )
        for kind, table, key in _SUBJECTS
    ),
    by_sql(
        "inbox.once",
        "A message of a source is kept once",
        "Message {}: {} more have its source and id.",
        """
        SELECT min(id::text), count(*) - 1 FROM integrations_inboxmessage WHERE {account}
        GROUP BY account_id, source, external_id HAVING count(*) > 1
        """,
    ),
    by_sql(
        "inbox.kept",
        "A message has its body, as long as bodies of its time are kept",
        "Message {} from {} was received without a body.",
        """
        SELECT message.id, message.source
        FROM (SELECT * FROM integrations_inboxmessage WHERE {account}) AS message
        WHERE message.id >= (SELECT id FROM integrations_inboxbody ORDER BY id LIMIT 1)
          AND NOT EXISTS (SELECT FROM integrations_inboxbody body WHERE body.id = message.id)
        ORDER BY message.id
        """,
    ),
    by_sql(
        "inbox.settled",
        "A message is open, or applied to an order or a stock, or says why it is not",
        "Message {} is {}, settled at {}, about {}, because “{}”.",
        """
        SELECT id, state, settled_at, thread_id, reason FROM integrations_inboxmessage
        WHERE {account} AND CASE state
            WHEN 'received' THEN settled_at IS NOT NULL
            WHEN 'applied' THEN settled_at IS NULL OR subject_kind = ''
                OR (thread_id IS NULL AND subject_kind <> 'connection')
            ELSE settled_at IS NULL OR code = '' OR reason = '' END
        ORDER BY id
        """,
    ),
    by_sql(
        "inbox.effect",
        "What a message was applied to exists",
        "Message {} was applied to order {}, which does not exist.",
        """
        SELECT message.id, message.thread_id
        FROM (SELECT * FROM integrations_inboxmessage WHERE {account}) AS message
        WHERE message.state = 'applied' AND message.subject_kind = 'order'
          AND NOT EXISTS (SELECT FROM orders_order o WHERE o.id = message.subject_id)
        ORDER BY message.id
        """,
    ),
    by_sql(
        "jobs.counts",
        "A job counts what its items say, and ends when none waits",
        "Job {} ({}) counts {} done and {} refused; its items say {} and {}, and {} wait.",
        """
        SELECT job.id, job.state, job.done, job.refused, item.done, item.refused, item.waiting
        FROM (SELECT * FROM kernel_job WHERE {account}) AS job
        JOIN (SELECT job_id, count(*) FILTER (WHERE outcome IN ('done', 'repeated')) AS done,
                count(*) FILTER (WHERE outcome = 'refused') AS refused,
                count(*) FILTER (WHERE outcome = 'waiting') AS waiting
            FROM kernel_jobitem GROUP BY 1) AS item ON item.job_id = job.id
        WHERE (job.done, job.refused) <> (item.done, item.refused)
           OR job.state IN ('done', 'partial') AND item.waiting > 0 ORDER BY job.id
        """,
    ),
)
