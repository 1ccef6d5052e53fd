"""What the engine's plans cost, on an instance small enough for every run of the suite."""

import pytest

from bench.routing_instances import Instance, Shape
from bench.routing_policies import Run
from bench.routing_quality import POLICIES, bound_of
from bench.routing_world import MINOR, Ledger, World

SMALL = Shape(warehouses=2, stores=6, skus=20, orders=24, days=2, rho=1.2)


@pytest.fixture(scope="module")
def world() -> World:
    return World.of(Instance(SMALL, 103))


def cost_of(world: World, name: str) -> float:
    run = Run(world, Ledger(world.inst))
    POLICIES[name][0](run)
    assert len(run.ledger.shipping) == len(world.inst.orders)
    assert (run.ledger.stock >= 0).all()
    return run.ledger.figures()["cost"]


def test_better_policies_cost_less_and_none_less_than_hindsight(world: World) -> None:
    bound = bound_of(world)
    names = ("nearest", "nearest_complete", "myopic_exact", "day_wave")
    costs = [cost_of(world, name) for name in names]

    assert costs == sorted(costs, reverse=True)
    assert costs[-1] * MINOR >= bound.best
    assert bound.value <= bound.best


@pytest.mark.parametrize("name", ["live", "live_told"])
def test_an_installation_does_better_than_the_cheapest_plan_of_each_order(
    world: World, name: str
) -> None:
    assert cost_of(world, name) < cost_of(world, "myopic_exact")


def test_goods_that_come_later_and_rejections_are_played_out() -> None:
    shape = Shape(2, 6, 20, 24, 2, rho=1.2, multi=0.2, replenished=0.3, rejected=0.1)
    world = World.of(Instance(shape, 103))

    assert cost_of(world, "myopic_exact") * MINOR >= bound_of(world).best
