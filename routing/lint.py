"""What is doubtful in a policy before it goes live: rules nobody reaches, places nobody serves.

An `error` makes a policy do what nobody can have meant; a `warning` may be meant.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from math import ceil

import inventory.selectors
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS
from inventory.selectors.traits import goods_elsewhere, groups_of_nodes
from inventory.types import NodeView
from routing.engine import Constraint
from routing.engine.geo import haversine_km
from routing.engine.types import Place
from routing.models import RoutingDecision, SourcingPolicy
from routing.places import states
from routing.rule_reading import parse_rules
from routing.rules import ATTRIBUTES, Condition, Kind, Rule, Test, asks_about_skus
from routing.ruling import left_by

EXAMPLES = 5
DEMAND_DAYS = 28
"""Over so many days the recorded demand is counted that capacity is compared with."""
SHIP = "ship"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something doubtful: a stable `code`, the rule or node it is about, and what to do."""

    severity: Severity
    code: str
    about: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a policy is held against: its rules, the nodes that it may use, and their groups."""

    policy: SourcingPolicy
    rules: tuple[Rule, ...]
    nodes: tuple[NodeView, ...]
    known: tuple[NodeView, ...]
    groups: Mapping[int, Collection[str]]

    def left(self, rule: Rule) -> list[NodeView]:
        if rule.nodes is None:
            return list(self.nodes)
        ids = left_by(rule.nodes, self.nodes, self.groups)
        return [node for node in self.nodes if node.id in ids]

    def soft(self, rule: Rule) -> Collection[str]:
        given: Collection[str] = rule.limits.get("soft", self.policy.soft)
        return given

    def max_km(self, rule: Rule) -> int | None:
        most: int | None = rule.limits.get("max_km", self.policy.max_km)
        return most


def findings(policy: SourcingPolicy, *, at: datetime) -> list[Finding]:
    """Everything doubtful in the policy, errors first. Three statements and those of the network."""
    ground = _ground_of(policy)
    found = [
        *_unknown_names(ground),
        *_without_nodes(ground),
        *_unreachable(ground),
        *_overlaps(ground),
        *_without_fallback(ground),
        *_places_out_of_reach(ground),
        *_goods_elsewhere(ground),
        *_nodes_without_hours(ground),
        *_capacity_under_demand(ground, at),
    ]
    return sorted(found, key=lambda one: one.severity is Severity.WARNING)


def _ground_of(policy: SourcingPolicy) -> _Ground:
    known = inventory.selectors.network(policy.account_id)
    channels = Channel.objects.for_scope(ALL_ACCOUNTS).filter(account_id=policy.account_id)
    if policy.channel_id is not None:
        channels = channels.filter(pk=policy.channel_id)
    ships = {
        node_id
        for channel_id in channels.values_list("pk", flat=True)
        for node_id, (does, _) in inventory.selectors.channel_nodes(channel_id).items()
        if does
    }
    return _Ground(
        policy,
        parse_rules(policy.rules),
        tuple(node for node in known if node.id in ships),
        known,
        groups_of_nodes(policy.account_id),
    )


def _unknown_names(ground: _Ground) -> Iterator[Finding]:
    codes = {node.code for node in ground.known}
    groups = frozenset().union(*map(frozenset, ground.groups.values()))
    for rule in ground.rules:
        if rule.nodes is None:
            continue
        unknown = (rule.nodes.nodes | rule.nodes.except_nodes) - codes
        unknown |= (rule.nodes.groups | rule.nodes.except_groups) - groups
        if unknown:
            yield Finding(
                Severity.ERROR,
                "unknown-node",
                rule.name,
                f"No node or group is called {_some(unknown)}. Correct the name, or create it.",
            )


def _without_nodes(ground: _Ground) -> Iterator[Finding]:
    if not ground.nodes:
        yield Finding(
            Severity.ERROR,
            "no-nodes",
            ground.policy.name,
            "No node ships for this channel. Add nodes to its network first.",
        )
        return
    for rule in ground.rules:
        if not ground.left(rule):
            yield Finding(
                Severity.ERROR,
                "no-nodes",
                rule.name,
                "The rule leaves no node of the network: its orders could not be sent at all.",
            )


def _unreachable(ground: _Ground) -> Iterator[Finding]:
    for place, rule in enumerate(ground.rules):
        before = next((one for one in ground.rules[:place] if _covers(one, rule)), None)
        if before is not None:
            yield Finding(
                Severity.ERROR,
                "unreachable",
                rule.name,
                f"{before.name} stands before it and takes every order that it is about. "
                "Move it up, or narrow the other.",
            )


def _overlaps(ground: _Ground) -> Iterator[Finding]:
    for first, second in combinations(ground.rules, 2):
        if _covers(first, second) or _covers(second, first) or not _can_meet(first, second):
            continue
        yield Finding(
            Severity.WARNING,
            "overlap",
            second.name,
            f"An order can meet both this rule and {first.name}; {first.name} stands first and "
            "decides.",
        )


def _without_fallback(ground: _Ground) -> Iterator[Finding]:
    for rule in ground.rules:
        left = ground.left(rule)
        if not left or len(left) == len(ground.nodes) or Constraint.NODES in ground.soft(rule):
            continue
        yield Finding(
            Severity.WARNING,
            "no-fallback",
            rule.name,
            "What its nodes do not have waits, though others may hold it. Make the choice of nodes "
            "soft to have the others send the rest.",
        )


def _places_out_of_reach(ground: _Ground) -> Iterator[Finding]:
    """States whose middle lies beyond the distance limit of every node that is left."""
    everything = Rule(ground.policy.name)
    for rule in (*ground.rules, everything):
        most = ground.max_km(rule)
        left = [
            (node.latitude, node.longitude)
            for node in ground.left(rule)
            if node.latitude is not None and node.longitude is not None
        ]
        if most is None or not left or Constraint.MAX_KM in ground.soft(rule):
            continue
        far = [
            state
            for state, middle in sorted(states().items())
            if all(
                haversine_km(
                    latitude,
                    longitude,
                    Place("", middle.latitude, middle.longitude, state, "US"),
                )
                > most
                for latitude, longitude in left
            )
        ]
        if far:
            yield Finding(
                Severity.WARNING,
                "places-out-of-reach",
                rule.name,
                f"No node lies within {most:,} km of {_some(far, len(far))}: such orders are not "
                "sent. Raise the limit, or make it soft.",
            )


def _goods_elsewhere(ground: _Ground) -> Iterator[Finding]:
    """Rules that shut out every node that holds a SKU; those that ask about SKUs are left out."""
    asked = [
        (rule, [node.id for node in left])
        for rule in ground.rules
        if rule.nodes is not None
        and not asks_about_skus([rule])
        and Constraint.NODES not in ground.soft(rule)
        and (left := ground.left(rule))
    ]
    if not asked:
        return
    found = goods_elsewhere(
        ground.policy.account_id,
        [node.id for node in ground.nodes],
        [left for _, left in asked],
        examples=EXAMPLES,
    )
    for place, count, codes in found:
        yield Finding(
            Severity.WARNING,
            "goods-elsewhere",
            asked[place][0].name,
            f"{count:,} SKU{'' if count == 1 else 's'} can be sold that none of its nodes holds: "
            f"{_some(codes, count)}.",
        )


def _nodes_without_hours(ground: _Ground) -> Iterator[Finding]:
    for node in ground.nodes:
        if node.performs(SHIP) and not node.hours:
            yield Finding(
                Severity.ERROR,
                "no-calendar",
                node.code,
                "The node has no working hours: nothing can be promised from it. Enter its hours.",
            )


def _capacity_under_demand(ground: _Ground, at: datetime) -> Iterator[Finding]:
    """The orders that its nodes may ship in a week beside those that came in a usual one."""
    open_nodes = [node for node in ground.nodes if node.performs(SHIP)]
    limits = [
        sum(one.most for one in node.capacities if (one.function, one.resource) == (SHIP, "orders"))
        for node in open_nodes
    ]
    if not open_nodes or not all(limits):
        return
    weekly = ceil(_recorded(ground.policy, at) * 7 / DEMAND_DAYS)
    if sum(limits) < weekly:
        yield Finding(
            Severity.WARNING,
            "capacity-under-demand",
            ground.policy.name,
            f"Its nodes ship {sum(limits):,} orders a week at most, and {weekly:,} came in a usual "
            f"week of the last {DEMAND_DAYS} days.",
        )


def _recorded(policy: SourcingPolicy, at: datetime) -> int:
    """The delivery groups planned in the last weeks, of the channel where the policy is one's own."""
    planned = RoutingDecision.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=policy.account_id, at__gte=at - timedelta(days=DEMAND_DAYS), at__lt=at
    )
    if policy.channel_id is not None:
        planned = planned.filter(policy__channel_id=policy.channel_id)
    return planned.values("group_id").distinct().count()


def _covers(first: Rule, second: Rule) -> bool:
    """Whether the first rule takes every order that the second is about, whenever that is in force."""
    begins = first.starts_at is None or (
        second.starts_at is not None and first.starts_at <= second.starts_at
    )
    lasts = first.ends_at is None or (
        second.ends_at is not None and second.ends_at <= first.ends_at
    )
    return (
        begins
        and lasts
        and all(any(_implies(one, asked) for one in second.when) for asked in first.when)
    )


def _implies(one: Condition, other: Condition) -> bool:
    """Whether the other condition holds wherever this one does."""
    if one.attribute != other.attribute or one.test is not other.test:
        return False
    match one.test:
        case Test.AT_LEAST:
            return one.number >= other.number
        case Test.AT_MOST:
            return one.number <= other.number
        case Test.IS_NOT:
            return set(other.values) <= set(one.values)
        case Test.STARTS_WITH:
            return all(value.startswith(other.values) for value in one.values)
        case _:
            return set(one.values) <= set(other.values)


def _can_meet(first: Rule, second: Rule) -> bool:
    """Whether one order may meet both rules at one time, as far as their conditions tell."""
    if first.ends_at and second.starts_at and first.ends_at <= second.starts_at:
        return False
    if second.ends_at and first.starts_at and second.ends_at <= first.starts_at:
        return False
    return not any(_excludes(one, other) for one in first.when for other in second.when)


def _excludes(one: Condition, other: Condition) -> bool:
    """Whether no order can meet both. An order has several lines and tags: one does not rule out another."""
    if one.attribute != other.attribute:
        return False
    tests = {one.test, other.test}
    if tests == {Test.AT_LEAST, Test.AT_MOST}:
        least, most = (one, other) if one.test is Test.AT_LEAST else (other, one)
        return least.number > most.number
    if asks_about_skus([Rule("", (one,))]) and one.attribute != "hazmat":
        return tests == {Test.ALL_ARE} and not set(one.values) & set(other.values)
    if tests == {Test.IS}:
        several = ATTRIBUTES[one.attribute].kind is Kind.TAGS
        return not several and not set(one.values) & set(other.values)
    if tests == {Test.IS, Test.IS_NOT}:
        same, never = (one, other) if one.test is Test.IS else (other, one)
        return set(same.values) <= set(never.values)
    return False


def _some(names: Collection[str], count: int | None = None) -> str:
    shown = sorted(names)[:EXAMPLES]
    more = (count or len(names)) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
