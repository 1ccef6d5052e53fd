"""What keeps one endpoint from taking the time of all the others.

An endpoint that let a call run out of time is left alone, longer each time; a slow one gets one call
at a time and rests as long as it took. Whoever comes meanwhile is told to come back, at once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final
from uuid import UUID

from integrations.pacing import Busy

SLOW_SECONDS: Final = 1.0
REST_SECONDS: Final = 30.0
LONGEST_REST_SECONDS: Final = 600.0
_TURN_SECONDS: Final = 1.0


@dataclass(slots=True)
class Pressure:
    """How one endpoint bears its calls, as this process has seen it. A new one is met with care."""

    clock: Callable[[], float] = time.monotonic
    _careful: bool = True
    _calls: int = 0
    _misses: int = 0
    _rest_until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def enter(self) -> None:
        """Raises Busy when the endpoint is not to be called now."""
        with self._lock:
            left = self._rest_until - self.clock()
            if left > 0:
                raise Busy("the endpoint rests", after_seconds=left)
            if self._careful and self._calls:
                raise Busy("the endpoint is being tried", after_seconds=_TURN_SECONDS)
            self._calls += 1

    def leave(self, seconds: float, *, ran_out: bool) -> None:
        """A call has ended after so many seconds; `ran_out` of time when no answer came in it."""
        with self._lock:
            self._calls -= 1
            self._careful = ran_out or seconds > SLOW_SECONDS
            self._misses = self._misses + 1 if ran_out else 0
            rest = 0.0
            if ran_out:
                rest = min(REST_SECONDS * 2 ** (self._misses - 1), LONGEST_REST_SECONDS)
            elif self._careful:
                rest = seconds
            self._rest_until = max(self._rest_until, self.clock() + rest)


_known: dict[UUID, Pressure] = {}
_lock = Lock()


def of(endpoint_id: UUID) -> Pressure:
    with _lock:
        return _known.setdefault(endpoint_id, Pressure())


def forget() -> None:
    """Meet every endpoint anew: between tests."""
    with _lock:
        _known.clear()
