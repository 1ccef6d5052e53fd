"""Goods to come against those who wait for them: when it is there for certain enough, and for whom."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from inventory.backing import Coming, Share, Waiter, deal, ready_at
from inventory.types import Awaited

LEAST_SEEN: Final = 5
"""Receipts from which what was learnt of a lane counts."""

SUPPLIER: Final = """
    CASE WHEN i.supplier <> '' THEN i.supplier
        ELSE coalesce((SELECT 'node:' || from_node.code FROM inventory_transfer moved
            JOIN inventory_node from_node ON from_node.id = moved.source_id
            WHERE moved.inbound_id = i.id), '') END
"""
"""Who sends an inbound `i`; of a transfer the node that it left."""

LATE: Final = f"""
    LEFT JOIN LATERAL (
        SELECT lane.id AS lane_id,
            CASE WHEN lane.seen >= {LEAST_SEEN} THEN lane.p90_hours ELSE lane.declared_hours END
                AS hours,
            lane.seen >= {LEAST_SEEN} AS learnt
        FROM inventory_supplylane lane
        WHERE lane.account_id = i.account_id AND lane.supplier = {SUPPLIER}
          AND (lane.node_id = i.node_id OR lane.node_id IS NULL)
          AND (lane.seen >= {LEAST_SEEN} OR lane.declared_hours IS NOT NULL)
        ORDER BY lane.seen >= {LEAST_SEEN} DESC, lane.node_id IS NULL LIMIT 1
    ) late ON true
"""  # noqa: S608  # own text
"""How late nine of ten arrive: learnt at the node, learnt anywhere, declared at the node, anywhere."""

SURE_AT: Final = """
    greatest(l.eta_at, least(coalesce(l.first_eta_at, l.eta_at), l.eta_at)
        + greatest(0, coalesce(late.hours, 0)) * interval '1 hour')
"""
"""When the goods of line `l` are there for certain enough to be promised.

The usual lateness counts from the time that was told first: a slip within it moves nothing.
"""

_COMING: Final = f"""
    SELECT l.id, l.sku_id, i.node_id, l.expected - l.received, greatest(%(at)s, {SURE_AT}),
        l.ahead_percent, l.sold_ahead
    FROM inventory_inboundline l JOIN inventory_inbound i ON i.id = l.inbound_id {LATE}
    WHERE l.sku_id = ANY(%(skus)s) AND l.received < l.expected
      AND i.state IN ('expected', 'arriving')
    UNION ALL
    SELECT NULL, p.sku_id, p.node_id, p.landed, %(at)s, NULL, 0
    FROM inventory_stockposition p WHERE p.sku_id = ANY(%(skus)s) AND p.landed > 0
"""  # noqa: S608  # own text
_AHEAD: Final = """
    SELECT sku_id, coalesce(node_id, 0), sum(quantity - consumed - released)::bigint
    FROM inventory_reservation WHERE state = 'waiting' AND sku_id = ANY(%(skus)s)
    GROUP BY 1, 2 ORDER BY 1, 2
"""
_QUEUE: Final = """
    SELECT r.id, r.thread_id, r.demand_id, r.account_id, r.sku_id,
        r.quantity - r.consumed - r.released, r.priority, r.promised_at, r.at, b.ready_by,
        r.node_id, r.inbound_line_id
    FROM inventory_reservation r LEFT JOIN inventory_backing b ON b.reservation_id = r.id
    WHERE r.state = 'waiting' AND r.sku_id = ANY(%(skus)s)
    ORDER BY r.promised_at NULLS LAST, r.priority DESC, r.at, r.id
"""


@dataclass(frozen=True, slots=True)
class LineComing:
    """A line that is still to bring units, and how much of them may be sold ahead."""

    coming: Coming
    ahead_percent: int | None
    sold_ahead: int

    @property
    def room(self) -> int | None:
        """Units that may still be sold ahead by the counter; None is no limit."""
        if self.ahead_percent is None:
            return None
        return max(0, self.coming.units * self.ahead_percent // 100 - self.sold_ahead)


def lines_coming(sku_ids: Collection[int], at: datetime) -> dict[int, list[LineComing]]:
    """What comes of each SKU, and what has landed for those who wait. One statement."""
    found: dict[int, list[LineComing]] = defaultdict(list)
    for line_id, sku_id, node_id, units, sure_at, percent, sold in _rows(
        _COMING, {"skus": sorted(set(sku_ids)), "at": at}
    ):
        found[sku_id].append(LineComing(Coming(line_id, node_id, units, sure_at), percent, sold))
    return found


def ahead_room(channel_id: UUID, sku_ids: Collection[int], at: datetime) -> dict[int, int]:
    """Units that the channel may still sell ahead, of the SKUs for which it has a cap."""
    found = _rows(
        """
        SELECT sku_id, greatest(0, units - used) FROM inventory_aheadcap
        WHERE channel_id = %(channel)s AND sku_id = ANY(%(skus)s) AND starts_at <= %(at)s
          AND (ends_at IS NULL OR ends_at > %(at)s)
        """,
        {"channel": channel_id, "skus": sorted(set(sku_ids)), "at": at},
    )
    return dict(found)


def units_waiting(sku_ids: Collection[int]) -> dict[int, list[Waiter[tuple[int, int]]]]:
    """The units that wait of each SKU, for a node or for any. One statement."""
    found: dict[int, list[Waiter[tuple[int, int]]]] = defaultdict(list)
    for sku_id, node_id, units in _rows(_AHEAD, {"skus": sorted(set(sku_ids))}):
        nodes = frozenset({node_id}) if node_id else None
        found[sku_id].append(Waiter((sku_id, node_id), units, nodes))
    return found


def awaited(
    sku_ids: Collection[int],
    *,
    at: datetime,
    networks: Mapping[UUID, frozenset[int]] | None = None,
    moved: Mapping[int, datetime] | None = None,
) -> list[Awaited]:
    """Who waits for these SKUs, first served first, and what for. Two statements.

    `networks` are the nodes that may serve a thread, where the caller knows them. `moved` are lines
    at other times than they are expected: what would become of it.
    """
    lines = lines_coming(sku_ids, at)
    goods = {
        sku_id: [_moved(line.coming, moved or {}, at) for line in known]
        for sku_id, known in lines.items()
    }
    rows = _rows(_QUEUE, {"skus": sorted(set(sku_ids))})
    queues: dict[int, list[Waiter[UUID]]] = defaultdict(list)
    for row in rows:
        nodes = frozenset({row[10]}) if row[10] else (networks or {}).get(row[1])
        queues[row[4]].append(Waiter(row[0], row[5], nodes, row[11]))
    dealt = {
        key: shares
        for sku_id, queue in queues.items()
        for key, shares in deal(queue, goods.get(sku_id, ())).items()
    }
    return [_awaited(row, dealt.get(row[0], ())) for row in rows]


def _awaited(row: Sequence[Any], shares: Sequence[Share]) -> Awaited:
    """A row of the queue, with what it is to be served from."""
    parts = tuple((one.line_id, one.node_id, one.units, one.ready_at) for one in shares)
    values: tuple[Any, ...] = (*row[:10], ready_at(row[5], shares), parts)
    return Awaited(*values)


def late_hours(line_ids: Collection[int]) -> dict[int, int]:
    """How many hours after its time nine of ten such goods are there, by line; 0 is absent."""
    found = _rows(
        f"""
        SELECT l.id, late.hours FROM inventory_inboundline l
        JOIN inventory_inbound i ON i.id = l.inbound_id {LATE}
        WHERE l.id = ANY(%(lines)s) AND late.hours > 0
        """,  # noqa: S608  # own text
        {"lines": sorted(set(line_ids))},
    )
    return dict(found)


def skus_of_lines(line_ids: Collection[int]) -> set[int]:
    """The SKUs that these lines bring."""
    found = _rows(
        "SELECT DISTINCT sku_id FROM inventory_inboundline WHERE id = ANY(%(lines)s)",
        {"lines": sorted(set(line_ids))},
    )
    return {row[0] for row in found}


def threads_waiting(sku_ids: Collection[int]) -> dict[UUID, list[UUID]]:
    """Threads that wait for any of these SKUs, by account, first served first."""
    found: dict[UUID, dict[UUID, None]] = defaultdict(dict)
    for row in _rows(_QUEUE, {"skus": sorted(set(sku_ids))}):
        found[row[3]][row[1]] = None
    return {account_id: list(threads) for account_id, threads in found.items()}


def waited_by(thread_ids: Collection[UUID]) -> dict[int, set[UUID]]:
    """The SKUs that these threads wait for, with who waits."""
    found: dict[int, set[UUID]] = defaultdict(set)
    for sku_id, thread_id in _rows(
        "SELECT DISTINCT sku_id, thread_id FROM inventory_reservation "
        "WHERE state = 'waiting' AND thread_id = ANY(%(threads)s)",
        {"threads": sorted(set(thread_ids))},
    ):
        found[sku_id].add(thread_id)
    return dict(found)


def _moved(one: Coming, moved: Mapping[int, datetime], at: datetime) -> Coming:
    if one.line_id is None or one.line_id not in moved:
        return one
    return Coming(one.line_id, one.node_id, one.units, max(at, moved[one.line_id]))


def _rows(query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())
