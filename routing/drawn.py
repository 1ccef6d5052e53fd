"""A plan as it is stored: the engine's record, and beside it what the plan was made from. Pure."""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from orders.sourcing import Demand
from routing import engine
from routing.engine.prices import WHOLE

LEVEL, WINDOW_BITS, MEMORY_LEVEL = 6, 12, 5
COMMON = (
    b'{"demand":{"lines":[["0",1,1,500,100,null],["1",2,2,1000,null]],"point":[40.0,-90.0],'
    b'"service":"standard","at":"2026-01-01T00:00:00+00:00","deliver_by":null,'
    b'"ship_complete":false,"pinned_node":null,"excluded":[]},"supply":[[1,1,1],[2,2,2]],'
    b'"policy":{"code":"cheapest","version":1,"cost_percent":100,"parcel_minor":0,"km_milli":0,'
    b'"late_day_minor":500,"max_nodes":4,"max_nodes_per_line":null,"max_km":null,"on_time":false,'
    b'"allow_partial":true,"soft":[]},"versions":{"network":1,"policy":1,"rates":1,"skus":1}}'
)
"""What inputs have in common. Inputs are stored against these very bytes: they never change."""

encoded = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


class Basis(NamedTuple):
    """What a group was planned from, beside the network. Supply is units by SKU and node."""

    asked: Demand
    demand: engine.Demand
    policy_id: UUID | None
    policy: engine.Policy
    versions: Mapping[str, int]
    supply: Mapping[int, Mapping[int, int]]
    full_until: Mapping[int, str] = {}
    """By node, when those begin with more that have reached a limit that may be passed."""

    book: engine.PriceBook | None = None
    """What was asked for units and room; None where only the order itself counted."""

    acceptance: Mapping[int, int] = {}
    """By node, how many of a thousand requests it takes on, where that is known and not all."""

    partners: Sequence[Sequence[Any]] = ()
    """Drop-ship suppliers' terms, as `routing.offered.stored` gives them."""


class Drawn(NamedTuple):
    """One group's decision, carried through the caller as `Plan.decision`.

    Its record and its input are made when they are asked for: most plans of a second try, and
    every quote, are stored by nobody.
    """

    plan: engine.Plan
    basis: Basis
    at: datetime

    @property
    def pinned(self) -> bool:
        return self.basis.asked.pinned_node_id is not None

    @property
    def policy_id(self) -> UUID | None:
        return self.basis.policy_id

    @property
    def winner(self) -> str:
        """The codes of the nodes that ship."""
        opened = {parcel.node for parcel in self.plan.parcels}
        return ", ".join(sorted([c.code for c in self.plan.candidates if c.node in opened]))

    @property
    def cost_minor(self) -> int:
        cost = self.plan.cost
        return cost.true_cost - cost.unfilled

    @property
    def currency(self) -> str:
        return self.plan.currency

    @property
    def record(self) -> dict[str, Any]:
        record = engine.compact(self.plan)
        return record | {"by": self.basis.asked.moved} if self.basis.asked.moved else record

    @property
    def input(self) -> bytes:
        return _input(self.basis)


def _input(basis: Basis) -> bytes:
    """The input as JSON, compressed on what inputs have in common: a small window is enough."""
    demand = basis.demand
    skus = {line.sku for line in demand.lines}
    held = [(node, sku, n) for sku, by_node in basis.supply.items() for node, n in by_node.items()]
    supply = ",".join([f"[{node},{sku},{units}]" for node, sku, units in sorted(held)])
    asked = encoded(
        {
            "lines": [
                [
                    *(line.key, line.sku, line.quantity, line.weight_grams, line.unit_value),
                    *(line.parent, *((sorted(line.needs),) if line.needs else ())),
                ]
                for line in demand.lines
            ],
            "point": [demand.destination.latitude, demand.destination.longitude],
            "service": demand.service,
            "at": demand.at.isoformat(),
            "deliver_by": demand.deliver_by.isoformat() if demand.deliver_by else None,
            "ship_complete": demand.ship_complete,
            "pinned_node": demand.pinned_node,
            "excluded": sorted(pair for pair in demand.excluded if pair[1] in skus),
            **({"full_until": sorted(basis.full_until.items())} if basis.full_until else {}),
            **({"collected_at": demand.collected_at} if demand.collected_at else {}),
        }
    )
    rules = _rules(basis.policy, tuple(sorted(basis.versions.items())))
    prices = "" if basis.book is None else f',"prices":{encoded(_prices(basis))}'
    if there := sorted((node, rate) for node, rate in basis.acceptance.items()):
        prices += f',"acceptance":{encoded(there)}'
    if basis.partners:
        prices += f',"partners":{encoded(basis.partners)}'
    given = f'{{"demand":{asked},"supply":[{supply}],{rules}{prices}}}'
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL, zdict=COMMON)
    return packer.compress(given.encode()) + packer.flush()


def _prices(basis: Basis) -> dict[str, Any]:
    """What the book asked at the nodes that had any of the SKUs: the others' prices count nothing."""
    book = basis.book
    if book is None:
        return {}
    units = [
        (node, sku, price)
        for sku, by_node in sorted(basis.supply.items())
        for node in sorted(by_node)
        if (price := book.units.get(sku, {}).get(node, 0))
    ]
    there = {node for by_node in basis.supply.values() for node in by_node}
    return {
        "book": book.version,
        "made_at": book.made_at.isoformat(),
        "stale": book.stale,
        **({} if book.relative else {"filling": book.filling}),
        "units": units,
        "parcels": [
            (node, day.isoformat(), price)
            for (node, day), price in sorted(book.parcels.items())
            if node in there
        ],
    }


def book_of(given: Mapping[str, Any]) -> engine.PriceBook | None:
    """The prices that an opened input names, as the engine takes them; None where it names none."""
    said = given.get("prices")
    if said is None:
        return None
    units: dict[int, dict[int, int]] = {}
    for node, sku, price in said["units"]:
        units.setdefault(sku, {})[node] = price
    return engine.PriceBook(
        said["book"],
        datetime.fromisoformat(said["made_at"]),
        units,
        {(node, date.fromisoformat(day)): price for node, day, price in said["parcels"]},
        relative="filling" not in said,
        stale=said["stale"],
        filling=said.get("filling", WHOLE),
    )


@lru_cache(maxsize=64)
def _rules(policy: engine.Policy, versions: tuple[tuple[str, int], ...]) -> str:
    """The part that is the same for a whole batch: encoded once."""
    weights = policy.weights
    rules = {
        "policy": {
            "code": policy.code,
            "version": policy.version,
            "cost_percent": weights.cost_percent,
            "parcel_minor": weights.parcel,
            "km_milli": weights.distance_per_km,
            "late_day_minor": weights.late_day,
            "max_nodes": policy.max_nodes_per_demand,
            "max_nodes_per_line": policy.max_nodes_per_line,
            "max_km": policy.max_km,
            "on_time": policy.on_time,
            "allow_partial": policy.allow_partial,
            "soft": sorted(policy.soft),
            **({} if policy.nodes is None else {"nodes": sorted(policy.nodes)}),
            **({"reroute_minor": weights.reroute} if weights.reroute else {}),
            **({"day_minor": weights.day} if weights.day else {}),
            **({"goodwill_minor": policy.goodwill} if policy.goodwill else {}),
        },
        "versions": dict(versions),
    }
    return encoded(rules)[1:-1]


def opened_input(stored: bytes | memoryview) -> dict[str, Any]:
    """What the engine was given, from the stored bytes."""
    opener = zlib.decompressobj(zdict=COMMON)
    given: dict[str, Any] = json.loads(opener.decompress(bytes(stored)) + opener.flush())
    return given
