"""The parts of a demand that can be served apart from each other once the open nodes are known.

Given the set of nodes that ship ("open"), every block has an exact cheapest answer of its own;
only the choice of the set ties them together, and that is what `solve` searches. Costs are in
points: hundred-thousandths of a minor unit, integers throughout, so that ties are really ties.

A block's `floor` is never above its cost under any open set, and what it saves under two sets
together is never more than the sum of what it saves under each (every saving belongs to one
node). The search relies on both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import NamedTuple, Protocol

Flow = tuple[int, int, int]
"""(line index, candidate index, units)."""

KIN_CHOICES = 4_096
"""More combinations than this for lines that share both stock and dependents are not all tried."""


@dataclass(frozen=True, slots=True)
class Want:
    """A line as a block sees it. `penalty` is in points for each unit left unfilled."""

    line: int
    sku: int
    quantity: int
    penalty: int
    unit: list[int]
    """Points to ship one unit from each candidate."""

    def cheapest(self, nodes: Iterable[int]) -> list[int]:
        return sorted(nodes, key=lambda j: (self.unit[j], j))


class Source(NamedTuple):
    """Units of one penalty each, the points of one from each candidate, and how many it has."""

    quantity: int
    penalty: int
    unit: Sequence[int]
    stock: Sequence[int]


class Block(Protocol):
    """Lines that share stock or belong together."""

    none: int
    alone: list[int]
    floor: int
    single: bool
    """The cost of an open set is the least of its nodes' `alone`."""
    inexact: bool

    @property
    def least(self) -> list[int]:
        """At each place n, no set of n nodes costs less; the last holds for every larger set."""
        ...

    def cost(self, opened: Sequence[int]) -> int: ...
    def flows(self, opened: Sequence[int]) -> list[Flow]: ...
    def holds_all(self, node: int) -> bool: ...
    def replaces(self) -> tuple[list[int | None], list[int | None]]: ...


class Pool:
    """The lines that want one SKU and have no dependents."""

    __slots__ = (
        "_caps",
        "_least",
        "_limit",
        "_place",
        "_unit",
        "_wants",
        "alone",
        "floor",
        "inexact",
        "none",
        "single",
    )

    def __init__(self, wants: Sequence[Want], caps: list[int], limit: int | None) -> None:
        self._wants = sorted(wants, key=lambda want: (-want.penalty, want.line))
        self._caps = caps
        self._unit = wants[0].unit
        self._limit = limit
        self.inexact = False
        total = sum(want.quantity for want in wants)
        self.none = sum(want.quantity * want.penalty for want in wants)
        self.single = limit == 1 or not any(cap and cap < total for cap in caps)
        if len(wants) > 1:
            self.alone = [self.none - self._saved((j,)) for j in range(len(caps))]
        else:
            penalty, none = wants[0].penalty, self.none
            self.alone = [
                none - (cap if cap < total else total) * (penalty - unit)  # noqa: FURB136  # slow
                if cap and penalty > unit
                else none
                for cap, unit in zip(caps, self._unit, strict=True)
            ]
        self._place: list[int] | None = None
        self._least: list[int] | None = None
        if self.single:
            self.floor = min(self.alone, default=self.none)
        else:
            holders = [j for j, cap in enumerate(caps) if cap]
            self.floor = self.none - self._saved(sorted(holders, key=self._unit.__getitem__))

    @property
    def least(self) -> list[int]:
        """Worked out for whoever searches, with the order to fill from: that one asks often."""
        if self._least is None and self.single:
            self._least = [self.none, self.floor]
        elif self._least is None:
            self._place = [0] * len(self._caps)
            for place, j in enumerate(self._wants[0].cheapest(range(len(self._caps)))):
                self._place[j] = place
            self._least = self._ladder()
        return self._least

    def cost(self, opened: Sequence[int]) -> int:
        return self.none - self._saved(self._used(opened))

    def flows(self, opened: Sequence[int]) -> list[Flow]:
        return list(self._fill(self._used(opened)))

    def holds_all(self, node: int) -> bool:
        return self._caps[node] >= sum(want.quantity for want in self._wants)

    def rows(self) -> list[tuple[Want, list[int]]]:
        """Each line with the stock of every candidate."""
        return [(want, self._caps) for want in self._wants]

    def source(self) -> Source | None:
        """The lines as one, whose units come from any nodes; None where they are not alike."""
        want, *others = self._wants
        if self._limit is not None or any(other.penalty != want.penalty for other in others):
            return None
        total = sum(one.quantity for one in self._wants)
        return Source(total, want.penalty, self._unit, self._caps)

    def replaces(self) -> tuple[list[int | None], list[int | None]]:
        if self.single:
            return list(self.alone), list(self.alone)
        total = sum(want.quantity for want in self._wants)
        pairs = list(zip(self._caps, self._unit, strict=True))
        return (
            [unit if cap >= total else None for cap, unit in pairs],
            [unit if cap else None for cap, unit in pairs],
        )

    def _ladder(self) -> list[int]:
        """With n nodes no more is filled than the n largest hold, nor at less than the least."""
        holders = [j for j, cap in enumerate(self._caps) if cap]
        total = sum(want.quantity for want in self._wants)
        least = [self.none]
        cheapest = min((self._unit[j] for j in holders), default=0)
        held = 0
        for cap in sorted((self._caps[j] for j in holders), reverse=True):
            held += cap
            saved, units = 0, min(held, total)
            for want in self._wants:
                filled = min(units, want.quantity)
                saved += filled * max(0, want.penalty - cheapest)
                units -= filled
            least.append(max(self.floor, self.none - saved))
            if held >= total:
                break
        least.append(self.floor)
        return least

    def _cheapest(self, nodes: list[int]) -> tuple[int, ...]:
        """The cheapest first; of equal ones the first."""
        if self._place is None:
            return tuple(self._wants[0].cheapest(nodes))
        nodes.sort(key=self._place.__getitem__)
        return tuple(nodes)

    def _used(self, opened: Sequence[int]) -> tuple[int, ...]:
        holders = [j for j in opened if self._caps[j]]
        if self.single:
            return tuple(holders and (min(holders, key=lambda j: (self.alone[j], j)),))
        ordered = self._cheapest(holders)
        if self._limit is None or len(ordered) <= self._limit:
            return ordered
        return max(combinations(ordered, self._limit), key=self._saved)

    def _saved(self, nodes: Iterable[int]) -> int:
        wants = self._wants
        if len(wants) == 1:
            saved, left, penalty = 0, wants[0].quantity, wants[0].penalty
            for j in nodes:
                units = min(self._caps[j], left)
                saved += units * max(0, penalty - self._unit[j])
                left -= units
                if not left:
                    break
            return saved
        return sum(
            units * (wants[rank].penalty - self._unit[j])
            for rank, j, units in self._ranked_fill(nodes)
        )

    def _fill(self, nodes: Iterable[int]) -> Iterable[Flow]:
        for rank, j, units in self._ranked_fill(nodes):
            yield self._wants[rank].line, j, units

    def _ranked_fill(self, nodes: Iterable[int]) -> Iterable[Flow]:
        """Dearest penalty first, from the cheapest node on, while a unit saves anything."""
        wants = self._wants
        rank, missing = 0, wants[0].quantity
        for j in nodes:
            left, unit = self._caps[j], self._unit[j]
            while left and rank < len(wants) and wants[rank].penalty > unit:
                units = min(left, missing)
                yield rank, j, units
                left -= units
                missing -= units
                if not missing:
                    rank += 1
                    missing = wants[rank].quantity if rank < len(wants) else 0


@dataclass(frozen=True, slots=True)
class Root:
    """A line that depends on none, and its dependents: each with the line that it follows."""

    want: Want
    dependents: tuple[tuple[Want, int], ...] = ()


class Kin:
    """Families (a line and its dependents), with every line that competes for their stock.

    A dependent leaves only from nodes that its parent leaves from. `whole` families leave
    complete from one node or not at all, and are served first; otherwise every root is served
    before any dependent.
    """

    __slots__ = (
        "_answers",
        "_limit",
        "_need",
        "_roots",
        "_stock",
        "_wants",
        "_whole",
        "alone",
        "floor",
        "inexact",
        "least",
        "none",
        "single",
    )

    def __init__(
        self,
        roots: Sequence[Root],
        stock: dict[int, list[int]],
        limit: int | None,
        *,
        whole: bool,
    ) -> None:
        self._roots = sorted(
            roots,
            key=lambda root: (
                not (whole and root.dependents),
                -root.want.penalty,
                root.want.line,
            ),
        )
        self._stock = stock
        self._limit = limit
        self._whole = whole
        self._answers: dict[tuple[int, ...], tuple[int, list[Flow]]] = {}
        self.inexact = False
        self._need: dict[int, int] = {}
        self._wants = [w for root in roots for w in (root.want, *(d for d, _ in root.dependents))]
        for want in self._wants:
            self._need[want.sku] = self._need.get(want.sku, 0) + want.quantity
        self.none = sum(want.quantity * want.penalty for want in self._wants)
        count = len(self._wants[0].unit)
        self.alone = [self.cost((j,)) for j in range(count)]
        self.single = len(roots) == 1 and (
            self._whole or limit == 1 or self._plenty(roots[0].want, range(count))
        )
        self.floor = min(self.alone, default=self.none) if self.single else self._least(self._wants)
        self.least = [self.none, self.floor]

    def cost(self, opened: Sequence[int]) -> int:
        return self._answer(opened)[0]

    def flows(self, opened: Sequence[int]) -> list[Flow]:
        return self._answer(opened)[1]

    def holds_all(self, node: int) -> bool:
        """Not worked out for families: whatever helps at all may be enough."""
        return self.alone[node] < self.none

    def replaces(self) -> tuple[list[int | None], list[int | None]]:
        if self.single:
            return list(self.alone), list(self.alone)
        useful = [0 if points < self.none else None for points in self.alone]
        return [None] * len(useful), list(useful)

    def _least(self, wants: Sequence[Want]) -> int:
        """Every unit from its cheapest holder, as if stock were never shared."""
        floor = 0
        for want in wants:
            stock = self._stock[want.sku]
            units = [unit for unit, cap in zip(want.unit, stock, strict=True) if cap]
            cheapest = min(units, default=want.penalty)
            filled = min(want.quantity, sum(stock))
            floor += filled * min(cheapest, want.penalty)
            floor += (want.quantity - filled) * want.penalty
        return floor

    def _plenty(self, want: Want, nodes: Iterable[int]) -> bool:
        stock, need = self._stock[want.sku], self._need[want.sku]
        return all(not stock[j] or stock[j] >= need for j in nodes)

    def _answer(self, opened: Sequence[int]) -> tuple[int, list[Flow]]:
        key = tuple(sorted(opened))
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = self._solve(key)
        return known

    def _solve(self, opened: tuple[int, ...]) -> tuple[int, list[Flow]]:
        options = [self._choices(root, opened) for root in self._roots]
        if prod(map(len, options)) > KIN_CHOICES:
            self.inexact = True
            options = [[choices[-1]] for choices in options]
        best: tuple[int, list[Flow]] = (self.none, [])
        for choice in product(*options):
            saved, flows = self._serve(choice)
            if self.none - saved < best[0] and self._within_limit(flows):
                best = (self.none - saved, flows)
        return best

    def _choices(self, root: Root, opened: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The sets of nodes worth trying for a root, the most generous last."""
        want = root.want
        holders = want.cheapest(j for j in opened if self._stock[want.sku][j])
        if self._whole and root.dependents:
            return [(), *((j,) for j in reversed(holders))]
        if not holders:
            return [()]
        most = len(holders) if self._limit is None else min(self._limit, len(holders))
        if self._plenty(want, holders):
            most = 1
        fewest = 1 if self._limit is None else 0
        return [c for size in range(fewest, most + 1) for c in combinations(holders, size)]

    def _within_limit(self, flows: Sequence[Flow]) -> bool:
        if self._limit is None:
            return True
        skus = {want.line: want.sku for want in self._wants}
        sources: dict[int, set[int]] = {}
        for line, j, _ in flows:
            sources.setdefault(skus[line], set()).add(j)
        return all(len(nodes) <= self._limit for nodes in sources.values())

    def _serve(self, choice: Sequence[tuple[int, ...]]) -> tuple[int, list[Flow]]:
        left: dict[tuple[int, int], int] = {}
        flows: list[Flow] = []
        saved = 0
        for root, nodes in zip(self._roots, choice, strict=True):
            if self._whole and root.dependents:
                saved += self._serve_whole(root, nodes, left, flows)
            else:
                saved += self._take(root.want, nodes, left, flows)
        if not self._whole:
            for root in self._roots:
                for want, parent in root.dependents:
                    sources = {j for line, j, _ in flows if line == parent}
                    saved += self._take(want, want.cheapest(sources), left, flows)
        return saved, flows

    def _take(
        self,
        want: Want,
        nodes: Iterable[int],
        left: dict[tuple[int, int], int],
        flows: list[Flow],
    ) -> int:
        missing, saved = want.quantity, 0
        for j in nodes:
            there = left.get((want.sku, j), self._stock[want.sku][j])
            units = min(missing, there)
            if units and want.penalty > want.unit[j]:
                left[want.sku, j] = there - units
                flows.append((want.line, j, units))
                missing -= units
                saved += units * (want.penalty - want.unit[j])
        return saved

    def _serve_whole(
        self,
        root: Root,
        nodes: tuple[int, ...],
        left: dict[tuple[int, int], int],
        flows: list[Flow],
    ) -> int:
        if not nodes:
            return 0
        (j,) = nodes
        after = dict(left)
        saved = 0
        taken: list[Flow] = []
        for want in (root.want, *(dependent for dependent, _ in root.dependents)):
            there = after.get((want.sku, j), self._stock[want.sku][j])
            if there < want.quantity:
                return 0
            after[want.sku, j] = there - want.quantity
            taken.append((want.line, j, want.quantity))
            saved += want.quantity * (want.penalty - want.unit[j])
        if saved <= 0:
            return 0
        left.update(after)
        flows.extend(taken)
        return saved
