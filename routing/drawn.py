"""A plan as it is stored: the engine's record, and beside it what the plan was made from. Pure."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from orders.sourcing import Demand
from routing import engine


@dataclass(frozen=True, slots=True)
class Drawn:
    """One group's decision, ready to be stored; carried through the caller as `Plan.decision`."""

    account_id: UUID
    order_id: UUID
    group_id: UUID
    plan_version: int
    policy_id: UUID | None
    level: str
    record: Mapping[str, Any]
    input: bytes
    winner: str
    cost_minor: int
    currency: str
    split_cause: str
    pinned: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Basis:
    """What a group was planned from, beside the network."""

    asked: Demand
    demand: engine.Demand
    policy_id: UUID | None
    policy: engine.Policy
    versions: Mapping[str, int]
    supply: Mapping[tuple[int, int], int]


def drawn(plan: engine.Plan, basis: Basis, *, at: datetime) -> Drawn:
    """Turn the engine's plan into what is stored."""
    codes = {candidate.node: candidate.code for candidate in plan.candidates}
    return Drawn(
        account_id=basis.asked.account_id,
        order_id=basis.asked.order_id,
        group_id=basis.asked.group_id,
        plan_version=basis.asked.plan_version,
        policy_id=basis.policy_id,
        level=plan.level,
        record=engine.compact(plan),
        input=_input(basis),
        winner=", ".join(sorted({codes[parcel.node] for parcel in plan.parcels})),
        cost_minor=plan.cost.true_cost - plan.cost.unfilled,
        currency=plan.currency,
        split_cause=plan.split_cause or "",
        pinned=basis.asked.pinned_node_id is not None,
        at=at,
    )


def _input(basis: Basis) -> bytes:
    demand, policy, weights = basis.demand, basis.policy, basis.policy.weights
    skus = {line.sku for line in demand.lines}
    given = {
        "demand": {
            "lines": [
                [line.key, line.sku, line.quantity, line.weight_grams, line.unit_value, line.parent]
                for line in demand.lines
            ],
            "point": [demand.destination.latitude, demand.destination.longitude],
            "service": demand.service,
            "at": demand.at.isoformat(),
            "deliver_by": demand.deliver_by.isoformat() if demand.deliver_by else None,
            "ship_complete": demand.ship_complete,
            "pinned_node": demand.pinned_node,
            "excluded": sorted(pair for pair in demand.excluded if pair[1] in skus),
        },
        "supply": sorted([node, sku, units] for (node, sku), units in basis.supply.items()),
        "policy": {
            "code": policy.code,
            "version": policy.version,
            "cost_percent": weights.cost_percent,
            "parcel_minor": weights.parcel,
            "km_milli": weights.distance_per_km,
            "late_day_minor": weights.late_day,
            "max_nodes": policy.max_nodes_per_demand,
            "max_nodes_per_line": policy.max_nodes_per_line,
            "max_km": policy.max_km,
            "on_time": policy.on_time,
            "allow_partial": policy.allow_partial,
            "soft": sorted(policy.soft),
        },
        "versions": dict(basis.versions),
    }
    return zlib.compress(json.dumps(given, separators=(",", ":")).encode(), level=6)


def opened_input(stored: bytes | memoryview) -> dict[str, Any]:
    """What the engine was given, from the stored bytes."""
    given: dict[str, Any] = json.loads(zlib.decompress(bytes(stored)))
    return given
