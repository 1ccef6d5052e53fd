"""The locks of what a node's system reports at once: one transaction, several commands."""

from collections.abc import Collection
from uuid import UUID

import inventory.services
import orders.services
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentLine, FulfillmentOrder, NodeRequest, Parcel


def lock_work(fulfillment_order_ids: Collection[UUID]) -> None:
    """Lock at once all that reports about this work may reach; the commands then wait for nobody.

    In the caller's transaction: orders with their tenders, every fulfillment order of theirs,
    their parcels and questions, and the positions they are served from with their levels.
    """
    every = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS)
    order_ids = sorted(
        set(every.filter(pk__in=list(fulfillment_order_ids)).values_list("order_id", flat=True))
    )
    if not order_ids:
        return
    orders.services.lock_orders(order_ids)
    work = [
        order.pk
        for order in every.locked(
            list(every.filter(order_id__in=order_ids).values_list("pk", flat=True))
        )
    ]
    # By their work and not by id: also the parcels that this transaction will close are its own.
    for rows in (
        Parcel.objects.for_scope(ALL_ACCOUNTS).filter(fulfillment_order_id__in=work),
        NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(fulfillment_order_id__in=work),
    ):
        list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    lines = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS)
    inventory.services.lock_positions(
        (),
        list(lines.filter(fulfillment_order_id__in=work).values_list("reservation_id", flat=True)),
        levels=True,
    )
