from datetime import timedelta

import pytest

from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from fulfillment.models import NodeRequest
from fulfillment.services import (
    acknowledge,
    answer_requests,
    confirm_shipments,
    record_packs,
    time_out_requests,
)
from fulfillment.states import FulfillmentState, RequestState
from fulfillment.types import Acknowledgement, Pack, RequestAnswer, Shipment
from inventory.models import Reservation
from orders.services import cancel_units
from orders.types import CancelRequest
from tests.factories.fulfillment import (
    BEN,
    line_of,
    node_for,
    packed,
    picked,
    released,
    shipped,
    work,
)
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def try_to_cancel(placed, quantity: int | None = None):
    request = CancelRequest(placed.order.pk, placed.lines[0].pk, quantity, "changed my mind")
    return cancel_units([request], at=NOON, actor=BEN)[0]


def cancel(placed, quantity: int | None = None):
    return try_to_cancel(placed, quantity).value


def the_request() -> NodeRequest:
    return NodeRequest.objects.for_scope(ALL_ACCOUNTS).get()


def asked(units: int = 2):
    """A picked order that the buyer has cancelled: the node is asked."""
    placed, order = picked(units)
    cancel(placed)
    return placed, order, the_request()


class TestAskCancel:
    def test_gives_back_at_once_what_a_node_without_a_system_has_not_picked(self):
        placed, order = released(3)

        answer = cancel(placed, 2)

        assert (answer.cancelled, answer.asked, answer.refused) == (2, 0, 0)
        assert (line_of(order).waiting, line_of(order).cancelled) == (1, 2)
        assert (placed.line().released, placed.line().cancelled) == (1, 2)
        reservation = Reservation.objects.for_scope(ALL_ACCOUNTS).get()
        assert reservation.open == 1

    def test_takes_acknowledged_work_off_and_ends_it_when_nothing_is_left(self):
        placed, order = released(2)
        acknowledge([Acknowledgement(order.pk)], at=NOON, actor=BEN)

        cancel(placed)

        assert work(order.pk).state == FulfillmentState.CANCELLED
        placed.order.refresh_from_db()
        assert placed.order.state == "cancelled"

    def test_asks_the_node_about_units_that_are_picked(self):
        placed, order, request = asked(2)

        assert (request.state, request.asked) == (RequestState.SENT, 2)
        assert request.until == NOON + timedelta(hours=4)
        assert (placed.line().released, line_of(order).picked) == (2, 2)

    def test_asks_a_warehouse_system_about_everything(self):
        sku = SkuFactory()
        node = node_for(sku.account, has_wms=True)
        placed, order = released({sku: 2}, node=node)

        answer = cancel(placed)

        assert (answer.cancelled, answer.asked) == (0, 2)
        assert line_of(order).waiting == 2

    def test_asks_once_however_often_the_buyer_cancels(self):
        placed, _, _ = asked(2)

        assert not try_to_cancel(placed).ok
        assert NodeRequest.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_refuses_what_is_packed(self):
        placed, order, _ = packed(2)

        assert not try_to_cancel(placed).ok
        assert (line_of(order).packed, placed.line().released) == (2, 2)


class TestAnswerRequests:
    def test_cancels_what_the_node_grants(self):
        placed, order, request = asked(2)

        outcome = answer_requests([RequestAnswer(request.pk, 2)], at=NOON, actor=BEN)[0]

        assert outcome.value.state == FulfillmentState.CANCELLED
        assert the_request().state == RequestState.ACCEPTED
        assert (line_of(order).cancelled, placed.line().cancelled) == (2, 2)
        assert Reservation.objects.for_scope(ALL_ACCOUNTS).get().open == 0

    def test_leaves_with_the_node_what_it_keeps(self):
        placed, order, request = asked(3)

        answer_requests([RequestAnswer(request.pk, 1)], at=NOON, actor=BEN)

        assert the_request().state == RequestState.PARTLY
        assert (line_of(order).picked, placed.line().released) == (2, 2)

    def test_changes_nothing_when_the_node_refuses(self):
        placed, order, request = asked(2)

        answer_requests([RequestAnswer(request.pk, 0, "packed")], at=NOON, actor=BEN)

        assert the_request().state == RequestState.REFUSED
        assert (line_of(order).picked, placed.line().released) == (2, 2)

    def test_is_harmless_twice_and_refuses_a_second_mind(self):
        _, _, request = asked(2)
        answer_requests([RequestAnswer(request.pk, 2)], at=NOON, actor=BEN)

        same, other = answer_requests(
            [RequestAnswer(request.pk, 2), RequestAnswer(request.pk, 1)], at=NOON, actor=BEN
        )

        assert same.kind is OutcomeKind.REPEATED
        assert other.problem.code == "answered"

    def test_takes_a_late_answer_for_the_truth(self):
        placed, _, request = asked(2)
        late = NOON + timedelta(hours=5)
        time_out_requests(limit=10, at=late, actor=BEN)

        answer_requests([RequestAnswer(request.pk, 2)], at=late, actor=BEN)

        assert placed.line().cancelled == 2

    def test_refuses_to_grant_units_that_lie_in_a_parcel(self):
        _, order, request = asked(2)
        record_packs([Pack(order.pk)], at=NOON, actor=BEN)

        outcome = answer_requests([RequestAnswer(request.pk, 2)], at=NOON, actor=BEN)[0]

        assert outcome.problem.code == "packed"
        assert the_request().state == RequestState.SENT


class TestTimeOutRequests:
    def test_takes_silence_for_going_on_with_a_case(self):
        placed, order, _ = asked(2)

        assert time_out_requests(limit=10, at=NOON + timedelta(hours=5), actor=BEN) == 1

        assert the_request().state == RequestState.TIMED_OUT
        assert (line_of(order).picked, placed.line().released) == (2, 2)
        assert CaseReport.objects.get().kind == "REQUEST_UNANSWERED"

    def test_waits_until_the_time_has_run_out(self):
        asked(2)

        assert time_out_requests(limit=10, at=NOON + timedelta(hours=3), actor=BEN) == 0


class TestShippingWhatWasAskedBack:
    def test_is_recorded_the_request_refused_and_a_case_opened(self):
        placed, order, _ = asked(2)
        box = record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0].value.parcel_ids[0]

        confirm_shipments([Shipment(box)], at=NOON, actor=BEN)

        assert placed.line().shipped == 2
        assert the_request().state == RequestState.REFUSED
        report = CaseReport.objects.get()
        assert (report.kind, report.subject_id) == ("SHIPPED_WHILE_CANCEL_ASKED", order.pk)

    def test_says_so_to_a_later_cancel(self):
        placed, _, _ = shipped(2)
        request = CancelRequest(placed.order.pk, placed.lines[0].pk, None, "too late")

        outcome = cancel_units([request], at=NOON, actor=BEN)[0]

        assert not outcome.ok
        assert placed.line().shipped == 2
