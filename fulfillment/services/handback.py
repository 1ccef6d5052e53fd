"""Units that a node has given up go back to their order lines: to be sourced again, or cancelled."""

from collections.abc import Sequence
from datetime import datetime

import orders.services
from config.kernel.types import Actor
from fulfillment.models import FulfillmentLine
from fulfillment.services.work import Work
from orders.types import FreedUnits, GivenBack


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
    """Cancel units that are free of the node again, with their reservations.

    The work was opened whole: what goes with the units may be at other nodes.
    """
    if not units:
        return
    orders.services.cancel_freed(
        [
            FreedUnits(
                work.orders[line.fulfillment_order_id].order_id,
                line.order_line_id,
                quantity,
                line.reservation_id,
            )
            for line, quantity in units
        ],
        why=why,
        initiator=initiator,
        at=at,
        actor=actor,
    )
