from datetime import timedelta

import pytest

from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind, Scope
from fulfillment.models import FulfillmentOrder
from fulfillment.services import release_due, release_groups
from fulfillment.states import FulfillmentState
from inventory.models import NodeFunction, Reservation
from inventory.states import ReservationState
from orders.models import Order
from orders.services import place_holds
from orders.types import HoldRequest
from tests.factories.fulfillment import BEN, node_for, place, released, reserve_units, work
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON, AccountFactory, ChannelFactory

pytestmark = pytest.mark.django_db


def problem_of(placed, *, at=NOON, actor=BEN) -> str:
    outcome = release_groups([placed.group.pk], at=at, actor=actor)[0]
    assert outcome.kind is OutcomeKind.REFUSED
    assert not FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).exists()
    return outcome.problem.code


def a_placed_order(**details):
    sku = SkuFactory()
    node = details.pop("node", None) or node_for(sku.account)
    return place({sku: 2}, node, **details)


def hold(placed) -> None:
    request = HoldRequest(placed.order.pk, "review", "Looks odd.")
    assert place_holds([request], at=NOON, actor=BEN)[0].ok


class TestReleaseGroups:
    def test_asks_the_node_for_the_reserved_units(self):
        placed, order = released(3)

        line = order.lines.get()
        assert order.state == FulfillmentState.RELEASED
        assert (line.requested, line.waiting) == (3, 3)
        assert (placed.line().reserved, placed.line().released) == (0, 3)
        reservation = Reservation.objects.for_scope(ALL_ACCOUNTS).get(pk=line.reservation_id)
        assert reservation.state == ReservationState.COMMITTED

    def test_tells_the_order_s_timeline_and_keeps_history(self):
        placed, order = released(3)

        event = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="fulfillment.released")
        assert (event.subject_id, event.thread_id, event.seq) == (order.pk, placed.order.pk, 1)
        assert event.data["lines"] == {str(placed.lines[0].pk): 3}
        assert order.history.get().history_change_reason == "released"

    def test_gives_the_node_four_hours_to_answer_and_the_promise_to_keep(self):
        placed, order = released()

        assert order.acknowledge_by == NOON + timedelta(hours=4)
        assert order.ship_by == placed.group.ship_by

    def test_asks_each_node_for_its_own_units(self):
        tee = SkuFactory()
        mug = SkuFactory(account=tee.account)
        east, west = node_for(tee.account), node_for(tee.account)
        placed = place({tee: 1, mug: 2}, east, reserve=False)
        for line, node in zip(placed.lines, (east, west), strict=True):
            reserve_units(line, node, line.ordered)
            type(line).objects.for_scope(ALL_ACCOUNTS).filter(pk=line.pk).update(
                reserved=line.ordered, pending=0
            )

        outcome = release_groups([placed.group.pk], at=NOON, actor=BEN)[0]

        orders = [work(pk) for pk in outcome.value.fulfillment_order_ids]
        assert {order.node_id: order.lines.get().requested for order in orders} == {
            east.pk: 1,
            west.pk: 2,
        }

    def test_finds_nothing_left_the_second_time(self):
        placed, _ = released()

        again = release_groups([placed.group.pk], at=NOON, actor=BEN)[0]

        assert again.kind is OutcomeKind.REFUSED
        assert FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_waits_while_a_hold_blocks_the_release(self):
        placed = a_placed_order()
        hold(placed)

        assert problem_of(placed) == "held"

    def test_waits_for_the_payment(self):
        assert problem_of(a_placed_order(payment_state="pending")) == "payment"

    def test_waits_until_the_buyer_cannot_regret_any_more(self):
        placed = a_placed_order(remorse_until=NOON + timedelta(minutes=10))

        assert problem_of(placed) == "remorse"
        later = NOON + timedelta(minutes=11)
        assert release_groups([placed.group.pk], at=later, actor=BEN)[0].ok

    def test_does_not_ask_a_paused_node(self):
        placed = a_placed_order()
        NodeFunction.objects.filter(function="ship").update(paused=True, reason="flood")

        assert problem_of(placed) == "node-closed"

    def test_sees_no_group_of_another_account(self):
        placed = a_placed_order()
        stranger = type(BEN)(BEN.kind, BEN.id, BEN.name, Scope(frozenset({AccountFactory().pk})))

        assert problem_of(placed, actor=stranger) == "not-found"


class TestReleaseDue:
    def test_releases_what_nothing_keeps_and_leaves_the_rest(self):
        due, held = a_placed_order(), a_placed_order()
        hold(held)

        outcomes = release_due(limit=50, at=NOON, actor=BEN)

        assert [outcome.value.group_id for outcome in outcomes if outcome.ok] == [due.group.pk]
        found = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(order=held.order)
        assert not found.exists()

    def test_does_nothing_when_nothing_is_due(self):
        assert release_due(limit=50, at=NOON, actor=BEN) == []

    def test_costs_the_same_statements_for_one_as_for_eight(self, statements):
        sku = SkuFactory()
        node, channel = node_for(sku.account), ChannelFactory(account=sku.account)
        place({sku: 1}, node, channel=channel)
        release_due(limit=50, at=NOON, actor=BEN)  # the process knows the network now
        place({sku: 1}, node, channel=channel)
        one = statements(lambda: release_due(limit=50, at=NOON, actor=BEN))
        for _ in range(8):
            place({sku: 1}, node, channel=channel)

        eight = statements(lambda: release_due(limit=50, at=NOON, actor=BEN))

        assert FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).count() == 10
        assert eight == one

    def test_leaves_what_its_order_may_not_have_released_to_the_next_call(self):
        a_placed_order(state="captured")

        assert release_due(limit=50, at=NOON, actor=BEN) == []
        assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 1
