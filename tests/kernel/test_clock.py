"""Business time: the wall, unless a row says otherwise."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import clock

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_clock() -> Iterator[None]:
    clock.forget()
    yield
    clock.forget()


@pytest.mark.django_db
class TestNow:
    def test_is_the_wall_clock_when_nothing_is_set(self) -> None:
        before = datetime.now(UTC)
        assert before <= clock.now() <= datetime.now(UTC)

    def test_starts_from_where_it_was_set(self) -> None:
        clock.set_to(MONDAY)

        assert MONDAY <= clock.now() < MONDAY + timedelta(seconds=5)

    @pytest.mark.parametrize("speed", [-1, float("nan"), float("inf")])
    def test_never_goes_back(self, speed: float) -> None:
        with pytest.raises(ValueError, match="never goes back"):
            clock.set_to(MONDAY, speed=speed)

    def test_runs_at_the_speed_it_was_given(self) -> None:
        clock.set_to(MONDAY, speed=100_000)

        first = clock.now()
        second = clock.now()
        assert first < second
        assert clock.now() - MONDAY < timedelta(seconds=100_000 * 10)

    def test_stands_still_at_speed_zero(self) -> None:
        clock.set_to(MONDAY, speed=0)

        assert clock.now() == clock.now() == MONDAY

    def test_follows_the_wall_again_when_told(self) -> None:
        clock.set_to(MONDAY)
        clock.follow_the_wall()

        assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)

    def test_costs_one_statement_a_second_at_most(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            for _ in range(100):
                clock.now()

        assert len(queries) == 1
