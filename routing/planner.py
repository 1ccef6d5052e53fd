"""Routing behind orders' sourcing port: reads supply once, runs the engine, keeps why."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

import inventory.selectors
from config.kernel import ids
from config.kernel.types import Actor
from inventory import quotas
from inventory.lives import Lasting, Lives
from inventory.quotas import Allotment, Kept
from inventory.types import PositionView
from orders.sourcing import Demand, Plan, PlannedPromise, PlannedTake
from routing import engine, reference
from routing.drawn import Basis, Drawn, encoded
from routing.engine import Supply
from routing.places import locate
from routing.reference import Policy, Reference, unfilled_cost
from routing.rooms import PICKUP, SHIP, Rooms, read_rooms
from routing.ruling import policies_for

PICKUP_METHODS = frozenset({"pickup"})
STORE_METHODS = frozenset({"ship_to_store"})
END_OF_DAY = time(23, 59, 59)
MOST_PARTS, LEAST_PART = 4, 100
"""Decisions are written in at most so many parts, of at least so many each."""
KEPT = "kept_for_others"
"""Why units are unfilled that are there, but in other channels' quotas."""

Key = tuple[int, int]
"""(node id, SKU id)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the batch is planned from: one read of versions, of positions and of exclusions."""

    reference: Reference
    codes: Mapping[int, str]
    positions: Mapping[Key, PositionView]
    excluded: frozenset[Key]
    kept: Kept | None = None
    rooms: Rooms = field(default_factory=Rooms)
    lives: Lives | None = None

    def supply(self, demands: Sequence[Demand] = ()) -> Supply:
        """What is free, and what was set aside for these demands when it landed."""
        units = {key: view.free for key, view in self.positions.items()}
        for demand in demands:
            for node_id, sku_id, landed in demand.set_aside:
                units[node_id, sku_id] = units.get((node_id, sku_id), 0) + landed
        return Supply(units)


@dataclass(slots=True)
class Left:
    """What is left of a snapshot while its demands are planned one after another.

    Where quotas keep units for channels, each run of demands is offered only what its channel may
    have; where lots are bound, only those that last long enough.
    """

    supply: Supply
    positions: Mapping[Key, PositionView]
    aside: dict[Key, int]
    allotment: Allotment | None
    lasting: Lasting | None = None

    @classmethod
    def of(cls, snapshot: Snapshot, demands: Sequence[Demand]) -> "Left":
        aside: dict[Key, int] = {}
        for demand in demands if snapshot.kept is not None else ():
            for node_id, sku_id, landed in demand.set_aside:
                aside[node_id, sku_id] = aside.get((node_id, sku_id), 0) + landed
        allotment = None if snapshot.kept is None else Allotment(snapshot.kept)
        lasting = None if snapshot.lives is None else Lasting(snapshot.lives)
        return cls(snapshot.supply(demands), snapshot.positions, aside, allotment, lasting)

    def offered(
        self, channel_id: UUID, sku_ids: Collection[int], held: Mapping[Key, int]
    ) -> tuple[Supply, frozenset[int]]:
        """What the channel's demands may be planned from, and the SKUs of which units are kept back.

        Units that were set aside for who waits are nobody's quota; nor are those that the one
        demand's own cart has `held`.
        """
        if self.allotment is None and self.lasting is None and not held:
            return self.supply, frozenset()
        units, kept = self._shared_out(channel_id, sku_ids)
        for key, own in held.items():
            if key in self.positions:
                units[key] = units.get(key, 0) + own
        if self.lasting is not None:
            for key, n in units.items():
                position_id = self.positions[key].id
                units[key] = self.lasting.offered(channel_id, key[1], position_id, n)
        return Supply(units), frozenset(kept)

    def _shared_out(
        self, channel_id: UUID, sku_ids: Collection[int]
    ) -> tuple[dict[Key, int], set[int]]:
        """What quotas leave the channel, and the SKUs of which they keep units back."""
        units: dict[Key, int] = {}
        kept: set[int] = set()
        for sku_id in sku_ids:
            if self.allotment is None:
                holders = self.supply.holders(sku_id)
                units |= {(node_id, sku_id): n for node_id, n in holders.items()}
                continue
            there = {(node_id, sku_id): n for node_id, n in self.supply.holders(sku_id).items()}
            free = {
                self.positions[key].id: max(0, n - self.aside.get(key, 0))
                for key, n in there.items()
            }
            offered = self.allotment.offered(channel_id, sku_id, free)
            for key, n in there.items():
                units[key] = min(n, self.aside.get(key, 0) + offered[self.positions[key].id])
                if units[key] < n:
                    kept.add(sku_id)
        return units, kept

    def take(
        self, channel_id: UUID, supply: Supply, key: Key, units: int, held: dict[Key, int]
    ) -> None:
        """Units of the position were planned for the channel, held ones first, then landed ones."""
        supply.take(*key, units)
        if self.lasting is not None:
            self.lasting.take(channel_id, key[1], self.positions[key].id, units)
        if own := min(units, held.get(key, 0)):
            held[key] -= own
            units -= own
        if not units:
            return
        if supply is not self.supply:
            self.supply.take(*key, units)
        if self.allotment is None:
            return
        aside = min(units, self.aside.get(key, 0))
        if aside:
            self.aside[key] -= aside
        position = self.positions[key]
        self.allotment.take(channel_id, key[1], position.id, units - aside, units)


class Planner:
    """The implementation of `orders.sourcing.Sourcing`."""

    def plan(
        self, demands: Sequence[Demand], *, excluded: frozenset[Key], at: datetime
    ) -> list[Plan]:
        """One plan per demand, in order; three statements while the reference values are known."""
        if not demands:
            return []
        snapshot = read_snapshot(demands, excluded=excluded, at=at)
        return list(plans_from(demands, snapshot, at=at))

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
            _insert(drawn[start : start + size])


def read_snapshot(demands: Sequence[Demand], *, excluded: frozenset[Key], at: datetime) -> Snapshot:
    """Read supply and exclusions of everything the demands name: one statement each."""
    known = reference.current()
    accounts = {demand.account_id for demand in demands}
    sku_ids = sorted({line.sku_id for demand in demands for line in demand.lines})
    networks = [
        known.network(*users)
        for users in {(demand.account_id, demand.channel_id) for demand in demands}
    ]
    node_ids = sorted({node_id for network in networks for node_id in network.node_ids()})
    kept_skus = known.kept_skus(accounts, sku_ids)
    positions = inventory.selectors.supply(sku_ids, node_ids)
    return Snapshot(
        known,
        known.codes(sku_ids),
        positions,
        excluded | frozenset(inventory.selectors.exclusions(sku_ids, at)),
        quotas.kept(quotas.live_quotas(kept_skus), at) if kept_skus else None,
        read_rooms(networks, at),
        known.lives(accounts, sku_ids, [view.id for view in positions.values()], at),
    )


def plans_from(
    demands: Sequence[Demand],
    snapshot: Snapshot,
    *,
    at: datetime,
    policies: dict[UUID, Policy] | None = None,
) -> Iterator[Plan]:
    """Plan the demands one after another against one supply: what one takes, the next lacks.

    `policies` (by channel) replaces the live ones, for what-if questions.
    """
    left = Left.of(snapshot, demands)
    ruled = policies_for(demands, snapshot.reference, policies or {}, at)
    for _, run in groupby(zip(demands, ruled, strict=True), key=_run_key):
        together = list(run)
        yield from _plan_run(
            [demand for demand, _ in together], snapshot, left, together[0][1], at=at
        )


def _run_key(ruled: tuple[Demand, Policy]) -> tuple[UUID, bool, str, UUID | None]:
    """What is planned in one call; a demand whose cart holds units is planned by itself."""
    demand, policy = ruled
    by_itself = demand.group_id if demand.held else None
    return demand.channel_id, demand.method in PICKUP_METHODS, policy.rules.code, by_itself


def _plan_run(
    demands: list[Demand], snapshot: Snapshot, left: "Left", policy: Policy, *, at: datetime
) -> Iterator[Plan]:
    """Demands of one channel that are all pickups or all not: one call of the engine."""
    known = snapshot.reference
    network = known.network(demands[0].account_id, demands[0].channel_id)
    nodes = snapshot.rooms.open_nodes(network, _function_of(demands[0]))
    asked = [engine_demand(demand, snapshot, network, at=at) for demand in demands]
    channel_id = demands[0].channel_id
    held = {(node_id, sku_id): units for node_id, sku_id, units in demands[0].held}
    skus = {line.sku_id for one in demands for line in one.lines}
    supply, kept = left.offered(channel_id, skus, held)
    solved = engine.plan(
        [wanted for wanted, _ in asked], nodes, supply, known.rates(), policy.rules
    )
    for demand, (wanted, timezone), plan in zip(demands, asked, solved, strict=True):
        wanted_skus = {line.key: line.sku for line in wanted.lines}
        basis = Basis(
            demand,
            wanted,
            policy.id,
            policy.rules,
            known.versions,
            {sku: dict(supply.holders(sku)) for sku in wanted_skus.values()},
        )
        yield _plan_of(demand, plan, basis, snapshot, timezone, kept, at=at)
        for given in plan.assignments:
            key = (given.node, wanted_skus[given.line])
            left.take(channel_id, supply, key, given.quantity, held)


def _function_of(demand: Demand) -> str:
    return PICKUP if demand.method in PICKUP_METHODS else SHIP


def engine_demand(
    demand: Demand, snapshot: Snapshot, network: reference.Network, *, at: datetime
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
    )
    return wanted, timezone


def _destination(demand: Demand, network: reference.Network) -> tuple[engine.Place, str]:
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


def _plan_of(
    demand: Demand,
    plan: engine.Plan,
    basis: Basis,
    snapshot: Snapshot,
    timezone: str,
    kept: Collection[int],
    *,
    at: datetime,
) -> Plan:
    lines = {str(line.line_id): line for line in demand.lines}
    return Plan(
        group_id=demand.group_id,
        takes=tuple(
            PlannedTake(
                (line := lines[given.line]).line_id,
                given.node,
                snapshot.positions[given.node, line.sku_id].id,
                line.sku_id,
                given.quantity,
                snapshot.rooms.ids(given.node, _function_of(demand)),
                None
                if snapshot.lives is None
                else snapshot.lives.least(demand.channel_id, line.sku_id),
            )
            for given in plan.assignments
        ),
        unfilled=tuple(
            (
                lines[u.line].line_id,
                u.quantity,
                KEPT if lines[u.line].sku_id in kept else str(u.reason),
            )
            for u in plan.unfilled
        ),
        promise=promise_of(plan, timezone, _waits(demand, plan, snapshot)),
        split_cause=plan.split_cause or "",
        decision=Drawn(plan, basis, at),
    )


def _waits(demand: Demand, plan: engine.Plan, snapshot: Snapshot) -> dict[str, str]:
    """Of the nodes that send, those whose window is full, and when they begin with more."""
    if not snapshot.rooms.full_until:
        return {}
    function = _function_of(demand)
    return {
        candidate.code: until.isoformat()
        for candidate in plan.candidates
        if candidate.verdict is engine.Verdict.CHOSEN
        and (until := snapshot.rooms.full_until.get((candidate.node, function))) is not None
    }


def promise_of(
    plan: engine.Plan, timezone: str, full_until: Mapping[str, str]
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
            "nodes": sorted(c.code for c in plan.candidates if c.verdict is engine.Verdict.CHOSEN),
            "lanes": plan.demand.service,
            "precision": str(plan.demand.destination.precision),
            "parcels": len(plan.parcels),
            **({"full_until": full_until} if full_until else {}),
        },
    )


@lru_cache(maxsize=4_096)
def _end_of(day: date, timezone: str) -> datetime:
    """The last second of the day there."""
    return datetime.combine(day, END_OF_DAY, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def _insert(decisions: Sequence[Drawn]) -> None:
    """Write the rows. Records travel as lines of one text and inputs as hexadecimal digits: quoting
    each of them within an array would take longer than all the rest.
    """
    asked = [decision.basis.asked for decision in decisions]
    columns: list[Any] = [
        [ids.uuid7() for _ in decisions],
        [demand.account_id for demand in asked],
        [demand.order_id for demand in asked],
        [demand.group_id for demand in asked],
        [demand.plan_version for demand in asked],
        [decision.policy_id for decision in decisions],
        [decision.plan.level.value for decision in decisions],
        [decision.winner for decision in decisions],
        [decision.cost_minor for decision in decisions],
        [decision.currency for decision in decisions],
        [decision.plan.split_cause or "" for decision in decisions],
        [decision.pinned for decision in decisions],
        [decision.at for decision in decisions],
        [decision.input.hex() for decision in decisions],
        "\n".join([encoded(decision.record) for decision in decisions]),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO routing_routingdecision (id, account_id, order_id, group_id, plan_version,
                policy_id, level, winner, cost_minor, currency, split_cause, pinned, at, input,
                record)
            SELECT id, account_id, order_id, group_id, plan_version, policy_id, level, winner,
                cost_minor, currency, split_cause, pinned, at, decode(digits, 'hex'), line::jsonb
            FROM ROWS FROM (
                unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::uuid[],
                    %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::boolean[],
                    %s::timestamptz[], %s::text[]),
                string_to_table(%s, chr(10))
            ) AS drawn (id, account_id, order_id, group_id, plan_version, policy_id, level, winner,
                cost_minor, currency, split_cause, pinned, at, digits, line)
            """,
            columns,
        )
