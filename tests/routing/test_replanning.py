"""Planned orders planned again: who moves, who stays, and what is written down of it."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.events import Recorded
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors as inventory
from inventory.models import CapacityWindow, Node
from inventory.services import edit_nodes, pause_node, plan_nodes
from inventory.types import NodeEdit, PlanDraft
from orders.models import DeliveryGroup, Order, OrderLine
from orders.services import pin_groups
from orders.types import NodePin
from routing import selectors
from routing.engine.linear import NoAnswerError, Program
from routing.handlers import on_supply_moved
from routing.matching_models import ReplanMove, ReplanRun, ReplanWish
from routing.services.reoptimise import (
    due_for_replanning,
    replan_account,
    want_replanning,
)
from tests.factories.inventory import limited
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network, accepted, code_of

pytestmark = pytest.mark.django_db

MOST_STATEMENTS = 60
LATER = MONDAY_NOON + timedelta(minutes=20)


def looked(network: Network) -> ReplanRun:
    run = replan_account(network.account.pk, at=LATER, actor=SYSTEM)
    assert run is not None
    return run


def nodes_of(network: Network, order_id: UUID) -> Mapping[str, int]:
    lines = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order_id=order_id)
    claims = inventory.claims_of(list(lines.values_list("pk", flat=True)))
    return {
        code_of(network, claim.node_id): claim.open
        for held in claims.values()
        for claim in held
        if claim.node_id is not None
    }


def group_of(order_id: UUID) -> DeliveryGroup:
    found: DeliveryGroup = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get(order_id=order_id)
    return found


@pytest.fixture
def far() -> tuple[Network, UUID]:
    """An order from New York that stands in Reno, for want of anything nearer."""
    network = a_network("RENO", "NEWARK")
    network.stock("TEE", RENO=9)
    [order_id] = accepted(network, {"TEE": 2})
    return network, order_id


def test_an_order_moves_to_the_goods_that_came_nearer(far: tuple[Network, UUID]) -> None:
    network, order_id = far
    before = group_of(order_id)
    network.stock("TEE", NEWARK=5)

    run = looked(network)

    assert nodes_of(network, order_id) == {"NEWARK": 2}
    move = ReplanMove.objects.for_scope(ALL_ACCOUNTS).get(run=run)
    assert (run.looked_at, run.moved, run.levels) == (1, 1, {"joint": 1})
    assert run.saved_minor == run.freight_saved_minor == move.was_minor - move.now_minor > 0
    after = group_of(order_id)
    assert after.ship_by <= before.ship_by
    assert after.deliver_by <= before.deliver_by
    told = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="order.replanned").data
    assert (told["was_minor"], told["now_minor"]) == (move.was_minor, move.now_minor)
    assert selectors.decisions_of(order_id, ALL_ACCOUNTS)[0].level == "joint"


def test_what_saves_too_little_or_nothing_stays(far: tuple[Network, UUID]) -> None:
    network, order_id = far

    first = looked(network)
    network.stock("TEE", NEWARK=5)
    moved = looked(network)
    again = looked(network)

    assert (first.moved, first.refused) == (0, {"stays": 1})
    assert (moved.moved, again.moved) == (1, 0)
    assert nodes_of(network, order_id) == {"NEWARK": 2}


def test_what_a_person_pinned_or_moved_stays(far: tuple[Network, UUID]) -> None:
    network, order_id = far
    [other] = accepted(network, {"TEE": 1})
    reno = network.nodes["RENO"]
    pin_groups([NodePin(group_of(order_id).pk, reno)], at=MONDAY_NOON, actor=SYSTEM)
    network.stock("TEE", NEWARK=5)

    run = looked(network)

    assert (run.looked_at, run.moved) == (1, 1)
    assert nodes_of(network, order_id) == {"RENO": 2}
    assert nodes_of(network, other) == {"NEWARK": 1}


def test_orders_exchange_their_units_where_both_gain_by_it() -> None:
    network = a_network("COLUMBUS", "NEWARK")
    network.stock("TEE", NEWARK=1)
    [west] = accepted(network, {"TEE": 1}, postal_code="60601")
    network.stock("TEE", COLUMBUS=1)
    [east] = accepted(network, {"TEE": 1})

    run = looked(network)

    assert run.moved == 2
    assert nodes_of(network, west) == {"COLUMBUS": 1}
    assert nodes_of(network, east) == {"NEWARK": 1}


def test_a_node_with_more_than_it_can_send_gives_up_what_another_can() -> None:
    """Two orders for the far coast stand in Newark; from Columbus they would cost as much."""
    network = a_network("NEWARK", "COLUMBUS")
    network.stock("TEE", NEWARK=9)
    accepted(network, {"TEE": 1}, {"TEE": 1}, postal_code="89501")
    network.stock("TEE", COLUMBUS=9)
    roomy = looked(network)
    newark = limited(node=Node._base_manager.get(pk=network.nodes["NEWARK"]), orders=1)
    CapacityWindow.objects.filter(node=newark).update(used=2)

    tight = looked(network)

    assert (roomy.moved, tight.moved) == (0, 1)
    assert tight.saved_minor > tight.freight_saved_minor


def test_whoever_changed_the_order_meanwhile_wins(
    far: tuple[Network, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, order_id = far
    network.stock("TEE", NEWARK=5)
    from routing.services import reoptimise

    planned = reoptimise.better_plans

    def overtaken(*args: object, **kwargs: object) -> object:
        found = planned(*args, **kwargs)  # type: ignore[arg-type]
        pin_groups([NodePin(group_of(order_id).pk, network.nodes["RENO"])], at=LATER, actor=SYSTEM)
        return found

    monkeypatch.setattr(reoptimise, "better_plans", overtaken)

    run = looked(network)

    assert (run.moved, run.refused) == (0, {"changed": 1})
    assert nodes_of(network, order_id) == {"RENO": 2}


def test_a_node_that_ships_nothing_any_more_is_left(far: tuple[Network, UUID]) -> None:
    network, order_id = far
    network.stock("TEE", NEWARK=5)
    pause_node(network.nodes["RENO"], None, None, "flood", at=MONDAY_NOON, actor=SYSTEM)

    run = looked(network)

    assert run.moved == 1
    assert nodes_of(network, order_id) == {"NEWARK": 2}


def test_what_happened_is_looked_at_once_and_else_on_a_cycle(far: tuple[Network, UUID]) -> None:
    network, order_id = far
    account = network.account.pk
    calm, cycle = timedelta(seconds=20), timedelta(minutes=15)
    soon = MONDAY_NOON + timedelta(minutes=1)
    assert due_for_replanning(soon, settled=calm, every=cycle) == []

    want_replanning({account: ["stock.received"]}, at=MONDAY_NOON)
    want_replanning({account: ["stock.short", "stock.received"]}, at=soon)

    assert due_for_replanning(soon, settled=calm, every=cycle) == [account]
    run = looked(network)
    assert run.causes == ["stock.received", "stock.short"]
    assert due_for_replanning(LATER, settled=calm, every=cycle) == []
    assert due_for_replanning(LATER + cycle, settled=calm, every=cycle) == [account]
    assert Order.objects.for_scope(ALL_ACCOUNTS).get(pk=order_id).state == "accepted"


def test_a_node_that_can_do_more_or_less_is_looked_at_and_a_renamed_one_is_not(
    far: tuple[Network, UUID],
) -> None:
    reno = far[0].nodes["RENO"]

    def wanted_after(topic: str) -> list[str]:
        told = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic=topic)
        on_supply_moved(
            [Recorded(**{name: getattr(row, name) for name in Recorded.__slots__}) for row in told]
        )
        return list(ReplanWish.objects.for_scope(ALL_ACCOUNTS).values_list("causes", flat=True))

    edit_nodes([NodeEdit(reno, {"name": "Reno West"})], at=MONDAY_NOON, actor=SYSTEM)
    assert wanted_after("node.edited") == []

    less = PlanDraft(reno, "reduced", MONDAY_NOON, LATER, "a belt stands still", "ship", percent=50)
    plan_nodes([less], at=MONDAY_NOON, actor=SYSTEM)
    assert wanted_after("node.plan_started") == [["node.plan_started"]]

    edit_nodes([NodeEdit(reno, cutoffs=())], at=MONDAY_NOON, actor=SYSTEM)
    assert wanted_after("node.edited") == [["node.edited", "node.plan_started"]]


def test_many_orders_cost_as_many_statements_as_few() -> None:
    counts = []
    for orders in (2, 9):
        network = a_network("RENO", "NEWARK")
        network.stock("TEE", RENO=9)
        accepted(network, *[{"TEE": 1}] * orders)
        network.stock("TEE", NEWARK=9)
        looked(network)
        network.stock("MUG", RENO=9)
        accepted(network, *[{"MUG": 1}] * orders)
        network.stock("MUG", NEWARK=9)
        with CaptureQueriesContext(connection) as sent:
            assert looked(network).moved == orders
        counts.append(len(sent))

    assert counts[0] == counts[1]
    assert counts[0] < MOST_STATEMENTS


@pytest.mark.parametrize("failure", [NoAnswerError("time limit"), RuntimeError("it crashed")])
def test_a_solver_that_fails_leaves_orders_planned_one_by_one(
    far: tuple[Network, UUID], failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, order_id = far
    accepted(network, {"TEE": 2})
    network.stock("TEE", NEWARK=3)

    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(Program, "solved", fail)

    run = looked(network)

    assert (run.moved, run.levels) == (1, {"exact": 2})
    assert nodes_of(network, order_id) == {"NEWARK": 2}
