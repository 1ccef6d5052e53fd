"""Authorisations that end before the goods leave: renewed in time, or held; and what providers tell."""

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import ids
from config.kernel.models import Case, Intent
from config.kernel.services.accounts import keep_setting
from config.kernel.services.case_folding import clear_resolved, fold_reports
from config.kernel.services.intents import Answer, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Authorization, Capture, Hold, Order, Refund
from orders.payments import LapsedAuthorization, PaymentNews
from orders.services import (
    cancel_units,
    credit_units,
    expire_authorizations,
    lapse_authorizations,
    lock_orders,
    move_units,
    record_payment_news,
    record_shipments,
    renew_authorizations,
)
from orders.services.renew import record_renewal
from orders.services.settle import record_capture
from orders.types import CancelRequest, CreditedUnits, CreditRequest, Move, ShippedUnits
from tests.books import check_all
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, card, line, only_line, order_of, send_to_node

pytestmark = pytest.mark.django_db
END = NOON + timedelta(days=7)
EVE = END - timedelta(hours=20)
LONGER = END + timedelta(days=7)


def authorized(web: Shop, units: int = 2, *, until: datetime = END) -> Order:
    """Units at 10.00 on a card whose authorisation ends."""
    tender = card(1000 * units, reference=f"auth-{ids.uuid7()}", authorization_expires_at=until)
    return web.accepted(line(web.sku(9), units), tenders=(tender,))


def ship(order: Order, units: int, at: datetime = NOON) -> None:
    kept = only_line(order)
    if kept.reserved:
        send_to_node(kept)
    with transaction.atomic():
        record_shipments([ShippedUnits(order.id, kept.id, units, ids.uuid7())], at=at, actor=ANNA)


def last_intent(kind: str) -> LeasedIntent:
    asked = Intent.objects.for_scope(ALL_ACCOUNTS).filter(kind=kind).order_by("id").last()
    assert asked is not None
    return LeasedIntent(
        asked.id,
        asked.account_id,
        asked.kind,
        asked.key,
        asked.subject_kind,
        asked.subject_id,
        asked.payload,
        1,
        False,
    )


def renew(order: Order, answer: Answer) -> None:
    """Ask for a renewal the evening before, and have it answered so."""
    assert renew_authorizations(at=EVE, actor=ANNA) == 1
    with transaction.atomic():
        record_renewal(last_intent("payment.renew"), answer, at=EVE, actor=ANNA)


RENEWED = Answer.done(reference="auth-new", expires_at=LONGER.isoformat())


def authorizations(order: Order) -> list[tuple[str, int, str]]:
    rows = Authorization.objects.for_scope(ALL_ACCOUNTS).filter(order=order).order_by("pk")
    return [(str(row.state), row.amount_minor, row.reference[:8]) for row in rows]


def open_cases() -> list[str]:
    fold_reports(at=NOON)
    clear_resolved(at=NOON)
    rows = Case.objects.for_scope(ALL_ACCOUNTS).filter(state="open").order_by("kind")
    return list(rows.values_list("kind", flat=True))


class TestRenewal:
    def test_is_asked_for_the_day_before_and_once(self, web: Shop) -> None:
        authorized(web)

        asked = [renew_authorizations(at=at, actor=ANNA) for at in (NOON, EVE, EVE, END, LONGER)]

        assert asked == [0, 1, 0, 0, 0]
        payload = last_intent("payment.renew").payload
        assert (payload["amount_minor"], payload["provider"]) == (2000, "fakepay")

    @pytest.mark.parametrize(("hours", "asked"), [(0, 0), (10, 0), (48, 1)])
    def test_is_asked_for_as_early_as_the_account_says(
        self, web: Shop, hours: int, asked: int
    ) -> None:
        authorized(web)
        keep_setting(web.account.code, "renew_hours", hours)

        assert renew_authorizations(at=EVE, actor=ANNA) == asked

    def test_is_not_asked_for_when_everything_has_shipped(self, web: Shop) -> None:
        ship(authorized(web), 2)

        assert renew_authorizations(at=EVE, actor=ANNA) == 0

    def test_covers_what_is_left(self, web: Shop) -> None:
        order = authorized(web, 3)
        ship(order, 1)
        with transaction.atomic():
            done = Answer.done(reference="cap-1")
            record_capture(last_intent("payment.capture"), done, at=NOON, actor=ANNA)

        renew(order, RENEWED)

        assert [row[:2] for row in authorizations(order)] == [("used", 3000), ("live", 2000)]
        assert check_all(about="money.") == []

    def test_lets_the_order_ship_beyond_the_first_term(self, web: Shop) -> None:
        order = authorized(web)
        renew(order, RENEWED)

        expire_authorizations(at=END, actor=ANNA)
        ship(order, 2, END)

        assert authorizations(order)[0][0] == "voided"
        assert last_intent("payment.capture").payload["reference"] == "auth-new"
        assert order_of(order.id).holds_open == 0
        assert open_cases() == []

    def test_that_comes_after_the_order_was_cancelled_is_let_go_at_once(self, web: Shop) -> None:
        order = authorized(web)
        assert renew_authorizations(at=EVE, actor=ANNA) == 1
        cancel_units([CancelRequest(order.id)], at=EVE, actor=ANNA)

        with transaction.atomic():
            record_renewal(last_intent("payment.renew"), RENEWED, at=EVE, actor=ANNA)

        new = Authorization.objects.for_scope(ALL_ACCOUNTS).get(order=order, state="live")
        assert (new.reference, new.void_asked_at) == ("auth-new", EVE)
        assert last_intent("payment.void").payload["reference"] == "auth-new"
        assert check_all(about="money.") == []

    def test_waits_with_captures_until_it_is_answered(self, web: Shop) -> None:
        order = authorized(web)
        renew_authorizations(at=EVE, actor=ANNA)

        ship(order, 2, EVE)
        assert not Capture.objects.for_scope(ALL_ACCOUNTS).exists()
        assert open_cases() == []
        with transaction.atomic():
            record_renewal(last_intent("payment.renew"), RENEWED, at=EVE, actor=ANNA)

        assert Capture.objects.for_scope(ALL_ACCOUNTS).get().amount_minor == 2000
        assert last_intent("payment.capture").payload["reference"] == "auth-new"

    def test_that_is_refused_holds_the_order_with_a_case(self, web: Shop) -> None:
        order = authorized(web)

        renew(order, Answer.refused("card expired"))

        hold = Hold.objects.for_scope(ALL_ACCOUNTS).get()
        assert (hold.type, hold.blocks, order_of(order.id).blocked) == (
            "payment",
            ["release"],
            ["release"],
        )
        assert hold.reason.endswith("could not be renewed: card expired.")
        assert open_cases() == ["PAYMENT_PENDING"]
        assert authorizations(order)[0][0] == "live"
        assert renew_authorizations(at=EVE, actor=ANNA) == 0
        assert check_all(about="money.") == []

    def test_that_is_refused_leaves_the_old_one_to_be_captured_from(self, web: Shop) -> None:
        order = authorized(web)
        renew(order, Answer.refused("card expired"))

        ship(order, 2, EVE)

        assert last_intent("payment.capture").payload["reference"].startswith("auth-0")

    def test_of_many_costs_as_many_statements_as_of_one(self, web: Shop) -> None:
        counts = []
        for orders in (1, 3):
            for _ in range(orders):
                authorized(web)
            with CaptureQueriesContext(connection) as queries:
                assert renew_authorizations(at=EVE, actor=ANNA) == orders
            counts.append(len(queries))

        assert counts[0] == counts[1]


def test_money_goes_back_through_each_authorization_as_far_as_it_was_taken_from(web: Shop) -> None:
    order = authorized(web, 3)
    for units in (1, 2):
        if units == 2:
            renew(order, RENEWED)
        ship(order, units)
        with transaction.atomic():
            done = Answer.done(reference=f"cap-{units}")
            record_capture(last_intent("payment.capture"), done, at=EVE, actor=ANNA)
    line_id = only_line(order).id
    with transaction.atomic():
        move_units([Move(line_id, "underway", "delivered", 3)], at=EVE, actor=ANNA)
        lock_orders([order.id])
        units = (CreditedUnits(line_id, 3),)
        credit_units(
            [CreditRequest(order.id, "return", ids.uuid7(), units=units)], at=EVE, actor=ANNA
        )

    refunds = Refund.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
    assert [(row.source[:8], row.amount_minor) for row in refunds] == [
        ("auth-new", 2000),
        (authorizations(order)[0][2], 1000),
    ]


class TestAnAuthorizationThatTheProviderEnds:
    def lapsed(self, order: Order, reference: str = "") -> LapsedAuthorization:
        own = order.authorizations.get().reference
        return LapsedAuthorization(order.account_id, "fakepay", reference or own)

    def test_is_expired_before_its_term_and_its_order_held(self, web: Shop) -> None:
        order = authorized(web)

        outcomes = lapse_authorizations(
            [self.lapsed(order), self.lapsed(order), self.lapsed(order, "moon")],
            at=NOON,
            actor=ANNA,
        )

        assert [str(one.kind) for one in outcomes] == ["done", "repeated", "refused"]
        assert authorizations(order)[0][0] == "expired"
        assert open_cases() == ["PAYMENT_PENDING"]

    def test_waits_for_the_answer_to_a_capture(self, web: Shop) -> None:
        order = authorized(web)
        ship(order, 2)

        (outcome,) = lapse_authorizations([self.lapsed(order)], at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert outcome.problem.code == "busy"


class TestNewsOfPayments:
    def news(self, payment: Capture | Refund, kind: str, **changes: object) -> PaymentNews:
        values = {
            "account_id": payment.account_id,
            "key": f"payment.{kind}:{payment.pk}",
            "happened": True,
            "amount_minor": payment.amount_minor,
            "reference": "theirs-1",
        }
        return PaymentNews(**(values | changes))

    def tell(self, *news: PaymentNews) -> list[str]:
        outcomes = record_payment_news(news, at=EVE, actor=ANNA)
        return [one.problem.code if one.problem else str(one.kind) for one in outcomes]

    @pytest.fixture
    def capture(self, web: Shop) -> Capture:
        ship(authorized(web), 2)
        found: Capture = Capture.objects.for_scope(ALL_ACCOUNTS).get()
        return found

    def test_end_a_capture_that_nobody_has_answered(self, capture: Capture) -> None:
        one = self.news(capture, "capture")

        assert self.tell(one, one) == ["done", "repeated"]

        capture.refresh_from_db()
        assert (capture.state, capture.reference) == ("succeeded", "theirs-1")
        assert capture.authorization.state == "used"
        assert order_of(capture.order_id).payment_state == "captured"
        with transaction.atomic():
            late = Answer.done(reference="theirs-1")
            record_capture(last_intent("payment.capture"), late, at=EVE, actor=ANNA)
        assert check_all(about="money.") == []

    def test_of_a_late_failure_open_the_case_of_any_refused_capture(self, capture: Capture) -> None:
        assert self.tell(self.news(capture, "capture", happened=False, why="card blocked")) == [
            "done"
        ]

        capture.refresh_from_db()
        assert (capture.state, capture.failure) == ("failed", "card blocked")
        assert capture.authorization.refused_at == EVE
        assert open_cases() == ["PAYMENT_FAILED"]
        assert check_all(about="money.") == []

    def test_that_contradict_change_nothing_and_are_a_case(self, capture: Capture) -> None:
        self.tell(self.news(capture, "capture"))

        said = self.tell(
            self.news(capture, "capture", happened=False),
            self.news(capture, "capture", amount_minor=1),
            self.news(capture, "refund"),
        )

        assert said == ["conflict", "invalid", "not-found"]
        assert open_cases() == ["PAYMENT_DIFFERS"]

    def test_of_a_refund_that_came_back_open_its_case_again(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(9), 2), tenders=(card(2000, captured_minor=2000),))
        refund = Refund.objects.create(
            order=order,
            account_id=order.account_id,
            tender=order.tenders.get(),
            amount_minor=500,
            at=NOON,
        )

        assert self.tell(self.news(refund, "refund")) == ["done"]
        assert self.tell(self.news(refund, "refund", happened=False, why="account closed")) == [
            "done"
        ]

        refund.refresh_from_db()
        assert (refund.state, refund.failure) == ("failed", "account closed")
        assert open_cases() == ["PAYMENT_FAILED"]
