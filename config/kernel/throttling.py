"""Requests per minute and API key, counted in the shared cache, and told in the answer's headers."""

import logging
import math
import time
from typing import Any, Final

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config.kernel.access import KeyHolder

WINDOW_SECONDS: Final = 60
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
        name = f"rate:{holder.id}:{window}"
        try:
            used = _count(name)
        except (RedisError, ValueError):
            _log.warning("rate limits are not counted: the cache does not answer")
            return True
        limit = holder.requests_per_minute
        # Django's request is open; the middleware reads it there.
        request._request.rate_limit = (limit, max(0, limit - used), self.reset)  # type: ignore[attr-defined]
        return bool(used <= limit)

    def wait(self) -> float:
        return float(self.reset)


def _count(name: str) -> int:
    """One more call in this window: one round trip, but for the window's first."""
    try:
        return int(cache.incr(name))
    except ValueError:  # nobody has counted in this window
        cache.add(name, 0, timeout=2 * WINDOW_SECONDS)
        return int(cache.incr(name))
