"""A simulator's own time: set and sped up from outside, as the demo's is."""

from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic


class SandboxClock:
    """Runs at `speed` business seconds per second from wherever it was set; 0 stands still."""

    def __init__(self, now: datetime | None = None, speed: float = 1.0) -> None:
        self._lock = Lock()
        self._anchor = now or datetime.now(UTC)
        self._since = monotonic()
        self._speed = speed

    def now(self) -> datetime:
        with self._lock:
            return self._now()

    @property
    def speed(self) -> float:
        return self._speed

    def set(self, now: datetime | None = None, speed: float | None = None) -> None:
        """Go on from another time, or at another speed, or both."""
        with self._lock:
            anchor = now or self._now()
            self._anchor, self._since = anchor, monotonic()
            self._speed = self._speed if speed is None else speed

    def reach(self, now: datetime) -> None:
        """Be at least this late; time never goes back."""
        with self._lock:
            if now > self._now():
                self._anchor, self._since = now, monotonic()

    def _now(self) -> datetime:
        return self._anchor + timedelta(seconds=(monotonic() - self._since) * self._speed)


def instant(said: object) -> datetime | None:
    """An ISO instant of a request; None when none was said. Raises ValueError."""
    if said in (None, ""):
        return None
    read = datetime.fromisoformat(str(said))
    return read if read.tzinfo else read.replace(tzinfo=UTC)
