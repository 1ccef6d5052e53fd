"""Waiting calls run together: each hears its own answer, and nobody waits for ever."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError

from config.kernel import combining
from config.kernel.combining import Combiner, each_for_itself

THREADS, CALLS = 32, 40
PATIENCE_SECONDS = 10


class Desk:
    """Answers numbers with their squares; keeps what came together, and may be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def run(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        self.entered.set()
        assert self.open.wait(PATIENCE_SECONDS)
        return each_for_itself(squares, numbers)


class Unlucky(Exception):
    pass


def squares(numbers: Sequence[int]) -> list[int]:
    if 13 in numbers:
        raise Unlucky
    return [number * number for number in numbers]


def queued(combiner: Combiner[int, int], desk: Desk, numbers: Sequence[int]) -> list[object]:
    """Submit the first number, and the others one by one while it is held up; all answers."""
    desk.open.clear()
    desk.entered.clear()
    with ThreadPoolExecutor(len(numbers)) as pool:
        answers = [pool.submit(combiner.submit, numbers[0])]
        assert desk.entered.wait(PATIENCE_SECONDS)
        for place, number in enumerate(numbers[1:], start=1):
            answers.append(pool.submit(combiner.submit, number))
            while len(combiner.waiting()) < place:
                threading.Event().wait(0.001)
        desk.open.set()
        return [answer.exception(PATIENCE_SECONDS) or answer.result() for answer in answers]


class TestCombiner:
    def test_runs_a_lone_call_at_once_and_alone(self) -> None:
        desk = Desk()

        assert Combiner(desk.run).submit(4) == 16
        assert desk.batches == [[4]]

    def test_answers_each_of_many_threads_with_its_own_result(self) -> None:
        desk = Desk()
        combiner: Combiner[int, int] = Combiner(desk.run)
        numbers = [number for number in range(THREADS * CALLS) if number != 13]

        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(combiner.submit, numbers, timeout=PATIENCE_SECONDS))

        assert answers == [number * number for number in numbers]
        assert sorted(number for batch in desk.batches for number in batch) == numbers

    def test_takes_all_that_came_meanwhile_in_the_order_of_their_coming(self) -> None:
        desk = Desk()

        assert queued(Combiner(desk.run), desk, [1, 2, 3, 4, 5]) == [1, 4, 9, 16, 25]
        assert desk.batches == [[1], [2, 3, 4, 5]]

    def test_takes_no_more_than_its_most_at_once(self) -> None:
        desk = Desk()

        queued(Combiner(desk.run, most=2), desk, [1, 2, 3, 4, 5, 6])

        assert desk.batches == [[1], [2, 3], [4, 5], [6]]

    def test_lets_only_the_culprit_fail(self) -> None:
        desk = Desk()

        one, two, culprit, four = queued(Combiner(desk.run), desk, [1, 2, 13, 4])

        assert (one, two, four) == (1, 4, 16)
        assert isinstance(culprit, Unlucky)

    def test_tells_everyone_when_the_leader_dies_and_goes_on(self) -> None:
        desk = Desk()

        def run(numbers: Sequence[int]) -> list[int]:
            desk.run(numbers)
            return squares(numbers)

        combiner: Combiner[int, int] = Combiner(run)
        first, *others = queued(combiner, desk, [1, 13, 2])

        assert first == 1
        assert all(isinstance(answer, Unlucky) for answer in others)
        assert combiner.submit(3) == 9


class TestEachForItself:
    def test_is_one_call_when_nothing_fails(self) -> None:
        calls: list[Sequence[int]] = []

        def run(numbers: Sequence[int]) -> list[int]:
            calls.append(numbers)
            return squares(numbers)

        assert each_for_itself(run, [1, 2, 3]) == [1, 4, 9]
        assert calls == [[1, 2, 3]]

    def test_asks_nothing_for_nothing(self) -> None:
        assert each_for_itself(squares, []) == []

    def test_does_not_wait_out_a_busy_database_once_for_each(self) -> None:
        calls = 0

        def run(numbers: Sequence[int]) -> list[int]:
            nonlocal calls
            calls += 1
            raise OperationalError("lock timeout")

        answers = each_for_itself(run, [1, 2, 3])

        assert calls == 1
        assert [type(answer) for answer in answers] == [OperationalError] * 3


def test_a_leader_that_is_stopped_leaves_nobody_waiting() -> None:
    desk = Desk()

    def run(numbers: Sequence[int]) -> list[int | Exception]:
        answers = desk.run(numbers)
        if 2 in numbers:
            raise SystemExit
        return answers

    combiner: Combiner[int, int] = Combiner(run)
    with pytest.raises(SystemExit):
        combiner.submit(2)
    assert combiner.submit(3) == 9


class TestThoseWhoWereHereAMomentAgo:
    """Three were answered together: the pause is as long as a test needs to be sure."""

    @pytest.fixture
    def desk(self) -> Desk:
        return Desk()

    @pytest.fixture
    def combiner(self, desk: Desk) -> Combiner[int, int]:
        combiner: Combiner[int, int] = Combiner(desk.run)
        queued(combiner, desk, [1, 2, 3, 4])
        assert desk.batches == [[1], [2, 3, 4]]
        desk.batches.clear()
        return combiner

    def test_are_waited_for_and_taken_together(
        self, desk: Desk, combiner: Combiner[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(combining, "PAUSE_SECONDS", PATIENCE_SECONDS)
        monkeypatch.setattr(combining, "MOMENT_SECONDS", PATIENCE_SECONDS)

        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(combiner.submit, [5, 6, 7], timeout=2 * PATIENCE_SECONDS))

        assert answers == [25, 36, 49]
        assert [sorted(batch) for batch in desk.batches] == [[5, 6, 7]]

    def test_are_not_waited_for_when_they_do_not_come(
        self, desk: Desk, combiner: Combiner[int, int]
    ) -> None:
        assert combiner.submit(5) == 25
        assert desk.batches == [[5]]

    def test_are_forgotten_after_the_moment(
        self, desk: Desk, combiner: Combiner[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(combining, "PAUSE_SECONDS", threading.TIMEOUT_MAX)
        monkeypatch.setattr(combining, "MOMENT_SECONDS", 0.0)

        assert combiner.submit(5) == 25
        assert desk.batches == [[5]]
