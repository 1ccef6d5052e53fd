"""The rule that decides where nothing better can: the nearest node that has all, else node by node.

It needs no prices, no search and no luck.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from routing.engine.blocks import Flow
from routing.engine.choosing import EMPTY, Choice, Question, parent_places

FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError)
"""What a plan may fail of that is not the demand's own fault (that is a ValueError)."""


def by_rule(question: Question) -> Choice:
    """A choice that keeps every limit. Families leave whole from one node, or wait."""
    offers, demand = question.offers, question.demand
    nearest = sorted(question.candidates, key=lambda place: (offers[place].km, place))
    wanted = tuple(line.quantity for line in demand.lines)
    complete = [place for place in nearest if offers[place].available == wanted]
    if complete and question.max_open:
        return _choice([(line, complete[0], units) for line, units in enumerate(wanted)])
    if question.all_or_nothing:
        return EMPTY
    left = {sku: list(units) for sku, units in question.usable.items()}
    flows: list[Flow] = []
    opened: set[int] = set()
    for group in _groups(question):
        if len(group) > 1:
            allowed = [p for p in nearest if p in opened or len(opened) < question.max_open]
            found = _whole(question, group, allowed, left)
        else:
            found = _spread(question, group[0], nearest, left, opened)
        flows += found
        opened |= {place for _, place, _ in found}
    return _choice(flows)


def _groups(question: Question) -> list[list[int]]:
    """Lines that leave together."""
    parents = parent_places(question.demand.lines)
    groups: dict[int, list[int]] = {}
    for line in range(len(parents)):
        root = line
        while (above := parents[root]) is not None:
            root = above
        groups.setdefault(root, []).append(line)
    return list(groups.values())


def _whole(
    question: Question, group: Sequence[int], places: Sequence[int], left: dict[int, list[int]]
) -> list[Flow]:
    lines = question.demand.lines
    for place in places:
        need: dict[int, int] = {}
        for line in group:
            need[lines[line].sku] = need.get(lines[line].sku, 0) + lines[line].quantity
        if all(left[sku][place] >= units for sku, units in need.items()):
            for sku, units in need.items():
                left[sku][place] -= units
            return [(line, place, lines[line].quantity) for line in group]
    return []


def _spread(
    question: Question,
    line: int,
    nearest: Sequence[int],
    left: dict[int, list[int]],
    opened: AbstractSet[int],
) -> list[Flow]:
    """From the nearest on, all that each has, over no more nodes than a line and an order may have."""
    want = question.demand.lines[line]
    most = question.policy.max_nodes_per_line or len(nearest)
    flows: list[Flow] = []
    missing, more = want.quantity, question.max_open - len(opened)
    for place in nearest:
        units = min(missing, left[want.sku][place])
        new = place not in opened
        if not units or len(flows) == most or (new and not more):
            continue
        more -= new
        left[want.sku][place] -= units
        flows.append((line, place, units))
        missing -= units
    return flows


def _choice(flows: list[Flow]) -> Choice:
    opened = tuple(sorted({place for _, place, _ in flows}))
    return Choice(opened, flows, 0, 0, inexact=False)
