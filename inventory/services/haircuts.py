"""Haircuts: a share of a node's stock is held back while its figures are not to be trusted."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from django.db import connection, transaction

from config.kernel.errors import Invalid
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import NodeGrant, NodeHaircut, NodeSignal, StockPosition
from inventory.selectors.capacity import signals
from inventory.services.buffers import apply_buffer_rules
from inventory.states import SignalCode
from inventory.types import Haircut, SignalView

MOST_PERCENT = 100
MOST_BY_SIGNAL = 50


def apply_haircuts(haircuts: Sequence[Haircut], *, at: datetime, actor: Actor) -> int:
    """Hold back these shares of the nodes' stock from now on; returns how many were not so before.

    One share per node, cause and account (or all of them): another takes its place, 0 percent lifts it, and of several causes
    the greatest counts. 100 percent is everything, also what arrives meanwhile. Raises Invalid for
    a share beyond 0 to 100.
    """
    for one in haircuts:
        if not 0 <= one.percent <= MOST_PERCENT:
            raise Invalid("A share is between 0 and 100 percent.")
    changed = _keep(haircuts, at=at)
    _apply(changed, at=at, actor=actor)
    return len(changed)


def follow_signals(*, at: datetime, actor: Actor) -> int:
    """Hold back of each node that does not find what it is to pick as large a share; lift what is over.

    The share is that of the units not found, once it is above the node's threshold, and at most
    half. Returns how many nodes that changes.
    """
    nodes = NodeSignal.objects.filter(code=SignalCode.PICK_FAIL_RATE)
    told = signals(list(nodes.order_by("node_id").values_list("node_id", flat=True)))
    failing = [
        Haircut(node_id, SignalCode.PICK_FAIL_RATE.value, _share(view), "units are not found")
        for node_id, views in told.items()
        for view in views
        if view.code == SignalCode.PICK_FAIL_RATE
    ]
    return apply_haircuts(failing, at=at, actor=actor)


def _share(view: SignalView) -> int:
    if view.value is None or view.most is None or view.value <= view.most:
        return 0
    return min(MOST_BY_SIGNAL, ceil(view.value))


def refresh_haircuts(*, at: datetime, actor: Actor) -> int:
    """Bring every share that is held back up to date with the stock; whole nodes need it not."""
    shares = NodeHaircut.objects.filter(percent__lt=MOST_PERCENT)
    nodes = sorted(set(shares.values_list("node_id", flat=True)))
    return _apply(nodes, at=at, actor=actor)


def _apply(node_ids: Sequence[int], *, at: datetime, actor: Actor) -> int:
    """Work the haircuts of these nodes out anew from what lies there now; returns positions changed."""
    positions = 0
    accounts = NodeGrant.objects.filter(node_id__in=node_ids).values_list("account_id", flat=True)
    for account_id in sorted(set(accounts)):
        skus = (
            StockPosition.objects.for_scope(ALL_ACCOUNTS)
            .filter(node_id__in=node_ids, account_id=account_id)
            .values_list("sku_id", flat=True)
            .distinct()
        )
        applied = apply_buffer_rules(account_id, set(skus), at=at, actor=actor)
        positions += applied.positions
    return positions


@transaction.atomic
def _keep(haircuts: Sequence[Haircut], *, at: datetime) -> list[int]:
    """Write the shares down. Two statements. Returns the nodes of those that changed."""
    wanted = {(one.node_id, one.source, str(one.account_id or "")): one for one in haircuts}
    kept = [one for _, one in sorted(wanted.items()) if one.percent]
    lifted = [one for _, one in sorted(wanted.items()) if not one.percent]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_nodehaircut AS known
                (node_id, source, percent, reason, account_id, at)
            SELECT kept.*, %s FROM unnest(%s::bigint[], %s::text[], %s::smallint[], %s::text[],
                %s::uuid[]) AS kept
            ON CONFLICT (node_id, source, account_id) DO UPDATE
            SET percent = excluded.percent, reason = excluded.reason, at = excluded.at
            WHERE known.percent <> excluded.percent
            RETURNING node_id
            """,
            [
                at,
                [one.node_id for one in kept],
                [one.source for one in kept],
                [one.percent for one in kept],
                [one.reason for one in kept],
                [one.account_id for one in kept],
            ],
        )
        changed = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            """
            DELETE FROM inventory_nodehaircut known
            USING unnest(%s::bigint[], %s::text[], %s::uuid[])
                AS lifted (node_id, source, account_id)
            WHERE (known.node_id, known.source) = (lifted.node_id, lifted.source)
              AND known.account_id IS NOT DISTINCT FROM lifted.account_id
            RETURNING known.node_id
            """,
            [
                [one.node_id for one in lifted],
                [one.source for one in lifted],
                [one.account_id for one in lifted],
            ],
        )
        return changed + [row[0] for row in cursor.fetchall()]
