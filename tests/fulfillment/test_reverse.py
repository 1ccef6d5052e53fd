"""Parcels that were said to have left and did not."""

from datetime import timedelta

import pytest

from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from fulfillment import handlers
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services import (
    confirm_shipments,
    record_packs,
    record_picks,
    record_tracking,
    reverse_shipments,
    void_parcels,
)
from fulfillment.states import FulfillmentState, ParcelState
from fulfillment.types import Content, Pack, Pick, Shipment, TrackingNews
from inventory.models import Movement, Reservation
from inventory.states import ReservationState
from orders.models import Invoice
from orders.services import cancel_units
from orders.types import CancelRequest
from tests.books import check_all
from tests.factories.fulfillment import (
    BEN,
    line_of,
    many_shipped,
    packed,
    parcel,
    picked,
    released,
    shipped,
    work,
)
from tests.factories.inventory import reread
from tests.factories.kernel import NOON
from tests.fulfillment.test_ship import reservation_of, told

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def reverse(*boxes: Parcel):
    return reverse_shipments([box.pk for box in boxes], at=LATER, actor=BEN)


class TestReverseShipments:
    def test_has_the_parcel_wait_at_the_node_again(self):
        placed, order, box = shipped(2)

        (outcome,) = reverse(box)

        assert outcome.value.state == ParcelState.PACKED
        back = parcel(box.pk)
        assert (back.handed_over_at, back.last_heard_at, back.issued_under) == (None, None, None)
        now = work(order.pk)
        assert (now.state, now.shipped_at) == (FulfillmentState.PACKED, None)
        assert (line_of(order).packed, line_of(order).shipped) == (2, 0)
        assert (placed.line().released, placed.line().shipped) == (2, 0)
        assert check_all() == []

    def test_keeps_the_label(self):
        _, _, box = packed(2)
        Parcel.objects.for_scope(ALL_ACCOUNTS).filter(pk=box.pk).update(
            labelled_at=NOON, tracking_number="T-9", carrier_code="paper"
        )
        confirm_shipments([Shipment(box.pk)], at=NOON, actor=BEN)

        reverse(box)

        assert (parcel(box.pk).state, parcel(box.pk).tracking_number) == ("labelled", "T-9")

    def test_puts_the_units_on_the_book_again_by_a_movement(self):
        _, order, box = packed(2)
        before = reread(reservation_of(order).position_id)
        confirm_shipments([Shipment(box.pk)], at=NOON, actor=BEN)

        reverse(box)

        after = reread(before.pk)
        assert (after.sellable, after.reserved) == (before.sellable, before.reserved)
        claim = Reservation.objects.for_scope(ALL_ACCOUNTS).get()
        assert (claim.state, claim.consumed) == (ReservationState.COMMITTED, 0)
        back = Movement.objects.for_scope(ALL_ACCOUNTS).get(kind="put_back")
        assert (back.quantity, back.cause_id) == (2, box.pk)

    def test_credits_the_invoice(self):
        placed, _, box = shipped(2)

        reverse(box)

        written = Invoice.objects.for_scope(ALL_ACCOUNTS).order_by("id")
        assert [(one.kind, one.amount_minor, one.parcel_id) for one in written] == [
            ("invoice", placed.order.total_minor, box.pk),
            ("credit_note", placed.order.total_minor, box.pk),
        ]

    def test_tells_the_order_the_node_and_the_parcel(self):
        _, _, box = shipped(2)

        reverse(box)

        topics = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic__contains="reversed")
        assert sorted(topics.values_list("topic", flat=True)) == [
            "fulfillment.shipment_reversed",
            "order.shipment_reversed",
            "parcel.shipment_reversed",
        ]

    def test_ships_again_as_if_it_were_the_first_time(self):
        placed, order, box = shipped(2)
        reverse(box)

        confirm_shipments([Shipment(box.pk)], at=LATER, actor=BEN)

        assert work(order.pk).state == FulfillmentState.SHIPPED
        assert parcel(box.pk).handed_over_at == LATER
        assert placed.line().shipped == 2
        assert check_all() == []

    def test_leaves_the_other_parcel_of_the_work_on_its_way(self):
        placed, order = released(3)
        line = line_of(order)
        boxes = []
        for units in (1, 3):
            record_picks([Pick(line.pk, units)], at=NOON, actor=BEN)
            boxes += record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0].value.parcel_ids
        confirm_shipments([Shipment(box) for box in boxes], at=NOON, actor=BEN)

        reverse_shipments(boxes[1:], at=LATER, actor=BEN)

        assert (line_of(order).shipped, line_of(order).packed) == (1, 2)
        assert work(order.pk).state == FulfillmentState.PACKED
        assert placed.line().shipped == 1
        assert check_all() == []

    def test_lets_the_units_be_cancelled(self):
        placed, order, box = shipped(2)
        reverse(box)
        void_parcels([box.pk], at=LATER, actor=BEN)

        cancel_units([CancelRequest(placed.order.pk)], at=LATER, actor=BEN)

        assert work(order.pk).state == FulfillmentState.PICKING
        assert check_all() == []

    def test_is_harmless_twice(self):
        _, _, box = shipped(2)

        assert [o.kind for o in (*reverse(box), *reverse(box))] == [
            OutcomeKind.DONE,
            OutcomeKind.REPEATED,
        ]

    def test_refuses_what_the_carrier_has_scanned(self):
        _, _, box = shipped(2)
        news = TrackingNews(ParcelState.HANDED_OVER, LATER, box.pk)
        record_tracking([news], at=LATER, actor=BEN)

        (outcome,) = reverse(box)

        assert outcome.problem.code == "scanned"
        assert parcel(box.pk).state == ParcelState.HANDED_OVER

    @pytest.mark.parametrize("state", ["in_transit", "delivered", "lost"])
    def test_refuses_what_is_on_its_way_or_beyond(self, state):
        _, _, box = shipped(2)
        record_tracking([TrackingNews(state, LATER, box.pk)], at=LATER, actor=BEN)

        (outcome,) = reverse(box)

        assert outcome.problem.code == "illegal-transition"

    def test_books_excess_back_and_off_again(self):
        _, order = picked(2)
        before = reread(reservation_of(order).position_id)
        pack = Pack(order.pk, (Content(line_of(order).pk, 3),))
        box = record_packs([pack], at=NOON, actor=BEN)[0].value.parcel_ids[0]
        confirm_shipments([Shipment(box)], at=NOON, actor=BEN)
        handlers.book_excess([told("parcel.shipped")])
        reverse_shipments([box], at=LATER, actor=BEN)

        handlers.book_excess([told("parcel.shipment_reversed")])
        handlers.book_excess([told("parcel.shipment_reversed")])

        assert reread(before.pk).sellable == before.sellable
        assert check_all() == []

    def test_costs_the_same_statements_for_one_as_for_six(self, statements):
        boxes = [box for _, _, box in many_shipped(7)]

        one = statements(lambda: reverse(*boxes[:1]))
        six = statements(lambda: reverse(*boxes[1:]))

        assert six == one
        assert {parcel(box.pk).state for box in boxes} == {ParcelState.PACKED}


class TestTheEndOfWork:
    def part_delivered(self) -> tuple[object, FulfillmentOrder]:
        """One unit delivered, one still to be picked."""
        placed, order = released(2)
        record_picks([Pick(line_of(order).pk, 1)], at=NOON, actor=BEN)
        box = record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0].value.parcel_ids[0]
        confirm_shipments([Shipment(box)], at=NOON, actor=BEN)
        record_tracking([TrackingNews("delivered", LATER, box)], at=LATER, actor=BEN)
        return placed, order

    def test_comes_when_the_rest_is_cancelled_after_the_parcels_arrived(self):
        placed, order = self.part_delivered()
        assert work(order.pk).state == FulfillmentState.PICKING

        cancel_units([CancelRequest(placed.order.pk, placed.lines[0].pk, 1)], at=LATER, actor=BEN)

        assert work(order.pk).state == FulfillmentState.COMPLETED
        assert check_all() == []
