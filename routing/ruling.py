"""Which rule of its policy decides for a demand."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from inventory.types import NodeView
from orders.sourcing import Demand
from routing import engine
from routing.facts import ChannelFacts, facts_of
from routing.rules import NodeFilter, Rule, asks_about_skus

if TYPE_CHECKING:
    from routing.reference import Policy, Reference


@dataclass(frozen=True, slots=True)
class Case:
    """A rule, and the policy as the engine takes it where the rule applies."""

    rule: Rule
    rules: engine.Policy


def cases_of(
    base: engine.Policy,
    rules: Sequence[Rule],
    nodes: Sequence[NodeView],
    groups: Mapping[int, Collection[str]],
) -> tuple[Case, ...]:
    """Each rule as the engine takes it: the policy's own values, with what is different."""
    return tuple(Case(rule, _under(base, rule, nodes, groups)) for rule in rules)


def _under(
    base: engine.Policy,
    rule: Rule,
    nodes: Sequence[NodeView],
    groups: Mapping[int, Collection[str]],
) -> engine.Policy:
    changed: dict[str, Any] = {"code": f"{base.code}/{rule.code}"}
    if rule.weights:
        said = rule.weights
        changed["weights"] = replace(
            base.weights,
            cost_percent=said.get("cost_percent", base.weights.cost_percent),
            parcel=said.get("parcel_minor", base.weights.parcel),
            distance_per_km=said.get("km_milli", base.weights.distance_per_km),
            late_day=said.get("late_day_minor", base.weights.late_day),
        )
    limits = dict(rule.limits)
    if "max_nodes" in limits:
        changed["max_nodes_per_demand"] = limits.pop("max_nodes")
    if "split_lines" in limits:
        changed["max_nodes_per_line"] = None if limits.pop("split_lines") else 1
    if "soft" in limits:
        changed["soft"] = frozenset(engine.Constraint(code) for code in limits.pop("soft"))
    if rule.nodes is not None:
        changed["nodes"] = left_by(rule.nodes, nodes, groups)
    return replace(base, **changed, **limits)


def left_by(
    chosen: NodeFilter, nodes: Sequence[NodeView], groups: Mapping[int, Collection[str]]
) -> frozenset[int]:
    """The ids of the nodes that a rule leaves."""
    return frozenset(
        node.id
        for node in nodes
        if chosen.leaves(code=node.code, kind=node.kind, groups=groups.get(node.id, ()))
    )


def policies_for(
    demands: Sequence[Demand],
    known: "Reference",
    tried: Mapping[UUID, "Policy"],
    at: datetime,
) -> list["Policy"]:
    """What decides for each demand, in order. `tried` (by channel) replaces the live policies.

    One statement where rules ask about SKUs that nobody has asked about yet, and else none.
    """
    found = [
        tried.get(demand.channel_id) or known.policy(demand.account_id, demand.channel_id)
        for demand in demands
    ]
    asked = {
        line.sku_id
        for demand, policy in zip(demands, found, strict=True)
        if policy.cases and asks_about_skus([case.rule for case in policy.cases])
        for line in demand.lines
    }
    skus = known.traits(asked) if asked else {}
    return [
        _decides(demand, policy, known.channel(demand.account_id, demand.channel_id), skus, at)
        if policy.cases
        else policy
        for demand, policy in zip(demands, found, strict=True)
    ]


def _decides(
    demand: Demand,
    policy: "Policy",
    channel: ChannelFacts | None,
    skus: Mapping[int, Any],
    at: datetime,
) -> "Policy":
    facts = facts_of(demand, channel, skus)
    for case in policy.cases:
        if case.rule.applies(facts, at):
            return replace(policy, rules=case.rules, cases=())
    return replace(policy, cases=())
