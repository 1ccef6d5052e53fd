"""Goods that are still to come: which of them a quote may count on, behind all who wait already."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from inventory.backing import Coming, Share, Waiter, behind, deal, ready_at
from inventory.selectors.inbound_ahead import ahead_room, lines_coming, units_waiting
from orders.sourcing import Demand, PlannedPromise
from routing.foretelling import foretold
from routing.quotes.asking import Asked
from routing.snapshot import PICKUP_METHODS


@dataclass(frozen=True, slots=True)
class Future:
    """What is left of the goods to come, by SKU, and what the channel may still sell of it ahead.

    `room` has an entry only where the channel has a cap.
    """

    goods: Mapping[int, Sequence[Coming]]
    room: Mapping[int, int]
    backorders: bool


@dataclass(frozen=True, slots=True)
class LaterPart:
    """Units that one node sends once they are there."""

    node_id: int
    ready_at: datetime
    units: Mapping[UUID, int]
    promise: PlannedPromise


def read_future(asked: Asked, sku_ids: Collection[int], *, backorders: bool) -> Future:
    """Three statements, whatever is missing."""
    if not sku_ids:
        return Future({}, {}, backorders)
    lines = lines_coming(sku_ids, asked.at)
    waiting = units_waiting(sku_ids)
    goods: dict[int, list[Coming]] = {}
    for sku_id, known in lines.items():
        there = [
            one.coming
            if one.room is None
            else replace(one.coming, units=min(one.coming.units, one.room))
            for one in known
        ]
        goods[sku_id] = behind(waiting.get(sku_id, ()), there)
    request = asked.request
    room = ahead_room(request.channel_id, sku_ids, asked.at)
    return Future(goods, room, backorders)


def later_parts(
    asked: Asked, future: Future, demand: Demand, missing: Mapping[UUID, int]
) -> list[LaterPart] | None:
    """When each node would send what is missing; None where some of it does not come, or may not
    be sold ahead. No statement.
    """
    nodes = _able(asked, demand)
    lines = {line.line_id: line for line in demand.lines}
    left = {sku_id: list(goods) for sku_id, goods in future.goods.items()}
    room = dict(future.room)
    shares: list[tuple[UUID, Share]] = []
    for line_id, units in missing.items():
        sku_id = lines[line_id].sku_id
        if sku_id in room:
            room[sku_id] -= units
        if room.get(sku_id, 0) < 0 or (sku_id not in room and not future.backorders):
            return None
        found = deal([Waiter(0, units, nodes)], left.get(sku_id, ())).get(0, [])
        if ready_at(units, found) is None:
            return None
        left[sku_id] = behind([Waiter((0, 0), units, nodes)], left[sku_id])
        shares += [(line_id, share) for share in found]
    return _sent(asked, demand, shares)


def _able(asked: Asked, demand: Demand) -> frozenset[int]:
    """The nodes from which the channel's orders may be served so."""
    if demand.method in PICKUP_METHODS:
        return frozenset(
            node.id
            for node in asked.network.pickup
            if node.groups and node.id == demand.pickup_node_id
        )
    return frozenset(node.id for node in asked.network.shipping if node.groups)


def _sent(
    asked: Asked, demand: Demand, shares: Sequence[tuple[UUID, Share]]
) -> list[LaterPart] | None:
    """One part per node, sent when the last of its goods is there."""
    units: dict[int, Counter[UUID]] = defaultdict(Counter)
    ready: dict[int, datetime] = {}
    for line_id, share in shares:
        units[share.node_id][line_id] += share.units
        ready[share.node_id] = max(share.ready_at, ready.get(share.node_id, share.ready_at))
    parts = []
    for node_id, by_line in units.items():
        wanted = replace(
            demand,
            lines=tuple(
                replace(line, quantity=by_line[line.line_id])
                for line in demand.lines
                if by_line[line.line_id]
            ),
            pinned_node_id=node_id,
            not_before=max(ready[node_id], demand.not_before or ready[node_id]),
            held=(),
        )
        promise = foretold(wanted, asked.snapshot, asked.at)
        if promise is None:
            return None
        parts.append(LaterPart(node_id, ready[node_id], dict(by_line), promise))
    return parts
