"""News of payment gateways, pushed and found by comparing: each has its effect once, none is lost."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from config.kernel import ids
from config.kernel.models import Case
from config.kernel.services.case_folding import fold_reports
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations.models import InboxMessage
from integrations.payments import comparing, gateway
from integrations.sandbox.gateway import GatewaySandbox
from integrations.types import ConnectionRef
from orders.models import Authorization, Capture, Chargeback, Dispute, Order, Refund
from orders.payments import PaymentNews
from orders.services import (
    expire_authorizations,
    record_payment_news,
    renew_authorizations,
    settle_payments_by_hand,
)
from orders.types import HandSettlement
from tests.factories.kernel import NOON, AccountFactory
from tests.factories.orders import ANNA, Shop
from tests.factories.payments import CODE, SECRET, a_gateway, an_order, carry_out, ship

pytestmark = [pytest.mark.django_db, pytest.mark.urls("integrations.api.urls")]

COMPARER = Actor.system("payments.reconcile")


def push(topic: str, data: Any, *, secret: str = SECRET, event_id: str = "") -> dict[str, Any]:
    """What the gateway says; how it was taken."""
    event = {"id": event_id or f"evt_{ids.uuid7()}", "type": topic, "data": data}
    raw = json.dumps(event).encode()
    answer = Client().post(
        f"/webhooks/gateway/{CODE}",
        raw,
        content_type="application/json",
        headers={"Gateway-Signature": gateway.signature(secret, "1", raw)},
    )
    message = InboxMessage.objects.for_scope(ALL_ACCOUNTS).order_by("pk").last()
    return {
        "status": answer.status_code,
        "state": str(message.state) if message else "",
        "code": message.code if message else "",
    }


def operation(payment: Capture | Refund, kind: str = "capture", **changes: Any) -> dict[str, Any]:
    return {
        "id": "cap_1",
        "kind": kind,
        "key": f"payment.{kind}:{payment.pk}",
        "amount": payment.amount_minor,
        "code": "",
    } | changes


def the(model: Any) -> Any:
    return model.objects.for_scope(ALL_ACCOUNTS).get()


def dispute(order: Order, amount: int = 2000, **changes: Any) -> dict[str, Any]:
    return {
        "id": "dp_1",
        "authorization": order.authorizations.get().reference,
        "amount": amount,
        "reason": "fraudulent",
        "opened_at": "2026-03-10T12:00:00Z",
        "evidence_due_at": "2026-03-20T12:00:00Z",
    } | changes


def open_cases() -> list[str]:
    fold_reports(at=NOON)
    rows = Case.objects.for_scope(ALL_ACCOUNTS).filter(state="open").order_by("kind")
    return list(rows.values_list("kind", flat=True))


class TestPushedNews:
    @pytest.fixture
    def paid(self, web: Shop) -> Order:
        """An order whose capture the gateway has not answered."""
        a_gateway(web.account)
        order = an_order(web)
        ship(order)
        return order

    def test_settle_what_was_pending(self, paid: Order) -> None:
        said = push("capture.succeeded", operation(the(Capture)))

        assert said == {"status": 200, "state": "applied", "code": ""}
        assert (the(Capture).state, the(Capture).reference) == ("succeeded", "cap_1")
        message = the(InboxMessage)
        assert (message.subject_id, message.thread_id) == (paid.id, paid.id)

    def test_of_a_failure_come_with_its_reason(self, paid: Order) -> None:
        push("capture.failed", operation(the(Capture), code="insufficient-funds"))

        assert (the(Capture).state, the(Capture).failure) == ("failed", "insufficient-funds")
        assert open_cases() == ["PAYMENT_FAILED"]

    def test_end_an_authorization(self, web: Shop) -> None:
        a_gateway(web.account)
        order = an_order(web)

        push("authorization.expired", {"id": order.authorizations.get().reference})

        assert the(Authorization).state == "expired"

    def test_tell_of_a_dispute_and_how_it_ended(self, paid: Order) -> None:
        push("capture.succeeded", operation(the(Capture)))

        assert push("dispute.opened", dispute(paid))["state"] == "applied"
        assert the(Dispute).state == "opened"
        assert push("dispute.lost", {"id": "dp_1"})["state"] == "applied"
        assert the(Chargeback).amount_minor == 2000
        assert push("dispute.won", {"id": "dp_1"})["state"] == "dead"

    def test_of_a_verdict_wait_for_the_dispute(self, paid: Order) -> None:
        del paid

        assert push("dispute.lost", {"id": "dp_1"}) == {
            "status": 200,
            "state": "received",
            "code": "not-found",
        }

    @pytest.mark.parametrize(
        ("topic", "data", "state", "code"),
        [
            ("payout.paid", {"id": "po_1"}, "ignored", "other-topic"),
            ("capture.succeeded", {"id": "c", "key": "theirs", "amount": 1}, "ignored", "not-ours"),
            ("capture.succeeded", {"id": "c"}, "dead", "unreadable"),
            ("dispute.opened", {"id": "d", "authorization": "a"}, "dead", "unreadable"),
            ("dispute.opened", "what", "dead", "unreadable"),
        ],
    )
    def test_that_mean_nothing_here_say_why(
        self, web: Shop, topic: str, data: Any, state: str, code: str
    ) -> None:
        a_gateway(web.account)

        said = push(topic, data)

        assert (said["state"], said["code"]) == (state, code)

    def test_are_not_taken_from_a_forger(self, paid: Order) -> None:
        del paid

        said = push("capture.succeeded", operation(the(Capture)), secret="a wrong secret")

        assert (said["status"], said["state"]) == (401, "")
        assert the(Capture).state == "requested"

    def test_move_no_payment_of_another_account(self, web: Shop) -> None:
        order = an_order(web)
        ship(order)
        a_gateway(AccountFactory())

        for topic, data in (
            ("capture.succeeded", operation(the(Capture))),
            ("dispute.opened", dispute(order)),
            ("authorization.expired", {"id": order.authorizations.get().reference}),
        ):
            assert push(topic, data)["code"] == "not-found"

        assert the(Capture).state == "requested"
        assert not Dispute.objects.for_scope(ALL_ACCOUNTS).exists()


class TestComparing:
    @pytest.fixture
    def ref(self, web: Shop, simulator: GatewaySandbox) -> ConnectionRef:
        return a_gateway(web.account, simulator)

    def compare(self, ref: ConnectionRef) -> comparing.Compared:
        """A turn, an hour after everything that has happened."""
        return comparing.compare(ref, at=datetime.now(UTC) + timedelta(hours=1), actor=COMPARER)

    def test_finds_nothing_where_the_books_agree(self, web: Shop, ref: ConnectionRef) -> None:
        ship(an_order(web))
        carry_out()

        said = self.compare(ref)

        assert (said.operations, said.healed, said.differing, said.looked_up) == (1, 0, 0, 1)
        assert self.compare(ref) == comparing.Compared()

    def test_heals_what_only_was_not_heard_of(
        self, web: Shop, simulator: GatewaySandbox, ref: ConnectionRef
    ) -> None:
        ship(an_order(web, behavior="drop"))
        carry_out()
        assert the(Capture).state == "requested"
        order = an_order(web)
        held = simulator.holding(order.authorizations.get().reference)
        simulator.expire(held)  # nobody is told: it pushes to no address

        said = self.compare(ref)

        assert (said.events, said.healed, said.differing) == (1, 1, 0)
        assert the(Capture).state == "succeeded"
        assert order.authorizations.get().state == "expired"

    def test_makes_a_case_of_what_only_one_side_knows(
        self, web: Shop, simulator: GatewaySandbox, ref: ConnectionRef
    ) -> None:
        ship(an_order(web))
        carry_out()
        held = simulator.holding(an_order(web).authorizations.get().reference)
        simulator.start_anew()
        simulator.store["authorizations"][held["id"]] = held
        simulator.record("capture", "cap_by_hand", 300, "USD", "by-hand", holding=held)

        said = self.compare(ref)

        assert (said.differing, said.looked_up) == (2, 1)
        fold_reports(at=NOON)
        found = Case.objects.for_scope(ALL_ACCOUNTS).filter(kind="PAYMENT_DIFFERS")
        assert sorted(found.values_list("subject_kind", flat=True)) == ["connection", "order"]
        assert self.compare(ref).differing == 0

    def test_makes_a_case_of_another_amount(
        self, web: Shop, simulator: GatewaySandbox, ref: ConnectionRef
    ) -> None:
        ship(an_order(web))
        carry_out()
        [made] = simulator.store["operations"].values()
        made["amount"] = 1999

        assert self.compare(ref).differing == 1
        assert open_cases() == ["PAYMENT_DIFFERS"]

    def test_asks_again_next_turn_when_nobody_answers(self, web: Shop) -> None:
        nobody = a_gateway(web.account)

        assert not self.compare(nobody).reached


def test_a_refund_that_was_settled_by_hand_and_happened_after_all_is_a_case(web: Shop) -> None:
    order = an_order(web, captured_minor=2000)
    refund = Refund.objects.create(
        order=order,
        account_id=order.account_id,
        tender=order.tenders.get(),
        amount_minor=5,
        at=NOON,
    )

    def tell(*, happened: bool) -> str:
        news = PaymentNews(order.account_id, f"payment.refund:{refund.pk}", happened, 5)
        (outcome,) = record_payment_news([news], at=NOON, actor=ANNA)
        return outcome.problem.code if outcome.problem else str(outcome.kind)

    assert tell(happened=False) == "done"
    settled = HandSettlement(refund.pk, happened=True, reference="bank transfer 7")
    settle_payments_by_hand([settled], at=NOON, actor=ANNA)

    assert (tell(happened=False), tell(happened=True)) == ("repeated", "conflict")
    assert the(Refund).state == "manual"
    assert open_cases() == ["PAYMENT_DIFFERS"]


class TestAnAuthorizationThatEnds:
    """Asked of the gateway over HTTP: of the card on file, and without its buyer."""

    END = NOON + timedelta(days=7)

    @pytest.fixture
    def order(self, web: Shop, simulator: GatewaySandbox) -> Order:
        simulator.clock.set(NOON, 0)
        a_gateway(web.account, simulator)
        made = an_order(web, authorization_expires_at=self.END)
        simulator.holding(made.authorizations.get().reference)
        return made

    def standing(self) -> list[str]:
        rows = Authorization.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
        return [str(row.state) for row in rows]

    def later(self, simulator: GatewaySandbox, at: datetime) -> None:
        simulator.clock.set(at, 0)
        simulator.tick_now(at)

    def test_is_renewed_the_day_before_and_captured_from_after_it(
        self, order: Order, simulator: GatewaySandbox
    ) -> None:
        eve = self.END - timedelta(hours=20)
        self.later(simulator, eve)
        renew_authorizations(at=eve, actor=ANNA)
        assert carry_out(at=eve) == ["done"]
        self.later(simulator, self.END + timedelta(hours=1))
        ship(order)

        assert carry_out() == ["done"]
        assert (self.standing(), the(Capture).state) == (["voided", "used"], "succeeded")

    def test_that_nobody_renewed_in_time_is_asked_for_again_and_ends_its_hold(
        self, order: Order, simulator: GatewaySandbox
    ) -> None:
        after = self.END + timedelta(hours=1)
        self.later(simulator, after)
        expire_authorizations(at=after, actor=ANNA)
        order.refresh_from_db()
        assert (order.payment_state, order.holds_open) == ("pending", 1)

        assert carry_out(at=after) == ["done"]

        order.refresh_from_db()
        assert (order.payment_state, order.holds_open) == ("authorized", 0)
        assert self.standing() == ["expired", "live"]

    def test_at_the_gateway_alone_is_asked_for_again_when_it_is_captured(
        self, order: Order, simulator: GatewaySandbox
    ) -> None:
        simulator.expire(simulator.holding(order.authorizations.get().reference))
        ship(order)

        assert [carry_out(), carry_out(), carry_out()] == [["refused"], ["done"], ["done"]]

        assert self.standing() == ["expired", "used"]
        order.refresh_from_db()
        assert (order.payment_state, open_cases()) == ("captured", [])

    def test_and_is_refused_anew_is_a_case_that_says_what_to_do(
        self, web: Shop, simulator: GatewaySandbox
    ) -> None:
        a_gateway(web.account, simulator)
        order = an_order(web, behavior="norenew", authorization_expires_at=self.END)
        simulator.expire(simulator.holding(order.authorizations.get().reference))
        ship(order)

        assert [carry_out(), carry_out(), carry_out()] == [["refused"], ["refused"], []]

        assert (self.standing(), open_cases()) == (["expired"], ["PAYMENT_FAILED"])
