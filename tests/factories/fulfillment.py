"""Factories of work at nodes: an order whose units are reserved, released, picked or packed.

Units are reserved and released by the real commands, so that books and buckets always agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel import vault
from config.kernel.models import Account, Channel
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment import services
from fulfillment.models import FulfillmentLine, FulfillmentOrder, Parcel
from fulfillment.types import Acknowledgement, Pack, Pick, Shipment
from inventory.models import Node, ServiceLevel, Sku, StockPosition
from inventory.services import take
from inventory.types import Want
from orders.models import Contact, DeliveryGroup, Order, OrderLine, Promise
from orders.services.capture_people import address_row
from orders.types import Address
from tests.factories.inventory import NodeFactory, ServiceLevelFactory, SkuFactory, stock
from tests.factories.kernel import NOON, ChannelFactory

BEN = Actor.system("ben")
MORNING = NOON - timedelta(hours=3)
_RELEASED_TOGETHER = 500
HOME = Address(
    name="Ada Lovelace",
    line1="12 Orchard Street",
    city="Brooklyn",
    region="NY",
    postal_code="11201",
    country="US",
)


@dataclass(frozen=True, slots=True)
class Placed:
    """An order with one delivery group and one line per SKU."""

    order: Order
    group: DeliveryGroup
    lines: tuple[OrderLine, ...]

    def line(self, place: int = 0) -> OrderLine:
        """The order line as it stands now."""
        found: OrderLine = OrderLine.objects.for_scope(ALL_ACCOUNTS).get(pk=self.lines[place].pk)
        return found


def place(
    units: Mapping[Sku, int],
    node: Node,
    *,
    method: str = "ship",
    ship_by: datetime | None = NOON + timedelta(days=1),
    reserve: bool = True,
    **details: Any,
) -> Placed:
    """An accepted order whose units are reserved at the node; `details` are the order's."""
    account = next(iter(units)).account
    details.setdefault("channel", None)
    details["channel"] = details["channel"] or ChannelFactory(account=account)
    details["external_id"] = f"W-{Order.objects.for_scope(ALL_ACCOUNTS).count()}"
    order = _order(units, ship_by=ship_by, reserve=reserve, **details)
    order.save(force_insert=True)
    order.refresh_from_db()
    group = _group(order, node, method, _contact(account), ServiceLevelFactory())
    group.save(force_insert=True)
    lines = _lines(order, group, units, reserve=reserve)
    for line in lines:
        line.save(force_insert=True)
        if reserve:
            reserve_units(line, node, line.ordered)
    return Placed(order, group, lines)


def place_alike(count: int, units: int, sku: Sku, node: Node) -> list[Placed]:
    """So many orders of one channel as `place` makes them, in a few statements."""
    channel, level = ChannelFactory(account=sku.account), ServiceLevelFactory()
    position = stock(units * count + 5, sku=sku, node=node)
    wanted = {sku: units}
    orders = [_order(wanted, channel=channel, external_id=f"W-{n}") for n in range(count)]
    contacts = [
        Contact(**address_row(sku.account_id, key.id, HOME)) for key in vault.new_keys(count)
    ]
    groups = [
        _group(order, node, "ship", contact, level)
        for order, contact in zip(orders, contacts, strict=True)
    ]
    lines = [_lines(order, group, wanted) for order, group in zip(orders, groups, strict=True)]
    Order.objects.bulk_create(orders)
    Contact.objects.bulk_create(contacts)
    DeliveryGroup.objects.bulk_create(groups)
    OrderLine.objects.bulk_create([line for (line,) in lines])
    with transaction.atomic():
        take([_want(line, position, line.ordered) for (line,) in lines], at=MORNING, actor=BEN)
    return [Placed(*parts) for parts in zip(orders, groups, lines, strict=True)]


def _order(
    units: Mapping[Sku, int],
    *,
    channel: Channel,
    ship_by: datetime | None = NOON + timedelta(days=1),
    reserve: bool = True,
    **details: Any,
) -> Order:
    total = 1000 * sum(units.values())
    return Order(
        account=channel.account,
        brand=channel.brand,
        channel=channel,
        state=details.pop("state", "accepted"),
        currency="USD",
        placed_at=MORNING,
        captured_at=MORNING,
        accepted_at=MORNING,
        updated_at=MORNING,
        progress="reserved" if reserve else "waiting",
        items_minor=total,
        total_minor=total,
        ship_by=ship_by,
        **details,
    )


def _group(
    order: Order, node: Node, method: str, contact: Contact, level: ServiceLevel
) -> DeliveryGroup:
    return DeliveryGroup(
        order=order,
        account=order.account,
        position=1,
        method=method,
        contact=contact,
        postal_code=HOME.postal_code,
        region=HOME.region,
        country=HOME.country,
        pickup_node=node if method == "pickup" else None,
        service_level=level,
        ship_by=order.ship_by,
    )


def _lines(
    order: Order, group: DeliveryGroup, units: Mapping[Sku, int], *, reserve: bool = True
) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(
            order=order,
            group=group,
            account=order.account,
            position=position,
            sku=sku,
            external_sku=sku.code,
            title=sku.name,
            unit_weight_grams=sku.weight_grams,
            unit_price=10,
            gross_minor=1000 * quantity,
            total_minor=1000 * quantity,
            ordered=quantity,
            reserved=quantity if reserve else 0,
            pending=0 if reserve else quantity,
        )
        for position, (sku, quantity) in enumerate(units.items(), start=1)
    )


def reserve_units(line: OrderLine, node: Node, quantity: int) -> UUID:
    """Claim units for the line at the node; there are five more than that."""
    position = stock(quantity + 5, sku=line.sku, node=node)
    with transaction.atomic():
        result = take([_want(line, position, quantity)], at=MORNING, actor=BEN)
    return result.taken[0].reservation_id


def _want(line: OrderLine, position: StockPosition, quantity: int) -> Want:
    return Want(
        position.pk,
        line.sku_id,
        position.node_id,
        quantity,
        line.pk,
        line.order_id,
        line.account_id,
    )


def _contact(account: Account) -> Contact:
    key = vault.new_keys(1)[0]
    return Contact.objects.create(**address_row(account.pk, key.id, HOME))


def node_for(account: Account, **details: Any) -> Node:
    return NodeFactory(account=account, **details)


def released(
    units: int | Mapping[Sku, int] = 2, *, node: Node | None = None, **details: Any
) -> tuple[Placed, FulfillmentOrder]:
    """An order and the one fulfillment order that its node was sent."""
    wanted = {SkuFactory(): units} if isinstance(units, int) else units
    account = next(iter(wanted)).account
    placed = place(wanted, node or node_for(account), **details)
    outcome = services.release_groups([placed.group.pk], at=NOON, actor=BEN)[0]
    assert outcome.value is not None, outcome.problem
    return placed, work(outcome.value.fulfillment_order_ids[0])


def many_released(
    count: int, units: int = 1, *, sku: Sku | None = None, node: Node | None = None
) -> list[tuple[Placed, FulfillmentOrder]]:
    """So many orders, released together: of accounts of their own, or of the SKU at the node."""
    if sku is not None and node is not None:
        placed = place_alike(count, units, sku, node)
    else:
        skus = [sku or SkuFactory() for _ in range(count)]
        placed = [place({one: units}, node or node_for(one.account)) for one in skus]
    groups = [one.group.pk for one in placed]
    for low in range(0, count, _RELEASED_TOGETHER):
        services.release_groups(groups[low : low + _RELEASED_TOGETHER], at=NOON, actor=BEN)
    orders = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(group_id__in=groups)
    found = {order.group_id: order for order in orders}
    return [(one, found[one.group.pk]) for one in placed]


def many_picked(count: int, units: int = 1, **where: Any) -> list[tuple[Placed, FulfillmentOrder]]:
    made = many_released(count, units, **where)
    picks = [Pick(line.pk, line.requested) for _, order in made for line in order.lines.all()]
    services.record_picks(picks, at=NOON, actor=BEN)
    return [(placed, work(order.pk)) for placed, order in made]


def many_packed(
    count: int, units: int = 1, **where: Any
) -> list[tuple[Placed, FulfillmentOrder, Parcel]]:
    made = many_picked(count, units, **where)
    packs = [Pack(order.pk) for _, order in made]
    outcomes = services.record_packs(packs, at=NOON, actor=BEN)
    boxes = [outcome.value.parcel_ids[0] for outcome in outcomes if outcome.value is not None]
    return [
        (placed, work(order.pk), parcel(box))
        for (placed, order), box in zip(made, boxes, strict=True)
    ]


def many_shipped(count: int, units: int = 1) -> list[tuple[Placed, FulfillmentOrder, Parcel]]:
    made = many_packed(count, units)
    gone = [Shipment(box.pk, f"T-{box.number}", "paper") for _, _, box in made]
    services.confirm_shipments(gone, at=NOON, actor=BEN)
    return [(placed, work(order.pk), parcel(box.pk)) for placed, order, box in made]


def acknowledged(units: int = 2, **details: Any) -> tuple[Placed, FulfillmentOrder]:
    placed, order = released(units, **details)
    services.acknowledge([Acknowledgement(order.pk)], at=NOON, actor=BEN)
    return placed, work(order.pk)


def picked(units: int = 2, **details: Any) -> tuple[Placed, FulfillmentOrder]:
    placed, order = released(units, **details)
    services.record_picks(
        [Pick(line.pk, line.requested) for line in order.lines.all()], at=NOON, actor=BEN
    )
    return placed, work(order.pk)


def packed(units: int = 2, **details: Any) -> tuple[Placed, FulfillmentOrder, Parcel]:
    placed, order = picked(units, **details)
    outcome = services.record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0]
    assert outcome.value is not None, outcome.problem
    return placed, work(order.pk), parcel(outcome.value.parcel_ids[0])


def ready(units: int = 2, **details: Any) -> tuple[Placed, FulfillmentOrder]:
    """A pickup that waits for its buyer."""
    placed, order = picked(units, method="pickup", **details)
    services.record_packs([Pack(order.pk)], at=NOON, actor=BEN)
    return placed, work(order.pk)


def shipped(units: int = 2, **details: Any) -> tuple[Placed, FulfillmentOrder, Parcel]:
    placed, order, box = packed(units, **details)
    services.confirm_shipments([Shipment(box.pk, "T-1", "paper")], at=NOON, actor=BEN)
    return placed, work(order.pk), parcel(box.pk)


def work(order_id: UUID) -> FulfillmentOrder:
    """The fulfillment order as it stands now."""
    found: FulfillmentOrder = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).get(pk=order_id)
    return found


def line_of(order: FulfillmentOrder, place: int = 0) -> FulfillmentLine:
    """A line of the fulfillment order as it stands now."""
    found: FulfillmentLine = order.lines.order_by("position")[place]
    return found


def parcel(parcel_id: UUID) -> Parcel:
    """The parcel as it stands now."""
    found: Parcel = Parcel.objects.for_scope(ALL_ACCOUNTS).get(pk=parcel_id)
    return found


def promised(placed: Placed) -> Promise:
    """The buyer was promised the order for three days after its ship-by."""
    ship_by = placed.group.ship_by
    assert ship_by is not None
    made: Promise = Promise.objects.create(
        order=placed.order,
        group=placed.group,
        account=placed.order.account,
        version=1,
        ship_by=ship_by,
        deliver_earliest=ship_by + timedelta(days=1),
        deliver_latest=ship_by + timedelta(days=3),
        at=NOON,
    )
    return made
