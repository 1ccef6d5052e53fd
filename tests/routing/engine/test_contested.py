"""Orders parted by what they could take from each other: the parts' best plans are the best of all."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.engine import Supply
from routing.engine import joint as joint_module
from routing.engine.contested import groups_of
from routing.engine.joint import plan_together, questions_of
from routing.engine.joint_program import Standing, Terms
from routing.engine.plan import Run
from routing.engine.supply import Stock
from routing.engine.timetable import Timetable
from tests.routing.engine.worlds import (
    CHEAPEST_WINS,
    CHICAGO,
    DALLAS,
    NEW_YORK,
    RATES,
    RENO,
    a_demand,
    a_line,
    a_node,
)

PLACES = (RENO, CHICAGO, DALLAS, NEW_YORK)
NODES = [a_node(1, RENO), a_node(2, NEW_YORK)]
CUP, PAN = a_line("cup", 1), a_line("pan", 2)


def groups(*orders: Standing, held: dict[tuple[int, int], int], terms: Terms) -> list[list[int]]:
    demands = [order.demand for order in orders]
    questions = questions_of(demands, NODES, Supply(held), RATES, CHEAPEST_WINS)
    run = Run(NODES, Stock(Supply(held), NODES), CHEAPEST_WINS, Timetable(RATES))
    return groups_of(questions, run, terms)


def order(*lines: object, key: str, **traits: object) -> Standing:
    return Standing(a_demand(*lines, key=key, **traits))  # type: ignore[arg-type]


class TestGroupsOf:
    def test_parts_orders_that_all_find_enough(self) -> None:
        orders = order(CUP, key="one"), order(CUP, PAN, key="two"), order(PAN, key="three")
        ample = {(node, sku): 2 for node in (1, 2) for sku in (1, 2)}

        assert groups(*orders, held=ample, terms=Terms()) == [[0], [1], [2]]

    def test_keeps_those_together_who_want_more_than_a_node_has(self) -> None:
        orders = order(CUP, key="one"), order(PAN, key="two"), order(CUP, key="three")
        held = {(1, 1): 1, (2, 1): 5, (1, 2): 5}

        assert groups(*orders, held=held, terms=Terms()) == [[0, 2], [1]]

    def test_joins_what_one_order_has_in_common_with_two_others(self) -> None:
        orders = order(CUP, key="one"), order(PAN, key="two"), order(CUP, PAN, key="both")
        held = {(1, 1): 1, (1, 2): 1}

        assert groups(*orders, held=held, terms=Terms()) == [[0, 1, 2]]

    def test_counts_every_parcel_that_could_come_against_the_room(self) -> None:
        orders = order(CUP, key="one"), order(PAN, key="two")
        held = {(1, 1): 5, (1, 2): 5}

        assert groups(*orders, held=held, terms=Terms({1: 1}, 100)) == [[0, 1]]
        assert groups(*orders, held=held, terms=Terms({1: 2}, 100)) == [[0], [1]]

    def test_keeps_together_whose_units_cost_the_more_the_more_they_are(self) -> None:
        orders = order(CUP, key="one"), order(CUP, key="two"), order(PAN, key="three")
        held = {(1, 1): 5, (1, 2): 5}

        assert groups(*orders, held=held, terms=Terms(expected={1: 1.0}, stiffness=10)) == [
            [0, 1],
            [2],
        ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_parts_cost_no_more_than_one_program_of_all(data: st.DataObject) -> None:
    nodes = [a_node(n, data.draw(st.sampled_from(PLACES))) for n in range(3)]
    held = {(n, sku): data.draw(st.integers(0, 3)) for n in range(3) for sku in (1, 2, 3)}
    orders = [
        order(
            *(a_line(str(sku), sku, data.draw(st.integers(1, 2))) for sku in skus),
            key=str(number),
            destination=data.draw(st.sampled_from(PLACES)),
        )
        for number in range(data.draw(st.integers(1, 5)))
        if (skus := data.draw(st.sets(st.sampled_from((1, 2, 3)), min_size=1)))
    ]
    room = {n: data.draw(st.integers(1, 4)) for n in range(3) if data.draw(st.booleans())}
    terms = Terms(room, overtime=700)

    def score() -> int:
        plans = plan_together(orders, nodes, Supply(held), RATES, CHEAPEST_WINS, terms)
        opened = [parcel.node for planned in plans for parcel in planned.parcels]
        beyond = sum(max(0, opened.count(node) - most) for node, most in room.items())
        return sum(planned.cost.score for planned in plans) + beyond * terms.overtime

    parted = score()
    whole = joint_module.groups_of
    try:
        joint_module.groups_of = lambda questions, *_: [list(range(len(questions)))]
        together = score()
    finally:
        joint_module.groups_of = whole

    assert abs(parted - together) <= 1 + together * terms.gap
