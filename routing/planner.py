"""Routing behind orders' sourcing port: reads supply once, runs the engine, keeps why."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from config.kernel.types import Actor
from orders.sourcing import Demand, Plan, PlannedPromise, PlannedTake
from routing import engine
from routing.binding import bind, in_time, is_quoted
from routing.drawn import Basis, Drawn
from routing.left import Left
from routing.offered import stored
from routing.places import locate
from routing.recording import insert_decisions
from routing.reference import Network, Policy, unfilled_cost
from routing.rooms import Rooms
from routing.ruling import policies_for
from routing.snapshot import (
    PICKUP_METHODS,
    STORE_METHODS,
    Goods,
    Key,
    Snapshot,
    function_of,
    read_snapshot,
)
from routing.timetables import timetable_for
from routing.willingness import (
    SURE,
)

END_OF_DAY = time(23, 59, 59)
MOST_PARTS, LEAST_PART = 4, 100
"""Decisions are written in at most so many parts, of at least so many each."""
FIRST_PART = 32
"""Demands that are planned at a time where a limit may be passed on the way; then twice as many."""

KEPT = "kept_for_others"
"""Why units are unfilled that are there, but in other channels' quotas."""


class Planner:
    """The implementation of `orders.sourcing.Sourcing`."""

    def plan(
        self, demands: Sequence[Demand], *, excluded: frozenset[Key], at: datetime
    ) -> list[Plan]:
        """One plan per demand, in order; three statements while the reference values are known."""
        if not demands:
            return []
        snapshot = read_snapshot(demands, excluded=excluded, at=at)
        bound = bind(demands, snapshot.reference, at=at)
        return [bound.plan(plan) for plan in plans_from(bound.demands, snapshot, at=at)]

    def record(self, plans: Sequence[Plan], *, at: datetime, actor: Actor) -> None:
        """Write the last decision of each group: of many in parts, each sent while the next is drawn.

        `at` and `actor` stand on the order.
        """
        last: dict[UUID, Drawn] = {
            plan.group_id: plan.decision for plan in plans if isinstance(plan.decision, Drawn)
        }
        drawn = list(last.values())
        size = max(LEAST_PART, -(-len(drawn) // MOST_PARTS))
        for start in range(0, len(drawn), size):
            insert_decisions(drawn[start : start + size])


def plans_from(
    demands: Sequence[Demand],
    snapshot: Snapshot,
    *,
    at: datetime,
    policies: dict[UUID, Policy] | None = None,
    narrow: bool = False,
) -> Iterator[Plan]:
    """Plan the demands one after another against one supply: what one takes, the next lacks.

    `policies` (by channel) replaces the live ones, for what-if questions. `narrow` leaves out nodes
    that have none of a demand's goods: the plan is the same, and says nothing of them.
    """
    left = Left.of(snapshot, demands)
    found = policies_for(demands, snapshot.reference, policies or {}, at)
    ruled = [in_time(demand, policy) for demand, policy in zip(demands, found, strict=True)]
    goods = snapshot.goods(demands)
    for (*_, kind), run in groupby(zip(demands, ruled, goods, strict=True), key=_run_key):
        together = list(run)
        alike = [demand for demand, *_ in together]
        yield from _plan_run(alike, snapshot, left, together[0][1], kind, at=at, narrow=narrow)


def _run_key(ruled: tuple[Demand, Policy, Goods]) -> tuple[UUID, bool, str, UUID | None, Goods]:
    """What is planned in one call; what its cart holds, or what it was quoted, is its own."""
    demand, policy, goods = ruled
    by_itself = demand.group_id if demand.held or is_quoted(demand) else None
    pickup = demand.method in PICKUP_METHODS
    return demand.channel_id, pickup, policy.rules.code, by_itself, goods


class Ground(NamedTuple):
    """The nodes as a run sees them while rooms stand as they do, and how they weigh."""

    rooms: Rooms
    network: Network
    nodes: tuple[engine.Node, ...]
    policy: Policy
    timetable: engine.Timetable


def _ground(
    demand: Demand, snapshot: Snapshot, policy: Policy, goods: Goods, rooms: Rooms
) -> Ground:
    user = demand.account_id, demand.channel_id
    network = snapshot.reference.network(*user)
    nodes, weighed = snapshot.willing(demand, network, policy, goods, rooms)
    timetable = timetable_for(user, network, nodes, snapshot.reference.rates())
    return Ground(rooms, network, nodes, weighed, timetable)


def _plan_run(  # what a run is, and what all runs share
    demands: list[Demand],
    snapshot: Snapshot,
    left: Left,
    policy: Policy,
    goods: Goods,
    *,
    at: datetime,
    narrow: bool,
) -> Iterator[Plan]:
    """Demands of one channel that are all pickups or all not: one call of the engine.

    Where nodes have limits that may be passed it is one for each part of them: from the demand that
    passes a limit on, the node begins with more later. Narrow ones have their own nodes each.
    """
    book = snapshot.book(demands, policy, at=at)
    first = FIRST_PART if snapshot.rooms.paced else len(demands)
    start, size = 0, 1 if narrow else first
    ground = _ground(demands[0], snapshot, policy, goods, left.pace.rooms)
    while start < len(demands):
        if left.pace.rooms is not ground.rooms:
            ground = _ground(demands[0], snapshot, policy, goods, left.pace.rooms)
        part, planned = demands[start : start + size], 0
        for plan in _plan_part(part, snapshot, left, ground, book, at=at, narrow=narrow):
            planned += 1
            yield plan
        start += planned
        if not narrow:
            size = 2 * size if planned == len(part) else FIRST_PART


def _plan_part(
    demands: list[Demand],
    snapshot: Snapshot,
    left: Left,
    ground: Ground,
    book: engine.PriceBook | None,
    *,
    at: datetime,
    narrow: bool,
) -> Iterator[Plan]:
    """Plans up to the first that fills a node, in the order given."""
    known = snapshot.reference
    function = function_of(demands[0])
    nodes, policy = ground.nodes, ground.policy
    full_until = ground.rooms.waits_of(function)
    asked = [engine_demand(demand, snapshot, ground.network, at=at) for demand in demands]
    channel_id = demands[0].channel_id
    held = {(node_id, sku_id): units for node_id, sku_id, units in demands[0].held}
    skus = {line.sku_id for one in demands for line in one.lines}
    supply, kept = left.offered(channel_id, skus, held)
    if narrow:
        nodes = nodes_that_have(nodes, supply, skus)
    solved = engine.plan(
        [wanted for wanted, _ in asked],
        nodes,
        supply,
        known.rates(),
        policy.rules,
        book,
        ground.timetable,
    )
    acceptance = {node.id: node.acceptance for node in nodes if node.acceptance != SURE}
    for demand, (wanted, timezone), plan in zip(demands, asked, solved, strict=True):
        wanted_skus = {line.key: line.sku for line in wanted.lines}
        basis = Basis(
            demand,
            wanted,
            policy.id,
            policy.rules,
            known.versions,
            {sku: dict(supply.holders(sku)) for sku in wanted_skus.values()},
            full_until,
            book if plan.book else None,
            acceptance,
            stored(nodes, set(wanted_skus.values())),
        )
        yield plan_of(demand, plan, basis, snapshot, left, timezone, kept, at=at)
        for given in plan.assignments:
            key = (given.node, wanted_skus[given.line])
            left.take(channel_id, supply, key, given.quantity, held)
        if left.pace.passes(function, plan):
            return


def nodes_that_have(
    nodes: Sequence[engine.Node], supply: engine.Supply, skus: Collection[int]
) -> tuple[engine.Node, ...]:
    """The nodes that have any of the goods, in their order, and one that has none.

    That one stands for all like it, so that a plan never has opened every node there is. Suppliers
    stay: what one asks at least is said even where it has nothing.
    """
    having = {node_id for sku in skus for node_id in supply.holders(sku)}
    without = next((node.id for node in nodes if node.id not in having), None)
    return tuple(
        [
            node
            for node in nodes
            if node.id in having or node.partner is not None or node.id == without
        ]
    )


def engine_demand(
    demand: Demand, snapshot: Snapshot, network: Network, *, at: datetime
) -> tuple[engine.Demand, str]:
    """The demand as the engine takes it, and the time zone of its destination."""
    pickup = demand.method in PICKUP_METHODS
    place, timezone = _destination(demand, network)
    keys = {line.line_id for line in demand.lines}
    wanted = engine.Demand(
        key=str(demand.group_id),
        lines=tuple(
            engine.Line(
                key=str(line.line_id),
                sku=line.sku_id,
                quantity=line.quantity,
                weight_grams=line.weight_grams,
                unfilled_cost=unfilled_cost(line.unit_value_minor),
                unit_value=line.unit_value_minor,
                parent=str(line.parent_id) if line.parent_id in keys else None,
                label=snapshot.codes.get(line.sku_id, ""),
                needs=snapshot.reference.needs(line.sku_id, pickup=pickup),
            )
            for line in demand.lines
        ),
        destination=place,
        service=engine.PICKUP if pickup else snapshot.reference.service_for(demand.service_level),
        at=max(at, demand.not_before) if demand.not_before else at,
        ship_complete=demand.ship_complete,
        pinned_node=demand.pickup_node_id or 0 if pickup else demand.pinned_node_id,
        excluded=snapshot.excluded,
        deliver_by=demand.requested_by,
        collected_at=demand.pickup_node_id if demand.method in STORE_METHODS else None,
    )
    return wanted, timezone


def _destination(demand: Demand, network: Network) -> tuple[engine.Place, str]:
    """Where the parcels go, and its time zone: the address, or the store that hands the order over."""
    if demand.method in PICKUP_METHODS | STORE_METHODS and demand.pickup_node_id is not None:
        node = network.node(demand.pickup_node_id)
        if node is not None:
            return node.place, node.timezone
    where = locate(demand.postal_code, demand.region, demand.country)
    place = engine.Place(
        demand.postal_code,
        where.latitude,
        where.longitude,
        demand.region,
        demand.country,
        where.precision,
    )
    return place, where.timezone


def plan_of(
    demand: Demand,
    plan: engine.Plan,
    basis: Basis,
    snapshot: Snapshot,
    left: Left,
    timezone: str,
    kept: Collection[int],
    *,
    at: datetime,
) -> Plan:
    """The engine's plan as orders take it, with what it was made from."""
    network = snapshot.reference.network(demand.account_id, demand.channel_id)
    opened = [network.node(parcel.node) for parcel in plan.parcels]
    codes = {node.id: node.code for node in opened if node is not None}
    waits = _waits(demand, codes, left.pace.rooms)
    keys = [line.key for line in plan.demand.lines]
    lines = dict(zip(keys, demand.lines, strict=True))
    return Plan(
        group_id=demand.group_id,
        takes=tuple(
            PlannedTake(
                (line := lines[given.line]).line_id,
                given.node,
                position_id,
                line.sku_id,
                units,
                snapshot.rooms.ids(given.node, function_of(demand)),
                None
                if snapshot.lives is None
                else snapshot.lives.least(demand.channel_id, line.sku_id),
            )
            for given in plan.assignments
            for position_id, units in left.drawn(
                demand.channel_id,
                (given.node, lines[given.line].sku_id),
                given.quantity,
            )
        ),
        unfilled=tuple(
            (
                lines[u.line].line_id,
                u.quantity,
                KEPT if lines[u.line].sku_id in kept else str(u.reason),
            )
            for u in plan.unfilled
        ),
        promise=promise_of(plan, timezone, waits, snapshot.reference.rates(), codes),
        split_cause=plan.split_cause or "",
        decision=Drawn(plan, basis, at),
    )


def _waits(demand: Demand, codes: Mapping[int, str], rooms: Rooms) -> dict[str, str]:
    """Of the nodes that send (`codes` by id), those whose window is full, and until when."""
    if not rooms.full_until:
        return {}
    function = function_of(demand)
    return {
        code: until.isoformat()
        for node_id, code in codes.items()
        if (until := rooms.full_until.get((node_id, function))) is not None
    }


def learnt_parcels(plan: engine.Plan, rates: engine.RateCard) -> int:
    """How many of the plan's parcels go where our own parcels have taught how long it takes."""
    if not rates.learnt:
        return 0
    service = plan.demand.service
    rings = rates.zones[service]
    return sum(
        rates.is_learnt(parcel.node, service, rings[parcel.zone - 1]) for parcel in plan.parcels
    )


def promise_of(
    plan: engine.Plan,
    timezone: str,
    full_until: Mapping[str, str],
    rates: engine.RateCard,
    codes: Mapping[int, str],
) -> PlannedPromise | None:
    """When the last parcel leaves, and when the buyer has the first usual and the last late one.

    A delivery day ends at midnight of the destination. None when nothing can be sent.
    """
    leave = [parcel.ship_by for parcel in plan.parcels if parcel.ship_by is not None]
    usual = [parcel.deliver_p50 for parcel in plan.parcels if parcel.deliver_p50 is not None]
    latest = [parcel.deliver_p90 for parcel in plan.parcels if parcel.deliver_p90 is not None]
    if not leave or not usual or not latest:
        return None
    earliest, last = _end_of(min(usual), timezone), _end_of(max(latest), timezone)
    ship_by = max(leave)
    return PlannedPromise(
        ship_by=ship_by,
        deliver_earliest=max(earliest, ship_by),
        deliver_latest=max(last, ship_by),
        basis={
            "nodes": sorted(codes[parcel.node] for parcel in plan.parcels),
            "lanes": plan.demand.service,
            "transit": "learnt" if learnt_parcels(plan, rates) else "contract",
            "precision": str(plan.demand.destination.precision),
            "parcels": len(plan.parcels),
            **({"full_until": full_until} if full_until else {}),
        },
    )


@lru_cache(maxsize=4_096)
def _end_of(day: date, timezone: str) -> datetime:
    """The last second of the day there."""
    return datetime.combine(day, END_OF_DAY, tzinfo=ZoneInfo(timezone)).astimezone(UTC)
