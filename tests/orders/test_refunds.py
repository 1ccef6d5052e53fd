"""Money whose asking ended badly: refunds tried again, outcomes looked up, payments settled by hand."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import ids
from config.kernel.models import Case, Event, Intent
from config.kernel.services.case_folding import clear_resolved, fold_reports
from config.kernel.services.intents import Answer, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from orders.models import Capture, Order, Refund
from orders.services import (
    cancel_units,
    close_due,
    look_up_payments,
    move_units,
    record_shipments,
    retry_captures,
    retry_refund,
    retry_refunds,
    settle_payments_by_hand,
)
from orders.services.settle import record_capture, record_refund
from orders.types import CancelRequest, HandSettlement, Move, ShippedUnits
from tests.books import check_all
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, card, line, only_line, order_of, send_to_node

pytestmark = pytest.mark.django_db
GIVEN_UP = Answer.unknown("no answer", given_up=True)


def last_intent() -> Intent:
    found = Intent.objects.for_scope(ALL_ACCOUNTS).order_by("id").last()
    assert found is not None
    return found


def answer(how: Answer, record) -> None:
    """Have the youngest intent answered so; one that is given up is dead."""
    intent = last_intent()
    state = "dead" if how.data.get("given_up") else how.kind.value
    Intent.objects.for_scope(ALL_ACCOUNTS).filter(pk=intent.pk).update(state=state)
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
        record(leased, how, at=NOON, actor=ANNA)


def refunded(web: Shop, how: Answer) -> Order:
    """A prepaid order that was cancelled; its refund has ended so."""
    order = web.accepted(line(web.sku(5), 2), tenders=(card(2000, captured_minor=2000),))
    cancel_units([CancelRequest(order.id)], at=NOON, actor=ANNA)
    answer(how, record_refund)
    return order


def shipped(web: Shop) -> Order:
    """Two units at 10.00 on a card, delivered; the capture is on its way."""
    order = web.accepted(line(web.sku(5), 2), tenders=(card(2000),))
    kept = only_line(order)
    send_to_node(kept)
    with transaction.atomic():
        record_shipments([ShippedUnits(order.id, kept.id, 2, ids.uuid7())], at=NOON, actor=ANNA)
        move_units([Move(kept.id, "underway", "delivered", 2)], at=NOON, actor=ANNA)
    return order


def refunds() -> list[str]:
    rows = Refund.objects.for_scope(ALL_ACCOUNTS).order_by("id")
    return [str(state) for state in rows.values_list("state", flat=True)]


def the(model):
    return model.objects.for_scope(ALL_ACCOUNTS).get()


def open_cases() -> list[str]:
    fold_reports(at=NOON)
    clear_resolved(at=NOON)
    rows = Case.objects.for_scope(ALL_ACCOUNTS).filter(state="open").order_by("kind")
    return list(rows.values_list("kind", flat=True))


class TestRetryRefunds:
    def test_asks_again_with_a_key_of_its_own(self, web: Shop) -> None:
        order = refunded(web, Answer.refused("account closed"))
        assert open_cases() == ["PAYMENT_FAILED"]

        assert retry_refund(order.id, at=NOON, actor=ANNA).ok

        assert refunds() == ["retried", "pending"]
        keys = Intent.objects.for_scope(ALL_ACCOUNTS).values_list("key", flat=True)
        assert len(set(keys)) == 2
        assert order.tenders.get().refunded_minor == 2000
        assert open_cases() == []
        assert check_all() == []

    def test_ends_once_the_provider_gives_it(self, web: Shop) -> None:
        order = refunded(web, Answer.refused("account closed"))
        retry_refund(order.id, at=NOON, actor=ANNA)

        answer(Answer.done(reference="re-2"), record_refund)

        assert refunds() == ["retried", "succeeded"]
        assert open_cases() == []

    def test_refuses_where_none_was_refused(self, web: Shop) -> None:
        order = refunded(web, Answer.done(reference="re-1"))

        outcome = retry_refund(order.id, at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert refunds() == ["succeeded"]

    def test_is_not_tried_twice_by_two_people(self, web: Shop) -> None:
        order = refunded(web, Answer.refused("account closed"))

        first = retry_refund(order.id, at=NOON, actor=ANNA)
        second = retry_refund(order.id, at=NOON, actor=ANNA)

        assert (first.ok, second.ok) == (True, False)
        assert refunds() == ["retried", "pending"]

    def test_shows_no_order_of_a_stranger(self, web: Shop) -> None:
        order = refunded(web, Answer.refused("account closed"))

        outcome = retry_refund(order.id, at=NOON, actor=stranger())

        assert outcome.problem is not None
        assert outcome.problem.code == "not-found"

    def test_sends_the_same_statements_for_two_and_for_six(self, web: Shop) -> None:
        counts = []
        for size in (2, 6):
            orders = [refunded(web, Answer.refused("no")) for _ in range(size)]
            with CaptureQueriesContext(connection) as context:
                outcomes = retry_refunds([one.id for one in orders], at=NOON, actor=ANNA)
            assert all(outcome.ok for outcome in outcomes)
            counts.append(len(context.captured_queries))

        assert counts[0] == counts[1]


class TestAPaymentOfUnknownOutcome:
    def test_is_a_capture_that_keeps_its_room_with_a_case_of_its_own(self, web: Shop) -> None:
        order = shipped(web)

        answer(GIVEN_UP, record_capture)

        assert the(Capture).state == "unknown"
        assert order.tenders.get().captured_minor == 2000
        assert open_cases() == ["PAYMENT_UNKNOWN"]
        assert close_due(at=NOON, actor=ANNA) == 0

    def test_is_never_taken_for_a_refusal(self, web: Shop) -> None:
        order = shipped(web)
        answer(GIVEN_UP, record_capture)

        (outcome,) = retry_captures([order.id], at=NOON, actor=ANNA)

        assert not outcome.ok
        assert Intent.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_is_a_refund_that_was_sent(self, web: Shop) -> None:
        order = refunded(web, GIVEN_UP)

        assert refunds() == ["sent"]
        assert not retry_refund(order.id, at=NOON, actor=ANNA).ok
        assert open_cases() == ["PAYMENT_UNKNOWN"]

    @pytest.mark.parametrize("kind", ["capture", "refund"])
    def test_is_looked_up_before_anything_else(self, web: Shop, kind: str) -> None:
        if kind == "capture":
            order = shipped(web)
            answer(GIVEN_UP, record_capture)
        else:
            order = refunded(web, GIVEN_UP)

        (outcome,) = look_up_payments([order.id], at=NOON, actor=ANNA)

        assert outcome.ok
        intent = last_intent()
        assert (intent.state, intent.attempts) == ("unknown", 0)
        told = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="payment.lookup_requested")
        assert told.count() == 1

    def test_ends_with_what_the_provider_knows(self, web: Shop) -> None:
        order = shipped(web)
        answer(GIVEN_UP, record_capture)
        look_up_payments([order.id], at=NOON, actor=ANNA)

        answer(Answer.done(reference="ch-1"), record_capture)

        assert the(Capture).state == "succeeded"
        assert order_of(order.id).payment_state == "captured"
        assert open_cases() == []
        assert close_due(at=NOON, actor=ANNA) == 1

    def test_stays_unknown_when_it_is_given_up_again(self, web: Shop) -> None:
        shipped(web)
        answer(GIVEN_UP, record_capture)
        answer(GIVEN_UP, record_capture)

        assert the(Capture).state == "unknown"
        assert open_cases() == ["PAYMENT_UNKNOWN"]

    def test_is_not_looked_up_where_every_outcome_is_known(self, web: Shop) -> None:
        order = shipped(web)

        (outcome,) = look_up_payments([order.id], at=NOON, actor=ANNA)

        assert not outcome.ok


class TestSettlePaymentsByHand:
    def test_ends_a_refused_refund_with_where_the_money_went(self, web: Shop) -> None:
        order = refunded(web, Answer.refused("account closed"))

        (outcome,) = settle_payments_by_hand(
            [HandSettlement(the(Refund).id, True, "wire 4711")], at=NOON, actor=ANNA
        )

        assert outcome.value == order.id
        assert (the(Refund).state, the(Refund).reference) == ("manual", "wire 4711")
        assert open_cases() == []
        assert check_all() == []

    def test_needs_a_reference_for_what_happened(self, web: Shop) -> None:
        refunded(web, Answer.refused("account closed"))

        (outcome,) = settle_payments_by_hand(
            [HandSettlement(the(Refund).id, True)], at=NOON, actor=ANNA
        )

        assert outcome.problem is not None
        assert refunds() == ["failed"]

    def test_refuses_a_refund_that_succeeded(self, web: Shop) -> None:
        refunded(web, Answer.done(reference="re-1"))

        (outcome,) = settle_payments_by_hand(
            [HandSettlement(the(Refund).id, True, "wire")], at=NOON, actor=ANNA
        )

        assert outcome.problem is not None
        assert outcome.problem.code == "not-found"

    def test_says_that_an_unknown_refund_never_happened(self, web: Shop) -> None:
        order = refunded(web, GIVEN_UP)

        settle_payments_by_hand([HandSettlement(the(Refund).id, False)], at=NOON, actor=ANNA)

        assert refunds() == ["failed"]
        assert retry_refund(order.id, at=NOON, actor=ANNA).ok

    def test_says_that_an_unknown_capture_was_taken(self, web: Shop) -> None:
        order = shipped(web)
        answer(GIVEN_UP, record_capture)

        settle_payments_by_hand(
            [HandSettlement(the(Capture).id, True, "ch-9")], at=NOON, actor=ANNA
        )

        assert the(Capture).state == "succeeded"
        assert order_of(order.id).payment_state == "captured"
        assert last_intent().state == "refused"

    def test_says_that_an_unknown_capture_was_not_taken(self, web: Shop) -> None:
        order = shipped(web)
        answer(GIVEN_UP, record_capture)

        settle_payments_by_hand([HandSettlement(the(Capture).id, False)], at=NOON, actor=ANNA)

        assert the(Capture).state == "failed"
        assert order.tenders.get().captured_minor == 0
        assert order_of(order.id).payment_state == "failed"
        assert retry_captures([order.id], at=NOON, actor=ANNA)[0].ok

    def test_settles_each_payment_once(self, web: Shop) -> None:
        refunded(web, Answer.refused("account closed"))
        said = HandSettlement(the(Refund).id, True, "wire")

        first, second = settle_payments_by_hand([said, said], at=NOON, actor=ANNA)

        assert (first.ok, second.ok) == (True, False)


def stranger() -> Actor:
    known = Actor.system("stranger")
    fields = {name: getattr(known, name) for name in known.__dataclass_fields__}
    return Actor(**{**fields, "scope": Scope(account_ids=frozenset())})
