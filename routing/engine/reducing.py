"""Which nodes could be part of the best plan at all: a bound from dual prices of the lines.

Each line gets a price per unit, raised as far as no node pays: what a node would earn at these
prices is never more than it costs to open. The prices add up to a bound, and what a node lacks to
pay for itself (its slack) is what the bound rises by if the node opens. Nodes that lift the bound
above a known plan are left out; nothing that is as good as the best plan ever is.
"""

from collections.abc import Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from routing.engine.blocks import Block, Pool, Want

RAISES = (0.25, 0.35, 0.5, 0.5, 0.7, 1.0)
"""In each round, the part of what it could still rise that a line's price rises by."""

POLISHES = 40
EAGER = 0.9
"""How far towards a known plan the first step goes."""

SLACK = 1e-9
"""Of the bound, what rounding may cost: only what is worse by more is left out."""

Floats = NDArray[np.float64]


class Reduction:
    """Prices of the lines, the bound they prove, and what each node lacks to pay for itself.

    The bound is in points, before the first parcel's penalty is given back.
    """

    def __init__(self, opening: Sequence[int], rows: Sequence[tuple[Want, list[int]]]) -> None:
        self._unit = np.array([want.unit for want, _ in rows], dtype=np.float64)
        self._quantity = np.array([want.quantity for want, _ in rows], dtype=np.float64)
        self._penalty = np.array([want.penalty for want, _ in rows], dtype=np.float64)
        self._opening = np.array(opening, dtype=np.float64)
        caps = np.array([caps for _, caps in rows], dtype=np.float64)
        self._units = np.minimum(caps, self._quantity[:, None])
        self._price = self._raised()
        self.bound, self._proven_at, _ = self._proven(self._price)

    def _raised(self) -> Floats:
        """Raise the prices by turns. Stock that two lines share counts for both: still a bound."""
        units, unit, penalty = self._units, self._unit, self._penalty
        held = units > 0
        each = np.where(held, units, 1.0)
        cost = np.where(held, unit, np.inf)
        price: Floats = np.minimum(cost.min(1), penalty)
        earned = np.where(held, units * np.maximum(0, price[:, None] - unit), 0)
        slack = self._opening - earned.sum(0)
        turns = np.argsort(held.sum(1), kind="stable").tolist()
        for part in RAISES:
            for line in turns:
                if price[line] >= penalty[line]:
                    continue
                free = np.maximum(0, slack + earned[line])
                highest = min(float((cost[line] + free / each[line]).min()), float(penalty[line]))
                price[line] = max(price[line], price[line] + part * (highest - price[line]))
                now = np.where(held[line], units[line] * np.maximum(0, price[line] - unit[line]), 0)
                slack += earned[line] - now
                earned[line] = now
        return price

    def _proven(self, price: Floats) -> tuple[float, Floats, Floats]:
        """The bound of these prices, slacks, and by how much demand exceeds what is sent."""
        earns = price[:, None] > self._unit
        slack = self._opening - (self._units * np.maximum(0, price[:, None] - self._unit)).sum(0)
        opened = slack < 0
        bound = float((self._quantity * price).sum()) + float(slack[opened].sum())
        sent = (self._units * (earns & opened)).sum(1)
        return bound, slack, self._quantity - sent

    @property
    def slack(self) -> Floats:
        """What each node lacks to pay for itself; nothing for one that earns its opening."""
        return np.maximum(0, self._proven_at)

    def polish(self, points: int) -> None:
        """Move the prices towards the bound of a plan that is known to cost so many points."""
        price = self._price.copy()
        for turn in range(POLISHES):
            bound, slack, short = self._proven(price)
            if bound > self.bound:
                self.bound, self._proven_at, self._price = bound, slack, price.copy()
            steep = float((short * short).sum())
            if not steep or bound >= points:
                return
            step = EAGER * 0.93**turn * (points - bound) / steep
            price = np.clip(price + step * short, 0, self._penalty)

    def without(self, node: int) -> "Reduction":
        """The same prices where this node may not open: what it would have earned is not lost."""
        other = copy(self)
        earned = float(self._proven_at[node])
        other.bound = self.bound - min(0.0, earned)
        return other

    def core(self, nodes: Sequence[int], most: int) -> list[int]:
        """The nodes that lack least to pay for themselves."""
        slack = self.slack.tolist()
        ranked = sorted(nodes, key=lambda j: (slack[j], j))
        return sorted(ranked[:most])

    def left(self, nodes: Sequence[int], points: int) -> list[int]:
        """The nodes that a plan of no more than so many points could open."""
        room = points - self.bound + 1 + SLACK * abs(points)
        slack = self.slack.tolist()
        return [j for j in nodes if slack[j] <= room]


def wants_of(blocks: Sequence[Block]) -> list[tuple[Want, list[int]]] | None:
    """Each line with the stock of its nodes; None where lines belong together."""
    rows: list[tuple[Want, list[int]]] = []
    for block in blocks:
        if not isinstance(block, Pool):
            return None
        rows += block.rows()
    return rows
