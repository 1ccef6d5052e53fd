"""Statements sent ahead: the process goes on while PostgreSQL works, and hears of it at the end.

For the tail of a batch, where nothing that is computed depends on what the statements answer. It
is libpq's pipeline mode (PostgreSQL 14 and later, PgBouncer 1.21 and later).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from select import select
from threading import local
from typing import Final

from django.db import connection

WORTH_CHECKING: Final = 200
"""Rows from which it is worth having their foreign keys checked before COMMIT."""


class _Unheard(local):
    checks: list[Callable[[], None]] | None = None


_unheard = _Unheard()


@contextmanager
def sending_ahead() -> Iterator[None]:
    """Wait for no statement of the block that answers nothing; raise at its end what went wrong.

    Must stand inside the transaction. A statement that is read from is waited for, with all before
    it; a row count is known only in `when_answered`.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("what is sent ahead is heard of inside its transaction")
    if _unheard.checks is not None:
        yield
        return
    checks: list[Callable[[], None]] = []
    _unheard.checks = checks
    try:
        with connection.wrap_database_errors, connection.connection.pipeline():
            yield
            for check in checks:
                check()
    finally:
        _unheard.checks = None


def when_answered(check: Callable[[], None]) -> None:
    """Call `check`, which reads the answer of a statement: at the end of what is sent ahead, or now."""
    if _unheard.checks is None:
        check()
    else:
        _unheard.checks.append(check)


def hand_over() -> None:
    """Wait until the server has all that was sent ahead, so that it works on it from now on.

    What lies between holds some 200 kB; the rest of a long statement would follow with the next.
    """
    if _unheard.checks is None:
        return
    with connection.wrap_database_errors:
        wire = connection.connection.pgconn
        while wire.flush():
            readable, _, _ = select([wire.socket], [wire.socket], [])
            if readable:
                wire.consume_input()


def check_with_each(tables: Sequence[str], *, but: str) -> None:
    """Have what these tables refer to checked with each statement sent from now on, until
    `check_all`; not what they refer to in the table `but`, whose rows come last.

    Does nothing where nothing is sent ahead.
    """
    if _unheard.checks is None:
        return
    names = ", ".join(_references(tuple(tables), but))
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {names} IMMEDIATE")


@cache
def _references(tables: tuple[str, ...], but: str) -> tuple[str, ...]:
    """The foreign keys of the tables that wait for COMMIT, quoted; read once per process."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT quote_ident(conname) FROM pg_constraint
            WHERE contype = 'f' AND condeferrable AND conrelid = ANY(%s::text[]::regclass[])
                AND confrelid <> %s::text::regclass
            ORDER BY 1
            """,
            [list(tables), but],
        )
        return tuple(name for (name,) in cursor.fetchall())


def check_ahead(rows: int) -> None:
    """Have the foreign keys of what was sent so far checked now, while the process goes on.

    They are checked at COMMIT otherwise, when nobody has anything left to do but wait. Of few rows
    that takes less than asking for it. Does nothing where nothing is sent ahead.
    """
    if rows >= WORTH_CHECKING:
        check_all()


def check_all() -> None:
    """The same of however few rows; from now on foreign keys wait for COMMIT, or to be asked, again."""
    if _unheard.checks is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
