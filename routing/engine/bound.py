"""What no plan could have cost less than, had everything been known: the measure of regret."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from routing.engine.ascent import Pace, Settled, Shelves, settle
from routing.engine.crowd import NEVER, Asks, Floats, Ints, Prices, answer
from routing.engine.linear import Program

TIGHTENING = Pace(rounds=120, step=0.06, slowing=15.0)


class Bound(NamedTuple):
    """Minor units. `relaxed` is the linear relaxation, `certified` the Lagrangian at its duals,
    `tightened` the best Lagrangian found from there. Each is below every plan.
    """

    relaxed: float
    certified: float
    tightened: float

    @property
    def value(self) -> float:
        """The better of the first two, which is what ratios are usually taken to."""
        return max(self.relaxed, self.certified)

    @property
    def best(self) -> float:
        return max(self)


def hindsight(crowd: Sequence[Asks], shelves: Shelves) -> Bound:
    """The bound of orders that are all known, in scene 0."""
    program, unit_rows, room_rows = _relaxation(crowd, shelves)
    solution = program.relaxed()
    units, parcels = np.zeros(shelves.stock.shape), np.zeros(shelves.room.shape)
    units[unit_rows[0], unit_rows[1]] = np.maximum(0, -solution.duals[unit_rows[2]])
    rent = np.clip(-solution.duals[room_rows[2]], 0, shelves.overtime)
    parcels[room_rows[0], room_rows[1]] = rent
    start = Settled(units[None], parcels[None], np.zeros_like(parcels), 0.0)
    # The room of the wave's own price, which nobody takes here, is none.
    tight = settle((), crowd, 1, shelves, TIGHTENING, start)
    return Bound(solution.objective, _certified(crowd, shelves, units, parcels), tight.bound)


def _certified(crowd: Sequence[Asks], shelves: Shelves, units: Floats, parcels: Floats) -> float:
    """What every order would pay at the prices, less the price of all there is."""
    skus, nodes = units.shape
    asked = np.zeros((1, skus, nodes + 1))
    asked[0, :, :nodes] = np.where(shelves.stock > 0, units, NEVER)
    windows = np.zeros((1, nodes + 1, parcels.shape[1]))
    windows[0, :nodes] = parcels
    paid = answer(crowd, Prices(asked, windows)).paid[0]
    return float(paid - (units * shelves.stock).sum() - (parcels * shelves.room).sum())


Rows = tuple[Ints, Ints, Ints]


def _relaxation(crowd: Sequence[Asks], shelves: Shelves) -> tuple[Program, Rows, Rows]:
    """Each line from each node, no more of it than of the parcel; stock; room with its overtime.

    Also the rows of stock and of room, each with what they are of.
    """
    program = Program()
    nodes, days = shelves.room.shape
    taken: list[tuple[Ints, Ints, Ints]] = []
    sent: list[tuple[Ints, Ints]] = []
    for asks in crowd:
        orders, size = asks.sku.shape
        usable = (shelves.stock > 0)[asks.sku] & (asks.lines[:, :, :-1] < NEVER)
        usable &= (asks.opening[:, :-1] < NEVER)[:, None, :]
        parcel = np.full((orders, nodes), -1, dtype=np.int64)
        order, node = np.nonzero(usable.any(1))
        parcel[order, node] = program.add_columns(asks.opening[order, node])
        sent.append((node * days + asks.day[order], parcel[order, node]))
        order, line, node = np.nonzero(usable)
        share = program.add_columns(asks.lines[order, line, node])
        unfilled = program.add_columns(asks.lines[:, :, -1].ravel())
        every, own = np.arange(orders * size), np.arange(len(share))
        program.add_rows(1, 1, orders * size, (order * size + line, share, 1), (every, unfilled, 1))
        program.add_rows(-np.inf, 0, len(share), (own, share, 1), (own, parcel[order, node], -1))
        keys = asks.sku[order, line] * nodes + node
        taken.append((keys, share, asks.units[order, line]))
    keys, columns, units = (np.concatenate(parts) for parts in zip(*taken, strict=True))
    known, row = np.unique(keys, return_inverse=True)
    held = shelves.stock[known // nodes, known % nodes]
    stock_rows = program.add_rows(-np.inf, held, len(known), (row, columns, units))
    keys, columns = (np.concatenate(parts) for parts in zip(*sent, strict=True))
    windows, row = np.unique(keys, return_inverse=True)
    over = program.add_columns(np.full(len(windows), shelves.overtime))
    room_rows = program.add_rows(
        -np.inf,
        shelves.room[windows // days, windows % days],
        len(windows),
        (row, columns, 1),
        (np.arange(len(windows)), over, -1),
    )
    return (
        program,
        (known // nodes, known % nodes, stock_rows),
        (windows // days, windows % days, room_rows),
    )
