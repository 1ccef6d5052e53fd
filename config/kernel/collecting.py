"""Python's collector of cyclic garbage, kept out of batches."""

import gc
from collections.abc import Callable, Sized
from functools import wraps
from threading import Lock
from typing import Concatenate, Final, ParamSpec, TypeVar

WORTH_WHILE: Final = 50
"""Items from which a batch is worth it: fewer do not reach the collector's threshold."""

_running = [0]
_lock = Lock()

B = TypeVar("B", bound=Sized)
P = ParamSpec("P")
R = TypeVar("R")


def uncollected(command: Callable[Concatenate[B, P], R]) -> Callable[Concatenate[B, P], R]:
    """Run a command of many items without the collector; what it left is looked through after it.

    Nearly everything that a batch makes lives to its end and is in no cycle: looking through it
    again and again took a tenth of its time. Batches of several threads may overlap: the last one
    to end turns the collector on.
    """

    @wraps(command)
    def run(batch: B, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if len(batch) < WORTH_WHILE or not _pause():
            return command(batch, *args, **kwargs)
        try:
            return command(batch, *args, **kwargs)
        finally:
            _resume()

    return run


def _pause() -> bool:
    """Turn the collector off, unless somebody else than a batch has done so."""
    with _lock:
        if not _running[0] and not gc.isenabled():
            return False
        gc.disable()
        _running[0] += 1
        return True


def _resume() -> None:
    with _lock:
        _running[0] -= 1
        if not _running[0]:
            gc.enable()
