"""What was promised: the version that stands, whom we told, what was asked, and the slack of it."""

from config.invariants import by_sql, register

register(
    by_sql(
        "promises.stands",
        "The highest version of a promise is what its group is promised",
        "Group {}: it is to ship by {}, but version {} says {}.",
        """
        SELECT delivery.id, delivery.ship_by, stands.version, stands.ship_by
        FROM (SELECT * FROM orders_deliverygroup WHERE {account}) AS delivery
        JOIN LATERAL (SELECT version, ship_by, deliver_latest FROM orders_promise
            WHERE group_id = delivery.id ORDER BY version DESC LIMIT 1) AS stands ON true
        WHERE delivery.ship_by <> stands.ship_by OR delivery.deliver_by <> stands.deliver_latest
        ORDER BY delivery.id
        """,
    ),
    by_sql(
        "promises.told",
        "Whoever was told of a promise was told of a version of that group",
        "Telling {}: no version {} of its group has the dates that were shown.",
        """
        SELECT told.id, told.promise_id
        FROM (SELECT * FROM orders_promisetold WHERE {account}) AS told
        LEFT JOIN orders_promise AS promise ON promise.id = told.promise_id
            AND promise.group_id = told.group_id AND promise.order_id = told.order_id
            AND promise.deliver_latest = told.deliver_latest
        WHERE promise.id IS NULL ORDER BY told.id
        """,
    ),
    by_sql(
        "promises.consent",
        "A question about a delay is answered once, and no answer lacks its question",
        "Question {} is {}, and has {} answers.",
        """
        SELECT question.id, CASE WHEN question.answered_at IS NULL THEN 'open' ELSE 'answered' END,
            count(answer.id)
        FROM (SELECT * FROM orders_consentquestion WHERE {account}) AS question
        LEFT JOIN orders_consentanswer AS answer ON answer.question_id = question.id
        GROUP BY question.id, question.answered_at
        HAVING (question.answered_at IS NULL) <> (count(answer.id) = 0)
        ORDER BY question.id
        """,
    ),
    by_sql(
        "promises.asked",
        "A question is about a version of its group's promise",
        "Question {}: its group has no version {}.",
        """
        SELECT question.id, question.promise_id
        FROM (SELECT * FROM orders_consentquestion WHERE {account}) AS question
        LEFT JOIN orders_promise AS promise ON promise.id = question.promise_id
            AND promise.group_id = question.group_id
        WHERE promise.id IS NULL ORDER BY question.id
        """,
    ),
    by_sql(
        "promises.slack",
        "Slack is kept of a group of its own order and account",
        "Group {}: its slack names order {}.",
        """
        SELECT slack.group_id, slack.order_id
        FROM (SELECT * FROM fulfillment_promiseslack WHERE {account}) AS slack
        JOIN orders_deliverygroup AS delivery ON delivery.id = slack.group_id
        WHERE delivery.order_id <> slack.order_id OR delivery.account_id <> slack.account_id
        ORDER BY slack.group_id
        """,
    ),
)
