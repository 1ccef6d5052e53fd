"""Business time. Edges and tickers read it here; commands take it as `at` and never look.

In production business time is the wall clock. The demo and simulations keep an offset and a
speed in the single row of `kernel.BusinessClock`; each process reads that row once a second.
"""

import math
import time
from datetime import UTC, datetime, timedelta

from config.kernel.models import BusinessClock

_TTL_SECONDS = 1.0
_read: tuple[float, BusinessClock | None] = (-_TTL_SECONDS, None)


def now() -> datetime:
    """Business time at this moment, in UTC."""
    global _read  # noqa: PLW0603  # one cached row per process
    if time.monotonic() - _read[0] >= _TTL_SECONDS:
        _read = (time.monotonic(), BusinessClock.objects.first())
    row = _read[1]
    wall = datetime.now(UTC)
    if row is None:
        return wall
    return row.business_anchor + (wall - row.wall_anchor) * row.speed


def set_to(business: datetime, *, speed: float = 1.0) -> None:
    """Make business time `business` now, running at `speed` business seconds per second.

    At speed 0 it stands still. Raises ValueError for a speed that would take it back.
    """
    if not 0 <= speed < math.inf:
        raise ValueError(f"Business time never goes back: {speed:g} is no speed for it.")
    BusinessClock.objects.update_or_create(
        singleton=True,
        defaults={
            "wall_anchor": datetime.now(UTC),
            "business_anchor": business,
            "speed": speed,
        },
    )
    forget()


def follow_the_wall() -> None:
    """Return business time to the wall clock."""
    BusinessClock.objects.all().delete()
    forget()


def forget() -> None:
    """Read the row again at the next call: after a change, and between tests."""
    global _read  # noqa: PLW0603
    _read = (-timedelta.max.total_seconds(), None)
