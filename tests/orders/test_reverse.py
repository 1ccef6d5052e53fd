"""A shipment that never went out is taken back: units, invoice, and what was asked for it."""

from uuid import UUID

import pytest
from django.db import transaction

from config.kernel import ids
from config.kernel.models import Event, Intent
from config.kernel.types import ALL_ACCOUNTS
from orders import commitments
from orders.models import Authorization, Capture, Invoice, Order
from orders.services import cancel_units, record_shipments, reverse_shipments
from orders.services.reverse import MONEY_WAS_ASKED
from orders.types import CancelRequest, ShippedUnits
from tests.factories.kernel import NOON
from tests.factories.orders import (
    ANNA,
    Shop,
    WillingNode,
    card,
    line,
    lines_of,
    order_of,
    send_to_node,
)

pytestmark = pytest.mark.django_db


def ship(order: Order, units: int, place: int = 0) -> ShippedUnits:
    """Have units of a line leave in a parcel of their own."""
    shipped = ShippedUnits(order.id, lines_of(order)[place].id, units, ids.uuid7())
    with transaction.atomic():
        record_shipments([shipped], at=NOON, actor=ANNA)
    return shipped


def reverse(*shipped: ShippedUnits) -> dict[UUID, str]:
    with transaction.atomic():
        return reverse_shipments(list(shipped), at=NOON, actor=ANNA)


def at_node(web: Shop, *lines, **details) -> Order:
    order = web.accepted(*lines, **details)
    for one in lines_of(order):
        if one.kind == "stock":
            send_to_node(one)
    return order


def documents() -> list[tuple[str, int]]:
    rows = Invoice.objects.for_scope(ALL_ACCOUNTS).order_by("id")
    return [(str(kind), amount) for kind, amount in rows.values_list("kind", "amount_minor")]


def captures() -> list[tuple[str, int]]:
    rows = Capture.objects.for_scope(ALL_ACCOUNTS).order_by("id")
    return [(str(state), amount) for state, amount in rows.values_list("state", "amount_minor")]


def sent_to_the_provider() -> None:
    Intent.objects.for_scope(ALL_ACCOUNTS).update(state="running", attempts=1)


class TestReverseShipments:
    def test_takes_the_units_back_to_released(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 3))
        box = ship(order, 2)

        assert reverse(box) == {}

        (kept,) = lines_of(order)
        assert (kept.released, kept.shipped, kept.underway) == (3, 0, 0)
        assert order_of(order.id).progress == "released"

    def test_credits_what_the_parcel_was_invoiced(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 2), tenders=(card(2000, collected_by="channel"),))
        box = ship(order, 2)

        reverse(box)

        assert documents() == [("invoice", 2000), ("credit_note", 2000)]
        assert order_of(order.id).invoiced_minor == 0
        told = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="order.shipment_reversed")
        assert told.data["credited_minor"] == 2000

    def test_invoices_the_same_again_when_it_leaves_after_all(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 2), tenders=(card(2000, collected_by="channel"),))
        reverse(ship(order, 2))

        ship(order, 2)

        assert [amount for _, amount in documents()] == [2000, 2000, 2000]
        assert order_of(order.id).invoiced_minor == 2000

    def test_leaves_other_parcels_alone(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 3), tenders=(card(3000, collected_by="channel"),))
        ship(order, 1)
        box = ship(order, 2)

        reverse(box)

        assert order_of(order.id).invoiced_minor == 1000
        assert lines_of(order)[0].shipped == 1

    def test_has_what_went_with_the_goods_wait_again(self, web: Shop) -> None:
        order = at_node(
            web,
            line(web.sku(5), 1),
            line("POST", 1, kind="service"),
            tenders=(card(2000, collected_by="channel"),),
        )
        box = ship(order, 1)
        assert lines_of(order)[1].delivered == 1

        reverse(box)

        service = lines_of(order)[1]
        assert (service.pending, service.delivered) == (1, 0)
        assert order_of(order.id).invoiced_minor == 0

    def test_can_be_cancelled_afterwards_without_a_debt(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 2), tenders=(card(2000),))
        reverse(ship(order, 2))

        with commitments.using(WillingNode()):
            cancel_units([CancelRequest(order.id)], at=NOON, actor=ANNA)

        now = order_of(order.id)
        assert (now.state, now.invoiced_minor, now.cancelled_minor) == ("cancelled", 0, 2000)
        assert Intent.objects.for_scope(ALL_ACCOUNTS).filter(kind="payment.void").count() == 1


class TestTheMoney:
    def test_is_not_asked_for_when_nobody_has_sent_the_capture_yet(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 2), tenders=(card(2000),))
        box = ship(order, 2)

        assert reverse(box) == {}

        assert captures() == [("withdrawn", 2000)]
        assert Intent.objects.for_scope(ALL_ACCOUNTS).get().state == "refused"
        assert order.tenders.get().captured_minor == 0
        assert order_of(order.id).payment_state == "authorized"

    def test_is_asked_for_when_the_goods_leave_after_all(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 2), tenders=(card(2000),))
        reverse(ship(order, 2))

        ship(order, 2)

        assert captures() == [("withdrawn", 2000), ("requested", 2000)]
        assert Authorization.objects.for_scope(ALL_ACCOUNTS).get().state == "live"

    def test_keeps_the_shipment_once_it_was_asked_for(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 2), tenders=(card(2000),))
        box = ship(order, 2)
        sent_to_the_provider()

        assert reverse(box) == {order.id: MONEY_WAS_ASKED}

        assert captures() == [("requested", 2000)]
        assert documents() == [("invoice", 2000)]
        assert lines_of(order)[0].shipped == 2

    def test_of_one_order_does_not_keep_another(self, web: Shop) -> None:
        late = at_node(web, line(web.sku(5), 2), tenders=(card(2000),))
        first = ship(late, 2)
        sent_to_the_provider()
        free = at_node(web, line(web.sku(5), 2), tenders=(card(2000),))
        second = ship(free, 2)

        assert reverse(first, second) == {late.id: MONEY_WAS_ASKED}

        assert [lines_of(order)[0].shipped for order in (late, free)] == [2, 0]

    def test_that_was_paid_before_stays_with_us(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 2), tenders=(card(2000, captured_minor=2000),))
        box = ship(order, 2)

        assert reverse(box) == {}

        assert order.tenders.get().captured_minor == 2000
        assert order_of(order.id).payment_state == "captured"

    def test_of_the_other_parcel_is_asked_for_still(self, web: Shop) -> None:
        order = at_node(web, line(web.sku(5), 3), tenders=(card(3000),))
        (kept,) = lines_of(order)
        stays, goes = (ShippedUnits(order.id, kept.id, units, ids.uuid7()) for units in (1, 2))
        with transaction.atomic():
            record_shipments([stays, goes], at=NOON, actor=ANNA)

        assert reverse(goes) == {}

        assert captures() == [("withdrawn", 3000), ("requested", 1000)]
        assert order.tenders.get().captured_minor == 1000
