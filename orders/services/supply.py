"""When supply moves: units taken back from the least claims, and units that arrived given out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.types import Actor, Outcome
from inventory import selectors as inventory
from inventory.services.reservations import release
from inventory.states import ReservationState
from inventory.types import Portion, PositionView, ReservationView
from orders.services.holding import active_holds
from orders.services.in_hand import GroupInHand
from orders.services.resource import Search, source_on_sheet, unfilled_reports
from orders.services.sheet import Sheet, open_sheet
from orders.services.source import lock_supply, wanting
from orders.states import Method, OrderState

BATCH = 200


@transaction.atomic
def cover_shortfalls(position_ids: Sequence[int], *, at: datetime, actor: Actor) -> int:
    """Take units back from those who claim them least, and find them another node.

    Least is: unreleased, promised latest, of the lowest priority, youngest. What is at a node
    already is the node's to report short. Orders are locked first, at most 200 of them; answers
    how many units were taken back.
    """
    wanted = _shortfalls(position_ids)
    if not wanted:
        return 0
    claims = inventory.holders_of(list(wanted))
    chosen = _least(wanted, claims)
    if not chosen:
        return 0
    sheet = open_sheet(claim.thread_id for claim, _ in chosen)
    fresh = inventory.reservations([claim.id for claim, _ in chosen])
    portions, taken = [], []
    for claim, units in chosen:
        now, line = fresh.get(claim.id), sheet.lines.get(claim.demand_id)
        if now is None or line is None or now.state != ReservationState.RESERVED.value:
            continue
        part = min(units, now.open, line.reserved)
        if part:
            sheet.move(line.id, "reserved", "pending", part)
            portions.append(Portion(claim.id, part))
            taken.append(line.id)
    if portions:
        lock_supply(sheet, taken, [portion.reservation_id for portion in portions], at=at)
        release(portions, "shortfall", at=at, actor=actor)
    result = source_on_sheet(
        sheet,
        {sheet.lines[line_id].order_id for line_id in taken},
        "stock fell short",
        Search(locked=True),
        at=at,
        actor=actor,
    )
    case_reports.report(unfilled_reports(sheet, result), at=at)
    return sum(portion.quantity for portion in portions)


def _shortfalls(position_ids: Sequence[int]) -> dict[int, int]:
    """Units missing per position now."""
    return {
        position_id: units
        for position_id, units in inventory.shortfalls(position_ids).items()
        if units > 0
    }


def _least(
    wanted: Mapping[int, int], claims: Mapping[int, Sequence[ReservationView]]
) -> list[tuple[ReservationView, int]]:
    """The claims to take from, and how much of each, until every shortfall is covered."""
    chosen: list[tuple[ReservationView, int]] = []
    threads: set[UUID] = set()
    for position_id, units in wanted.items():
        left = units
        for claim in claims.get(position_id, ()):
            if left <= 0 or claim.state != ReservationState.RESERVED.value:
                break
            if claim.thread_id not in threads and len(threads) >= BATCH:
                break
            threads.add(claim.thread_id)
            chosen.append((claim, min(left, claim.open)))
            left -= claim.open
    return chosen


@transaction.atomic
def replace_lost_lots(limit: int, *, at: datetime, actor: Actor) -> int:
    """Find another node for units whose bound lot was lost and that no lot of theirs can replace.

    What is at a node already is the node's to give back. Answers how many units were taken back.
    """
    lost = {
        one.reservation_id: one
        for one in inventory.lost_lots(limit)
        if one.state == ReservationState.RESERVED.value
    }
    if not lost:
        return 0
    sheet = open_sheet({one.thread_id for one in lost.values()})
    fresh = inventory.reservations(list(lost))
    portions, taken = [], []
    for key, one in lost.items():
        now, line = fresh.get(key), sheet.lines.get(one.demand_id)
        if now is None or line is None or now.state != ReservationState.RESERVED.value:
            continue
        if part := min(one.units, now.open, line.reserved):
            sheet.move(line.id, "reserved", "pending", part)
            portions.append(Portion(key, part))
            taken.append(line.id)
    if not portions:
        return 0
    lock_supply(sheet, taken, [portion.reservation_id for portion in portions], at=at)
    release(portions, "lot lost", at=at, actor=actor)
    result = source_on_sheet(
        sheet,
        {sheet.lines[line_id].order_id for line_id in taken},
        "its lot may not be sold",
        Search(locked=True),
        at=at,
        actor=actor,
    )
    case_reports.report(unfilled_reports(sheet, result), at=at)
    return sum(portion.quantity for portion in portions)


@transaction.atomic
def serve_backorders(sku_ids: Sequence[int], *, at: datetime, actor: Actor) -> int:
    """Give units that landed to those who wait: by promise, priority, age. Answers the units.

    First the units set aside for the wait, at nodes of the order's channel: sourcing chooses among
    them and what is free, and promises. Then whatever else sourcing finds. At most 200 orders at once; orders that others hold wait for the next time.
    """
    queue = inventory.waiting(sku_ids)
    first = [claim for claims in queue.values() for claim in claims]
    if not first:
        return 0
    first.sort(key=_urgency)
    threads = list(dict.fromkeys(claim.thread_id for claim in first))[:BATCH]
    sheet = open_sheet(threads, skip_locked=True)
    accepted = [order.id for order in sheet.orders.values() if order.state == OrderState.ACCEPTED]
    holds = active_holds([i for i in accepted if sheet.orders[i].holds_open])
    waits = wanting(sheet, accepted, holds, with_backordered=True)
    if waits:
        lock_supply(sheet, list(waits), at=at)
    landed = _allot(sheet, first, waits)
    result = source_on_sheet(
        sheet,
        accepted,
        "stock came in",
        Search(holds=holds, waited=True, locked=True, landed=landed),
        at=at,
        actor=actor,
    )
    return sum(result.reserved.values())


def _urgency(claim: ReservationView) -> tuple[bool, float, int, float]:
    promised = claim.promised_at.timestamp() if claim.promised_at else 0.0
    return claim.promised_at is None, promised, -claim.priority, claim.at.timestamp()


def _allot(
    sheet: Sheet, queue: Sequence[ReservationView], waits: Mapping[UUID, int]
) -> dict[UUID, dict[int, int]]:
    """Deal out the units that landed, the most urgent claims first: units by line and node."""
    positions = inventory.landed({claim.sku_id for claim in queue})
    there = {view.id: view.landed for views in positions.values() for view in views if view.landed}
    networks = {
        channel_id: inventory.channel_nodes(channel_id)
        for channel_id in {order.channel_id for order in sheet.orders.values()}
    }
    left = {
        line_id: min(units, sheet.lines[line_id].backordered) for line_id, units in waits.items()
    }
    dealt: dict[UUID, dict[int, int]] = {}
    for claim in queue:
        for position in positions.get(claim.sku_id, ()):
            part = min(there.get(position.id, 0), left.get(claim.demand_id, 0))
            if part and _may_serve(sheet, claim, position, networks):
                there[position.id] -= part
                left[claim.demand_id] -= part
                by_node = dealt.setdefault(claim.demand_id, {})
                by_node[position.node_id] = by_node.get(position.node_id, 0) + part
    return dealt


def _may_serve(
    sheet: Sheet,
    claim: ReservationView,
    position: PositionView,
    networks: Mapping[UUID, Mapping[int, tuple[bool, bool]]],
) -> bool:
    """Whether the node is in the channel's network for the group's method, and no other is named."""
    line = sheet.lines[claim.demand_id]
    group, order = sheet.groups[line.group_id], sheet.orders[line.order_id]
    named = group.pinned_node_id or group.pickup_node_id or claim.node_id
    if named is not None and named != position.node_id:
        return False
    ships, picks_up = networks[order.channel_id].get(position.node_id, (False, False))
    return picks_up if group.method == Method.PICKUP else ships


@transaction.atomic
def leave_node(
    order_ids: Sequence[UUID], node_id: int, *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Send what these orders have unreleased at the node from others. One outcome per order.

    Pinned groups and pickups stay: they move only with the buyer's or the operator's consent.
    """
    sheet = open_sheet(order_ids)
    lines = {
        line.id: line
        for line in sheet.lines.values()
        if line.reserved and _may_leave(sheet.groups[line.group_id])
    }
    claims = inventory.claims_of(list(lines))
    portions, orders, pairs = [], set(), set()
    for line_id, line in lines.items():
        for claim in claims.get(line_id, ()):
            if claim.node_id != node_id or claim.state != ReservationState.RESERVED.value:
                continue
            sheet.move(line_id, "reserved", "pending", claim.open)
            portions.append(Portion(claim.id, claim.open))
            orders.add(line.order_id)
            pairs.add((node_id, claim.sku_id))
    if portions:
        lock_supply(sheet, list(lines), [portion.reservation_id for portion in portions], at=at)
        release(portions, "node paused", at=at, actor=actor)
    source_on_sheet(
        sheet,
        orders,
        "the node takes nothing new",
        Search(frozenset(pairs), locked=True),
        at=at,
        actor=actor,
    )
    return [
        Outcome.done(order_id)
        if order_id in orders
        else Outcome.refused("conflict", "Nothing of it may leave the node.")
        for order_id in order_ids
    ]


def _may_leave(group: GroupInHand) -> bool:
    return group.method == Method.SHIP and group.pinned_node_id is None
