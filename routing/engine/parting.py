"""The exact answer where few blocks have one source each: which of them leave together.

Every plan deals its blocks out to its nodes, so the cheapest plan is the cheapest way to part the
blocks, each part at the node that is cheapest for it. Four blocks have fifteen parts and fifteen
ways to be parted, whatever the number of nodes.
"""

from collections.abc import Sequence
from functools import cache
from operator import add

MOST_BLOCKS = 4

Parts = tuple[int, ...]
"""Blocks as bit masks that do not overlap and together are all blocks."""


@cache
def partings(blocks: int) -> tuple[Parts, ...]:
    """Every way to part so many blocks, the fewest parts first."""
    ways: list[Parts] = [()]
    for bit in (1 << block for block in range(blocks)):
        ways = [
            way
            for before in ways
            for way in (
                *((*before[:at], part | bit, *before[at + 1 :]) for at, part in enumerate(before)),
                (*before, bit),
            )
        ]
    return tuple(sorted(ways, key=len))


class Parting:
    """Answers one problem with and without one of its nodes.

    Costs are scaled up as in the search: equal plans differ in the number and the places of nodes.
    """

    __slots__ = ("_cheapest", "_most", "_scale", "_tie", "_ways")

    def __init__(
        self, opening: Sequence[int], columns: Sequence[Sequence[int]], max_open: int
    ) -> None:
        size = len(opening)
        self._tie = size * size + 1
        self._scale = self._tie * (size + 2)
        self._ways = partings(len(columns))
        self._most = max_open
        by_part: list[Sequence[int]] = [opening]
        for column in columns:
            by_part += [list(map(add, before, column)) for before in by_part]
        self._cheapest = [self._two_cheapest(points) for points in by_part]

    def _two_cheapest(self, points: Sequence[int]) -> list[int]:
        scale, tie = self._scale, self._tie
        return sorted([p * scale + tie + place for place, p in enumerate(points)])[:2]

    def best(self, banned: int | None) -> tuple[int, tuple[int, ...]]:
        """Points and places of the cheapest plan that opens a node; no places when none may."""
        tie = self._tie
        costs = []
        for cheapest in self._cheapest:
            free = [cost for cost in cheapest if banned is None or cost % tie != banned]
            if not free:
                return 0, ()
            costs.append(free[0])
        least, chosen = costs[-1], self._ways[0]
        for way in self._ways[1:]:
            if len(way) > self._most:
                break
            total = sum([costs[part] for part in way])
            if total < least:
                least, chosen = total, way
        return least // self._scale, tuple(sorted({costs[part] % tie for part in chosen}))
