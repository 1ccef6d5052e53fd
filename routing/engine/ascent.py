"""Prices at which orders that decide alone share stock and capacity: the dual of the joint plan.

Each scene is a future that may come; what is known already (a wave) is in all of them and is
decided once, at the mean of their prices. Prices rise where more is taken than there is and fall
where less is. Every step's prices prove a bound that no plan can be below (Lagrange), so the best
of them is kept beside their average, which is what to decide by.

Deterministic: no clock, no chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routing.engine.crowd import NEVER, Asks, Floats, Prices, answer


@dataclass(frozen=True, slots=True)
class Shelves:
    """What is shared. `stock` is (SKUs, nodes), `room` parcels by (nodes, days).

    Parcels beyond the room cost `overtime` more each, which is the most that room can be worth.
    """

    stock: Floats
    room: Floats
    overtime: float


@dataclass(frozen=True, slots=True)
class Pace:
    """How the ascent steps: `step` for demand twice the stock at first, then less.

    Steps are shares of what a parcel usually costs. `cold` is the step of a whole SKU's price in
    the first rounds, for prices that start at nothing.
    """

    rounds: int = 60
    step: float = 0.35
    momentum: float = 0.8
    slowing: float = 20.0
    cold: float = 0.0
    cold_rounds: int = 40


WARM = Pace()
COLD = Pace(rounds=150, step=0.45, slowing=40.0, cold=4.5)


@dataclass(frozen=True, slots=True)
class Settled:
    """Prices by scene (`units` (scenes, SKUs, nodes), `parcels` (scenes, nodes, days)), the wave's
    own price of room, and the proven bound: minor units of one scene with the wave, on average.
    `wave_units` is what the wave takes by (SKUs, nodes), on average over the last rounds.
    """

    units: Floats
    parcels: Floats
    wave_parcels: Floats
    bound: float
    wave_units: Floats | None = None


def settle(
    wave: Sequence[Asks],
    futures: Sequence[Asks],
    scenes: int,
    shelves: Shelves,
    pace: Pace,
    start: Settled | None = None,
) -> Settled:
    """Ascend for so many rounds. Futures live in scenes 0…, the wave in the scene after the last."""
    crowd = [*wave, *futures]
    climb = _Climb(scenes, shelves, pace, start, _usual_parcel(crowd))
    for turn in range(pace.rounds):
        climb.turn(crowd, turn)
    return climb.settled()


def _usual_parcel(crowd: Sequence[Asks]) -> float:
    """What opening the cheapest node costs an order, in the middle."""
    cheapest = [asks.opening[:, :-1].min(1) for asks in crowd if asks.opening.shape[1] > 1]
    known = np.concatenate(cheapest) if cheapest else np.zeros(0)
    known = known[known < NEVER]
    return max(1.0, float(np.median(known))) if known.size else 1.0


class _Climb:
    def __init__(
        self,
        scenes: int,
        shelves: Shelves,
        pace: Pace,
        start: Settled | None,
        usual: float,
    ) -> None:
        stock, room = shelves.stock, shelves.room
        self.scenes, self.pace, self.shelves, self.usual = scenes, pace, shelves, usual
        self.empty = stock <= 0
        self.units = np.zeros((scenes, *stock.shape)) if start is None else start.units.copy()
        self.parcels = np.zeros((scenes, *room.shape)) if start is None else start.parcels.copy()
        self.wave = np.zeros(room.shape) if start is None else start.wave_parcels.copy()
        self.unit_pull = np.zeros_like(self.units)
        self.parcel_pull = np.zeros_like(self.parcels)
        self.wave_pull = np.zeros_like(self.wave)
        self.unit_scale = 1 / (stock + 1)
        self.sku_scale = 1 / (stock.sum(1) + 3)
        self.room_scale = 1 / (room + 2)
        self.bound = -np.inf
        self.sums = [np.zeros_like(self.units), np.zeros_like(self.parcels), np.zeros(room.shape)]
        self.sums.append(np.zeros(stock.shape))
        self.counted = 0

    def turn(self, crowd: Sequence[Asks], turn: int) -> None:
        scenes, shelves, pace = self.scenes, self.shelves, self.pace
        paid, taken, parcels = answer(crowd, self._asked())
        rent = (self.units * shelves.stock).sum((1, 2)) + (self.parcels * shelves.room).sum((1, 2))
        own = (self.wave * shelves.room).sum()
        self.bound = max(self.bound, float((paid[:scenes] - rent).mean() + paid[scenes] - own))
        if 2 * turn >= pace.rounds:
            known = (self.units, self.parcels, self.wave, taken[scenes])
            self.sums = [total + now for total, now in zip(self.sums, known, strict=True)]
            self.counted += 1
        over = (taken[:scenes] + taken[scenes] - shelves.stock) * self.unit_scale
        step = self.usual * pace.step / (1 + turn / pace.slowing)
        if pace.cold and turn < pace.cold_rounds:
            wanted = taken[:scenes].sum(2) + taken[scenes].sum(1)
            scarce = (wanted - shelves.stock.sum(1)) * self.sku_scale
            share = pace.cold / pace.step * (1 - turn / pace.cold_rounds)
            over += share * scarce[:, :, None]
        keep = pace.momentum
        self.unit_pull = keep * self.unit_pull + (1 - keep) * over
        late = (parcels[:scenes] - shelves.room) * self.room_scale
        self.parcel_pull = keep * self.parcel_pull + (1 - keep) * late
        own_late = (parcels[scenes] - shelves.room) * self.room_scale
        self.wave_pull = keep * self.wave_pull + (1 - keep) * own_late
        most = shelves.overtime
        self.units = np.maximum(0, self.units + step * self.unit_pull)
        self.parcels = np.clip(self.parcels + step * self.parcel_pull, 0, most)
        self.wave = np.clip(self.wave + step * self.wave_pull, 0, most)

    def _asked(self) -> Prices:
        scenes, (skus, nodes), days = self.scenes, self.empty.shape, self.wave.shape[1]
        units = np.zeros((scenes + 1, skus, nodes + 1), dtype=np.float32)
        units[:scenes, :, :nodes] = self.units
        units[scenes, :, :nodes] = self.units.mean(0)
        units[:, :, :nodes][:, self.empty] = NEVER
        parcels = np.zeros((scenes + 1, nodes + 1, days), dtype=np.float32)
        parcels[:scenes, :nodes] = self.parcels
        parcels[scenes, :nodes] = self.wave
        return Prices(units, parcels)

    def settled(self) -> Settled:
        units, parcels, wave, taken = (total / max(1, self.counted) for total in self.sums)
        return Settled(units, parcels, wave, self.bound, taken)
