"""A stored decision as the engine takes it again: demand, policy, supply and the nodes as they were. Pure.

Nodes, their calendars and lanes are those of now; whether a node was open, full or in the network
is read from the verdict that the decision gave it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from routing import engine
from routing.drawn import book_of
from routing.engine import Constraint, Verdict
from routing.engine.record import verdicts_of
from routing.reference import IN_NETWORK, unfilled_cost
from routing.simulating import Recorded, Take, summed

_SHUT = {
    Verdict.NODE_PAUSED: engine.PAUSED,
    Verdict.CAPACITY: engine.FULL,
    Verdict.NODE_CLOSED: "closed",
}
_UNSAID = frozenset({Verdict.PINNED_ELSEWHERE})
"""Verdicts that say nothing of how the node was: it counts as it is now."""


class Scenes:
    """Networks as decisions saw them. Decisions of one moment see one scene: it is made once."""

    def __init__(self) -> None:
        self._known: dict[object, tuple[engine.Node, ...]] = {}

    def as_seen(
        self,
        nodes: tuple[engine.Node, ...],
        stored: Mapping[str, Any],
        full_until: Sequence[Sequence[Any]],
        acceptance: Sequence[Sequence[int]] = (),
    ) -> tuple[engine.Node, ...]:
        """The nodes that the record has a verdict on; `acceptance` is by node, where it was known."""
        service = stored["p"][2]
        seen = tuple([(code, *_seen(verdict, why)) for code, verdict, why in verdicts_of(stored)])
        until = tuple((int(node), str(at)) for node, at in full_until)
        rates = tuple((node, rate) for node, rate in acceptance)
        key = (id(nodes), service, seen, until, rates)
        known = self._known.get(key)
        if known is None:
            by_code = {code: (verdict, reason) for code, verdict, reason in seen}
            there = tuple(
                _then(node, *by_code[node.code], service, dict(until))
                for node in nodes
                if node.code in by_code
            )
            known = self._known[key] = _willing(there, dict(rates))
        return known


def recorded_of(
    decision: Mapping[str, Any],
    given: Mapping[str, Any],
    record: engine.Record,
    nodes: tuple[engine.Node, ...],
    *,
    postal_code: str,
) -> Recorded:
    """The decision (id, order_id, group_id, at, record) with its opened input and its nodes."""
    supply: dict[int, dict[int, int]] = {}
    for line in given["demand"]["lines"]:
        supply.setdefault(line[1], {})
    for node, sku, units in given["supply"]:
        supply.setdefault(sku, {})[node] = units
    demand = demand_of(given["demand"], record, decision["group_id"], postal_code)
    return Recorded(
        id=decision["id"],
        order_id=decision["order_id"],
        group_id=decision["group_id"],
        at=decision["at"],
        demand=demand,
        policy=policy_of(given["policy"]),
        supply=supply,
        nodes=nodes,
        taken=_taken(record, demand, nodes),
        due=_due(demand, record),
        stored=decision["record"],
        book=book_of(given),
    )


def demand_of(
    asked: Mapping[str, Any], record: engine.Record, group_id: UUID, postal_code: str
) -> engine.Demand:
    """The demand as the engine was asked it. Labels and the area's precision are the record's."""
    labels = {line.key: line.label for line in record.lines}
    place = record.destination
    latitude, longitude = asked["point"]
    due = asked["deliver_by"]
    return engine.Demand(
        key=str(group_id),
        lines=tuple(
            engine.Line(
                key=key,
                sku=sku,
                quantity=quantity,
                weight_grams=grams,
                unfilled_cost=unfilled_cost(value),
                unit_value=value,
                parent=parent,
                label=labels.get(key, ""),
                needs=frozenset(*needs),
            )
            for key, sku, quantity, grams, value, parent, *needs in asked["lines"]
        ),
        destination=engine.Place(
            postal_code or place.area,
            latitude,
            longitude,
            place.region,
            place.country,
            place.precision,
        ),
        service=asked["service"],
        at=datetime.fromisoformat(asked["at"]),
        ship_complete=asked["ship_complete"],
        pinned_node=asked["pinned_node"],
        collected_at=asked.get("collected_at"),
        excluded=frozenset((node, sku) for node, sku in asked["excluded"]),
        deliver_by=datetime.fromisoformat(due) if due else None,
    )


def policy_of(rules: Mapping[str, Any]) -> engine.Policy:
    """The policy that decided, as it was recorded."""
    nodes = rules.get("nodes")
    return engine.Policy(
        code=rules["code"],
        version=rules["version"],
        weights=engine.Weights(
            cost_percent=rules["cost_percent"],
            parcel=rules["parcel_minor"],
            distance_per_km=rules["km_milli"],
            late_day=rules["late_day_minor"],
            reroute=rules.get("reroute_minor", 0),
            day=rules.get("day_minor", 0),
        ),
        max_nodes_per_demand=rules["max_nodes"],
        max_nodes_per_line=rules["max_nodes_per_line"],
        allow_partial=rules["allow_partial"],
        fill_first=not rules.get("goodwill_minor"),
        goodwill=rules.get("goodwill_minor", 0),
        groups=frozenset({IN_NETWORK}),
        max_km=rules["max_km"],
        on_time=rules["on_time"],
        soft=frozenset(Constraint(code) for code in rules["soft"]),
        nodes=None if nodes is None else frozenset(nodes),
    )


@lru_cache(maxsize=1_024)
def _seen(said: str, reason: str) -> tuple[str, str]:
    """How a verdict says the node was: open (empty), or what shut it and why."""
    verdict = Verdict(said)
    if verdict in _UNSAID or verdict is Verdict.NOT_IN_NETWORK or verdict in _SHUT:
        return verdict.value, reason
    if verdict is Verdict.NO_SERVICE and not reason:
        return verdict.value, ""
    return "", ""


def _then(
    node: engine.Node, verdict: str, reason: str, service: str, full_until: Mapping[int, str]
) -> engine.Node:
    if verdict in _UNSAID:
        return node
    if verdict == Verdict.NOT_IN_NETWORK:
        return replace(node, groups=frozenset())
    member = frozenset({IN_NETWORK})
    if verdict in _SHUT:
        why = reason or _SHUT[Verdict(verdict)]
        return replace(node, groups=member, ship_open=False, closed_reason=why)
    offered = node.services - {service} if verdict else node.services | {service}
    until = full_until.get(node.id)
    calendar = node.calendar
    if until is not None:
        calendar = replace(calendar, full_until=datetime.fromisoformat(until))
    return replace(
        node,
        groups=member,
        ship_open=True,
        closed_reason="",
        services=offered,
        calendar=calendar,
    )


def _willing(nodes: tuple[engine.Node, ...], rates: Mapping[int, int]) -> tuple[engine.Node, ...]:
    """The nodes with how many of a thousand requests each took on then."""
    if not rates:
        return nodes
    return tuple(replace(node, acceptance=rates.get(node.id, node.acceptance)) for node in nodes)


def _taken(
    record: engine.Record, demand: engine.Demand, nodes: Sequence[engine.Node]
) -> tuple[Take, ...]:
    """What live took. A node that is gone has no stock that anybody could use."""
    ids = {node.code: node.id for node in nodes}
    return summed(
        (ids.get(parcel.code, 0), line.sku, units)
        for parcel in record.parcels
        for line, units in zip(demand.lines, parcel.units, strict=True)
        if units
    )


def _due(demand: engine.Demand, record: engine.Record) -> date | None:
    if demand.deliver_by is not None:
        return demand.deliver_by.date()
    told = [date.fromisoformat(parcel.p90) for parcel in record.parcels if parcel.p90]
    return max(told) if told else None
