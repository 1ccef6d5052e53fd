"""Factories of routing's models, and a small network of nodes with stock to plan on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import count, cycle
from uuid import UUID

import factory
from factory.django import DjangoModelFactory

from config.kernel import ids
from config.kernel.models import Account, Channel
from config.kernel.types import Actor
from inventory.services import define, record_changes
from inventory.types import StockChange
from orders.services import accept_orders, capture_orders
from orders.sourcing import Demand, DemandLine
from orders.types import Address, GroupDraft, LineDraft, OrderDraft, Party
from routing.models import RoutingDecision, SourcingPolicy
from routing.states import PolicyState
from tests.factories.kernel import AccountFactory, ChannelFactory

MONDAY_NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
"""Noon in New York."""
SYSTEM = Actor.system("tests")
_numbers = count(1)


class SourcingPolicyFactory(DjangoModelFactory):
    class Meta:
        model = SourcingPolicy

    account = factory.SubFactory(AccountFactory)
    channel = None
    code = factory.Sequence("policy-{}".format)
    name = factory.LazyAttribute(lambda policy: policy.code.title())
    weights = factory.LazyFunction(lambda: {"cost_percent": 100})

    class Params:
        live = factory.Trait(state=PolicyState.LIVE, published_at=MONDAY_NOON)


class RoutingDecisionFactory(DjangoModelFactory):
    class Meta:
        model = RoutingDecision

    account_id = factory.LazyFunction(ids.uuid7)
    order_id = factory.LazyFunction(ids.uuid7)
    group_id = factory.LazyFunction(ids.uuid7)
    plan_version = 1
    level = "exact"
    record = factory.LazyFunction(lambda: {"v": 1, "p": ["cheapest", 1, "standard", "USD"]})
    input = b""
    currency = "USD"
    at = MONDAY_NOON


PLACES = {
    # code: (name, ZIP, state, latitude, longitude, time zone)
    "RENO": ("Reno DC", "89501", "NV", 39.53, -119.81, "America/Los_Angeles"),
    "COLUMBUS": ("Columbus DC", "43215", "OH", 39.96, -83.0, "America/New_York"),
    "NEWARK": ("Newark store", "07102", "NJ", 40.73, -74.17, "America/New_York"),
    "DALLAS": ("Dallas 3PL", "75201", "TX", 32.79, -96.8, "America/Chicago"),
}


@dataclass(slots=True)
class Network:
    """An account with a channel, nodes and SKUs; stock is received by command."""

    account: Account
    channel: Channel
    nodes: dict[str, int]
    skus: dict[str, int] = field(default_factory=dict)

    def stock(self, sku: str, **units: int) -> None:
        """Receive units: `stock("TEE", RENO=3)`."""
        if sku not in self.skus:
            self.skus |= define.define_skus(
                [define.SkuDraft(sku, sku.title(), "stock", None, 2_500, "USD", weight_grams=500)],
                account_id=self.account.pk,
                at=MONDAY_NOON,
                actor=SYSTEM,
            )
        record_changes(
            [
                StockChange(self.nodes[node], self.skus[sku], self.account.pk, quantity, "receipt")
                for node, quantity in units.items()
                if quantity
            ],
            at=MONDAY_NOON,
            actor=SYSTEM,
        )

    def demand(
        self, wanted: Mapping[str, int], *, postal_code: str = "10001", **details: object
    ) -> Demand:
        """A group that wants these units of these SKUs, to New York unless told otherwise."""
        values: dict[str, object] = {
            "group_id": ids.uuid7(),
            "order_id": ids.uuid7(),
            "account_id": self.account.pk,
            "channel_id": self.channel.pk,
            "currency": "USD",
            "method": "ship",
            "service_level": "",
            "postal_code": postal_code,
            "region": "",
            "country": "US",
            "lines": tuple(
                DemandLine(ids.uuid7(), self.skus[sku], quantity, 500, 2_500)
                for sku, quantity in wanted.items()
            ),
        }
        return Demand(**(values | details))  # type: ignore[arg-type]


def a_network(*codes: str, pickup: tuple[str, ...] = (), outside: tuple[str, ...] = ()) -> Network:
    """Nodes open every weekday from 8 to 18, cutoff at 15; `outside` ones are not the channel's."""
    account = AccountFactory()
    channel = ChannelFactory(account=account)
    wanted = codes or ("RENO", "COLUMBUS", "NEWARK")
    suffix = str(account.pk)[-6:]
    node_ids = define.define_nodes(
        [_draft(code, suffix) for code in wanted],
        account_id=account.pk,
        at=MONDAY_NOON,
        actor=SYSTEM,
    )
    nodes = {code: node_ids[f"{code}-{suffix}"] for code in wanted}
    define.define_networks(
        [(channel.pk, nodes[code], True, code in pickup) for code in wanted if code not in outside],
        at=MONDAY_NOON,
        actor=SYSTEM,
    )
    return Network(account, channel, nodes)


def _draft(code: str, suffix: str) -> define.NodeDraft:
    name, postal_code, region, latitude, longitude, timezone = PLACES[code]
    return define.NodeDraft(
        code=f"{code}-{suffix}",
        name=name,
        kind="dc",
        line1="1 Dock Road",
        city=name.split()[0],
        region=region,
        postal_code=postal_code,
        country="US",
        latitude=latitude,
        longitude=longitude,
        timezone=timezone,
        hours={day: (time(8), time(18)) for day in range(5)},
        cutoffs={day: time(15) for day in range(5)},
        functions=("ship", "pickup", "receiving"),
        handling_cost_minor=150,
        pick_cost_minor=20,
    )


def code_of(network: Network, node_id: int) -> str:
    """The short code of a node of the network."""
    return next(code for code, pk in network.nodes.items() if pk == node_id)


def ordered_before(
    network: Network, wanted: Mapping[str, int], *, days: int = 28, at: datetime = MONDAY_NOON
) -> None:
    """Orders of one unit each of these SKUs, so many a day, from all over the country."""
    places = cycle(("10001", "89501", "60601"))
    drafts = [
        draft_for(network, {sku: 1}, place, placed_at=at - timedelta(days=day + 1))
        for day in range(days)
        for sku, units in wanted.items()
        for _, place in zip(range(units), places, strict=False)
    ]
    capture_orders(drafts, at=at, actor=SYSTEM)


TOWNS = {
    "10001": ("New York", "NY"),
    "60601": ("Chicago", "IL"),
    "80202": ("Denver", "CO"),
    "89501": ("Reno", "NV"),
}


def draft_for(
    network: Network,
    wanted: Mapping[str, int],
    postal_code: str = "10001",
    **details: object,
) -> OrderDraft:
    """An order of the network's channel that wants these units of these SKUs."""
    city, region = TOWNS[postal_code]
    home = Address("Ada", "", "1 Road", "", city, region, postal_code, "US")
    lines = tuple(
        LineDraft(str(place), sku, units, unit_price=Decimal(25))
        for place, (sku, units) in enumerate(wanted.items())
    )
    values: dict[str, object] = {
        "channel_id": network.channel.pk,
        "account_id": network.account.pk,
        "brand_id": network.channel.brand_id,
        "external_id": f"E-{next(_numbers)}",
        "currency": "USD",
        "placed_at": MONDAY_NOON,
        "customer": Party(name="Ada Buyer"),
        "groups": (GroupDraft(lines=lines, address=home),),
    }
    return OrderDraft(**(values | details))  # type: ignore[arg-type]


def accepted(
    network: Network, *wanted: Mapping[str, int], postal_code: str = "10001"
) -> list[UUID]:
    """Orders of these units, captured and accepted: their ids."""
    drafts = [draft_for(network, units, postal_code) for units in wanted]
    captured = capture_orders(drafts, at=MONDAY_NOON, actor=SYSTEM)
    order_ids = [outcome.value.id for outcome in captured if outcome.value is not None]
    accept_orders(order_ids, at=MONDAY_NOON, actor=SYSTEM)
    return order_ids
