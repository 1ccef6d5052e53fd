"""A parcel's state, folded from everything that was ever said about it. Pure.

The news is put in the order in which it happened, not in which it came: the same news gives the
same state in whatever order, and however often, it is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fulfillment.states import TRACKED, ParcelState

_PRECEDENCE = {state: rank for rank, state in enumerate(TRACKED)}

# The parcel has ended its way: only a declared correction says otherwise.
_FINAL = {ParcelState.DELIVERED, ParcelState.RETURNED}

# Depot scans of a parcel that is on its way back, or was found broken, tell nothing new of it.
_MOVES_ON = {
    ParcelState.RETURNING: {
        ParcelState.DELIVERED,
        ParcelState.RETURNED,
        ParcelState.DAMAGED,
        ParcelState.LOST,
    },
    ParcelState.DAMAGED: {
        ParcelState.DELIVERED,
        ParcelState.RETURNING,
        ParcelState.RETURNED,
        ParcelState.LOST,
    },
}


@dataclass(frozen=True, slots=True)
class News:
    """What was the case with the parcel, and when. A correction overrules what came before it."""

    status: ParcelState
    happened_at: datetime
    correction: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a parcel stands: its state, since when, and when anything last happened to it."""

    state: ParcelState
    since: datetime
    heard_at: datetime


def fold(handed_over_at: datetime, news: Iterable[News]) -> Standing:
    """Where a parcel stands that was handed over then, and of which this was heard.

    A lost parcel is found by any later scan. Of two things said of one moment, the one further
    on the way counts, a correction before both.
    """
    state, since, heard_at = ParcelState.HANDED_OVER, handed_over_at, handed_over_at
    for told in sorted(
        set(news), key=lambda n: (n.happened_at, n.correction, _PRECEDENCE[n.status])
    ):
        heard_at = max(heard_at, told.happened_at)
        if told.status is not state and _counts(state, told):
            state, since = told.status, told.happened_at
    return Standing(state, since, heard_at)


def _counts(state: ParcelState, told: News) -> bool:
    if told.correction:
        return True
    if state in _FINAL or told.status is ParcelState.HANDED_OVER:
        return False
    return state not in _MOVES_ON or told.status in _MOVES_ON[state]


def bucket(state: ParcelState) -> str:
    """The order line's quantity in which the units of a parcel in this state are counted."""
    return _BUCKETS.get(state, "underway")


_BUCKETS = {
    ParcelState.DELIVERED: "delivered",
    ParcelState.RETURNED: "sent_back",
    ParcelState.LOST: "lost",
}

ENDED = frozenset(_BUCKETS)
"""States that end a journey."""
