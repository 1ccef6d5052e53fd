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
_unknown = SafeUUID.unknown
_lock = threading.Lock()
_last = [0]
_drawn: list[int] = []
# What was drawn before a fork is its parent's; a child that used it too would make the same ids.
os.register_at_fork(after_in_child=_drawn.clear)


def uuid7() -> UUID:
    """Return a UUIDv7 greater than any this process made before (RFC 9562 §6.2, method 3).

    The 12 bits after the millisecond hold its sub-millisecond fraction; a call within the same
    fraction takes the next one, so that ids made in one batch sort in the order they were made.
    A batch makes eighteen per order: they are set into the UUID, whose constructor takes longer.
    """
    fraction = (time.time_ns() << _SEQUENCE_BITS) // 1_000_000
    with _lock:
        if fraction <= _last[0]:
            fraction = _last[0] + 1
        _last[0] = fraction
        if not _drawn:
            _draw()
        random = _drawn.pop()
    made = _new(UUID)
    _set_int(made, (fraction >> _SEQUENCE_BITS) << 80 | (fraction & _SEQUENCE_MASK) << 64 | random)
    _set_safety(made, _unknown)
    return made


def _draw() -> None:
    """Random bits for many ids, with the version and the variant in their places."""
    random = array("Q", os.urandom(8 * _DRAWN_AT_ONCE))
    _drawn.extend([bits & _RANDOM_MASK | _VERSION_AND_VARIANT for bits in random])
