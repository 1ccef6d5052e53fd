"""Recorded decisions played again: the same input under other policies, with stock carried on. Pure.

A variant that sends a unit from elsewhere leaves another stock behind than the record says. What
it has more or less of each SKU at each node is carried from decision to decision, so that a later
one meets what the variant itself has left: recorded supply + what live took − what it took.
"""

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from routing import engine
from routing.engine import Supply

Take = tuple[int, int, int]
"""(node id, SKU id, units)."""

HOURS_UP_TO_DAYS = 3
"""Samples up to so many days are counted by the hour, longer ones by the day."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision ready to be planned again. `taken` is what live took.

    `due` is the day by which a delivery is on time: the buyer's, else the last one of the recorded
    plan, which is what the buyer was told. `again` says that the group is decided again later in
    the sample. `stored` is the record as it is kept.
    """

    id: UUID
    order_id: UUID
    group_id: UUID
    at: datetime
    demand: engine.Demand
    policy: engine.Policy
    supply: Mapping[int, Mapping[int, int]]
    nodes: tuple[engine.Node, ...]
    taken: tuple[Take, ...]
    due: date | None
    stored: Mapping[str, Any]
    book: engine.PriceBook | None = None
    again: bool = False


class Played(NamedTuple):
    """What one variant does with a decision."""

    plan: engine.Plan
    taken: tuple[Take, ...]
    figures: Mapping[str, int]


@dataclass(slots=True)
class Variant:
    """What one variant has counted so far, and by how much its stock differs: SKU → node → units."""

    totals: Counter[str] = field(default_factory=Counter)
    more: dict[int, dict[int, int]] = field(default_factory=dict)

    def shift(self, taken: Sequence[Take], sign: int) -> None:
        for node, sku, units in taken:
            row = self.more.setdefault(sku, {})
            left = row.get(node, 0) + sign * units
            if left:
                row[node] = left
            else:
                row.pop(node, None)
                if not row:
                    del self.more[sku]


@dataclass(slots=True)
class Carried:
    """Where a simulation stands. `own` is what groups have added that are decided again later.

    A group's later decision replaces its earlier one: what that took is given back in every
    variant, as live gave it back.
    """

    variants: list[Variant]
    own: dict[str, list[tuple[tuple[Take, ...], tuple[Take, ...], dict[str, int]]]]
    reproduced: int = 0
    drifted: int = 0

    @classmethod
    def fresh(cls, variants: int) -> "Carried":
        return cls([Variant() for _ in range(variants)], {})

    def packed(self) -> bytes:
        """As compressed JSON, to be gone on from by another process."""
        state = {
            "totals": [variant.totals for variant in self.variants],
            "more": [
                [[sku, node, n] for sku, row in variant.more.items() for node, n in row.items()]
                for variant in self.variants
            ],
            "own": self.own,
            "counts": [self.reproduced, self.drifted],
        }
        return zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 1)

    @classmethod
    def unpacked(cls, packed: bytes, variants: int) -> "Carried":
        if not packed:
            return cls.fresh(variants)
        state = json.loads(zlib.decompress(packed))
        carried = cls.fresh(variants)
        for variant, totals, more in zip(
            carried.variants, state["totals"], state["more"], strict=True
        ):
            variant.totals.update(totals)
            for sku, node, units in more:
                variant.more.setdefault(sku, {})[node] = units
        carried.own = {
            group: [
                (tuple(map(tuple, live)), tuple(map(tuple, own)), figures)
                for live, own, figures in kept
            ]
            for group, kept in state["own"].items()
        }
        carried.reproduced, carried.drifted = state["counts"]
        return carried


def play(
    recorded: Recorded,
    policies: Sequence[engine.Policy],
    carried: Carried,
    rates: engine.RateCard,
    *,
    by_hour: bool = True,
    copies: int = 1,
    unpriced: Collection[int] = (),
    timetable: engine.Timetable | None = None,
) -> list[Played]:
    """What each variant does with the decision; what it takes is gone for its later decisions.

    The first variant's policy is the recorded one. `copies` of the demand are planned one after
    another; the first one's plans are returned. Variants in the places `unpriced` use no price book.
    With a timetable of the rates what one decision worked out is known to the next.
    """
    known = engine.Timetable(rates) if timetable is None else timetable
    key = str(recorded.group_id)
    for variant, (live, own, figures) in zip(
        carried.variants, carried.own.pop(key, ()), strict=False
    ):
        variant.shift(live, -1)
        variant.shift(own, 1)
        variant.totals.subtract(figures)
    first: list[Played] = []
    kept: list[tuple[tuple[Take, ...], tuple[Take, ...], Counter[str]]]
    kept = [(recorded.taken, (), Counter()) for _ in policies]
    for copy in range(copies):
        played = _played(recorded, policies, carried, known, by_hour=by_hour, unpriced=unpriced)
        first = first or played
        for place, (variant, one) in enumerate(zip(carried.variants, played, strict=True)):
            variant.shift(one.taken, -1)
            if not copy:
                variant.shift(recorded.taken, 1)
            variant.totals.update(one.figures)
            took, sent, counted = kept[place]
            kept[place] = (took, sent + one.taken, counted + Counter(one.figures))
    if recorded.again:
        carried.own[key] = [(live, own, dict(figures)) for live, own, figures in kept]
    same = first[0].taken == recorded.taken
    carried.reproduced += same
    carried.drifted += not same
    return first


def _asked(book: engine.PriceBook | None, policy: engine.Policy) -> engine.PriceBook | None:
    """The recorded prices in the form that the policy asks them in."""
    if book is None or book.relative == policy.fill_first:
        return book
    return replace(book, relative=policy.fill_first)


def _played(
    recorded: Recorded,
    policies: Sequence[engine.Policy],
    carried: Carried,
    timetable: engine.Timetable,
    *,
    by_hour: bool,
    unpriced: Collection[int],
) -> list[Played]:
    done: list[tuple[engine.Policy, object, Mapping[Any, int], engine.Plan]] = []
    played: list[Played] = []
    for place, (policy, variant) in enumerate(zip(policies, carried.variants, strict=True)):
        units = _offered(recorded, variant)
        plain = replace(policy, code="", version=0)
        book = None if place in unpriced else _asked(recorded.book, policy)
        known = next(
            (
                plan
                for asked, by, had, plan in done
                if asked == plain and by is book and had == units
            ),
            None,
        )
        if known is None:
            [plan] = engine.plan(
                [recorded.demand],
                recorded.nodes,
                Supply(units),
                timetable.rates,
                policy,
                book,
                timetable,
            )
            done.append((plain, book, units, plan))
        else:
            plan = replace(known, policy=policy.code, version=policy.version)
        skus = {line.key: line.sku for line in recorded.demand.lines}
        taken = summed((one.node, skus[one.line], one.quantity) for one in plan.assignments)
        played.append(Played(plan, taken, figures_of(plan, recorded, by_hour=by_hour)))
    for one in played[1:]:
        if one.taken != played[0].taken:
            one.figures["moved"] = 1  # type: ignore[index]  # made here
    return played


def summed(taken: Iterable[Take]) -> tuple[Take, ...]:
    """Units by node and SKU, in one order."""
    units: dict[tuple[int, int], int] = {}
    for node, sku, n in taken:
        units[node, sku] = units.get((node, sku), 0) + n
    return tuple((node, sku, n) for (node, sku), n in sorted(units.items()) if n)


def _offered(recorded: Recorded, variant: Variant) -> dict[tuple[int, int], int]:
    """The recorded supply as it would be after the variant's own earlier decisions."""
    units = {
        (node, sku): n for sku, by_node in recorded.supply.items() for node, n in by_node.items()
    }
    for sku in recorded.supply:
        for node, n in variant.more.get(sku, {}).items():
            units[node, sku] = max(0, units.get((node, sku), 0) + n)
    return units


def figures_of(plan: engine.Plan, recorded: Recorded, *, by_hour: bool) -> dict[str, int]:
    """A plan in numbers that add up: money in minor units, lateness in thousandths of a day."""
    cost = plan.cost
    figures = {
        "groups": 1,
        "units": sum(line.quantity for line in plan.demand.lines),
        "unfilled_units": sum(one.quantity for one in plan.unfilled),
        "parcels": len(plan.parcels),
        "split": len(plan.parcels) > 1,
        "km": sum(parcel.distance_km for parcel in plan.parcels),
        **{f"cost:{name}": value for name, value in zip(cost._fields, cost, strict=True) if value},
    }
    if plan.split_cause:
        figures[f"cause:{plan.split_cause}"] = 1
    usual = [parcel.deliver_p50 for parcel in plan.parcels if parcel.deliver_p50]
    latest = [parcel.deliver_p90 for parcel in plan.parcels if parcel.deliver_p90]
    if usual and latest:
        figures["delivered"] = 1
        figures["days"] = max(0, (max(usual) - recorded.at.date()).days)
        if recorded.due is not None:
            late = max(0, (max(usual) - recorded.due).days) + max(
                0, (max(latest) - recorded.due).days
            )
            figures |= {
                "dated": 1,
                "on_time": max(latest) <= recorded.due,
                "late_milli": late * 500,
            }
    sent = {parcel.node for parcel in plan.parcels}
    names = {node.id: node.code for node in recorded.nodes if node.id in sent}
    for parcel in plan.parcels:
        moment = parcel.ship_by or recorded.at
        window = f"{moment:%Y-%m-%dT%H}" if by_hour else f"{moment:%Y-%m-%d}"
        load = f"load:{names.get(parcel.node, parcel.node)}:{window}"
        figures[load] = figures.get(load, 0) + 1
    return {name: int(value) for name, value in figures.items() if value}


def copies_of(decision_id: UUID, tenths: int, seed: int) -> int:
    """How many times a decision is played in a peak of `tenths` tenths: the same for a seed."""
    whole, rest = divmod(tenths, 10)
    drawn = hashlib.sha256(f"{seed}:{decision_id}".encode()).digest()[0]
    return whole + (drawn * 10 < rest * 256)
