"""Finding nodes for pending units: plan, take, plan again for what was lost, then fall back.

The plan is optimistic, the take exact. Nothing here opens a transaction: the command that holds
the orders does. Positions are locked last, by the take.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from config.kernel import ids
from config.kernel.types import Actor
from inventory import selectors as inventory
from inventory.services.hand_over import HandOver
from inventory.services.take import lock_positions, take, take_again, take_landed
from inventory.types import TakeResult, Want
from orders.models import Hold
from orders.services.bounds import add_promise, bind
from orders.services.in_hand import GroupInHand, LineInHand
from orders.services.sheet import Sheet
from orders.sourcing import Demand, DemandLine, Plan, PlannedTake, sourcing
from orders.states import Blocks, FulfilledBy, HoldState, LineKind, Method, Relation

REPLANS = 2
DEPENDENT = frozenset({Relation.GIFT, Relation.WRAP, Relation.ENGRAVING})
_SOURCED_METHODS = frozenset(
    {Method.SHIP, Method.PICKUP, Method.SHIP_TO_STORE, Method.OWN_DELIVERY}
)


Landed = Mapping[UUID, Mapping[int, int]]
"""Units that came in for waiting lines, by node: line id → node id → units."""


class MovedTo(NamedTuple):
    """The node that a person has units sent from, and who it was and why, in words."""

    node_id: int
    why: str


@dataclass(slots=True)
class Sourced:
    """What became of the units that wanted a node, per line. `landed` are plans of what came in."""

    reserved: dict[UUID, int] = field(default_factory=dict)
    unfilled: dict[UUID, tuple[int, str]] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    landed: list[Plan] = field(default_factory=list)
    waited: bool = False
    served: set[tuple[UUID, int]] = field(default_factory=set)
    """(order, node) of what was reserved so far: a second take there is of the same order."""


def is_sourced(line: LineInHand, group: GroupInHand) -> bool:
    """Whether units of the line get a node from us."""
    return (
        line.kind == LineKind.STOCK
        and group.fulfilled_by == FulfilledBy.US
        and group.method in _SOURCED_METHODS
    )


def wanting(
    sheet: Sheet,
    order_ids: Iterable[UUID],
    holds: Mapping[UUID, Sequence[Hold]],
    *,
    with_backordered: bool = False,
) -> dict[UUID, int]:
    """Units per line that want a node now: pending, mapped, and not kept from acceptance."""
    wanted = {}
    for order_id in order_ids:
        for line in sheet.lines_of(order_id):
            if line.sku_id is None or not is_sourced(line, sheet.groups[line.group_id]):
                continue
            units = line.pending + (line.backordered if with_backordered else 0)
            if units and not _is_kept_back(line, holds.get(order_id, ())):
                wanted[line.id] = units
    return wanted


def _is_kept_back(line: LineInHand, holds: Sequence[Hold]) -> bool:
    """Whether a hold blocks acceptance, or has outlived the time that stock waits under it."""
    overdue = [hold for hold in holds if hold.stock_given_back_at is not None]
    return is_blocked(line, holds, Blocks.ACCEPT) or is_blocked(line, overdue, Blocks.RELEASE)


def is_blocked(line: LineInHand, holds: Sequence[Hold], what: str) -> bool:
    """Whether an active hold on the order, the line's group or the line stops `what`."""
    return any(
        what in hold.blocks
        and hold.state == HoldState.ACTIVE
        and hold.group_id in {None, line.group_id}
        and hold.line_id in {None, line.id, line.parent_id}
        for hold in holds
    )


def source_units(  # noqa: PLR0913  # each of them the caller alone knows
    sheet: Sheet,
    wanted: Mapping[UUID, int],
    *,
    excluded: frozenset[tuple[int, int]] = frozenset(),
    waited: bool = False,
    locked: bool = False,
    landed: Landed | None = None,
    is_first: bool = False,
    carts: HandOver | None = None,
    moved: Mapping[UUID, MovedTo] | None = None,
    at: datetime,
    actor: Actor,
) -> Sourced:
    """Reserve the wanted units where sourcing says; move them, and set the promise of each group.

    Units are moved from pending first, then from backordered. What cannot be had stays where it
    is and is answered in `unfilled`; the caller decides what becomes of it. `waited` says that
    some of the units have been waiting for supply: their place in the queue is given up with it.
    `landed` names units that came in for such lines: they are chosen from before anything else.
    `locked` says that `lock_supply` was called; otherwise only the first take may wait for others,
    since a second one would lock positions out of their order. `is_first` says that the transaction
    holds no position: it alone may wait for a hard limit, which stands before them. `carts` are what
    the orders' carts hold: they count as free for them alone, and are theirs once they are taken.
    `moved` names by group where a person has units sent from.
    """
    result = Sourced(waited=waited)
    if not wanted:
        return result
    port = sourcing()
    left, lost_at = dict(wanted), set(excluded)
    if landed:
        result.landed = port.plan(_demands_of_landed(sheet, landed), excluded=excluded, at=at)
        landing = partial(take_landed, has_positions=True)
        _take(landing, _wants(sheet, result.landed), result, at=at, actor=actor)
        left = {
            line_id: units - result.reserved.get(line_id, 0)
            for line_id, units in wanted.items()
            if units > result.reserved.get(line_id, 0)
        }
    for attempt in range(1 + REPLANS if left else 0):
        plans = port.plan(
            demands_of(sheet, left, carts, moved),
            excluded=frozenset(lost_at) if attempt == REPLANS else excluded,
            at=at,
        )
        result.plans += plans
        wants = _wants(sheet, plans)
        usual = _taking(attempt, waited, locked, is_first)
        taking = usual if carts is None else partial(carts.take, taking=usual)
        lost = _take(taking, wants, result, at=at, actor=actor)
        for plan in plans:
            for line_id, quantity, reason in plan.unfilled:
                before = result.unfilled.get(line_id, (0, ""))[0]
                result.unfilled[line_id] = (before + quantity, reason)
        if not lost:
            break
        lost_at |= {(want.node_id, want.sku_id) for want in lost}
        left = {}
        for want in lost:
            left[want.demand_id] = left.get(want.demand_id, 0) + want.quantity
    else:
        for line_id, quantity in left.items():
            before = result.unfilled.get(line_id, (0, ""))[0]
            result.unfilled[line_id] = (before + quantity, "others were quicker")
    keep_reserved(sheet, result, at=at)
    return result


def take_planned(
    sheet: Sheet, plans: Sequence[Plan], *, at: datetime, actor: Actor
) -> tuple[Sourced, list[Want]]:
    """Reserve what the plans name, for a caller that called `lock_supply`; and what was lost.

    Nothing is changed on the sheet before `keep_reserved`: the caller may roll back and try less.
    """
    result = Sourced(plans=list(plans))
    taking = partial(take, has_positions=True)
    return result, _take(taking, _wants(sheet, plans), result, at=at, actor=actor)


def keep_reserved(sheet: Sheet, result: Sourced, *, at: datetime) -> None:
    """Write down on the sheet what was reserved, with the promise of each group."""
    _move_reserved(sheet, result, waited=result.waited)
    _promise(sheet, result, at=at)


def _taking(attempt: int, waited: bool, locked: bool, is_first: bool) -> Callable[..., TakeResult]:  # noqa: FBT001  # what `source_units` was told
    """How this attempt takes: who holds positions already waits for nothing that stands before them."""
    if attempt and not (waited or locked):
        return take_again
    has_positions = bool(attempt) or not is_first
    return partial(take_landed if waited else take, has_positions=has_positions)


def lock_supply(
    sheet: Sheet,
    line_ids: Collection[UUID],
    reservation_ids: Collection[UUID] = (),
    *,
    at: datetime,
) -> None:
    """Lock every position that these lines may be sourced from, and those of the reservations.

    A command that gives units back and takes others calls it first: positions are then locked
    once, by ascending id, and nothing later waits. So are, before them, the hard limits of the
    nodes: one that another transaction has counts as reached to whoever holds positions.
    """
    lines = [sheet.lines[line_id] for line_id in line_ids]
    channels = {sheet.orders[line.order_id].channel_id for line in lines}
    nodes = {node for channel_id in channels for node in inventory.channel_nodes(channel_id)}
    skus = {line.sku_id for line in lines if line.sku_id is not None}
    views = inventory.supply(skus, nodes) if skus and nodes else {}
    rooms = inventory.current_windows(nodes, at, hard=True) if nodes else {}
    lock_positions(
        [key for view in views.values() for key in view.position_ids],
        reservation_ids,
        windows=[window.id for room in rooms.values() for window in room],
    )


def record_decisions(result: Sourced, *, at: datetime, actor: Actor) -> None:
    """Keep why, in the same transaction; a plan that changed nothing for who waits is no decision."""
    kept = [plan for plan in result.plans if plan.takes] if result.waited else result.plans
    for plans in ([plan for plan in result.landed if plan.takes], kept):
        if plans:
            sourcing().record(plans, at=at, actor=actor)


def _demands_of_landed(sheet: Sheet, landed: Landed) -> list[Demand]:
    """The units that came in as a demand per group, with where they lie."""
    units = {line_id: sum(by_node.values()) for line_id, by_node in landed.items()}
    lying: dict[UUID, list[tuple[int, int, int]]] = {}
    for line_id, by_node in landed.items():
        line = sheet.lines[line_id]
        lying.setdefault(line.group_id, []).extend(
            (node_id, line.sku_id or 0, there) for node_id, there in by_node.items()
        )
    return [
        replace(demand, set_aside=tuple(lying[demand.group_id]))
        for demand in demands_of(sheet, units)
    ]


def demands_of(
    sheet: Sheet,
    left: Mapping[UUID, int],
    carts: HandOver | None = None,
    moved: Mapping[UUID, MovedTo] | None = None,
) -> list[Demand]:
    by_group: dict[UUID, list[DemandLine]] = {}
    for line_id, quantity in left.items():
        line = sheet.lines[line_id]
        by_group.setdefault(line.group_id, []).append(
            DemandLine(
                line_id=line_id,
                sku_id=line.sku_id or 0,
                quantity=quantity,
                weight_grams=line.unit_weight_grams,
                unit_value_minor=line.total_minor // line.ordered if line.ordered else 0,
                parent_id=line.parent_id if line.relation in DEPENDENT else None,
            )
        )
    demands = [
        _demand(sheet, sheet.groups[group_id], tuple(lines)) for group_id, lines in by_group.items()
    ]
    if moved is not None:
        demands = [
            replace(demand, pinned_node_id=to.node_id, moved=to.why)
            if (to := moved.get(demand.group_id))
            else demand
            for demand in demands
        ]
    return demands if carts is None else _with_held(demands, carts)


def _with_held(demands: Sequence[Demand], carts: HandOver) -> list[Demand]:
    """The demands with what their orders' carts hold for them; of several groups the first has it."""
    held = {order_id: carts.held(order_id) for order_id in carts.threads}
    found = []
    for demand in demands:
        mine: Counter[tuple[int, int]] = Counter()
        there = held.get(demand.order_id, Counter())
        for line in demand.lines:
            missing = line.quantity
            for key in [key for key in there if key[1] == line.sku_id]:
                part = min(missing, there[key])
                if part and demand.pickup_node_id in {None, key[0]}:
                    mine[key] += part
                    there[key] -= part
                    missing -= part
        kept = tuple((node_id, sku_id, units) for (node_id, sku_id), units in mine.items())
        found.append(replace(demand, held=kept))
    return found


def _demand(sheet: Sheet, group: GroupInHand, lines: tuple[DemandLine, ...]) -> Demand:
    order = sheet.orders[group.order_id]
    return Demand(
        group_id=group.id,
        order_id=order.id,
        account_id=order.account_id,
        channel_id=order.channel_id,
        currency=order.currency,
        method=group.method,
        service_level=group.service_code,
        postal_code=group.postal_code,
        region=group.region,
        country=group.country,
        lines=lines,
        ship_complete=group.ship_complete,
        pinned_node_id=group.pinned_node_id,
        pickup_node_id=group.pickup_node_id,
        plan_version=order.plan_version,
        not_before=group.not_before,
        requested_by=group.requested_by,
        priority=order.priority,
        tags=tuple(order.tags),
        customer_tags=tuple(order.customer_tags),
        placed_at=order.placed_at,
        quote_id=group.quote_id,
        quote_option=group.quote_option,
        bounds=group.bounds,
    )


def _wants(sheet: Sheet, plans: Sequence[Plan]) -> list[Want]:
    return [
        _want(sheet, planned, plan.promise.deliver_latest if plan.promise else None)
        for plan in plans
        for planned in plan.takes
    ]


def _take(
    taking: Callable[..., TakeResult],
    wants: Sequence[Want],
    result: Sourced,
    *,
    at: datetime,
    actor: Actor,
) -> list[Want]:
    """Take what was planned; count what was had, answer what was lost."""
    if not wants:
        return []
    known = [
        replace(want, is_counted=True) if (want.thread_id, want.node_id) in result.served else want
        for want in wants
    ]
    answer = taking(known, at=at, actor=actor)
    for taken in answer.taken:
        result.served.add((taken.want.thread_id, taken.want.node_id))
        line_id = taken.want.demand_id
        result.reserved[line_id] = result.reserved.get(line_id, 0) + taken.want.quantity
    return list(answer.lost)


def _want(sheet: Sheet, planned: PlannedTake, promised_at: datetime | None) -> Want:
    order = sheet.order_of_line(planned.line_id)
    return Want(
        position_id=planned.position_id,
        sku_id=planned.sku_id,
        node_id=planned.node_id,
        quantity=planned.quantity,
        demand_id=planned.line_id,
        thread_id=order.id,
        account_id=order.account_id,
        priority=order.priority,
        promised_at=promised_at,
        channel_id=order.channel_id,
        windows=planned.windows,
        min_expiry=planned.min_expiry,
    )


def _move_reserved(sheet: Sheet, result: Sourced, *, waited: bool) -> None:
    """Units that waited are served first: their claims in the queue went with the take."""
    buckets = ("backordered", "pending") if waited else ("pending", "backordered")
    for line_id, quantity in result.reserved.items():
        left = quantity
        for bucket in buckets:
            if part := min(left, getattr(sheet.lines[line_id], bucket)):
                sheet.move(line_id, bucket, "reserved", part)
                left -= part


def _promise(sheet: Sheet, result: Sourced, *, at: datetime) -> None:
    """One version per group that has a promise; several plans of a group promise the latest."""
    latest: dict[UUID, Plan] = {}
    for plan in (*result.landed, *result.plans):
        if plan.promise is None or not plan.takes:
            continue
        known = latest.get(plan.group_id)
        if (
            known is None
            or known.promise is None
            or plan.promise.deliver_latest > known.promise.deliver_latest
        ):
            latest[plan.group_id] = plan
    for group_id, plan in latest.items():
        promise, group = plan.promise, sheet.groups[group_id]
        if promise is None:
            continue
        order = sheet.orders[group.order_id]
        sheet.raise_plan(order.id)
        bind(sheet, group, promise.bounds)
        add_promise(
            sheet,
            {
                "id": ids.uuid7(),
                "order_id": order.id,
                "group_id": group_id,
                "account_id": order.account_id,
                "version": order.plan_version,
                "ship_by": promise.ship_by,
                "deliver_earliest": promise.deliver_earliest,
                "deliver_latest": promise.deliver_latest,
                "basis": dict(promise.basis),
                "cause": "accept" if group.ship_by is None else "resource",
                "at": at,
            },
        )
        refold_promise(sheet, order.id)


def refold_promise(sheet: Sheet, order_id: UUID) -> None:
    """The order's dates: the first to leave, the last to arrive, of its groups."""
    groups = sheet.groups_of(order_id)
    order = sheet.orders[order_id]
    order.ship_by = min((g.ship_by for g in groups if g.ship_by), default=None)
    order.deliver_by = max((g.deliver_by for g in groups if g.deliver_by), default=None)
