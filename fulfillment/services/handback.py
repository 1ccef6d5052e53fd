"""Units that a node has given up go back to their order lines: to be sourced again, or cancelled."""

from collections.abc import Sequence
from datetime import datetime

import inventory.services
import orders.services
from config.kernel.types import Actor
from fulfillment.models import FulfillmentLine
from fulfillment.services.work import Work
from inventory.types import Portion
from orders.types import CancelRequest, GivenBack

CANCELLED = "cancelled"


def give_back(
    work: Work,
    units: Sequence[tuple[FulfillmentLine, int, str]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Have the order lines wait again for these units, each with its reason."""
    if not units:
        return
    orders.services.give_back_units(
        [
            GivenBack(
                work.orders[line.fulfillment_order_id].order_id,
                line.order_line_id,
                quantity,
                work.orders[line.fulfillment_order_id].node_id,
                line.sku_id,
                reason,
            )
            for line, quantity, reason in units
        ],
        at=at,
        actor=actor,
    )


def withdraw(
    work: Work,
    units: Sequence[tuple[FulfillmentLine, int]],
    *,
    why: str,
    initiator: str,
    at: datetime,
    actor: Actor,
) -> None:
    """Cancel units that are free of the node again: their reservations first, then the order's."""
    if not units:
        return
    give_back(work, [(line, quantity, CANCELLED) for line, quantity in units], at=at, actor=actor)
    inventory.services.release(
        [Portion(line.reservation_id, quantity) for line, quantity in units],
        reason=CANCELLED,
        at=at,
        actor=actor,
    )
    orders.services.cancel_units(
        [
            CancelRequest(
                work.orders[line.fulfillment_order_id].order_id,
                line.order_line_id,
                quantity,
                why,
                initiator,
            )
            for line, quantity in units
        ],
        at=at,
        actor=actor,
    )
