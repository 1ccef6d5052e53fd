"""Parcels that never arrived: those that carriers bring back, and those that they lose."""

from datetime import timedelta

import pytest

from config.kernel.events import Recorded
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from inventory.models import Movement
from orders.models import Order, OrderLine, Refund
from returns import handlers
from returns.models import Claim, Return
from returns.services import (
    expect_sent_back,
    file_claims,
    open_claims,
    receive_returns,
    record_claim_answers,
    resolve_claims,
)
from returns.states import ClaimState, ReturnState
from returns.types import ClaimAnswer, ClaimDecision, Receipt
from tests.factories.kernel import NOON
from tests.factories.returns import (
    BACK,
    CLARA,
    grade,
    on_the_way,
    parcel_of,
    published,
    return_of,
    tell,
)

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=6)


def handled(handler, topic: str) -> None:
    """Have the handler told of every event of the topic, twice, as a relay may."""
    rows = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic=topic)
    batch = [
        Recorded(
            row.id,
            row.topic,
            row.subject_kind,
            row.subject_id,
            row.seq,
            row.account_id,
            row.thread_id,
            row.at,
            row.data,
            row.actor_kind,
            row.actor_id,
            row.correlation_id,
        )
        for row in rows
    ]
    handler(batch)
    handler(batch)


class TestSentBack:
    def came_back(self, units: int = 2):
        placed = on_the_way(units)
        tell(parcel_of(placed).pk, "returned", LATER)
        handled(handlers.expect_sent_back, "parcel.returned")
        return placed, Return.objects.for_scope(ALL_ACCOUNTS).get()

    def test_is_expected_once_at_the_node_that_sent_it(self):
        placed, made = self.came_back()

        assert (made.kind, made.state) == ("sent_back", ReturnState.IN_TRANSIT)
        assert made.node_id == parcel_of(placed).fulfillment_order.node_id
        assert made.tracking_number == parcel_of(placed).tracking_number

    def test_is_paid_for_without_counting_as_returned_by_the_buyer(self):
        placed, made = self.came_back()

        receive_returns([Receipt(made.pk, made.node_id, ())], at=BACK, actor=CLARA)
        grade(made)

        assert (placed.line().sent_back, placed.line().returned) == (2, 0)
        assert Refund.objects.for_scope(ALL_ACCOUNTS).get().amount_minor == 2000
        assert Movement.objects.for_scope(ALL_ACCOUNTS).get(kind="return").quantity == 2
        assert return_of(made.pk).state == ReturnState.SETTLED

    def test_follows_the_policy_on_when_to_pay(self):
        placed = on_the_way(2)
        published(placed, refund_trigger="receipt")
        tell(parcel_of(placed).pk, "returned", LATER)
        (made_id,) = expect_sent_back([parcel_of(placed).pk], at=LATER, actor=CLARA)

        receive_returns([Receipt(made_id, return_of(made_id).node_id, ())], at=BACK, actor=CLARA)

        assert Refund.objects.for_scope(ALL_ACCOUNTS).get().amount_minor == 2000


class TestClaims:
    def lost(self, units: int = 2):
        placed = on_the_way(units)
        tell(parcel_of(placed).pk, "lost", LATER)
        handled(handlers.open_claims, "parcel.lost")
        return placed, Claim.objects.for_scope(ALL_ACCOUNTS).get()

    def decide(self, claim: Claim, resolution: str):
        return resolve_claims([ClaimDecision(claim.pk, resolution)], at=BACK, actor=CLARA)[0]

    def test_are_opened_once_for_what_a_carrier_lost(self):
        placed, claim = self.lost()

        assert (claim.state, claim.kind, claim.resolution) == ("open", "lost", "")
        (line,) = claim.lines.all()
        assert (line.order_line_id, line.quantity) == (placed.lines[0].pk, 2)

    def test_give_the_money_back(self):
        _, claim = self.lost()

        outcome = self.decide(claim, "refund")

        assert outcome.value.resolution == "refund"
        assert Refund.objects.for_scope(ALL_ACCOUNTS).get().amount_minor == 2000

    def test_send_the_same_again_at_no_price(self):
        placed, claim = self.lost()

        outcome = self.decide(claim, "reship")

        order = Order.objects.for_scope(ALL_ACCOUNTS).get(pk=outcome.value.reship_order_id)
        assert (order.document_kind, order.total_minor) == ("reship", 0)
        line = OrderLine.objects.for_scope(ALL_ACCOUNTS).get(order=order)
        assert (line.ordered, line.sku_id) == (2, placed.lines[0].sku_id)
        assert line.properties == {
            "origin_line": str(placed.lines[0].pk),
            "origin_parcel": str(claim.parcel_id),
        }
        assert not Refund.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_are_decided_once(self):
        _, claim = self.lost()

        kinds = [self.decide(claim, one).kind for one in ("refund", "refund", "reship")]

        assert kinds == [OutcomeKind.DONE, OutcomeKind.REPEATED, OutcomeKind.REFUSED]

    def test_keep_apart_what_the_carrier_owes(self):
        _, claim = self.lost()
        file_claims([(claim.pk, "DHL-77")], at=BACK, actor=CLARA)

        (outcome,) = record_claim_answers(
            [ClaimAnswer(claim.pk, paid=True, amount_minor=1500)], at=BACK, actor=CLARA
        )

        assert (outcome.value.state, outcome.value.resolution) == ("paid", "")
        claim.refresh_from_db()
        assert (claim.reference, claim.amount_minor) == ("DHL-77", 1500)

    def test_end_when_the_parcel_turns_up(self):
        placed, claim = self.lost()
        tell(parcel_of(placed).pk, "delivered", LATER + timedelta(days=1))

        handled(handlers.withdraw_claims, "parcel.delivered")

        claim.refresh_from_db()
        assert claim.state == ClaimState.WITHDRAWN

    def test_may_be_opened_for_what_arrived_damaged(self):
        placed = on_the_way(1)

        (claim_id,) = open_claims([parcel_of(placed).pk], kind="damaged", at=LATER, actor=CLARA)

        assert Claim.objects.for_scope(ALL_ACCOUNTS).get(pk=claim_id).kind == "damaged"
