"""Orders that were carts for which units are held: what they take over of it, and what is told."""

from collections.abc import Iterable
from datetime import datetime

from config.kernel.types import Actor
from inventory.services.hand_over import HandOver
from orders.models import Order
from orders.services.sheet import Sheet


def open_carts(orders: Iterable[Order], *, at: datetime) -> HandOver | None:
    """What the carts of these orders hold, locked; None, without a statement, where none had one."""
    named = {order.id: order.cart_hold_id for order in orders if order.cart_hold_id is not None}
    return HandOver(dict(sorted(named.items())), at=at) if named else None


def end_carts(sheet: Sheet, carts: HandOver, *, at: datetime, actor: Actor) -> None:
    """Give back what no order needs of its hold, and have each order say what became of it."""
    carts.end(at=at, actor=actor)
    for order_id in carts.threads:
        sheet.tell(
            order_id,
            "order.cart_taken_over",
            {
                "hold_id": str(sheet.orders[order_id].cart_hold_id),
                "units": carts.taken[order_id],
                "given_back": carts.given_back[order_id],
            },
        )
    for order_id, why in carts.missed.items():
        sheet.tell(
            order_id,
            "order.cart_missed",
            {"hold_id": str(sheet.orders[order_id].cart_hold_id), "why": why},
        )
