"""When goods that are still to come would leave their node and arrive: the engine, asked ahead."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orders.sourcing import Demand, PlannedPromise
from routing import engine, reference
from routing.binding import bind
from routing.engine import Supply
from routing.planner import engine_demand, promise_of
from routing.snapshot import PICKUP_METHODS, Snapshot


class Foreteller:
    """The implementation of `orders.foretelling.Foretelling`: each demand is planned alone."""

    def foretell(self, demands: Sequence[Demand], *, at: datetime) -> list[PlannedPromise | None]:
        if not demands:
            return []
        known = reference.current()
        skus = sorted({line.sku_id for one in demands for line in one.lines})
        offered = known.offered(skus, at.date())
        snapshot = Snapshot(known, known.codes(skus), {}, frozenset(), offered=offered)
        bound = bind(demands, known, at=at)
        return [
            bound.promise(demand.group_id, foretold(demand, snapshot, at))
            for demand in bound.demands
        ]


def foretold(demand: Demand, snapshot: Snapshot, at: datetime) -> PlannedPromise | None:
    """When the demand would leave its pinned node, were all of it there at `not_before`."""
    known = snapshot.reference
    network = known.network(demand.account_id, demand.channel_id)
    wanted, timezone = engine_demand(demand, snapshot, network, at=at)
    node_id = demand.pinned_node_id or demand.pickup_node_id or 0
    there = {(node_id, line.sku_id): line.quantity for line in demand.lines}
    policy = known.policy(demand.account_id, demand.channel_id)
    offered = network.pickup if demand.method in PICKUP_METHODS else network.shipping
    # Whether the node takes work today says nothing of the day on which the goods are there.
    nodes = [
        replace(node, ship_open=True, closed_reason="") for node in offered if node.id == node_id
    ]
    nodes = snapshot.offered.in_turn(nodes, demand)
    (plan,) = engine.plan([wanted], nodes, Supply(there), known.rates(), policy.rules)
    codes = {node.id: node.code for node in nodes}
    return promise_of(plan, timezone, {}, known.rates(), codes)
