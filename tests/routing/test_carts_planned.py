"""What a cart holds is planned for its own order alone; what a person moved says so."""

from dataclasses import replace

import pytest

from inventory.models import StockPosition
from inventory.services import plan_quotas, take
from inventory.types import QuotaDraft
from routing.engine import why_here
from tests.factories.inventory import ChannelNodeFactory, want
from tests.factories.kernel import ChannelFactory
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network
from tests.routing.test_planner import plan, taken

pytestmark = pytest.mark.django_db


def held_at(network: Network, code: str, units: int) -> tuple[tuple[int, int, int], ...]:
    """So many units at the node that somebody's cart holds, as a demand names them."""
    node_id, sku_id = network.nodes[code], network.skus["TEE"]
    position = StockPosition.objects.for_scope(SYSTEM.scope).get(node_id=node_id, sku_id=sku_id)
    assert take([want(position, units)], at=MONDAY_NOON, actor=SYSTEM).taken
    return ((node_id, sku_id, units),)


def test_the_last_unit_of_all_is_free_for_its_own_order_and_for_no_other():
    network = a_network()
    network.stock("TEE", NEWARK=2, RENO=1)
    mine = replace(network.demand({"TEE": 3}), held=held_at(network, "NEWARK", 2))

    first, own, later = plan(network, network.demand({"TEE": 2}), mine, network.demand({"TEE": 1}))

    assert [taken(network, one) for one in (first, own, later)] == [
        {"RENO": 1},
        {"NEWARK": 2},
        {},
    ]


def test_no_quota_keeps_from_an_order_what_its_cart_holds():
    network = a_network()
    network.stock("TEE", NEWARK=3)
    mine = replace(network.demand({"TEE": 2}), held=held_at(network, "NEWARK", 1))
    market = ChannelFactory(account=network.account)
    ChannelNodeFactory(channel=market, node_id=network.nodes["NEWARK"])
    kept = QuotaDraft(network.account.pk, market.pk, "theirs", "fixed", MONDAY_NOON, units=9)
    plan_quotas([kept], at=MONDAY_NOON, actor=SYSTEM)

    own, other = plan(network, mine, network.demand({"TEE": 1}))

    assert (taken(network, own), taken(network, other)) == ({"NEWARK": 1}, {})
    assert own.unfilled[0][1:] == (1, "kept_for_others")


def test_who_moved_it_and_why_is_why_it_is_here():
    network = a_network()
    network.stock("TEE", RENO=5, NEWARK=5)
    asked = replace(
        network.demand({"TEE": 1}), pinned_node_id=network.nodes["RENO"], moved="Anna (a flood)"
    )

    [planned] = plan(network, asked)

    assert why_here(planned.decision.record)[0].endswith(": moved there by Anna (a flood).")
