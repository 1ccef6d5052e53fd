import pytest

from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from fulfillment.services import acknowledge, record_picks, report_shorts
from fulfillment.states import FulfillmentState
from fulfillment.types import Acknowledgement, Pick, Short
from tests.factories.fulfillment import BEN, line_of, many_released, picked, released, work
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


class TestAcknowledge:
    def test_takes_the_work_on_under_the_node_s_own_number(self):
        _, order = released(2)

        outcome = acknowledge([Acknowledgement(order.pk, "WMS-7")], at=NOON, actor=BEN)[0]

        order = work(order.pk)
        assert outcome.value.state == order.state == FulfillmentState.ACKNOWLEDGED
        assert (order.external_id, order.acknowledged_at) == ("WMS-7", NOON)
        assert (line_of(order).waiting, line_of(order).accepted) == (0, 2)

    def test_is_harmless_twice(self):
        _, order = released()
        acknowledge([Acknowledgement(order.pk)], at=NOON, actor=BEN)

        again = acknowledge([Acknowledgement(order.pk)], at=NOON, actor=BEN)[0]

        assert again.kind is OutcomeKind.REPEATED
        told = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="fulfillment.acknowledged")
        assert told.count() == 1

    def test_refuses_what_does_not_exist_and_does_the_rest(self):
        _, order = released()

        outcomes = acknowledge(
            [Acknowledgement(order.group_id), Acknowledgement(order.pk)], at=NOON, actor=BEN
        )

        assert [outcome.kind for outcome in outcomes] == [OutcomeKind.REFUSED, OutcomeKind.DONE]


class TestRecordPicks:
    def test_counts_a_line_s_total(self):
        _, order = released(3)
        line = line_of(order)

        record_picks([Pick(line.pk, 1)], at=NOON, actor=BEN)
        record_picks([Pick(line.pk, 3)], at=NOON, actor=BEN)

        line = line_of(order)
        assert (line.waiting, line.picked) == (0, 3)
        assert work(order.pk).state == FulfillmentState.PICKING

    def test_changes_nothing_when_told_twice_or_late(self):
        _, order = released(3)
        line = line_of(order)
        record_picks([Pick(line.pk, 2)], at=NOON, actor=BEN)

        outcomes = record_picks([Pick(line.pk, 2), Pick(line.pk, 1)], at=NOON, actor=BEN)

        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.REPEATED}
        assert line_of(order).picked == 2

    def test_refuses_more_than_is_asked_for(self):
        _, order = released(3)
        line = line_of(order)

        outcome = record_picks([Pick(line.pk, 4)], at=NOON, actor=BEN)[0]

        assert (outcome.problem.code, outcome.problem.extra["left"]) == ("too-many", 3)
        assert work(order.pk).state == FulfillmentState.RELEASED

    def test_leaves_out_what_was_reported_short(self):
        _, order = released(3)
        line = line_of(order)
        report_shorts([Short(line.pk, 1, "missing")], at=NOON, actor=BEN)

        assert not record_picks([Pick(line.pk, 3)], at=NOON, actor=BEN)[0].ok
        assert record_picks([Pick(line.pk, 2)], at=NOON, actor=BEN)[0].ok

    def test_costs_the_same_statements_for_one_as_for_eight(self, statements):
        orders = [order for _, order in many_released(9)]
        picks = [Pick(line_of(order).pk, 1) for order in orders]

        one = statements(lambda: record_picks(picks[:1], at=NOON, actor=BEN))
        eight = statements(lambda: record_picks(picks[1:], at=NOON, actor=BEN))

        assert eight == one
        assert {work(order.pk).state for order in orders} == {FulfillmentState.PICKING}


def test_a_picked_order_has_nothing_left_to_acknowledge():
    _, order = picked()

    assert acknowledge([Acknowledgement(order.pk)], at=NOON, actor=BEN)[0].kind is (
        OutcomeKind.REPEATED
    )
