"""How late suppliers are: declared by people, learnt from what has arrived."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from config.kernel.types import Actor, Outcome
from inventory.models import SupplyLane
from inventory.selectors.inbound_ahead import SUPPLIER
from inventory.types import LaneDraft

LEARN_OVER_DAYS: Final = 365
MOST_HOURS: Final = 24 * 365
_LEARN: Final = f"""
    INSERT INTO inventory_supplylane AS lane
        (account_id, supplier, node_id, seen, median_hours, p90_hours, learnt_at)
    SELECT account_id, supplier, node_id, count(*),
        round(percentile_cont(0.5) WITHIN GROUP (ORDER BY hours))::int,
        ceil(percentile_cont(0.9) WITHIN GROUP (ORDER BY hours))::int, %(at)s
    FROM (
        SELECT i.account_id, {SUPPLIER} AS supplier, i.node_id,
            extract(epoch FROM l.completed_at - coalesce(l.first_eta_at, l.eta_at))::float8 / 3600
                AS hours
        FROM inventory_inboundline l JOIN inventory_inbound i ON i.id = l.inbound_id
        WHERE l.completed_at > %(at)s - %(days)s * interval '1 day' AND l.completed_at <= %(at)s
    ) AS came
    WHERE supplier <> ''
    GROUP BY GROUPING SETS ((account_id, supplier, node_id), (account_id, supplier))
    ON CONFLICT (account_id, supplier, node_id) DO UPDATE
    SET seen = excluded.seen, median_hours = excluded.median_hours,
        p90_hours = excluded.p90_hours, learnt_at = excluded.learnt_at
"""  # noqa: S608  # own text


@transaction.atomic
def learn_lanes(*, at: datetime, actor: Actor) -> int:
    """Work out anew how late each supplier was over the last year, at each node and at any.

    What a line took over the time that was told first, in hours: the median, and what nine of ten
    stayed within. Answers how many lanes there are. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEARN, {"at": at, "days": LEARN_OVER_DAYS})
        return int(cursor.rowcount)


@transaction.atomic
def declare_lanes(drafts: Sequence[LaneDraft], *, at: datetime, actor: Actor) -> list[Outcome[int]]:
    """Say how late a supplier is where too few receipts tell; None takes it back."""
    outcomes: list[Outcome[int]] = []
    wanted: dict[tuple[object, str, int | None], SupplyLane] = {}
    for draft in drafts:
        hours = draft.declared_hours
        if not actor.scope.allows(draft.account_id):
            outcomes.append(Outcome.refused("not-found", "There is no such account."))
        elif not draft.supplier:
            outcomes.append(Outcome.refused("invalid", "Name the supplier."))
        elif hours is not None and not 0 <= hours <= MOST_HOURS:
            outcomes.append(Outcome.refused("invalid", f"Hours are from 0 to {MOST_HOURS}."))
        else:
            wanted[draft.account_id, draft.supplier, draft.node_id] = SupplyLane(
                account_id=draft.account_id,
                supplier=draft.supplier,
                node_id=draft.node_id,
                declared_hours=hours,
            )
            outcomes.append(Outcome.done(0))
    SupplyLane.objects.bulk_create(
        wanted.values(),
        update_conflicts=True,
        unique_fields=["account", "supplier", "node"],
        update_fields=["declared_hours"],
    )
    return outcomes
