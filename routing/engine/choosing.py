"""From the offers for one demand to the best set of nodes and the best set without one of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import add

from routing.engine.blocks import Block, Flow, Kin, Pool, Root, Want
from routing.engine.screening import MILLI, POINTS, Offer
from routing.engine.solve import Found, Problem, Solver
from routing.engine.types import Demand, Dependents, Line, Policy


@dataclass(frozen=True, slots=True)
class Choice:
    """What ships from where: flows of (line index, offer index, units).

    `shortfall` says that all or nothing was wanted and nothing was possible.
    """

    opened: tuple[int, ...]
    flows: list[Flow]
    points: int
    bound: int
    inexact: bool
    shortfall: bool = False


EMPTY = Choice((), [], 0, 0, inexact=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A demand, who may serve it, and in how many parcels.

    `grams` is what a unit of each line is billed as. `kept` are SKUs that an earlier pass filled:
    they stay away from the `lifted` offers. `prices` is what a price book asks for a unit of each
    SKU at each offer, in minor units; empty without a book. `unable` are the units at each offer of
    SKUs that not every node may send, `surcharges` what a unit costs more at drop-ship suppliers.
    """

    demand: Demand
    policy: Policy
    offers: Sequence[Offer]
    usable: dict[int, list[int]]
    candidates: tuple[int, ...]
    max_open: int
    grams: tuple[int, ...]
    kept: Collection[int] = ()
    lifted: Collection[int] = ()
    prices: Mapping[int, list[int]] = field(default_factory=dict)
    unable: Mapping[int, list[int]] = field(default_factory=dict)
    surcharges: Mapping[int, list[int]] = field(default_factory=dict)

    def stock_cost(self, flows: Iterable[Flow]) -> int:
        """What the price book asks for the units, in minor units."""
        if not self.prices:
            return 0
        lines = self.demand.lines
        return sum(units * self.prices[lines[line].sku][place] for line, place, units in flows)

    def supplier_cost(self, flows: Iterable[Flow]) -> int:
        """What the units cost above our own, in minor units."""
        if not self.surcharges:
            return 0
        lines, asked = self.demand.lines, self.surcharges
        return sum(
            units * asked[lines[line].sku][place]
            for line, place, units in flows
            if lines[line].sku in asked
        )

    def asked(self, sku: int) -> list[int] | None:
        """Points that a unit of the SKU costs at each offer beside its picking and its weight."""
        prices, surcharges = self.prices.get(sku), self.surcharges.get(sku)
        found = None if prices is None else [POINTS * price for price in prices]
        if surcharges is None:
            return found
        factor = self.policy.weights.cost_percent * MILLI
        each = [factor * more for more in surcharges]
        return each if found is None else list(map(add, found, each))

    @property
    def all_or_nothing(self) -> bool:
        return self.demand.ship_complete or not self.policy.allow_partial


def choose(question: Question) -> tuple[Choice, Choice | None]:
    """The best choice and the runner-up, which leaves out at least one of the best one's nodes."""
    if not question.candidates or question.max_open < 1 or not question.demand.lines:
        return replace(EMPTY, shortfall=question.all_or_nothing), None
    follows = question.policy.dependents is Dependents.FOLLOW and any(
        line.parent is not None for line in question.demand.lines
    )
    if follows:
        leading = Solver(_problem(question, dependents_count=False)).best()
        question = replace(question, max_open=len(leading.opened))
    problem = _problem(question, dependents_count=True)
    solver = Solver(problem)
    found = solver.best()
    choice = _choice(question, problem, found)
    if not choice.opened:
        return choice, None
    # A third of the effort in all: the runner-up explains, it decides nothing.
    second = solver.second(found, problem.effort // (3 * len(found.opened)))
    if second is not None and second.points < found.points:
        # But where the search was cut short before it.
        better = replace(second, bound=found.bound)
        second = None if set(better.opened) <= set(found.opened) else found
        choice = _choice(question, problem, better)
    return choice, _runner_up(question, problem, second)


def score_points(question: Question, choice: Choice) -> int:
    """The objective of a choice, in points, without the weight that makes filling come first."""
    weights = question.policy.weights
    lines, offers = question.demand.lines, question.offers
    points = sum(line.unfilled_cost * line.quantity for line in lines) * POINTS
    for place in choice.opened:
        points += offers[place].opening
    for line, place, units in choice.flows:
        want = lines[line]
        offer = offers[place]
        unit = offer.pick + offer.gram * question.grams[line]
        points += units * (unit - want.unfilled_cost * POINTS)
    points += question.stock_cost(choice.flows) * POINTS
    points += question.supplier_cost(choice.flows) * weights.cost_percent * MILLI
    return points + max(0, len(choice.opened) - 1) * weights.parcel * POINTS


def _runner_up(question: Question, problem: Problem, second: Found | None) -> Choice | None:
    if second is None or not second.opened:
        return None
    choice = _choice(question, problem, second)
    return choice if choice.opened else None


def _choice(question: Question, problem: Problem, found: Found) -> Choice:
    flows = [
        (line, question.candidates[j], units)
        for block in problem.blocks
        for line, j, units in block.flows(found.opened)
    ]
    choice = Choice(
        tuple(question.candidates[j] for j in found.opened),
        flows,
        found.points,
        found.bound,
        any(block.inexact for block in problem.blocks),
    )
    if not question.all_or_nothing:
        return choice
    if not _complete(question, flows):
        return replace(EMPTY, shortfall=True)
    nothing = score_points(question, EMPTY)
    if not question.policy.fill_first and score_points(question, choice) >= nothing:
        return EMPTY
    return choice


def _complete(question: Question, flows: Sequence[Flow]) -> bool:
    """Whether every line is filled, but for dependents that may be left behind."""
    policy, lines = question.policy, question.demand.lines
    filled = [0] * len(lines)
    for line, _, units in flows:
        filled[line] += units
    return all(
        filled[place] == line.quantity
        or (line.parent is not None and policy.dependents is Dependents.FOLLOW)
        for place, line in enumerate(lines)
    )


def _problem(question: Question, *, dependents_count: bool) -> Problem:
    policy, demand = question.policy, question.demand
    weights = policy.weights
    offers = [question.offers[place] for place in question.candidates]
    parcel = weights.parcel * POINTS
    opening = [offer.opening + parcel for offer in offers]
    units: dict[int, list[int]] = {}
    for line, grams in zip(demand.lines, question.grams, strict=True):
        if line.sku not in units:
            units[line.sku] = [offer.pick + offer.gram * grams for offer in offers]
            asked = question.asked(line.sku)
            if asked is not None:
                units[line.sku] = [
                    points + asked[place]
                    for points, place in zip(units[line.sku], question.candidates, strict=True)
                ]
    first = 0
    if policy.fill_first or question.all_or_nothing:
        first = 1 + sum(opening)
        for line in demand.lines:
            first += line.quantity * (max(units[line.sku]) + line.unfilled_cost * POINTS)
    wants = []
    for place, line in enumerate(demand.lines):
        penalty = line.unfilled_cost * POINTS
        if line.parent is None or policy.dependents is Dependents.TOGETHER:
            penalty += first
        elif not dependents_count:
            penalty = 0
        wants.append(Want(place, line.sku, line.quantity, penalty, units[line.sku]))
    return Problem(
        opening,
        parcel,
        _blocks(question, wants),
        min(question.max_open, len(offers)),
        policy.effort,
    )


def _stock(question: Question, sku: int) -> list[int]:
    units = question.usable[sku]
    if question.lifted and sku in question.kept:
        return [0 if p in question.lifted else units[p] for p in question.candidates]
    return [units[p] for p in question.candidates]


def _blocks(question: Question, wants: Sequence[Want]) -> list[Block]:
    """Lines joined by a common SKU or by a parent are one block."""
    lines, limit = question.demand.lines, question.policy.max_nodes_per_line
    if all(line.parent is None for line in lines):
        by_sku: dict[int, list[Want]] = {}
        for want in wants:
            by_sku.setdefault(want.sku, []).append(want)
        return [Pool(group, _stock(question, sku), limit) for sku, group in by_sku.items()]
    parents = parent_places(lines)
    blocks: list[Block] = []
    for group in _kindred(lines, parents):
        if all(parents[place] is None for place in group):
            caps = _stock(question, lines[group[0]].sku)
            blocks.append(Pool([wants[place] for place in group], caps, limit))
            continue
        stock = {lines[place].sku: _stock(question, lines[place].sku) for place in group}
        whole = question.policy.dependents is Dependents.TOGETHER
        blocks.append(Kin(_roots(group, wants, parents), stock, limit, whole=whole))
    return blocks


def parent_places(lines: Sequence[Line]) -> list[int | None]:
    """Per line, the index of its parent. Raises ValueError for an unknown parent or a circle."""
    places = {line.key: place for place, line in enumerate(lines)}
    parents: list[int | None] = []
    for line in lines:
        if line.parent is not None and line.parent not in places:
            message = f"line {line.key} depends on {line.parent}, which is not in the demand"
            raise ValueError(message)
        parents.append(None if line.parent is None else places[line.parent])
    for place in range(len(lines)):
        _root_of(place, parents)
    return parents


def _root_of(place: int, parents: Sequence[int | None]) -> int:
    for _ in parents:
        parent = parents[place]
        if parent is None:
            return place
        place = parent
    message = "lines depend on each other in a circle"
    raise ValueError(message)


def _kindred(lines: Sequence[Line], parents: Sequence[int | None]) -> list[list[int]]:
    """The line indexes of each block, in the order of their first line."""
    group = list(range(len(lines)))
    by_sku: dict[int, int] = {}
    for place, line in enumerate(lines):
        parent = parents[place]
        for other in (by_sku.setdefault(line.sku, place), place if parent is None else parent):
            old, new = group[other], group[place]
            if old != new:
                group = [min(old, new) if g in (old, new) else g for g in group]
    members: dict[int, list[int]] = {}
    for place, name in enumerate(group):
        members.setdefault(name, []).append(place)
    return list(members.values())


def _roots(
    group: Sequence[int], wants: Sequence[Want], parents: Sequence[int | None]
) -> list[Root]:
    dependents: dict[int, list[tuple[int, Want, int]]] = {
        place: [] for place in group if parents[place] is None
    }
    for place in group:
        parent = parents[place]
        if parent is not None:
            depth, above = 0, parent
            while (higher := parents[above]) is not None:
                depth, above = depth + 1, higher
            dependents[above].append((depth, wants[place], parent))
    return [
        Root(wants[place], tuple((w, p) for _, w, p in sorted(rows, key=lambda r: r[0])))
        for place, rows in dependents.items()
    ]
