"""Open orders planned together: what they gain, and what they keep."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from routing.engine import Level, Plan, PriceBook, Supply
from routing.engine import joint as joint_module
from routing.engine.joint import Loads, in_turn, plan_together
from routing.engine.joint_program import Standing, Terms
from tests.routing.engine.worlds import (
    AT,
    CHEAPEST_WINS,
    CHICAGO,
    NEW_YORK,
    OAKLAND,
    RATES,
    RENO,
    a_demand,
    a_line,
    a_node,
    shipped,
)

WEST, EAST = a_node(1, RENO), a_node(2, NEW_YORK)
CUP, PAN = a_line("cup", 1), a_line("pan", 2)


def together(
    orders: Iterable[Standing], held: dict[tuple[int, int], int], terms: Terms | None = None
) -> list[Plan]:
    return plan_together(
        list(orders), [WEST, EAST], Supply(held), RATES, CHEAPEST_WINS, terms or Terms()
    )


def sources(plans: list[Plan]) -> list[set[int]]:
    return [{node for _, node in shipped(answer)} for answer in plans]


CROSSED = [
    Standing(a_demand(CUP, PAN, key="west"), {("cup", 2): 1, ("pan", 1): 1}),
    Standing(a_demand(CUP, key="east", destination=NEW_YORK), {("cup", 1): 1}),
]
"""One is split because the other, at the far end, has what it lacks."""
CROSSED_STOCK = {(1, 1): 1, (2, 1): 1, (1, 2): 1}


@pytest.fixture(params=["program", "prices"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By one program, and as orders are planned that are too many for it."""
    if request.param == "prices":
        monkeypatch.setattr(joint_module, "MOST_TOGETHER", 0)
    return str(request.param)


class TestPlanTogether:
    def test_swaps_stock_so_that_neither_is_split(self) -> None:
        plans = together(CROSSED, CROSSED_STOCK)

        assert sources(plans) == [{1}, {2}]
        assert {answer.level for answer in plans} == {Level.JOINT}

    @pytest.mark.usefixtures("either")
    def test_moves_what_is_worth_it_and_nothing_else(self) -> None:
        order = Standing(a_demand(CUP), {("cup", 2): 1})
        held = {(1, 1): 1, (2, 1): 1}

        assert sources(together([order], held)) == [{1}]
        assert sources(together([order], held, Terms(worthwhile=100_000))) == [{2}]

    @pytest.mark.usefixtures("either")
    def test_promises_no_one_a_later_day(self) -> None:
        far = a_demand(CUP, destination=CHICAGO)
        held = {(1, 1): 1, (2, 1): 1}
        (free,) = together([Standing(far)], held)
        told = free.parcels[0].deliver_p90
        assert told is not None

        soonest = Standing(a_demand(CUP), {("cup", 1): 1}, date(2026, 3, 6))
        rival = Standing(a_demand(CUP, key="rival", destination=OAKLAND))
        plans = together([soonest, rival], held)

        arrives = plans[0].parcels[0].deliver_p90
        assert arrives is not None
        assert arrives <= date(2026, 3, 6) or sources(plans)[0] == {1}

    @pytest.mark.usefixtures("either")
    def test_keeps_pins(self) -> None:
        pinned = Standing(a_demand(CUP, pinned_node=2))

        assert sources(together([pinned], {(1, 1): 1, (2, 1): 1})) == [{2}]

    @pytest.mark.usefixtures("either")
    def test_gives_a_unit_to_one_order_only(self) -> None:
        orders = [Standing(a_demand(CUP, key=key)) for key in ("one", "two", "three")]

        plans = together(orders, {(1, 1): 1, (2, 1): 1})

        given = [key for answer in plans for key in shipped(answer)]
        assert sorted(given) == [("cup", 1), ("cup", 2)]
        assert sum(len(answer.unfilled) for answer in plans) == 1

    def test_sends_complete_orders_complete_or_not_at_all(self) -> None:
        whole = a_demand(CUP, PAN, key="whole", ship_complete=True)
        part = a_demand(CUP, key="part")

        plans = together([Standing(whole), Standing(part)], {(1, 1): 1})

        assert [shipped(answer) for answer in plans] == [{}, {("cup", 1): 1}]

    def test_pays_for_parcels_beyond_the_room(self) -> None:
        orders = [Standing(a_demand(CUP, key=key)) for key in ("one", "two")]
        held = {(1, 1): 2, (2, 1): 2}

        roomy = together(orders, held)
        tight = together(orders, held, Terms({1: 1}, overtime=100_000))

        assert sources(roomy) == [{1}, {1}]
        assert sorted(map(sorted, sources(tight))) == [[1], [2]]

    def test_bears_room_that_nobody_could_take(self) -> None:
        orders = [Standing(a_demand(CUP, key=key)) for key in ("one", "two")]

        plans = together(orders, {(1, 1): 1}, Terms({2: 1}, overtime=500))

        assert sorted(map(sorted, sources(plans))) == [[], [1]]

    def test_counts_room_that_is_known_instead_of_its_price(self) -> None:
        order = Standing(a_demand(CUP))
        dear = {(1, AT.date() + timedelta(days=ahead)): 100_000 for ahead in range(4)}
        book = PriceBook("7", AT, {}, dear)

        def to(terms: Terms) -> list[set[int]]:
            held = Supply({(1, 1): 2, (2, 1): 2})
            plans = plan_together([order], [WEST, EAST], held, RATES, CHEAPEST_WINS, terms, book)
            return sources(plans)

        assert to(Terms()) == [{2}]
        assert to(Terms({1: 1}, overtime=100_000)) == [{1}]

    def test_says_how_it_decided_when_time_is_over(self) -> None:
        plans = together(CROSSED, CROSSED_STOCK, Terms(seconds=0.0))

        assert len(plans) == 2
        assert {answer.level for answer in plans} <= {Level.EXACT, Level.JOINT}

    def test_is_the_same_every_time(self) -> None:
        orders = [replace(CROSSED[0], sources={}), replace(CROSSED[1], sources={})]

        assert together(orders, CROSSED_STOCK) == together(orders, CROSSED_STOCK)


class TestLoads:
    """What a move is worth for the room that nodes have, beside its own costs."""

    def two_at_west(self) -> list[Standing]:
        return [Standing(a_demand(CUP, key=key), {("cup", 1): 1}) for key in ("one", "two")]

    def test_save_overtime_until_the_rest_has_room(self) -> None:
        loads = Loads.of(self.two_at_west(), Terms({1: 1}, overtime=500))

        first = loads.saved({1}, {2})
        loads.move({1}, {2})

        assert (first, loads.saved({1}, {2})) == (500, 0)
        assert loads.saved({2}, {1}) == -500

    def test_say_whom_to_judge_first(self) -> None:
        stays, leaves = self.two_at_west()
        terms = Terms({1: 1}, overtime=100_000)
        plans = together([stays, leaves], {(1, 1): 2, (2, 1): 2}, terms)
        went = sources(plans).index({2})

        assert in_turn([stays, leaves], plans, Loads.of([stays, leaves], terms))[0] == went
