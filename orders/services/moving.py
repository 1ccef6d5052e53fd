"""Reserved units go to another node because a person says so, in one step or not at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.types import Actor
from inventory import selectors as inventory
from inventory.services.reservations import release
from inventory.states import ReservationState
from inventory.types import Portion, ReservationView
from orders.services.in_hand import GroupInHand
from orders.services.resource import group_of_ours, tell_sourced
from orders.services.sheet import Sheet, open_sheet
from orders.services.source import MovedTo, lock_supply, record_decisions, source_units
from orders.states import Method, OrderState
from orders.types import ReservedMove

MOST = 200


@transaction.atomic
def move_reserved(moves: Sequence[ReservedMove], reason: str, *, at: datetime, actor: Actor) -> int:
    """Give units back where they are reserved for orders and reserve them at the named nodes.

    All of them or none. Capacity is given back and taken, lots are bound anew, the promise is
    versioned, and the decision says who moved them and why. Answers the units moved. Raises Invalid
    without a reason, NotFound for a claim of no order in reach, and Conflict, saying why, for what
    was released to its node, may not leave it, or finds too little at the other.
    """
    if not reason.strip():
        raise Invalid(
            "Say why.", errors=[{"pointer": "/reason", "code": "required", "detail": "Say why."}]
        )
    known = inventory.reservations([move.reservation_id for move in moves])
    sheet = open_sheet({claim.thread_id for claim in known.values()})
    known = inventory.reservations(list(known))
    networks = {
        channel_id: inventory.channel_nodes(channel_id)
        for channel_id in {order.channel_id for order in sheet.orders.values()}
    }
    wanted: dict[UUID, int] = {}
    targets: dict[UUID, MovedTo] = {}
    portions = []
    for move in moves:
        claim = claim_on_sheet(sheet, known.get(move.reservation_id), actor)
        group = sheet.groups[sheet.lines[claim.demand_id].group_id]
        group_of_ours(sheet, group.id, actor)
        network = networks[sheet.orders[group.order_id].channel_id]
        _require_movable(sheet, group, claim, move.node_id, network)
        to = targets.setdefault(group.id, MovedTo(move.node_id, f"{actor.name} ({reason})"))
        if to.node_id != move.node_id:
            raise Conflict("Units of one delivery group move to one node at a time.")
        units = claim.open if move.quantity is None else move.quantity
        portions.append(portion_of(sheet, claim, units))
        wanted[claim.demand_id] = wanted.get(claim.demand_id, 0) + units
    lock_supply(sheet, list(wanted), list(known), at=at)
    release(portions, "moved", at=at, actor=actor)
    result = source_units(sheet, wanted, locked=True, moved=targets, at=at, actor=actor)
    _require_all(sheet, wanted, result.reserved)
    for order_id in {sheet.lines[line_id].order_id for line_id in wanted}:
        _tell_moved(sheet, order_id, wanted, targets, reason)
    tell_sourced(sheet, result.reserved)
    sheet.write(at=at, actor=actor, reason=f"moved: {reason}")
    record_decisions(result, at=at, actor=actor)
    return sum(wanted.values())


def claim_on_sheet(sheet: Sheet, claim: ReservationView | None, actor: Actor) -> ReservationView:
    """The claim of an order on the sheet that no node was asked for. Raises NotFound, Conflict."""
    line = None if claim is None else sheet.lines.get(claim.demand_id)
    if claim is None or line is None or not actor.scope.allows(claim.account_id):
        raise NotFound("No order in your reach has such a reservation.")
    number = sheet.orders[line.order_id].number
    if claim.state == ReservationState.COMMITTED.value:
        raise Conflict(
            f"The units of {number} are released to their node: it has to give them back first."
        )
    if claim.state != ReservationState.RESERVED.value:
        raise Conflict(f"The reservation of {number} has ended.")
    return claim


def portion_of(sheet: Sheet, claim: ReservationView, units: int) -> Portion:
    """So many units of the claim, waiting for a node again. Raises Conflict beyond what is open."""
    line = sheet.lines[claim.demand_id]
    if not 0 < units <= min(claim.open, line.reserved):
        raise Conflict(f"{claim.open} units of it are reserved.", open=claim.open)
    sheet.move(line.id, "reserved", "pending", units)
    return Portion(claim.id, units)


def _require_movable(
    sheet: Sheet,
    group: GroupInHand,
    claim: ReservationView,
    node_id: int,
    network: Mapping[int, tuple[bool, bool]],
) -> None:
    order = sheet.orders[group.order_id]
    if order.state != OrderState.ACCEPTED:
        raise Conflict("The order is not accepted yet; acceptance chooses its nodes.")
    if group.method == Method.PICKUP:
        raise Conflict(f"The buyer of {order.number} collects it there: ask them first.")
    if group.pinned_node_id not in {None, node_id}:
        raise Conflict(f"{order.number} is pinned to a node: send it from another one instead.")
    if claim.node_id == node_id:
        raise Conflict("It is there.")
    if not network.get(node_id, (False, False))[0]:
        raise Conflict(f"The node does not ship for the channel of {order.number}.")


def _require_all(sheet: Sheet, wanted: dict[UUID, int], had: dict[UUID, int]) -> None:
    for line_id, units in wanted.items():
        if had.get(line_id, 0) < units:
            line, order = sheet.lines[line_id], sheet.order_of_line(line_id)
            raise Conflict(
                f"The node can send {had.get(line_id, 0)} of the {units} units of "
                f"{line.external_sku} that {order.number} wants: nothing was moved.",
                line_id=str(line_id),
            )


def _tell_moved(
    sheet: Sheet,
    order_id: UUID,
    wanted: dict[UUID, int],
    targets: dict[UUID, MovedTo],
    reason: str,
) -> None:
    lines = [line for line in sheet.lines_of(order_id) if line.id in wanted]
    sheet.tell(
        order_id,
        "order.units_moved",
        {
            "lines": {str(line.id): wanted[line.id] for line in lines},
            "node_ids": sorted({targets[line.group_id].node_id for line in lines}),
            "reason": reason,
        },
    )
