"""Lines of several units, each of which may leave from several nodes, proven best size by size.

As in `counting`, with a row for each unit: a set of nodes fills a line with the cheapest units that
it has, and a node that joins replaces the dearest of them, as many as it has.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from routing.engine.blocks import Block, Pool, Source
from routing.engine.counting import (
    EXACT_BELOW,
    FIRST_STEP,
    LARGEST,
    BySize,
    Floats,
    Ints,
    Priced,
    Sets,
)

MOST_UNITS = 200
"""Orders of more units than this are not counted."""

MOST_SETS = 30_000
MOST_SECOND = 4_000
"""More sets of one size than this are not listed, for the best plan and for the second best."""

STOCK_BITS = 8
STOCK_MASK = (1 << STOCK_BITS) - 1
"""A unit's points and a node's stock are sorted as one number: no stock counts beyond the units."""

FEW = 1_500
"""So many sets are looked through as they are."""

MOST_NUMBERS = 1 << 19
"""Lines times nodes of sets, or times nodes and units: more than this are not worked out."""

ROUNDS = 30
PATIENCE = 3

PARTS = (0.1, 0.4)
"""Of what lies between the bound and the best set known, how much is looked through first."""


class ByUnits(BySize):
    """Lines that are filled from as many nodes as it takes."""

    def __init__(self, opening: Sequence[int], sources: Sequence[Source], most: int) -> None:
        self._quantity = np.array([source.quantity for source in sources], dtype=np.int64)
        self._penalty = np.array([source.penalty for source in sources], dtype=np.float64)
        unit = np.array([source.unit for source in sources], dtype=np.float64)
        stock = np.array([source.stock for source in sources], dtype=np.int64)
        # A unit that costs as much as its lack is left.
        stock[unit >= self._penalty[:, None]] = 0
        self._stock = np.minimum(stock, self._quantity[:, None])
        self._unit = np.where(self._stock > 0, unit, self._penalty[:, None])
        ranks = np.arange(int(self._quantity.max()))
        self._each = np.where(ranks[:, None] < self._stock[:, None, :], unit[:, None, :], np.inf)
        self._both = (self._unit.astype(np.int64) << STOCK_BITS) + self._stock
        self._line = np.repeat(np.arange(len(sources)), self._quantity)
        rank = np.concatenate([np.arange(source.quantity) for source in sources])
        self._dearest_first = self._quantity[self._line] - 1 - rank
        self._opening = np.array(opening, dtype=np.float64)
        self._none = self._penalty[self._line]
        self._alone = np.minimum(self._each[self._line, rank], self._none[:, None])
        self._most = most
        self._looked: list[Priced] = []

    @staticmethod
    def fits(opening: Sequence[int], sources: Sequence[Source]) -> bool:
        """Whether there are few enough units and no sum is beyond what floats hold."""
        total = sum(source.quantity * source.penalty for source in sources) + sum(opening)
        most = max(source.quantity for source in sources)
        return (
            sum(source.quantity for source in sources) <= MOST_UNITS
            and most * len(sources) * len(opening) <= MOST_NUMBERS
            and total < EXACT_BELOW
        )

    def _now(self, places: Sequence[int]) -> Floats:
        """Each line's units under this set, the dearest first."""
        if not places:
            return self._none
        lines, most, _ = self._each.shape
        there = self._each[:, :, list(places)].reshape(lines, -1)
        left = np.broadcast_to(self._penalty[:, None], (lines, most))
        units = np.sort(np.concatenate([there, left], axis=1), axis=1)
        now: Floats = units[self._line, self._dearest_first]
        return now

    def _raised(
        self, size: int, points: float, start: Floats | None
    ) -> tuple[Floats, Floats, float, float]:
        unit, stock, quantity = self._unit, self._stock, self._quantity
        prices = start
        if prices is None:
            prices = np.partition(unit, min(1, unit.shape[1] - 1), axis=1)[:, 1]
        kept, lacks, least, from_here = prices, self._opening, -np.inf, -np.inf
        step, idle = FIRST_STEP, 0
        for _ in range(ROUNDS):
            below = stock * np.maximum(prices[:, None] - unit, 0)
            lacking = self._opening - below.sum(0)
            nodes = np.argpartition(lacking, size - 1)[:size]
            bound = float((quantity * prices).sum() + lacking[nodes].sum())
            free = float(np.minimum(lacking, 0).sum() - np.minimum(lacking[nodes], 0).sum())
            from_here = max(from_here, bound + free)
            if bound > least:
                kept, lacks, least, idle = prices, lacking, bound, 0
            else:
                idle += 1
                if idle == PATIENCE:
                    step, idle = step / 2, 0
            short = quantity - (stock[:, nodes] * (below[:, nodes] > 0)).sum(1)
            steep = float((short * short).sum())
            if not steep or bound > points:
                break
            prices = np.clip(prices + step * (points - bound) / steep * short, 0, self._penalty)
        return kept, lacks, least, from_here

    def _asked(self, prices: Floats) -> float:
        return float((self._quantity * prices).sum())

    def _looked_through(
        self, priced: Priced, best: tuple[int, ...], points: float
    ) -> tuple[tuple[int, ...], float, bool]:
        return self._among(priced, best, points, MOST_SETS)

    def _among(
        self,
        priced: Priced,
        best: tuple[int, ...],
        points: float,
        most: int,
        apart: tuple[int, ...] = (),
    ) -> tuple[tuple[int, ...], float, bool]:
        """Look through all sets at once where they are few; else those that lack least first.

        Sets that hold all nodes of `apart` do not count.
        """
        least = self._least(priced)
        sets = self._listed(priced, points, FEW)
        if sets is None:
            for part in PARTS:
                likely = self._listed(priced, least + part * (points - least), most)
                if likely is None:
                    break
                best, points = self._better(_without(likely, apart), best, points)
            sets = self._listed(priced, points, most)
        if sets is None:
            return best, points, False
        return *self._better(_without(sets, apart), best, points), True

    def _listed(self, priced: Priced, points: float, most: int = MOST_SETS) -> Sets | None:
        sets = super()._listed(priced, points, most)
        if sets is None or sets.places.size * len(self._quantity) > MOST_NUMBERS:
            return None
        return sets

    def second(self, best: tuple[int, ...]) -> tuple[int, ...]:
        """A good set that leaves out a node of this one, which was proven; empty where none does."""
        others = [other for gone in best if (other := self.found(gone))]
        if not others:
            return ()
        points, _, _, second = min((self.cost(one), len(one), sum(one), one) for one in others)
        for priced in (*self._looked, self._next(points)):
            if priced is not None and self._least(priced) <= points:
                second, points, _ = self._among(priced, second, points, MOST_SECOND, best)
        return second

    def _next(self, points: float) -> Priced | None:
        """One size more than were looked at, where sets of it are listed at all."""
        last = self._looked[-1]
        size = last.size + 1
        if size > min(self._most, LARGEST):
            return None
        prices, lacking, _, _ = self._raised(size, points, last.prices)
        return Priced(size, prices, lacking)

    def _covering(self, rows: Ints, prices: Floats, room: Floats) -> NDArray[np.bool_]:
        """Whether the sets have all units of every line that could not afford to leave one."""
        enough = room >= 0
        spare = float(room.max(initial=0.0))
        for line in np.flatnonzero(self._penalty - prices > spare).tolist():
            still = np.flatnonzero(enough)
            held = self._stock[line][rows[still]].sum(1)
            enough[still[held < self._quantity[line]]] = False
        return enough

    def _costs(self, rows: Ints) -> Floats:
        """Each line from the cheapest of the set's nodes on, while there is any of it to want."""
        there = np.sort(self._both[:, rows], axis=2)
        unit, stock = there >> STOCK_BITS, there & STOCK_MASK
        left = self._quantity[:, None]
        total: Ints = np.zeros_like(left)
        for place in range(rows.shape[1]):
            units = np.minimum(stock[:, :, place], left)
            total = total + units * unit[:, :, place]
            left = left - units
        costs: Floats = (total + left * self._penalty[:, None]).sum(0)
        return costs


def _without(sets: Sets, apart: tuple[int, ...]) -> Sets:
    """The sets that lack at least one of these nodes."""
    if not apart:
        return sets
    there = [(sets.places == place).any(1) for place in apart]
    other = ~np.logical_and.reduce(there)
    return Sets(sets.places[other], sets.lacking[other])


def sources_of(blocks: Sequence[Block]) -> list[Source] | None:
    """Each block as a line; None where one is more than that."""
    found: list[Source] = []
    for block in blocks:
        if block.single:
            found.append(Source(1, block.none, block.alone, [1] * len(block.alone)))
            continue
        source = block.source() if isinstance(block, Pool) else None
        if source is None:
            return None
        found.append(source)
    return found
