"""How long carriers take: learnt from our own parcels, drawn towards what was agreed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from django.db import transaction

import inventory.selectors
from config.kernel import versions
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.types import NodeView
from routing import engine, reference
from routing.engine.calendar import add_working_days, local_date
from routing.engine.geo import haversine_km
from routing.places import locate
from routing.quote_models import LearntLane

LEAST_PARCELS: Final = 20
"""Parcels from which a lane counts, and from which a weekday of it counts by itself."""
CONTRACT_PARCELS: Final = 10
"""So many parcels is the contract's figure worth beside those that were seen."""
LONGEST_DAYS: Final = 30
"""A parcel that took longer was lost on the way and found again: it says nothing of the lane."""
_KNOWN: Final = frozenset(
    {engine.Precision.POSTAL_CODE, engine.Precision.AREA, engine.Precision.REGION}
)

Cell = tuple[int, str, int, int | None]
"""(node id, service, the ring's reach, weekday of the departure or None for all)."""


class LaneFact(NamedTuple):
    """A parcel that was handed to the carrier and delivered. `service` is a code, or empty."""

    node_id: int
    service: str
    postal_code: str
    region: str
    country: str
    left_at: datetime
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a lane, in carrier working days, and the contract's figures beside it."""

    parcels: int
    p50: int
    p90: int
    contract_p50: int
    contract_p90: int

    def drawn(self) -> tuple[int, int]:
        """P50 and P90 that promises rest on: (n × seen + 10 × contract) ÷ (n + 10), to whole days."""
        p50 = self._towards(self.p50, self.contract_p50)
        return p50, max(p50, self._towards(self.p90, self.contract_p90))

    def _towards(self, seen: int, contract: int) -> int:
        weight = self.parcels + CONTRACT_PARCELS
        return (2 * (self.parcels * seen + CONTRACT_PARCELS * contract) + weight) // (2 * weight)


@transaction.atomic
def learn_lanes(facts: Iterable[LaneFact], *, at: datetime, actor: Actor) -> int:
    """Work out every lane anew from these parcels. Answers how many lanes, weekdays apart, count.

    What no longer has enough parcels falls back to the contract. Plans hear of it only where a
    figure changed. The number of statements does not depend on the number of parcels.
    """
    rates = reference.current().rates()
    seen = _seen(facts, rates)
    rows = []
    for (node_id, service, max_km, weekday), one in sorted(
        seen.items(), key=lambda item: (*item[0][:3], -1 if item[0][3] is None else item[0][3])
    ):
        p50, p90 = one.drawn()
        rows.append(
            LearntLane(
                node_id=node_id,
                service=service,
                max_km=max_km,
                weekday=weekday,
                parcels=one.parcels,
                seen_p50=one.p50,
                seen_p90=one.p90,
                contract_p50=one.contract_p50,
                contract_p90=one.contract_p90,
                p50=p50,
                p90=p90,
                learnt_at=at,
            )
        )
    before = _figures(LearntLane.objects.all())
    LearntLane.objects.all().delete()
    LearntLane.objects.bulk_create(rows)
    if _figures(rows) != before:
        versions.bump("rates")
    return len(rows)


def _figures(rows: Iterable[LearntLane]) -> dict[Cell, tuple[int, int]]:
    return {(r.node_id, r.service, r.max_km, r.weekday): (r.p50, r.p90) for r in rows}


def _seen(facts: Iterable[LaneFact], rates: engine.RateCard) -> dict[Cell, Seen]:
    counted: dict[Cell, Counter[int]] = {}
    zones: dict[Cell, engine.Zone] = {}
    nodes = {view.id: view for view in inventory.selectors.nodes(ALL_ACCOUNTS)}
    took: dict[tuple[date, date], int | None] = {}
    for one in facts:
        node = nodes.get(one.node_id)
        zone = None if node is None else _zone(one, node, rates)
        if node is None or zone is None:
            continue
        where = locate(one.postal_code, one.region, one.country)
        left = local_date(one.left_at, node.timezone)
        pair = left, local_date(one.arrived_at, where.timezone)
        if pair not in took:
            took[pair] = _working_days(*pair, rates)
        days = took[pair]
        if days is None:
            continue
        for weekday in (None, left.weekday()):
            cell = (one.node_id, _service(one, rates), zone.max_km, weekday)
            counted.setdefault(cell, Counter())[days] += 1
            zones[cell] = zone
    return {
        cell: Seen(
            days.total(), _at(days, 50), _at(days, 90), zones[cell].days_p50, zones[cell].days_p90
        )
        for cell, days in counted.items()
        if days.total() >= LEAST_PARCELS
    }


def _service(fact: LaneFact, rates: engine.RateCard) -> str:
    """The service whose lanes the parcel used: its own, or the standard one."""
    known = fact.service in rates.zones and fact.service != engine.PICKUP
    return fact.service if known else next(iter(rates.zones))


def _zone(fact: LaneFact, node: NodeView, rates: engine.RateCard) -> engine.Zone | None:
    """The ring of the rate card in which it was delivered; None where nobody knows."""
    where = locate(fact.postal_code, fact.region, fact.country)
    if where.precision not in _KNOWN or node.latitude is None or node.longitude is None:
        return None
    there = engine.Place("", where.latitude, where.longitude, "", "")
    km = haversine_km(node.latitude, node.longitude, there)
    rings = rates.zones[_service(fact, rates)]
    return next((ring for ring in rings if round(km) <= ring.max_km), None)


def _working_days(left: date, arrived: date, rates: engine.RateCard) -> int | None:
    """The fewest carrier working days by which it would be there; None where that makes no sense."""
    for days in range(LONGEST_DAYS + 1):
        if add_working_days(left, days, rates.carrier_days, rates.carrier_holidays) >= arrived:
            return days
    return None


def _at(days: Mapping[int, int], percent: int) -> int:
    """The fewest days within which so many of a hundred parcels were there."""
    wanted, so_far = percent * sum(days.values()), 0
    for length in sorted(days):
        so_far += days[length] * 100
        if so_far >= wanted:
            return length
    raise ValueError("nothing was counted")
