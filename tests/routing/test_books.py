"""Price books: made from what was sold, paid by the plans that follow, and told by their decisions."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import versions
from config.kernel.types import ALL_ACCOUNTS
from inventory.services import expect_inbound
from inventory.types import ExpectedDraft, ExpectedLine
from routing import engine, reference
from routing.drawn import Drawn, book_of, opened_input
from routing.matching_models import PriceBook, StockPrice
from routing.services.books import due_for_prices, make_book
from routing.simulating_input import policy_of
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
    asked = network.demand({"TEE": 1}, **({"postal_code": DENVER} | details))
    [planned] = plan(network, asked, at=at)  # type: ignore[arg-type]
    assert isinstance(planned.decision, Drawn)
    return planned.decision


def again(network: Network, drawn: Drawn) -> engine.Plan:
    """The plan of the decision's input alone, by the network as it is."""
    known, given = reference.current(), opened_input(drawn.input)
    nodes = known.network(network.account.pk, network.channel.pk).shipping
    held = engine.Supply({(node, sku): n for node, sku, n in given["supply"]})
    rules = policy_of(given["policy"])
    [plan] = engine.plan([drawn.basis.demand], nodes, held, known.rates(), rules, book_of(given))
    return plan


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
    PriceBook.objects.for_scope(ALL_ACCOUNTS).delete()

    assert engine.compact(again(scarce, drawn)) == engine.compact(drawn.plan)


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


def test_a_book_looks_as_far_ahead_as_the_policy_says(scarce: Network) -> None:
    """What comes in nine days is there for who looks two weeks ahead, and for nobody else."""
    reno, tee = scarce.nodes["RENO"], scarce.skus["TEE"]
    asked = scarce.demand({"TEE": 1}, postal_code=DENVER)
    late = ExpectedLine(tee, 200, MONDAY_NOON + timedelta(days=9))
    draft = ExpectedDraft(scarce.account.pk, reno, "PO-1", "po", "erp", (late,))
    expect_inbound([draft], at=MONDAY_NOON, actor=SYSTEM)
    usual = made(scarce)
    [before] = plan(scarce, asked)
    SourcingPolicyFactory(
        account=scarce.account, live=True, weights={"cost_percent": 100, "days_ahead": 14}
    )
    versions.bump("policy")

    far = made(scarce)
    [after] = plan(scarce, asked)

    assert (usual.days_ahead, far.days_ahead) == (7, 14)
    assert (taken(scarce, before), taken(scarce, after)) == ({"NEWARK": 1}, {"RENO": 1})


class TestInFull:
    """A policy by which a unit may be left for who needs it more."""

    @pytest.fixture
    def last(self) -> Network:
        """One tee in Reno and none elsewhere; buyers all over the country want one."""
        network = a_network("RENO", "NEWARK")
        network.stock("TEE", RENO=1)
        ordered_before(network, {"TEE": 3})
        return network

    def allowed(self, network: Network) -> None:
        SourcingPolicyFactory(
            account=network.account,
            live=True,
            weights={"cost_percent": 100, "goodwill_minor": 2_000},
        )

    def test_leaves_the_last_unit_to_who_is_near_it(self, last: Network) -> None:
        self.allowed(last)
        made(last)

        far, near = (drawn_of(last, postal_code=place).plan for place in ("10001", "89501"))

        assert [row.reason for row in far.unfilled] == ["costs_more"]
        assert not near.unfilled

    def test_sends_what_there_is_unless_the_policy_says_so(self, last: Network) -> None:
        made(last)

        assert not drawn_of(last, postal_code="10001").plan.unfilled

    def test_sends_what_nobody_needs_more(self, last: Network) -> None:
        self.allowed(last)

        assert not drawn_of(last, postal_code="10001").plan.unfilled

    def test_is_recorded_so_that_the_decision_is_made_again(self, last: Network) -> None:
        self.allowed(last)
        made(last)
        drawn = drawn_of(last, postal_code="10001")
        given = opened_input(drawn.input)

        book = book_of(given)

        assert book is not None
        assert not book.relative
        assert book.filling > 100
        assert policy_of(given["policy"]) == drawn.basis.policy
        assert engine.compact(again(last, drawn)) == engine.compact(drawn.plan)


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
