from copy import deepcopy
from datetime import timedelta
from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from fulfillment.models import FulfillmentOrder, Parcel, TrackingEvent
from fulfillment.services import record_tracking, void_parcels
from fulfillment.states import FulfillmentState, ParcelState
from fulfillment.types import TrackingNews
from tests.factories.fulfillment import BEN, Placed, many_shipped, packed, parcel, shipped, work
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db

Sent = tuple[Placed, FulfillmentOrder, Parcel]


@pytest.fixture(scope="module")
def sent_before(kept_rows: None) -> Sent:
    return shipped(2)


@pytest.fixture
def sent(db: None, sent_before: Sent) -> Sent:
    """An order of two units, its work, and the one parcel that has left."""
    return deepcopy(sent_before)


def news(box, status: ParcelState, hours: int = 24, **details) -> TrackingNews:
    return TrackingNews(status, NOON + timedelta(hours=hours), box.pk, **details)


def tell(*told: TrackingNews, at=NOON + timedelta(days=9)):
    return record_tracking(told, at=at, actor=BEN)


class TestRecordTracking:
    def test_delivers_the_units_and_completes_the_work(self, sent):
        placed, order, box = sent

        outcome = tell(news(box, ParcelState.DELIVERED, 50))[0]

        assert outcome.value.state == ParcelState.DELIVERED
        assert parcel(box.pk).delivered_at == NOON + timedelta(hours=50)
        assert (placed.line().underway, placed.line().delivered) == (0, 2)
        assert work(order.pk).state == FulfillmentState.COMPLETED

    def test_finds_the_parcel_by_carrier_and_tracking_number(self, sent):
        _, _, box = sent
        moved = TrackingNews(
            ParcelState.IN_TRANSIT,
            NOON + timedelta(hours=1),
            carrier_code="paper",
            tracking_number="T-1",
        )

        assert tell(moved)[0].value.parcel_id == box.pk
        assert parcel(box.pk).state == ParcelState.IN_TRANSIT

    def test_keeps_repeated_news_once(self, sent):
        _, _, box = sent
        moved = news(box, ParcelState.IN_TRANSIT, external_id="scan-1")

        outcomes = [*tell(moved, moved), *tell(moved)]

        assert [o.kind for o in outcomes] == [
            OutcomeKind.DONE,
            OutcomeKind.REPEATED,
            OutcomeKind.REPEATED,
        ]
        assert TrackingEvent.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_locks_nothing_for_what_was_told_before(self, sent):
        _, _, box = sent
        moved = news(box, ParcelState.IN_TRANSIT, external_id="scan-1")
        tell(moved)

        with CaptureQueriesContext(connection) as asked:
            answered = tell(moved, moved)

        assert not [one for one in asked if "FOR " in one["sql"].rpartition("WHERE")[2]]
        assert [one.value.state for one in answered] == [ParcelState.IN_TRANSIT] * 2

    @pytest.mark.parametrize(
        "order",
        [pytest.param(order, id="".join(map(str, order))) for order in permutations(range(4))],
    )
    def test_ends_alike_in_whatever_order_the_news_comes(self, sent, order):
        placed, _, box = sent
        told = (
            news(box, ParcelState.IN_TRANSIT, 10),
            news(box, ParcelState.ATTEMPTED, 20),
            news(box, ParcelState.LOST, 90),
            news(box, ParcelState.DELIVERED, 99),
        )

        for place in order:
            tell(told[place])

        assert parcel(box.pk).state == ParcelState.DELIVERED
        assert (placed.line().delivered, placed.line().lost) == (2, 0)

    def test_counts_a_lost_parcel_s_units_as_lost_until_a_scan_finds_it(self, sent):
        placed, order, box = sent
        tell(news(box, ParcelState.LOST, 90))
        assert (placed.line().lost, work(order.pk).state) == (2, FulfillmentState.COMPLETED)

        tell(news(box, ParcelState.IN_TRANSIT, 95))

        assert (placed.line().lost, placed.line().underway) == (0, 2)
        assert work(order.pk).state == FulfillmentState.SHIPPED
        assert CaseReport.objects.get().kind == "PARCEL_LOST"

    def test_ships_a_parcel_that_the_carrier_has_scanned(self):
        placed, order, box = packed(2)

        tell(news(box, ParcelState.IN_TRANSIT, 2))

        assert parcel(box.pk).state == ParcelState.IN_TRANSIT
        assert (placed.line().released, placed.line().underway) == (0, 2)
        assert work(order.pk).state == FulfillmentState.SHIPPED

    def test_refuses_unknown_parcels_opened_ones_and_words_that_say_nothing(self):
        _, _, box = packed()
        _, _, opened = packed()
        void_parcels([opened.pk], at=NOON, actor=BEN)

        outcomes = tell(
            TrackingNews(ParcelState.DELIVERED, NOON, tracking_number="nobody's"),
            news(opened, ParcelState.IN_TRANSIT),
            news(box, ParcelState.LABELLED),
        )

        assert [o.problem.code for o in outcomes] == [
            "not-found",
            "illegal-transition",
            "unknown-status",
        ]

    def test_tells_one_event_per_parcel_with_rising_numbers(self, sent):
        _, _, box = sent
        tell(news(box, ParcelState.IN_TRANSIT, 5))
        tell(news(box, ParcelState.DELIVERED, 9))

        told = Event.objects.for_scope(ALL_ACCOUNTS).filter(subject_id=box.pk).order_by("seq")
        assert list(told.values_list("topic", "seq")) == [
            ("parcel.packed", 1),
            ("parcel.shipped", 2),
            ("parcel.moved", 3),
            ("parcel.delivered", 4),
        ]

    def test_costs_the_same_statements_for_one_as_for_eight(self, statements):
        boxes = [box for _, _, box in many_shipped(9)]
        told = [news(box, ParcelState.DELIVERED) for box in boxes]

        one = statements(lambda: tell(*told[:1]))
        eight = statements(lambda: tell(*told[1:]))

        assert eight == one
