"""Statements that PostgreSQL plans once per connection, for calls that say the same again and again.

Django writes the values into each statement, so every one is parsed and planned anew. For a few
rows through twenty statements that is half of the server's work.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor

_PREPARE_AFTER: Final = 3
"""Times that a connection sends a statement before it is prepared."""


@contextmanager
def planned_once() -> Iterator[None]:
    """Send the values of the block's statements beside them; prepare what comes often enough.

    For small batches: what is planned once is planned for about ten rows. Does nothing behind a
    pooler in transaction mode, where the next statement may find another server process.
    """
    if connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
        yield
        return
    connection.ensure_connection()
    wire = connection.connection
    before = wire.cursor_factory, wire.prepare_threshold
    wire.cursor_factory, wire.prepare_threshold = ServerBindingCursor, _PREPARE_AFTER
    try:
        yield
    finally:
        wire.cursor_factory, wire.prepare_threshold = before
