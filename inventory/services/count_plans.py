"""The cycle of counts: every day each node counts what has waited longest for what it is worth."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from config.kernel.types import Actor
from inventory.services.counts import ask_for_counts
from inventory.states import CountKind
from inventory.types import CountWanted

COUNTED_WITHIN: Final = timedelta(days=2)
NEVER_COUNTED_DAYS: Final = 365
"""The age of what was never counted."""


@transaction.atomic
def plan_counts(*, at: datetime, actor: Actor) -> int:
    """Ask active nodes for the counts that are left of their day, the node's own; how many.

    What comes first has gone uncounted for long and is worth much: days since the last count times
    the root of the units' price. What is asked for already is not asked for again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH day AS (
                SELECT n.id, n.counts_per_day - (
                    SELECT count(*) FROM inventory_countrequest asked
                    WHERE asked.node_id = n.id AND asked.kind = 'cycle' AND asked.opened_at
                        >= date_trunc('day', %(at)s AT TIME ZONE n.timezone) AT TIME ZONE n.timezone
                    ) AS remaining
                FROM inventory_node n WHERE n.counts_per_day > 0 AND n.state = 'active'
            ), ranked AS (
                SELECT p.account_id, p.node_id, p.sku_id, day.remaining, row_number() OVER (
                    PARTITION BY p.node_id ORDER BY
                        greatest(1, coalesce(extract(epoch FROM %(at)s - p.counted_at) / 86400,
                            %(never)s)) * sqrt(1 + p.sellable * sku.price_minor / 100.0) DESC,
                        p.id) AS place
                FROM day
                JOIN inventory_stockposition p ON p.node_id = day.id
                    AND p.owner_id = p.account_id AND p.sellable > 0
                JOIN inventory_sku sku ON sku.id = p.sku_id
                WHERE day.remaining > 0 AND NOT EXISTS (
                    SELECT FROM inventory_countrequest open
                    WHERE open.node_id = p.node_id AND open.sku_id = p.sku_id
                      AND open.state IN ('open', 'recount'))
            )
            SELECT account_id, node_id, sku_id FROM ranked WHERE place <= remaining ORDER BY 2, 3
            """,
            {"at": at, "never": NEVER_COUNTED_DAYS},
        )
        wanted = [
            CountWanted(
                account_id,
                node_id,
                sku_id,
                "its turn in the cycle",
                CountKind.CYCLE.value,
                at + COUNTED_WITHIN,
            )
            for account_id, node_id, sku_id in cursor.fetchall()
        ]
    return len(ask_for_counts(wanted, at=at, actor=actor))
