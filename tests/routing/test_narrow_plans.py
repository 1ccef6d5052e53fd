"""Quotes ask only nodes that have something: what is sent, and why not, stays what it was."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine import Constraint, Demand, Node, Partner, Plan, Policy, Supply, plan
from routing.planner import nodes_that_have
from tests.routing.engine.worlds import (
    CHICAGO,
    DALLAS,
    NEW_YORK,
    OAKLAND,
    RATES,
    RENO,
    a_demand,
    a_line,
    a_node,
)

PLACES = (RENO, DALLAS, CHICAGO, NEW_YORK, OAKLAND)


@dataclass(frozen=True)
class World:
    nodes: tuple[Node, ...]
    units: dict[tuple[int, int], int]
    demand: Demand
    policy: Policy


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Seven nodes of which few have anything, some of them closed, others, or choosy."""
    traits: tuple[dict[str, object], ...] = (
        {}, {}, {"ship_open": False, "closed_reason": "paused"}, {"groups": frozenset({"other"})},
        {"partner": Partner(1, {1: 90}, {1: 2, 2: 3})}, {"capabilities": frozenset({"cold"})},
        {"capabilities": frozenset()},
    )  # fmt: skip
    nodes = tuple(
        replace(
            a_node(number, draw(st.sampled_from(PLACES)), groups=frozenset({"ours"})),
            **draw(st.sampled_from(traits)),
        )
        for number in range(1, 8)
    )
    keys = st.tuples(st.integers(1, 7), st.integers(1, 3))
    units = draw(st.dictionaries(keys, st.integers(1, 3), max_size=8))
    wanted = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True))
    needs = st.sampled_from([frozenset[str](), frozenset({"cold"})])
    worth = st.sampled_from([2_000, 10])
    lines = [
        a_line(
            f"l{sku}", sku, draw(st.integers(1, 4)), needs=draw(needs), unfilled_cost=draw(worth)
        )
        for sku in wanted
    ]
    demand = a_demand(
        *lines,
        ship_complete=draw(st.booleans()),
        pinned_node=draw(st.sampled_from([None, None, None, 1])),
        excluded=frozenset(draw(st.lists(keys, max_size=2))),
    )
    policy = Policy(
        "drawn",
        1,
        groups=frozenset({"ours"}),
        max_nodes_per_demand=draw(st.sampled_from([None, 1, 2, 4])),
        max_nodes_per_line=draw(st.sampled_from([None, 1])),
        allow_partial=draw(st.booleans()),
        fill_first=draw(st.booleans()),
        max_km=draw(st.sampled_from([None, 2_000])),
        soft=draw(st.sampled_from([frozenset(), frozenset(Constraint)])),
    )
    return World(nodes, units, demand, policy)


def said(answer: Plan) -> dict[str, object]:
    """All that a quote tells of a plan, and what it is proven by."""
    names = (
        "assignments unfilled parcels cost runner_up split_cause relaxed level gap policy".split()
    )
    return {name: getattr(answer, name) for name in names}


@settings(max_examples=150)
@given(world=worlds())
def test_a_plan_of_the_nodes_that_have_something_is_the_plan_of_all(world: World):
    skus = {line.sku for line in world.demand.lines}
    few = nodes_that_have(world.nodes, Supply(world.units), skus)

    wide, narrow = (
        plan([world.demand], nodes, Supply(world.units), RATES, world.policy)[0]
        for nodes in (world.nodes, few)
    )

    assert said(narrow) == said(wide)
    kept = {node.id for node in few}
    assert [one for one in wide.candidates if one.node in kept] == list(narrow.candidates)


def reasons(world: World) -> list[str]:
    """Why units are unfilled, by the nodes that have something; the same as by all of them."""
    few = nodes_that_have(world.nodes, Supply(world.units), {1, 2})
    found = [
        plan([world.demand], nodes, Supply(world.units), RATES, world.policy)[0].unfilled
        for nodes in (world.nodes, few)
    ]
    assert found[0] == found[1]
    return [str(one.reason) for one in found[0]]


def test_one_node_stands_for_all_that_have_nothing():
    nodes = (a_node(1), a_node(2), a_node(3))
    dear = a_line("dear", 1), a_line("cheap", 2, unfilled_cost=10)
    world = World(
        nodes, {(2, 1): 1, (2, 2): 1}, a_demand(*dear), Policy("all", 1, fill_first=False)
    )

    assert reasons(world) == ["costs_more"]
    few = nodes_that_have(nodes, Supply(world.units), {1, 2})
    assert [node.id for node in few] == [1, 2]


def test_suppliers_stay_for_what_they_ask_at_least():
    nodes = (a_node(1), a_node(2), a_node(3, partner=Partner(least={1: 3})))
    demand = a_demand(a_line("two", 1, 2), excluded=frozenset({(1, 1)}))

    assert reasons(World(nodes, {(1, 1): 2}, demand, Policy("all", 1))) == ["unreachable"]
