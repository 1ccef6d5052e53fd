"""Units on their way: shipped, delivered, given back, returned; and the money that follows."""

import pytest
from django.db import transaction

from config.kernel import ids
from config.kernel.errors import Conflict
from config.kernel.models import Event, Intent
from config.kernel.services.intents import Answer, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS
from orders import commitments
from orders.models import Authorization, Capture, Invoice, Tender
from orders.services import (
    cancel_units,
    close_settled,
    give_back_units,
    move_units,
    place_holds,
    record_returned,
    record_shipments,
)
from orders.services.settle import record_capture
from orders.types import (
    CancelRequest,
    GivenBack,
    HoldRequest,
    Move,
    ReturnedUnits,
    ShippedUnits,
)
from tests.factories.kernel import NOON
from tests.factories.orders import (
    ANNA,
    Shop,
    WillingNode,
    card,
    line,
    lines_of,
    only_line,
    order_of,
    send_to_node,
    totals,
)


def ship(order, line_id, quantity, parcel_id=None):
    parcel = parcel_id or ids.uuid7()
    with transaction.atomic():
        record_shipments([ShippedUnits(order.id, line_id, quantity, parcel)], at=NOON, actor=ANNA)
    return parcel


def deliver(line_id, quantity):
    with transaction.atomic():
        move_units([Move(line_id, "underway", "delivered", quantity)], at=NOON, actor=ANNA)


def answered(intent: Intent, answer: Answer) -> None:
    leased = LeasedIntent(
        intent.id,
        intent.account_id,
        intent.kind,
        intent.key,
        intent.subject_kind,
        intent.subject_id,
        intent.payload,
        1,
        False,
    )
    with transaction.atomic():
        record_capture(leased, answer, at=NOON, actor=ANNA)


class TestMoveUnits:
    def test_refuses_more_than_the_bucket_holds_and_moves_nothing(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))

        with pytest.raises(Conflict), transaction.atomic():
            move_units([Move(only_line(order).id, "reserved", "released", 3)], at=NOON, actor=ANNA)

        assert only_line(order).reserved == 2

    def test_folds_progress_and_raises_the_plan_version(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))

        send_to_node(only_line(order))
        with transaction.atomic():
            move_units(
                [Move(only_line(order).id, "released", "underway", 1)],
                topic="order.tested",
                at=NOON,
                actor=ANNA,
            )

        now = order_of(order.id)
        assert (now.progress, now.plan_version) == ("partly_shipped", order.plan_version + 2)
        assert Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="order.tested").count() == 1


class TestRecordShipments:
    def test_invoices_each_parcel_and_asks_for_its_share_of_the_money(self, web: Shop) -> None:
        order = web.accepted(
            line(web.sku(5), 3, price="3.33"),
            tenders=(card(1499),),
            totals=totals(1499, shipping_minor=500),
        )
        kept = only_line(order)
        send_to_node(kept)

        first, second = ship(order, kept.id, 1), ship(order, kept.id, 2)

        invoices = Invoice.objects.for_scope(ALL_ACCOUNTS).order_by("id")
        assert list(invoices.values_list("parcel_id", "amount_minor")) == [
            (first, 833),
            (second, 666),
        ]
        captures = Capture.objects.for_scope(ALL_ACCOUNTS).order_by("id")
        assert list(captures.values_list("amount_minor", "state")) == [
            (833, "requested"),
            (666, "requested"),
        ]
        assert Tender.objects.for_scope(ALL_ACCOUNTS).get().captured_minor == 1499
        assert order_of(order.id).progress == "shipped"

    def test_takes_tenders_in_their_order_and_ours_only(self, web: Shop) -> None:
        voucher = card(700, collected_by="channel", captured_minor=700)
        order = web.accepted(line(web.sku(5), 2), tenders=(voucher, card(1300)))
        kept = only_line(order)
        send_to_node(kept)

        ship(order, kept.id, 1)
        ship(order, kept.id, 1)

        amounts = Capture.objects.for_scope(ALL_ACCOUNTS).order_by("id")
        assert list(amounts.values_list("amount_minor", flat=True)) == [300, 1000]

    def test_lets_services_go_with_the_last_parcel(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), line("POST", kind="service", price="5"))
        goods, _ = lines_of(order)
        send_to_node(goods)

        ship(order, goods.id, 1)
        assert lines_of(order)[1].pending == 1
        ship(order, goods.id, 1)

        assert lines_of(order)[1].delivered == 1
        amounts = Invoice.objects.for_scope(ALL_ACCOUNTS).order_by("id")
        assert list(amounts.values_list("amount_minor", flat=True)) == [1000, 1500]

    def test_invoices_and_cancellations_add_up_to_the_total(self, web: Shop) -> None:
        order = web.accepted(
            line(web.sku(9), 7, price="1.43", discount_minor=2),
            totals=totals(1350, shipping_minor=351),
        )
        kept = only_line(order)
        cancel_units([CancelRequest(order.id, kept.id, 1)], at=NOON, actor=ANNA)
        send_to_node(only_line(order))
        ship(order, kept.id, 1)
        with commitments.using(WillingNode()):
            cancel_units([CancelRequest(order.id, kept.id, 2)], at=NOON, actor=ANNA)
        ship(order, kept.id, 3)

        order = order_of(order.id)
        assert order.invoiced_minor + order.cancelled_minor == order.total_minor == 1350

    def test_reports_what_no_authorisation_covers(self, web: Shop) -> None:
        late = card(2000, authorization_expires_at=NOON)
        order = web.accepted(line(web.sku(5), 2), tenders=(late,))
        kept = only_line(order)
        send_to_node(kept)

        ship(order, kept.id, 2)

        assert not Capture.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_waits_with_the_money_under_a_hold_that_blocks_capture(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000),))
        kept = only_line(order)
        send_to_node(kept)
        place_holds([HoldRequest(order.id, "manual", "look")], at=NOON, actor=ANNA)

        ship(order, kept.id, 2)

        assert not Capture.objects.for_scope(ALL_ACCOUNTS).exists()


class TestRecordCapture:
    def shipped(self, web: Shop):
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000),))
        kept = only_line(order)
        send_to_node(kept)
        ship(order, kept.id, 2)
        return order

    def test_closes_the_circle_when_the_provider_has_taken_the_money(self, web: Shop) -> None:
        order = self.shipped(web)

        answered(Intent.objects.for_scope(ALL_ACCOUNTS).get(), Answer.done(reference="ch-9"))

        capture = Capture.objects.for_scope(ALL_ACCOUNTS).get()
        assert (capture.state, capture.reference) == ("succeeded", "ch-9")
        assert order_of(order.id).payment_state == "captured"
        assert Authorization.objects.for_scope(ALL_ACCOUNTS).get().state == "used"

    def test_gives_the_room_back_and_opens_a_case_when_it_is_refused(self, web: Shop) -> None:
        order = self.shipped(web)

        answered(Intent.objects.for_scope(ALL_ACCOUNTS).get(), Answer.refused("card stolen"))

        assert Capture.objects.for_scope(ALL_ACCOUNTS).get().state == "failed"
        assert Tender.objects.for_scope(ALL_ACCOUNTS).get().captured_minor == 0
        assert order_of(order.id).payment_state == "failed"

    def test_counts_an_answer_once(self, web: Shop) -> None:
        order = self.shipped(web)
        intent = Intent.objects.for_scope(ALL_ACCOUNTS).get()
        answered(intent, Answer.done(reference="ch-9"))

        answered(intent, Answer.refused("late news"))

        assert order_of(order.id).payment_state == "captured"


class TestGiveBackUnits:
    def test_leaves_them_pending_for_another_node(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))
        kept = only_line(order)
        send_to_node(kept)

        with transaction.atomic():
            give_back_units(
                [GivenBack(order.id, kept.id, 1, web.node.id, kept.sku_id or 0)],
                at=NOON,
                actor=ANNA,
            )

        assert (only_line(order).pending, only_line(order).released) == (1, 1)


class TestRecordReturned:
    def test_records_no_more_than_was_delivered(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))
        kept = only_line(order)
        send_to_node(kept)
        ship(order, kept.id, 2)
        deliver(kept.id, 2)

        with transaction.atomic():
            recorded = record_returned([ReturnedUnits(order.id, kept.id, 3)], at=NOON, actor=ANNA)

        assert (recorded, only_line(order).returned) == ([2], 2)


class TestCloseSettled:
    def test_closes_what_is_delivered_and_paid(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000),))
        kept = only_line(order)
        send_to_node(kept)
        ship(order, kept.id, 2)
        deliver(kept.id, 2)

        (early,) = close_settled([order.id], at=NOON, actor=ANNA)
        answered(Intent.objects.for_scope(ALL_ACCOUNTS).get(), Answer.done(reference="ch-9"))
        (late,) = close_settled([order.id], at=NOON, actor=ANNA)

        assert (early.ok, late.ok) == (False, True)
        assert order_of(order.id).state == "closed"
