"""Time-ordered identifiers: UUIDv7 of RFC 9562, made in the process so that a batch knows its ids."""

import os
import threading
import time
from array import array
from uuid import UUID, SafeUUID

_SEQUENCE_BITS = 12
_SEQUENCE_MASK = (1 << _SEQUENCE_BITS) - 1
_RANDOM_MASK = (1 << 62) - 1
_VERSION_AND_VARIANT = 0x7 << 76 | 0b10 << 62
_DRAWN_AT_ONCE = 512
_new = object.__new__
_set_int = vars(UUID)["int"].__set__
_set_safety = vars(UUID)["is_safe"].__set__
_lock = threading.Lock()
_last = [0]
_drawn: list[int] = []
# What was drawn before a fork is its parent's; a child that used it too would make the same ids.
os.register_at_fork(after_in_child=_drawn.clear)


def uuid7() -> UUID:
    """Return a UUIDv7 greater than any this process made before (RFC 9562 §6.2, method 3).

    The 12 bits after the millisecond hold its sub-millisecond fraction; a call within the same
    fraction takes the next one, so that ids made in one batch sort in the order they were made.
    """
    fraction = time.time_ns() * (1 << _SEQUENCE_BITS) // 1_000_000
    with _lock:
        fraction = _last[0] = max(fraction, _last[0] + 1)
        if not _drawn:
            _drawn.extend(array("Q", os.urandom(8 * _DRAWN_AT_ONCE)))
        random = _drawn.pop() & _RANDOM_MASK
    milliseconds, sequence = fraction >> _SEQUENCE_BITS, fraction & _SEQUENCE_MASK
    return _made(milliseconds << 80 | sequence << 64 | _VERSION_AND_VARIANT | random)


def _made(value: int) -> UUID:
    """The UUID of a number that is known to fit: its constructor takes as long as all the rest."""
    made = _new(UUID)
    _set_int(made, value)
    _set_safety(made, SafeUUID.unknown)
    return made
