"""Price books: made from what was sold, paid by the plans that follow, and told by their decisions."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.types import ALL_ACCOUNTS
from inventory.services import expect_inbound
from inventory.types import ExpectedDraft, ExpectedLine
from routing import engine, reference
from routing.drawn import Drawn, book_of, opened_input
from routing.matching_models import PriceBook, StockPrice
from routing.services.books import due_for_prices, make_book
from tests.factories.routing import (
    MONDAY_NOON,
    SYSTEM,
    Network,
    SourcingPolicyFactory,
    a_network,
    ordered_before,
)
from tests.routing.test_planner import plan, taken

pytestmark = pytest.mark.django_db

DENVER = "80202"
"""Nearer to Reno than to Newark."""


@pytest.fixture
def scarce() -> Network:
    """One tee in Reno, where a buyer nearby wants one every day, and plenty in Newark."""
    network = a_network("RENO", "NEWARK")
    network.stock("TEE", RENO=1, NEWARK=90)
    ordered_before(network, {"TEE": 3})
    return network


def made(network: Network) -> PriceBook:
    book = make_book(network.account.pk, at=MONDAY_NOON, actor=SYSTEM)
    assert book is not None
    return book


def drawn_of(network: Network, **details: object) -> Drawn:
    at = details.pop("at", MONDAY_NOON)
    asked = network.demand({"TEE": 1}, postal_code=DENVER, **details)
    [planned] = plan(network, asked, at=at)  # type: ignore[arg-type]
    assert isinstance(planned.decision, Drawn)
    return planned.decision


def test_a_unit_that_later_buyers_need_more_is_left_to_them(scarce: Network) -> None:
    asked = scarce.demand({"TEE": 1}, postal_code=DENVER)
    [alone] = plan(scarce, asked)

    book = made(scarce)
    [priced] = plan(scarce, asked)

    assert (taken(scarce, alone), taken(scarce, priced)) == ({"RENO": 1}, {"NEWARK": 1})
    record = engine.expand(priced.decision.record)
    assert (record.level, record.book) == ("priced", str(book.pk))
    assert (book.skus, book.days_recorded, book.orders_recorded) == (1, 28, 84)


def test_goods_on_their_way_leave_nothing_to_be_kept_for_later(scarce: Network) -> None:
    """Twenty tees for Reno: those who wait for them come first, what comes too late counts nothing."""
    reno, tee = scarce.nodes["RENO"], scarce.skus["TEE"]
    asked = scarce.demand({"TEE": 1}, postal_code=DENVER)

    def expected(number: str, units: int, days: int) -> None:
        line = ExpectedLine(tee, units, MONDAY_NOON + timedelta(days=days))
        draft = ExpectedDraft(scarce.account.pk, reno, number, "po", "erp", (line,))
        expect_inbound([draft], at=MONDAY_NOON, actor=SYSTEM)

    went = []
    for number, units, days in (("PO-1", 200, 9), ("PO-2", 20, 2)):
        expected(number, units, days)
        made(scarce)
        [planned] = plan(scarce, asked)
        went.append(taken(scarce, planned))

    assert went == [{"NEWARK": 1}, {"RENO": 1}]


def test_a_decision_is_made_again_from_its_record_byte_for_byte(scarce: Network) -> None:
    made(scarce)
    drawn = drawn_of(scarce)
    known = reference.current()
    nodes = known.network(scarce.account.pk, scarce.channel.pk).shipping
    held = drawn.basis.supply
    PriceBook.objects.for_scope(ALL_ACCOUNTS).delete()

    [again] = engine.plan(
        [drawn.basis.demand],
        nodes,
        engine.Supply({(node, sku): n for sku, row in held.items() for node, n in row.items()}),
        known.rates(),
        drawn.basis.policy,
        book_of(opened_input(drawn.input)),
    )

    assert engine.compact(again) == engine.compact(drawn.plan)


def test_an_old_book_counts_for_less_and_its_plans_say_so(scarce: Network) -> None:
    made(scarce)

    levels = [
        drawn_of(scarce, at=MONDAY_NOON + timedelta(hours=hours)).plan.level for hours in (1, 9)
    ]

    assert levels == ["priced", "stale"]


def test_prices_count_as_far_as_the_policy_says(scarce: Network) -> None:
    SourcingPolicyFactory(
        account=scarce.account, live=True, weights={"cost_percent": 100, "prices_percent": 0}
    )
    made(scarce)

    assert drawn_of(scarce).plan.level == "exact"


def test_too_short_a_past_makes_no_book() -> None:
    network = a_network("RENO", "NEWARK")
    network.stock("TEE", RENO=2, NEWARK=9)
    ordered_before(network, {"TEE": 1}, days=13)

    assert make_book(network.account.pk, at=MONDAY_NOON, actor=SYSTEM) is None


def test_books_are_due_by_age_and_old_ones_keep_no_prices(scarce: Network) -> None:
    hour = timedelta(hours=1)
    assert due_for_prices(MONDAY_NOON, older_than=hour) == [scarce.account.pk]

    books = [
        make_book(scarce.account.pk, at=MONDAY_NOON + turn * hour, actor=SYSTEM)
        for turn in range(3)
    ]

    assert due_for_prices(MONDAY_NOON + 2 * hour, older_than=hour) == []
    kept = set(StockPrice.objects.values_list("book_id", flat=True))
    assert kept == {book.pk for book in books[1:] if book}


def test_prices_cost_a_batch_one_statement_and_none_once_they_are_known(scarce: Network) -> None:
    drawn_of(scarce)
    with CaptureQueriesContext(
        connection,
    ) as without:
        drawn_of(scarce)
    made(scarce)
    drawn_of(scarce)
    with CaptureQueriesContext(connection) as known:
        drawn_of(scarce)

    assert len(known) == len(without)
