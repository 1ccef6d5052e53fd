"""What a process that serves loads before it forks: its children share it, and no request waits."""

import ctypes
import gc
from typing import Final

from django.urls import get_resolver, reverse
from django.utils.translation import gettext

from orders.validators.address import rules_of
from orders.validators.party import to_e164
from routing.places import locate

_ARENA_MAX: Final = -8
"""`M_ARENA_MAX` of glibc's mallopt."""

_ARENAS: Final = 2


def warm_up(*, views: bool) -> None:
    """Load the ZIP table, the rules of addresses and the views, then keep the collector from copying
    them into children.
    """
    _share_arenas()
    locate("10001", "NY", "US")
    rules_of("US")
    to_e164("202 555 0100", "US")
    gettext("Yes")
    if views:
        _ = get_resolver().url_patterns
        reverse("console:home")
    gc.collect()
    gc.freeze()


def _share_arenas() -> None:
    """Have the threads to come share two heaps: each with one of its own keeps what it once needed.

    They take turns in Python anyway. Does nothing where the C library is another.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, _ARENAS)
