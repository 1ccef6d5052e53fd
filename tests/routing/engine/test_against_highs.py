"""The engine's plan of one order against an integer program of the same order, solved by HiGHS."""

import random

import numpy as np
import pytest

from routing.engine import Demand, Dependents, Level, Line, Node, Policy, Supply, Weights, plan
from routing.engine.choosing import Question
from routing.engine.joint import questions_of
from routing.engine.linear import Program
from routing.engine.screening import POINTS
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

PLACES = (RENO, CHICAGO, DALLAS, NEW_YORK)
WHOLE = Policy("whole", 1, Weights(), fill_first=False, dependents=Dependents.TOGETHER)
FULL = 1_000


def an_order(draw: random.Random) -> tuple[Demand, list[Node], Supply]:
    """Up to 26 nodes that hold parts of up to eight lines of several units, some in families."""
    nodes = [
        a_node(
            number,
            draw.choice(PLACES),
            handling_cost=draw.randint(0, 900),
            pick_cost=draw.randint(0, 200),
        )
        for number in range(draw.randint(2, 26))
    ]
    lines: list[Line] = []
    for number in range(draw.randint(1, 8)):
        parent = draw.choice(lines).key if lines and draw.random() < 0.2 else None
        if parent is not None and any(line.key == parent and line.parent for line in lines):
            parent = None
        lines.append(
            a_line(
                f"l{number}",
                number,
                draw.randint(1, 3),
                weight_grams=draw.randint(50, 3_000),
                unfilled_cost=draw.randint(200, 4_000),
                parent=parent,
            )
        )
    units = {
        (node.id, line.sku): draw.randint(1, 3)
        for node in nodes
        for line in lines
        if draw.random() < 0.4
    }
    return a_demand(*lines), nodes, Supply(units)


def cheapest(question: Question) -> float:
    """Minor units of the best plan: a family leaves whole from one node or not at all."""
    program = Program()
    offers = {at: question.offers[at] for at in question.candidates}
    places = {at: n for n, at in enumerate(offers)}
    opened = program.add_columns(
        np.array([offer.opening / POINTS for offer in offers.values()]), 1.0, whole=True
    )
    lines = question.demand.lines
    parents = {line.parent for line in lines if line.parent}
    whole: dict[tuple[str, int], int] = {}
    for line, grams in zip(lines, question.grams, strict=True):
        held = [at for at in offers if question.usable[line.sku][at]]
        cost = [(offers[at].pick + offers[at].gram * grams) / POINTS for at in held]
        most = np.array([min(question.usable[line.sku][at], line.quantity) for at in held], float)
        units = program.add_columns(np.array(cost), most, whole=True)
        missing = program.add_columns(np.array([float(line.unfilled_cost)]))
        row = np.zeros(len(held), dtype=np.int64)
        one = np.zeros(1, dtype=np.int64)
        program.add_rows(line.quantity, line.quantity, 1, (row, units, 1), (one, missing, 1))
        own = np.arange(len(held), dtype=np.int64)
        parcel = opened[[places[at] for at in held]]
        program.add_rows(-np.inf, 0.0, len(held), (own, units, 1), (own, parcel, -most))
        family = line.parent or (line.key if line.key in parents else None)
        if family is None:
            continue
        for at in offers:
            if (family, at) not in whole:
                (whole[family, at],) = program.add_columns(np.zeros(1), 1.0, whole=True)
            column = np.array([whole[family, at]])
            parts = [(one, units[[held.index(at)]], 1)] if at in held else []
            program.add_rows(0.0, 0.0, 1, (one, column, -line.quantity), *parts)
    for family in parents:
        columns = np.array([whole[family, at] for at in offers])
        row = np.zeros(len(columns), dtype=np.int64)
        program.add_rows(-np.inf, 1.0, 1, (row, columns, 1))
    return program.solved(gap=0.0, seconds=60).objective


@pytest.mark.parametrize("orders", [60, pytest.param(FULL, marks=pytest.mark.soak)])
def test_no_order_has_a_cheaper_plan(orders: int) -> None:
    draw = random.Random(20_260_302)  # noqa: S311

    for _ in range(orders):
        demand, nodes, supply = an_order(draw)
        (answer,) = plan([demand], nodes, supply, RATES, WHOLE)

        (question,) = questions_of([demand], nodes, supply, RATES, WHOLE)
        if not question.candidates:
            continue
        assert answer.level is Level.EXACT
        assert abs(answer.cost.score - cheapest(question)) <= 1
