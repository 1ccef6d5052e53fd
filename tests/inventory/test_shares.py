"""Whatever is taken within the shares leaves every channel what is kept for it, and no unit idle."""

from dataclasses import replace
from itertools import product
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.shares import Place, Protection, Shares, seller

CHANNELS = [UUID(int=number) for number in (1, 2, 3)]
NOBODY = [*CHANNELS, None]
PLACES = [
    frozenset(channel for channel, used in zip(CHANNELS, uses, strict=True) if used)
    for uses in product((False, True), repeat=3)
]

STOCKS = st.dictionaries(st.sampled_from(PLACES), st.integers(0, 6), min_size=1)
PROTECTIONS = st.lists(
    st.builds(
        Protection,
        quota_id=st.integers(1, 9),
        channel_id=st.sampled_from(CHANNELS),
        rank=st.tuples(st.integers(0, 9)),
        wanted=st.integers(0, 8),
        lasting=st.booleans(),
    ).map(lambda one: replace(one, rank=(one.lasting, *one.rank, one.channel_id.int))),
    max_size=3,
    unique_by=lambda one: one.channel_id,
)
STEPS = st.lists(
    st.tuples(st.sampled_from(NOBODY), st.sampled_from(PLACES), st.integers(1, 8)), max_size=8
)


def all_can_be_served(free: dict[Place, int], kept: dict[UUID, int]) -> bool:
    """Give out unit by unit, moving what was given before where that helps (augmenting paths)."""
    given: dict[Place, list[UUID]] = {place: [] for place in free}

    def serve(channel_id: UUID, tried: set[Place]) -> bool:
        for place, units in free.items():
            if channel_id not in place or place in tried:
                continue
            tried.add(place)
            if len(given[place]) < units:
                given[place].append(channel_id)
                return True
            for other in given[place]:
                if serve(other, tried):
                    given[place].remove(other)
                    given[place].append(channel_id)
                    return True
        return False

    return all(serve(channel_id, set()) for channel_id, n in kept.items() for _ in range(n))


@settings(max_examples=100, deadline=None)
@given(stock=STOCKS, protections=PROTECTIONS, steps=STEPS)
def test_no_channel_can_eat_what_is_kept_for_another(stock, protections, steps):
    shares = Shares(stock, protections)
    free = dict(stock)
    assert all_can_be_served(free, dict(shares.kept))
    for channel_id, place, units in steps:
        if place not in free:
            continue
        kept, whose = dict(shares.kept), seller(channel_id, place)
        others = {one: n for one, n in kept.items() if one in shares._others(whose)}
        most = shares.most_at(channel_id, place)

        # What it may have leaves the others theirs; one unit more would not, or is not there.
        assert all_can_be_served({**free, place: free[place] - most}, others)
        if most < free[place]:
            assert not all_can_be_served({**free, place: free[place] - most - 1}, others)

        taken = min(units, most)
        shares.take(channel_id, place, taken, taken)
        free[place] -= taken
        for one, before in kept.items():
            if one != whose and not shares.of[one].lasting:
                assert shares.kept[one] >= before


@settings(max_examples=100, deadline=None)
@given(stock=STOCKS, protections=PROTECTIONS, channel_id=st.sampled_from(NOBODY))
def test_a_figure_is_what_can_be_taken_place_by_place(stock, protections, channel_id):
    shares = Shares(stock, protections)
    most, taken = shares.most(channel_id), 0
    for place in stock:
        if channel_id is None or channel_id in place:
            units = shares.most_at(channel_id, place)
            shares.take(channel_id, place, units, units)
            taken += units

    assert taken == most


@given(stock=STOCKS, protections=PROTECTIONS)
def test_keeps_as_much_as_is_wanted_and_there(stock, protections):
    """In all no less than any other way to keep them would, those of the least rank first."""
    shares = Shares(stock, protections)

    for one in protections:
        kept = {**shares.kept, one.channel_id: shares.kept[one.channel_id] + 1}
        if shares.kept[one.channel_id] < one.wanted:
            lower = {c: n for c, n in kept.items() if shares.of[c].rank <= one.rank}
            assert not all_can_be_served(stock, lower)
