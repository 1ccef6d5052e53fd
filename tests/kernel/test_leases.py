"""Leases: one holder at a time, by the database's clock; a lost one lapses by itself."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection

from config.kernel import idempotency, ticker
from config.kernel.models import Lease
from config.kernel.services import leases
from config.kernel.services.leases import LeaseLost

NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@pytest.mark.django_db
class TestHeld:
    def test_keeps_others_out_until_the_block_ends(self) -> None:
        with leases.held("count") as first, leases.held("count") as second:
            assert first is not None
            assert second is None

        with leases.held("count") as third:
            assert third is not None

    def test_lapses_when_its_holder_is_gone(self) -> None:
        lost = leases.take("count", seconds=0)

        found = leases.take("count")
        assert lost is not None
        assert found is not None
        assert found.token == lost.token + 1

    def test_stops_a_holder_that_was_overtaken(self) -> None:
        slow = leases.take("count", seconds=0)
        assert slow is not None
        leases.take("count")

        with pytest.raises(LeaseLost):
            slow.renew()
        slow.release()
        assert leases.take("count") is None

    def test_is_given_back_when_the_work_fails(self) -> None:
        with pytest.raises(ZeroDivisionError), leases.held("count"):
            1 / 0  # noqa: B018

        assert leases.take("count") is not None

    def test_may_rest_after_the_work(self) -> None:
        lease = leases.take("count", seconds=60)
        assert lease is not None
        lease.release(rest_seconds=30)

        assert leases.take("count") is None
        expires_at = Lease.objects.get(name="count").expires_at
        assert abs(expires_at - datetime.now(UTC) - timedelta(seconds=30)) < timedelta(seconds=5)


@pytest.mark.django_db
class TestOncePer:
    def test_does_each_window_once(self) -> None:
        with leases.once_per("nightly", NIGHT) as first:
            assert first is not None
        with leases.once_per("nightly", NIGHT) as again:
            assert again is None
        with leases.once_per("nightly", NIGHT + timedelta(days=1)) as following:
            assert following is not None

    def test_never_goes_back(self) -> None:
        with leases.once_per("nightly", NIGHT):
            pass

        with leases.once_per("nightly", NIGHT - timedelta(days=1)) as earlier:
            assert earlier is None

    def test_tries_a_failed_window_again(self) -> None:
        with pytest.raises(ZeroDivisionError), leases.once_per("nightly", NIGHT):
            1 / 0  # noqa: B018

        with leases.once_per("nightly", NIGHT) as again:
            assert again is not None

    def test_takes_over_from_a_killed_process(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO kernel_lease (name, holder, token, expires_at) "
                "VALUES ('window:nightly', %s, 1, clock_timestamp())",
                [NIGHT.isoformat(timespec="microseconds")],
            )

        with leases.once_per("nightly", NIGHT) as taken_over:
            assert taken_over is not None
            assert taken_over.token == 2

    def test_waits_for_the_window_before_it(self) -> None:
        with (
            leases.once_per("nightly", NIGHT),
            leases.once_per("nightly", NIGHT + timedelta(days=1)) as following,
        ):
            assert following is None


@pytest.mark.django_db(transaction=True)
class TestUnderEightThreads:
    def test_a_lease_has_one_holder(self) -> None:
        for round_ in range(10):
            gate = Barrier(8)

            def grab(_: int, gate: Barrier = gate, name: str = f"race-{round_}") -> bool:
                gate.wait()
                try:
                    return leases.take(name) is not None
                finally:
                    connection.close()

            with ThreadPoolExecutor(8) as pool:
                assert sum(pool.map(grab, range(8))) == 1

    def test_a_lapsed_lease_has_one_heir(self) -> None:
        leases.take("estate", seconds=0)
        gate = Barrier(8)

        def grab(_: int) -> bool:
            gate.wait()
            try:
                return leases.take("estate") is not None
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(grab, range(8))) == 1

    def test_an_idempotency_key_lets_one_proceed(self) -> None:
        gate = Barrier(8)

        def begin(_: int) -> bool:
            gate.wait()
            try:
                return isinstance(idempotency.begin(UUID(int=1), "k", "f"), idempotency.Proceed)
            except idempotency.InFlight:
                return False
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(begin, range(8))) == 1

    def test_a_window_is_done_once(self) -> None:
        gate = Barrier(8)

        def do(_: int) -> bool:
            gate.wait()
            try:
                with leases.once_per("race", NIGHT) as lease:
                    return lease is not None
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(do, range(8))) == 1


@pytest.mark.django_db
class TestRunSteps:
    def step(self, name: str, log: list[str], *, fails: bool = False) -> ticker.Step:
        def run(at: datetime) -> None:
            log.append(name)
            if fails:
                raise RuntimeError(at.isoformat())

        return ticker.Step(name, 5, run)

    def test_runs_each_once_per_turn(self) -> None:
        log: list[str] = []
        steps = [self.step("a", log), self.step("b", log)]

        assert ticker.run_steps(steps) == ["a", "b"]
        assert ticker.run_steps(steps) == []
        assert log == ["a", "b"]

    def test_goes_on_after_one_that_fails(self) -> None:
        log: list[str] = []

        ran = ticker.run_steps([self.step("bad", log, fails=True), self.step("good", log)])

        assert ran == ["bad", "good"]

    def test_leaves_a_running_step_alone(self) -> None:
        log: list[str] = []
        step = self.step("long", log)
        leases.take(step.lease)

        assert ticker.run_steps([step]) == []


@pytest.mark.django_db
class TestHeldOf:
    def test_takes_those_that_are_free(self) -> None:
        leases.take("b")

        with leases.held_of(["a", "b", "c"]) as held:
            assert sorted(held.tokens) == ["a", "c"]
            assert leases.take("a") is None
            held.renew()
        assert leases.take("a") is not None
        assert leases.take("b") is None

    def test_stops_when_one_was_lost(self) -> None:
        with leases.held_of(["a", "b"]) as held:
            Lease.objects.filter(name="a").update(token=99)
            with pytest.raises(LeaseLost):
                held.renew()
