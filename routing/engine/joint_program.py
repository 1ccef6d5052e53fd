"""The program of open orders that share stock and room, and what its answer means for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from routing.engine.choosing import Choice, Question, score_points
from routing.engine.crowd import Floats, Ints
from routing.engine.linear import Program
from routing.engine.plan import Run
from routing.engine.screening import POINTS
from routing.engine.types import Demand

GAP = 1e-4
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Standing:
    """An open order: its demand, what is planned for it now, and the day its buyer was told.

    `sources` are units by (line key, node id); none for an order that has no plan yet.
    """

    demand: Demand
    sources: Mapping[tuple[str, int], int] = field(default_factory=dict)
    promised: date | None = None

    @property
    def nodes(self) -> set[int]:
        return {node for _, node in self.sources}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a joint plan keeps to.

    `room` is what each node still sends within its window; a parcel beyond it costs `overtime`.
    Of each SKU that `expected` names a unit more than that costs `stiffness` more, as a share of what
    is expected, and a unit less that much less: prices are only right about there.
    An order moves to another node only where that saves `worthwhile` or more. After `seconds`
    orders are planned one by one instead.
    """

    room: Mapping[int, int] = field(default_factory=dict)
    overtime: int = 0
    worthwhile: int = 0
    expected: Mapping[int, float] = field(default_factory=dict)
    stiffness: int = 0
    seconds: float = 20.0
    gap: float = GAP


class Joint:
    """The program of some orders: columns of parcels, units, unfilled units, overtime and moves."""

    def __init__(self, orders: Sequence[tuple[Standing, Question]], run: Run, terms: Terms) -> None:
        self.orders, self.run, self.terms = orders, run, terms
        self.program = Program()
        self.parcels = self._pairs()
        self._lines()
        self._limits()
        self._room()
        if terms.stiffness:
            self._stiffen()
        if terms.worthwhile:
            self._moves()

    def _pairs(self) -> dict[tuple[int, int], int]:
        """A column per order and candidate: its parcel."""
        pairs = [
            (o, at) for o, (_, question) in enumerate(self.orders) for at in question.candidates
        ]
        parcel = self.run.policy.weights.parcel
        cost = [self.orders[o][1].offers[at].opening / POINTS + parcel for o, at in pairs]
        columns = self.program.add_columns(np.array(cost), 1.0, whole=True)
        return dict(zip(pairs, columns.tolist(), strict=True))

    def _lines(self) -> None:
        """Units by line and candidate: no more than the parcel, the stock and the wish allow."""
        keys: list[tuple[int, int, int]] = []
        cost: list[float] = []
        most: list[int] = []
        wanted: list[tuple[int, int, int, float]] = []
        for o, (_, question) in enumerate(self.orders):
            for number, line in enumerate(question.demand.lines):
                units = question.usable[line.sku]
                asked = question.asked(line.sku)
                wanted.append((o, number, line.quantity, self._penalty(question, number)))
                for at in question.candidates:
                    if not units[at]:
                        continue
                    offer = question.offers[at]
                    more = asked[at] if asked else 0
                    keys.append((o, number, at))
                    points = offer.pick + offer.gram * question.grams[number] + more
                    cost.append(points / POINTS)
                    most.append(min(units[at], line.quantity))
        self.keys, self.wanted = keys, wanted
        program, limit = self.program, np.array(most, dtype=np.float64)
        self.units = program.add_columns(np.array(cost), limit, whole=True)
        counts = np.array([row[2] for row in wanted], dtype=np.float64)
        self.missing = program.add_columns(np.array([row[3] for row in wanted]), counts)
        place = {(row[0], row[1]): n for n, row in enumerate(wanted)}
        of = np.array([place[o, number] for o, number, _ in keys], dtype=np.int64)
        every = np.arange(len(wanted), dtype=np.int64)
        program.add_rows(counts, counts, len(wanted), (of, self.units, 1), (every, self.missing, 1))
        opened = np.array([self.parcels[o, at] for o, _, at in keys], dtype=np.int64)
        own = np.arange(len(keys), dtype=np.int64)
        program.add_rows(-np.inf, 0.0, len(keys), (own, self.units, 1), (own, opened, -limit))
        self._stock()

    def _penalty(self, question: Question, number: int) -> float:
        line = question.demand.lines[number]
        if not question.policy.fill_first and not question.all_or_nothing:
            return line.unfilled_cost
        dearest = max((question.offers[at].opening for at in question.candidates), default=0)
        return line.unfilled_cost + dearest / POINTS + self._dearest_unit(question, number)

    def _dearest_unit(self, question: Question, number: int) -> float:
        line, grams = question.demand.lines[number], question.grams[number]
        asked = question.asked(line.sku)
        return (
            max(
                (
                    question.offers[at].pick
                    + question.offers[at].gram * grams
                    + (asked[at] if asked else 0)
                    for at in question.candidates
                ),
                default=0,
            )
            / POINTS
        )

    def _stock(self) -> None:
        """Units of one SKU at one node go to one order only."""
        rows: dict[tuple[int, int], int] = {}
        of = []
        for o, number, at in self.keys:
            sku = self.orders[o][1].demand.lines[number].sku
            of.append(rows.setdefault((sku, at), len(rows)))
        held = [self.run.stock.column(sku)[at] for sku, at in rows]
        self.program.add_rows(
            -np.inf,
            np.array(held, dtype=np.float64),
            len(rows),
            (np.array(of, dtype=np.int64), self.units, 1),
        )

    def _limits(self) -> None:
        """At most so many parcels, and all of an order or nothing, where that is asked."""
        program = self.program
        for o, (_, question) in enumerate(self.orders):
            own = [self.parcels[o, at] for at in question.candidates]
            if question.max_open < len(own):
                row = np.zeros(len(own), dtype=np.int64)
                program.add_rows(-np.inf, question.max_open, 1, (row, np.array(own), 1))
            if question.all_or_nothing:
                lines = [n for n, wish in enumerate(self.wanted) if wish[0] == o]
                whole = program.add_columns(np.zeros(1), 1.0, whole=True)
                each = np.arange(len(lines), dtype=np.int64)
                wish = np.array([self.wanted[n][2] for n in lines], dtype=np.float64)
                program.add_rows(
                    wish, wish, len(lines),
                    (each, self.missing[lines], 1), (each, np.repeat(whole, len(lines)), wish),
                )  # fmt: skip

    def _room(self) -> None:
        nodes = self.run.nodes
        known = {
            at: self.terms.room[node.id]
            for at, node in enumerate(nodes)
            if node.id in self.terms.room
        }
        if not known:
            return
        rows = {at: number for number, at in enumerate(known)}
        inside = [(rows[at], column) for (_, at), column in self.parcels.items() if at in rows]
        over = self.program.add_columns(np.full(len(rows), float(self.terms.overtime)))
        self.program.add_rows(
            -np.inf,
            np.array([known[at] for at in rows], dtype=np.float64),
            len(rows),
            _columns(inside),
            (np.arange(len(rows), dtype=np.int64), over, -1),
        )

    def _stiffen(self) -> None:
        """Units of a SKU, one after another, each dearer than the one before."""
        columns: dict[int, list[int]] = {}
        for column, (o, number, _) in zip(self.units.tolist(), self.keys, strict=True):
            sku = self.orders[o][1].demand.lines[number].sku
            if sku in self.terms.expected:
                columns.setdefault(sku, []).append(column)
        wanted: dict[int, int] = {}
        for o, number, quantity, _ in self.wanted:
            sku = self.orders[o][1].demand.lines[number].sku
            wanted[sku] = wanted.get(sku, 0) + quantity
        for sku, own in columns.items():
            usual = self.terms.expected[sku]
            each = np.arange(wanted[sku]) + HALF - usual
            steps = self.program.add_columns(self.terms.stiffness * each / (usual + 1), 1.0)
            row = np.zeros(len(own), dtype=np.int64)
            self.program.add_rows(
                0.0,
                0.0,
                1,
                (row, np.array(own), 1),
                (np.zeros(len(steps), dtype=np.int64), steps, -1),
            )

    def _moves(self) -> None:
        """Opening a node that an order does not have now costs what a move must save."""
        pairs: list[tuple[int, int]] = []
        movable = [o for o, (order, _) in enumerate(self.orders) if order.sources]
        moved = self.program.add_columns(np.full(len(movable), float(self.terms.worthwhile)), 1.0)
        for number, o in enumerate(movable):
            order, question = self.orders[o]
            now = {node for _, node in order.sources}
            pairs += [
                (int(moved[number]), self.parcels[o, at])
                for at in question.candidates
                if question.offers[at].node.id not in now
            ]
        if pairs:
            row = np.arange(len(pairs), dtype=np.int64)
            moves, opened = (np.array(side, dtype=np.int64) for side in zip(*pairs, strict=True))
            self.program.add_rows(-np.inf, 0.0, len(pairs), (row, opened, 1), (row, moves, -1))

    def _start(self) -> Floats | None:
        """What stands now, as the first plan to be better than."""
        if not any(order.sources for order, _ in self.orders):
            return None
        values = np.zeros(self.program.columns)
        for column, (o, number, at) in zip(self.units.tolist(), self.keys, strict=True):
            order, question = self.orders[o]
            node, line = question.offers[at].node.id, question.demand.lines[number]
            values[column] = order.sources.get((line.key, node), 0)
            if values[column]:
                values[self.parcels[o, at]] = 1
        for column, (o, number, quantity, _) in zip(
            self.missing.tolist(), self.wanted, strict=True
        ):
            order, question = self.orders[o]
            key = question.demand.lines[number].key
            values[column] = quantity - sum(n for (k, _), n in order.sources.items() if k == key)
        return values

    def choices(self) -> dict[int, Choice]:
        """By order, what to do. Raises NoAnswerError."""
        if not self.program.entries:
            return {}
        solution = self.program.solved(
            gap=self.terms.gap, seconds=self.terms.seconds, start=self._start()
        )
        flows: dict[int, list[tuple[int, int, int]]] = {o: [] for o in range(len(self.orders))}
        for column, (o, number, at) in zip(self.units.tolist(), self.keys, strict=True):
            units = round(float(solution.columns[column]))
            if units:
                flows[o].append((number, at, units))
        return {o: _choice(self.orders[o][1], rows) for o, rows in flows.items()}


def _columns(pairs: Sequence[tuple[int, int]]) -> tuple[Ints, Ints, float]:
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return rows, columns, 1.0


def _choice(question: Question, flows: list[tuple[int, int, int]]) -> Choice:
    opened = tuple(sorted({at for _, at, _ in flows}))
    choice = Choice(opened, flows, 0, 0, inexact=False)
    points = score_points(question, choice)
    return replace(choice, points=points, bound=points)
