"""An order that its channel is paid for later: the news lifts its hold for payment, once."""

import pytest

from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Hold, Order, Tender
from orders.selectors import groups_to_release
from orders.services import place_holds, secure_payments
from orders.types import DraftProblem, HoldRequest, SecuredPayment, TenderDraft
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, card, line, order_of, totals

pytestmark = pytest.mark.django_db
PENDING = DraftProblem("payment-pending", "The channel waits for the payment.")


def pending(web: Shop, *tenders: TenderDraft) -> Order:
    """An order of 20.00 that its channel is not paid for yet."""
    theirs = TenderDraft("transfer", 2000, collected_by="channel")
    order = web.accepted(
        line(web.sku(5), 2), tenders=tenders or (theirs,), problems=(PENDING,), totals=totals(2000)
    )
    assert standing(order) == ["payment"] or tenders
    return order


def standing(order: Order) -> list[str]:
    holds = Hold.objects.for_scope(ALL_ACCOUNTS).active().filter(order=order)
    return sorted(holds.values_list("type", flat=True))


def told(order: Order) -> list[dict[str, int]]:
    events = Event.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=order.id)
    found = events.filter(topic="payment.secured_elsewhere")
    return list(found.values_list("data", flat=True))


def secure(order: Order, minor: int = 2000) -> str:
    (outcome,) = secure_payments([SecuredPayment(order.id, minor)], at=NOON, actor=ANNA)
    return outcome.problem.code if outcome.problem else outcome.kind.value


class TestSecurePayments:
    def test_lifts_the_hold_and_counts_the_money(self, web: Shop) -> None:
        order = pending(web)
        assert groups_to_release(at=NOON, limit=10) == []

        assert secure(order) == "done"

        assert (standing(order), order_of(order.id).blocked) == ([], [])
        assert Tender.objects.for_scope(ALL_ACCOUNTS).get().captured_minor == 2000
        assert told(order) == [{"collected_minor": 2000}]

    def test_does_it_once(self, web: Shop) -> None:
        order = pending(web)
        secure(order)

        assert secure(order) == "repeated"
        assert secure(order, 500) == "repeated"
        assert Tender.objects.for_scope(ALL_ACCOUNTS).get().captured_minor == 2000

    def test_believes_a_channel_that_collects_only_later(self, web: Shop) -> None:
        order = pending(web)

        assert secure(order, 0) == "done"
        assert standing(order) == []

    def test_leaves_other_holds_standing(self, web: Shop) -> None:
        order = pending(web)
        place_holds([HoldRequest(order.id, "fraud", "odd")], at=NOON, actor=ANNA)

        secure(order)

        assert standing(order) == ["fraud"]

    def test_leaves_the_hold_while_our_part_is_not_secured(self, web: Shop) -> None:
        theirs = TenderDraft("transfer", 1000, collected_by="channel")
        ours = card(1000, reference="")
        order = pending(web, theirs, ours)

        assert secure(order, 1000) == "done"

        assert "payment" in standing(order)

    def test_leaves_the_hold_while_the_tenders_do_not_cover_the_order(self, web: Shop) -> None:
        order = pending(web, TenderDraft("transfer", 1500, collected_by="channel"))

        secure(order, 1500)

        assert "payment" in standing(order)

    def test_refuses_where_nobody_else_collects(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)), tenders=(card(1000),))

        assert secure(order) == "conflict"
