"""How much time a promise has left: targets planned backwards, and when the pace becomes too slow. Pure.

Stages follow one another. What is left of a stage that has begun is what it usually takes, less what
has passed; of one that has lasted longer than that, nothing is assumed but that it ends now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from fulfillment.states import Stage

AT_NODE: Final = (
    Stage.ACCEPT,
    Stage.RELEASE,
    Stage.ACKNOWLEDGE,
    Stage.PICK,
    Stage.PACK,
    Stage.HAND_OVER,
)
"""The stages that ship-by is about."""
DAY_SECONDS: Final = 86_400


class Level(StrEnum):
    """How likely it is that a promise is missed: by the slow tenth, half of the way to it, the usual, even the fast tenth."""

    NONE = ""
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CERTAIN = "certain"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a stage takes in seconds: 10th, 50th and 90th percentile.

    Of `DELIVER` it is what a road takes that was promised to take one day.
    """

    fast: int
    usual: int
    slow: int

    @property
    def slowish(self) -> int:
        return (self.usual + self.slow) // 2

    def times(self, factor: float) -> "Pace":
        return Pace(int(self.fast * factor), int(self.usual * factor), int(self.slow * factor))


Paces = Mapping[Stage, Pace]

_HOUR: Final = 3_600
UNKNOWN: Final[Paces] = {
    Stage.ACCEPT: Pace(60, 300, 900),
    Stage.RELEASE: Pace(900, 4 * _HOUR, 20 * _HOUR),
    Stage.ACKNOWLEDGE: Pace(300, _HOUR // 2, 2 * _HOUR),
    Stage.PICK: Pace(1_200, 3 * _HOUR // 2, 6 * _HOUR),
    Stage.PACK: Pace(300, _HOUR // 2, 2 * _HOUR),
    Stage.HAND_OVER: Pace(900, 3 * _HOUR, 20 * _HOUR),
    Stage.DELIVER: Pace(DAY_SECONDS // 3, 2 * DAY_SECONDS // 3, DAY_SECONDS),
}
"""What is taken where too little was recorded."""


@dataclass(frozen=True, slots=True)
class Dangers:
    """From when on each level holds. `high_at` is where slack has run out."""

    low_at: datetime
    medium_at: datetime
    high_at: datetime
    certain_at: datetime

    def level(self, now: datetime) -> Level:
        """The level at a moment."""
        return level_of(self.low_at, self.medium_at, self.high_at, self.certain_at, now)


def level_of(
    low_at: datetime, medium_at: datetime, high_at: datetime, certain_at: datetime, now: datetime
) -> Level:
    """The highest level that has been reached at a moment."""
    reached = (
        (certain_at, Level.CERTAIN),
        (high_at, Level.HIGH),
        (medium_at, Level.MEDIUM),
        (low_at, Level.LOW),
    )
    return next((level for begins, level in reached if begins <= now), Level.NONE)


def targets(
    placed_at: datetime, ship_by: datetime, deliver_by: datetime | None, paces: Paces
) -> dict[Stage, datetime]:
    """By when each stage is to end so that the promise holds.

    Handing over ends at ship-by, which the node's calendar, cutoffs and the carrier's days have
    given. The stages before it share the time from the order to there as they usually take it.
    """
    whole = max(timedelta(0), ship_by - placed_at)
    usual = [paces[stage].usual for stage in AT_NODE]
    every = sum(usual) or 1
    found, done = {}, 0
    for stage, seconds in zip(AT_NODE, usual, strict=True):
        done += seconds
        found[stage] = ship_by - whole * (1 - done / every)
    found[Stage.HAND_OVER] = ship_by
    found[Stage.DELIVER] = deliver_by or ship_by
    return found


def dangers(stage: Stage, since: datetime, promised: datetime, paces: Paces) -> Dangers:
    """When each level begins for what is at a stage since then and promised by then.

    None of it depends on the present: it holds until the stage ends.
    """
    later = () if stage is Stage.DELIVER else AT_NODE[AT_NODE.index(stage) + 1 :]

    def begins(name: str) -> datetime:
        rest = timedelta(seconds=sum(getattr(paces[one], name) for one in later))
        own = timedelta(seconds=getattr(paces[stage], name))
        last = promised - rest
        # Too slow from its very beginning, or from when its end would leave too little.
        return since if since + own > last else last

    low, medium, high = begins("slow"), begins("slowish"), begins("usual")
    return Dangers(low, medium, high, begins("fast"))
