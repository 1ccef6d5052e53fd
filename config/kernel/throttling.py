"""Requests per minute and API key, counted in the shared cache, and told in the answer's headers."""

import logging
import math
import time
from collections import OrderedDict
from threading import Lock
from typing import Any, Final
from uuid import UUID

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.kernel.access import KeyHolder

WINDOW_SECONDS: Final = 60
_SHARES: Final = 200
_REMEMBERED: Final = 1_000
_drawn: OrderedDict[UUID, tuple[int, int, int]] = OrderedDict()
"""By key: the window, and the first and last number that this process may still give out in it."""
_lock = Lock()
_log = logging.getLogger(__name__)


class ApiKeyThrottle(BaseThrottle):
    """Lets each key make `requests_per_minute` calls per clock minute; people are not counted.

    `RateLimitHeaders` (middleware) writes what is left. When the cache cannot be reached calls are
    let through: an order lost is worse than a limit missed.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        del view
        holder = request.auth
        if not isinstance(holder, KeyHolder):
            return True
        elapsed = time.time()
        window = int(elapsed // WINDOW_SECONDS)
        self.reset = math.ceil((window + 1) * WINDOW_SECONDS - elapsed)
        try:
            used = _count(holder.id, window, holder.requests_per_minute)
        except (RedisError, ValueError):
            _log.warning("rate limits are not counted: the cache does not answer")
            return True
        limit = holder.requests_per_minute
        # Django's request is open; the middleware reads it there.
        request._request.rate_limit = (limit, max(0, limit - used), self.reset)  # type: ignore[attr-defined]
        return bool(used <= limit)

    def wait(self) -> float:
        return float(self.reset)


def _count(key_id: UUID, window: int, limit: int) -> int:
    """The number of this call in its window.

    A process draws numbers by the half percent of the limit and goes through them without asking.
    """
    with _lock:
        drawn = _drawn.get(key_id)
        if drawn is not None and drawn[0] == window and drawn[1] <= drawn[2]:
            _drawn[key_id] = (window, drawn[1] + 1, drawn[2])
            return drawn[1]
    share = max(1, limit // _SHARES)
    last = _draw(f"rate:{key_id}:{window}", share)
    with _lock:
        _drawn[key_id] = (window, last - share + 2, last)
        while len(_drawn) > _REMEMBERED:
            _drawn.popitem(last=False)
    return last - share + 1


def _draw(name: str, share: int) -> int:
    """The last of so many numbers; the window's first caller makes the counter."""
    try:
        return int(cache.incr(name, share))
    except ValueError:  # nobody has counted in this window
        cache.add(name, 0, timeout=2 * WINDOW_SECONDS)
        return int(cache.incr(name, share))
