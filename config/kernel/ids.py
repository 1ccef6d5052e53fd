"""Time-ordered identifiers: UUIDv7 of RFC 9562, made in the process so that a batch knows its ids."""

import secrets
import threading
import time
from uuid import UUID

_RANDOM_BITS = 62
_SEQUENCE_BITS = 12
_lock = threading.Lock()
_last = [0]


def uuid7() -> UUID:
    """Return a UUIDv7 greater than any this process made before (RFC 9562 §6.2, method 3).

    The 12 bits after the millisecond hold its sub-millisecond fraction; a call within the same
    fraction takes the next one, so that ids made in one batch sort in the order they were made.
    """
    fraction = time.time_ns() * (1 << _SEQUENCE_BITS) // 1_000_000
    with _lock:
        fraction = _last[0] = max(fraction, _last[0] + 1)
    milliseconds, sequence = divmod(fraction, 1 << _SEQUENCE_BITS)
    value = milliseconds << 80 | 0x7 << 76 | sequence << 64 | 0b10 << 62
    return UUID(int=value | secrets.randbits(_RANDOM_BITS))
