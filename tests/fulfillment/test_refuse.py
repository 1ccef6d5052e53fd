from datetime import timedelta

import pytest

import inventory.selectors
from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from fulfillment.services import record_picks, reject, report_shorts
from fulfillment.states import FulfillmentState
from fulfillment.types import Pick, Rejection, Short
from inventory.models import CountRequest, Exclusion, Reservation
from tests.factories.fulfillment import BEN, line_of, many_released, picked, ready, released, work
from tests.factories.inventory import reread
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def reservation_of(order) -> Reservation:
    return Reservation.objects.for_scope(ALL_ACCOUNTS).get(pk=line_of(order).reservation_id)


class TestReportShorts:
    def test_gives_the_units_back_and_makes_them_a_fact(self):
        placed, order = released(3)
        before = reread(reservation_of(order).position_id)

        outcome = report_shorts([Short(line_of(order).pk, 1, "missing")], at=NOON, actor=BEN)[0]

        assert outcome.value.state == FulfillmentState.PICKING
        assert (line_of(order).waiting, line_of(order).short) == (2, 1)
        assert (placed.line().released, placed.line().pending) == (2, 1)
        position = reread(before.pk)
        assert position.sellable == before.sellable - 1
        assert position.reserved == before.reserved - 1
        assert reservation_of(order).open == 2

    def test_asks_for_a_count_and_keeps_the_sku_from_being_sourced_there(self):
        _, order = released(3)
        line = line_of(order)

        report_shorts([Short(line.pk, 1, "missing")], at=NOON, actor=BEN)

        asked = CountRequest.objects.for_scope(ALL_ACCOUNTS).get()
        assert (asked.node_id, asked.sku_id) == (order.node_id, line.sku_id)
        assert inventory.selectors.exclusions([line.sku_id], NOON) == {(order.node_id, line.sku_id)}

    def test_tells_what_is_short_so_that_it_is_sourced_again(self):
        _, order = released(3)

        report_shorts([Short(line_of(order).pk, 2, "damaged")], at=NOON, actor=BEN)

        event = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="fulfillment.short")
        assert list(event.data["lines"].values()) == [2]

    def test_is_a_total_and_so_harmless_twice(self):
        placed, order = released(3)
        short = Short(line_of(order).pk, 1, "missing")
        report_shorts([short], at=NOON, actor=BEN)

        again = report_shorts([short], at=NOON, actor=BEN)[0]

        assert again.kind is OutcomeKind.REPEATED
        assert placed.line().pending == 1

    def test_cancels_the_fulfillment_order_when_nothing_is_left(self):
        _, order = released(2)

        report_shorts([Short(line_of(order).pk, 2, "missing")], at=NOON, actor=BEN)

        assert work(order.pk).state == FulfillmentState.CANCELLED

    def test_takes_what_was_not_picked_before_what_was(self):
        _, order = released(3)
        line = line_of(order)
        record_picks([Pick(line.pk, 1)], at=NOON, actor=BEN)

        report_shorts([Short(line.pk, 2, "missing")], at=NOON, actor=BEN)

        assert (line_of(order).waiting, line_of(order).picked) == (0, 1)

    def test_refuses_units_that_are_packed_and_reasons_nobody_knows(self):
        _, order = released(1)
        line = line_of(order)

        outcomes = report_shorts(
            [Short(line.pk, 2, "missing"), Short(line.pk, 1, "bored")], at=NOON, actor=BEN
        )

        assert [o.problem.code for o in outcomes] == ["too-many", "unknown-reason"]

    def test_takes_a_broken_unit_out_of_a_ready_pickup(self):
        placed, order = ready(2)

        report_shorts([Short(line_of(order).pk, 1, "damaged")], at=NOON, actor=BEN)

        assert (line_of(order).packed, line_of(order).short) == (1, 1)
        assert placed.line().pending == 1

    def test_costs_the_same_statements_for_one_as_for_eight(self, statements):
        lines = [line_of(order) for _, order in many_released(9, 2)]
        shorts = [Short(line.pk, 1, "missing") for line in lines]

        one = statements(lambda: report_shorts(shorts[:1], at=NOON, actor=BEN))
        eight = statements(lambda: report_shorts(shorts[1:], at=NOON, actor=BEN))

        assert eight == one


class TestReject:
    def test_gives_everything_back_that_is_not_picked(self):
        placed, order = released(3)
        record_picks([Pick(line_of(order).pk, 1)], at=NOON, actor=BEN)

        outcome = reject([Rejection(order.pk, "no_capacity")], at=NOON, actor=BEN)[0]

        assert outcome.value.state == FulfillmentState.PICKING
        assert (line_of(order).picked, line_of(order).rejected) == (1, 2)
        assert (placed.line().released, placed.line().pending) == (1, 2)
        assert reservation_of(order).open == 1

    def test_leaves_the_node_out_for_a_day_and_the_book_as_it_is(self):
        _, order = released(2)
        before = reread(reservation_of(order).position_id)

        reject([Rejection(order.pk, "cannot_ship")], at=NOON, actor=BEN)

        excluded = Exclusion.objects.for_scope(ALL_ACCOUNTS).get()
        assert (excluded.node_id, excluded.until) == (order.node_id, NOON + timedelta(hours=24))
        assert reread(before.pk).sellable == before.sellable
        assert work(order.pk).state == FulfillmentState.CANCELLED

    def test_makes_a_rejected_pickup_a_case(self):
        _, order = released(1, method="pickup")

        reject([Rejection(order.pk, "closed")], at=NOON, actor=BEN)

        report = CaseReport.objects.get()
        assert (report.kind, report.subject_id) == ("PICKUP_REJECTED", order.pk)

    def test_is_harmless_twice(self):
        _, order = released(2)
        reject([Rejection(order.pk, "other")], at=NOON, actor=BEN)

        again = reject([Rejection(order.pk, "other")], at=NOON, actor=BEN)[0]

        assert again.kind is OutcomeKind.REPEATED

    def test_refuses_what_is_picked(self):
        _, order = picked()

        assert reject([Rejection(order.pk, "other")], at=NOON, actor=BEN)[0].problem.code == (
            "begun"
        )
