"""Which open orders can get in each other's way: only those need be planned together.

Stock that is enough for whatever its orders could want of it decides nothing between them, nor does
room that takes every parcel that could come. Orders are therefore parted into groups that share
nothing which could run out: the best plans of the groups together are the best plans of all.
"""

from collections.abc import Iterable, Sequence

from routing.engine.choosing import Question
from routing.engine.joint_program import Terms
from routing.engine.plan import Run

Key = tuple[int, int]
"""A SKU and a node's place, or, with `ROOM` for the SKU, a node's room."""

ROOM = -1
STIFF = -1
"""For the place: what all units of a SKU cost that is counted together, wherever they leave from."""


def groups_of(questions: Sequence[Question], run: Run, terms: Terms) -> list[list[int]]:
    """The orders by their places, in groups of which none can take anything from another.

    Groups and places are in the order of the questions.
    """
    wanted: dict[Key, int] = {}
    asking: dict[Key, list[int]] = {}
    for place, question in enumerate(questions):
        for key, units in _wants(question, run, terms).items():
            wanted[key] = wanted.get(key, 0) + units
            asking.setdefault(key, []).append(place)
    contested = (
        orders
        for key, orders in asking.items()
        if len(orders) > 1 and wanted[key] > _there(key, run, terms)
    )
    return _joined(len(questions), contested)


def _wants(question: Question, run: Run, terms: Terms) -> dict[Key, int]:
    """The most that any plan of the order could take of each thing."""
    wants: dict[Key, int] = {}
    for line in question.demand.lines:
        usable = question.usable[line.sku]
        for at in question.candidates:
            if usable[at]:
                wants[line.sku, at] = wants.get((line.sku, at), 0) + line.quantity
        if terms.stiffness and line.sku in terms.expected:
            wants[line.sku, STIFF] = line.quantity
    if terms.room:
        for at in question.candidates:
            if run.nodes[at].id in terms.room:
                wants[ROOM, at] = 1
    return wants


def _there(key: Key, run: Run, terms: Terms) -> int:
    sku, at = key
    if at == STIFF:
        return 0
    if sku == ROOM:
        return terms.room[run.nodes[at].id]
    return run.stock.column(sku)[at]


def _joined(count: int, together: Iterable[Sequence[int]]) -> list[list[int]]:
    """Places from nought in groups, each as large as those that belong together make it."""
    leader = list(range(count))

    def led_by(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    for places in together:
        first = led_by(places[0])
        for place in places[1:]:
            other = led_by(place)
            first, other = min(first, other), max(first, other)
            leader[other] = first
    groups: dict[int, list[int]] = {}
    for place in range(count):
        groups.setdefault(led_by(place), []).append(place)
    return list(groups.values())


def columns_of(questions: Iterable[Question]) -> int:
    """How many units by line and node a program of these orders would have."""
    return sum(len(one.demand.lines) * len(one.candidates) for one in questions)
