"""What protects the public pages: how often one may ask, and who has shown that they know the place."""

import logging
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError

PAGES_PER_MINUTE: Final = 60
POSTS_PER_MINUTE: Final = 10
TRIES: Final = 5
TRIES_SECONDS: Final = 900
OPEN_SECONDS: Final = 3_600
_COOKIE: Final = "track"
_SALT: Final = "track"

_log = logging.getLogger(__name__)


def may_ask(request: HttpRequest) -> bool:
    """Whether this address asks within bounds. Without the cache everybody may."""
    limit = POSTS_PER_MINUTE if request.method == "POST" else PAGES_PER_MINUTE
    name = f"track:{request.method}:{address_of(request)}"
    return _count(name, 60, otherwise=0) <= limit


def may_try(order_id: UUID) -> bool:
    """Whether one more postcode may be tried for an order. Without the cache nobody may."""
    return _count(f"track:postcode:{order_id}", TRIES_SECONDS, otherwise=TRIES + 1) <= TRIES


def address_of(request: HttpRequest) -> str:
    """Who asks: behind a proxy of ours, the last address that it has written down."""
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        last = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if last:
            return last[:64]
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def is_open(request: HttpRequest, order_id: UUID) -> bool:
    """Whether the reader has shown the postcode of this order within the hour."""
    try:
        said = signing.loads(request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=OPEN_SECONDS)
    except signing.BadSignature:
        return False
    return bool(said == str(order_id))


def open_for(response: HttpResponse, order_id: UUID, path: str, *, secure: bool) -> None:
    """Remember it, signed, for the pages of this order alone."""
    response.set_cookie(
        _COOKIE,
        signing.dumps(str(order_id), salt=_SALT),
        max_age=OPEN_SECONDS,
        path=path,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def _count(name: str, seconds: int, *, otherwise: int) -> int:
    """The number of this call since its window began; `otherwise` when nobody can count.

    A window begins with its first call, not with the minute of the clock: nobody is given twice
    the bound by asking on either side of a minute's end.
    """
    try:
        cache.add(name, 0, timeout=seconds)
        return int(cache.incr(name))
    except ValueError:
        # The window ended between the two; the next call begins another.
        return 1
    except (RedisError, OSError):
        _log.warning("public pages are not counted: the cache does not answer")
        return otherwise
