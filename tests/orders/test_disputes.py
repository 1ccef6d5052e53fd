"""Disputes: a bank asks for money back, and until it has decided nobody else gives any."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import ids
from config.kernel.models import Case, Event, Intent
from config.kernel.services.case_folding import clear_resolved, fold_reports
from config.kernel.services.intents import Answer, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from orders.models import Chargeback, Dispute, Hold, Order, Refund, Tender
from orders.payments import DisputeVerdict, NewDispute
from orders.selectors import disputes_of
from orders.services import (
    cancel_units,
    close_settled,
    credit_units,
    lock_orders,
    move_units,
    record_disputes,
    record_shipments,
    retry_refund,
    settle_credits,
    settle_disputes,
    settle_payments_by_hand,
)
from orders.services.settle import record_capture, record_refund
from orders.types import (
    CancelRequest,
    CreditedUnits,
    CreditRequest,
    HandSettlement,
    Move,
    ShippedUnits,
)
from tests.books import check_all
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, card, line, only_line, order_of, send_to_node

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=20)


def settle_intent(answer: Answer, record) -> None:
    """Have the youngest intent answered so."""
    asked = Intent.objects.for_scope(ALL_ACCOUNTS).order_by("id").last()
    assert asked is not None
    leased = LeasedIntent(
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
    with transaction.atomic():
        record(leased, answer, at=NOON, actor=ANNA)


def paid(web: Shop, units: int = 2) -> Order:
    """Units at 10.00 on a card, delivered and captured."""
    reference = f"auth-{ids.uuid7()}"
    order = web.accepted(
        line(web.sku(5), units), tenders=(card(1000 * units, reference=reference),)
    )
    kept = only_line(order)
    send_to_node(kept)
    with transaction.atomic():
        record_shipments([ShippedUnits(order.id, kept.id, units, ids.uuid7())], at=NOON, actor=ANNA)
        move_units([Move(kept.id, "underway", "delivered", units)], at=NOON, actor=ANNA)
    settle_intent(Answer.done(reference="cap-1"), record_capture)
    return order


def dispute_of(order: Order, amount: int = 2000, **changes: object) -> NewDispute:
    values = {
        "account_id": order.account_id,
        "provider": "fakepay",
        "authorization_reference": order.authorizations.first().reference,
        "reference": f"dp-{order.number}",
        "amount_minor": amount,
        "opened_at": NOON,
        "reason": "product_not_received",
        "evidence_due_at": NOON + timedelta(days=14),
    }
    return NewDispute(**(values | changes))


def disputed(web: Shop, amount: int = 2000) -> Order:
    order = paid(web)
    (outcome,) = record_disputes([dispute_of(order, amount)], at=NOON, actor=ANNA)
    assert outcome.ok, outcome.problem
    return order


def decide(order: Order, *, won: bool) -> str:
    verdict = DisputeVerdict(order.account_id, "fakepay", f"dp-{order.number}", won)
    (outcome,) = settle_disputes([verdict], at=LATER, actor=ANNA)
    return str(outcome.kind) if outcome.ok else outcome.problem.detail


def credit(order: Order, units: int = 1) -> None:
    """Units came back, and are credited."""
    request = CreditRequest(
        order_id=order.id,
        cause_kind="return",
        cause_id=ids.uuid7(),
        units=(CreditedUnits(only_line(order).id, units),),
    )
    with transaction.atomic():
        lock_orders([order.id])
        (outcome,) = credit_units([request], at=NOON, actor=ANNA)
    assert outcome.ok, outcome.problem


def tender_of(order: Order) -> Tender:
    return Tender.objects.for_scope(ALL_ACCOUNTS).get(order=order)


def refunds() -> list[tuple[str, int]]:
    rows = Refund.objects.for_scope(ALL_ACCOUNTS).order_by("id")
    return [(str(state), amount) for state, amount in rows.values_list("state", "amount_minor")]


def beyond() -> int:
    """What the buyer has twice."""
    return int(Dispute.objects.for_scope(ALL_ACCOUNTS).get().beyond_minor)


def open_cases() -> list[str]:
    fold_reports(at=NOON)
    clear_resolved(at=NOON)
    rows = Case.objects.for_scope(ALL_ACCOUNTS).filter(state="open").order_by("kind")
    return list(rows.values_list("kind", flat=True))


class TestADisputeThatIsOpened:
    def test_is_kept_with_its_case_and_shown_with_its_order(self, web: Shop) -> None:
        order = disputed(web)

        (view,) = disputes_of([order.id], ALL_ACCOUNTS)[order.id]
        assert (view.state, view.amount_minor, view.reason, view.is_open) == (
            "opened",
            2000,
            "product_not_received",
            True,
        )
        assert view.evidence_due_at == NOON + timedelta(days=14)
        assert Dispute.history.count() == 1
        assert Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="payment.disputed").count() == 1
        assert open_cases() == ["PAYMENT_DISPUTED"]
        assert disputes_of([order.id], Scope(frozenset())) == {}

    def test_counts_once_however_often_it_is_told(self, web: Shop) -> None:
        order = disputed(web)

        outcomes = record_disputes([dispute_of(order), dispute_of(order)], at=NOON, actor=ANNA)

        assert [str(one.kind) for one in outcomes] == ["repeated", "repeated"]
        assert Dispute.objects.for_scope(ALL_ACCOUNTS).count() == 1

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"authorization_reference": "auth-of-nobody"}, "not-found"),
            ({"account_id": ids.uuid7()}, "not-found"),
            ({"provider": "other"}, "not-found"),
            ({"amount_minor": 0}, "invalid"),
        ],
    )
    def test_is_refused_when_it_is_about_nothing_of_ours(
        self, web: Shop, changes: dict[str, object], code: str
    ) -> None:
        (outcome,) = record_disputes([dispute_of(paid(web), **changes)], at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert outcome.problem.code == code

    def test_is_beyond_the_reach_of_another_account(self, web: Shop) -> None:
        stranger = Actor.system("stranger", scope=Scope(frozenset({ids.uuid7()})))

        (outcome,) = record_disputes([dispute_of(paid(web))], at=NOON, actor=stranger)

        assert outcome.problem is not None
        assert outcome.problem.code == "not-found"

    def test_keeps_what_is_not_at_a_node_from_going_there(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000, captured_minor=2000),))

        record_disputes([dispute_of(order)], at=NOON, actor=ANNA)

        assert (order_of(order.id).holds_open, order_of(order.id).blocked) == (1, ["release"])
        decide(order, won=True)
        assert order_of(order.id).holds_open == 0
        assert Hold.objects.for_scope(ALL_ACCOUNTS).get().state == "released"

    def test_holds_back_every_refund_and_keeps_the_order_open(self, web: Shop) -> None:
        order = disputed(web)

        credit(order)
        assert settle_credits(at=NOON, actor=ANNA) == 0

        assert refunds() == []
        assert order_of(order.id).credit_open_minor == 1000
        (outcome,) = close_settled([order.id], at=NOON, actor=ANNA)
        assert outcome.problem is not None
        assert "disputed" in outcome.problem.detail

    def test_refuses_to_try_a_refund_again(self, web: Shop) -> None:
        order = paid(web)
        credit(order)
        settle_intent(Answer.refused("charge_disputed"), record_refund)
        record_disputes([dispute_of(order)], at=NOON, actor=ANNA)

        outcome = retry_refund(order.id, at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert outcome.problem.detail.startswith("The buyer disputes the payment")


class TestADisputeThatIsWon:
    def test_gives_back_what_waited(self, web: Shop) -> None:
        order = disputed(web)
        credit(order)

        assert decide(order, won=True) == "done"

        assert refunds() == [("pending", 1000)]
        assert order_of(order.id).credit_open_minor == 0
        assert open_cases() == []
        assert check_all(about="money.") == []

    def test_is_won_once_and_never_lost_after(self, web: Shop) -> None:
        order = disputed(web)

        assert [decide(order, won=won) for won in (True, True, False)] == [
            "done",
            "repeated",
            "The dispute is won already.",
        ]

    def test_gives_back_what_was_cancelled_meanwhile(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000, captured_minor=2000),))
        record_disputes([dispute_of(order)], at=NOON, actor=ANNA)

        cancel_units([CancelRequest(order.id)], at=NOON, actor=ANNA)
        assert refunds() == []
        decide(order, won=True)

        assert refunds() == [("pending", 2000)]
        assert check_all(about="money.") == []


class TestADisputeThatIsLost:
    def test_is_a_chargeback_that_counts_as_given_back(self, web: Shop) -> None:
        order = disputed(web, 1500)

        assert decide(order, won=False) == "done"

        made = Chargeback.objects.for_scope(ALL_ACCOUNTS).get()
        tender = tender_of(order)
        assert (made.amount_minor, made.dispute.beyond_minor) == (1500, 0)
        assert (tender.refunded_minor, tender.charged_back_minor) == (1500, 1500)
        (view,) = disputes_of([order.id], ALL_ACCOUNTS)[order.id]
        assert (view.state, view.charged_back_minor) == ("lost", 1500)
        assert refunds() == []
        assert check_all(about="money.") == []

    @pytest.mark.parametrize("before", [True, False])
    def test_leaves_to_a_credit_only_what_the_bank_did_not_take(
        self, web: Shop, *, before: bool
    ) -> None:
        order = disputed(web, 1500)

        for step in (credit, decide) if before else (decide, credit):
            step(order, won=False) if step is decide else step(order, 2)

        assert refunds() == [("pending", 500)]
        assert order_of(order.id).credit_open_minor == 0
        assert tender_of(order).refunded_minor == 2000
        assert check_all(about="money.") == []

    def test_takes_the_place_of_a_refund_that_was_refused(self, web: Shop) -> None:
        order = paid(web)
        credit(order)
        settle_intent(Answer.refused("charge_disputed"), record_refund)
        record_disputes([dispute_of(order)], at=NOON, actor=ANNA)

        decide(order, won=False)

        assert refunds() == [("retried", 1000)]
        assert tender_of(order).refunded_minor == 2000
        assert beyond() == 0
        assert open_cases() == []
        assert check_all(about="money.") == []

    def test_says_what_the_buyer_has_twice(self, web: Shop) -> None:
        order = paid(web)
        credit(order)
        settle_intent(Answer.done(reference="re-1"), record_refund)
        record_disputes([dispute_of(order)], at=NOON, actor=ANNA)

        decide(order, won=False)

        assert beyond() == 1000
        assert tender_of(order).refunded_minor == 2000
        assert open_cases() == ["PAYMENT_GIVEN_TWICE"]
        assert check_all(about="money.") == []


class TestARefundThatIsAnsweredAfterTheVerdict:
    """Asked before the dispute: while it is on its way it counts as given."""

    def asked(self, web: Shop, *, bought: int = 2, back: int = 1) -> Order:
        order = paid(web, bought)
        credit(order, back)
        record_disputes([dispute_of(order)], at=NOON, actor=ANNA)
        decide(order, won=False)
        return order

    def test_and_was_given_leaves_it_with_the_buyer_twice(self, web: Shop) -> None:
        self.asked(web)
        settle_intent(Answer.done(reference="re-1"), record_refund)

        assert (beyond(), open_cases()) == (1000, ["PAYMENT_GIVEN_TWICE"])
        assert check_all(about="money.") == []

    @pytest.mark.parametrize("by_hand", [True, False])
    def test_and_was_refused_is_what_the_bank_has_given(self, web: Shop, *, by_hand: bool) -> None:
        order = self.asked(web)
        assert beyond() == 1000

        if by_hand:
            settle_intent(Answer.unknown("no answer"), record_refund)
            refund = Refund.objects.for_scope(ALL_ACCOUNTS).get()
            answers = settle_payments_by_hand(
                [HandSettlement(refund.id, happened=False)], at=LATER, actor=ANNA
            )
            assert [one.ok for one in answers] == [True]
        else:
            settle_intent(Answer.refused("charge_disputed"), record_refund)

        tender = tender_of(order)
        assert (tender.refunded_minor, tender.charged_back_minor, beyond()) == (2000, 2000, 0)
        assert refunds() == [("retried", 1000)]
        assert open_cases() == []
        assert check_all(about="money.") == []

    def test_is_asked_anew_for_what_the_bank_did_not_give(self, web: Shop) -> None:
        order = self.asked(web, bought=4, back=3)
        assert beyond() == 1000

        settle_intent(Answer.refused("charge_disputed"), record_refund)

        assert refunds() == [("retried", 3000), ("pending", 1000)]
        assert (tender_of(order).refunded_minor, beyond()) == (3000, 0)
        assert check_all(about="money.") == []


def test_many_cost_as_many_statements_as_one(web: Shop) -> None:
    orders = [paid(web) for _ in range(4)]
    given = [dispute_of(order) for order in orders]
    counts = []
    for some in (slice(1), slice(1, None)):
        with CaptureQueriesContext(connection) as opening:
            record_disputes(given[some], at=NOON, actor=ANNA)
        with CaptureQueriesContext(connection) as settling:
            settle_disputes(
                [
                    DisputeVerdict(order.account_id, "fakepay", f"dp-{order.number}", won=False)
                    for order in orders[some]
                ],
                at=LATER,
                actor=ANNA,
            )
        counts.append((len(opening), len(settling)))

    assert counts[0] == counts[1]
