"""Lines of several units: the best set of nodes and the one after it, against all there are."""

import random
from itertools import combinations

import pytest

from routing.engine import Level, Policy, Supply, Weights, plan
from routing.engine.blocks import Pool, Want
from routing.engine.counting_units import ByUnits, sources_of
from routing.engine.joint import questions_of
from tests.routing.engine.test_against_highs import cheapest
from tests.routing.engine.worlds import (
    CHICAGO,
    DALLAS,
    NEW_YORK,
    RATES,
    RENO,
    a_demand,
    a_line,
    a_node,
)

NODES, LINES = 11, 6
MANY = 90


def a_problem(draw: random.Random) -> tuple[list[int], list[Pool]]:
    """Nodes that have parts of most lines; some lines are of one source, two share a SKU."""
    opening = [draw.randint(50, 400) for _ in range(NODES)]
    penalty = draw.choice((90, 400, 10_000))
    blocks = []
    for line in range(LINES):
        units = [draw.randint(1, 120) for _ in range(NODES)]
        wants = [
            Want(2 * line + place, line, draw.randint(1, 3), penalty, units)
            for place in range(1 + (line == 0))
        ]
        most = draw.choice((1, 4))
        caps = [draw.choice((0, draw.randint(1, most))) for _ in range(NODES)]
        blocks.append(Pool(wants, caps, None))
    return opening, blocks


@pytest.mark.parametrize("seed", range(10))
def test_no_set_of_nodes_is_cheaper_and_the_second_lacks_one(seed: int) -> None:
    opening, blocks = a_problem(random.Random(seed))  # noqa: S311
    counted = ByUnits(opening, sources_of(blocks) or [], NODES)
    costs = {
        places: sum(opening[j] for j in places) + sum(block.cost(places) for block in blocks)
        for size in range(1, 7)
        for places in combinations(range(NODES), size)
    }

    found = counted.proven(counted.found() or (0,))
    second = counted.second(found.opened)

    assert found.points == min(costs.values()) == costs[found.opened] == found.bound
    assert all(counted.cost(places) == cost for places, cost in list(costs.items())[::97])
    others = [cost for places, cost in costs.items() if not {*found.opened} <= {*places}]
    assert costs[second] == min(others)


def test_an_order_of_several_units_over_many_nodes_is_proven_best() -> None:
    draw = random.Random(11)  # noqa: S311
    whole = Policy("whole", 1, Weights(), fill_first=False)
    for _ in range(3):
        nodes = [
            a_node(
                number,
                draw.choice((RENO, CHICAGO, DALLAS, NEW_YORK)),
                handling_cost=draw.randint(0, 900),
                pick_cost=draw.randint(0, 200),
            )
            for number in range(MANY)
        ]
        lines = [
            a_line(f"l{n}", n, draw.randint(1, 4), weight_grams=draw.randint(50, 3_000))
            for n in range(7)
        ]
        units = {
            (node.id, n): draw.randint(1, 3)
            for node in nodes
            for n in range(7)
            if draw.random() < 0.4
        }
        demand, supply = a_demand(*lines), Supply(units)

        (answer,) = plan([demand], nodes, supply, RATES, whole)

        (question,) = questions_of([demand], nodes, supply, RATES, whole)
        assert answer.level is Level.EXACT
        assert abs(answer.cost.score - cheapest(question)) <= 1
        assert answer.runner_up is not None
        assert answer.runner_up.difference >= 0


def test_what_comes_second_is_never_the_better_plan_however_soon_the_search_ends() -> None:
    draw = random.Random(3)  # noqa: S311
    for count in (30, 100) * 8:
        nodes = [
            a_node(number, draw.choice((RENO, CHICAGO, DALLAS)), handling_cost=draw.randint(0, 900))
            for number in range(count)
        ]
        lines = [a_line(f"l{n}", n, draw.randint(1, 6)) for n in range(8)]
        units = {
            (node.id, n): draw.randint(1, 2)
            for node in nodes
            for n in range(8)
            if draw.random() < 0.15
        }

        (answer,) = plan(
            [a_demand(*lines)], nodes, Supply(units), RATES, Policy("short", 1, effort=2_000)
        )

        missing = sum(one.quantity for one in answer.unfilled)
        other = answer.runner_up
        assert other is None or other.difference >= 0 or other.unfilled_units > missing
