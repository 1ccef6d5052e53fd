"""What will be ordered and where to: rates that learn from what was recorded.

A forecast says how likely each SKU, each destination and each size of basket is. Every rate is a
Gamma variable: the forecast is its mean, a strength says how much demand it is worth, and recorded
demand moves it. The strength is not given but fitted, so that a forecast which is wrong is soon
outweighed and one that is right stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import lgamma, log, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

STRENGTHS = (1.0, 2.0, 3.5, 6.0, 10.0, 18.0, 30.0, 60.0, 120.0, 300.0, 1_000.0, 10_000.0)
"""What is tried: how many recorded units a SKU's forecast is worth."""

REDRAWS = 30
WEEKDAYS = 7
LEAST_WEEKS = 2
"""With fewer recorded weeks than this every weekday counts the same."""


@dataclass(frozen=True, slots=True)
class Baskets:
    """Orders that may come, all with the same number of lines; places are indexes.

    `row` is the destination and service, `day` the day from now, `scene` the future it belongs to.
    """

    sku: Ints
    units: Ints
    row: Ints
    day: Ints
    scene: Ints


@dataclass(frozen=True, slots=True)
class Rates:
    """Relative rates with how sure they are: Gamma variables of mean 1 times `mean`.

    `strength` is infinite where nothing is known to be wrong.
    """

    mean: Floats
    strength: Floats

    def drawn(self, draw: np.random.Generator) -> Floats:
        """Shares, drawn from what is known of them."""
        rates = self.mean * draw.gamma(self.strength) / self.strength
        shares: Floats = rates / rates.sum()
        return shares


def sure(mean: Floats, strength: float = STRENGTHS[-1]) -> Rates:
    return Rates(mean / mean.sum(), np.full(len(mean), strength))


@dataclass(frozen=True, slots=True)
class Forecast:
    """`skus` are the weights by which baskets are filled, `rows` those of destination and service.

    `sizes` is the share of baskets by number of lines, from one on; `more` the chance that a line
    wants one unit more.
    """

    skus: Rates
    rows: Rates
    sizes: Floats
    more: float = 0.0

    def inclusion(self) -> Floats:
        """How often each SKU is in a basket.

        Baskets hold no SKU twice: the chance is 1 - exp(-weight × t) with t such that the chances
        add up to the size, which is close.
        """
        weights = self.skus.mean / self.skus.mean.sum()
        chances = np.zeros(len(weights))
        for size, share in enumerate(self.sizes, 1):
            if share and size < len(weights):
                chances += share * (1 - np.exp(-weights * _time_to(size, weights)))
            elif share:
                chances += share
        return chances

    def learned(self, lines: Ints, rows: Ints, orders: int) -> "Forecast":
        """The forecast after so many orders, with lines by SKU and orders by row.

        The forecast itself is not changed: learn from all that was recorded, not bit by bit.
        """
        if not orders:
            return self
        expected = self.inclusion()
        skus = _posterior(self.skus.mean, expected * orders, lines)
        shares = self.rows.mean / self.rows.mean.sum()
        places = _posterior(shares, shares * orders, rows)
        weights = skus.mean.copy()
        wanted = expected * skus.mean / self.skus.mean
        for _ in range(4):
            now = replace(self, skus=Rates(weights, skus.strength)).inclusion()
            weights = weights * wanted / np.maximum(now, 1e-12)
        return replace(self, skus=Rates(weights, skus.strength), rows=places)

    def error(self, lines: Ints, orders: int) -> float:
        """How far off the forecast was of so many orders with these lines by SKU.

        The standard deviation of a SKU's rate about what was foreseen: 0.5 is half as much again, or
        half. At most 1, which is also said where nothing came to compare with.
        """
        if not orders:
            return 1.0
        return min(1.0, 1 / sqrt(fitted_strength(self.inclusion() * orders, lines)))

    def sample(
        self, scenes: int, by_day: Sequence[int], draw: np.random.Generator
    ) -> list[Baskets]:
        """So many futures, each with so many orders a day from today on."""
        days = np.repeat(np.arange(len(by_day)), by_day)
        count = len(days)
        drawn: list[tuple[Ints, ...]] = []
        for scene in range(scenes):
            shares = self.skus.drawn(draw)
            sizes = draw.choice(len(self.sizes), count, p=self.sizes) + 1
            rows = draw.choice(len(self.rows.mean), count, p=self.rows.drawn(draw))
            skus = _without_repeats(shares, count, min(len(self.sizes), len(shares)), draw)
            drawn.append((sizes, rows, skus, days, np.full(count, scene)))
        if not count:
            return []
        sizes, rows, skus, when, scene_of = (
            np.concatenate(parts) for parts in zip(*drawn, strict=True)
        )
        baskets = []
        for size in range(1, skus.shape[1] + 1):
            own = np.minimum(sizes, skus.shape[1]) == size
            if own.any():
                units = np.ones((int(own.sum()), size), dtype=np.int64)
                if self.more:
                    units = np.minimum(4, draw.geometric(1 - self.more, units.shape))
                baskets.append(
                    Baskets(skus[own, :size], units, rows[own], when[own], scene_of[own])
                )
        return baskets


def _time_to(size: int, weights: Floats) -> float:
    low, high = 0.0, 1.0
    while (1 - np.exp(-weights * high)).sum() < size and high < 1e9:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if (1 - np.exp(-weights * middle)).sum() < size else (low, middle)
        )
    return high


def _without_repeats(shares: Floats, count: int, most: int, draw: np.random.Generator) -> Ints:
    """Rows of different SKUs, drawn one after another by their share."""
    ladder = np.cumsum(shares)
    ladder /= ladder[-1]
    drawn = np.searchsorted(ladder, draw.random((count, most)), side="right")
    for place in range(1, most):
        for _ in range(REDRAWS):
            again = (drawn[:, :place] == drawn[:, place : place + 1]).any(1)
            if not again.any():
                break
            drawn[again, place] = np.searchsorted(
                ladder, draw.random(int(again.sum())), side="right"
            )
    return np.minimum(drawn, len(shares) - 1)


def fitted_strength(expected: Floats, counts: Ints) -> float:
    """How many units the forecast of one rate is worth, by how far counts are from what it expected.

    The likeliest of `STRENGTHS` when rates are Gamma variables: counts are negative binomial.
    """
    seen = expected > 0
    pairs = [(float(e), int(n)) for e, n in zip(expected[seen], counts[seen], strict=True)]

    def likelihood(strength: float) -> float:
        return sum(
            lgamma(strength + n)
            - lgamma(strength)
            + strength * log(strength / (strength + e))
            + n * log(e / (strength + e))
            for e, n in pairs
        )

    return max(STRENGTHS, key=likelihood)


def _posterior(mean: Floats, expected: Floats, counts: Ints) -> Rates:
    strength = fitted_strength(expected, counts)
    factor = (strength + counts) / (strength + expected)
    return Rates(mean * factor, strength + counts)


def orders_by_day(recorded: Mapping[date, int], days: Iterable[date]) -> list[int]:
    """Orders to expect on each of the days: the mean, and by weekday where weeks enough are known.

    A weekday's own mean counts by the weeks that it rests on, beside two weeks of the mean of all.
    """
    if not recorded:
        return [0 for _ in days]
    mean = sum(recorded.values()) / len(recorded)
    if len(recorded) < LEAST_WEEKS * WEEKDAYS:
        return [round(mean) for _ in days]
    by_weekday: dict[int, list[int]] = {}
    for day, orders in recorded.items():
        by_weekday.setdefault(day.weekday(), []).append(orders)
    usual = {
        weekday: (sum(seen) + LEAST_WEEKS * mean) / (len(seen) + LEAST_WEEKS)
        for weekday, seen in by_weekday.items()
    }
    return [round(usual.get(day.weekday(), mean)) for day in days]
