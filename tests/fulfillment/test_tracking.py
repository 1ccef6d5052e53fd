"""A parcel's state is a function of the news about it, not of the order in which it came."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.states import TRACKED, ParcelState
from fulfillment.tracking import News, Standing, bucket, fold

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

JOURNEY = (
    News(ParcelState.IN_TRANSIT, MONDAY + timedelta(hours=4)),
    News(ParcelState.IN_TRANSIT, MONDAY + timedelta(hours=20)),
    News(ParcelState.OUT_FOR_DELIVERY, MONDAY + timedelta(hours=46)),
    News(ParcelState.ATTEMPTED, MONDAY + timedelta(hours=50)),
    News(ParcelState.OUT_FOR_DELIVERY, MONDAY + timedelta(hours=70)),
    News(ParcelState.DELIVERED, MONDAY + timedelta(hours=74)),
    News(ParcelState.IN_TRANSIT, MONDAY + timedelta(hours=80)),
)

RETURNED = (
    News(ParcelState.IN_TRANSIT, MONDAY + timedelta(hours=4)),
    News(ParcelState.OUT_FOR_DELIVERY, MONDAY + timedelta(hours=30)),
    News(ParcelState.ATTEMPTED, MONDAY + timedelta(hours=34)),
    News(ParcelState.AT_PICKUP_POINT, MONDAY + timedelta(hours=40)),
    News(ParcelState.RETURNING, MONDAY + timedelta(hours=90)),
    News(ParcelState.IN_TRANSIT, MONDAY + timedelta(hours=100)),
    News(ParcelState.RETURNED, MONDAY + timedelta(hours=120)),
)
LOST_AND_FOUND = (
    News(ParcelState.IN_TRANSIT, MONDAY + timedelta(hours=4)),
    News(ParcelState.LOST, MONDAY + timedelta(hours=90)),
    News(ParcelState.LOST, MONDAY + timedelta(hours=90)),
    News(ParcelState.IN_TRANSIT, MONDAY + timedelta(hours=95)),
    News(ParcelState.DAMAGED, MONDAY + timedelta(hours=96)),
    News(ParcelState.OUT_FOR_DELIVERY, MONDAY + timedelta(hours=99)),
    News(ParcelState.DELIVERED, MONDAY + timedelta(hours=102)),
)
CORRECTED = (
    News(ParcelState.IN_TRANSIT, MONDAY + timedelta(hours=4)),
    News(ParcelState.DELIVERED, MONDAY + timedelta(hours=20)),
    News(ParcelState.OUT_FOR_DELIVERY, MONDAY + timedelta(hours=20)),
    News(ParcelState.IN_TRANSIT, MONDAY + timedelta(hours=22), correction=True),
    News(ParcelState.DELIVERED, MONDAY + timedelta(hours=22)),
    News(ParcelState.ATTEMPTED, MONDAY + timedelta(hours=30)),
    News(ParcelState.AT_PICKUP_POINT, MONDAY + timedelta(hours=31)),
)
TROUBLED = (RETURNED, LOST_AND_FOUND, CORRECTED)


def state_of(*news: News) -> ParcelState:
    return fold(MONDAY, news).state


def hours(count: int, state: ParcelState, *, correction: bool = False) -> News:
    return News(state, MONDAY + timedelta(hours=count), correction)


class TestFold:
    def test_every_order_of_seven_pieces_of_news_gives_one_state(self):
        standings = {fold(MONDAY, told) for told in permutations(JOURNEY)}

        assert standings == {
            Standing(
                ParcelState.DELIVERED, MONDAY + timedelta(hours=74), MONDAY + timedelta(hours=80)
            )
        }

    def test_every_order_of_them_with_every_one_told_twice_gives_it_as_well(self):
        """5,040 orders, each with the seven told again in the same or the opposite order."""
        expected = fold(MONDAY, JOURNEY)

        for told in permutations(JOURNEY):
            assert fold(MONDAY, told + told) == fold(MONDAY, told + told[::-1]) == expected

    @pytest.mark.parametrize("journey", TROUBLED, ids=lambda j: j[-1].status)
    def test_no_order_of_a_troubled_journey_gives_another_state(self, journey):
        """The same for journeys that turn back, are lost and found, damaged, or corrected."""
        standings = {fold(MONDAY, told) for told in permutations(journey)}
        repeated = {fold(MONDAY, told + told[:3]) for told in permutations(journey)}

        assert len(standings) == 1
        assert repeated == standings

    def test_news_told_twice_counts_once(self):
        assert fold(MONDAY, JOURNEY * 2) == fold(MONDAY, JOURNEY)

    def test_nothing_heard_is_handed_over(self):
        assert fold(MONDAY, ()) == Standing(ParcelState.HANDED_OVER, MONDAY, MONDAY)

    def test_news_from_before_the_delivery_that_comes_late_changes_nothing(self):
        delivered = hours(10, ParcelState.DELIVERED)

        assert state_of(delivered, hours(9, ParcelState.IN_TRANSIT)) == ParcelState.DELIVERED
        assert state_of(delivered, hours(5, ParcelState.LOST)) == ParcelState.DELIVERED

    def test_a_declared_correction_overrules_a_delivery(self):
        told = (
            hours(10, ParcelState.DELIVERED),
            hours(12, ParcelState.IN_TRANSIT, correction=True),
        )

        assert state_of(*told) == ParcelState.IN_TRANSIT
        assert state_of(*told, hours(30, ParcelState.DELIVERED)) == ParcelState.DELIVERED

    def test_a_correction_of_the_same_moment_comes_after_what_it_corrects(self):
        told = (
            hours(10, ParcelState.DELIVERED),
            hours(10, ParcelState.ATTEMPTED, correction=True),
        )

        assert state_of(*told) == ParcelState.ATTEMPTED

    def test_a_scan_finds_a_lost_parcel(self):
        assert (
            state_of(hours(90, ParcelState.LOST), hours(99, ParcelState.IN_TRANSIT))
            == ParcelState.IN_TRANSIT
        )

    def test_depot_scans_do_not_turn_a_returning_parcel_round(self):
        told = (hours(50, ParcelState.RETURNING), hours(60, ParcelState.IN_TRANSIT))

        assert state_of(*told) == ParcelState.RETURNING
        assert state_of(*told, hours(70, ParcelState.RETURNED)) == ParcelState.RETURNED

    def test_of_two_things_said_of_one_moment_the_one_further_on_counts(self):
        told = (hours(8, ParcelState.DELIVERED), hours(8, ParcelState.OUT_FOR_DELIVERY))

        assert state_of(*told) == state_of(*reversed(told)) == ParcelState.DELIVERED

    @given(
        st.lists(
            st.builds(
                hours,
                st.integers(0, 6),
                st.sampled_from(TRACKED),
                correction=st.booleans(),
            ),
            max_size=7,
        ),
        st.randoms(use_true_random=False),
    )
    def test_any_news_in_any_order_gives_one_state(self, told, chance):
        shuffled = list(told)
        chance.shuffle(shuffled)

        assert fold(MONDAY, told) == fold(MONDAY, shuffled)


@pytest.mark.parametrize(
    ("state", "counted"),
    [
        (ParcelState.IN_TRANSIT, "underway"),
        (ParcelState.DAMAGED, "underway"),
        (ParcelState.DELIVERED, "delivered"),
        (ParcelState.LOST, "lost"),
        (ParcelState.RETURNED, "sent_back"),
    ],
)
def test_units_are_counted_where_their_parcel_is(state, counted):
    assert bucket(state) == counted
