"""What nodes have rejected so far decides who is asked next."""

import pytest

from routing import engine
from routing.drawn import opened_input
from routing.services import Answered, count_answers
from tests.factories.routing import MONDAY_NOON, SourcingPolicyFactory, a_network
from tests.routing.test_planner import plan, taken

pytestmark = pytest.mark.django_db


def test_a_node_that_rejects_such_goods_is_asked_where_that_is_worth_the_risk() -> None:
    network = a_network("RENO", "NEWARK")
    network.stock("TEE", RENO=9, NEWARK=9)
    newark, tee = network.nodes["NEWARK"], network.skus["TEE"]
    SourcingPolicyFactory(
        account=network.account,
        live=True,
        weights={"cost_percent": 100, "reroute_minor": 1_500},
    )
    wanted = network.demand({"TEE": 1})
    [sure] = plan(network, wanted)

    count_answers([Answered(newark, tee)] * 50 + [Answered(newark, tee, True)] * 25, at=MONDAY_NOON)
    [likely] = plan(network, wanted)
    count_answers([Answered(newark, tee, True)] * 200, at=MONDAY_NOON)
    [unlikely] = plan(network, wanted)

    went = [taken(network, planned) for planned in (sure, likely, unlikely)]
    assert went == [{"NEWARK": 1}, {"NEWARK": 1}, {"RENO": 1}]
    costs = [engine.expand(one.decision.record).cost.rerouting for one in (sure, likely)]
    assert costs == [0, 527]
    assert opened_input(unlikely.decision.input)["acceptance"] == [[newark, 178]]
