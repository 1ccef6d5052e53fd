"""Orders whose payment has ended: sent at the seller's own risk, or given up by the account's date."""

from datetime import timedelta

import pytest

from config.kernel.errors import Invalid
from config.kernel.models import Account, Event
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Order, Tender
from orders.services import (
    accept_risks,
    ask_for_payment,
    cancel_unpaid,
    expire_authorizations,
)
from tests.books import check_all
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, card, line, only_line, order_of

END = NOON + timedelta(days=2)
pytestmark = pytest.mark.django_db


def lapsed(web: Shop, units: int = 2, **details: object) -> Order:
    """Units at 10.00 on a card whose authorisation has ended, and is asked for again by nobody."""
    Account.objects.update(settings={"renew_hours": 0})
    asked = card(1000 * units, authorization_expires_at=END, **details)
    order = web.accepted(line(web.sku(9), units), tenders=(asked,))
    expire_authorizations(at=END, actor=ANNA)
    return order_of(order.id)


def tenders(order: Order) -> list[tuple[str, int]]:
    rows = Tender.objects.for_scope(ALL_ACCOUNTS).filter(order=order).order_by("position")
    return list(rows.values_list("collected_by", "amount_minor"))


class TestAcceptingTheRisk:
    def test_puts_what_is_unsecured_on_account_and_lets_it_go_out(self, web: Shop) -> None:
        order = lapsed(web)
        assert (order.payment_state, order.holds_open) == ("pending", 1)

        [outcome] = accept_risks([order.pk], "a customer of ten years", at=END, actor=ANNA)

        kept = order_of(order.pk)
        assert outcome.value == 2000
        assert (kept.payment_state, kept.holds_open, tenders(kept)) == (
            "elsewhere",
            0,
            [("terms", 2000)],
        )
        [event] = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="payment.risk_accepted")
        assert event.data == {"amount_minor": 2000, "reason": "a customer of ten years"}
        assert check_all(about="money.") == []

    def test_leaves_what_was_taken_where_it_is(self, web: Shop) -> None:
        order = lapsed(web, captured_minor=500)

        [outcome] = accept_risks([order.pk], "small", at=END, actor=ANNA)

        assert outcome.value == 1500
        assert tenders(order) == [("us", 500), ("terms", 1500)]
        assert order_of(order.pk).payment_state == "captured"
        assert check_all(about="money.") == []

    def test_is_refused_without_a_risk_and_without_a_reason(self, web: Shop) -> None:
        secured = web.accepted(line(web.sku(9), 1), tenders=(card(1000),))

        [outcome] = accept_risks([secured.pk], "why not", at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert "no risk" in outcome.problem.detail
        with pytest.raises(Invalid):
            accept_risks([secured.pk], " ", at=NOON, actor=ANNA)
        assert tenders(secured) == [("us", 1000)]


class TestAskingTheBuyer:
    def test_says_how_much_and_until_when_at_most_once_a_day(self, web: Shop) -> None:
        order = lapsed(web)
        Account.objects.update(settings={"cancel_unpaid_days": 5})
        days = timedelta(days=1)

        asked = [
            ask_for_payment([order.pk], at=at, actor=ANNA)[0]
            for at in (END, END + days / 2, END + days)
        ]

        assert [outcome.value for outcome in asked] == [2000, None, 2000]
        assert asked[1].problem is not None
        assert "once a day" in asked[1].problem.detail
        told = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="payment.asked_for")
        until = (END + 5 * days).isoformat()
        assert [event.data for event in told] == [
            {"amount_minor": 2000, "currency": order.currency, "until": until}
        ] * 2

    def test_is_refused_where_the_money_is_secured(self, web: Shop) -> None:
        secured = web.accepted(line(web.sku(9), 1), tenders=(card(1000),))

        [outcome] = ask_for_payment([secured.pk], at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert "nothing to ask for" in outcome.problem.detail


class TestGivingUpWhatIsNotPaid:
    def test_takes_off_what_no_node_has_once_the_accounts_days_are_over(self, web: Shop) -> None:
        order = lapsed(web)
        Account.objects.update(settings={"cancel_unpaid_days": 5})

        assert cancel_unpaid(at=END + timedelta(days=4), actor=ANNA) == 0
        assert cancel_unpaid(at=END + timedelta(days=5), actor=ANNA) == 1

        kept = order_of(order.pk)
        assert (kept.state, kept.payment_state) == ("cancelled", "cancelled")
        assert only_line(order).cancellations.get().reason == "not paid in time"
        assert cancel_unpaid(at=END + timedelta(days=6), actor=ANNA) == 0

    def test_waits_for_ever_where_the_account_says_nothing(self, web: Shop) -> None:
        lapsed(web)

        assert cancel_unpaid(at=END + timedelta(days=90), actor=ANNA) == 0
