"""Factories of supply; stock comes from the ledger, so that books always add up."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import factory
from factory.django import DjangoModelFactory

from config.kernel import ids
from config.kernel.models import Account
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory import services
from inventory.models import (
    Barcode,
    Carrier,
    ChannelListing,
    ChannelNode,
    CountRequest,
    Inbound,
    InboundLine,
    KitComponent,
    Node,
    NodeFunction,
    NodeGrant,
    NodeHours,
    NodePlan,
    ServiceLevel,
    Sku,
    StockPosition,
)
from inventory.states import Function, InboundKind, NodeKind, NodeState
from inventory.types import CapacityView, FutureWant, NodeEdit, PositionView, StockChange, Want
from tests.factories.kernel import NOON, AccountFactory, ChannelFactory

ANNA = Actor.system("anna")


class CarrierFactory(DjangoModelFactory):
    class Meta:
        model = Carrier
        django_get_or_create = ("code",)

    code = "paper"
    name = "Paper carrier"


class ServiceLevelFactory(DjangoModelFactory):
    class Meta:
        model = ServiceLevel
        django_get_or_create = ("code",)

    code = "standard"
    name = "Standard"
    carrier = factory.SubFactory(CarrierFactory)


class NodeFactory(DjangoModelFactory):
    """`NodeFactory(account=a)` is an active DC of that account that does everything."""

    class Meta:
        model = Node
        skip_postgeneration_save = True

    code = factory.Sequence("dc-{:03}".format)
    name = factory.LazyAttribute(lambda node: node.code.upper())
    kind = NodeKind.DC
    state = NodeState.ACTIVE
    postal_code = "10001"
    region = "NY"
    city = "New York"
    latitude, longitude = 40.75, -73.99
    timezone = "America/New_York"

    class Params:
        store = factory.Trait(kind=NodeKind.STORE, code=factory.Sequence("store-{:03}".format))
        onboarding = factory.Trait(state=NodeState.ONBOARDING)
        paused = factory.Trait(state=NodeState.PAUSED, pause_reason="flood")

    @factory.post_generation
    def account(self: Node, create: bool, account: Account | None, **_: Any) -> None:  # noqa: FBT001
        if create and account is not None:
            NodeGrant.objects.create(node=self, account=account)

    @factory.post_generation
    def functions(
        self: Node,
        create: bool,  # noqa: FBT001
        wanted: Iterable[str] | None,
        **_: Any,
    ) -> None:
        if create:
            for function in Function.values if wanted is None else wanted:
                NodeFunction.objects.create(node=self, function=function)

    @factory.post_generation
    def hours(self: Node, create: bool, wanted: bool | None, **_: Any) -> None:  # noqa: FBT001
        if create and wanted:
            for weekday in range(5):
                NodeHours.objects.create(node=self, weekday=weekday, opens="08:00", closes="18:00")


class ChannelNodeFactory(DjangoModelFactory):
    class Meta:
        model = ChannelNode

    channel = factory.SubFactory(ChannelFactory)
    node = factory.SubFactory(NodeFactory)


class SkuFactory(DjangoModelFactory):
    class Meta:
        model = Sku
        skip_postgeneration_save = True

    account = factory.SubFactory(AccountFactory)
    code = factory.Sequence("SKU-{:04}".format)
    name = factory.LazyAttribute(lambda sku: f"Thing {sku.code}")
    weight_grams = 250
    price_minor = 1999

    @factory.post_generation
    def components(
        self: Sku,
        create: bool,  # noqa: FBT001
        wanted: dict[Sku, int] | None,
        **_: Any,
    ) -> None:
        if create:
            for component, quantity in (wanted or {}).items():
                KitComponent.objects.create(kit=self, component=component, quantity=quantity)


class BarcodeFactory(DjangoModelFactory):
    class Meta:
        model = Barcode

    sku = factory.SubFactory(SkuFactory)
    account = factory.SelfAttribute("sku.account")
    value = factory.Sequence("40000000{:05}".format)


class ChannelListingFactory(DjangoModelFactory):
    class Meta:
        model = ChannelListing

    channel = factory.SubFactory(ChannelFactory)
    sku = factory.SubFactory(SkuFactory)
    external_sku = factory.Sequence("EXT-{}".format)


class InboundFactory(DjangoModelFactory):
    class Meta:
        model = Inbound

    account = factory.SubFactory(AccountFactory)
    number = factory.Sequence("PO-{}".format)
    node = factory.LazyAttribute(lambda row: NodeFactory(account=row.account))
    kind = InboundKind.PURCHASE_ORDER
    at = NOON


class InboundLineFactory(DjangoModelFactory):
    class Meta:
        model = InboundLine

    inbound = factory.SubFactory(InboundFactory)
    sku = factory.SubFactory(SkuFactory, account=factory.SelfAttribute("..inbound.account"))
    expected = 10
    eta_at = NOON + timedelta(days=3)


class NodePlanFactory(DjangoModelFactory):
    class Meta:
        model = NodePlan

    node = factory.SubFactory(NodeFactory)
    kind = "closed"
    starts_at = NOON + timedelta(days=1)
    ends_at = NOON + timedelta(days=2)
    reason = "stocktaking"


class CountRequestFactory(DjangoModelFactory):
    class Meta:
        model = CountRequest

    account = factory.SubFactory(AccountFactory)
    node = factory.LazyAttribute(lambda row: NodeFactory(account=row.account))
    sku = factory.SubFactory(SkuFactory, account=factory.SelfAttribute("..account"))
    reason = "short"
    opened_at = NOON


def stock(
    units: int,
    *,
    sku: Sku | None = None,
    node: Node | None = None,
    at: datetime = datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
    **details: Any,
) -> StockPosition:
    """A position that has received so many units; `details` are those of a `StockChange`."""
    sku = sku or SkuFactory()
    node = node or NodeFactory(account=sku.account)
    change = StockChange(node.pk, sku.pk, sku.account_id, units or 1, "receipt", **details)
    changes = [change] if units else [change, change_of(change, -1)]
    outcomes = services.record_changes(changes, at=at, actor=ANNA)
    answer = outcomes[0].value
    assert answer is not None, outcomes[0].problem
    return reread(answer.position_id)


def change_of(like: StockChange, quantity: int, kind: str = "adjust") -> StockChange:
    """Another change at the same place."""
    return StockChange(like.node_id, like.sku_id, like.account_id, quantity, kind)


def reread(position_id: int) -> StockPosition:
    position: StockPosition = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(pk=position_id)
    return position


def want(position: StockPosition | PositionView, quantity: int = 1, **details: Any) -> Want:
    """A want of one demand; each call is another demand."""
    account_id: UUID = (
        details.pop("account_id", None) or getattr(position, "account_id", None) or ids.uuid7()
    )
    return Want(
        position_id=position.id,
        sku_id=position.sku_id,
        node_id=position.node_id,
        quantity=quantity,
        demand_id=details.pop("demand_id", None) or ids.uuid7(),
        thread_id=details.pop("thread_id", None) or ids.uuid7(),
        account_id=account_id,
        **details,
    )


def future_want(sku: Sku, quantity: int = 1, **details: Any) -> FutureWant:
    """Demand for a SKU that nobody has; each call is another demand."""
    return FutureWant(
        sku_id=sku.pk,
        node_id=details.pop("node_id", None),
        quantity=quantity,
        demand_id=details.pop("demand_id", None) or ids.uuid7(),
        thread_id=details.pop("thread_id", None) or ids.uuid7(),
        account_id=sku.account_id,
        **details,
    )


def limited(*, node: Node | None = None, hard: bool = False, **most: int) -> Node:
    """A node that ships by these limits (`units=100`) from 8 to 18 every day, its windows open."""
    node = node or NodeFactory(account=AccountFactory())
    capacities = tuple(
        CapacityView("ship", resource, weekday, time(8), time(18), limit, hard)
        for resource, limit in most.items()
        for weekday in range(7)
    )
    at = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    services.edit_nodes([NodeEdit(node.pk, capacities=capacities)], at=at, actor=ANNA)
    return node
