"""Payment that goes wrong: refused captures, lapsed authorisations, and what sets them right."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import ids
from config.kernel.models import Case, Event, Intent
from config.kernel.services import intents
from config.kernel.services.case_folding import clear_resolved, fold_reports
from config.kernel.services.intents import Answer, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS, Actor
from orders import cases, payments
from orders.models import Authorization, Capture, Hold, Order, Tender
from orders.selectors import groups_to_release, legal_actions, order_page
from orders.services import (
    cancel_units,
    close_due,
    close_settled,
    expire_authorizations,
    move_units,
    place_holds,
    record_authorizations,
    record_shipments,
    retry_capture,
    retry_captures,
)
from orders.services.settle import perform_capture, record_capture, record_refund, record_void
from orders.types import CancelRequest, HoldRequest, Move, NewAuthorization, ShippedUnits
from tests.factories.kernel import NOON
from tests.factories.orders import (
    ANNA,
    Shop,
    card,
    line,
    lines_of,
    only_line,
    order_of,
    send_to_node,
)

LATER = NOON + timedelta(days=8)


def ship(order: Order, units: int) -> None:
    kept = only_line(order)
    with transaction.atomic():
        record_shipments([ShippedUnits(order.id, kept.id, units, ids.uuid7())], at=NOON, actor=ANNA)


def shipped(web: Shop, *, delivered: bool = False, **details: object) -> Order:
    """Two units at 10.00 on a card, shipped; the capture is on its way."""
    order = web.accepted(line(web.sku(5), 2), tenders=(card(2000, **details),))
    send_to_node(only_line(order))
    ship(order, 2)
    if delivered:
        with transaction.atomic():
            moves = [Move(only_line(order).id, "underway", "delivered", 2)]
            move_units(moves, at=NOON, actor=ANNA)
    return order


def answer_last(answer: Answer, record=record_capture) -> None:
    intent = Intent.objects.for_scope(ALL_ACCOUNTS).order_by("id").last()
    assert intent is not None
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
        record(leased, answer, at=NOON, actor=ANNA)


def captures() -> list[str]:
    rows = Capture.objects.for_scope(ALL_ACCOUNTS).order_by("id")
    return [str(state) for state in rows.values_list("state", flat=True)]


def authorization() -> Authorization:
    found: Authorization = Authorization.objects.for_scope(ALL_ACCOUNTS).get()
    return found


def open_cases() -> list[str]:
    fold_reports(at=NOON)
    clear_resolved(at=NOON)
    rows = Case.objects.for_scope(ALL_ACCOUNTS).filter(state="open").order_by("kind")
    return list(rows.values_list("kind", flat=True))


class TestARefusedCapture:
    @pytest.fixture
    def refused(self, web: Shop) -> Order:
        order = shipped(web, delivered=True)
        answer_last(Answer.refused("card declined"))
        return order

    def test_marks_its_authorization_and_opens_a_case(self, refused: Order) -> None:
        assert authorization().refused_at == NOON
        assert order_of(refused.id).payment_state == "failed"
        assert open_cases() == ["PAYMENT_FAILED"]

    def test_is_never_asked_again_by_a_sweep(self, refused: Order) -> None:
        for _ in range(3):
            assert close_due(at=NOON, actor=ANNA) == 0
            (outcome,) = close_settled([refused.id], at=NOON, actor=ANNA)
            assert not outcome.ok

        assert captures() == ["failed"]
        assert Intent.objects.for_scope(ALL_ACCOUNTS).count() == 1
        assert open_cases() == ["PAYMENT_FAILED"]

    def test_does_not_keep_others_from_closing(self, web: Shop, refused: Order) -> None:
        paid = shipped(web, delivered=True)
        answer_last(Answer.done(reference="ch-1"))

        assert close_due(1, at=NOON, actor=ANNA) == 1

        assert [order_of(o.id).state for o in (refused, paid)] == ["accepted", "closed"]

    def test_keeps_the_next_parcel_from_asking_too(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000),))
        send_to_node(only_line(order))
        ship(order, 1)
        answer_last(Answer.refused("voided"))

        ship(order, 1)

        assert captures() == ["failed"]

    def test_is_asked_again_when_a_person_says_so_with_a_key_of_its_own(
        self, refused: Order
    ) -> None:
        outcome = retry_capture(refused.id, at=NOON, actor=ANNA)

        assert outcome.ok
        assert captures() == ["failed", "requested"]
        assert authorization().refused_at is None
        keys = Intent.objects.for_scope(ALL_ACCOUNTS).values_list("key", flat=True)
        assert len(set(keys)) == 2
        assert open_cases() == []

    def test_is_not_asked_again_with_the_old_key(self, refused: Order) -> None:
        kept = Intent.objects.for_scope(ALL_ACCOUNTS).get()
        Intent.objects.for_scope(ALL_ACCOUNTS).filter(pk=kept.pk).update(state="refused")

        (outcome,) = intents.revive([kept.pk], at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert "retry the capture on the order" in outcome.problem.detail
        assert captures() == ["failed"]

    def test_closes_once_the_retry_succeeds(self, refused: Order) -> None:
        retry_capture(refused.id, at=NOON, actor=ANNA)
        answer_last(Answer.done(reference="ch-2"))

        assert close_due(at=NOON, actor=ANNA) == 1
        assert order_of(refused.id).payment_state == "captured"

    def test_opens_the_case_again_when_the_retry_is_refused(self, refused: Order) -> None:
        retry_capture(refused.id, at=NOON, actor=ANNA)
        answer_last(Answer.refused("still declined"))

        assert captures() == ["failed", "failed"]
        assert open_cases() == ["PAYMENT_FAILED"]

    def test_is_covered_by_a_new_authorization(self, refused: Order) -> None:
        (outcome,) = record_authorizations(
            [NewAuthorization(refused.id, "auth-2", 2000)], at=NOON, actor=ANNA
        )

        assert outcome.ok
        assert captures() == ["failed", "requested"]
        last = Capture.objects.for_scope(ALL_ACCOUNTS).order_by("id").last()
        assert last is not None
        assert last.authorization_id == outcome.value
        answer_last(Answer.done(reference="ch-3"))
        assert order_of(refused.id).payment_state == "captured"
        assert close_due(at=NOON, actor=ANNA) == 1

    def test_offers_the_retry_among_the_legal_actions(self, web: Shop, refused: Order) -> None:
        fine = web.accepted(line(web.sku(5)), tenders=(card(1000),))

        offered = {
            order.id: next(
                action.possible
                for action in legal_actions(order_page(order.id, ALL_ACCOUNTS), ANNA)
                if action.code == "retry_capture"
            )
            for order in (refused, fine)
        }

        assert offered == {refused.id: True, fine.id: False}

    def test_counts_a_lost_outcome_as_on_its_way(self, web: Shop) -> None:
        order = shipped(web, delivered=True)

        assert close_due(at=NOON, actor=ANNA) == 0

        assert captures() == ["requested"]
        assert order_of(order.id).payment_state == "authorized"


class TestRetryCaptures:
    def test_refuses_an_order_of_which_nothing_was_refused(self, web: Shop) -> None:
        order = shipped(web)

        assert not retry_capture(order.id, at=NOON, actor=ANNA).ok
        assert captures() == ["requested"]

    def test_refuses_when_the_authorization_has_lapsed_meanwhile(self, web: Shop) -> None:
        order = shipped(web, authorization_expires_at=LATER)
        answer_last(Answer.refused("declined"))

        outcome = retry_capture(order.id, at=LATER, actor=ANNA)

        assert outcome.problem is not None
        assert "expired" in outcome.problem.detail

    def test_shows_no_order_of_a_stranger(self, web: Shop) -> None:
        order = shipped(web)
        answer_last(Answer.refused("declined"))
        stranger = Actor.system("stranger")
        nobody = type(stranger)(**{**_fields(stranger), "scope": _no_scope()})

        outcome = retry_capture(order.id, at=NOON, actor=nobody)

        assert outcome.problem is not None
        assert outcome.problem.code == "not-found"

    def test_sends_the_same_statements_for_two_and_for_ten(self, web: Shop) -> None:
        counts = []
        for size in (2, 10):
            orders = []
            for _ in range(size):
                orders.append(shipped(web))
                answer_last(Answer.refused("declined"))
            with CaptureQueriesContext(connection) as context:
                outcomes = retry_captures([o.id for o in orders], at=NOON, actor=ANNA)
            assert all(outcome.ok for outcome in outcomes)
            counts.append(len(context.captured_queries))

        assert counts[0] == counts[1]


def _fields(actor: Actor) -> dict[str, object]:
    return {name: getattr(actor, name) for name in actor.__dataclass_fields__}


def _no_scope():
    return type(ALL_ACCOUNTS)(account_ids=frozenset())


class TestExpireAuthorizations:
    def test_ends_what_is_past_its_term_and_says_so(self, web: Shop) -> None:
        order = web.accepted(
            line(web.sku(5), 2), tenders=(card(2000, authorization_expires_at=LATER),)
        )

        assert expire_authorizations(at=NOON, actor=ANNA) == 0
        assert expire_authorizations(at=LATER, actor=ANNA) == 1
        assert expire_authorizations(at=LATER, actor=ANNA) == 0

        assert authorization().state == "expired"
        assert order_of(order.id).payment_state == "pending"
        told = Event.objects.for_scope(ALL_ACCOUNTS).filter(
            topic="payment.authorization_expired", subject_id=order.id
        )
        assert told.count() == 1

    def test_keeps_an_unreleased_order_from_its_node_with_a_case(self, web: Shop) -> None:
        order = web.accepted(
            line(web.sku(5), 2), tenders=(card(2000, authorization_expires_at=LATER),)
        )
        assert groups_to_release(at=LATER, limit=5)

        expire_authorizations(at=LATER, actor=ANNA)

        hold = Hold.objects.for_scope(ALL_ACCOUNTS).get()
        assert (hold.type, hold.blocks, hold.state) == ("payment", ["release"], "active")
        assert order_of(order.id).blocked == ["release"]
        assert groups_to_release(at=LATER, limit=5) == []
        assert open_cases() == ["PAYMENT_PENDING"]

    def test_holds_the_rest_of_an_order_that_is_captured_in_part(self, web: Shop) -> None:
        lapsing = card(2000, authorization_expires_at=LATER)
        order = web.accepted(line(web.sku(5)), line(web.sku(5)), tenders=(lapsing,))
        gone, _ = lines_of(order)
        send_to_node(gone)
        with transaction.atomic():
            parcel = ShippedUnits(order.id, gone.id, 1, ids.uuid7())
            record_shipments([parcel], at=NOON, actor=ANNA)
        answer_last(Answer.done(reference="ch-1"))
        assert order_of(order.id).payment_state == "partly_captured"

        expire_authorizations(at=LATER, actor=ANNA)

        assert order_of(order.id).payment_state == "pending"
        assert Hold.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_waits_for_the_answer_of_a_capture(self, web: Shop) -> None:
        shipped(web, authorization_expires_at=LATER)

        assert expire_authorizations(at=LATER, actor=ANNA) == 0

    def test_places_no_second_hold_for_payment(self, web: Shop) -> None:
        order = web.accepted(
            line(web.sku(5), 2), tenders=(card(2000, authorization_expires_at=LATER),)
        )
        place_holds([HoldRequest(order.id, "payment", "look")], at=NOON, actor=ANNA)

        expire_authorizations(at=LATER, actor=ANNA)

        assert order_of(order.id).holds_open == 1

    def test_leaves_the_way_back_for_what_was_taken(self, web: Shop) -> None:
        paid = card(2000, captured_minor=2000, authorization_expires_at=LATER)
        order = web.accepted(line(web.sku(5), 2), tenders=(paid,))

        expire_authorizations(at=LATER, actor=ANNA)
        assert (order_of(order.id).payment_state, order_of(order.id).holds_open) == ("captured", 0)
        cancel_units([CancelRequest(order.id)], at=LATER, actor=ANNA)

        refund = Intent.objects.for_scope(ALL_ACCOUNTS).get(kind="payment.refund")
        assert refund.payload["reference"] == "auth-1"


class TestRecordAuthorizations:
    def test_lifts_the_hold_and_frees_the_order(self, web: Shop) -> None:
        order = web.accepted(
            line(web.sku(5), 2), tenders=(card(2000, authorization_expires_at=LATER),)
        )
        expire_authorizations(at=LATER, actor=ANNA)

        first, again = record_authorizations(
            [NewAuthorization(order.id, "auth-2", 2000)] * 2, at=LATER, actor=ANNA
        )

        assert (first.kind.value, again.kind.value) == ("done", "repeated")
        now = order_of(order.id)
        assert (now.payment_state, now.holds_open) == ("authorized", 0)
        assert groups_to_release(at=LATER, limit=5)
        assert open_cases() == []

    def test_secures_an_order_that_came_without(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000, reference=""),))
        assert (order.payment_state, order.holds_open) == ("pending", 1)

        record_authorizations([NewAuthorization(order.id, "auth-9", 2000)], at=NOON, actor=ANNA)

        now = order_of(order.id)
        assert (now.payment_state, now.holds_open) == ("authorized", 0)

    @pytest.mark.parametrize(
        ("reference", "amount"), [("", 2000), ("x" * 129, 2000), ("auth-2", 0)]
    )
    def test_refuses_what_is_no_authorization(self, web: Shop, reference: str, amount: int) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000),))

        (outcome,) = record_authorizations(
            [NewAuthorization(order.id, reference, amount)], at=NOON, actor=ANNA
        )

        assert not outcome.ok
        assert Authorization.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_refuses_money_for_what_others_collect(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000, collected_by="channel"),))

        (outcome,) = record_authorizations(
            [NewAuthorization(order.id, "auth-2", 2000)], at=NOON, actor=ANNA
        )

        assert not outcome.ok

    def test_lets_go_what_comes_for_a_cancelled_order(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000, reference=""),))
        cancel_units([CancelRequest(order.id)], at=NOON, actor=ANNA)

        (outcome,) = record_authorizations(
            [NewAuthorization(order.id, "auth-2", 2000)], at=NOON, actor=ANNA
        )

        assert outcome.ok
        assert order_of(order.id).payment_state == "cancelled"
        answer_last(Answer.done(reference="void-2"), record_void)
        letting_go = Authorization.objects.for_scope(ALL_ACCOUNTS).get()
        assert (letting_go.reference, letting_go.state) == ("auth-2", "voided")

    def test_takes_from_two_authorizations_what_one_does_not_hold(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), tenders=(card(2000, reference=""),))
        record_authorizations(
            [NewAuthorization(order.id, "a", 1500), NewAuthorization(order.id, "b", 500)],
            at=NOON,
            actor=ANNA,
        )
        send_to_node(only_line(order))

        ship(order, 2)

        amounts = Capture.objects.for_scope(ALL_ACCOUNTS).order_by("id")
        assert list(amounts.values_list("amount_minor", flat=True)) == [1500, 500]
        assert Tender.objects.for_scope(ALL_ACCOUNTS).get().captured_minor == 2000


class TestThePaymentCase:
    """PAYMENT_FAILED stands as long as what it was reported for."""

    def test_stands_for_what_no_authorization_covers(self, web: Shop) -> None:
        order = shipped(web, authorization_expires_at=NOON)

        assert captures() == []
        assert open_cases() == ["PAYMENT_FAILED"]

        record_authorizations([NewAuthorization(order.id, "auth-2", 2000)], at=NOON, actor=ANNA)
        assert open_cases() == []

    def test_stands_for_a_refused_refund(self, web: Shop) -> None:
        paid_before = card(2000, captured_minor=2000)
        order = web.accepted(line(web.sku(5), 2), tenders=(paid_before,))
        cancel_units([CancelRequest(order.id)], at=NOON, actor=ANNA)

        answer_last(Answer.refused("account closed"), record_refund)

        assert open_cases() == ["PAYMENT_FAILED"]

    def test_stands_for_a_refused_void_until_the_authorization_lapses(self, web: Shop) -> None:
        order = web.accepted(
            line(web.sku(5), 2), tenders=(card(2000, authorization_expires_at=LATER),)
        )
        cancel_units([CancelRequest(order.id)], at=NOON, actor=ANNA)
        answer_last(Answer.refused("too late"), record_void)

        assert open_cases() == ["PAYMENT_FAILED"]
        expire_authorizations(at=LATER, actor=ANNA)

        assert open_cases() == []
        assert order_of(order.id).payment_state == "cancelled"
        assert not Hold.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_does_not_stand_for_money_on_its_way(self, web: Shop) -> None:
        order = shipped(web)

        assert cases.still_unpaid([order.id]) == set()


class TestNoProvider:
    def test_is_a_refusal_in_words_with_a_case(
        self, web: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(payments, "_factories", {})
        order = shipped(web)
        asked = Intent.objects.for_scope(ALL_ACCOUNTS).get(kind="payment.capture")
        leased = LeasedIntent(
            asked.id, asked.account_id, asked.kind, asked.key, asked.subject_kind,
            asked.subject_id, asked.payload, attempt=1, tried_before=False,
        )  # fmt: skip

        answer = perform_capture(leased)
        answer_last(answer)

        assert answer.error == "The payment provider “fakepay” is not set up here."
        assert captures() == ["failed"]
        assert order_of(order.id).payment_state == "failed"
        fold_reports(at=NOON)
        assert Case.objects.for_scope(ALL_ACCOUNTS).get().kind == "PAYMENT_FAILED"


class TestHeldTooLong:
    def test_counts_only_holds_without_an_end(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))
        place_holds(
            [
                HoldRequest(order.id, "manual", "asked to wait", until=LATER, handle="ends"),
                HoldRequest(order.id, "fraud", "odd", handle="open"),
            ],
            at=NOON,
            actor=ANNA,
        )

        stayers = cases.held_too_long(LATER, None, 10)

        standing = Hold.objects.for_scope(ALL_ACCOUNTS).get(handle="open")
        assert [stayer.subject_id for stayer in stayers] == [standing.id]
