"""What units and room are worth to the orders that are still to come.

A price book says what is lost elsewhere when a unit leaves this node, and when a parcel takes room
in this window. A plan that pays these prices leaves to later orders what they need more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import e, expm1

from routing.engine.results import Level

LASTS = timedelta(hours=2)
"""A book that is older is stale."""

STEEP = e - 1
"""What makes a primal-dual price start at nothing and end at its share."""

FILLING = 115
"""Percent of its cost that an unfilled unit counts for where units have prices: a price that foresees
too much leaves units on the shelf, and what it costs to send more is about what that saves.
"""

DOUBT = 100
"""Percent more where the forecast was off by as much as it foresaw, less where it was off by less: the
worse a forecast is known to be, the less it should turn away.
"""

UNTRIED = 0.5
"""How far off a forecast is taken to be before anything was ordered."""

WHOLE = 100
NOTHING: Mapping[int, int] = {}


def filling(error: float) -> int:
    """Percent of its cost that an unfilled unit counts for by prices whose forecast was so far off."""
    return round(FILLING + DOUBT * error)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Minor units by SKU and node, and by node and the day a parcel leaves it.

    With `relative` a SKU's price counts only as far as it is above the least of the nodes that
    have it: then prices say where a unit leaves from and never whether it does. In full they may also
    leave it on the shelf, under a policy that does not fill first: an unfilled unit then counts for
    `filling` percent of its cost. No price is above `cap` (None: no limit).
    """

    version: str
    made_at: datetime
    units: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    parcels: Mapping[tuple[int, date], int] = field(default_factory=dict)
    relative: bool = True
    cap: int | None = None
    stale: bool = False
    filling: int = WHOLE

    @property
    def level(self) -> Level:
        return Level.STALE if self.stale else Level.PRICED

    def column(self, sku: int, nodes: Sequence[int]) -> list[int]:
        """The price of a unit at each of the nodes, before it is made relative."""
        known = self.units.get(sku, NOTHING)
        if self.cap is None:
            return [known.get(node, 0) for node in nodes]
        return [min(self.cap, known.get(node, 0)) for node in nodes]

    def parcel(self, node: int, day: date) -> int:
        return self.parcels.get((node, day), 0)


def above_least(prices: Sequence[int], held: Sequence[int]) -> list[int]:
    """Prices less the least of the nodes that hold units. Where none is held nothing is asked."""
    least = min((price for price, units in zip(prices, held, strict=True) if units), default=0)
    return [max(0, price - least) for price in prices]


@dataclass(frozen=True, slots=True)
class Worth:
    """What primal-dual prices are made from: a unit's stock then and now, and its margin.

    `margin` is what leaving the unit's line unfilled costs less what sending it usually does.
    """

    opening: int
    left: int
    margin: int


def primal_dual(
    worth: Mapping[int, Mapping[int, Worth]], share: float = 0.4
) -> dict[int, dict[int, int]]:
    """Prices without a forecast: they rise exponentially with the part of the stock that is gone.

    At most `share` of a unit's margin.
    """
    return {
        sku: {
            node: round(
                max(0, one.margin) * share * expm1(1 - one.left / max(1, one.opening)) / STEEP
            )
            for node, one in by_node.items()
        }
        for sku, by_node in worth.items()
    }


def trusted(age: timedelta, error: float) -> float:
    """How far to go by a book: 1 for a fresh one, towards 0 as it ages.

    `error` is how far off its forecast was (0 to 1; `Forecast.error`). A book whose forecast was right
    counts for half after three times its life, one that was off by all it foresaw after twice. A fresh
    one counts whole whatever its error: its forecast has learned from what came, and its futures have
    rates as unsure as that left them.
    """
    late = max(0.0, age / LASTS - 1)
    left: float = 0.5 ** (late * (1 + min(1.0, error)) / 2)
    return left


def blended(
    book: PriceBook, worth: Mapping[int, Mapping[int, Worth]], *, at: datetime, error: float = 0.0
) -> PriceBook:
    """The book as it still counts, mixed with primal-dual prices for the rest.

    Fresh it is returned as it is; older than `LASTS` it says that it is stale.
    """
    age = at - book.made_at
    if age <= LASTS:
        return book
    share = trusted(age, error)
    known = primal_dual(worth)
    units: dict[int, dict[int, int]] = {}
    for sku in sorted({*book.units, *known}):
        old, new = book.units.get(sku, NOTHING), known.get(sku, NOTHING)
        units[sku] = {
            node: round(share * old.get(node, 0) + (1 - share) * new.get(node, 0))
            for node in sorted({*old, *new})
        }
    parcels = {window: round(share * price) for window, price in book.parcels.items()}
    return replace(book, units=units, parcels=parcels, stale=True)
