"""Departures and arrivals, also on the nights when the clock is moved."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine import Calendar
from routing.engine.calendar import (
    add_working_days,
    departure_until,
    local_date,
    next_departure,
)

CHICAGO = "America/Chicago"
LONDON = "Europe/London"
DAY = (time(8), time(18))
AT_THREE = {"ground": (*(time(15),) * 5, None, None)}
WORKDAYS = Calendar((*(DAY,) * 5, None, None), AT_THREE)
TICK = timedelta(microseconds=1)
THOROUGH = settings(max_examples=150, deadline=None)


def chicago(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=ZoneInfo(CHICAGO)).astimezone(UTC)


class TestNextDeparture:
    def test_is_todays_cutoff_until_it_is_reached(self) -> None:
        assert next_departure(WORKDAYS, CHICAGO, "ground", chicago(2026, 3, 4, 14, 59)) == chicago(
            2026, 3, 4, 15
        )
        assert next_departure(WORKDAYS, CHICAGO, "ground", chicago(2026, 3, 4, 15)) == chicago(
            2026, 3, 5, 15
        )

    def test_is_on_monday_after_fridays_cutoff(self) -> None:
        friday = chicago(2026, 3, 6, 16)
        assert next_departure(WORKDAYS, CHICAGO, "ground", friday) == chicago(2026, 3, 9, 15)

    def test_skips_holidays_and_days_without_a_cutoff(self) -> None:
        calendar = Calendar(
            WORKDAYS.hours,
            {"ground": (time(15), None, time(15), None, time(15), None, None)},
            holidays=frozenset({date(2026, 3, 4)}),
        )
        wednesday = chicago(2026, 3, 4, 9)
        assert next_departure(calendar, CHICAGO, "ground", wednesday) == chicago(2026, 3, 6, 15)

    def test_waits_for_work_that_is_only_done_in_opening_hours(self) -> None:
        calendar = Calendar(WORKDAYS.hours, AT_THREE, processing_minutes=8 * 60)
        # Two hours are left on Wednesday, six are done by 14:00 on Thursday.
        assert next_departure(calendar, CHICAGO, "ground", chicago(2026, 3, 4, 16)) == chicago(
            2026, 3, 5, 15
        )
        assert next_departure(calendar, CHICAGO, "ground", chicago(2026, 3, 4, 8)) == chicago(
            2026, 3, 5, 15
        )

    def test_is_closing_time_for_a_service_without_cutoffs(self) -> None:
        assert next_departure(WORKDAYS, CHICAGO, "air", chicago(2026, 3, 4, 16)) == chicago(
            2026, 3, 4, 18
        )

    def test_follows_a_night_shift_over_midnight(self) -> None:
        calendar = Calendar(((time(22), time(6)),) * 7, {"*": (time(5),) * 7})
        assert next_departure(calendar, CHICAGO, "ground", chicago(2026, 3, 4, 3)) == chicago(
            2026, 3, 4, 5
        )
        assert next_departure(calendar, CHICAGO, "ground", chicago(2026, 3, 4, 23)) == chicago(
            2026, 3, 5, 5
        )

    def test_counts_an_hour_once_where_two_days_overlap(self) -> None:
        calendar = Calendar(
            ((time(0), time(18)), *((None,) * 5), (time(17), time(17))), processing_minutes=76
        )
        monday = chicago(2026, 3, 2, 16, 45)
        assert next_departure(calendar, CHICAGO, "ground", monday) != chicago(2026, 3, 2, 18)
        assert next_departure(calendar, CHICAGO, "ground", chicago(2026, 3, 2, 16, 44)) == chicago(
            2026, 3, 2, 18
        )

    def test_is_the_days_own_where_the_night_before_leaves_after_it(self) -> None:
        calendar = Calendar(
            ((time(10), time(9)), (time(5), time(18)), *((None,) * 5)),
            {"*": (time(8), time(7), *((None,) * 5))},
        )
        monday, tuesday = chicago(2026, 3, 2, 11), chicago(2026, 3, 3, 7)
        assert next_departure(calendar, CHICAGO, "ground", monday) == tuesday

    def test_is_none_where_nothing_ever_leaves(self) -> None:
        closed = Calendar((None,) * 7)
        assert next_departure(closed, CHICAGO, "ground", chicago(2026, 3, 4, 9)) is None

    def test_takes_a_skipped_wall_time_as_the_moment_as_far_after_the_gap(self) -> None:
        calendar = Calendar(((time(0), time(23, 59)),) * 7, {"*": (time(2, 30),) * 7})
        before = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)  # 01:00 in Chicago, an hour before the gap
        assert next_departure(calendar, CHICAGO, "ground", before) == datetime(
            2026, 3, 8, 8, 30, tzinfo=UTC
        )

    def test_takes_a_repeated_wall_time_as_the_first_of_the_two(self) -> None:
        calendar = Calendar(((time(0), time(23, 59)),) * 7, {"*": (time(1, 30),) * 7})
        before = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)  # midnight in Chicago
        first = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
        assert next_departure(calendar, CHICAGO, "ground", before) == first
        # In the second 01:30 today's cutoff is past: tomorrow's is 25 hours after the first.
        again = next_departure(calendar, CHICAGO, "ground", first + timedelta(hours=1))
        assert again == datetime(2026, 11, 2, 7, 30, tzinfo=UTC)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    wall = st.times(max_value=time(23, 59)).map(lambda t: t.replace(second=0, microsecond=0))
    day = st.one_of(st.none(), st.tuples(wall, wall))
    hours = draw(st.tuples(*[day] * 7).filter(lambda week: sum(d is not None for d in week) > 2))
    cutoffs = draw(st.one_of(st.just({}), st.tuples(*[wall] * 7).map(lambda w: {"*": w})))
    return Calendar(hours, cutoffs, processing_minutes=draw(st.integers(0, 300)))


# Weeks around both changes of the clock, in both zones, and a quiet one.
MOMENTS = st.one_of(
    *(
        st.datetimes(start, start + timedelta(days=9), timezones=st.just(UTC))
        for start in (
            datetime(2026, 3, 4),  # noqa: DTZ001 - hypothesis wants naive ends
            datetime(2026, 3, 25),  # noqa: DTZ001
            datetime(2026, 7, 1),  # noqa: DTZ001
            datetime(2026, 10, 21),  # noqa: DTZ001
            datetime(2026, 10, 28),  # noqa: DTZ001
        )
    )
)
ZONES = st.sampled_from((CHICAGO, LONDON, "Australia/Lord_Howe", "Asia/Kathmandu"))


class TestAnyCalendar:
    @THOROUGH
    @given(calendar=calendars(), zone=ZONES, at=MOMENTS)
    def test_departs_after_the_order_came(
        self, calendar: Calendar, zone: str, at: datetime
    ) -> None:
        departs = next_departure(calendar, zone, "ground", at)
        assert departs is None or departs > at
        assert departs is None or departs >= at + timedelta(minutes=calendar.processing_minutes)

    @THOROUGH
    @given(calendar=calendars(), zone=ZONES, at=MOMENTS, later=st.integers(0, 5_000))
    def test_never_departs_earlier_for_an_order_that_came_later(
        self, calendar: Calendar, zone: str, at: datetime, later: int
    ) -> None:
        first = next_departure(calendar, zone, "ground", at)
        second = next_departure(calendar, zone, "ground", at + timedelta(minutes=later))
        assert first is None or second is None or first <= second

    @THOROUGH
    @given(
        calendar=calendars(),
        zone=ZONES,
        at=MOMENTS,
        room=st.none() | st.integers(1, 3_000),
        shares=st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)),
    )
    def test_is_the_same_departure_until_it_says(
        self,
        calendar: Calendar,
        zone: str,
        at: datetime,
        room: int | None,
        shares: tuple[float, float],
    ) -> None:
        if room is not None:
            calendar = replace(calendar, full_until=at + timedelta(minutes=room))
        departs, until = departure_until(calendar, zone, "ground", at)
        for share in shares if until > at else ():
            between = at + (until - at) * share
            assert next_departure(calendar, zone, "ground", min(between, until - TICK)) == departs
        assert next_departure(calendar, zone, "ground", max(at, until - TICK)) == departs

    def test_is_known_for_a_whole_working_day_at_once(self) -> None:
        departs, until = departure_until(WORKDAYS, CHICAGO, "ground", chicago(2026, 3, 3, 20))
        assert departs == until == chicago(2026, 3, 4, 15)

    @THOROUGH
    @given(calendar=calendars(), zone=ZONES, at=MOMENTS)
    def test_departs_at_the_same_instant_whatever_zone_the_moment_is_written_in(
        self, calendar: Calendar, zone: str, at: datetime
    ) -> None:
        elsewhere = at.astimezone(ZoneInfo("Asia/Tokyo"))
        assert next_departure(calendar, zone, "ground", at) == next_departure(
            calendar, zone, "ground", elsewhere
        )


class TestAddWorkingDays:
    WEEK = frozenset(range(5))

    def test_counts_carrier_days_only(self) -> None:
        friday = date(2026, 3, 6)
        assert add_working_days(friday, 0, self.WEEK, frozenset()) == friday
        assert add_working_days(friday, 1, self.WEEK, frozenset()) == date(2026, 3, 9)
        assert add_working_days(friday, 2, self.WEEK, {date(2026, 3, 9)}) == date(2026, 3, 11)

    def test_starts_from_the_date_on_the_nodes_wall(self) -> None:
        evening = datetime(2026, 3, 5, 3, tzinfo=UTC)
        assert local_date(evening, CHICAGO) == date(2026, 3, 4)
