"""What each service level would cost and promise for units that lie at a node: for whoever upgrades."""

from dataclasses import dataclass, replace
from datetime import datetime

from orders.sourcing import Demand, PlannedPromise
from routing import engine, reference
from routing.engine import Supply
from routing.planner import engine_demand, promise_of
from routing.snapshot import PICKUP_METHODS, Snapshot


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """A service with what it costs from the node, in minor units, and what it promises.

    `is_present` marks the one by which the demand is estimated now.
    """

    code: str
    cost_minor: int
    currency: str
    promise: PlannedPromise
    is_present: bool


def services_from(demand: Demand, node_id: int, *, at: datetime) -> list[ServiceChoice]:
    """Every service level with a rate card, the cheapest first, were all of it sent from the node now.

    Empty for what its buyer collects, and where the node is none of the channel's.
    """
    if demand.method in PICKUP_METHODS:
        return []
    known = reference.current()
    network = known.network(demand.account_id, demand.channel_id)
    nodes = [
        replace(node, ship_open=True, closed_reason="")
        for node in network.shipping
        if node.id == node_id
    ]
    if not nodes:
        return []
    skus = sorted({line.sku_id for line in demand.lines})
    nodes = known.offered(skus, at.date()).in_turn(nodes, demand)
    snapshot = Snapshot(known, known.codes(skus), {}, frozenset())
    policy = known.policy(demand.account_id, demand.channel_id)
    there: dict[tuple[int, int], int] = {}
    for line in demand.lines:
        there[node_id, line.sku_id] = there.get((node_id, line.sku_id), 0) + line.quantity
    present = known.service_for(demand.service_level)
    found = []
    for code in sorted(known.services()):
        asked = replace(demand, service_level=code, pinned_node_id=node_id, requested_by=None)
        wanted, timezone = engine_demand(asked, snapshot, network, at=at)
        (plan,) = engine.plan([wanted], nodes, Supply(there), known.rates(), policy.rules)
        codes = {node.id: node.code for node in nodes}
        promise = promise_of(plan, timezone, {}, known.rates(), codes)
        if promise is not None:
            cost = plan.cost.true_cost - plan.cost.unfilled
            found.append(ServiceChoice(code, cost, plan.currency, promise, code == present))
    return sorted(found, key=lambda choice: (choice.cost_minor, choice.code))
