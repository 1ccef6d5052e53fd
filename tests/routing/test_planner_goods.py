"""What goods ask of nodes, and how they get to the buyer, as the planner reads it."""

import pytest

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Node, Sku
from inventory.selectors.handling import handling
from inventory.services import edit_nodes
from inventory.states import NodeKind
from inventory.types import NodeEdit
from orders.sourcing import Plan
from routing.engine import Kind, Record, expand
from routing.planner import Planner
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network, code_of

pytestmark = pytest.mark.django_db


def planned(network: Network, **details: object) -> Plan:
    demand = network.demand({"GAS": 1}, **details)
    [plan] = Planner().plan([demand], excluded=frozenset(), at=MONDAY_NOON)
    return plan


def sent_by(network: Network, plan: Plan) -> list[str]:
    return [code_of(network, take.node_id) for take in plan.takes]


def recorded(plan: Plan) -> Record:
    return expand(plan.decision.record)


def by_code(plan: Plan) -> dict[str, tuple[str, str, str]]:
    return {
        row.code.rsplit("-", 1)[0]: (row.verdict, row.reason, row.kind)
        for row in recorded(plan).candidates
    }


def test_dangerous_goods_leave_only_from_nodes_that_may_send_them():
    network = a_network("RENO", "NEWARK")
    network.stock("GAS", RENO=5, NEWARK=5)
    Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk=network.skus["GAS"]).update(hazmat=True)
    able = NodeEdit(network.nodes["RENO"], capabilities=("hazmat",))
    edit_nodes([able], at=MONDAY_NOON, actor=SYSTEM)

    plan = planned(network)

    assert sent_by(network, plan) == ["RENO"]
    assert by_code(plan)["NEWARK"][:2] == ("unable", "hazmat")


def test_nothing_is_asked_where_nobody_has_said_what_nodes_can_do():
    network = a_network("RENO", "NEWARK")
    network.stock("GAS", RENO=5, NEWARK=5)
    Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk=network.skus["GAS"]).update(hazmat=True)

    assert sent_by(network, planned(network)) == ["NEWARK"]


@pytest.mark.parametrize(
    ("traits", "to_ship", "to_hand_over"),
    [
        ({"storage": "chilled"}, {"cold_chain"}, {"cold_chain"}),
        ({"length_mm": 2_500}, {"oversize"}, set()),
        ({"length_mm": 2_000, "width_mm": 400, "height_mm": 300}, {"oversize"}, set()),
        ({"weight_grams": 70_000}, {"oversize"}, set()),
        ({"regulation": "alcohol"}, set(), {"age_check"}),
        ({"hazmat": True}, {"hazmat"}, set()),
        ({}, set(), set()),
    ],
)
def test_what_a_sku_is_says_what_it_asks_of_nodes(traits, to_ship, to_hand_over):
    network = a_network("RENO")
    network.stock("GAS", RENO=1)
    sku_id = network.skus["GAS"]
    Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk=sku_id).update(**{"weight_grams": 500, **traits})

    found = handling([sku_id])[sku_id]

    assert (found.ships, found.hands_over) == (to_ship, to_hand_over)


def test_a_parcel_for_the_store_is_handed_over_there_where_the_store_has_it():
    network = a_network("RENO", "NEWARK", pickup=("NEWARK",))
    network.stock("GAS", RENO=5, NEWARK=5)
    Node.objects.for_scope(ALL_ACCOUNTS).filter(pk=network.nodes["RENO"]).update(
        kind=NodeKind.SUPPLIER
    )

    plan = planned(network, method="ship_to_store", pickup_node_id=network.nodes["NEWARK"])

    assert sent_by(network, plan) == ["NEWARK"]
    assert {code: kind for code, (_, _, kind) in by_code(plan).items()} == {
        "NEWARK": Kind.AT_STORE,
        "RENO": Kind.DROP_SHIP,
    }
    assert recorded(plan).cost.freight == 0
