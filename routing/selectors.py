"""Reads of routing: what was decided and why, what else was possible, and what a choice would cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import inventory.selectors
from config.kernel.errors import NotFound
from config.kernel.types import Scope
from orders.selectors.demands import demands_of
from orders.sourcing import Demand, Plan, PlannedPromise
from routing import engine, reference
from routing.drawn import Drawn
from routing.models import RoutingDecision, SourcingPolicy
from routing.planner import plans_from
from routing.quote_models import ChannelPledge, PromiseQuote
from routing.snapshot import Snapshot, read_snapshot


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One decision as people and the API read it. `first` is the one that accepted the group."""

    id: UUID
    order_id: UUID
    group_id: UUID
    plan_version: int
    policy: str
    level: str
    winner: str
    cost_minor: int
    currency: str
    split_cause: str
    pinned: bool
    first: bool
    at: datetime
    record: engine.Record

    @property
    def why(self) -> list[str]:
        """Why here, in sentences."""
        return engine.why_here(self.record)

    @property
    def verdicts(self) -> list[tuple[str, engine.Verdict, str]]:
        """Every node of the network: (code, verdict, sentence)."""
        return engine.all_verdicts(self.record)


@dataclass(frozen=True, slots=True)
class Choice:
    """What sending a group from one node would mean now. `plan` has what it would take there."""

    node_id: int
    code: str
    name: str
    chosen_now: bool
    units: int
    missing: int
    cost_minor: int | None
    currency: str
    promise: PlannedPromise | None
    verdict: str
    sentence: str


def decisions_of(order_id: UUID, scope: Scope) -> list[DecisionView]:
    """Every decision about the order's groups, the latest first. One statement."""
    rows = list(
        RoutingDecision.objects.for_scope(scope)
        .filter(order_id=order_id)
        .defer("input")
        .order_by("-id")
    )
    oldest = {row.group_id: row.pk for row in rows}
    return [_view(row, first=oldest[row.group_id] == row.pk) for row in rows]


def standing(group_id: UUID, scope: Scope) -> DecisionView:
    """The decision that stands for the group. Raises NotFound for one that was never planned."""
    return _latest(group_id, scope)


def why_here(group_id: UUID, scope: Scope) -> list[str]:
    """Why the group goes from where it goes. Raises NotFound for one that was never planned."""
    return _latest(group_id, scope).why


def why_not(group_id: UUID, node_code: str, scope: Scope) -> str:
    """Why this node was not chosen. Raises NotFound for a node the decision does not know."""
    try:
        return engine.why_not(_latest(group_id, scope).record, node_code)
    except KeyError:
        raise NotFound(
            f"The decision knows no node {node_code}: it came to the network later."
        ) from None


def candidates_for(group_id: UUID, scope: Scope, *, at: datetime) -> list[Choice]:
    """What each node of the network would cost and promise if the group went from there, now.

    The group's own reserved units count as free: a move gives them back first. The node that the
    policy would choose comes first, then the fewest missing units, then the cost. The number of
    statements does not depend on the number of nodes. Raises NotFound for a group that has nothing
    unreleased.
    """
    demand = demands_of([group_id], scope).get(group_id)
    if demand is None:
        raise NotFound("Nothing of this group waits for a node.")
    return choices_for(demand, at=at)


def choices_for(demand: Demand, *, at: datetime) -> list[Choice]:
    """As `candidates_for`, of any demand; what its lines have claimed anywhere counts as free."""
    snapshot = _given_back(demand, read_snapshot([demand], excluded=frozenset(), at=at))
    free = next(plans_from([replace(demand, pinned_node_id=None)], snapshot, at=at))
    chosen = {take.node_id for take in free.takes}
    choices = []
    for node in snapshot.reference.network(demand.account_id, demand.channel_id).shipping:
        plan = next(plans_from([replace(demand, pinned_node_id=node.id)], snapshot, at=at))
        choices.append(_choice(plan, node, chosen_now=node.id in chosen))
    return sorted(
        choices,
        key=lambda choice: (
            not choice.chosen_now,
            choice.missing,
            choice.cost_minor is None,
            choice.cost_minor or 0,
            choice.code,
        ),
    )


def plan_now(demand: Demand, *, at: datetime) -> Plan:
    """What would be planned at this minute, the demand's own reserved units given back."""
    snapshot = _given_back(demand, read_snapshot([demand], excluded=frozenset(), at=at))
    return next(plans_from([demand], snapshot, at=at))


def _given_back(demand: Demand, snapshot: Snapshot) -> Snapshot:
    """The snapshot as it would be without the group's own reservations."""
    positions = dict(snapshot.positions)
    claims = inventory.selectors.claims_of([line.line_id for line in demand.lines])
    for claim in (claim for found in claims.values() for claim in found):
        key = (claim.node_id or 0, claim.sku_id)
        if claim.open and key in positions:
            positions[key] = replace(positions[key], free=positions[key].free + claim.open)
    return replace(snapshot, positions=positions)


def quote(
    demands: Sequence[Demand],
    *,
    at: datetime,
    policies: Mapping[UUID, SourcingPolicy] | None = None,
) -> list[Plan]:
    """Plan without reserving: a promise before the order exists, or what another policy would do.

    `policies` (by channel) replaces the live ones.
    """
    snapshot = read_snapshot(demands, excluded=frozenset(), at=at)
    tried = {channel: reference.policy_of(policy) for channel, policy in (policies or {}).items()}
    return list(plans_from(demands, snapshot, at=at, policies=tried))


def policies(scope: Scope, *, state: str = "") -> list[SourcingPolicy]:
    """Every version of every policy within the scope, by code, the latest first."""
    found = SourcingPolicy.objects.for_scope(scope).select_related("channel")
    if state:
        found = found.filter(state=state)
    return list(found.order_by("code", "channel_id", "-version"))


def policy(policy_id: UUID, scope: Scope) -> SourcingPolicy:
    """One version. Raises NotFound outside the scope."""
    found = SourcingPolicy.objects.for_scope(scope).select_related("channel", "based_on")
    row: SourcingPolicy | None = found.filter(pk=policy_id).first()
    if row is None:
        raise NotFound("There is no such policy.")
    return row


def pledges(scope: Scope, *, channel: str = "") -> list[ChannelPledge]:
    """What channels promise their buyers, or did; the latest start first."""
    found = ChannelPledge.objects.for_scope(scope)
    if channel:
        found = found.filter(channel__code=channel)
    return list(found.select_related("channel", "service_level").order_by("-starts_at", "-pk"))


def quote_of(quote_id: UUID, scope: Scope) -> PromiseQuote:
    """A quote that was given. Raises NotFound outside the scope, and once it was swept."""
    found = PromiseQuote.objects.for_scope(scope).select_related("channel").filter(pk=quote_id)
    row: PromiseQuote | None = found.first()
    if row is None:
        raise NotFound("There is no such quote.")
    return row


def _choice(plan: Plan, node: engine.Node, *, chosen_now: bool) -> Choice:
    drawn = plan.decision
    if not isinstance(drawn, Drawn):
        raise TypeError("a plan of ours carries what was drawn from it")
    units = sum(take.quantity for take in plan.takes)
    record = engine.expand(drawn.record)
    [verdict] = [row.verdict for row in record.candidates if row.code == node.code]
    return Choice(
        node_id=node.id,
        code=node.code,
        name=node.name,
        chosen_now=chosen_now,
        units=units,
        missing=sum(quantity for _, quantity, _ in plan.unfilled),
        cost_minor=drawn.cost_minor if units else None,
        currency=drawn.currency,
        promise=plan.promise,
        verdict=verdict,
        sentence=engine.why_not(record, node.code),
    )


def _latest(group_id: UUID, scope: Scope) -> DecisionView:
    rows = RoutingDecision.objects.for_scope(scope).filter(group_id=group_id).defer("input")
    row = rows.order_by("-id").first()
    if row is None:
        raise NotFound("No routing decision was made for this group.")
    return _view(row, first=False)


def _view(row: RoutingDecision, *, first: bool) -> DecisionView:
    record = engine.expand(row.record)
    return DecisionView(
        id=row.pk,
        order_id=row.order_id,
        group_id=row.group_id,
        plan_version=row.plan_version,
        policy=f"{record.policy} v{record.version}",
        level=row.level,
        winner=row.winner,
        cost_minor=row.cost_minor,
        currency=row.currency,
        split_cause=row.split_cause,
        pinned=row.pinned,
        first=first,
        at=row.at,
        record=record,
    )
