"""The engine against brute force, on worlds small enough to try everything."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.engine import Dependents, Level, Plan, Policy, Supply, Weights, plan
from tests.routing.engine.brute_force import Spread, World
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
THOROUGH = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def weights(draw: st.DrawFn) -> Weights:
    return Weights(
        cost_percent=draw(st.sampled_from((1, 50, 100))),
        parcel=draw(st.sampled_from((0, 0, 150, 5_000))),
        distance_per_km=draw(st.sampled_from((0, 0, 250, 100_000))),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    return Policy(
        "drawn",
        1,
        weights=draw(weights()),
        max_nodes_per_demand=draw(st.sampled_from((None, None, 1, 2))),
        max_nodes_per_line=draw(st.sampled_from((None, None, 1, 2))),
        allow_partial=draw(st.sampled_from((True, True, True, False))),
        fill_first=draw(st.booleans()),
        dependents=Dependents.TOGETHER,
    )


@st.composite
def worlds(draw: st.DrawFn, *, families: bool) -> World:
    count = draw(st.integers(1, 3))
    nodes = [
        a_node(
            number,
            draw(st.sampled_from(PLACES)),
            handling_cost=draw(st.sampled_from((0, 100, 900))),
            pick_cost=draw(st.sampled_from((0, 30, 700))),
            priority=draw(st.integers(0, 1)),
        )
        for number in range(count)
    ]
    lines = []
    for number in range(draw(st.integers(1, 3))):
        parents = [line.key for line in lines if line.parent is None]
        parent = draw(st.sampled_from((None, *parents))) if families and parents else None
        sku = draw(st.integers(0, 2))
        lines.append(
            a_line(
                f"l{number}",
                sku,
                draw(st.integers(1, 3)),
                weight_grams=(500, 1_500, 123)[sku],
                unfilled_cost=draw(st.sampled_from((1, 900, 2_000))),
                unit_value=0 if parent else 2_500,
                parent=parent,
            )
        )
    units = {
        (node.id, sku): held
        for node in nodes
        for sku in range(3)
        if (held := draw(st.integers(0, 4)))
    }
    demand = a_demand(
        *lines,
        ship_complete=draw(st.sampled_from((False, False, True))),
        pinned_node=draw(st.sampled_from((None, None, None, 0))),
        excluded=frozenset(
            draw(st.sets(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=2))
        ),
    )
    ordered = sorted(nodes, key=lambda node: (node.priority, node.code))
    return World(demand, ordered, units, RATES, draw(policies()))


def answer_of(world: World) -> Plan:
    (answer,) = plan(
        [world.demand], list(world.nodes), Supply(world.units), world.rates, world.policy
    )
    return answer


def spread_of(world: World, answer: Plan) -> Spread:
    given = {(one.line, one.node): one.quantity for one in answer.assignments}
    return tuple(
        tuple(given.get((line.key, node.id), 0) for node in world.nodes)
        for line in world.demand.lines
    )


class TestPlan:
    @THOROUGH
    @given(world=worlds(families=False))
    def test_is_as_good_as_the_best_of_all_assignments(self, world: World) -> None:
        answer = answer_of(world)

        found = spread_of(world, answer)
        best = min(map(world.rank, world.spreads()))
        assert world.allows(found)
        assert world.rank(found) == best
        assert answer.cost.score == round(best[1])
        assert answer.level is Level.EXACT

    @THOROUGH
    @given(world=worlds(families=True))
    def test_ships_families_whole_as_well_as_can_be(self, world: World) -> None:
        found = spread_of(world, answer_of(world))

        assert world.allows(found)
        assert world.rank(found) == min(map(world.rank, world.spreads()))

    @THOROUGH
    @given(world=worlds(families=False))
    def test_names_the_best_plan_without_one_of_the_winners_nodes(self, world: World) -> None:
        answer = answer_of(world)

        winner = world.used(spread_of(world, answer))
        others = [spread for spread in world.spreads() if not winner <= world.used(spread)]
        second = min(others, key=world.rank, default=None)
        if second is None or not world.used(second):
            assert answer.runner_up is None
        else:
            assert answer.runner_up is not None
            assert answer.runner_up.unfilled_units == world.missing(second)
            assert answer.runner_up.cost.score == round(world.score(second))
            assert answer.runner_up.difference == (answer.runner_up.cost.score - answer.cost.score)
            assert world.rank(second) >= world.rank(spread_of(world, answer))

    @THOROUGH
    @given(world=worlds(families=True))
    def test_never_pays_a_parcel_or_a_parents_unit_for_a_dependent(self, world: World) -> None:
        following = replace(world.policy, dependents=Dependents.FOLLOW, fill_first=True)
        alone = replace(
            world.demand,
            lines=tuple(line for line in world.demand.lines if line.parent is None),
        )
        shared = {line.sku for line in world.demand.lines if line.parent is not None}
        if shared & {line.sku for line in alone.lines}:
            return
        supply = Supply(world.units)

        (with_gifts,) = plan([world.demand], world.nodes, supply, RATES, following)
        (without,) = plan([alone], world.nodes, supply, RATES, following)

        roots = {line.key for line in alone.lines}
        assert len(with_gifts.parcels) <= len(without.parcels)
        assert sum(g.quantity for g in with_gifts.assignments if g.line in roots) == sum(
            g.quantity for g in without.assignments
        )
        parents = {line.key: line.parent for line in world.demand.lines}
        sources = {(given.line, given.node) for given in with_gifts.assignments}
        for line, node in sources:
            assert parents[line] is None or (parents[line], node) in sources


class TestLargerWorlds:
    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def test_search_agrees_with_trying_every_pair_of_many_nodes(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(24, 34))
        nodes = [
            a_node(
                number,
                PLACES[number % 4],
                code=f"N{number:02}",
                handling_cost=data.draw(st.sampled_from((0, 50, 100, 700))),
            )
            for number in range(count)
        ]
        lines = [a_line(f"l{sku}", sku) for sku in range(4)]
        units = {
            (node.id, sku): 1
            for node in nodes
            for sku in data.draw(st.sets(st.integers(0, 3), max_size=2))
        }
        weights = Weights(parcel=data.draw(st.sampled_from((0, 300))))
        policy = Policy("pairs", 1, weights, max_nodes_per_demand=2)
        world = World(a_demand(*lines), nodes, units, RATES, policy)
        answer = answer_of(world)

        best = min(
            world.rank(_cheapest_of(world, pair))
            for first in range(count)
            for pair in ((first, second) for second in range(first, count))
        )
        assert answer.level is Level.EXACT
        assert world.rank(spread_of(world, answer))[:2] == best[:2]


def _cheapest_of(world: World, pair: tuple[int, int]) -> Spread:
    """Each line from the holder of the pair with the lower price for a unit."""
    rates = {RENO: 100, DALLAS: 200, CHICAGO: 200, NEW_YORK: 250}
    rows = []
    for line in world.demand.lines:
        holders = [j for j in pair if world.units.get((world.nodes[j].id, line.sku))]
        best = min(holders, key=lambda j: rates[world.nodes[j].place], default=None)
        rows.append(tuple(int(j == best) for j in range(len(world.nodes))))
    return tuple(rows)
