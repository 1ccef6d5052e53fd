"""Many lines at once: the best set of nodes, proven by the number of its nodes."""

import random
from itertools import combinations

import pytest

from routing.engine import Level, Policy, Weights
from routing.engine.blocks import Pool, Want
from routing.engine.counting import BySize
from tests.routing.engine.worlds import CHICAGO, DALLAS, NEW_YORK, RENO, a_demand, a_line, a_node
from tests.routing.engine.worlds import planned as plan_of

NODES, LINES = 13, 14


def a_problem(draw: random.Random) -> tuple[list[int], list[Pool], int]:
    """Nodes that have half of the lines each; leaving a line costs little or very much."""
    opening = [draw.randint(50, 400) for _ in range(NODES)]
    penalty = draw.choice((90, 400, 10_000))
    blocks = []
    for line in range(LINES):
        units = [draw.randint(1, 120) for _ in range(NODES)]
        caps = [draw.randint(0, 1) for _ in range(NODES)]
        blocks.append(Pool([Want(line, line, 1, penalty, units)], caps, None))
    return opening, blocks, draw.choice((3, NODES))


@pytest.mark.parametrize("seed", range(12))
def test_no_set_of_nodes_is_cheaper(seed: int) -> None:
    opening, blocks, most = a_problem(random.Random(seed))  # noqa: S311
    counted = BySize(opening, blocks, most)

    found = counted.proven(counted.found() or (0,))

    cheapest = min(
        sum(opening[j] for j in places)
        + sum(min(block.none, *(block.alone[j] for j in places)) for block in blocks)
        for size in range(1, most + 1)
        for places in combinations(range(NODES), size)
    )
    assert found.points == cheapest
    assert found.bound <= cheapest
    assert len(found.opened) <= most


def test_an_order_of_many_lines_over_many_nodes_is_proven_best() -> None:
    draw = random.Random(5)  # noqa: S311
    nodes = [
        a_node(
            number,
            draw.choice((RENO, CHICAGO, DALLAS, NEW_YORK)),
            handling_cost=draw.randint(0, 900),
            pick_cost=draw.randint(0, 200),
        )
        for number in range(120)
    ]
    lines = [a_line(f"l{n}", n, weight_grams=draw.randint(50, 2_000)) for n in range(30)]
    units = {(node.id, n): 1 for node in nodes for n in range(30) if draw.random() < 0.4}

    answer = plan_of(a_demand(*lines), nodes, units, Policy("cheapest", 1, Weights()))

    assert answer.level is Level.EXACT
    assert answer.runner_up is not None
    assert answer.runner_up.difference >= 0
