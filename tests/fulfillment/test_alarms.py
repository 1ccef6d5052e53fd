from datetime import timedelta

import pytest

from config.kernel.case_reports import case_kind
from config.kernel.models import BusinessClock, CaseReport
from fulfillment import cases
from fulfillment.services import acknowledge, record_tracking, report_overdue, report_silent
from fulfillment.states import AT_THE_NODE, ON_THE_WAY, FulfillmentState, ParcelState
from fulfillment.types import Acknowledgement, TrackingNews
from tests.factories.fulfillment import BEN, ready, released, shipped
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db
IN_5_HOURS = NOON + timedelta(hours=5)
IN_2_DAYS = NOON + timedelta(days=2)
IN_4_DAYS = NOON + timedelta(days=4)


def reported() -> list[tuple[str, object]]:
    return list(CaseReport.objects.order_by("id").values_list("kind", "subject_id"))


def clock_at(at) -> None:
    from config.kernel import clock

    clock.set_to(at, speed=0)
    assert BusinessClock.objects.exists()


class TestReportOverdue:
    def test_reports_work_that_no_node_has_taken_on(self):
        _, order = released()

        assert report_overdue(limit=50, at=IN_5_HOURS, actor=BEN) == 1
        assert reported() == [("ACK_OVERDUE", order.pk)]

    def test_reports_each_thing_once(self):
        released()
        report_overdue(limit=50, at=IN_5_HOURS, actor=BEN)

        assert report_overdue(limit=50, at=IN_5_HOURS, actor=BEN) == 0

    def test_reports_work_that_is_past_its_ship_by(self):
        _, order = released()
        acknowledge([Acknowledgement(order.pk)], at=NOON, actor=BEN)

        report_overdue(limit=50, at=IN_2_DAYS, actor=BEN)

        assert reported() == [("SHIP_BY_MISSED", order.pk)]

    def test_is_silent_about_what_is_in_time_has_left_or_waits_for_its_buyer(self):
        released()
        assert report_overdue(limit=50, at=NOON, actor=BEN) == 0
        shipped()
        ready()

        report_overdue(limit=50, at=IN_2_DAYS, actor=BEN)

        assert {kind for kind, _ in reported()} == {"ACK_OVERDUE", "SHIP_BY_MISSED"}
        assert len({subject for _, subject in reported()}) == 1


class TestReportSilent:
    def test_reports_a_parcel_of_which_nothing_is_heard(self):
        _, _, box = shipped()

        assert report_silent(limit=50, at=IN_2_DAYS, actor=BEN) == 0
        assert report_silent(limit=50, at=IN_4_DAYS, actor=BEN) == 1
        assert report_silent(limit=50, at=IN_4_DAYS, actor=BEN) == 0
        assert reported() == [("TRACKING_SILENT", box.pk)]

    def test_reports_it_again_when_it_falls_silent_again(self):
        _, _, box = shipped()
        report_silent(limit=50, at=IN_4_DAYS, actor=BEN)
        heard = TrackingNews(ParcelState.IN_TRANSIT, IN_4_DAYS, box.pk)
        record_tracking([heard], at=IN_4_DAYS, actor=BEN)

        assert report_silent(limit=50, at=IN_4_DAYS, actor=BEN) == 0
        assert report_silent(limit=50, at=IN_4_DAYS + timedelta(days=4), actor=BEN) == 1


class TestWhetherACaseStillStands:
    def test_an_overdue_acknowledgement_ends_with_the_acknowledgement(self):
        _, order = released()
        clock_at(IN_5_HOURS)
        still = case_kind("ACK_OVERDUE").still_true
        assert still([order.pk]) == {order.pk}

        acknowledge([Acknowledgement(order.pk)], at=IN_5_HOURS, actor=BEN)

        assert still([order.pk]) == set()

    def test_a_missed_ship_by_ends_with_the_shipment(self):
        _, late = released()
        _, left, _ = shipped()
        clock_at(IN_2_DAYS)

        assert case_kind("SHIP_BY_MISSED").still_true([late.pk, left.pk]) == {late.pk}

    def test_silence_ends_with_the_next_news(self):
        _, _, box = shipped()
        clock_at(IN_4_DAYS)
        still = case_kind("TRACKING_SILENT").still_true
        assert still([box.pk]) == {box.pk}

        record_tracking(
            [TrackingNews(ParcelState.IN_TRANSIT, IN_4_DAYS, box.pk)], at=IN_4_DAYS, actor=BEN
        )

        assert still([box.pk]) == set()

    def test_a_lost_parcel_is_a_case_until_it_is_found(self):
        _, _, box = shipped()
        still = case_kind("PARCEL_LOST").still_true
        record_tracking([TrackingNews(ParcelState.LOST, IN_2_DAYS, box.pk)], at=NOON, actor=BEN)
        assert still([box.pk]) == {box.pk}

        found = TrackingNews(ParcelState.IN_TRANSIT, IN_4_DAYS, box.pk)
        record_tracking([found], at=NOON, actor=BEN)

        assert still([box.pk]) == set()


class TestDwellLimits:
    def test_every_state_that_must_pass_has_one(self):
        limited = {(kind, state) for kind, state, _, _ in cases.DWELL}

        passing = {
            FulfillmentState.RELEASED,
            FulfillmentState.ACKNOWLEDGED,
            FulfillmentState.PICKING,
            FulfillmentState.PACKED,
            FulfillmentState.READY_FOR_PICKUP,
            FulfillmentState.SHIPPED,
            FulfillmentState.EXPIRED,
        }
        assert {state for kind, state in limited if kind == "fulfillment_order"} == passing
        assert {state for kind, state in limited if kind == "parcel"} == {*AT_THE_NODE, *ON_THE_WAY}

    def test_they_find_who_overstays(self):
        _, order = released()
        find = cases.orders_in(FulfillmentState.RELEASED, "released_at")

        assert [stayer.subject_id for stayer in find(IN_2_DAYS, None, 10)] == [order.pk]
        assert find(NOON, None, 10) == []
        assert find(IN_2_DAYS, [order.order_id], 10) == []
