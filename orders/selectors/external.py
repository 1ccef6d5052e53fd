"""Orders and lines by the ids that channels give them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Sum

from config.kernel.types import ALL_ACCOUNTS
from orders.models import Order, OrderLine
from orders.states import DocumentKind, FulfilledBy, LineKind, Relation
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


@dataclass(frozen=True, slots=True)
class LineStanding:
    """A line as channels know it, with where its units stand.

    `parent_id` is the kit of a component; a kit's own units are what its components make up.
    `ours` says that we are to ship it, `sells` that it is goods and no charge.
    """

    order_id: UUID
    line_id: UUID
    external_id: str
    external_sku: str
    kind: str
    parent_id: UUID | None
    ordered: int
    unshipped: int
    shipped: int
    cancelled: int
    delivered: int
    ours: bool

    @property
    def alive(self) -> int:
        return self.ordered - self.cancelled

    @property
    def sells(self) -> bool:
        return self.kind in (LineKind.STOCK, LineKind.KIT)


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


def standing_lines(order_ids: Collection[UUID]) -> dict[UUID, list[LineStanding]]:
    """The lines of these orders in their order, kits as far as their components. One statement."""
    found: dict[UUID, list[LineStanding]] = {order_id: [] for order_id in order_ids}
    parts: dict[UUID, list[LineStanding]] = {}
    for row in (
        OrderLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(order_id__in=list(order_ids))
        .select_related("group")
        .order_by("order_id", "position")
    ):
        of_kit = row.parent_id if row.relation == Relation.KIT_COMPONENT else None
        standing = LineStanding(
            row.order_id,
            row.pk,
            row.external_id,
            row.external_sku,
            row.kind,
            of_kit,
            row.ordered,
            row.pending + row.backordered + row.reserved + row.released,
            row.shipped,
            row.cancelled,
            row.delivered,
            row.group.fulfilled_by == FulfilledBy.US,
        )
        found[row.order_id].append(standing)
        if of_kit is not None:
            parts.setdefault(of_kit, []).append(standing)
    return {
        order_id: [_as_a_whole(line, parts.get(line.line_id, ())) for line in lines]
        for order_id, lines in found.items()
    }


def _as_a_whole(line: LineStanding, parts: Sequence[LineStanding]) -> LineStanding:
    """A kit has so many units in a place as its scarcest component makes up."""
    if line.kind != LineKind.KIT or not parts:
        return line

    def made_up(name: str) -> int:
        return min(int(getattr(part, name)) * line.ordered // part.ordered for part in parts)

    alive = made_up("alive")
    shipped = min(alive, made_up("shipped"))
    return replace(
        line,
        unshipped=alive - shipped,
        shipped=shipped,
        cancelled=line.ordered - alive,
        delivered=made_up("delivered"),
    )
