"""A leaky bucket over wall time: callers fill it, and wait when it is full."""

from math import ceil
from threading import Lock
from time import monotonic


class Bucket:
    """Holds `size` calls, or points, and loses `per_second` of them."""

    def __init__(self, size: float, per_second: float) -> None:
        self.size, self.per_second = size, per_second
        self._lock = Lock()
        self._level, self._at = 0.0, monotonic()

    def add(self, cost: float = 1) -> tuple[int, float]:
        """Put a call in. Answers how full it is, and the seconds to wait when it does not fit."""
        with self._lock:
            now = monotonic()
            self._level = max(0.0, self._level - (now - self._at) * self.per_second)
            self._at = now
            if self._level + cost > self.size:
                return int(self.size), (self._level + cost - self.size) / self.per_second
            self._level += cost
            return ceil(self._level), 0.0
