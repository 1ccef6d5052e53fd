"""Goods of other owners are planned in their turn, and only for channels that sell them."""

import pytest

from inventory import selectors, services
from inventory.models import StockPosition
from inventory.types import OwnerDraft
from tests.factories.inventory import ChannelNodeFactory, stock
from tests.factories.kernel import ChannelFactory
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network
from tests.routing.test_planner import plan

pytestmark = pytest.mark.django_db


def consign(network: Network, units: int, *, is_first: bool = False) -> StockPosition:
    """So many units at NEWARK are Potters', which the network's channel sells."""
    draft = OwnerDraft("potters", "Potters", is_first, frozenset({network.channel.pk}))
    [owner_id] = services.define_owners(
        [draft], account_id=network.account.pk, at=MONDAY_NOON, actor=SYSTEM
    ).values()
    mine = StockPosition.objects.for_scope(SYSTEM.scope).get(
        node_id=network.nodes["NEWARK"], sku_id=network.skus["TEE"]
    )
    return stock(units, sku=mine.sku, node=mine.node, owner_id=owner_id)


@pytest.mark.parametrize(("is_first", "wanted"), [(False, [3, 1]), (True, [0, 4])])
def test_ours_go_first_unless_the_owners_are_to(is_first, wanted):
    network = a_network()
    network.stock("TEE", NEWARK=3)
    theirs = consign(network, 5, is_first=is_first)

    first, second = plan(network, network.demand({"TEE": 4}), network.demand({"TEE": 4}))

    drawn = {take.position_id: take.quantity for take in first.takes}
    mine = selectors.supply([theirs.sku_id], [theirs.node_id])[theirs.node_id, theirs.sku_id].id
    assert [drawn.get(mine, 0), drawn.get(theirs.pk, 0)] == wanted
    assert sum(take.quantity for take in (*first.takes, *second.takes)) == 8


def test_a_channel_that_does_not_sell_them_has_none():
    network = a_network()
    network.stock("TEE", NEWARK=3)
    theirs = consign(network, 5)
    other = ChannelFactory(account=network.account)
    for node_id in network.nodes.values():
        ChannelNodeFactory(channel=other, node_id=node_id)

    [refused] = plan(network, network.demand({"TEE": 4}, channel_id=other.pk))

    assert theirs.pk not in {take.position_id for take in refused.takes}
    assert sum(take.quantity for take in refused.takes) <= 3
