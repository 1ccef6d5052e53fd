"""The depth-first search beneath `solve`, in integers that carry their own tie-break.

Every cost is scaled up so that the number of parcels and the places of the nodes fit beneath a
point: equal plans do not exist, and the order in which the search meets nodes decides nothing.
Sets of nodes are bit masks.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from routing.engine.blocks import Block

Child = tuple[int, int, int, list[int]]
"""(a cost that is not above its true cost, node, spent, cost per single block)."""

Row = tuple[int, int, list[int], int]
"""(net saving, node, saving per single block, blocks helped)."""

VISIT_STEPS = 24
BLOCK_STEPS = 20
GLANCE_STEPS = 4
"""What a visit, and the cost of a block with several sources, exact or at a glance, take in steps
(measured)."""


EXCHANGES = 12
"""How many of the most promising nodes are tried in exchange for one."""


class Openings(Protocol):
    """What the search needs of a problem."""

    @property
    def opening(self) -> list[int]: ...
    @property
    def parcel(self) -> int: ...
    @property
    def blocks(self) -> list[Block]: ...
    @property
    def max_open(self) -> int: ...


class Search:
    """Tries every set of nodes that could still be better than the best one known.

    A block is *forced* when leaving it as it is costs more than the best plan known: one of the
    nodes that help it must open, and only those are tried. What helps all forced blocks at once
    is one `and` of masks. Where nothing is forced, the node that saves most is tried first, under
    the bounds of `_bounds`.
    """

    def __init__(
        self,
        asked: Openings,
        nodes: list[int],
        opened: tuple[int, ...] | None,
        limit: int,
        effort: int,
    ) -> None:
        size = len(asked.opening)
        tie = size * size + 1
        self.scale = scale = tie * (size + 2)
        singles = [block for block in asked.blocks if block.single]
        self.several = [block for block in asked.blocks if not block.single]
        self.max_open = asked.max_open
        self.effort = effort
        self.slack = asked.parcel * scale
        nodes = sorted(nodes, key=lambda j: (asked.opening[j], j))
        self.names = nodes
        self.opening = [asked.opening[j] * scale + tie + j for j in nodes]
        self.ladder = [0, *accumulate(self.opening)]
        columns = [[block.alone[j] * scale for j in nodes] for block in singles]
        self.alone = list(zip(*columns, strict=True)) if columns else [()] * len(nodes)
        self.start = [block.none * scale for block in singles]
        self.floors = [min(column) for column in columns]
        self.gain = [[(b.none - b.alone[j]) * scale for b in self.several] for j in nodes]
        self.least = [[points * scale for points in block.least] for block in self.several]
        self.start_several = [block.none * scale for block in self.several]
        self.wholly, self.partly = [], []
        for block, none in zip(self.several, self.start_several, strict=True):
            whole = [block.holds_all(j) for j in nodes]
            self.wholly.append(sum(1 << bit for bit, has in enumerate(whole) if has))
            parts = [block.alone[j] * scale for j, has in zip(nodes, whole, strict=True) if not has]
            self.partly.append(min(parts, default=none))
        self.reach = max(2, *map(len, self.least)) if self.least else 2
        self.helps = [
            sum(1 << bit for bit, j in enumerate(nodes) if block.alone[j] < block.none)
            for block in (*singles, *self.several)
        ]
        self.helped = [
            sum(1 << block for block, helps in enumerate(self.helps) if helps >> bit & 1)
            for bit in range(len(nodes))
        ]
        self.opened = opened
        self.best = limit * scale
        if opened is not None:
            self.best += len(opened) * tie + sum(opened)
        self.unproven = self.best
        self.steps = 0

    def run(self) -> None:
        """Leave the best set in `opened` (None: nothing below the limit) and its cost in `best`."""
        several = self.start_several
        everything = (1 << len(self.names)) - 1
        self._greedy(several, everything)
        self._improve(everything)
        self._visit(0, self.start, several, everything, ())

    def _greedy(self, several: list[int], left: int) -> None:
        """A first plan to measure others by: open what helps most while it helps."""
        singles, spent = self.start, -self.slack
        opened: tuple[int, ...] = ()
        total = sum(singles) + sum(several)
        while left and len(opened) < self.max_open:
            children = self._children(spent, singles, several, left, total)
            if not children:
                return
            child = children[0]
            several = self._weigh(child, opened)
            _, j, spent, singles = child
            opened = (*opened, j)
            left &= ~(1 << j)
            now = spent + sum(singles) + sum(several)
            if now >= total:
                return
            total = now

    def _improve(self, everything: int) -> None:
        """Exchange one node of the best plan known for another, or drop it, while that helps."""
        before = self.best + 1
        while self.opened and self.best < before and self.steps <= self.effort:
            before = self.best
            places = [self.names.index(j) for j in self.opened if j in self.names]
            left = everything
            for j in places:
                left &= ~(1 << j)
            for j in places:
                kept = tuple(other for other in places if other != j)
                spent = sum(self.opening[k] for k in kept) - self.slack
                rows = [self.alone[k] for k in kept]
                singles = [min(costs) for costs in zip(self.start, *rows, strict=True)]
                names = [self.names[k] for k in kept]
                several = [block.cost(names) * self.scale for block in self.several]
                total = spent + sum(singles) + sum(several)
                if kept and total < self.best:
                    self.best, self.opened = total, tuple(names)
                for child in self._children(spent, singles, several, left, self.best)[:EXCHANGES]:
                    self._weigh(child, kept)
                if self.best < before:
                    break

    def _visit(
        self,
        spent: int,
        singles: list[int],
        several: list[int],
        left: int,
        opened: tuple[int, ...],
    ) -> None:
        """Try every plan that opens `opened` and at least one of the nodes `left`."""
        more = min(self.max_open - len(opened), left.bit_count())
        if more <= 0:
            return
        self.steps += VISIT_STEPS
        base = spent - (0 if opened else self.slack)
        floors = list(map(min, singles, self.floors))
        floor = base + sum(floors)
        lows = self._lows(floor, several, len(opened), more, left)
        lowest = min(lows)
        if lowest >= self.best:
            return
        if self.steps > self.effort:
            self.unproven = min(self.unproven, lowest)
            return
        forced = self._forced(singles, floors, several, lows, len(opened))
        if not forced:
            self._open_freely(base, singles, several, left, opened)
        elif min(lows[1:], default=self.best) >= self.best:
            fills = self._fills(floor, several)
            for block in forced:
                left &= fills[block]
            self._open_last(base, singles, several, left, opened, floor)
        else:
            affordable = max(n for n, low in enumerate(lows, 1) if low < self.best)
            if affordable == self.reach:
                affordable = more
            self._open_forced(base, singles, several, left, opened, forced, affordable - 1)

    def _lows(self, floor: int, several: list[int], opened: int, more: int, left: int) -> list[int]:
        """At each place n: no plan that opens n + 1 more nodes costs less (the last: or more)."""
        first = _first(left)
        saved = floor - self.ladder[first]
        lows = [saved + self.ladder[first + n] for n in range(1, min(more, self.reach) + 1)]
        for now, least in zip(several, self.least, strict=True):
            last = len(least) - 1
            lows = [
                low + min(now, least[min(reach, last)])
                for reach, low in enumerate(lows, opened + 1)
            ]
        return lows

    def _forced(
        self,
        singles: list[int],
        floors: list[int],
        several: list[int],
        lows: list[int],
        opened: int,
    ) -> list[int]:
        """The blocks that no better plan leaves at what they cost now."""
        margin = self.best - min(lows)
        forced = [
            block
            for block, (now, floor) in enumerate(zip(singles, floors, strict=True))
            if now - floor >= margin
        ]
        for block, (now, least) in enumerate(zip(several, self.least, strict=True), len(singles)):
            kept = min(
                low + max(0, now - least[min(reach, len(least) - 1)])
                for reach, low in enumerate(lows, opened + 1)
            )
            if kept >= self.best:
                forced.append(block)
        return forced

    def _children(
        self, spent: int, singles: list[int], several: list[int], nodes: int, below: int
    ) -> list[Child]:
        """The nodes worth opening next, cheapest first by what each saves at most."""
        children: list[Child] = []
        for j in _bits(nodes):
            after = [min(b, a) for a, b in zip(singles, self.alone[j], strict=True)]
            now_spent = spent + self.opening[j]
            glance = now_spent + sum(after)
            for now, gain, least in zip(several, self.gain[j], self.least, strict=True):
                glance += max(now - gain, min(now, least[-1]))
            if glance < below:
                children.append((glance, j, now_spent, after))
        self.steps += nodes.bit_count() * (len(singles) + GLANCE_STEPS * len(several))
        children.sort(key=lambda child: (child[0], child[1]))
        return children

    def _weigh(self, child: Child, opened: tuple[int, ...]) -> list[int]:
        """The exact cost of each block with several sources; keeps the plan when it is the best."""
        glance, j, spent, after = child
        several: list[int] = []
        total = glance
        if self.several:
            names = [self.names[k] for k in (*opened, j)]
            several = [block.cost(names) * self.scale for block in self.several]
            total = spent + sum(after) + sum(several)
            self.steps += BLOCK_STEPS * len(several)
        if total < self.best:
            self.best = total
            self.opened = tuple(self.names[k] for k in (*opened, j))
        return several

    def _fills(self, floor: int, several: list[int]) -> list[int]:
        """Per block, the nodes of which one could be the last to open for it.

        Where a part of what a block wants would not do, only nodes that have all of it.
        """
        budget = self.best - floor - sum(least[-1] for least in self.least)
        masks = list(self.helps)
        for place, (now, none, least) in enumerate(
            zip(several, self.start_several, self.least, strict=True)
        ):
            if now == none and self.partly[place] - least[-1] >= budget:
                masks[place - len(several)] = self.wholly[place]
        return masks

    def _too_dear(self, child: Child, rest: int, left: int, others: int, fills: list[int]) -> bool:
        """Whether nothing that may still open helps the blocks `rest` for less than the best."""
        if not rest:
            return False
        _, _, spent, after = child
        budget = self.best - spent - sum(map(min, after, self.floors))
        budget -= sum(least[-1] for least in self.least)
        enough, needed = left, 0
        for block in _bits(rest):
            helps = left & self.helps[block]
            if not helps:
                return True
            enough &= fills[block]
            needed = max(needed, self.opening[_first(helps)])
        if others == 1:
            return not enough or self.opening[_first(enough)] >= budget
        if not enough:
            needed += self.opening[_first(left)]
        return needed >= budget

    def _open_last(
        self,
        spent: int,
        singles: list[int],
        several: list[int],
        nodes: int,
        opened: tuple[int, ...],
        floor: int,
    ) -> None:
        """Only one more can pay: try each, the cheapest to open first."""
        if several:
            for child in self._children(spent, singles, several, nodes, self.best):
                self._weigh(child, opened)
            return
        for j in _bits(nodes):
            opening = self.opening[j]
            if floor + opening >= self.best:
                return
            total = spent + opening + sum(map(min, singles, self.alone[j]))
            self.steps += len(singles)
            if total < self.best:
                self._weigh((total, j, 0, []), opened)

    def _open_forced(
        self,
        spent: int,
        singles: list[int],
        several: list[int],
        left: int,
        opened: tuple[int, ...],
        forced: list[int],
        others: int,
    ) -> None:
        """One of the nodes that help the forced block with the fewest must open: try each.

        After it at most `others` more may open, and they must help all that it does not.
        """
        nodes = min((left & self.helps[block] for block in forced), key=int.bit_count)
        if not nodes:
            return
        wanted = sum(1 << block for block in forced)
        most = max((self.helped[j] & wanted).bit_count() for j in _bits(left))
        self.steps += left.bit_count()
        fills = self._fills(spent + sum(map(min, singles, self.floors)), several)
        unlimited = 1 << (2 * self.best.bit_length())
        for child in self._children(spent, singles, several, nodes, unlimited):
            j = child[1]
            left &= ~(1 << j)
            now_several = self._weigh(child, opened)
            rest = wanted & ~self.helped[j]
            if rest.bit_count() > others * most or self._too_dear(child, rest, left, others, fills):
                continue
            self._visit(child[2], child[3], now_several, left, (*opened, j))

    def _open_freely(
        self,
        spent: int,
        singles: list[int],
        several: list[int],
        left: int,
        opened: tuple[int, ...],
    ) -> None:
        """Open the node that saves most, or never open it: in turn, while the rest may pay."""
        total = spent + sum(singles) + sum(several) + (0 if opened else self.slack)
        slack = 0 if opened else self.slack
        room = [now - least[-1] for now, least in zip(several, self.least, strict=True)]
        rows = self._savings(singles, room, left, slack)
        bounds = self._bounds(rows, sum(room), self.max_open - len(opened))
        left = sum(1 << row[1] for row in rows)
        for bound, (_, j, _, _) in zip(bounds, rows, strict=True):
            lowest = total - bound - slack
            if lowest >= self.best:
                return
            if self.steps > self.effort:
                self.unproven = min(self.unproven, lowest)
                return
            after = [min(b, a) for a, b in zip(singles, self.alone[j], strict=True)]
            now_spent = spent + self.opening[j]
            now_several = self._weigh((now_spent + sum(after), j, now_spent, after), opened)
            left &= ~(1 << j)
            self._visit(now_spent, after, now_several, left, (*opened, j))

    def _savings(self, singles: list[int], room: list[int], left: int, slack: int) -> list[Row]:
        """What each node would save now, the largest first; none that could not pay."""
        rows: list[Row] = []
        for j in _bits(left):
            gains = [a - b if a > b else 0 for a, b in zip(singles, self.alone[j], strict=True)]
            saved = sum(gains) - self.opening[j]
            helped = len(gains) - gains.count(0)
            for gain, most in zip(self.gain[j], room, strict=True):
                if gain and most:
                    saved += min(gain, most)
                    helped += 1
            if saved + slack > 0:
                rows.append((saved, j, gains, helped))
        self.steps += left.bit_count() * (len(singles) + len(room))
        rows.sort(key=lambda row: (-row[0], row[1]))
        return rows

    def _bounds(self, rows: Sequence[Row], room: int, more: int) -> list[int]:
        """At each place: no set of the rows from there on saves more.

        The least of three: the largest savings added up; each block's best saving less one
        opening; each block's best saving less its share of the opening.
        """
        if not rows:
            return []
        bounds = [0] * len(rows)
        best = [0] * len(rows[0][2])
        shared = best
        cheapest = self.opening[rows[-1][1]]
        savings = [max(row[0], 0) for row in rows]
        window = 0
        for place in range(len(rows) - 1, -1, -1):
            _, j, gains, helped = rows[place]
            opening = self.opening[j]
            cheapest = min(cheapest, opening)
            share = opening // helped if helped else opening
            best = list(map(max, best, gains))
            shared = [max(old, gain - share) for old, gain in zip(shared, gains, strict=True)]
            window += savings[place]
            if place + more < len(rows):
                window -= savings[place + more]
            bounds[place] = min(window, sum(best) + room - cheapest, sum(shared) + room)
        return bounds


def _first(mask: int) -> int:
    """The place of the lowest one. Nodes are in order of opening cost: it is the cheapest."""
    return (mask & -mask).bit_length() - 1


def _bits(mask: int) -> Iterator[int]:
    """The places of the ones, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
