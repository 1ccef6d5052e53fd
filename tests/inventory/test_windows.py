"""Windows of capacity: stated in a node's wall time, compared in instants, changed by plans."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.types import CapacityView, NodeView, PlanView, SpecialDayView
from inventory.windows import limit_within, window_of, windows

NEW_YORK = "America/New_York"
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
"""The Sundays on which the clock is moved there."""


def node(*capacities, timezone=NEW_YORK, closures=(), special_days=(), plans=()):
    return NodeView(
        1, "dc", "DC", "dc", "active", "", "", "10001", "US", None, None, timezone, False, 0, 0, 0,
        "USD", 0, (), (), frozenset(closures), (), special_days=tuple(special_days),
        capacities=capacities, plans=tuple(plans),
    )  # fmt: skip


def daily(opens, closes, most=10):
    return tuple(
        CapacityView("ship", "orders", weekday, time(opens), time(closes % 24), most)
        for weekday in range(7)
    )


def plan(kind, hours, *, percent=None, units=None, starts_at=datetime(2026, 3, 2, 12, tzinfo=UTC)):
    return PlanView(
        1, "", kind, "live", starts_at, starts_at + timedelta(hours=hours), percent, units, "why"
    )


def between(known, since, until):
    return list(windows(known, "ship", "orders", since, until))


class TestWindows:
    def test_are_as_long_as_the_clock_makes_them(self):
        known = node(*daily(0, 6))

        lengths = {
            day: between(known, start, start + timedelta(hours=6))[0]
            for day in (SPRING, AUTUMN, AUTUMN + timedelta(days=1))
            for start in [datetime.combine(day, time(1), ZoneInfo(NEW_YORK)).astimezone(UTC)]
        }

        assert [(w.ends_at - w.starts_at).seconds // 3600 for w in lengths.values()] == [5, 7, 6]

    def test_are_left_out_on_closed_days_but_for_days_with_hours_of_their_own(self):
        monday = date(2026, 3, 2)
        known = node(
            *daily(8, 18),
            closures=[monday, monday + timedelta(days=1)],
            special_days=[SpecialDayView(monday, time(9), time(12))],
        )
        start = datetime(2026, 3, 2, tzinfo=UTC)

        days = [w.starts_at.day for w in between(known, start, start + timedelta(days=3))]

        assert days == [2, 4]

    def test_work_falls_into_the_open_one_or_the_next(self):
        known = node(*daily(8, 18))
        noon = datetime(2026, 3, 2, 17, tzinfo=UTC)

        opened = window_of(known, "ship", "orders", noon)
        following = window_of(known, "ship", "orders", noon + timedelta(hours=6))

        assert opened is not None
        assert following is not None
        assert opened.starts_at == datetime(2026, 3, 2, 13, tzinfo=UTC)
        assert following.starts_at == datetime(2026, 3, 3, 13, tzinfo=UTC)
        assert window_of(known, "pickup", "orders", noon) is None

    @settings(max_examples=60)
    @given(
        st.sampled_from([NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "UTC"]),
        st.lists(st.integers(0, 96), min_size=2, max_size=8, unique=True).map(sorted),
        st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001  # made UTC below
        st.integers(1, 9),
    )
    def test_stand_one_after_another_and_every_moment_of_them_belongs_to_one(
        self, timezone, quarters, since, days
    ):
        walls = [time(q // 4 % 24, q % 4 * 15) for q in quarters]
        capacities = [
            CapacityView("ship", "orders", weekday, opens, closes, 5)
            for weekday in range(7)
            for opens, closes in list(pairwise(walls))[::2]
            if opens < closes or closes == time(0)
        ]
        known, start = node(*capacities, timezone=timezone), since.replace(tzinfo=UTC)

        found = between(known, start, start + timedelta(days=days))

        assert all(w.starts_at < w.ends_at for w in found)
        assert all(a.ends_at <= b.starts_at for a, b in pairwise(found))
        for window in found:
            assert window_of(known, "ship", "orders", window.starts_at) == window
            last = window.ends_at - timedelta(microseconds=1)
            assert window_of(known, "ship", "orders", last) == window


class TestLimitWithin:
    START = datetime(2026, 3, 2, 12, tzinfo=UTC)
    END = START + timedelta(hours=8)

    @pytest.mark.parametrize(
        ("kind", "hours", "amount", "limit"),
        [
            ("closed", 8, {}, 0),
            ("closed", 4, {}, 50),
            ("reduced", 8, {"percent": 30}, 70),
            ("reduced", 2, {"units": 40}, 90),
            ("reduced", 8, {"units": 400}, 0),
            ("extra", 8, {"percent": 25}, 125),
            ("extra", 4, {"units": 30}, 115),
        ],
    )
    def test_counts_a_plan_for_as_much_of_the_window_as_it_covers(self, kind, hours, amount, limit):
        known = plan(kind, hours, **amount, starts_at=self.START)

        assert limit_within(100, [known], self.START, self.END) == limit

    @settings(max_examples=60)
    @given(
        st.integers(0, 1000),
        st.lists(
            st.tuples(
                st.sampled_from(["closed", "reduced", "extra"]),
                st.integers(1, 30),
                st.integers(0, 200),
                st.integers(-20, 20),
            ),
            max_size=4,
        ),
    )
    def test_is_never_less_than_nothing_nor_more_than_what_plans_add(self, most, drawn):
        plans = [
            plan(
                kind,
                hours,
                percent=None if kind == "closed" else percent,
                starts_at=self.START + timedelta(hours=offset),
            )
            for kind, hours, percent, offset in drawn
        ]
        extra = sum(most * percent / 100 for kind, _, percent, _ in drawn if kind == "extra")

        limit = limit_within(most, plans, self.START, self.END)

        assert 0 <= limit <= most + extra + 1
        if all(kind != "extra" for kind, *_ in drawn):
            assert limit <= most
