"""Calls that wait together run together: one of the waiting threads does the work of all.

A call that finds nobody at work runs at once; those that come meanwhile queue up, and the first of
them runs the whole queue next. Callers who were just answered come back together, one a little
before the others: whoever leads waits for as many as there were a moment ago, as long as they keep
coming. An idle process and a lone caller add no wait.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from django.db import OperationalError

T = TypeVar("T")
R = TypeVar("R")

MOST_TOGETHER: Final = 64
PAUSE_SECONDS: Final = 0.005
"""How long a leader waits for the next of those who were here a moment ago."""
MOMENT_SECONDS: Final = 0.05
"""How long after a batch anybody is waited for."""
observers: Final[list[Callable[[int], None]]] = []
"""Told how many calls each batch had; by whoever measures the process."""


class _Call(Generic[T, R]):
    """One waiting call. Its thread sleeps until `woken` is free: answered, or made the leader."""

    __slots__ = ("answer", "is_answered", "item", "woken")

    def __init__(self, item: T) -> None:
        self.item = item
        self.answer: R | BaseException | None = None
        self.is_answered = False
        self.woken = threading.Lock()
        self.woken.acquire()


class Combiner(Generic[T, R]):
    """Runs what several threads submit in batches, in the order of their coming.

    `run` answers each item of a batch in order, with a result or an exception for its caller; what
    it raises goes to all. It runs in the thread, and so on the connection, of one of the callers.
    """

    def __init__(
        self, run: Callable[[list[T]], Sequence[R | Exception]], *, most: int = MOST_TOGETHER
    ) -> None:
        self._run, self._most = run, most
        self._queue: deque[_Call[T, R]] = deque()
        self._lock = threading.Lock()
        self._came = threading.Condition(self._lock)
        self._is_led = False
        self._here = 0
        self._here_at = 0.0

    def submit(self, item: T) -> R:
        """Wait for the item's own result; raises its own exception."""
        mine: _Call[T, R] = _Call(item)
        with self._lock:
            self._queue.append(mine)
            follows, self._is_led = self._is_led, True
            self._came.notify()
        if follows:
            mine.woken.acquire()
        if not mine.is_answered:
            self._lead()
        if isinstance(mine.answer, BaseException):
            raise mine.answer
        return mine.answer  # type: ignore[return-value]  # answered by now

    def waiting(self) -> list[T]:
        """What nobody has begun to work at."""
        with self._lock:
            return [call.item for call in self._queue]

    def _wait_for_the_others(self) -> None:
        """Until as many wait as were here when the last batch ended, or they cease to come.

        Nobody is owed a call: one that does not come costs a pause, and is not waited for again.
        """
        give_up = self._here_at + MOMENT_SECONDS
        while (there := len(self._queue)) < min(self._here, self._most):
            left = min(PAUSE_SECONDS, give_up - time.monotonic())
            if left <= 0 or not self._came.wait_for(lambda: len(self._queue) > there, left):
                return

    def _lead(self) -> None:
        """Run the head of the queue, which begins with the leader's own call; then hand over."""
        with self._lock:
            self._wait_for_the_others()
            batch = [self._queue.popleft() for _ in range(min(self._most, len(self._queue)))]
        for observe in observers:
            observe(len(batch))
        try:
            answers = self._run([call.item for call in batch])
            for call, answer in zip(batch, answers, strict=True):
                call.answer = answer
        except BaseException as error:  # noqa: BLE001  # nobody may wait for ever; the leader raises it
            for call in batch:
                call.answer = error
        with self._lock:
            self._here, self._here_at = len(batch) + len(self._queue), time.monotonic()
            heir = self._queue[0] if self._queue else None
            self._is_led = heir is not None
        if heir is not None:
            heir.woken.release()
        for call in batch:
            call.is_answered = True
            call.woken.release()


def each_for_itself(
    run: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]
) -> list[R | Exception]:
    """Run the batch; when it fails, item by item, so that only what is at fault fails.

    A database that is busy or gone (`OperationalError`) is nobody's fault: all are told at once,
    since each would wait out the same time-out again.
    """
    if not items:
        return []
    try:
        return list(run(items))
    except OperationalError as error:
        return [error] * len(items)
    except Exception as error:  # noqa: BLE001  # whatever one of them provokes
        if len(items) == 1:
            return [error]
    return [answer for item in items for answer in each_for_itself(run, [item])]
