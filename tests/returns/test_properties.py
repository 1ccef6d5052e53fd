"""Whatever comes in whatever portions: the numbers add up, and the money to the last cent."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from config.kernel.types import ALL_ACCOUNTS
from orders.models import Order, OrderLine, Refund
from returns.services import inspect_returns, receive_returns, settle_returns
from returns.types import ArrivedUnits, Finding, Receipt
from tests.books import check_all
from tests.factories.returns import (
    BACK,
    CLARA,
    authorized,
    lines_of_return,
    published,
    return_of,
    sold,
)

STEPS = st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ABCD")), min_size=1, max_size=5)


class TestWayBack(TestCase):
    @settings(max_examples=8)
    @given(
        steps=STEPS,
        total=st.integers(1, 9_999),
        trigger=st.sampled_from(["at_once", "receipt", "inspection"]),
        fee=st.integers(0, 50),
    )
    def test_adds_up(
        self, steps: Sequence[tuple[int, str]], total: int, trigger: str, fee: int
    ) -> None:
        units = sum(quantity for quantity, _ in steps)
        placed = sold(units, total=total)
        published(placed, refund_trigger=trigger, fee_minor=fee)
        made = authorized(placed, units)
        for quantity, letter in steps:
            (line,) = lines_of_return(made)
            came = Receipt(made.pk, made.node_id, (ArrivedUnits(quantity, line.pk),))
            receive_returns([came], at=BACK, actor=CLARA)
            inspect_returns([Finding(line.pk, quantity, letter)], at=BACK, actor=CLARA)
        settle_returns([made.pk], at=BACK, actor=CLARA)

        (line,) = lines_of_return(made)
        order = Order.objects.for_scope(ALL_ACCOUNTS).get(pk=placed.order.pk)
        given_back = sum(
            Refund.objects.for_scope(ALL_ACCOUNTS).values_list("amount_minor", flat=True)
        )
        assert line.received == units == line.accepted + line.rejected
        assert given_back == order.credited_minor == return_of(made.pk).credited_minor
        if line.refunded == units:
            assert given_back == total - min(fee, _first_note(order))
        ordered = OrderLine.objects.for_scope(ALL_ACCOUNTS).get(order=order)
        assert ordered.returned == units
        assert check_all(about="returns.") + check_all(about="money.") == []


def _first_note(order: Order) -> int:
    """What the first credit note was worth before its fee."""
    first = order.credit_notes.order_by("pk").first()
    return sum(part.amount_minor for part in first.parts.exclude(part="fee"))
