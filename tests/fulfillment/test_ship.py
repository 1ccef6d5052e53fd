from datetime import timedelta

import pytest

from config.kernel.events import Recorded
from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from fulfillment import handlers
from fulfillment.services import confirm_shipments, record_packs, record_picks, void_parcels
from fulfillment.states import FulfillmentState, ParcelState
from fulfillment.types import Content, Pack, Pick, Shipment
from inventory.models import Movement, Reservation
from inventory.states import ReservationState
from orders.models import Invoice
from tests.factories.fulfillment import (
    BEN,
    line_of,
    many_packed,
    packed,
    parcel,
    picked,
    released,
    shipped,
    work,
)
from tests.factories.inventory import reread
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db
TOMORROW = NOON + timedelta(days=1)


def reservation_of(order) -> Reservation:
    return Reservation.objects.for_scope(ALL_ACCOUNTS).get(pk=line_of(order).reservation_id)


class TestConfirmShipments:
    def test_moves_the_units_and_consumes_the_reservation(self):
        placed, order, box = packed(2)

        outcome = confirm_shipments([Shipment(box.pk, "T-1", "paper")], at=NOON, actor=BEN)[0]

        assert outcome.value.state == ParcelState.HANDED_OVER
        assert (parcel(box.pk).tracking_number, parcel(box.pk).handed_over_at) == ("T-1", NOON)
        assert work(order.pk).state == FulfillmentState.SHIPPED
        assert line_of(order).shipped == 2
        line = placed.line()
        assert (line.released, line.shipped, line.underway) == (0, 2, 2)
        assert reservation_of(order).state == ReservationState.CONSUMED

    def test_lowers_the_book_by_what_has_left(self):
        _, order, box = packed(2)
        before = reread(reservation_of(order).position_id)

        confirm_shipments([Shipment(box.pk)], at=NOON, actor=BEN)

        after = reread(before.pk)
        assert (after.sellable, after.reserved) == (before.sellable - 2, before.reserved - 2)
        issued = Movement.objects.for_scope(ALL_ACCOUNTS).get(kind="issue")
        assert (issued.quantity, issued.cause_id) == (-2, box.pk)

    def test_bills_what_lies_in_the_parcel(self):
        placed, _, box = shipped(2)

        invoice = Invoice.objects.for_scope(ALL_ACCOUNTS).get()
        assert (invoice.parcel_id, invoice.amount_minor) == (box.pk, placed.order.total_minor)

    def test_is_harmless_twice(self):
        placed, _, box = packed(2)

        outcomes = confirm_shipments([Shipment(box.pk), Shipment(box.pk)], at=NOON, actor=BEN)
        again = confirm_shipments([Shipment(box.pk)], at=NOON, actor=BEN)

        assert [o.kind for o in (*outcomes, *again)] == [
            OutcomeKind.DONE,
            OutcomeKind.REPEATED,
            OutcomeKind.REPEATED,
        ]
        assert placed.line().shipped == 2

    def test_ships_two_parcels_on_two_days(self):
        placed, order = released(3)
        line = line_of(order)
        record_picks([Pick(line.pk, 1)], at=NOON, actor=BEN)
        first = record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0].value.parcel_ids[0]
        confirm_shipments([Shipment(first)], at=NOON, actor=BEN)
        assert (work(order.pk).state, placed.line().shipped) == (FulfillmentState.PICKING, 1)

        record_picks([Pick(line.pk, 3)], at=TOMORROW, actor=BEN)
        second = record_packs([Pack(order.pk)], at=TOMORROW, actor=BEN)[0].value.parcel_ids[0]
        confirm_shipments([Shipment(second)], at=TOMORROW, actor=BEN)

        assert (work(order.pk).state, work(order.pk).shipped_at) == (
            FulfillmentState.SHIPPED,
            TOMORROW,
        )
        assert (placed.line().shipped, placed.line().released) == (3, 0)
        billed = Invoice.objects.for_scope(ALL_ACCOUNTS).order_by("at")
        assert [invoice.parcel_id for invoice in billed] == [first, second]
        assert sum(invoice.amount_minor for invoice in billed) == placed.order.total_minor

    def test_refuses_a_parcel_that_was_opened(self):
        _, _, box = packed()
        void_parcels([box.pk], at=NOON, actor=BEN)

        assert confirm_shipments([Shipment(box.pk)], at=NOON, actor=BEN)[0].problem.code == (
            "illegal-transition"
        )

    def test_records_excess_with_a_case_and_books_it_afterwards(self):
        placed, order = picked(2)
        before = reread(reservation_of(order).position_id)
        pack = Pack(order.pk, (Content(line_of(order).pk, 3),))
        box = record_packs([pack], at=NOON, actor=BEN)[0].value.parcel_ids[0]

        confirm_shipments([Shipment(box)], at=NOON, actor=BEN)
        handlers.book_excess([told("parcel.shipped")])
        handlers.book_excess([told("parcel.shipped")])

        assert placed.line().shipped == 2
        report = CaseReport.objects.get(kind="EXCESS_SHIPPED")
        assert (report.subject_id, report.evidence["units"]) == (box, 1)
        assert reread(before.pk).sellable == before.sellable - 3

    def test_costs_the_same_statements_for_one_as_for_eight(self, statements):
        boxes = [box for _, _, box in many_packed(9)]
        shipments = [Shipment(box.pk) for box in boxes]

        one = statements(lambda: confirm_shipments(shipments[:1], at=NOON, actor=BEN))
        eight = statements(lambda: confirm_shipments(shipments[1:], at=NOON, actor=BEN))

        assert eight == one
        assert {parcel(box.pk).state for box in boxes} == {ParcelState.HANDED_OVER}


def told(topic: str) -> Recorded:
    event = Event.objects.for_scope(ALL_ACCOUNTS).get(topic=topic)
    return Recorded(
        id=event.id,
        topic=event.topic,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        seq=event.seq,
        account_id=event.account_id,
        thread_id=event.thread_id,
        at=event.at,
        data=event.data,
        actor_kind=event.actor_kind,
        actor_id=event.actor_id,
        correlation_id=event.correlation_id,
    )
