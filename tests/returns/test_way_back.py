"""Goods on their way back, from the wish to the money: what each command does."""

from copy import deepcopy
from datetime import timedelta

import pytest

from config.kernel.models import CaseReport, Event, Intent
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from inventory.models import Movement, StockLevel
from orders.models import Order, OrderLink, Refund, Tender
from returns import selectors
from returns.models import Inspection, Receipt, ReturnLine
from returns.services import (
    authorize_returns,
    cancel_returns,
    close_settled_returns,
    decline_returns,
    exchange_returns,
    expire_returns,
    identify_returns,
    inspect_returns,
    receive_returns,
    receive_unannounced,
    record_scans,
    request_returns,
    settle_returns,
)
from returns.states import ReturnState
from returns.types import (
    ArrivedUnits,
    Exchange,
    ExchangeItem,
    Finding,
    RequestedUnits,
    ReturnRequest,
    ReturnScan,
    UnannouncedReceipt,
)
from returns.types import Authorization as LetIn
from returns.types import Receipt as CameIn
from tests.factories.fulfillment import Placed
from tests.factories.inventory import SkuFactory
from tests.factories.returns import (
    ASKED,
    BACK,
    CLARA,
    authorized,
    grade,
    lines_of_return,
    published,
    received,
    request,
    requested,
    return_of,
    sold,
    wish,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sold_before(kept_rows: None) -> Placed:
    return sold(2)


@pytest.fixture
def placed(db: None, sold_before: Placed) -> Placed:
    """Two units that were delivered and paid."""
    return deepcopy(sold_before)


def refunds(placed) -> list[int]:
    rows = Refund.objects.for_scope(ALL_ACCOUNTS).filter(order_id=placed.order.pk)
    return list(rows.order_by("pk").values_list("amount_minor", flat=True))


def cases() -> set[str]:
    return set(CaseReport.objects.values_list("kind", flat=True))


def topics(returned) -> list[str]:
    told = Event.objects.for_scope(ALL_ACCOUNTS).filter(subject_id=returned.pk)
    return list(told.order_by("seq").values_list("topic", flat=True))


class TestRequestReturns:
    def test_keeps_the_verdict_with_the_return(self, placed):
        published(placed, window_days=14)

        made = requested(placed, 1)

        published(placed, window_days=0)
        kept = return_of(made.pk)
        assert (kept.state, kept.words) == (ReturnState.REQUESTED, "Accepted.")
        assert kept.verdict["policy_version"] == 1
        assert "2026-03-18" in kept.verdict["lines"][0]["words"]

    def test_refuses_in_words_what_the_policy_refuses(self, placed):
        published(placed, window_days=1)

        outcome = request(placed, 1)

        assert outcome.problem.code == "conflict"
        assert "the 1 days in which it may come back ended on 2026-03-05" in outcome.problem.detail

    def test_lets_in_what_is_refused_when_somebody_says_why(self, placed):
        published(placed, window_days=1)

        outcome = request(placed, 1, override="was ill")

        assert outcome.value.state == ReturnState.REQUESTED
        assert outcome.value.words.endswith("Let in: was ill")

    def test_has_a_person_look_at_faults_beyond_the_window(self, placed):
        published(placed, window_days=1)

        assert request(placed, 1, reason="defective").value.state == ReturnState.REVIEW

    def test_lets_nothing_come_twice(self, placed):
        requested(placed, 1)

        outcome = request(placed, 2)

        assert "1 may come back, 2 are asked for" in outcome.problem.detail

    def test_counts_the_requests_of_one_batch_together(self, placed):
        outcomes = request_returns([wish(placed, 2), wish(placed, 1)], at=ASKED, actor=CLARA)

        assert [one.kind for one in outcomes] == [OutcomeKind.DONE, OutcomeKind.REFUSED]

    def test_authorises_by_itself_where_the_policy_says_so(self, placed):
        published(placed, authorizes_itself=True)

        assert request(placed, 1).value.state == ReturnState.AUTHORIZED

    def test_takes_a_channels_number_once(self, placed):
        wanted = wish(placed, 1, kind="channel", external_id="RMA-7")

        first = request_returns([wanted], at=ASKED, actor=CLARA)[0]
        again = request_returns([wanted], at=ASKED, actor=CLARA)[0]

        assert (first.value.state, again.kind) == ("authorized", OutcomeKind.REPEATED)
        assert again.value.return_id == first.value.return_id

    def test_is_worth_what_was_quoted(self):
        placed = sold(3)
        published(placed, fee_minor=250)

        quoted = selectors.quote(wish(placed, 2), ALL_ACCOUNTS, at=ASKED)

        assert quoted.amount_minor == 1750
        grade(received(placed, 2))
        assert refunds(placed) == [1750]


class TestAuthorizeReturns:
    def test_sends_it_to_where_it_came_from_with_a_label(self, placed):
        made = authorized(placed, 1)

        assert made.state == ReturnState.AUTHORIZED
        assert made.expires_at == ASKED + timedelta(days=30)
        assert made.node_id is not None
        asked = Intent.objects.for_scope(ALL_ACCOUNTS).get(kind="returns.label")
        assert (asked.subject_id, asked.payload["carrier"]) == (made.pk, "paper")

    def test_asks_no_label_where_the_buyer_pays_for_the_way(self, placed):
        published(placed, label_paid_by="buyer")

        authorized(placed, 1)

        assert not Intent.objects.for_scope(ALL_ACCOUNTS).filter(kind="returns.label").exists()

    def test_refunds_at_once_what_the_buyer_may_keep(self, placed):
        published(placed, keep_below_minor=1000)

        made = authorized(placed, 1)

        assert (made.state, made.keep) == (ReturnState.SETTLED, True)
        assert refunds(placed) == [1000]

    def test_pays_at_once_where_the_policy_trusts(self, placed):
        published(placed, refund_trigger="at_once")

        made = authorized(placed, 1)

        assert (made.state, refunds(placed)) == (ReturnState.AUTHORIZED, [1000])

    def test_declines_with_a_reason(self):
        made = requested(sold(2), 1)

        decline_returns([made.pk], why="worn", at=ASKED, actor=CLARA)

        assert (return_of(made.pk).state, return_of(made.pk).why_declined) == ("declined", "worn")

    def test_gives_the_units_free_when_it_is_called_off(self, placed):
        cancel_returns([requested(placed, 2).pk], at=ASKED, actor=CLARA)

        assert request(placed, 2).ok

    def test_says_what_is_possible_instead(self):
        made = received(sold(2), 1)

        (outcome,) = cancel_returns([made.pk], at=ASKED, actor=CLARA)

        assert outcome.problem.code == "illegal-transition"
        assert outcome.problem.extra["allowed"] == ["inspect"]

    def test_expires_what_never_comes(self):
        made = authorized(sold(2), 1)

        assert expire_returns(at=ASKED + timedelta(days=31), actor=CLARA) == 1
        assert return_of(made.pk).state == ReturnState.EXPIRED


class TestRecordScans:
    def labelled(self, placed, **policy):
        published(placed, **policy)
        made = authorized(placed, 1)
        made.tracking_number = "RT-1"
        made.save(update_fields=["tracking_number"])
        return made

    def test_puts_it_on_its_way(self):
        made = self.labelled(sold(2))

        record_scans([ReturnScan("RT-1", BACK)], at=BACK, actor=CLARA)

        assert (return_of(made.pk).state, return_of(made.pk).first_scan_at) == ("in_transit", BACK)

    def test_pays_on_the_first_scan_where_the_policy_says_so(self, placed):
        self.labelled(placed, refund_trigger="first_scan")

        for _ in range(2):
            record_scans([ReturnScan("RT-1", BACK)], at=BACK, actor=CLARA)

        assert refunds(placed) == [1000]


class TestReceiveReturns:
    def test_counts_what_came_and_tells_the_order(self):
        placed = sold(3)

        made = received(placed, 2)

        assert made.state == ReturnState.RECEIVED
        (line,) = lines_of_return(made)
        assert (line.requested, line.received, line.accepted) == (2, 2, 0)
        assert placed.line().returned == 2

    def test_moves_no_stock_before_somebody_has_looked(self):
        received(sold(2), 1)

        assert not Movement.objects.for_scope(ALL_ACCOUNTS).filter(kind="return").exists()

    def test_takes_a_part_and_the_rest_later(self):
        placed = sold(3)
        made = authorized(placed, 3)
        (line,) = lines_of_return(made)

        for units in (1, 2):
            receive_returns(
                [CameIn(made.pk, made.node_id, (ArrivedUnits(units, line.pk),))],
                at=BACK,
                actor=CLARA,
            )

        assert lines_of_return(made)[0].received == 3
        assert Receipt.objects.for_scope(ALL_ACCOUNTS).count() == 2

    def test_counts_a_receipt_once(self):
        placed = sold(3)
        made = authorized(placed, 3)
        (line,) = lines_of_return(made)
        came = CameIn(made.pk, made.node_id, (ArrivedUnits(1, line.pk),), key="dock-4")

        kinds = [receive_returns([came], at=BACK, actor=CLARA)[0].kind for _ in range(2)]

        assert kinds == [OutcomeKind.DONE, OutcomeKind.REPEATED]
        assert lines_of_return(made)[0].received == 1

    def test_keeps_what_nobody_announced_on_a_line_of_its_own(self):
        placed = sold({SkuFactory(): 1})
        made = authorized(placed, 1)
        other = SkuFactory(account=placed.order.account)

        receive_returns(
            [CameIn(made.pk, made.node_id, (ArrivedUnits(1, sku_id=other.pk),))],
            at=BACK,
            actor=CLARA,
        )

        strange = lines_of_return(made)[1]
        assert (strange.requested, strange.received, strange.order_line_id) == (0, 1, None)
        assert "RETURN_MISMATCH" in cases()

    def test_takes_what_comes_after_it_expired(self, placed):
        made = authorized(placed, 1)
        expire_returns(at=ASKED + timedelta(days=31), actor=CLARA)

        receive_returns([CameIn(made.pk, made.node_id, ())], at=BACK, actor=CLARA)

        assert return_of(made.pk).state == ReturnState.RECEIVED
        assert "RETURN_MISMATCH" in cases()

    def test_pays_on_receipt_where_the_policy_says_so(self, placed):
        published(placed, refund_trigger="receipt")

        received(placed, 1)

        assert refunds(placed) == [1000]


class TestReceiveUnannounced:
    def test_makes_a_return_of_the_order(self, placed):
        (outcome,) = receive_unannounced(
            [
                UnannouncedReceipt(
                    placed.order.account_id,
                    node_of(placed),
                    (ArrivedUnits(1, sku_id=placed.lines[0].sku_id),),
                    order_id=placed.order.pk,
                )
            ],
            at=BACK,
            actor=CLARA,
        )

        assert outcome.value.state == ReturnState.RECEIVED
        assert placed.line().returned == 1

    def test_waits_to_be_identified_without_an_order(self, placed):
        (outcome,) = receive_unannounced(
            [
                UnannouncedReceipt(
                    placed.order.account_id,
                    node_of(placed),
                    (ArrivedUnits(1, sku_id=placed.lines[0].sku_id),),
                )
            ],
            at=BACK,
            actor=CLARA,
        )
        made = return_of(outcome.value.return_id)
        assert (made.order_id, placed.line().returned) == (None, 0)

        identify_returns([(made.pk, placed.order.pk)], at=BACK, actor=CLARA)

        assert return_of(made.pk).order_id == placed.order.pk
        assert placed.line().returned == 1
        grade(made)
        assert refunds(placed) == [1000]

    def test_pays_when_the_policy_of_its_order_says(self, placed):
        published(placed, refund_trigger="receipt")

        receive_unannounced(
            [
                UnannouncedReceipt(
                    placed.order.account_id,
                    node_of(placed),
                    (ArrivedUnits(1, sku_id=placed.lines[0].sku_id),),
                    kind="in_store",
                    order_id=placed.order.pk,
                )
            ],
            at=BACK,
            actor=CLARA,
        )

        assert refunds(placed) == [1000]

    def test_takes_goods_over_the_counter(self, placed):
        (outcome,) = receive_unannounced(
            [
                UnannouncedReceipt(
                    placed.order.account_id,
                    node_of(placed),
                    (ArrivedUnits(2, sku_id=placed.lines[0].sku_id),),
                    kind="in_store",
                    order_id=placed.order.pk,
                )
            ],
            at=BACK,
            actor=CLARA,
        )

        assert return_of(outcome.value.return_id).kind == "in_store"
        assert cases() == set()


def node_of(placed) -> int:
    return Movement.objects.for_scope(ALL_ACCOUNTS).filter(kind="issue").latest("id").node_id


class TestInspectReturns:
    def test_puts_what_is_as_new_back_on_the_shelf(self, placed):
        made = received(placed, 1)

        grade(made, "A")

        moved = Movement.objects.for_scope(ALL_ACCOUNTS).get(kind="return")
        assert (moved.quantity, moved.condition, moved.cause_id) == (1, "available", made.pk)

    @pytest.mark.parametrize(
        ("letter", "condition"), [("B", "quality_hold"), ("C", "quality_hold"), ("D", "damaged")]
    )
    def test_sets_apart_what_is_not(self, letter: str, condition: str, placed: Placed):
        grade(received(placed, 1), letter)

        level = StockLevel.objects.for_scope(ALL_ACCOUNTS).get(condition=condition)
        assert level.on_hand == 1

    def test_pays_for_what_is_accepted_and_is_done(self, placed):
        made = received(placed, 1)

        grade(made)

        assert (return_of(made.pk).state, refunds(placed)) == (ReturnState.SETTLED, [1000])
        (line,) = lines_of_return(made)
        assert (line.received, line.accepted, line.refunded) == (1, 1, 1)

    def test_pays_nothing_for_what_the_buyer_broke(self, placed):
        made = received(placed, 1)

        grade(made, "D")

        assert (return_of(made.pk).state, refunds(placed)) == (ReturnState.SETTLED, [])

    def test_pays_for_what_was_broken_when_it_came(self, placed):
        made = received(placed, 1, reason="defective")

        grade(made, "D")

        assert refunds(placed) == [1000]

    def test_has_regulated_goods_verified_before_they_are_sold_again(self):
        placed = sold({SkuFactory(regulation="medicine"): 2})
        made = received(placed, 1)

        (refusal,) = grade(made, "A")
        (outcome,) = grade(made, "A", verified=True)

        assert "regulated by Medicine" in refusal.problem.detail
        assert outcome.ok

    def test_grades_no_more_than_came(self):
        made = received(sold(3), 1)
        (line,) = lines_of_return(made)

        (outcome,) = inspect_returns([Finding(line.pk, 2, "A")], at=BACK, actor=CLARA)

        assert outcome.problem.detail == "2 units are to be graded, 1 wait for it."

    def test_counts_a_finding_once(self):
        placed = sold(3)
        made = received(placed, 2)
        (line,) = lines_of_return(made)

        for _ in range(2):
            inspect_returns([Finding(line.pk, 1, "A", key="t1")], at=BACK, actor=CLARA)

        assert Inspection.objects.for_scope(ALL_ACCOUNTS).count() == 1
        assert return_of(made.pk).state == ReturnState.RECEIVED

    def test_asks_for_what_was_paid_and_not_accepted(self, placed):
        published(placed, refund_trigger="at_once")
        made = received(placed, 1)

        grade(made, "D")
        settle_returns([made.pk], at=BACK, actor=CLARA)

        assert return_of(made.pk).state == ReturnState.SETTLED
        assert "RETURN_UNPAID_GOODS" in cases()


class TestSettleReturns:
    def test_pays_for_a_part_when_the_rest_does_not_come(self):
        placed = sold(3)
        made = authorized(placed, 3)
        (line,) = lines_of_return(made)
        receive_returns(
            [CameIn(made.pk, made.node_id, (ArrivedUnits(2, line.pk),))], at=BACK, actor=CLARA
        )
        grade(made)

        (outcome,) = settle_returns([made.pk], at=BACK, actor=CLARA)

        assert (outcome.value.state, refunds(placed)) == (ReturnState.SETTLED, [2000])

    def test_pays_for_the_rest_when_it_comes_after_all(self):
        placed = sold(3)
        made = authorized(placed, 3)
        (line,) = lines_of_return(made)
        for units in (2, 1):
            receive_returns(
                [CameIn(made.pk, made.node_id, (ArrivedUnits(units, line.pk),))],
                at=BACK,
                actor=CLARA,
            )
            grade(made)
            settle_returns([made.pk], at=BACK, actor=CLARA)

        assert refunds(placed) == [2000, 1000]

    def test_keeps_the_fee_once(self):
        placed = sold(3)
        published(placed, fee_minor=300)
        made = authorized(placed, 3)
        (line,) = lines_of_return(made)
        for units in (1, 2):
            receive_returns(
                [CameIn(made.pk, made.node_id, (ArrivedUnits(units, line.pk),))],
                at=BACK,
                actor=CLARA,
            )
            grade(made)

        assert refunds(placed) == [700, 2000]

    def test_is_refused_before_anybody_has_looked(self):
        made = received(sold(2), 1)

        (outcome,) = settle_returns([made.pk], at=BACK, actor=CLARA)

        assert "grade what came first" in outcome.problem.detail

    def test_is_closed_once_the_money_has_arrived(self, placed):
        made = received(placed, 1)
        grade(made)

        assert close_settled_returns(at=BACK, actor=CLARA) == 0
        given = Refund.objects.for_scope(ALL_ACCOUNTS).get()
        answered(given)
        assert close_settled_returns(at=BACK, actor=CLARA) == 1
        assert topics(made) == [
            "return.requested",
            "return.authorized",
            "return.received",
            "return.inspected",
            "return.credited",
            "return.settled",
            "return.closed",
        ]

    def test_leaves_money_that_others_collect_to_them(self):
        placed = sold(2, card=False)
        Tender.objects.create(
            order=placed.order,
            account_id=placed.order.account_id,
            position=0,
            kind="marketplace",
            collected_by="channel",
            amount_minor=2000,
        )

        grade(received(placed, 1))

        assert refunds(placed) == []
        told = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="payment.refund_due_elsewhere")
        assert told.data["amount_minor"] == 1000


def answered(refund: Refund) -> None:
    """The provider has given it back."""
    from django.db import transaction

    from config.kernel.services.intents import Answer, LeasedIntent
    from orders.services.settle import record_refund

    intent = Intent.objects.for_scope(ALL_ACCOUNTS).get(subject_id=refund.pk)
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
        record_refund(leased, Answer.done(reference="re-1"), at=BACK, actor=CLARA)


class TestExchangeReturns:
    def inspected(self, placed, units: int = 1):
        made = received(placed, units, wants="exchange")
        grade(made)
        return return_of(made.pk)

    def exchange(self, made, sku, **details):
        return exchange_returns(
            [Exchange(made.pk, (ExchangeItem(sku.code, **details),))], at=BACK, actor=CLARA
        )[0]

    def test_waits_to_be_placed_by_hand(self, placed):
        made = self.inspected(placed)

        assert (made.state, refunds(placed)) == (ReturnState.INSPECTED, [])

    def test_sends_other_goods_that_are_paid_already(self, placed):
        other = SkuFactory(account=placed.order.account, price_minor=1000)

        outcome = self.exchange(self.inspected(placed), other)

        follower = Order.objects.for_scope(ALL_ACCOUNTS).get(pk=outcome.value.exchange_order_id)
        assert (follower.document_kind, follower.total_minor) == ("exchange", 1000)
        assert follower.payment_state == "captured"
        assert outcome.value.state == ReturnState.SETTLED
        assert refunds(placed) == []
        assert OrderLink.objects.for_scope(ALL_ACCOUNTS).get().origin_id == placed.order.pk

    def test_gives_the_difference_back(self, placed):
        other = SkuFactory(account=placed.order.account)

        self.exchange(self.inspected(placed), other, price_minor=600)

        assert refunds(placed) == [400]

    def test_waits_for_the_difference(self, placed):
        other = SkuFactory(account=placed.order.account)

        outcome = self.exchange(self.inspected(placed), other, price_minor=1500)

        follower = Order.objects.for_scope(ALL_ACCOUNTS).get(pk=outcome.value.exchange_order_id)
        assert follower.payment_state == "pending"

    def test_is_placed_once(self, placed):
        other = SkuFactory(account=placed.order.account, price_minor=1000)
        made = self.inspected(placed)

        first, again = self.exchange(made, other), self.exchange(made, other)

        assert again.kind is OutcomeKind.REPEATED
        assert again.value.exchange_order_id == first.value.exchange_order_id

    def test_is_refused_for_what_is_not_sold(self):
        outcome = exchange_returns(
            [Exchange(self.inspected(sold(2)).pk, (ExchangeItem("NOPE"),))], at=BACK, actor=CLARA
        )[0]

        assert outcome.problem.detail == "There is no SKU NOPE."


class TestByScan:
    def test_finds_a_return_by_its_number_and_its_label(self):
        made = authorized(sold(2), 1)
        made.tracking_number = "RT-9"
        made.save(update_fields=["tracking_number"])

        for code in (made.number, made.number.lower(), " RT-9 "):
            assert selectors.by_scan(code, ALL_ACCOUNTS).returns == (made,)

    def test_finds_an_order_by_the_parcel_it_went_in(self, placed):
        number = placed.order.number

        assert selectors.by_scan(number, ALL_ACCOUNTS).order_ids == (placed.order.pk,)

    def test_finds_a_sku(self, placed):
        found = selectors.by_scan(placed.lines[0].sku.code, ALL_ACCOUNTS)

        assert found.sku_ids == (placed.lines[0].sku_id,)


class TestReturnable:
    def test_says_of_each_line_what_may_come_back_and_until_when(self):
        placed = sold(3)
        requested(placed, 1)

        found = selectors.returnable(placed.order.pk, at=ASKED)

        (line,) = found.lines
        assert (line.delivered, line.returnable, line.decision) == (3, 2, "accept")
        assert "until 2026-04-03" in line.words

    def test_says_when_nothing_can(self):
        placed = sold(1)
        requested(placed, 1)

        found = selectors.returnable(placed.order.pk, at=ASKED)

        assert found.words == "Nothing of this order can come back now."


def test_a_return_of_two_reasons_has_two_lines():
    placed = sold(3)
    line = placed.lines[0]

    (outcome,) = request_returns(
        [
            ReturnRequest(
                placed.order.pk,
                (
                    RequestedUnits(line.pk, 1, "changed_mind"),
                    RequestedUnits(line.pk, 1, "defective"),
                ),
            )
        ],
        at=ASKED,
        actor=CLARA,
    )

    rows = ReturnLine.objects.for_scope(ALL_ACCOUNTS).filter(returned_id=outcome.value.return_id)
    assert sorted(rows.values_list("reason", "requested")) == [
        ("changed_mind", 1),
        ("defective", 1),
    ]


def test_twenty_clean_requests_are_let_in_at_once():
    made = [requested(sold(1), 1) for _ in range(3)]

    outcomes = authorize_returns([LetIn(one.pk) for one in made], at=ASKED, actor=CLARA)

    assert [one.value.state for one in outcomes] == ["authorized"] * 3
