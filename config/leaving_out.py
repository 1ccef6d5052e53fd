"""Libraries that others take along where they are installed, and that nobody here uses."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def leaving_out(name: str) -> Iterator[None]:
    """Have what the block imports find no library of this name; afterwards it is there as before.

    Does nothing once the library is loaded: it is in memory then.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # how the import system says "not there"
    try:
        yield
    finally:
        del sys.modules[name]
