"""Writing down what nodes say of themselves: full until a time, and what they take on or reject."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from config.kernel import versions
from inventory.selectors.traits import traits
from routing.willingness import ACCEPTANCE_TOPIC, FULL_TOPIC, goods_of

FADES = timedelta(days=30)
"""After so long what was recorded counts for half."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A node was asked for a SKU, or rejected it."""

    node_id: int
    sku_id: int
    rejected: bool = False


def mark_full(until: Mapping[tuple[int, str], tuple[datetime, str]]) -> None:
    """Give these nodes no new work of these functions until then; of two times the later stands.

    Runs inside the caller's transaction, before it locks positions: two statements.
    """
    if not until:
        return
    rows = sorted(until.items())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO routing_fullnode AS known (node_id, function, until, reason)
            SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[])
            ON CONFLICT (node_id, function) DO UPDATE
            SET until = greatest(known.until, EXCLUDED.until), reason = EXCLUDED.reason
            """,
            [
                [node for (node, _), _ in rows],
                [function for (_, function), _ in rows],
                [moment for _, (moment, _) in rows],
                [reason[:80] for _, (_, reason) in rows],
            ],
        )
    versions.bump(FULL_TOPIC)


@transaction.atomic
def count_answers(answers: Sequence[Answered], *, at: datetime) -> None:
    """Add what nodes were asked and rejected to their rates, by class of goods. Three statements.

    Earlier counts fade with their age. Planners read the rates anew when something was rejected.
    """
    if not answers:
        return
    known = traits({one.sku_id for one in answers})
    asked: Counter[tuple[int, str]] = Counter()
    rejected: Counter[tuple[int, str]] = Counter()
    for one in answers:
        goods = goods_of([known[one.sku_id]] if one.sku_id in known else [])
        counts = rejected if one.rejected else asked
        counts[one.node_id, goods] += 1
    keys = sorted({*asked, *rejected})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO routing_acceptancerate AS known (node_id, goods, asked, rejected, counted_at)
            SELECT node_id, goods, asked, rejected, %(at)s
            FROM unnest(%(nodes)s::bigint[], %(goods)s::text[], %(asked)s::float[],
                %(rejected)s::float[]) AS more (node_id, goods, asked, rejected)
            ORDER BY node_id, goods
            ON CONFLICT (node_id, goods) DO UPDATE SET
                asked = known.asked * power(0.5, greatest(0, extract(epoch FROM
                    EXCLUDED.counted_at - known.counted_at)) / %(fades)s) + EXCLUDED.asked,
                rejected = known.rejected * power(0.5, greatest(0, extract(epoch FROM
                    EXCLUDED.counted_at - known.counted_at)) / %(fades)s) + EXCLUDED.rejected,
                counted_at = greatest(known.counted_at, EXCLUDED.counted_at)
            """,
            {
                "at": at,
                "nodes": [node for node, _ in keys],
                "goods": [goods for _, goods in keys],
                "asked": [float(asked[key]) for key in keys],
                "rejected": [float(rejected[key]) for key in keys],
                "fades": FADES.total_seconds(),
            },
        )
    if rejected:
        versions.bump(ACCEPTANCE_TOPIC)
