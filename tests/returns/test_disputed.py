"""Returns of orders whose payment is disputed: credited, and given back once the bank has decided."""

import pytest

from config.kernel.types import ALL_ACCOUNTS
from orders.models import Refund
from orders.payments import DisputeVerdict, NewDispute
from orders.services import record_disputes, settle_disputes
from returns.services import close_settled_returns, receive_returns, settle_returns
from returns.states import ReturnState
from returns.types import ArrivedUnits
from returns.types import Receipt as CameIn
from tests.factories.fulfillment import Placed
from tests.factories.returns import (
    BACK,
    CLARA,
    authorized,
    grade,
    lines_of_return,
    received,
    return_of,
    sold,
)

pytestmark = pytest.mark.django_db


def dispute(placed: Placed) -> None:
    order = placed.order
    given = NewDispute(order.account_id, "fakepay", "auth-1", "dp-1", 1000, opened_at=BACK)
    (outcome,) = record_disputes([given], at=BACK, actor=CLARA)
    assert outcome.ok, outcome.problem


def decide(placed: Placed, *, won: bool) -> None:
    verdict = DisputeVerdict(placed.order.account_id, "fakepay", "dp-1", won)
    (outcome,) = settle_disputes([verdict], at=BACK, actor=CLARA)
    assert outcome.ok, outcome.problem


def refunds() -> list[int]:
    rows = Refund.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
    return list(rows.values_list("amount_minor", flat=True))


def test_settling_says_why_it_waits():
    placed = sold(3)
    made = authorized(placed, 3)
    (line,) = lines_of_return(made)
    arrived = CameIn(made.pk, made.node_id, (ArrivedUnits(2, line.pk),))
    receive_returns([arrived], at=BACK, actor=CLARA)
    dispute(placed)
    grade(made)

    (refused,) = settle_returns([made.pk], at=BACK, actor=CLARA)
    decide(placed, won=True)
    (done,) = settle_returns([made.pk], at=BACK, actor=CLARA)

    assert refused.problem is not None
    assert refused.problem.detail.startswith("The buyer disputes the payment")
    assert done.ok
    assert refunds() == [2000]


def test_what_is_credited_by_itself_is_given_back_as_far_as_the_bank_did_not_take_it():
    placed = sold(2)
    made = received(placed, 2)
    dispute(placed)

    grade(made)
    assert (return_of(made.pk).state, refunds()) == (ReturnState.SETTLED, [])
    assert close_settled_returns(at=BACK, actor=CLARA) == 0
    decide(placed, won=False)

    assert refunds() == [1000]
