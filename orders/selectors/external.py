"""Orders and lines by the ids that channels give them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Sum

from config.kernel.types import ALL_ACCOUNTS
from orders.models import Order, OrderLine
from orders.states import DocumentKind
from orders.types import AcceptedOrder


@dataclass(frozen=True, slots=True)
class LineAtHand:
    """What can still be done with a line that a channel names.

    `unshipped` units can be cancelled, `returnable` ones are delivered and not yet returned.
    """

    order_id: UUID
    line_id: UUID
    unshipped: int
    returnable: int


def ids_by_external(wanted: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], UUID]:
    """Sales by (channel id, the channel's own order id); unknown ones are absent. One statement."""
    rows = (
        Order.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            channel_id__in={channel for channel, _ in wanted},
            document_kind=DocumentKind.SALE,
            external_id__in={external for _, external in wanted},
        )
        .values_list("channel_id", "external_id", "pk")
    )
    return {(channel, external): pk for channel, external, pk in rows}


def accepted_orders(order_ids: Collection[UUID]) -> dict[UUID, AcceptedOrder]:
    """What stands of these orders by now, as their acceptance would say it. One statement."""
    rows = (
        Order.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(order_ids))
        .annotate(
            units_reserved=Sum("lines__reserved", default=0),
            units_backordered=Sum("lines__backordered", default=0),
            units_waiting=Sum("lines__pending", default=0),
        )
        .values_list(
            "pk",
            "number",
            "state",
            "progress",
            "units_reserved",
            "units_backordered",
            "units_waiting",
            "ship_by",
            "deliver_by",
        )
    )
    return {row[0]: AcceptedOrder(*row) for row in rows}


def lines_by_external(
    channel_id: UUID, external_ids: Collection[str]
) -> dict[tuple[str, str], LineAtHand]:
    """The lines of these sales of a channel, by (order's, line's external id). One statement."""
    rows = (
        OrderLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            order__channel_id=channel_id,
            order__document_kind=DocumentKind.SALE,
            order__external_id__in=list(external_ids),
        )
        .values_list(
            "order__external_id",
            "external_id",
            "order_id",
            "pk",
            "pending",
            "backordered",
            "reserved",
            "released",
            "delivered",
            "returned",
        )
    )
    return {
        (order, line): LineAtHand(order_id, line_id, sum(unshipped), delivered - returned)
        for order, line, order_id, line_id, *unshipped, delivered, returned in rows
    }
