"""Payments that ended badly, worked on from the order's page: retry, look up, settle by hand."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse

import orders.services
from config.kernel.models import Intent
from config.kernel.services.intents import Answer, LeasedIntent
from config.reports import sql
from config.reports.sql import Row
from orders.models import Authorization
from orders.services import settle
from orders.types import CancelRequest, TenderDraft
from tests.console.conftest import ACTOR, AT, House, text_of

GIVEN_UP = Answer.unknown("no answer", given_up=True)


def refund_ended(house: House, how: Answer) -> Row:
    """A prepaid order that was cancelled; its refund has ended so."""
    paid = TenderDraft(
        "card", 1_000, provider="fakepay", authorization_reference="auth-p", captured_minor=1_000
    )
    order = house.order(tenders=(paid,))
    orders.services.cancel_units([CancelRequest(order["id"])], at=AT, actor=ACTOR)
    asked = Intent.objects.for_scope(ACTOR.scope).get(kind="payment.refund")
    given_up = bool(how.data.get("given_up"))
    Intent.objects.for_scope(ACTOR.scope).filter(pk=asked.pk).update(
        state="dead" if given_up else how.kind.value
    )
    leased = LeasedIntent(
        asked.pk, asked.account_id, asked.kind, asked.key, asked.subject_kind,
        asked.subject_id, asked.payload, attempt=1, tried_before=False,
    )  # fmt: skip
    with transaction.atomic():
        settle.record_refund(leased, how, at=AT, actor=ACTOR)
    return house.fact(order["id"])


def refunds(order: Row) -> list[str]:
    found = sql.rows(
        "SELECT state FROM orders_refund WHERE order_id = %(id)s ORDER BY id", {"id": order["id"]}
    )
    return [each["state"] for each in found]


def do(house: House, order: Row, code: str, role: str = "ops_manager", **data: Any) -> HttpResponse:
    address = reverse("console:order_action", args=[order["number"], code])
    response: HttpResponse = house.client(role).post(address, data)
    return response


class TestRetryRefund:
    def test_asks_the_provider_again(self, house: House) -> None:
        order = refund_ended(house, Answer.refused("account closed"))

        assert do(house, order, "retry_refund", role="cs_agent").status_code == 302
        assert refunds(order) == ["retried", "pending"]

    def test_says_why_there_is_nothing_to_try(self, house: House) -> None:
        page = do(house, house.order(), "retry_refund")

        assert page.status_code == 409
        assert "No refund of the order was refused." in text_of(page)


class TestAnExpiredAuthorisation:
    """The capture of what has shipped was refused, and the authorisation is over since."""

    def test_is_followed_by_a_new_one_of_which_the_money_is_asked_at_once(
        self, house: House
    ) -> None:
        order = house.refused()
        late = AT + timedelta(days=8)
        Authorization.objects.for_scope(ACTOR.scope).update(expires_at=AT + timedelta(days=7))
        orders.services.expire_authorizations(at=late, actor=ACTOR)
        refused = do(house, order, "retry_capture")
        assert "note the new authorisation" in text_of(refused)

        assert do(house, order, "authorize", role="cs_agent").status_code == 403
        noted = {"reference": "auth-new", "amount": "10.00"}
        assert do(house, order, "authorize", **noted).status_code == 302

        asked = Intent.objects.for_scope(ACTOR.scope).filter(kind="payment.capture").latest("pk")
        assert (asked.state, asked.payload["reference"]) == ("pending", "auth-new")
        again = do(house, house.fact(order["id"]), "authorize", **noted)
        assert "Its money is secured" in text_of(again)


class TestAnOrderThatWaitsForItsMoney:
    """Nothing secures it any more: its buyer is asked again, or somebody takes the risk."""

    def test_is_asked_for_or_sent_at_our_own_risk_by_who_may(self, house: House) -> None:
        card = TenderDraft(
            "card",
            1_000,
            provider="fakepay",
            authorization_reference="auth-w",
            authorization_expires_at=AT,
        )
        order = house.order(tenders=(card,))
        orders.services.expire_authorizations(at=AT + timedelta(days=1), actor=ACTOR)

        form = reverse("console:order_action", args=[order["number"], "accept_risk"])
        assert "$10.00 of" in text_of(house.client("ops_manager").get(form))
        assert do(house, order, "ask_to_pay", role="cs_agent").status_code == 302
        assert "once a day" in text_of(do(house, order, "ask_to_pay", role="cs_agent"))
        assert do(house, order, "accept_risk", role="cs_agent", reason="known").status_code == 403
        assert do(house, order, "accept_risk", reason="").status_code == 422
        assert do(house, order, "accept_risk", reason="known").status_code == 302

        fact = house.fact(order["id"])
        assert (fact["payment_state"], fact["holds"]) == ("elsewhere", [])
        assert "collected by others" in text_of(do(house, fact, "accept_risk", reason="known"))


class TestLookUp:
    def test_has_the_provider_asked_what_became_of_it(self, house: House) -> None:
        order = refund_ended(house, GIVEN_UP)

        assert do(house, order, "look_up", role="cs_agent").status_code == 302
        asked = Intent.objects.for_scope(ACTOR.scope).get(kind="payment.refund")
        assert asked.state in {"pending", "unknown"}

    def test_says_why_there_is_nothing_to_ask(self, house: House) -> None:
        page = do(house, house.order(), "look_up")

        assert page.status_code == 409
        assert "has a known outcome" in text_of(page)


class TestSettle:
    def payment(self, order: Row) -> str:
        return str(order["payments"][0]["id"])

    @pytest.mark.parametrize(("happened", "state"), [("yes", "manual"), ("no", "failed")])
    def test_records_what_a_person_found_out(self, house: House, happened: str, state: str) -> None:
        order = refund_ended(house, GIVEN_UP)

        page = do(
            house, order, "settle_payment",
            payment=self.payment(order), happened=happened, reference="wire 7",
        )  # fmt: skip

        assert page.status_code == 302, text_of(page)
        assert refunds(order) == [state]

    def test_needs_to_know_what_is_true(self, house: House) -> None:
        order = refund_ended(house, GIVEN_UP)

        page = do(house, order, "settle_payment", payment=self.payment(order))

        assert page.status_code == 422
        assert refunds(order) == ["sent"]

    def test_takes_no_payment_of_another_order(self, house: House) -> None:
        order = refund_ended(house, GIVEN_UP)
        other = house.refused()

        page = do(
            house, order, "settle_payment",
            payment=str(other["id"]), happened="yes", reference="wire 7",
        )  # fmt: skip

        assert page.status_code == 422

    def test_is_kept_from_customer_service(self, house: House) -> None:
        order = refund_ended(house, GIVEN_UP)

        page = do(
            house, order, "settle_payment", role="cs_agent",
            payment=self.payment(order), happened="yes",
        )  # fmt: skip

        assert page.status_code == 403
        assert refunds(order) == ["sent"]
