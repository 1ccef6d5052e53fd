"""Who may have which of a SKU's free units: pure, so that takes, figures and previews agree.

A place is the set of channels, of those concerned, that may use a node; nodes alike are one place.
What is kept for a channel can be met from any place of its network. All protections hold at once
when, for every set of channels, the free units of the places that any of them may use are at least
what is kept for them together (Hall). A channel may take at a place what leaves that true for the
others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from uuid import UUID

Place = frozenset[UUID]
_NOBODY = UUID(int=0)


@dataclass(slots=True)
class Protection:
    """What a quota keeps for its channel: `wanted` units, and the most that it may still take.

    The lower `rank` is served first when less is free than is kept in all. A `lasting` one is not
    used up by what its channel takes: it keeps the last units, however many went before. It ranks
    after those that are none; of several, the first goes before the others.
    """

    quota_id: int
    channel_id: UUID
    rank: tuple[int, ...]
    wanted: int
    cap_left: int | None = None
    lasting: bool = False


class Shares:
    """One SKU's free units by place, and for whom they are kept."""

    def __init__(self, free: Mapping[Place, int], protections: Iterable[Protection]) -> None:
        self.free = dict(free)
        self.of = {one.channel_id: one for one in sorted(protections, key=lambda one: one.rank)}
        self._kept: dict[UUID, int] | None = None

    def copy(self) -> "Shares":
        return Shares(self.free, [replace(one) for one in self.of.values()])

    @property
    def kept(self) -> Mapping[UUID, int]:
        """Units that are in fact kept for each channel: what it wants, as far as there are any."""
        if self._kept is None:
            kept: dict[UUID, int] = {}
            self._kept = kept
            for channel_id, one in self.of.items():
                spare = min(
                    self._reach({channel_id, *some}) - sum(kept[other] for other in some)
                    for some in _sets(list(kept))
                )
                kept[channel_id] = max(0, min(one.wanted, spare))
        return self._kept

    def cap_left(self, channel_id: UUID | None) -> int | None:
        """The most that the channel's quota still lets it take; None is no such limit."""
        own = None if channel_id is None else self.of.get(channel_id)
        return None if own is None else own.cap_left

    def most_at(self, channel_id: UUID | None, place: Place) -> int:
        """The most free units of this place that the channel (None: nobody's) may have, cap apart."""
        most = self.free.get(place, 0)
        for some in _sets(self._others(seller(channel_id, place))):
            if some and not place.isdisjoint(some):
                most = min(most, self._slack(some))
        return max(0, most)

    def most(self, channel_id: UUID | None) -> int:
        """The most free units of its network that the channel may have, cap apart; None: of all."""
        own = [place for place in self.free if channel_id is None or channel_id in place]
        return min(
            sum(self.free[place] for place in own if place.isdisjoint(some))
            + min(
                sum(self.free[place] for place in own if not place.isdisjoint(some)),
                self._slack(some),
            )
            for some in _sets(self._others(channel_id))
        )

    def reach(self, channel_id: UUID | None) -> int:
        """Free units of the channel's network, whoever they are kept for; None: all."""
        return sum(
            units for place, units in self.free.items() if channel_id is None or channel_id in place
        )

    def take(self, channel_id: UUID | None, place: Place | None, free: int, units: int) -> None:
        """The channel has taken units, so many of them free ones of the place (None: of no place)."""
        if place is not None:
            self.free[place] -= free
        self._kept = None
        own = self.of.get(seller(channel_id, place) or _NOBODY)
        if own is not None:
            if not own.lasting:
                own.wanted = max(0, own.wanted - units)
            if own.cap_left is not None:
                own.cap_left -= units

    def _others(self, channel_id: UUID | None) -> list[UUID]:
        """Channels whose units the channel has to leave: it goes before those of a later last rank."""
        own = None if channel_id is None else self.of.get(channel_id)
        first = own is not None and own.lasting and own.wanted > 0
        return [
            other
            for other, units in self.kept.items()
            if units
            and other != channel_id
            and not (first and self.of[other].lasting and own and own.rank < self.of[other].rank)
        ]

    def _slack(self, some: Sequence[UUID]) -> int:
        """Free units of the places of these channels, beyond what is kept for them."""
        return self._reach(set(some)) - sum(self.kept[channel_id] for channel_id in some)

    def _reach(self, some: set[UUID]) -> int:
        return sum(units for place, units in self.free.items() if not place.isdisjoint(some))


def seller(channel_id: UUID | None, place: Place | None) -> UUID | None:
    """Whose quota counts a take: beyond its network a channel takes like nobody."""
    return channel_id if place is not None and channel_id in place else None


def _sets(channels: Sequence[UUID]) -> Iterator[tuple[UUID, ...]]:
    """Every set of them, the empty one too. Few channels have a quota of one SKU."""
    for size in range(len(channels) + 1):
        yield from combinations(channels, size)
