"""How often and whether a counterpart is asked at all: a token bucket and a breaker per connection.

The bucket is shared by all processes (one small script in the cache's Redis); while Redis does not
answer each process keeps the rate by itself. The breaker is a process's own: a counterpart that is
down is noticed by each within a few calls, and nobody needs to agree on it. Machine time throughout.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any, Final

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

FAILURES: Final = 5
"""Failures in a row after which the breaker opens."""
OPEN_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 1.0
"""How long a caller is made to wait for its turn; beyond it is told to come back."""
LONGEST_BUSY_SECONDS: Final = 3_600.0
_REDIS_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)


class Unreached(Exception):
    """No connection was made: nothing happened at the other end."""


class Busy(Unreached):
    """Nothing happened at the other end, and there is no use in asking before `after_seconds`."""

    def __init__(self, message: str, *, after_seconds: float) -> None:
        super().__init__(message)
        self.after_seconds = min(max(after_seconds, 0.0), LONGEST_BUSY_SECONDS)


@dataclass(slots=True)
class Breaker:
    """Closed; after `failures` in a row open for `open_seconds`; then one caller tries for all.

    Unlike the libraries' breakers it holds no lock while a call is under way.
    """

    failures: int = FAILURES
    open_seconds: float = OPEN_SECONDS
    clock: Callable[[], float] = time.monotonic
    _failed: int = 0
    _shut_until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    @property
    def is_open(self) -> bool:
        with self._lock:
            return self.clock() < self._shut_until

    def look(self, party: str) -> None:
        """Raises Busy while the breaker is open, and while another caller tries for all."""
        with self._lock:
            self._refuse(party, self.clock())

    def enter(self, party: str) -> None:
        """Likewise; after the pause the first caller that enters tries for all."""
        with self._lock:
            now = self.clock()
            self._refuse(party, now)
            if self._failed >= self.failures:
                # This caller tries; the others wait as if it were still open.
                self._shut_until = now + self.open_seconds

    def _refuse(self, party: str, now: float) -> None:
        if now < self._shut_until:
            left = self._shut_until - now
            raise Busy(f"{party} is not asked: it keeps failing", after_seconds=left)

    def succeeded(self) -> None:
        with self._lock:
            self._failed, self._shut_until = 0, 0.0

    def failed(self) -> None:
        with self._lock:
            self._failed += 1
            if self._failed >= self.failures:
                self._shut_until = self.clock() + self.open_seconds


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second on the long run, and so many at once after a rest."""

    per_second: float
    burst: int = 1

    @classmethod
    def of(cls, said: Any) -> "Rate | None":
        """From a connection's settings: {"per_second": 2, "burst": 40}. None when it says nothing."""
        if not isinstance(said, Mapping) or not said.get("per_second"):
            return None
        return cls(float(said["per_second"]), max(1, int(said.get("burst", 1))))


# The generic cell rate algorithm: one number per bucket, the time at which it would be full again.
_TAKE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local gap, depth, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = due - depth - now
if wait > patience then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', due + gap), 'PX', math.ceil((due + gap - now) * 1000) + 1000)
return tostring(math.max(wait, 0))
"""


@dataclass(slots=True)
class Bucket:
    """The tokens of one connection. `take` answers how long to wait before the call."""

    name: str
    rate: Rate
    clock: Callable[[], float] = time.monotonic
    _full_again: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def take(self, *, patience: float = PATIENCE_SECONDS) -> float:
        """Take a token; answer the seconds to wait until it counts. Raises Busy beyond patience."""
        gap = 1 / self.rate.per_second
        depth = gap * (self.rate.burst - 1)
        try:
            wait = float(_redis().eval(_TAKE, 1, f"pace:{self.name}", gap, depth, patience))
        except (RedisError, OSError):
            _log.warning("the rate of %s is kept by this process alone", self.name)
            wait = self._take_here(gap, depth, patience)
        if wait > patience:
            raise Busy(f"{self.name} is at its rate limit", after_seconds=wait)
        return wait

    def _take_here(self, gap: float, depth: float, patience: float) -> float:
        with self._lock:
            now = self.clock()
            due = max(self._full_again, now)
            wait = due - depth - now
            if wait <= patience:
                self._full_again = due + gap
            return max(wait, 0.0)


@dataclass(slots=True)
class Pace:
    """What stands between a caller and one counterpart."""

    party: str
    breaker: Breaker = field(default_factory=Breaker)
    bucket: Bucket | None = None
    sleep: Callable[[float], object] = time.sleep
    _quiet_until: float = 0.0

    def enter(self) -> None:
        """Wait for a turn. Raises Busy when there is none soon."""
        now = self.breaker.clock()
        if now < self._quiet_until:
            raise Busy(f"{self.party} asked for a pause", after_seconds=self._quiet_until - now)
        self.breaker.look(self.party)
        if self.bucket is not None and (wait := self.bucket.take()):
            self.sleep(wait)
        self.breaker.enter(self.party)

    def pause(self, seconds: float) -> None:
        """The counterpart has said for how long it wants to be left alone."""
        until = self.breaker.clock() + min(seconds, LONGEST_BUSY_SECONDS)
        self._quiet_until = max(self._quiet_until, until)


@lru_cache(maxsize=1)
def _redis() -> "Redis":
    """The cache's Redis, asked with little patience: a rate is not worth a request's time."""
    where = settings.CACHES["default"]["LOCATION"]
    return Redis.from_url(
        where, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
    )
