"""Which nodes to open: exact branch and bound.

The cost of a set of open nodes is the sum of what each costs to open, of what each block costs
under the set, less one parcel penalty (the first parcel is free of it). Ties go to fewer
parcels, then to the smaller sum of the nodes' places in the order of the candidates, which the
caller sorts by priority and code.

When the effort is spent the best plan so far is returned with a proven lower bound.
"""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from routing.engine.blocks import Block, Source, Want
from routing.engine.counting import BySize
from routing.engine.counting_units import ByUnits, sources_of
from routing.engine.parting import MOST_BLOCKS, Parting
from routing.engine.reducing import SLACK, Reduction, wants_of
from routing.engine.search import Search

REDUCE_FROM = 24
"""Fewer candidates than this are searched as they are; above it dominated ones are dropped."""

DUALS_FROM = 80
"""With fewer candidates than this, prices of lines take longer than the search they save."""

CORE = 20
"""So many of the likeliest candidates are searched before the rest."""

COUNTED_FROM = 12
"""With so many blocks of one source and nodes enough for prices, sets are proven best size by size;

blocks of several sources always."""

INT64_SAFE = 2**62
PAIR = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """`opening` is in points and includes the penalty `parcel`, which the first node gets back."""

    opening: list[int]
    parcel: int
    blocks: list[Block]
    max_open: int
    effort: int


@dataclass(frozen=True, slots=True)
class Found:
    """The best set of candidates, its points, and a bound that no plan can be below."""

    opened: tuple[int, ...]
    points: int
    bound: int


class Solver:
    """Answers one problem, as it stands and again without one of its nodes.

    Few blocks of one source each are dealt out directly; everything else is searched.
    """

    __slots__ = (
        "_bounds",
        "_counted",
        "_counts",
        "_nothing",
        "_parting",
        "_problem",
        "_proves",
        "_reduced",
        "_rows",
        "_sources",
        "_totals",
    )

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._nothing = sum([block.none for block in problem.blocks])
        self._parting: Parting | None = None
        self._counted: BySize | None = None
        self._counts = self._proves = False
        self._sources: list[Source] | None = None
        self._reduced: list[int] | None = None
        self._totals: list[int] = []
        self._rows: list[tuple[Want, list[int]]] | None = None
        self._bounds: Reduction | None = None
        if len(problem.blocks) <= MOST_BLOCKS and all(block.single for block in problem.blocks):
            columns = [block.alone for block in problem.blocks]
            self._parting = Parting(problem.opening, columns, problem.max_open)
            return
        self._rows = wants_of(problem.blocks)
        columns = [block.alone for block in problem.blocks]
        self._totals = list(map(sum, zip(problem.opening, *columns, strict=True)))
        if len(problem.opening) < DUALS_FROM or problem.max_open < 1:
            return
        if BySize.holds(problem.opening, problem.blocks):
            self._counts = True
            self._proves = len(problem.blocks) >= COUNTED_FROM
            return
        sources = sources_of(problem.blocks)
        if sources is not None and ByUnits.fits(problem.opening, sources):
            self._counts = self._proves = True
            self._sources = sources

    def best(self) -> Found:
        """The cheapest set of candidates, which may be none."""
        if self._parting is not None:
            return self._parted(self._parting, None)
        one = self._one_node(None)
        if self._pairs_from(None) >= one.points:
            return one
        if not self._proves:
            return self._search(None, one, one.points, self._problem.effort) or one
        known = self._by_size(self._sets(), one)
        if known.bound == known.points:
            return known
        found = self._search(None, known, known.points, self._problem.effort) or known
        return replace(found, bound=min(found.points, max(found.bound, known.bound)))

    def without(self, node: int, ceiling: int | None, effort: int) -> Found | None:
        """The cheapest set without the node, None unless it is below the ceiling.

        Of many nodes a good set without it is enough.
        """
        if self._parting is not None:
            found = self._parted(self._parting, node)
            return found if ceiling is None or found.points < ceiling else None
        one = self._one_node(node)
        limit = one.points if ceiling is None else min(ceiling, one.points)
        known = one if limit == one.points and one.points != ceiling else None
        if self._pairs_from(node) >= limit:
            return known
        if self._counts and self._sources is None:
            opened = self._sets().found(node)
            points = round(self._sets().cost(opened)) - self._problem.parcel
            return Found(opened, points, 0) if opened and points < limit else known
        return self._search(node, known, limit, effort)

    def second(self, winner: Found, effort: int) -> Found | None:
        """The cheapest set that leaves out one of the winner's nodes; a good one, of many nodes."""
        if isinstance(self._counted, ByUnits):
            opened = self._counted.second(winner.opened)
            points = round(self._counted.cost(opened)) - self._problem.parcel
            return Found(opened, points, 0) if opened and points < self._nothing else None
        best: Found | None = None
        for place in winner.opened:
            best = self.without(place, best.points if best else None, effort) or best
        return best

    def _sets(self) -> BySize:
        if self._counted is None:
            problem, sources = self._problem, self._sources
            self._counted = (
                BySize(problem.opening, problem.blocks, problem.max_open)
                if sources is None
                else ByUnits(problem.opening, sources, problem.max_open)
            )
        return self._counted

    def _by_size(self, counted: BySize, one: Found) -> Found:
        """The best set of any size, and what is proven of it."""
        parcel = self._problem.parcel
        opened = counted.found()
        if not opened or counted.cost(opened) - parcel > one.points:
            opened = one.opened
        if not opened:
            return one
        found = counted.proven(opened)
        points = found.points - parcel
        if points > one.points:
            return replace(one, bound=min(one.points, found.bound - parcel))
        return Found(found.opened, points, found.bound - parcel)

    def _parted(self, parting: Parting, banned: int | None) -> Found:
        points, opened = parting.best(banned)
        points -= self._problem.parcel
        if not opened or points >= self._nothing:
            return Found((), self._nothing, self._nothing)
        return Found(opened, points, points)

    def _one_node(self, banned: int | None) -> Found:
        nothing = Found((), self._nothing, self._nothing)
        if self._problem.max_open < 1:
            return nothing
        totals = self._totals
        if banned is not None:
            totals = [*totals[:banned], self._nothing + self._problem.parcel, *totals[banned + 1 :]]
        total = min(totals, default=self._nothing + self._problem.parcel)
        points = total - self._problem.parcel
        return Found((totals.index(total),), points, points) if points < nothing.points else nothing

    def _pairs_from(self, banned: int | None) -> int:
        """No plan with two nodes or more is below this many points."""
        problem = self._problem
        if problem.max_open < PAIR:
            return self._nothing
        cheapest = sorted(opening for j, opening in enumerate(problem.opening) if j != banned)[
            :PAIR
        ]
        floors = 0
        for block in problem.blocks:
            if banned is not None and block.single:
                alone = block.alone
                floors += min(block.none, *alone[:banned], *alone[banned + 1 :])
            else:
                floors += block.floor
        if len(cheapest) < PAIR:
            return self._nothing
        return sum(cheapest) - problem.parcel + floors

    def _search(
        self, banned: int | None, best: Found | None, limit: int, effort: int
    ) -> Found | None:
        if self._reduced is None:
            self._reduced = self._useful()
            if len(self._reduced) >= REDUCE_FROM and not self._by_duals():
                self._reduced = _undominated(self._problem, self._reduced)
        nodes = [j for j in self._reduced if j != banned]
        if not nodes:
            return best
        if len(nodes) < REDUCE_FROM or not self._by_duals():
            return self._searched(nodes, best, limit, effort)
        return self._narrowed(nodes, banned, best, limit, effort)

    def _by_duals(self) -> bool:
        return self._rows is not None and len(self._problem.opening) >= DUALS_FROM

    def _narrowed(
        self,
        nodes: list[int],
        banned: int | None,
        best: Found | None,
        limit: int,
        effort: int,
    ) -> Found | None:
        """Search the likeliest nodes first; what they leave possible beyond them decides the rest."""
        bounds = self._bounds_without(banned)
        parcel = self._problem.parcel
        core = bounds.core(nodes, CORE)
        found = self._searched(core, best, limit, effort // 5)
        known = found or best
        ceiling = min(limit, known.points) if known else limit
        if banned is None:
            bounds.polish(ceiling + parcel)
        left = bounds.left(nodes, ceiling + parcel)
        least = ceil(bounds.bound * (1 - SLACK)) - parcel
        if set(left) <= set(core):
            return found and replace(found, bound=max(found.bound, min(found.points, least)))
        if len(left) >= REDUCE_FROM:
            left = _undominated(self._problem, left)
        again = self._searched(left, known, ceiling, effort // 3)
        found = again or found
        return found and replace(found, bound=max(found.bound, min(found.points, least)))

    def _bounds_without(self, banned: int | None) -> Reduction:
        if self._bounds is None:
            self._bounds = Reduction(self._problem.opening, self._rows or [])
        return self._bounds if banned is None else self._bounds.without(banned)

    def _searched(
        self, nodes: list[int], best: Found | None, limit: int, effort: int
    ) -> Found | None:
        problem = self._problem
        search = Search(problem, nodes, best.opened if best else None, limit, effort)
        search.run()
        if search.opened is None:
            return None
        points = search.best // search.scale
        bound = min(search.unproven, search.best) // search.scale
        return Found(tuple(sorted(search.opened)), points, bound)

    def _useful(self) -> list[int]:
        """Candidates that would pay for themselves if nothing else were open."""
        most = self._nothing + self._problem.parcel
        return [j for j, total in enumerate(self._totals) if total < most]


def _undominated(problem: Problem, candidates: list[int]) -> list[int]:
    """Drop each candidate that two others could replace in every plan at no more cost.

    Two, so that the rest still holds an answer when one of them is banned.
    """
    order = sorted(candidates, key=lambda j: (problem.opening[j], j))
    worst = max(block.none for block in problem.blocks) + 1
    if worst >= INT64_SAFE:
        return candidates
    replaced = np.triu(np.ones((len(order), len(order)), dtype=np.bool_), 1)
    for block in problem.blocks:
        as_winner, as_loser = block.replaces()
        winner = np.array([worst if (w := as_winner[j]) is None else w for j in order])
        loser = np.array([worst if (w := as_loser[j]) is None else w for j in order])
        replaced &= winner[:, None] <= loser[None, :]
    times = replaced.sum(axis=0)
    return sorted(j for j, count in zip(order, times, strict=True) if count < PAIR)
