"""The best set of nodes for many lines: a good one at once, then proof size by size.

Prices of the lines prove what any set costs at least, and best where it is said how many nodes the
set has: a bound over all sizes lets half of three nodes open, which no plan can. For each size the
prices are raised on their own; sets that could still be better are then listed whole, which are
few, since each node of a set adds what it lacks to pay for itself.

Points are whole numbers below 2⁵³ here, so that floats hold them exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.engine.blocks import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXACT_BELOW = 2**53
ROUNDS = 70
FIRST_STEP = 1.0
PATIENCE = 6
"""So many rounds without a better bound halve the step."""

MOST_SETS = 400_000
"""More sets of one size than this are not listed: their bound is all that is known of them."""

LARGEST = 6
"""Sets of more nodes than this are not listed."""

ROUNDING = 1e-9
"""Of the points, what rounding in the prices may cost."""

CORE = 60
STARTS = 3
"""Among so many nodes that lack least a better set is sought, from so many of them on."""

BITS = 63


class Sets(NamedTuple):
    """Sets of nodes in ascending order of what they lack, and what they lack together."""

    places: Ints
    lacking: Floats


class Priced(NamedTuple):
    """Prices of the lines for sets of so many nodes, and what each node lacks to pay for itself."""

    size: int
    prices: Floats
    lacking: Floats


@dataclass(frozen=True, slots=True)
class Proven:
    """The cheapest set found, its points, and a bound that no set is below."""

    opened: tuple[int, ...]
    points: int
    bound: int


class BySize:
    """Lines that have one source each, and the nodes that could be it."""

    def __init__(self, opening: Sequence[int], blocks: Sequence[Block], most: int) -> None:
        self._opening = np.array(opening, dtype=np.float64)
        self._none = np.array([block.none for block in blocks], dtype=np.float64)
        self._alone = np.array([block.alone for block in blocks], dtype=np.float64)
        self._most = most
        self._looked: list[Priced] = []

    @staticmethod
    def holds(opening: Sequence[int], blocks: Sequence[Block]) -> bool:
        """Whether every block has one source and no sum is beyond what floats hold."""
        total = sum(block.none for block in blocks) + sum(opening)
        return all(block.single for block in blocks) and total < EXACT_BELOW

    def cost(self, places: Sequence[int]) -> float:
        return float(self._opening[list(places)].sum() + self._now(places).sum())

    def _now(self, places: Sequence[int]) -> Floats:
        """What each row costs under this set."""
        if not places:
            return self._none
        now: Floats = np.minimum(self._alone[:, list(places)].min(1), self._none)
        return now

    def found(self, banned: int | None = None) -> tuple[int, ...]:
        """A good set: open what saves most while it saves, then exchange one by one."""
        usable = np.ones(len(self._opening), dtype=np.bool_)
        if banned is not None:
            usable[banned] = False
        opening = np.where(usable, self._opening, np.inf)
        places: list[int] = []
        best = float(self._none.sum())
        while True:
            added = self._with_one_more(opening, places) if len(places) < self._most else None
            if added is not None and added[0] < best:
                best, places = added[0], [*places, added[1]]
                continue
            exchanged = self._exchanged(opening, places, best)
            if exchanged is None:
                return tuple(sorted(places))
            best, places = exchanged

    def _with_one_more(self, opening: Floats, places: Sequence[int]) -> tuple[float, int]:
        """The node that is best beside these, with the points of the whole set."""
        now = self._none
        if places:
            now = np.minimum(now, self._alone[:, list(places)].min(1))
        totals = opening + np.minimum(now[:, None], self._alone).sum(0)
        place = int(totals.argmin())
        return float(totals[place] + self._opening[list(places)].sum()), place

    def _exchanged(
        self, opening: Floats, places: Sequence[int], best: float
    ) -> tuple[float, list[int]] | None:
        """The set with one node less or another, where that is better."""
        for gone in places:
            kept = [place for place in places if place != gone]
            if kept and (fewer := self.cost(kept)) < best:
                return fewer, kept
            points, place = self._with_one_more(opening, kept)
            if points < best:
                return points, [*kept, place]
        return None

    def proven(self, opened: tuple[int, ...]) -> Proven:
        """The cheapest set, from one that is known; of equal ones the smaller."""
        best, points = opened, self.cost(opened)
        prices: Floats | None = None
        unlisted: list[Priced] = []
        bound = np.inf
        for size in range(1, self._most + 1):
            prices, lacking, least, from_here = self._raised(size, points, prices)
            if least <= points and size > LARGEST:
                bound = min(least, from_here)
                break
            priced = Priced(size, prices, lacking)
            self._looked.append(priced)
            if least <= points:
                best, points, whole = self._looked_through(priced, best, points)
                if not whole:
                    unlisted.append(priced)
            if from_here >= points:
                break
        # A better plan than the one that was known may leave few enough of them.
        for priced in unlisted:
            sets = self._listed(priced, points)
            if sets is None:
                bound = min(bound, self._least(priced))
            else:
                best, points = self._better(sets, best, points)
        if bound >= points:
            return Proven(best, round(points), round(points))
        return Proven(best, round(points), int(bound - ROUNDING * abs(bound)))

    def _asked(self, prices: Floats) -> float:
        """What all lines pay at these prices."""
        return float(prices.sum())

    def _least(self, priced: Priced) -> float:
        """The bound that the prices prove."""
        cheapest = np.partition(priced.lacking, priced.size - 1)[: priced.size]
        return self._asked(priced.prices) + float(cheapest.sum())

    def _raised(
        self, size: int, points: float, start: Floats | None
    ) -> tuple[Floats, Floats, float, float]:
        """Prices of the lines for sets of this size; what each node lacks to pay for itself; the
        bound they prove, and the best bound found for sets of this size or larger.
        """
        alone, none = self._alone, self._none
        prices = start
        if prices is None:
            prices = np.minimum(np.partition(alone, min(1, alone.shape[1] - 1), axis=1)[:, 1], none)
        kept, lacks, least, from_here = prices, self._opening, -np.inf, -np.inf
        step, idle = FIRST_STEP, 0
        for _ in range(ROUNDS):
            below = np.maximum(prices[:, None] - alone, 0)
            lacking = self._opening - below.sum(0)
            nodes = np.argpartition(lacking, size - 1)[:size]
            total = float(prices.sum())
            bound = total + float(lacking[nodes].sum())
            free = float(np.minimum(lacking, 0).sum() - np.minimum(lacking[nodes], 0).sum())
            from_here = max(from_here, bound + free)
            if bound > least:
                kept, lacks, least, idle = prices, lacking, bound, 0
            else:
                idle += 1
                if idle == PATIENCE:
                    step, idle = step / 2, 0
            short = 1.0 - (below[:, nodes] > 0).sum(1)
            steep = float((short * short).sum())
            if not steep or bound > points:
                break
            prices = np.clip(prices + step * (points - bound) / steep * short, 0, none)
        return kept, lacks, least, from_here

    def _looked_through(
        self, priced: Priced, best: tuple[int, ...], points: float
    ) -> tuple[tuple[int, ...], float, bool]:
        """The best set of this size and the one that is known; whether all that could be were tried."""
        if priced.size > 1:
            best, points = self._sought(priced, best, points)
        sets = self._listed(priced, points)
        if sets is None:
            return best, points, False
        return *self._better(sets, best, points), True

    def _sought(
        self, priced: Priced, best: tuple[int, ...], points: float
    ) -> tuple[tuple[int, ...], float]:
        """A better set of this size among the nodes that lack least, two exchanged at a time."""
        size, lacking = priced.size, priced.lacking
        core = np.sort(np.argsort(lacking, kind="stable")[:CORE])
        alone, opening = self._alone[:, core], self._opening[core]
        one, other = np.triu_indices(len(core), 1)
        if size > len(core):
            return best, points
        pairs = np.minimum(alone[:, one], alone[:, other])
        spent = opening[one] + opening[other]
        for start in np.argsort(lacking[core], kind="stable")[:STARTS].tolist():
            here, now, before = [start], np.inf, np.inf
            found = here
            while len(here) < size:
                costs = np.minimum(self._none, alone[:, here].min(1))
                totals = opening + np.minimum(costs[:, None], alone).sum(0)
                totals[here] = np.inf
                here.append(int(totals.argmin()))
            while True:
                for gone in combinations(here, 2):
                    kept = [place for place in here if place not in gone]
                    costs = np.minimum(self._none, alone[:, kept].min(1, initial=np.inf))
                    totals = spent + np.minimum(costs[:, None], pairs).sum(0)
                    at = int(totals.argmin())
                    total = float(totals[at] + opening[kept].sum())
                    if total < now:
                        now, found = total, [*kept, int(one[at]), int(other[at])]
                if now >= before:
                    break
                here, before = found, now
            if now < points:
                best, points = tuple(sorted(core[here].tolist())), now
        return best, points

    def _listed(self, priced: Priced, points: float, most: int = MOST_SETS) -> Sets | None:
        """Every set of this size that could cost no more than the points; None when too many."""
        size, prices, lacking = priced
        room = points - self._asked(prices) + ROUNDING * abs(points)
        order = np.argsort(lacking, kind="stable")
        sorted_lacking = lacking[order]
        last = np.full(1, -1, dtype=np.int64)
        sums = np.zeros(1)
        rows = np.zeros((1, 0), dtype=np.int64)
        for left in range(size, 0, -1):
            # What is added later lacks at least as much: nodes stand in ascending order.
            stops = np.searchsorted(sorted_lacking, (room - sums) / left, side="right")
            counts = np.maximum(0, stops - last - 1)
            if counts.sum() > most:
                return None
            parent = np.repeat(np.arange(len(last)), counts)
            first = np.repeat(np.cumsum(counts) - counts, counts)
            added = last[parent] + 1 + np.arange(len(parent)) - first
            sums = sums[parent] + sorted_lacking[added]
            rows = np.concatenate([rows[parent], added[:, None]], axis=1)
            last = added
        enough = self._covering(order[rows], prices, room - sums)
        return Sets(order[rows[enough]], sums[enough])

    def _covering(self, rows: Ints, prices: Floats, room: Floats) -> NDArray[np.bool_]:
        """Whether the sets help every line that they could not afford to leave."""
        enough = room >= 0
        spare = float(room.max(initial=0.0))
        needed = np.flatnonzero(self._none - prices > spare)
        helps = self._alone[needed] < self._none[needed, None]
        for start in range(0, len(needed), BITS):
            part = helps[start : start + BITS]
            weights = np.left_shift(1, np.arange(len(part), dtype=np.int64))
            masks = (part * weights[:, None]).sum(0)
            together = np.bitwise_or.reduce(masks[rows], axis=1)
            enough &= together == weights.sum()
        return enough

    def _costs(self, rows: Ints) -> Floats:
        """What the lines cost under each set."""
        costs = self._none[:, None]
        for column in rows.T:
            costs = np.minimum(costs, self._alone[:, column])
        total: Floats = costs.sum(0)
        return total

    def _better(
        self, sets: Sets, best: tuple[int, ...], points: float
    ) -> tuple[tuple[int, ...], float]:
        """The cheapest of the sets and the one that is known; of equal ones the smaller one."""
        if not len(sets.places):
            return best, points
        totals = self._costs(sets.places) + self._opening[sets.places].sum(1)
        sums = sets.places.sum(1)
        first = int(np.lexsort((sums, totals))[0])
        here = tuple(sorted(sets.places[first].tolist()))
        order = (float(totals[first]), len(here), int(sums[first]))
        return (here, order[0]) if order < (points, len(best), sum(best)) else (best, points)
