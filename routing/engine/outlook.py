"""From forecast to price book: draw futures, let them share what there is, keep their prices.

Each look starts from the prices of the one before, so that looking often is cheap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from routing.engine.ascent import Pace, Settled
from routing.engine.choosing import Question
from routing.engine.crowd import Floats
from routing.engine.forecast import Baskets, Forecast
from routing.engine.market import Goods, Market, Tariff, asks_of, asks_of_questions, spread

SCENES = 24
"""Futures. With eight of them prices hang on which came up, most of all where the forecast is in doubt
and each future has rates of its own."""

AGAIN = Pace(rounds=24, step=0.25)
"""Enough where the futures are the same and only a little is gone."""

SPARE = 1.0
"""Units by which stock is taken to be more than it is, with the whole horizon ahead. Prices from
futures that are known to their end are too high where few units are left."""

SPARE_AT_ONCE = 0.25
"""The same where orders are decided one by one as they come, and none waits for a better use of the last
unit."""

FADING = 1.5
"""How spare units go as the horizon does: with what is still to come, and with the root of it, since
that is how far off what is foreseen of it can be."""


@dataclass(frozen=True, slots=True)
class View:
    """What is known at a moment: stock (SKUs, nodes), room (nodes, days from today), and the orders
    that are expected on each of these days. `ahead` is the share of the horizon still to come.
    """

    stock: Floats
    room: Floats
    by_day: Sequence[int]
    ahead: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """A network with its goods and costs, as futures meet it. `seed` makes draws repeatable."""

    nodes: tuple[int, ...]
    goods: Goods
    costs: Tariff
    overtime: float
    seed: int
    scenes: int = SCENES
    spare: float = SPARE

    def look(
        self,
        forecast: Forecast,
        view: View,
        *,
        turn: int,
        wave: Sequence[Question] = (),
        before: Settled | None = None,
        pace: Pace | None = None,
    ) -> Settled:
        """Prices for the futures that are drawn at this turn; what is known already is the wave."""
        futures = self.futures(forecast, view, turn)
        start = None if before is None else spread(before, self.scenes)
        return self.settled(futures, view, wave, start, pace)

    def again(
        self,
        futures: Sequence[Baskets],
        view: View,
        *,
        before: Settled,
        wave: Sequence[Question] = (),
    ) -> Settled:
        """Prices for what is left of futures that have been looked at: each starts from its own."""
        return self.settled(futures, view, wave, before, AGAIN)

    def futures(self, forecast: Forecast, view: View, turn: int) -> list[Baskets]:
        draw = np.random.default_rng([self.seed, turn])
        return forecast.sample(self.scenes, view.by_day, draw)

    def settled(
        self,
        futures: Sequence[Baskets],
        view: View,
        wave: Sequence[Question],
        start: Settled | None,
        pace: Pace | None,
    ) -> Settled:
        crowd = asks_of(futures, self.costs, self.goods)
        known, _ = asks_of_questions(wave, self.goods, self.scenes)
        spare = self.spare * view.ahead**FADING
        return self.market(view).settle(known, crowd, self.scenes, start, pace, spare)

    def market(self, view: View) -> Market:
        return Market(self.nodes, self.goods, view.stock, view.room, self.overtime)


def later(settled: Settled, days: int) -> Settled:
    """The same prices so many days on: the first days' room is gone."""
    if not days:
        return settled
    return replace(
        settled,
        parcels=settled.parcels[:, :, days:],
        wave_parcels=settled.parcels.mean(0)[:, days:],
    )
