"""API keys: `Authorization: Bearer sy_<prefix>_<secret>`.

Only the SHA-256 of the whole key is stored; 256 random bits need no slow hash. A process remembers
an answer for `CACHE_SECONDS`, so a revoked key stops working everywhere within that time.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import Final

from django.db import connection
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.kernel import clock
from config.kernel.access import KeyHolder
from config.kernel.models import ApiKey
from config.kernel.types import ALL_ACCOUNTS

CACHE_SECONDS: Final = 5.0
LAST_USED_SECONDS: Final = 60
_REMEMBERED: Final = 1_000
_PREFIX_BYTES: Final = 6
_SECRET_BYTES: Final = 32

_known: OrderedDict[str, tuple[float, KeyHolder, datetime | None]] = OrderedDict()
_lock = Lock()


def draw() -> tuple[str, str, str]:
    """A new key: (prefix, the key to show once, the digest to keep)."""
    prefix = secrets.token_hex(_PREFIX_BYTES)
    key = f"sy_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return prefix, key, digest(key)


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def forget() -> None:
    """Ask the database again at the next call: after a revocation here, and between tests."""
    with _lock:
        _known.clear()


class ApiKeyAuthentication(BaseAuthentication):
    """Makes `request.user` and `request.auth` the key's holder. Other schemes are left to others."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, KeyHolder] | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            return None
        holder = _holder_of(key.strip())
        if holder is None:
            raise AuthenticationFailed("This API key is not valid.")
        return holder, holder

    def authenticate_header(self, request: Request) -> str:
        del request
        return 'Bearer realm="switchyard"'


def _holder_of(key: str) -> KeyHolder | None:
    wanted = digest(key)
    with _lock:
        remembered = _known.get(wanted)
    if remembered is not None:
        read_at, holder, expires_at = remembered
        fresh = time.monotonic() - read_at < CACHE_SECONDS
        if fresh and (expires_at is None or expires_at > clock.now()):
            return holder
    return _read(key, wanted)


def _read(key: str, wanted: str) -> KeyHolder | None:
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != "sy":  # sy, prefix, secret
        return None
    row = ApiKey.objects.for_scope(ALL_ACCOUNTS).filter(prefix=parts[1]).first()
    valid = (
        row is not None
        and secrets.compare_digest(row.digest, wanted)
        and row.revoked_at is None
        and (row.expires_at is None or row.expires_at > clock.now())
    )
    with _lock:
        if row is None or not valid:
            _known.pop(wanted, None)
            return None
        holder = KeyHolder.of(row)
        _known[wanted] = (time.monotonic(), holder, row.expires_at)
        while len(_known) > _REMEMBERED:
            _known.popitem(last=False)
    _mark_used(row)
    return holder


def _mark_used(row: ApiKey) -> None:
    """Note the use, at most once a minute per key and never inside somebody's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_apikey SET last_used_at = clock_timestamp() WHERE id = %s "
            "AND (last_used_at IS NULL "
            "     OR last_used_at < clock_timestamp() - make_interval(secs => %s))",
            [row.id, LAST_USED_SECONDS],
        )
