"""Planned orders are sent from elsewhere while others take them in hand: one of the two wins, whole."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

import orders.services
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentLine
from fulfillment.services import release_groups, report_shorts
from fulfillment.types import Short
from orders.models import OrderLine
from orders.types import CancelRequest, NodePin
from routing.services.reoptimise import replan_account
from tests.books import check_all
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network, accepted
from tests.fulfillment.test_races import at_once
from tests.routing.test_replanning import group_of, nodes_of

pytestmark = pytest.mark.django_db(transaction=True)

LATER = MONDAY_NOON + timedelta(minutes=20)
Meanwhile = Callable[[Network, UUID], object]

RIVALS: dict[str, Meanwhile] = {
    "cancel": lambda _, order_id: orders.services.cancel_units(
        [CancelRequest(order_id)], at=LATER, actor=SYSTEM
    ),
    "release": lambda _, order_id: release_groups([group_of(order_id).pk], at=LATER, actor=SYSTEM),
    "pin": lambda network, order_id: orders.services.pin_groups(
        [NodePin(group_of(order_id).pk, network.nodes["RENO"])], at=LATER, actor=SYSTEM
    ),
    "replan": lambda network, _: replan_account(network.account.pk, at=LATER, actor=SYSTEM),
}


@pytest.mark.parametrize("rival", RIVALS)
def test_an_order_ends_as_one_of_the_two_wanted(rival: str) -> None:
    network = a_network("RENO", "NEWARK")
    network.stock("TEE", RENO=9)
    order_ids = accepted(network, *[{"TEE": 1}] * 4)
    network.stock("TEE", NEWARK=3)

    at_once(
        lambda: replan_account(network.account.pk, at=LATER, actor=SYSTEM),
        *(lambda one=one: RIVALS[rival](network, one) for one in order_ids[:3]),
    )

    lines = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order_id__in=order_ids)
    assert [line.pending + line.backordered for line in lines] == [0] * 4
    assert check_all() == []


def test_units_that_turn_out_missing_meanwhile_are_held_by_nobody() -> None:
    """Reno looks for the tees of one order in vain while the others are moved away from there."""
    network = a_network("RENO", "NEWARK")
    network.stock("TEE", RENO=6)
    order_ids = accepted(network, {"TEE": 2}, *[{"TEE": 1}] * 3)
    release_groups([group_of(order_ids[0]).pk], at=MONDAY_NOON, actor=SYSTEM)
    network.stock("TEE", NEWARK=3)
    short = Short(FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).get().pk, 2, "missing")

    at_once(
        lambda: replan_account(network.account.pk, at=LATER, actor=SYSTEM),
        lambda: report_shorts([short], at=LATER, actor=SYSTEM),
    )

    held = [nodes_of(network, order_id) for order_id in order_ids]
    assert held == [{}, *[{"NEWARK": 1}] * 3]
    assert check_all() == []
