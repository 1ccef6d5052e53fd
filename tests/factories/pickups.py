"""Factories of pickups that their stores gave up."""

from typing import Any

from fulfillment.models import FulfillmentOrder
from fulfillment.services import reject
from fulfillment.types import Rejection
from inventory.models import Node
from inventory.services import define
from tests.factories.fulfillment import BEN, Placed, released
from tests.factories.inventory import NodeFactory, stock
from tests.factories.kernel import NOON


def given_up(units: int, **details: Any) -> tuple[Placed, FulfillmentOrder]:
    """A pickup that its store rejected because it is closed; its buyer has to choose."""
    placed, order = released(units, method="pickup", **details)
    reject([Rejection(order.pk, "closed")], at=NOON, actor=BEN)
    return placed, order


def other_store(placed: Placed, *, units: int) -> Node:
    """Another node of the order's channel, with so many units of its SKU."""
    line = placed.line()
    node: Node = NodeFactory(account=placed.order.account, hours=True)
    network = [(placed.order.channel_id, node.pk, True, True)]
    define.define_networks(network, at=NOON, actor=BEN)
    stock(units, sku=line.sku, node=node)
    return node
