"""Many orders at once, each answering prices on its own.

Given a price per unit of every SKU at every node, and per parcel of every node and day, an order
is alone with its own cheapest plan. For thousands of orders those plans are worked out together,
in arrays: what prices are made of, and what they are proven by.

Money is in minor units as floats here: nothing of it is ever booked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

NEVER = 1e8
"""Minor units that no plan ever pays: there is no stock, or the node may not ship."""

EXACT_LINES = 7
"""Orders of more lines are answered greedily, one parcel after another."""

MOST_PARCELS = 5
"""As many parcels a greedy answer has at most."""


@dataclass(frozen=True, slots=True)
class Asks:
    """Orders with the same number of lines.

    The last column stands for staying unfilled: it opens for nothing, and each line has its
    penalty there. `scene` says under which prices an order lives.
    """

    opening: Floats
    """(orders, nodes + 1)"""
    lines: Floats
    """(orders, lines, nodes + 1): the whole line's units from there."""
    sku: Ints
    units: Ints
    """Both (orders, lines)."""
    day: Ints
    scene: Ints

    @property
    def size(self) -> int:
        return int(self.sku.shape[1])


class Answers(NamedTuple):
    """What the orders of each scene pay, and what they would take."""

    paid: Floats
    """(scenes)"""
    taken: Floats
    """(scenes, SKUs, nodes)"""
    parcels: Floats
    """(scenes, nodes, days)"""


@dataclass(frozen=True, slots=True)
class Prices:
    """`units` is (scenes, SKUs, nodes + 1), `parcels` is (scenes, nodes + 1, days)."""

    units: Floats
    parcels: Floats


def answer(crowd: Sequence[Asks], prices: Prices) -> Answers:
    """Each order's cheapest plan under its scene's prices, exact up to `EXACT_LINES` lines."""
    scenes, skus, columns = prices.units.shape
    days = prices.parcels.shape[2]
    paid = np.zeros(scenes)
    takes: list[Ints] = []
    weights: list[Ints] = []
    sends: list[Ints] = []
    for asks in crowd:
        cost, sources, opened = chosen(asks, prices)
        paid += np.bincount(asks.scene, cost, scenes)
        takes.append(((asks.scene[:, None] * skus + asks.sku) * columns + sources).ravel())
        weights.append(asks.units.ravel())
        order, node = opened
        sends.append((asks.scene[order] * columns + node) * days + asks.day[order])
    taken = _counted(takes, weights, (scenes, skus, columns))
    parcels = _counted(sends, None, (scenes, columns, days))
    return Answers(paid, taken[:, :, :-1], parcels[:, :-1])


def _counted(
    keys: list[Ints], weights: list[Ints] | None, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    size = shape[0] * shape[1] * shape[2]
    if not keys:
        return np.zeros(shape)
    joined = None if weights is None else np.concatenate(weights)
    return np.bincount(np.concatenate(keys), joined, size).astype(np.float64).reshape(shape)


def chosen(asks: Asks, prices: Prices) -> tuple[Floats, Ints, tuple[Ints, Ints]]:
    """Per order its cost and the column of each line; and the pairs (order, column) that open."""
    lines = prices.units[asks.scene[:, None], asks.sku]
    if asks.units.max(initial=1) > 1:
        lines = lines * asks.units[:, :, None]
    lines = lines + asks.lines
    opening = asks.opening + prices.parcels[asks.scene, :, asks.day]
    if asks.size == 1:
        total = opening + lines[:, 0]
        sources = total.argmin(1)
        orders = np.arange(len(sources))
        return total[orders, sources], sources[:, None], (orders, sources)
    return (_parted if asks.size <= EXACT_LINES else _greedy)(opening, lines)


@cache
def _first_parts(size: int) -> tuple[tuple[int, Ints], ...]:
    """For each set of lines (as a mask), the parts of it that hold its first line."""
    rows = []
    for whole in range(1, 1 << size):
        first = whole & -whole
        rest = part = whole ^ first
        parts = []
        while True:
            parts.append(part | first)
            if not part:
                break
            part = (part - 1) & rest
        rows.append((whole, np.array(parts, dtype=np.int64)))
    return tuple(rows)


def _parted(opening: Floats, lines: Floats) -> tuple[Floats, Ints, tuple[Ints, Ints]]:
    """The cheapest way to part the lines, each part at the node that is cheapest for it."""
    orders, size, columns = lines.shape
    together = np.empty((orders, 1 << size, columns), dtype=lines.dtype)
    together[:, 0] = opening
    for line in range(size):
        bit = 1 << line
        np.add(together[:, :bit], lines[:, line : line + 1], out=together[:, bit : 2 * bit])
    node = together.argmin(2)
    least = np.take_along_axis(together, node[:, :, None], 2)[:, :, 0]
    everyone = np.arange(orders)
    cost = np.zeros((orders, 1 << size), dtype=lines.dtype)
    part = np.zeros((orders, 1 << size), dtype=np.int64)
    for whole, parts in _first_parts(size):
        totals = least[:, parts] + cost[:, whole ^ parts]
        best = totals.argmin(1)
        cost[:, whole] = totals[everyone, best]
        part[:, whole] = parts[best]
    sources = np.zeros((orders, size), dtype=np.int64)
    left = np.full(orders, (1 << size) - 1)
    opened: list[tuple[Ints, Ints]] = []
    active = everyone
    while active.size:
        now = part[active, left[active]]
        column = node[active, now]
        opened.append((active, column))
        for line in range(size):
            inside = (now >> line) & 1 == 1
            sources[active[inside], line] = column[inside]
        left[active] ^= now
        active = active[left[active] > 0]
    return (
        cost[:, -1],
        sources,
        (np.concatenate([pair[0] for pair in opened]), np.concatenate([p[1] for p in opened])),
    )


def _greedy(opening: Floats, lines: Floats) -> tuple[Floats, Ints, tuple[Ints, Ints]]:
    """Open what saves most, while it saves: not always the cheapest plan."""
    orders, size, columns = lines.shape
    everyone = np.arange(orders)
    sources = np.full((orders, size), columns - 1)
    now = lines[:, :, -1].copy()
    spent = np.zeros(orders)
    opened: list[tuple[Ints, Ints]] = []
    for _ in range(min(MOST_PARCELS, size)):
        saved = np.maximum(now[:, :, None] - lines, 0).sum(1) - opening
        best = saved.argmax(1)
        pays = everyone[saved[everyone, best] > 0]
        if not pays.size:
            break
        column = best[pays]
        there = lines[pays, :, column]
        better = there < now[pays]
        sources[pays] = np.where(better, column[:, None], sources[pays])
        now[pays] = np.minimum(now[pays], there)
        spent[pays] += opening[pays, column]
        opened.append((pays, column))
    none = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    pairs = opened or [none]
    return (
        now.sum(1) + spent,
        sources,
        (np.concatenate([pair[0] for pair in pairs]), np.concatenate([p[1] for p in pairs])),
    )
