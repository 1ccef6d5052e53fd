"""Work that goes otherwise after its release: to another address, by another service, from elsewhere."""

from dataclasses import replace
from datetime import timedelta

import pytest

from config.kernel.events import Recorded
from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import handlers, nodework, selectors
from fulfillment.models import FulfillmentOrder, NodeRequest
from fulfillment.services import (
    acknowledge,
    answer_requests,
    change_services,
    confirm_shipments,
    pull_back,
    record_packs,
    record_picks,
    report_shorts,
    time_out_requests,
)
from fulfillment.states import FulfillmentState, RequestKind, RequestState
from fulfillment.types import (
    Acknowledgement,
    Pack,
    Pick,
    PullBack,
    RequestAnswer,
    ServiceChange,
    Shipment,
    Short,
)
from inventory.models import Reservation
from orders import sourcing
from orders.models import Promise
from orders.services import correct_addresses
from orders.types import AddressCorrection
from tests.books import check_all
from tests.factories.fulfillment import (
    BEN,
    HOME,
    line_of,
    node_for,
    packed,
    picked,
    promised,
    ready,
    released,
    shipped,
    work,
)
from tests.factories.inventory import ChannelNodeFactory, ServiceLevelFactory, SkuFactory, stock
from tests.factories.kernel import NOON, AccountFactory
from tests.factories.orders import NearestStock

pytestmark = pytest.mark.django_db
WHEN = {"at": NOON, "actor": BEN}
WORK_PLACE = replace(HOME, line1="1 Office Plaza", city="Albany", postal_code="12207")


def at_a_system(units: int = 2):
    """Work that a warehouse system has."""
    sku = SkuFactory()
    return released({sku: units}, node=node_for(sku.account, has_wms=True))


def redirect(placed, address=WORK_PLACE):
    return correct_addresses([AddressCorrection(placed.group.pk, address)], **WHEN)[0]


def requests() -> list[NodeRequest]:
    return list(NodeRequest.objects.for_scope(ALL_ACCOUNTS).order_by("pk"))


def answer(granted: int, *, at=NOON):
    """The node's answer to the youngest question."""
    return answer_requests([RequestAnswer(requests()[-1].pk, granted)], at=at, actor=BEN)[0]


def goes_to(order: FulfillmentOrder) -> str:
    """The postcode to which the work goes."""
    return selectors.addresses_of([order.pk])[order.pk].postal_code


def group_goes_to(placed) -> str:
    placed.group.refresh_from_db()
    return str(placed.group.postal_code)


def told(topic: str) -> list[Event]:
    return list(Event.objects.for_scope(ALL_ACCOUNTS).filter(topic=topic).order_by("pk"))


class TestAnotherAddress:
    def test_is_taken_at_once_by_a_node_that_has_not_begun(self):
        placed, order = released(2)

        assert redirect(placed).ok

        assert (goes_to(order), group_goes_to(placed)) == ("12207", "12207")
        assert not requests()
        assert told("fulfillment.changed")[0].data["changed"] == ["address"]

    def test_is_asked_of_a_system_and_changes_nothing_until_it_agrees(self):
        placed, order = at_a_system()

        assert redirect(placed).ok

        [request] = requests()
        document = nodework.request_document(request.pk)
        assert (request.kind, request.asked, document.place) == (RequestKind.CHANGE, 2, None)
        assert document.address.line1 == "1 Office Plaza"
        assert (goes_to(order), group_goes_to(placed)) == ("11201", "11201")
        answer(2)
        assert (goes_to(order), group_goes_to(placed)) == ("12207", "12207")
        assert requests()[0].state == RequestState.ACCEPTED
        assert len(told("order.address_corrected")) == 1

    def test_that_is_refused_leaves_everything_with_one_case(self):
        placed, order = at_a_system()
        redirect(placed)

        answer(0)

        assert (goes_to(order), group_goes_to(placed)) == ("11201", "11201")
        report = CaseReport.objects.get()
        assert (report.kind, report.subject_id) == ("CHANGE_NOT_MADE", order.pk)

    def test_that_one_of_two_nodes_refuses_splits_the_ways_as_they_are(self):
        sku, other = SkuFactory.create_batch(2, account=AccountFactory())
        here, there = (node_for(sku.account, has_wms=True) for _ in range(2))
        placed, kept = released({sku: 1, other: 1}, node=here)
        moved = a_second_work(kept, there)
        redirect(placed)
        by_work = {request.fulfillment_order_id: request.pk for request in requests()}

        answer_requests(
            [RequestAnswer(by_work[kept.pk], 0), RequestAnswer(by_work[moved.pk], 1)], **WHEN
        )

        assert (goes_to(kept), goes_to(moved), group_goes_to(placed)) == (
            "11201",
            "12207",
            "12207",
        )
        assert CaseReport.objects.get().subject_id == kept.pk

    def test_moves_the_group_now_for_what_is_at_no_node(self):
        placed, order = at_a_system(3)
        report_shorts([Short(line_of(order).pk, 1, "missing")], **WHEN)

        assert redirect(placed).ok

        assert (goes_to(order), group_goes_to(placed)) == ("11201", "12207")

    def test_is_asked_once_and_refused_once_packed_or_gone(self):
        placed, _ = at_a_system()
        redirect(placed)
        in_a_box, _, _ = packed()
        gone, _, _ = shipped()

        again, boxed, late = redirect(placed), redirect(in_a_box), redirect(gone)

        assert "was asked to change" in again.problem.detail
        assert "open the parcel first" in boxed.problem.detail
        assert late.problem.detail == "All of it is on its way."
        assert len(requests()) == 1

    def test_is_all_or_nothing_and_no_second_mind(self):
        placed, _ = at_a_system(3)
        redirect(placed)

        assert answer(1).problem.code == "in-part"
        answer(3)
        assert answer(3).kind.value == "repeated"
        assert answer(0).problem.code == "answered"

    def test_that_the_parcel_overtakes_is_one_case(self):
        placed, order = at_a_system()
        redirect(placed)
        record_picks([Pick(line_of(order).pk, 2)], **WHEN)
        box = record_packs([Pack(order.pk)], **WHEN)[0].value.parcel_ids[0]

        confirm_shipments([Shipment(box)], **WHEN)

        assert requests()[0].state == RequestState.REFUSED
        assert goes_to(order) == "11201"
        assert CaseReport.objects.get().kind == "CHANGE_NOT_MADE"

    def test_that_nobody_answers_is_one_case_and_a_late_yes_is_the_truth(self):
        placed, order = at_a_system()
        redirect(placed)
        late = NOON + timedelta(hours=5)

        assert time_out_requests(limit=5, at=late, actor=BEN) == 1
        assert CaseReport.objects.get().kind == "REQUEST_UNANSWERED"
        answer(2, at=late)

        assert goes_to(order) == "12207"
        assert [told(f"request.{what}")[0].seq for what in ("sent", "timed_out", "answered")] == [
            1,
            2,
            3,
        ]


def a_second_work(order: FulfillmentOrder, node) -> FulfillmentOrder:
    """Take the second line of the work to a work of its own, at another node."""
    line = line_of(order, 1)
    second = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).create(
        account=order.account,
        number=f"{order.number}-2",
        order=order.order,
        group=order.group,
        node=node,
        method=order.method,
        released_at=NOON,
        acknowledge_by=NOON,
    )
    line.fulfillment_order = second
    line.save()
    return second


class TestAnotherService:
    def test_is_taken_at_once_or_asked(self):
        fast = ServiceLevelFactory(code="express")
        _, free = released(2)
        _, asked = at_a_system()

        done, question = change_services(
            [ServiceChange(free.pk, fast.pk), ServiceChange(asked.pk, fast.pk)], **WHEN
        )

        assert (done.value.done, done.value.asked) == (2, 0)
        assert (question.value.done, question.value.asked) == (0, 2)
        assert work(free.pk).service_level_id == fast.pk
        assert work(asked.pk).service_level_id != fast.pk
        answer(2)
        assert work(asked.pk).service_level_id == fast.pk

    def test_is_refused_for_what_is_packed_collected_or_over(self):
        fast = ServiceLevelFactory(code="express")
        orders = [packed()[1], ready()[1], shipped()[1]]

        outcomes = change_services([ServiceChange(one.pk, fast.pk) for one in orders], **WHEN)

        assert [one.problem.code for one in outcomes] == ["packed", "pickup", "illegal-transition"]


class TestPullBack:
    def test_has_units_wait_again_that_nobody_has_begun(self):
        placed, order = released(3)

        outcome = pull_back([PullBack(order.pk)], **WHEN)[0]

        assert (outcome.value.done, outcome.value.asked) == (3, 0)
        assert work(order.pk).state == FulfillmentState.CANCELLED
        assert (placed.line().pending, placed.line().cancelled) == (3, 0)
        assert Reservation.objects.for_scope(ALL_ACCOUNTS).get().open == 0
        [event] = told("fulfillment.pulled_back")
        assert event.data["sku_ids"] == [placed.lines[0].sku_id]
        assert check_all() == []

    def test_asks_about_what_is_picked_and_gives_back_what_is_granted(self):
        placed, order = released(3)
        record_picks([Pick(line_of(order).pk, 2)], **WHEN)

        outcome = pull_back([PullBack(order.pk)], **WHEN)[0]
        assert (outcome.value.done, outcome.value.asked) == (1, 2)
        answer(1)

        assert requests()[0].state == RequestState.PARTLY
        assert (placed.line().pending, placed.line().released) == (2, 1)
        assert (line_of(order).picked, line_of(order).cancelled) == (1, 2)
        assert check_all() == []

    def test_asks_a_system_about_everything_once(self):
        placed, order = at_a_system()

        first = pull_back([PullBack(order.pk)], **WHEN)[0]
        again = pull_back([PullBack(order.pk)], **WHEN)[0]

        assert (first.value.asked, again.problem.code) == (2, "packed")
        answer(2)
        assert placed.line().pending == 2

    def test_leaves_pickups_parcels_and_what_is_over(self):
        orders = [picked(method="pickup")[1], packed()[1], shipped()[1]]

        outcomes = pull_back([PullBack(one.pk) for one in orders], **WHEN)

        assert [one.problem.code for one in outcomes] == ["pickup", "packed", "illegal-transition"]

    def test_finds_another_node_than_the_one_that_had_the_units(self, sent_elsewhere):
        placed, order, other = sent_elsewhere
        pull_back([PullBack(order.pk)], **WHEN)
        [event] = told("fulfillment.pulled_back")

        with sourcing.using(NearestStock()):
            handlers.source_elsewhere([recorded(event)])

        assert placed.line().reserved == 2
        held = Reservation.objects.for_scope(ALL_ACCOUNTS).get(state="reserved")
        assert held.node_id == other.pk

    def test_that_is_overtaken_by_the_parcel_is_no_case(self):
        _, order = at_a_system()
        pull_back([PullBack(order.pk)], **WHEN)
        record_picks([Pick(line_of(order).pk, 2)], **WHEN)
        box = record_packs([Pack(order.pk)], **WHEN)[0].value.parcel_ids[0]

        confirm_shipments([Shipment(box)], **WHEN)

        assert requests()[0].state == RequestState.REFUSED
        assert not CaseReport.objects.exists()


@pytest.fixture
def sent_elsewhere():
    """Work at one node, and as many units at another of the same channel."""
    placed, order = released(2)
    other = node_for(order.account)
    for node in (order.node, other):
        ChannelNodeFactory(channel=placed.order.channel, node=node)
    stock(9, sku=placed.lines[0].sku, node=other)
    return placed, order, other


def recorded(event: Event) -> Recorded:
    return Recorded(**{name: getattr(event, name) for name in Recorded.__slots__})


class TestALaterDay:
    def test_moves_the_promise_once_and_tells_it(self):
        placed, order = released(2)
        promised(placed)
        later = placed.group.ship_by + timedelta(days=3)

        acknowledge([Acknowledgement(order.pk, expected_at=later)], **WHEN)
        acknowledge([Acknowledgement(order.pk, expected_at=later)], **WHEN)

        first, second = Promise.objects.for_scope(ALL_ACCOUNTS).order_by("version")
        assert second.deliver_latest - first.deliver_latest == timedelta(days=3)
        assert (second.ship_by, second.cause) == (later, "node")
        placed.group.refresh_from_db()
        assert (placed.group.ship_by, work(order.pk).ship_by) == (later, later)
        assert work(order.pk).expected_at == later
        assert len(told("order.promise_moved")) == len(told("fulfillment.rescheduled")) == 1

    def test_that_is_within_the_promise_moves_nothing(self):
        placed, order = released(2)
        promised(placed)

        acknowledge([Acknowledgement(order.pk, expected_at=NOON)], **WHEN)

        assert Promise.objects.for_scope(ALL_ACCOUNTS).count() == 1
        assert work(order.pk).ship_by == placed.group.ship_by
