"""Writing decisions down: one statement for as many as there are."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from config.kernel import ids
from routing.drawn import Drawn, encoded


def insert_decisions(decisions: Sequence[Drawn]) -> None:
    """Write the rows. Records travel as lines of one text and inputs as hexadecimal digits: quoting
    each of them within an array would take longer than all the rest.
    """
    asked = [decision.basis.asked for decision in decisions]
    columns: list[Any] = [
        [ids.uuid7() for _ in decisions],
        [demand.account_id for demand in asked],
        [demand.order_id for demand in asked],
        [demand.group_id for demand in asked],
        [demand.plan_version for demand in asked],
        [decision.policy_id for decision in decisions],
        [decision.plan.level.value for decision in decisions],
        [decision.winner for decision in decisions],
        [decision.cost_minor for decision in decisions],
        [decision.currency for decision in decisions],
        [decision.plan.split_cause or "" for decision in decisions],
        [decision.pinned for decision in decisions],
        [decision.at for decision in decisions],
        [decision.input.hex() for decision in decisions],
        "\n".join([encoded(decision.record) for decision in decisions]),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO routing_routingdecision (id, account_id, order_id, group_id, plan_version,
                policy_id, level, winner, cost_minor, currency, split_cause, pinned, at, input,
                record)
            SELECT id, account_id, order_id, group_id, plan_version, policy_id, level, winner,
                cost_minor, currency, split_cause, pinned, at, decode(digits, 'hex'), line::jsonb
            FROM ROWS FROM (
                unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::uuid[],
                    %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::boolean[],
                    %s::timestamptz[], %s::text[]),
                string_to_table(%s, chr(10))
            ) AS drawn (id, account_id, order_id, group_id, plan_version, policy_id, level, winner,
                cost_minor, currency, split_cause, pinned, at, digits, line)
            """,
            columns,
        )
