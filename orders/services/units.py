"""Units on their way: what fulfillment tells of released, shipped, delivered and returned units.

Every function here runs inside the caller's transaction and locks the orders first: call
`lock_orders` before anything below orders is locked.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from config.kernel.types import Actor
from orders.models import Order
from orders.services import money
from orders.services.sheet import Sheet, open_sheet, orders_of_lines
from orders.services.tenders import lock_tenders
from orders.types import GivenBack, Move, ReturnedUnits, ShippedUnits


def lock_orders(order_ids: Iterable[UUID]) -> list[Order]:
    """Lock the orders by ascending id, then their tenders: the gate before anything of theirs moves.

    Whatever ships has its money asked for, by when fulfillment orders are locked: too late.
    """
    sheet = open_sheet(order_ids)
    lock_tenders(list(sheet.orders))
    return list(sheet.orders.values())


def move_units(moves: Sequence[Move], *, topic: str = "", at: datetime, actor: Actor) -> None:
    """Take units of lines from one bucket to another; all of them or none.

    Raises Conflict when a bucket has fewer. With a `topic` each order tells one event of it, with
    the units per line. Progress is folded, the plan version raised, money follows what ships.
    """
    if not moves:
        return
    sheet = _sheet_of_lines(move.line_id for move in moves)
    sheet.apply(moves)
    told: dict[UUID, dict[str, int]] = {}
    for move in moves:
        units = told.setdefault(sheet.lines[move.line_id].order_id, {})
        units[str(move.line_id)] = units.get(str(move.line_id), 0) + move.quantity
    if topic:
        for order_id, units in told.items():
            sheet.tell(order_id, topic, {"lines": units})
    _finish(sheet, list(told), topic or "units moved", at=at, actor=actor)


def record_shipments(shipped: Sequence[ShippedUnits], *, at: datetime, actor: Actor) -> None:
    """Units left in parcels: released → underway, one invoice per parcel, captures asked for.

    Lines that ship nothing go with the last of the stock, on the last parcel's invoice. Raises
    Conflict when more is said to have left than was released: excess is the caller's to mark.
    """
    if not shipped:
        return
    sheet = _sheet_of_lines(one.line_id for one in shipped)
    by_parcel: dict[tuple[UUID, UUID], list[ShippedUnits]] = {}
    for one in shipped:
        by_parcel.setdefault((one.order_id, one.parcel_id), []).append(one)
    for (order_id, parcel_id), units in by_parcel.items():
        for one in units:
            sheet.move(one.line_id, "released", "underway", one.quantity)
        sheet.follow(order_id, at=at)
        money.bill_changes(sheet, order_id, at=at, parcel_id=parcel_id)
        sheet.tell(
            order_id,
            "order.shipped",
            {
                "parcel_id": str(parcel_id),
                "lines": {str(one.line_id): one.quantity for one in units},
            },
        )
    orders = sorted({order_id for order_id, _ in by_parcel})
    _finish(sheet, orders, "shipped", at=at, actor=actor)


def give_back_units(given: Sequence[GivenBack], *, at: datetime, actor: Actor) -> None:
    """Released units that the node could not or would not ship are pending again.

    Their reservations are the caller's to end. `resource_groups` with the nodes excluded, or the
    sweeper, finds them another node.
    """
    if not given:
        return
    sheet = _sheet_of_lines(one.line_id for one in given)
    for one in given:
        sheet.move(one.line_id, "released", "pending", one.quantity)
        sheet.tell(
            one.order_id,
            "order.units_given_back",
            {
                "line_id": str(one.line_id),
                "units": one.quantity,
                "node_id": one.node_id,
                "reason": one.reason,
            },
        )
    sheet.write(at=at, actor=actor, reason="given back by the node")


def record_returned(returned: Sequence[ReturnedUnits], *, at: datetime, actor: Actor) -> list[int]:
    """Delivered units came back by the channel's word. Answers the units recorded of each.

    More than was delivered and not yet returned is not recorded: the caller says so.
    """
    sheet = _sheet_of_lines(one.line_id for one in returned)
    recorded = []
    for one in returned:
        line = sheet.lines.get(one.line_id)
        units = min(one.quantity, line.delivered - line.returned) if line else 0
        if units > 0:
            sheet.move(one.line_id, "delivered", "returned", units)
            sheet.tell(
                one.order_id,
                "order.units_returned",
                {"line_id": str(one.line_id), "units": units},
            )
        recorded.append(max(units, 0))
    sheet.write(at=at, actor=actor, reason="returned by the channel")
    return recorded


def _sheet_of_lines(line_ids: Iterable[UUID]) -> Sheet:
    return open_sheet(orders_of_lines(list(line_ids)).values())


def _finish(
    sheet: Sheet, order_ids: Sequence[UUID], reason: str, *, at: datetime, actor: Actor
) -> None:
    """Let money follow, then write."""
    for order_id in order_ids:
        sheet.follow(order_id, at=at)
        money.bill_changes(sheet, order_id, at=at)
    billed = [order_id for order_id in order_ids if sheet.is_billed_now(order_id)]
    asked = money.settle(sheet, billed, at=at)
    sheet.write(at=at, actor=actor, reason=reason)
    asked.send(at=at, actor=actor)
