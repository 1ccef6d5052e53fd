"""Cancel: units, lines and orders, in every phase that still allows it."""

from config.kernel.models import Event, Intent
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Reservation, StockPosition
from orders import commitments
from orders.models import Authorization, Hold, LineCancellation, Refund
from orders.services import cancel_units
from orders.types import CancelRequest
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


def cancel(order, **details):
    return cancel_units([CancelRequest(order.id, **details)], at=NOON, actor=ANNA)[0]


class TestCancelUnits:
    def test_gives_the_reservation_back_and_cancels_the_empty_order(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))

        outcome = cancel(order, reason="changed their mind", initiator="buyer")

        assert outcome.value is not None
        assert (outcome.value.cancelled, outcome.value.state) == (2, "cancelled")
        order = order_of(order.id)
        assert (order.state, order.progress, order.cancelled_minor) == (
            "cancelled",
            "cancelled",
            2000,
        )
        assert StockPosition.objects.for_scope(ALL_ACCOUNTS).get().reserved == 0
        row = LineCancellation.objects.for_scope(ALL_ACCOUNTS).get()
        assert (row.quantity, row.initiator, row.amount_minor) == (2, "buyer", 2000)
        topics = Event.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=order.id).order_by("seq")
        assert list(topics.values_list("topic", flat=True))[2:] == [
            "order.units_cancelled",
            "order.cancelled",
        ]

    def test_takes_some_units_and_leaves_the_rest_reserved(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 3, price="3.33"))

        cancel(order, line_id=only_line(order).id, quantity=1)

        kept = only_line(order)
        assert (kept.reserved, kept.cancelled) == (2, 1)
        order = order_of(order.id)
        assert (order.state, order.cancelled_minor) == ("accepted", 333)
        assert Reservation.objects.for_scope(ALL_ACCOUNTS).get().released == 1

    def test_gives_up_the_place_in_the_queue_of_what_is_backordered(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(), 3))

        cancel(order)

        assert Reservation.objects.for_scope(ALL_ACCOUNTS).get().state == "released"

    def test_cancels_a_captured_order_before_acceptance_and_ends_its_holds(self, web: Shop) -> None:
        order = web.captured(line("NOBODY-KNOWS"))

        assert cancel(order).ok

        assert order_of(order.id).state == "cancelled"
        assert Hold.objects.for_scope(ALL_ACCOUNTS).get().state == "released"

    def test_cancels_the_components_of_a_kit_by_the_kit(self, web: Shop) -> None:
        kit = web.sku(kind="kit", components={web.sku(9): 2, web.sku(9): 1})
        order = web.accepted(line(kit, 3))
        parent, *_ = lines_of(order)

        cancel(order, line_id=parent.id, quantity=2)

        assert [part.cancelled for part in lines_of(order)] == [0, 4, 2]

    def test_lets_services_fall_away_with_the_last_of_the_goods(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(2)), line("POST", kind="service", price="5"))

        cancel(order, line_id=lines_of(order)[0].id)

        order = order_of(order.id)
        assert (order.state, order.cancelled_minor) == ("cancelled", 1500)

    def test_takes_a_free_gift_along_with_what_it_was_given_with(self, web: Shop) -> None:
        gift = line(web.sku(3), price="0", parent_external_id="A", relation="gift")
        order = web.accepted(line(web.sku(3), external_id="A"), gift, line(web.sku(3)))

        cancel(order, line_id=lines_of(order)[0].id)

        assert [kept.cancelled for kept in lines_of(order)] == [1, 1, 0]

    def test_asks_the_node_for_what_is_released(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))
        send_to_node(only_line(order))

        with commitments.using(WillingNode()):
            outcome = cancel(order)

        assert outcome.value is not None
        assert (outcome.value.cancelled, order_of(order.id).state) == (2, "cancelled")

    def test_is_refused_with_the_node_s_reason(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))
        send_to_node(only_line(order))

        with commitments.using(WillingNode(grants=False)):
            outcome = cancel(order)

        assert outcome.problem is not None
        assert outcome.problem.detail == "It is packed already."
        assert only_line(order).released == 2

    def test_refuses_more_units_than_are_open(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))
        cancel(order, line_id=only_line(order).id, quantity=1)

        outcome = cancel(order, line_id=only_line(order).id, quantity=2)

        assert outcome.problem is not None
        assert (outcome.problem.code, only_line(order).cancelled) == ("conflict", 1)

    def test_voids_the_authorisation_of_an_order_of_which_nothing_shipped(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000),))

        cancel(order)

        intent = Intent.objects.for_scope(ALL_ACCOUNTS).get()
        assert (intent.kind, intent.payload["reference"]) == ("payment.void", "auth-1")
        assert Authorization.objects.for_scope(ALL_ACCOUNTS).get().void_asked_at == NOON

    def test_refunds_what_was_taken_in_advance(self, web: Shop) -> None:
        paid = card(2500, captured_minor=2500)
        order = web.accepted(
            line(web.sku(5), 2), tenders=(paid,), totals=totals(2500, shipping_minor=500)
        )

        cancel(order, line_id=only_line(order).id, quantity=1)
        cancel(order)

        refunds = Refund.objects.for_scope(ALL_ACCOUNTS).order_by("id")
        assert list(refunds.values_list("amount_minor", flat=True)) == [1000, 1500]
        assert Intent.objects.for_scope(ALL_ACCOUNTS).filter(kind="payment.refund").count() == 2

    def test_touches_no_money_that_others_collect(self, web: Shop) -> None:
        paid = card(2000, collected_by="channel", captured_minor=2000)
        order = web.accepted(line(web.sku(5), 2), tenders=(paid,))

        cancel(order)

        assert not Refund.objects.for_scope(ALL_ACCOUNTS).exists()
        assert not Intent.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_answers_each_of_a_batch_for_itself(self, web: Shop) -> None:
        sku = web.sku(9)
        first, second = web.accepted(line(sku)), web.accepted(line(sku, 2))
        cancel(first)

        outcomes = cancel_units(
            [CancelRequest(first.id), CancelRequest(second.id)], at=NOON, actor=ANNA
        )

        assert [outcome.ok for outcome in outcomes] == [False, True]
