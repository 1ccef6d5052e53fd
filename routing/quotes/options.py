"""The ways in which a basket can be had, each planned by the engine that plans orders."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from orders.sourcing import Demand, Plan
from routing import engine
from routing.drawn import Drawn
from routing.engine.backwards import last_departure, latest_start
from routing.engine.calendar import DAY, add_working_days, local_date
from routing.places import locate
from routing.planner import END_OF_DAY, learnt_parcels, plans_from
from routing.quotes.asking import Asked, codes_of, missing_of
from routing.quotes.coming import Future, LaterPart, later_parts, read_future
from routing.quotes.stores import NearStore, near_stores
from routing.quotes.types import (
    AHEAD,
    FASTEST,
    IN_STOCK,
    PARTLY,
    PICKUP,
    POLICY,
    SHIP,
    SHIP_TO_STORE,
    Basket,
    Option,
    ParcelPart,
    Unavailable,
)
from routing.quotes.wording import MISSING, day, sentences, transit_said
from routing.snapshot import PICKUP_METHODS

Answer = Option | Unavailable


class Target(NamedTuple):
    """One way of having something; `store` where it is collected."""

    method: str
    service: str
    store: NearStore | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A basket planned one way, at the latest moment that keeps a fixed date."""

    target: Target
    basket: Basket
    demand: Demand
    plan: Plan
    infeasible: bool = False

    @property
    def drawn(self) -> Drawn:
        if not isinstance(self.plan.decision, Drawn):
            raise TypeError("a plan of ours carries what was drawn from it")
        return self.plan.decision


@dataclass(frozen=True)
class Working:
    """What the options of one request have in common."""

    asked: Asked
    expires_at: datetime
    backorders: bool
    explains: bool

    @cached_property
    def nodes(self) -> dict[int, engine.Node]:
        return {node.id: node for node in self.asked.network.shipping}

    @cached_property
    def timezones(self) -> dict[str, str]:
        """Of the nodes, by code."""
        return {node.code: node.timezone for node in self.nodes.values()}

    @cached_property
    def timezone(self) -> str:
        request = self.asked.request
        return locate(request.postal_code, request.region, request.country).timezone

    def zone_of(self, target: Target) -> str:
        """The time zone in whose days the buyer is told."""
        return self.timezone if target.store is None else target.store.timezone

    def answers(self) -> list[Answer]:
        """Every option, and what is not one with its reason. Three statements where goods lack."""
        targets, answers = self._targets()
        tried = [one for target in targets for one in self._plan(target)]
        lacking = {
            line.sku_id
            for one in tried
            for line_id, _, _ in one.plan.unfilled
            for line in one.basket.lines
            if line.line_id == line_id
        }
        future = read_future(self.asked, lacking, backorders=self.backorders)
        return [*answers, *(self._answer(one, future) for one in tried)]

    def _targets(self) -> tuple[list[Target], list[Answer]]:
        request = self.asked.request
        lanes = self.asked.snapshot.reference.services()
        services = [code for code in request.services or sorted(lanes) if code in lanes]
        targets = [Target(SHIP, code) for code in services] if SHIP in request.methods else []
        answers: list[Answer] = []
        if {PICKUP, SHIP_TO_STORE} & set(request.methods):
            stores, why = near_stores(self.asked)
            if why is not None:
                answers += [
                    replace(why, method=method)
                    for method in (PICKUP, SHIP_TO_STORE)
                    if method in request.methods
                ]
            if PICKUP in request.methods:
                targets += [Target(PICKUP, "", store) for store in stores]
            if SHIP_TO_STORE in request.methods and services:
                usual = self.asked.snapshot.reference.service_for("")
                service = usual if usual in services else services[0]
                targets += [Target(SHIP_TO_STORE, service, store) for store in stores[:1]]
        return targets, answers

    def _plan(self, target: Target) -> list[Tried]:
        """Each basket planned so. They do not take from one another unless they share a SKU."""
        asked, request = self.asked, self.asked.request
        last = request.fixed_date or request.needed_by
        details: dict[str, object] = {}
        if last is not None:
            zone = ZoneInfo(self.zone_of(target))
            details["requested_by"] = datetime.combine(last, END_OF_DAY, tzinfo=zone)
        if target.store is not None:
            details["pickup_node_id"] = target.store.node.id
        demands = [
            asked.demand(basket, target.method, target.service, **details)
            for basket in asked.baskets
        ]
        plans = self._planned(demands)
        tried = [
            Tried(target, basket, demand, plan)
            for basket, demand, plan in zip(asked.baskets, demands, plans, strict=True)
        ]
        if request.fixed_date is None or target.method in PICKUP_METHODS:
            return tried
        return [self._backwards(one, request.fixed_date) for one in tried]

    def _planned(self, demands: Sequence[Demand]) -> Iterator[Plan]:
        """Of nodes that have nothing only staff are told."""
        narrow = not self.explains
        return plans_from(demands, self.asked.snapshot, at=self.asked.at, narrow=narrow)

    def _backwards(self, one: Tried, wanted: date) -> Tried:
        """The same, begun as late as arrives on the day for nearly all: nothing lies around earlier."""
        starts = []
        for parcel in one.drawn.plan.parcels:
            leaves = self._must_leave(one, parcel, wanted)
            if leaves is None:
                return replace(one, infeasible=True)
            node = self.nodes[parcel.node]
            start = latest_start(node.calendar, node.timezone, leaves)
            if start is None or start < self.asked.at:
                return replace(one, infeasible=True)
            starts.append(start)
        if not starts:
            return one
        demand = replace(one.demand, not_before=min(starts))
        [plan] = self._planned([demand])
        return replace(one, demand=demand, plan=plan)

    def _must_leave(
        self, one: Tried, parcel: engine.PlannedParcel, wanted: date
    ) -> datetime | None:
        """The last departure from which nine in ten are there on the day."""
        rates = self.asked.snapshot.reference.rates()
        node, service = self.nodes[parcel.node], one.drawn.plan.demand.service
        zone = rates.zones[service][parcel.zone - 1]
        leaves = last_departure(node.calendar, node.timezone, service, wanted)
        while leaves is not None and leaves > self.asked.at:
            left_on = local_date(leaves, node.timezone)
            _, days = rates.days(node.id, service, zone, left_on.weekday())
            if (
                add_working_days(left_on, days, rates.carrier_days, rates.carrier_holidays)
                <= wanted
            ):
                return leaves
            earlier = left_on - DAY
            leaves = last_departure(node.calendar, node.timezone, service, earlier)
        return None

    def _answer(self, one: Tried, future: Future) -> Answer:
        request = self.asked.request
        if one.infeasible:
            return self._not(one, "late", f"It cannot arrive on {day(request.fixed_date)} so.")  # type: ignore[arg-type]
        missing = missing_of(one.plan.unfilled)
        later = later_parts(self.asked, future, one.demand, missing) if missing else []
        if later is None:
            return self._lacking(one, missing)
        if one.plan.promise is None and not later:
            return self._not(one, "no_service", "Nothing leaves for there by this service.")
        option = self._option(one, later)
        last = request.fixed_date or request.needed_by
        arrives = local_date(option.latest_at, option.timezone)
        if last is not None and arrives > last:
            return self._not(one, "late", f"It arrives by {day(arrives)}: after {day(last)}.")
        return option

    def _lacking(self, one: Tried, missing: Mapping[UUID, int]) -> Unavailable:
        units, wanted = sum(missing.values()), one.basket.units
        reason = next(why for _, _, why in one.plan.unfilled)
        if one.target.method == PICKUP and units == wanted:
            return self._not(one, "no_stock", "This store does not have it.")
        if units < wanted:
            return self._not(one, "partly", f"Only {wanted - units} of {wanted} can be had so.")
        return self._not(one, reason, MISSING.get(reason, "It cannot be had so."))

    def _not(self, one: Tried, code: str, detail: str) -> Unavailable:
        target = one.target
        store = target.store.code if target.store is not None else ""
        return Unavailable(one.basket.item, target.method, target.service, store, code, detail)

    def _option(self, one: Tried, later: Sequence[LaterPart]) -> Option:
        target, found, plan = one.target, one.plan.promise, one.drawn.plan
        now = list(self._parts_now(one))
        parcels = (*now, *self._parts_later(one, later))
        promises = [*([found] if found is not None else []), *(part.promise for part in later)]
        ship_by = found.ship_by if found is not None else min(p.ship_by for p in promises)
        order_before = self._order_before(one)
        timezone = self.zone_of(target)
        learnt = learnt_parcels(plan, self.asked.snapshot.reference.rates())
        transit = transit_said(plan.demand.service, learnt, len(plan.parcels))
        precision = str(plan.demand.destination.precision)
        store = target.store.place if target.store is not None else None
        latest_at = max(promise.deliver_latest for promise in promises)
        return Option(
            id="",
            item=one.basket.item,
            method=target.method,
            service=target.service,
            availability=AHEAD if not now else PARTLY if later else IN_STOCK,
            timezone=timezone,
            ship_by=ship_by,
            earliest_at=min(promise.deliver_earliest for promise in promises),
            latest_at=latest_at,
            order_before=order_before,
            holds_until=min(self.expires_at, order_before or self.expires_at),
            parcels=parcels,
            cost_minor=one.drawn.cost_minor,
            cost_currency=plan.currency,
            score=plan.cost.score,
            why=sentences(
                target.method,
                parcels,
                self.timezones,
                order_before=order_before,
                split_cause=plan.split_cause or "",
                precision=precision,
                transit=transit,
                store=store,
            ),
            decision=tuple(engine.why_here(plan)) if self.explains else (),
            store=store,
            ready_by=ship_by if target.method == PICKUP else latest_at if store else None,
            start_at=one.demand.not_before,
            basis={
                "lanes": plan.demand.service,
                "transit": "learnt" if learnt else "contract",
                "precision": precision,
                "policy": f"{plan.policy} v{plan.version}",
                "level": plan.level.value,
                "split_cause": plan.split_cause or "",
            },
        )

    def _parts_now(self, one: Tried) -> Iterable[ParcelPart]:
        plan = one.drawn.plan
        for parcel in plan.parcels:
            units = {
                UUID(given.line): given.quantity
                for given in plan.assignments
                if given.node == parcel.node
            }
            if parcel.ship_by and parcel.deliver_p50 and parcel.deliver_p90:
                yield ParcelPart(
                    self.nodes[parcel.node].code,
                    self.nodes[parcel.node].name,
                    parcel.ship_by,
                    parcel.deliver_p50,
                    parcel.deliver_p90,
                    codes_of(one.basket, units),
                    parcel.distance_km,
                )

    def _parts_later(self, one: Tried, later: Sequence[LaterPart]) -> Iterable[ParcelPart]:
        timezone = self.zone_of(one.target)
        for part in later:
            node = self.nodes[part.node_id]
            yield ParcelPart(
                node.code,
                node.name,
                part.promise.ship_by,
                local_date(part.promise.deliver_earliest, timezone),
                local_date(part.promise.deliver_latest, timezone),
                codes_of(one.basket, part.units),
                0,
                part.ready_at,
            )

    def _order_before(self, one: Tried) -> datetime | None:
        """Until when every parcel still makes its departure; None where nothing leaves now."""
        starts = []
        for parcel in one.drawn.plan.parcels:
            node = self.nodes[parcel.node]
            if parcel.ship_by is not None:
                start = latest_start(node.calendar, node.timezone, parcel.ship_by)
                starts += [start] if start is not None else []
        return min(starts, default=None)


def sorted_options(options: Iterable[Option], items: Sequence[str], by: str) -> list[Option]:
    """The options in the order in which buyers are shown them, with their ids.

    Those of a product page stand with their item. What waits for goods is never before what is
    there.
    """
    place = {item: number for number, item in enumerate(items)}

    def key(option: Option) -> tuple[object, ...]:
        first = place.get(option.item, 0), option.availability != IN_STOCK
        cost, time = (option.score,), (option.latest_at, option.ship_by)
        nearest = option.store.distance_km if option.store is not None else 0
        rest = (*time, *cost) if by == FASTEST else (*cost, *time)
        return *first, *rest, nearest, option.method, option.service

    ordered = sorted(options, key=key)
    return [
        replace(option, id=f"{number}-{option.method}") for number, option in enumerate(ordered, 1)
    ]


def sort_of(asked: Asked) -> str:
    """By what options are sorted: what the request says, else what the policy weighs."""
    if asked.request.sort != POLICY:
        return asked.request.sort
    request = asked.request
    policy = asked.snapshot.reference.policy(request.account_id, request.channel_id)
    return FASTEST if policy.rules.weights.cost_percent == 0 else "cheapest"
