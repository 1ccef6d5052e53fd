"""Reserved units are asked of their nodes: one fulfillment order per delivery group and node."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

import inventory.selectors
import inventory.services
import orders.selectors
import orders.services
from config.kernel import events, ids
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import Actor, Outcome
from fulfillment.hours import acknowledge_by
from fulfillment.models import FulfillmentLine, FulfillmentOrder
from fulfillment.services.nodes import nodes_of
from fulfillment.services.parcels import next_numbers
from fulfillment.services.work import PICKUP
from fulfillment.types import Released
from inventory.states import Function, ReservationState
from inventory.types import NodeView, ReservationView
from orders.types import Move, ReleasableGroup

_PAGES = 10
_NUMBERS = ("FO-", "fulfillment_order_number")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one node is about to be asked for one group: (order line, reservation) pairs."""

    group: ReleasableGroup
    node: NodeView
    claims: tuple[ReservationView, ...]


def release_due(*, limit: int, at: datetime, actor: Actor) -> list[Outcome[Released]]:
    """Release what nothing keeps from its nodes, the earliest ship-by first; a page at a time.

    Groups whose nodes are closed are passed over, so that they do not keep the others waiting.
    """
    outcomes: list[Outcome[Released]] = []
    passed_over: list[UUID] = []
    for _ in range(_PAGES):
        due = orders.selectors.groups_to_release(at=at, limit=limit, leaving_out=passed_over)
        if not due:
            break
        page = release_groups(due, at=at, actor=actor)
        outcomes += page
        passed_over += [
            group_id for group_id, outcome in zip(due, page, strict=True) if not outcome.ok
        ]
        if len(due) < limit or not passed_over:
            break
    return outcomes


@transaction.atomic
def release_groups(
    group_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> list[Outcome[Released]]:
    """Ask the nodes for the reserved units of these groups. One outcome per group, in order.

    Refused with the reason while a hold, the payment, the remorse window or a date keeps the
    group, when nothing of it is reserved, and when its node is closed for the work.
    """
    threads = orders.selectors.orders_of_groups(group_ids, scope=actor.scope)
    orders.services.lock_orders(sorted(set(threads.values())))
    ready, reasons = orders.selectors.releasable(list(threads), at=at)
    by_group = {group.group_id: group for group in ready}
    asked, closed = _match(by_group.values())
    moves = _moves(asked)
    if asked:
        orders.services.move_units(moves, at=at, actor=actor)
        made = _insert(asked, at=at, actor=actor)
        inventory.services.commit(
            [claim.id for work in asked for claim in work.claims], at=at, actor=actor
        )
    else:
        made = {}
    return [_verdict(group_id, threads, made, reasons, closed) for group_id in group_ids]


def _verdict(
    group_id: UUID,
    threads: dict[UUID, UUID],
    made: dict[UUID, list[UUID]],
    reasons: dict[UUID, tuple[str, str]],
    closed: dict[UUID, str],
) -> Outcome[Released]:
    if group_id not in threads:
        return Outcome.refused("not-found", "There is no such delivery group.")
    if group_id in made:
        return Outcome.done(Released(group_id, tuple(made[group_id])))
    if group_id in closed:
        return Outcome.refused("node-closed", closed[group_id])
    code, detail = reasons.get(group_id, ("nothing-reserved", "Nothing of it is reserved."))
    return Outcome.refused(code, detail)


def _match(
    groups: Iterable[ReleasableGroup],
) -> tuple[list[_Asked], dict[UUID, str]]:
    """Which node is asked for which reservations, and why the others are not asked now."""
    wanted = {line.line_id: group for group in groups for line in group.lines}
    claims: defaultdict[tuple[UUID, int], list[ReservationView]] = defaultdict(list)
    for line_id, held in inventory.selectors.claims_of(list(wanted)).items():
        for claim in held:
            if claim.state == ReservationState.RESERVED and claim.node_id is not None:
                claims[wanted[line_id].group_id, claim.node_id].append(claim)
    by_group = {group.group_id: group for group in wanted.values()}
    nodes = nodes_of(group.account_id for group in by_group.values())
    asked: list[_Asked] = []
    closed: dict[UUID, str] = {}
    for (group_id, node_id), held in sorted(claims.items()):
        group, node = by_group[group_id], nodes.get(node_id)
        function = Function.PICKUP if group.method == PICKUP else Function.SHIP
        if node is None:
            closed[group_id] = "The node was taken from this account."
        elif why := node.reason_closed(function):
            closed[group_id] = f"{node.name} does not {function}: {why}."
        else:
            asked.append(_Asked(group, node, tuple(held)))
    return asked, closed


def _moves(asked: Sequence[_Asked]) -> list[Move]:
    units: defaultdict[UUID, int] = defaultdict(int)
    for work in asked:
        for claim in work.claims:
            units[claim.demand_id] += claim.open
    return [
        Move(line_id, "reserved", "released", quantity)
        for line_id, quantity in sorted(units.items())
    ]


def _insert(asked: Sequence[_Asked], *, at: datetime, actor: Actor) -> dict[UUID, list[UUID]]:
    """Write the fulfillment orders and their lines; return the ids made per group."""
    numbers = next_numbers(*_NUMBERS, len(asked))
    made: defaultdict[UUID, list[UUID]] = defaultdict(list)
    rows: list[FulfillmentOrder] = []
    lines: list[FulfillmentLine] = []
    for work, number in zip(asked, numbers, strict=True):
        order = _order_of(work, number, at=at)
        rows.append(order)
        made[work.group.group_id].append(order.pk)
        lines += [
            FulfillmentLine(
                account_id=order.account_id,
                fulfillment_order_id=order.pk,
                position=place,
                order_line_id=claim.demand_id,
                sku_id=claim.sku_id,
                reservation_id=claim.id,
                requested=claim.open,
                waiting=claim.open,
            )
            for place, claim in enumerate(work.claims, start=1)
        ]
    FulfillmentOrder.objects.bulk_create(rows)
    FulfillmentLine.objects.bulk_create(lines)
    record_history(
        FulfillmentOrder,
        [order.pk for order in rows],
        Change.CREATED,
        at=at,
        actor=actor,
        reason="released",
    )
    events.record(
        [_fact(order, work) for order, work in zip(rows, asked, strict=True)], at=at, actor=actor
    )
    return made


def _order_of(work: _Asked, number: str, *, at: datetime) -> FulfillmentOrder:
    group = work.group
    return FulfillmentOrder(
        id=ids.uuid7(),
        number=number,
        account_id=group.account_id,
        order_id=group.order_id,
        group_id=group.group_id,
        node_id=work.node.id,
        service_level_id=group.service_level_id,
        method=group.method,
        priority=group.priority,
        released_at=at,
        acknowledge_by=acknowledge_by(work.node, at),
        ship_by=group.ship_by,
        event_seq=1,
    )


def _fact(order: FulfillmentOrder, work: _Asked) -> events.Fact:
    return events.Fact(
        "fulfillment.released",
        "fulfillment_order",
        order.pk,
        order.event_seq,
        order.account_id,
        {
            "number": order.number,
            "node_id": order.node_id,
            "node": work.node.code,
            "group_id": str(order.group_id),
            "lines": {str(claim.demand_id): claim.open for claim in work.claims},
        },
        order.order_id,
    )
