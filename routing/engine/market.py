"""A network and its demand as arrays: what prices and joint plans are worked out from.

Costs come from the same screening that single plans use, so that what is priced is what is paid.
Money is in minor units, as floats.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from routing.engine.ascent import COLD, WARM, Pace, Settled, Shelves, settle
from routing.engine.calendar import local_date
from routing.engine.choosing import Question
from routing.engine.crowd import NEVER, Asks, Floats
from routing.engine.forecast import Baskets
from routing.engine.geo import distances_km
from routing.engine.prices import PriceBook
from routing.engine.screening import POINTS, Network
from routing.engine.timetable import Timetable, View
from routing.engine.types import Demand, Node, Policy, RateCard


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a parcel, each unit and each gram in it cost, by destination and service (row) and node.

    `leaves` is the day on which a parcel of today leaves each node.
    """

    opening: Floats
    pick: Floats
    gram: Floats
    leaves: tuple[date | None, ...]


def tariff(
    rows: Sequence[Demand], nodes: Sequence[Node], rates: RateCard, policy: Policy
) -> Tariff:
    """The tariff of one demand like each row's, as the engine would charge it now."""
    timetable = Timetable(rates)
    shape = (len(rows), len(nodes))
    opening, gram = np.full(shape, NEVER), np.zeros(shape)
    pick = np.zeros(len(nodes))
    leaves: list[date | None] = [None] * len(nodes)
    distances = distances_km([node.place for node in nodes], [row.destination for row in rows])
    networks: dict[View, Network] = {}
    for place, (demand, kms) in enumerate(zip(rows, distances, strict=True)):
        view = View.of(demand)
        network = networks.get(view)
        if network is None:
            network = networks[view] = Network(nodes, policy, view, timetable)
        for at, (node, km) in enumerate(zip(nodes, kms, strict=True)):
            lane = network.lane(at, km) if network.rules[at] is None else None
            if lane is None or lane.barred is not None:
                continue
            per_km = 100 * policy.weights.distance_per_km * km
            opening[place, at] = (lane.opening + per_km) / POINTS
            gram[place, at] = lane.gram / POINTS
            pick[at] = lane.pick / POINTS
            if lane.departs is not None:
                leaves[at] = local_date(lane.departs, node.timezone)
    return Tariff(opening, pick, gram, tuple(leaves))


@dataclass(frozen=True, slots=True)
class Goods:
    """SKU ids with what a unit weighs on the invoice and what leaving it unfilled costs."""

    ids: tuple[int, ...]
    grams: Floats
    unfilled: Floats

    def places(self) -> dict[int, int]:
        return {sku: place for place, sku in enumerate(self.ids)}


def asks_of(baskets: Iterable[Baskets], costs: Tariff, goods: Goods) -> list[Asks]:
    """The orders of a forecast with what they would pay."""
    crowd = []
    for one in baskets:
        orders, size = one.sku.shape
        nodes = costs.opening.shape[1]
        opening = np.zeros((orders, nodes + 1), dtype=np.float32)
        opening[:, :nodes] = costs.opening[one.row]
        lines = np.empty((orders, size, nodes + 1), dtype=np.float32)
        unit = costs.pick + costs.gram[one.row][:, None, :] * goods.grams[one.sku][:, :, None]
        lines[:, :, :nodes] = one.units[:, :, None] * unit
        lines[:, :, nodes] = one.units * goods.unfilled[one.sku]
        crowd.append(Asks(opening, lines, one.sku, one.units, one.day, one.scene))
    return crowd


def asks_of_questions(
    questions: Sequence[Question], goods: Goods, scene: int
) -> tuple[list[Asks], list[list[int]]]:
    """Open demands as orders of today in one scene, grouped by size; and the places of each group."""
    places = goods.places()
    groups: dict[int, list[int]] = {}
    for place, question in enumerate(questions):
        groups.setdefault(len(question.demand.lines), []).append(place)
    crowd: list[Asks] = []
    for size, members in sorted(groups.items()):
        nodes = len(questions[members[0]].offers)
        opening = np.zeros((len(members), nodes + 1), dtype=np.float32)
        opening[:, :nodes] = NEVER
        lines = np.empty((len(members), size, nodes + 1), dtype=np.float32)
        sku = np.zeros((len(members), size), dtype=np.int64)
        units = np.ones((len(members), size), dtype=np.int64)
        for row, place in enumerate(members):
            question = questions[place]
            lines[row], sku[row], units[row] = _line_costs(question, places)
            for at in question.candidates:
                opening[row, at] = question.offers[at].opening / POINTS
        none = np.zeros(len(members), dtype=np.int64)
        crowd.append(Asks(opening, lines, sku, units, none, none + scene))
    return crowd, [groups[size] for size in sorted(groups)]


def _line_costs(
    question: Question, places: Mapping[int, int]
) -> tuple[Floats, list[int], list[int]]:
    offers, lines = question.offers, question.demand.lines
    pick = np.array([offer.pick for offer in offers], dtype=np.float64)
    gram = np.array([offer.gram for offer in offers], dtype=np.float64)
    costs = np.full((len(lines), len(offers) + 1), NEVER)
    for row, (line, grams) in enumerate(zip(lines, question.grams, strict=True)):
        held = np.array([question.usable[line.sku][at] > 0 for at in range(len(offers))])
        unit = (pick + gram * grams) / POINTS
        asked = question.asked(line.sku)
        if asked is not None:
            unit = unit + np.array(asked) / POINTS
        costs[row, :-1] = np.where(held, line.quantity * unit, NEVER)
        costs[row, -1] = line.quantity * line.unfilled_cost
    return costs, [places[line.sku] for line in lines], [line.quantity for line in lines]


@dataclass(frozen=True, slots=True)
class Market:
    """Everything that shares: stock by (SKU, node) and room by (node, day from today).

    A parcel beyond the room costs `overtime` minor units more.
    """

    nodes: tuple[int, ...]
    goods: Goods
    stock: Floats
    room: Floats
    overtime: float

    def settle(
        self,
        wave: Sequence[Asks],
        futures: Sequence[Asks],
        scenes: int,
        start: Settled | None = None,
        pace: Pace | None = None,
        spare: float = 0.0,
    ) -> Settled:
        """Prices at which the wave and each future share what there is.

        Stock is taken to be `spare` units more than it is, where there is any.
        """
        stock = np.where(self.stock > 0, self.stock + spare, 0)
        shelves = Shelves(stock, self.room, self.overtime)
        chosen = pace or (COLD if start is None else WARM)
        return settle(wave, futures, scenes, shelves, chosen, start)

    def book(
        self,
        settled: Settled,
        version: str,
        at: datetime,
        days: Sequence[Sequence[date | None]],
        *,
        relative: bool = True,
        cap: int | None = None,
    ) -> PriceBook:
        """The mean over futures as a price book. `days` says when a parcel of each day leaves each node.

        A window that is full asks the overtime.
        """
        mean = np.rint(settled.units.mean(0)).astype(np.int64)
        units: dict[int, dict[int, int]] = {}
        for sku, node in zip(*np.nonzero(mean * (self.stock > 0)), strict=True):
            row = units.setdefault(self.goods.ids[sku], {})
            row[self.nodes[node]] = int(mean[sku, node])
        room = np.where(self.room > 0, settled.parcels.mean(0), self.overtime)
        parcels = {
            (self.nodes[node], leaves): round(float(room[node, day]))
            for day, row in enumerate(days)
            for node, leaves in enumerate(row)
            if leaves is not None and round(float(room[node, day]))
        }
        return PriceBook(version, at, units, parcels, relative, cap)


def spread(settled: Settled, scenes: int) -> Settled:
    """Where to start from for other futures: half-way between each one's prices and their mean."""
    units, parcels = settled.units.mean(0), settled.parcels.mean(0)
    if scenes != len(settled.units):
        return Settled(
            np.repeat(units[None], scenes, 0),
            np.repeat(parcels[None], scenes, 0),
            settled.wave_parcels,
            settled.bound,
        )
    return Settled(
        (settled.units + units) / 2,
        np.repeat(parcels[None], scenes, 0),
        settled.wave_parcels,
        settled.bound,
    )
