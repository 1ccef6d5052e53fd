"""A price book in a plan: what it moves, how it is said, and how it grows old."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from routing.engine import Level, Plan, PriceBook, Supply, compact, expand, plan, why_here
from routing.engine.ascent import COLD, Shelves, settle
from routing.engine.crowd import Asks
from routing.engine.fallback import by_rule
from routing.engine.joint import questions_of
from routing.engine.prices import Worth, blended, primal_dual
from tests.routing.engine.worlds import (
    AT,
    CHEAPEST_WINS,
    CHICAGO,
    RATES,
    RENO,
    a_demand,
    a_line,
    a_node,
    planned,
    shipped,
)

NEAR, FAR = a_node(1, RENO), a_node(2, CHICAGO)
HELD = {(1, 1): 1, (2, 1): 5}


def priced(book: PriceBook | None, **traits: object) -> Plan:
    policy = replace(CHEAPEST_WINS, fill_first=False, **traits)  # type: ignore[arg-type]
    demand = a_demand(a_line("cup", 1))
    (answer,) = plan([demand], [NEAR, FAR], Supply(HELD), RATES, policy, book)
    return answer


class TestPriceBook:
    def test_keeps_the_last_unit_for_who_needs_it_more(self) -> None:
        book = PriceBook("7", AT, {1: {1: 900, 2: 100}})

        assert shipped(priced(None)) == {("cup", 1): 1}
        assert shipped(priced(book)) == {("cup", 2): 1}

    def test_is_a_part_of_the_cost_and_of_the_record(self) -> None:
        leaves = AT.date()
        book = PriceBook("7", AT, {1: {1: 90, 2: 40}}, {(1, leaves): 25}, relative=False)

        answer = priced(book)

        stored = compact(answer)
        parcel = answer.parcels[0].cost
        assert (parcel.stock, parcel.capacity) == (90, 25)
        assert answer.cost.score == answer.cost.true_cost + 90 + 25
        assert (answer.level, answer.book) == (Level.PRICED, "7")
        assert expand(stored).cost == answer.cost
        assert (expand(stored).level, expand(stored).book) == ("priced", "7")
        assert len(json.dumps(stored)) < 2_000

    def test_changes_no_byte_where_there_is_none(self) -> None:
        stored = compact(priced(None))

        assert "b" not in stored
        assert stored["t"] == [priced(None).cost.score, *priced(None).cost[:3]]

    def test_that_is_relative_never_leaves_a_unit_behind(self) -> None:
        dear = {1: {1: 5_000, 2: 5_000}}

        assert priced(PriceBook("7", AT, dear)).cost.stock == 0
        assert not priced(PriceBook("7", AT, dear)).unfilled
        assert priced(PriceBook("7", AT, dear, relative=False)).unfilled

    def test_in_full_an_unfilled_unit_counts_for_more_than_it_costs(self) -> None:
        line = a_line("cup", 1)
        dear = {1: dict.fromkeys((1, 2), line.unfilled_cost)}
        book = PriceBook("7", AT, dear, relative=False)

        assert priced(book).unfilled
        assert not priced(replace(book, filling=200)).unfilled
        assert not priced(book, goodwill=line.unfilled_cost).unfilled

    def test_without_a_price_goodwill_sends_what_is_worth_less_than_its_parcel(self) -> None:
        cheap = a_demand(a_line("cup", 1, unfilled_cost=1))

        def sent(goodwill: int) -> bool:
            policy = replace(CHEAPEST_WINS, fill_first=False, goodwill=goodwill)
            (answer,) = plan([cheap], [NEAR, FAR], Supply(HELD), RATES, policy, None)
            return not answer.unfilled

        assert not sent(0)
        assert sent(10_000)

    def test_is_capped(self) -> None:
        book = PriceBook("7", AT, {1: {1: 5_000}}, relative=False, cap=300)

        assert priced(book, groups=None).cost.stock in {0, 300}
        assert book.column(1, [1, 2]) == [300, 0]

    def test_says_that_it_was_out_of_date(self) -> None:
        old = PriceBook("7", AT, {1: {1: 100}})

        later = blended(old, {}, at=AT + timedelta(hours=8))

        assert later.units[1][1] < 100
        assert priced(later).level is Level.STALE
        assert "The price book was out of date" in " ".join(why_here(priced(later)))
        assert blended(old, {}, at=AT + timedelta(hours=1)) is old

    def test_ages_the_faster_the_further_off_its_forecast_was(self) -> None:
        old = PriceBook("7", AT, {1: {1: 100}})

        def asked(hours: int, error: float) -> int:
            return blended(old, {}, at=AT + timedelta(hours=hours), error=error).units[1][1]

        assert asked(2, 0.9) == asked(2, 0.0) == 100
        assert asked(6, 0.0) == asked(4, 1.0) == 50
        assert asked(6, 0.9) < asked(6, 0.1) < 50


class TestFallback:
    def test_plans_without_a_book_that_cannot_be_read(self) -> None:
        broken = PriceBook("7", AT, {1: None})  # type: ignore[dict-item]

        assert shipped(priced(broken)) == shipped(priced(None))
        assert priced(broken).level is Level.EXACT

    def test_by_rule_takes_the_nearest_node_that_has_all_else_node_by_node(self) -> None:
        both = a_demand(a_line("cup", 1), a_line("pan", 2, 3))
        policy = replace(CHEAPEST_WINS, max_nodes_per_demand=2)

        def ruled(held: dict[tuple[int, int], int]) -> list[tuple[int, int, int]]:
            (question,) = questions_of([both], [NEAR, FAR], Supply(held), RATES, policy)
            return by_rule(question).flows

        assert ruled({(1, 1): 1, (2, 1): 1, (2, 2): 3}) == [(0, 1, 1), (1, 1, 3)]
        assert ruled({(1, 1): 1, (1, 2): 2, (2, 2): 3}) == [(0, 0, 1), (1, 0, 2), (1, 1, 1)]


def test_primal_dual_prices_rise_with_what_is_gone() -> None:
    worth = {1: {node: Worth(10, left, 1_000) for node, left in enumerate((10, 5, 0))}}

    untouched, half, gone = primal_dual(worth, share=0.4)[1].values()

    assert untouched == 0 < half < gone == 400


def test_expected_rejections_and_carbon_have_names() -> None:
    shaky = replace(NEAR, acceptance=800)
    rates = replace(RATES, carbon_grams=100, cm3_per_kg=5_000)
    line = a_line("cup", 1, volume_cm3=10_000)

    answer = planned(
        a_demand(line),
        [shaky],
        HELD,
        rates=rates,
        weights=replace(CHEAPEST_WINS.weights, reroute=1_000, carbon_tonne=10_000_000),
    )

    cost = answer.cost
    assert cost.rerouting == 250
    assert cost.freight == 800 + 200, "two kilograms by volume"
    assert cost.carbon == round(answer.parcels[0].distance_km * 2 * 100 * 10_000_000 / 10**9)
    assert cost.score == cost.true_cost + cost.rerouting + cost.carbon


def two_who_want_one(stock: float) -> tuple[list[Asks], Shelves]:
    """Two orders for one SKU: the first saves 600 by the first node, the second 100."""
    opening = np.array([[500.0, 1_100.0, 0.0], [500.0, 600.0, 0.0]])
    lines = np.array([[[0.0, 0.0, 5_000.0]], [[0.0, 0.0, 5_000.0]]])
    ones = np.ones((2, 1), dtype=np.int64)
    none = np.zeros(2, dtype=np.int64)
    asks = Asks(opening, lines, 0 * ones, ones, none, none)
    return [asks], Shelves(np.array([[stock, 5.0]]), np.array([[9.0], [9.0]]), 500.0)


@pytest.mark.parametrize(("stock", "lowest", "highest"), [(1.0, 99, 601), (2.0, 0, 1)])
def test_prices_settle_where_one_of_two_gives_way(
    stock: float, lowest: float, highest: float
) -> None:
    crowd, shelves = two_who_want_one(stock)

    settled = settle((), crowd, 1, shelves, COLD)

    assert lowest <= settled.units[0, 0, 0] <= highest
    best = 500 + 600 if stock == 1 else 1_000
    assert best * 0.99 <= settled.bound <= best + 0.01
