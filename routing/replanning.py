"""Better plans for orders that have one: joint plans of the engine, less what is not worth a move."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from inventory.types import ReservationView
from orders.selectors.standing import StandingGroup
from orders.sourcing import Plan
from routing import engine
from routing.binding import bind, in_time
from routing.drawn import Basis
from routing.engine.results import worth_moving
from routing.left import Left
from routing.offered import Leads, stored
from routing.planner import engine_demand, plan_of
from routing.reference import Network, Policy
from routing.rooms import SHIP
from routing.ruling import policies_for
from routing.snapshot import Snapshot, read_snapshot

if TYPE_CHECKING:
    from routing.engine.joint import Loads

OVERTIME = 500
"""Minor units of a parcel beyond what its node can send in its window."""

SECONDS = 8.0
"""How long one program may take; then orders are planned one by one, and say so."""

Claims = Mapping[UUID, Sequence[ReservationView]]


@dataclass(frozen=True, slots=True)
class Better:
    """A plan that is worth moving to. Costs are minor units; `saved` is the objective's, with prices.

    `forced`: what stands may not be sent any more, so that it has no cost to compare with.
    """

    plan: Plan
    was: tuple[str, ...]
    now: tuple[str, ...]
    was_minor: int
    now_minor: int
    saved: int
    forced: bool = False

    def told(self) -> dict[str, Any]:
        return {
            "was": list(self.was),
            "now": list(self.now),
            "was_minor": self.was_minor,
            "now_minor": self.now_minor,
            "saved_minor": self.saved,
            "forced": self.forced,
        }


@dataclass(slots=True)
class Found:
    """What planning again came to."""

    better: list[Better] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)


def better_plans(groups: Sequence[StandingGroup], claims: Claims, *, at: datetime) -> Found:
    """Plan the groups together with what all of them have, and answer what is worth a move.

    The number of statements does not depend on that of groups.
    """
    demands = [group.demand for group in groups]
    snapshot = read_snapshot(demands, excluded=frozenset(), at=at)
    bound = bind(demands, snapshot.reference, at=at)
    look = _Look(snapshot, Left.of(snapshot, ()), at)
    policies = policies_for(demands, snapshot.reference, {}, at)
    stands = [
        _Stands(
            group,
            in_time(group.demand, policy),
            _sources(group, claims),
            snapshot.offered.leads(group.demand),
        )
        for group, policy in zip(groups, policies, strict=True)
    ]
    for _, run in groupby(sorted(stands, key=_run_key), key=_run_key):
        look.plan(list(run))
    better = [replace(one, plan=bound.plan(one.plan)) for one in look.found.better]
    return replace(look.found, better=better)


@dataclass(frozen=True, slots=True)
class _Stands:
    """A group, the policy that decides for it, and its units by (line, node)."""

    group: StandingGroup
    policy: Policy
    sources: Mapping[tuple[str, int], int]
    leads: Leads = ()

    @property
    def nodes(self) -> set[int]:
        return {node for _, node in self.sources}


def _run_key(one: _Stands) -> tuple[str, str, Leads]:
    return str(one.group.demand.channel_id), one.policy.rules.code, one.leads


@dataclass(slots=True)
class _Look:
    """What the runs of a look share: one supply, and what was found."""

    snapshot: Snapshot
    left: Left
    at: datetime
    found: Found = field(default_factory=Found)

    def plan(self, run: list[_Stands]) -> None:
        """Groups of one channel under one rule: a joint plan, and those of its moves that are worth it."""
        demand = run[0].group.demand
        network = self.snapshot.reference.network(demand.account_id, demand.channel_id)
        there = {node.id for node in network.shipping}
        known = [one for one in run if one.nodes <= there]
        if len(known) < len(run):
            self.found.refused["outside"] += len(run) - len(known)
        if known:
            self._plan_known(known, network)

    def _plan_known(self, run: list[_Stands], network: Network) -> None:
        # Twenty megabytes of solver that only a process which plans orders again should carry.
        from routing.engine.joint import (
            Loads,
            in_turn,
            plan_together,
            roomless,
            standing_plans,
        )
        from routing.engine.joint_program import Standing, Terms

        demands, policy = [one.group.demand for one in run], run[0].policy
        own = _units_of(run)
        supply, kept_back = self.left.offered(demands[0].channel_id, {sku for _, sku in own}, own)
        full = _full(self.snapshot, network)
        standing, zones = [], []
        for one in run:
            wanted, zone = engine_demand(one.group.demand, self.snapshot, network, at=self.at)
            promised = one.group.deliver_by.astimezone(ZoneInfo(zone)).date()
            standing.append(Standing(_shut_out(wanted, full, one.nodes), one.sources, promised))
            zones.append(zone)
        rates = self.snapshot.reference.rates()
        terms = Terms(
            _room(self.snapshot, run),
            OVERTIME,
            policy.worthwhile_minor,
            seconds=SECONDS,
        )
        book = roomless(self.snapshot.book(demands, policy, at=self.at), terms)
        nodes = self.snapshot.offered.nodes(network.shipping, run[0].leads)
        shared = (nodes, supply, rates, policy.rules)
        now = standing_plans(standing, *shared, book)
        plans = plan_together(standing, *shared, terms, book)
        loads = Loads.of(standing, terms)
        for place in in_turn(standing, plans, loads):
            one, zone, stands, plan = run[place], zones[place], now[place], plans[place]
            self.found.levels[str(plan.level)] += 1
            if _taken(plan) == one.sources:
                self.found.refused["stays"] += 1
                continue
            basis = self._basis(one, plan, supply, book, nodes)
            planned = plan_of(
                one.group.demand,
                plan,
                basis,
                self.snapshot,
                self.left,
                zone,
                kept_back,
                at=self.at,
            )
            self._judge(one, planned, plan, stands, network, loads)

    def _basis(
        self,
        one: _Stands,
        plan: engine.Plan,
        supply: engine.Supply,
        book: engine.PriceBook | None,
        nodes: Sequence[engine.Node],
    ) -> Basis:
        held = {line.sku: dict(supply.holders(line.sku)) for line in plan.demand.lines}
        return Basis(
            one.group.demand,
            plan.demand,
            one.policy.id,
            one.policy.rules,
            self.snapshot.reference.versions,
            held,
            {},
            book if plan.book else None,
            partners=stored(nodes, held.keys()),
        )

    def _judge(
        self,
        one: _Stands,
        planned: Plan,
        plan: engine.Plan,
        stands: engine.Plan | None,
        network: Network,
        loads: "Loads",
    ) -> None:
        now = {parcel.node for parcel in plan.parcels}
        relieved = loads.saved(one.nodes, now)
        if why := _not_better(one.group, planned, plan, stands, one.policy, relieved):
            self.found.refused[why] += 1
            return
        loads.move(one.nodes, now)
        codes = {node.id: node.code for node in network.shipping}
        self.found.better.append(_better(planned, plan, stands, codes, one.sources, relieved))
        _use(self.left, plan, one.sources)


def _units_of(run: Sequence[_Stands]) -> Counter[tuple[int, int]]:
    """What the groups have reserved, by (node, SKU)."""
    own: Counter[tuple[int, int]] = Counter()
    for one in run:
        skus = {str(line.line_id): line.sku_id for line in one.group.demand.lines}
        for (line, node), units in one.sources.items():
            own[node, skus[line]] += units
    return own


def _not_better(
    group: StandingGroup,
    planned: Plan,
    plan: engine.Plan,
    stands: engine.Plan | None,
    policy: Policy,
    relieved: int,
) -> str:
    """Why the plan is not worth a move, or not allowed; empty where it is both.

    `relieved` is the overtime that the move saves.
    """
    promise = planned.promise
    if plan.unfilled or promise is None:
        return "unfilled"
    if promise.ship_by > group.ship_by or promise.deliver_latest > group.deliver_by:
        return "later"
    if stands is None:
        return ""
    worth = worth_moving(
        stands.cost.score - plan.cost.score + relieved,
        stands,
        least=policy.worthwhile_minor,
        percent=policy.worthwhile_percent,
    )
    return "" if worth else "too_little"


def _better(
    planned: Plan,
    plan: engine.Plan,
    stands: engine.Plan | None,
    codes: Mapping[int, str],
    held: Mapping[tuple[str, int], int],
    relieved: int,
) -> Better:
    cost = plan.cost.true_cost
    return Better(
        planned,
        _codes(codes, held),
        _codes(codes, _taken(plan)),
        cost if stands is None else stands.cost.true_cost,
        cost,
        0 if stands is None else stands.cost.score - plan.cost.score + relieved,
        forced=stands is None,
    )


def _sources(group: StandingGroup, claims: Claims) -> dict[tuple[str, int], int]:
    """What the group has reserved, by line and node."""
    held: Counter[tuple[str, int]] = Counter()
    for line in group.demand.lines:
        for claim in claims.get(line.line_id, ()):
            if claim.open and claim.node_id is not None:
                held[str(line.line_id), claim.node_id] += claim.open
    return dict(held)


def _taken(plan: engine.Plan) -> dict[tuple[str, int], int]:
    return {(given.line, given.node): given.quantity for given in plan.assignments}


def _codes(codes: Mapping[int, str], held: Mapping[tuple[str, int], int]) -> tuple[str, ...]:
    return tuple(sorted({codes[node] for _, node in held}))


def _full(snapshot: Snapshot, network: Network) -> frozenset[int]:
    """Nodes that begin no more than they have: who stands there stays, and nobody comes."""
    shut = {
        node.id
        for node in snapshot.rooms.open_nodes(network, SHIP)
        if node.closed_reason == engine.FULL
    }
    return frozenset(shut | set(snapshot.rooms.waits_of(SHIP)))


def _room(snapshot: Snapshot, run: Sequence[_Stands]) -> dict[int, int]:
    """How many parcels of these groups each node with a limit can send: those that it has, and more."""
    room = snapshot.rooms.parcels_left(SHIP)
    for one in run:
        for node in one.nodes & room.keys():
            room[node] += 1
    return {node: max(0, parcels) for node, parcels in room.items()}


def _shut_out(wanted: engine.Demand, full: frozenset[int], now: set[int]) -> engine.Demand:
    """The demand without the nodes that are full, but for those where it stands now."""
    closed = full - now
    if not closed:
        return wanted
    pairs = {(node, line.sku) for node in closed for line in wanted.lines}
    return replace(wanted, excluded=wanted.excluded | pairs)


def _use(left: Left, plan: engine.Plan, held: Mapping[tuple[str, int], int]) -> None:
    """What a move takes beyond what it gives back is gone for the runs that follow."""
    skus = {line.key: line.sku for line in plan.demand.lines}
    for (line, node), units in _taken(plan).items():
        more = units - held.get((line, node), 0)
        there = left.supply.holders(skus[line]).get(node, 0)
        if part := min(more, there):
            left.supply.take(node, skus[line], max(0, part))
