"""Orders as tests want them: drafts captured through the real command, and a small honest sourcing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel.models import Account, Channel
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory import selectors as inventory
from inventory.models import Node, Sku
from inventory.services import commit
from orders import services
from orders.commitments import Answer, Asked
from orders.models import Order, OrderLine
from orders.services.claims import portions_of
from orders.sourcing import Demand, Plan, PlannedPromise, PlannedTake
from orders.types import (
    Address,
    GroupDraft,
    LineDraft,
    Move,
    OrderDraft,
    Party,
    StatedTotals,
    TenderDraft,
)
from tests.factories.inventory import ChannelNodeFactory, NodeFactory, SkuFactory, stock
from tests.factories.kernel import NOON, AccountFactory, ChannelFactory

ANNA = Actor.system("anna")
HOME = Address(
    name="Ada Buyer",
    line1="12 Main Street",
    city="Albany",
    region="NY",
    postal_code="12207",
    country="US",
)
_numbers = count(1)


@dataclass(slots=True)
class NearestStock:
    """A sourcing of a few lines: the first node of the network, by id, that has free units.

    It splits over nodes, remembers what it planned, and obeys pins, pickup nodes and exclusions.
    """

    decided: list[Plan] = field(default_factory=list)
    planned: int = 0

    def plan(
        self, demands: Sequence[Demand], *, excluded: frozenset[tuple[int, int]], at: datetime
    ) -> list[Plan]:
        self.planned += 1
        skus = {line.sku_id for demand in demands for line in demand.lines}
        networks = {
            channel_id: inventory.channel_nodes(channel_id)
            for channel_id in {demand.channel_id for demand in demands}
        }
        nodes = {node_id for network in networks.values() for node_id in network}
        supply = inventory.supply(skus, nodes)
        left = {pair: view.free for pair, view in supply.items() if pair not in excluded}
        for demand in demands:
            for node_id, sku_id, units in demand.set_aside:
                left[node_id, sku_id] = left.get((node_id, sku_id), 0) + units
        plans = []
        for demand in demands:
            own = {(node_id, sku_id): units for node_id, sku_id, units in demand.held}
            allowed = sorted(networks[demand.channel_id])
            named = demand.pinned_node_id or demand.pickup_node_id
            takes: list[PlannedTake] = []
            unfilled: list[tuple[UUID, int, str]] = []
            for line in demand.lines:
                missing = line.quantity
                for node_id in allowed:
                    if named is not None and node_id != named:
                        continue
                    pair = (node_id, line.sku_id)
                    if part := min(missing, left.get(pair, 0) + own.get(pair, 0)):
                        mine = min(part, own.get(pair, 0))
                        own[pair] = own.get(pair, 0) - mine
                        left[pair] = left.get(pair, 0) - (part - mine)
                        missing -= part
                        takes.append(
                            PlannedTake(line.line_id, node_id, supply[pair].id, line.sku_id, part)
                        )
                if missing:
                    unfilled.append((line.line_id, missing, "no node has it"))
            promise = PlannedPromise(
                at + timedelta(days=1), at + timedelta(days=2), at + timedelta(days=4)
            )
            plans.append(
                Plan(demand.group_id, tuple(takes), tuple(unfilled), promise if takes else None)
            )
        return plans

    def record(self, plans: Sequence[Plan], *, at: datetime, actor: Actor) -> None:
        self.decided += plans


@dataclass(slots=True)
class WillingNode:
    """Commitments of a node that gives everything back at once, or refuses everything."""

    grants: bool = True

    def ask_cancel(self, portions: Sequence[Asked], *, at: datetime, actor: Actor) -> list[Answer]:
        claims = inventory.claims_of([asked.line_id for asked in portions])
        return [
            Answer(
                asked.line_id,
                granted=asked.quantity if self.grants else 0,
                refused=0 if self.grants else asked.quantity,
                asked=0,
                why="" if self.grants else "It is packed already.",
                freed=tuple(
                    portions_of(claims[asked.line_id], asked.quantity, frozenset({"committed"}))
                    if self.grants
                    else ()
                ),
            )
            for asked in portions
        ]


@dataclass(slots=True)
class Shop:
    """An account with a web channel and one DC in its network."""

    account: Account
    channel: Channel
    node: Node

    def sku(self, units: int = 0, *, node: Node | None = None, **details: Any) -> Sku:
        """A SKU of the shop, with so many units at its DC (or at `node`)."""
        sku = SkuFactory(account=self.account, **details)
        if units:
            stock(units, sku=sku, node=node or self.node)
        return sku

    def another_node(self, **details: Any) -> Node:
        node = NodeFactory(account=self.account, **details)
        ChannelNodeFactory(channel=self.channel, node=node)
        return node

    def draft(self, *lines: LineDraft, **details: Any) -> OrderDraft:
        """A paid order of these lines, shipped to the buyer's home."""
        group = details.pop("group", {})
        address = details.pop("address", HOME)
        number = next(_numbers)
        return OrderDraft(
            **{
                "channel_id": self.channel.id,
                "account_id": self.account.id,
                "brand_id": self.channel.brand_id,
                "external_id": f"E-{number}",
                "currency": self.channel.currency,
                "placed_at": NOON,
                "customer": Party(name="Ada Buyer", email=f"ada{number}@example.com"),
                "groups": (GroupDraft(lines=lines, address=address, **group),),
                **details,
            }
        )

    def captured(self, *lines: LineDraft, **details: Any) -> Order:
        outcome = services.capture_orders([self.draft(*lines, **details)], at=NOON, actor=ANNA)[0]
        assert outcome.value is not None, outcome.problem
        return order_of(outcome.value.id)

    def accepted(self, *lines: LineDraft, **details: Any) -> Order:
        order = self.captured(*lines, **details)
        outcome = services.accept_orders([order.id], at=NOON, actor=ANNA)[0]
        assert outcome.ok, outcome.problem
        return order_of(order.id)


def shop(**channel: Any) -> Shop:
    account = AccountFactory()
    made = ChannelFactory(account=account, **channel)
    node = NodeFactory(account=account)
    ChannelNodeFactory(channel=made, node=node)
    return Shop(account, made, node)


def line(sku: Sku | str, quantity: int = 1, *, price: str = "10.00", **details: Any) -> LineDraft:
    """A line of `quantity` units at `price` each."""
    return LineDraft(
        external_id=details.pop("external_id", f"L-{next(_numbers)}"),
        sku_code=sku if isinstance(sku, str) else sku.code,
        quantity=quantity,
        unit_price=Decimal(price),
        **details,
    )


def card(amount_minor: int, *, reference: str = "auth-1", **details: Any) -> TenderDraft:
    """An authorised card payment that we collect."""
    return TenderDraft(
        kind="card",
        amount_minor=amount_minor,
        provider="fakepay",
        authorization_reference=reference,
        **details,
    )


def totals(total_minor: int, *, shipping_minor: int = 0) -> StatedTotals:
    return StatedTotals(total_minor=total_minor, shipping_minor=shipping_minor)


def order_of(order_id: UUID) -> Order:
    found: Order = Order.objects.for_scope(ALL_ACCOUNTS).get(pk=order_id)
    return found


def send_to_node(*order_lines: OrderLine, units: int | None = None) -> None:
    """What fulfillment does at release, as far as orders and inventory see it."""
    claims = inventory.claims_of([kept.id for kept in order_lines])
    with transaction.atomic():
        services.move_units(
            [Move(kept.id, "reserved", "released", units or kept.reserved) for kept in order_lines],
            at=NOON,
            actor=ANNA,
        )
        commit([claim.id for held in claims.values() for claim in held], at=NOON, actor=ANNA)


def lines_of(order: Order) -> list[OrderLine]:
    return list(OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order=order).order_by("position"))


def only_line(order: Order) -> OrderLine:
    (found,) = lines_of(order)
    return found
