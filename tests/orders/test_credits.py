"""Credit notes: exact to the minor unit, once per cause, back to where the money came from."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import ids
from config.kernel.models import Event, Intent
from config.kernel.services.intents import Answer
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from orders.billing import Charged, Closing, bill, credit_line
from orders.models import Capture, CreditNote, Order, OrderLink, Refund, Tender
from orders.selectors import quote_credit
from orders.services import (
    cancel_units,
    credit_units,
    lock_orders,
    move_units,
    place_linked,
    record_shipments,
    settle_credits,
)
from orders.types import (
    CancelRequest,
    CreditedUnits,
    CreditRequest,
    LinkedLine,
    LinkedOrder,
    Move,
    ShippedUnits,
)
from tests.books import check_all
from tests.factories.kernel import NOON
from tests.factories.orders import (
    ANNA,
    Shop,
    card,
    line,
    lines_of,
    order_of,
    send_to_node,
    totals,
)
from tests.factories.returns import captured

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=3)


def delivered(web: Shop, *lines, units: int | None = None, **details) -> Order:
    """An order whose units (or so many of each line) have reached their buyer."""
    order = web.accepted(*lines, **details)
    for one in lines_of(order):
        send_to_node(one)
    arrive(order, units)
    return order_of(order.id)


def arrive(order: Order, units: int | None = None) -> None:
    with transaction.atomic():
        record_shipments(
            [
                ShippedUnits(order.id, one.id, units or one.released, ids.uuid7())
                for one in lines_of(order)
            ],
            at=NOON,
            actor=ANNA,
        )
        move_units(
            [Move(one.id, "underway", "delivered", one.underway) for one in lines_of(order)],
            at=NOON,
            actor=ANNA,
        )


def request(order: Order, *units: int, **details) -> CreditRequest:
    """So many units of each line, for a return of its own unless a cause is named."""
    return CreditRequest(
        order.id,
        details.pop("cause_kind", "return"),
        details.pop("cause_id", None) or ids.uuid7(),
        tuple(
            CreditedUnits(one.id, quantity)
            for one, quantity in zip(lines_of(order), units, strict=False)
            if quantity
        ),
        **details,
    )


def credit(*requests: CreditRequest):
    with transaction.atomic():
        lock_orders({one.order_id for one in requests})
        return credit_units(list(requests), at=LATER, actor=ANNA)


def refunds(order: Order) -> list[int]:
    rows = Refund.objects.for_scope(ALL_ACCOUNTS).filter(order=order).order_by("pk")
    return list(rows.values_list("amount_minor", flat=True))


def tenders(order: Order) -> list[Tender]:
    return list(Tender.objects.for_scope(ALL_ACCOUNTS).filter(order=order).order_by("position"))


class TestCreditUnits:
    def test_credits_what_the_units_were_charged(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 3), tenders=(card(3000),))
        captured(order.id)

        (outcome,) = credit(request(order, 1))

        assert outcome.value.amount_minor == 1000
        assert order_of(order.id).credited_minor == 1000
        assert refunds(order) == [1000]

    def test_asks_the_provider_once_the_money_was_taken(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 2), tenders=(card(2000),))

        (outcome,) = credit(request(order, 2))

        assert outcome.value.waiting_minor == 2000
        assert refunds(order) == []
        captured(order.id)
        assert settle_credits(at=LATER, actor=ANNA) == 1
        assert refunds(order) == [2000]
        assert order_of(order.id).credit_open_minor == 0

    def test_does_not_take_money_for_what_came_back_unpaid(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 2), tenders=(card(2000),))
        captured(order.id, Answer.refused("card declined"))
        asked = Intent.objects.for_scope(ALL_ACCOUNTS).count()

        credit(request(order, 2))

        assert Intent.objects.for_scope(ALL_ACCOUNTS).count() == asked
        assert settle_credits(at=LATER, actor=ANNA) == 0

    def test_gives_the_residue_with_the_last_unit(self, web: Shop) -> None:
        order = delivered(
            web, line(web.sku(5), 3, price="33.33", total_minor=10000), tenders=(card(10000),)
        )

        worth = [credit(request(order, 1))[0].value.amount_minor for _ in range(3)]

        assert worth == [3333, 3333, 3334]

    def test_leaves_out_what_cancelled_units_were_worth(self, web: Shop) -> None:
        order = web.accepted(
            line(web.sku(5), 3, price="33.33", total_minor=10000), tenders=(card(10000),)
        )
        cancel_units([CancelRequest(order.id, lines_of(order)[0].id, 1)], at=NOON, actor=ANNA)
        send_to_node(*lines_of(order))
        arrive(order)

        (outcome,) = credit(request(order, 2))

        assert outcome.value.amount_minor == 6667 == order_of(order.id).invoiced_minor

    def test_says_what_of_it_was_tax(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 3, tax_minor=250), tenders=(card(3250),))

        parts = [
            {part.part: part.amount_minor for part in credit(request(order, 1))[0].value.parts}
            for _ in range(3)
        ]

        assert parts == [
            {"item": 1000, "tax": 83},
            {"item": 1000, "tax": 83},
            {"item": 1000, "tax": 84},
        ]

    def test_gives_shipping_back_only_when_it_is_asked_to(self, web: Shop) -> None:
        order = delivered(
            web, line(web.sku(5), 2), totals=totals(2500, shipping_minor=500), tenders=(card(2500),)
        )

        first = credit(request(order, 1))[0].value
        second = credit(request(order, 1, shipping_minor=None))[0].value
        third = credit(request(order, shipping_minor=None))[0].value

        assert (first.amount_minor, second.amount_minor, third.amount_minor) == (1000, 1500, 0)

    def test_takes_its_share_of_a_discount_on_the_order(self, web: Shop) -> None:
        order = delivered(
            web,
            line(web.sku(5), 3),
            totals=totals(2900, shipping_minor=-100),
            tenders=(card(2900),),
        )

        worth = [credit(request(order, 1))[0].value.amount_minor for _ in range(3)]

        assert worth == [967, 967, 966]

    def test_keeps_a_fee_but_no_more_than_there_is(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 2), tenders=(card(2000),))

        dear = credit(request(order, 1, fee_minor=150))[0].value
        all_of_it = credit(request(order, 1, fee_minor=9000))[0].value

        assert (dear.amount_minor, all_of_it.amount_minor) == (850, 0)

    def test_credits_a_cause_once(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 2), tenders=(card(2000),))
        captured(order.id)
        wanted = request(order, 1)

        first, again = credit(wanted)[0], credit(wanted)[0]

        assert (first.kind, again.kind) == (OutcomeKind.DONE, OutcomeKind.REPEATED)
        assert again.value.note_id == first.value.note_id
        assert refunds(order) == [1000]

    def test_refuses_units_that_are_still_underway(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 2), units=1, tenders=(card(2000),))

        (outcome,) = credit(request(order, 2))

        assert outcome.problem.code == "conflict"
        assert "1 have come to the end" in outcome.problem.detail

    def test_gives_back_to_the_tender_drawn_on_last_first(self, web: Shop) -> None:
        order = delivered(
            web,
            line(web.sku(5), 3),
            tenders=(card(1200, reference="gift"), card(1800, reference="visa")),
        )
        captured(order.id)

        credit(request(order, 2))

        assert [one.refunded_minor for one in tenders(order)] == [200, 1800]

    def test_tells_who_collected_the_money_to_give_it_back(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 2), tenders=(card(2000, collected_by="channel"),))

        credit(request(order, 1))

        assert refunds(order) == []
        told = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="payment.refund_due_elsewhere")
        assert (told.data["amount_minor"], told.data["collected_by"]) == (1000, "channel")
        assert order_of(order.id).credit_open_minor == 0

    def test_leaves_what_ships_later_to_be_paid_in_full(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 2), units=1, tenders=(card(2000),))
        captured(order.id)
        credit(request(order, 1))

        arrive(order)

        taken = Capture.objects.for_scope(ALL_ACCOUNTS).filter(order=order)
        assert sorted(taken.values_list("amount_minor", flat=True)) == [1000, 1000]
        assert refunds(order) == [1000]
        assert check_all(about="money.") == []

    def test_is_worth_what_was_quoted(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 3, tax_minor=250), tenders=(card(3250),))
        wanted = request(order, 2, fee_minor=100)

        quoted = quote_credit(wanted, ALL_ACCOUNTS)

        assert quoted == credit(wanted)[0].value.parts

    def test_costs_the_same_statements_for_one_as_for_eight(self, web: Shop) -> None:
        sku = web.sku(50)
        made = [delivered(web, line(sku, 1), tenders=(card(1000),)) for _ in range(9)]
        for order in made:
            captured(order.id)

        asked = [request(order, 1) for order in made]

        with CaptureQueriesContext(connection) as one:
            credit(asked[0])
        with CaptureQueriesContext(connection) as eight:
            credit(*asked[1:])

        assert len(eight) == len(one)


class TestPlaceLinked:
    def exchange(self, order: Order, *, carried: int, price: int, cause: UUID | None = None):
        with transaction.atomic():
            lock_orders([order.id])
            (credited,) = credit_units(
                [request(order, 1, carried_minor=carried)], at=LATER, actor=ANNA
            )
            (placed,) = place_linked(
                [
                    LinkedOrder(
                        order.id,
                        lines_of(order)[0].group_id,
                        "exchange",
                        "return",
                        cause or ids.uuid7(),
                        (LinkedLine(lines_of(order)[0].sku.code, 1, price),),
                        credited.value.carried,
                    )
                ],
                at=LATER,
                actor=ANNA,
            )
        return placed

    def test_pays_for_the_exchange_with_what_came_back(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 2), tenders=(card(2000),))
        captured(order.id)

        placed = self.exchange(order, carried=1000, price=1000)

        follower = order_of(placed.value.id)
        assert (follower.document_kind, follower.total_minor) == ("exchange", 1000)
        (paid,) = tenders(follower)
        assert (paid.captured_minor, paid.amount_minor) == (1000, 1000)
        assert refunds(order) == []
        link = OrderLink.objects.for_scope(ALL_ACCOUNTS).get()
        assert (link.origin_id, link.order_id) == (order.id, follower.id)

    def test_gives_the_rest_back_when_it_is_cheaper(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 1), tenders=(card(1000),))
        captured(order.id)

        self.exchange(order, carried=700, price=700)

        assert refunds(order) == [300]
        (kept,) = tenders(order)
        assert (kept.carried_minor, kept.credited_minor) == (700, 1000)

    def test_waits_for_the_difference_when_it_is_dearer(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 1), tenders=(card(1000),))
        captured(order.id)

        placed = self.exchange(order, carried=1000, price=1300)

        assert [one.amount_minor for one in tenders(order_of(placed.value.id))] == [1000, 300]
        assert "payment" in placed.value.holds

    def test_places_one_order_per_cause(self, web: Shop) -> None:
        order = delivered(web, line(web.sku(5), 2), tenders=(card(2000),))
        captured(order.id)
        cause = ids.uuid7()

        first = self.exchange(order, carried=1000, price=1000, cause=cause)
        again = self.exchange(order, carried=1000, price=1000, cause=cause)

        assert (again.kind, again.value.id) == (OutcomeKind.REPEATED, first.value.id)


def test_credit_notes_are_no_invoices(web: Shop) -> None:
    order = delivered(web, line(web.sku(5), 1), tenders=(card(1000),))

    credit(request(order, 1))

    assert order_of(order.id).invoiced_minor == 1000
    assert CreditNote.objects.for_scope(ALL_ACCOUNTS).get().amount_minor == 1000


class TestShares:
    @given(
        total=st.integers(-10_000, 100_000),
        tax=st.integers(0, 2_000),
        steps=st.lists(st.integers(1, 5), min_size=1, max_size=8),
        cancelled=st.integers(0, 5),
    )
    def test_what_is_credited_adds_up_to_what_was_charged(
        self, total: int, tax: int, steps: list[int], cancelled: int
    ) -> None:
        shipped = sum(steps)
        ordered = shipped + cancelled
        made = bill(
            [Closing(total, ordered, 0, shipped, cancelled)],
            order_part_minor=0,
            lines_total_minor=total,
            lines_closed_minor=0,
            invoiced_before=False,
            last=True,
        )
        state = [0, 0, 0]
        for step in steps:
            taken = credit_line(
                Charged(total, tax, ordered, shipped, cancelled, made.dropped[0], shipped, *state),
                step,
            )
            state[0] += step
            state[1] += taken.amount_minor
            state[2] += taken.tax_minor
        assert state[1] == made.charged[0]
        assert abs(state[2]) <= tax
