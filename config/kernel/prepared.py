"""Statements that PostgreSQL plans once per connection, for calls that say the same again and again.

Django writes the values into each statement, so every one is parsed and planned anew. For a few
rows through twenty statements that is half of the server's work. For many rows it is the text
itself: it is put together here, quoted, and read through there.
"""

from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor

_PREPARE_AFTER: Final = 3
"""Times that a connection sends a statement before it is prepared."""
_LARGE: Final = range(50, 10_001)
"""Batches whose values travel apart: a statement has at most 65,535 of them."""

B = TypeVar("B", bound=Sized)
P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def planned_once() -> Iterator[None]:
    """Send the values of the block's statements beside them; prepare what comes often enough.

    For small batches: what is planned once is planned for about ten rows. Does nothing behind a
    pooler in transaction mode, where the next statement may find another server process.
    """
    if connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
        yield
        return
    with _values_apart(_PREPARE_AFTER):
        yield


def values_apart(command: Callable[Concatenate[B, P], R]) -> Callable[Concatenate[B, P], R]:
    """Have a command send the values of a large batch beside its statements, which are not kept."""

    @wraps(command)
    def run(batch: B, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if len(batch) not in _LARGE:
            return command(batch, *args, **kwargs)
        with _values_apart(None):
            return command(batch, *args, **kwargs)

    return run


@contextmanager
def _values_apart(prepare_after: int | None) -> Iterator[None]:
    connection.ensure_connection()
    wire = connection.connection
    before = wire.cursor_factory, wire.prepare_threshold
    wire.cursor_factory, wire.prepare_threshold = ServerBindingCursor, prepare_after
    try:
        yield
    finally:
        wire.cursor_factory, wire.prepare_threshold = before
