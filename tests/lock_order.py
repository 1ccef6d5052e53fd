"""Watches every transaction of every test: row locks are taken in the one global order.

docs/locking.md states the order. A table that a transaction locks for the first time must not
stand before one that it holds already; a lock that skips what is held waits for nobody, and may.
The blocks that a test case wraps around a test are no transactions of a command, and are left out.
"""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import pytest
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

ORDER: Final = (
    "kernel_idempotencykey",
    "orders_order",
    "orders_tender",
    "fulfillment_fulfillmentorder",
    "fulfillment_parcel",
    "fulfillment_noderequest",
    "returns_return",
    "returns_claim",
    "inventory_stockadjustment",
    "inventory_transfer",
    "inventory_countrequest",
    "inventory_quota",
    "inventory_capacitywindow",
    "inventory_stockposition",
    "inventory_stocklevel",
    "inventory_reservation",
    "inventory_lot",
    "inventory_serial",
)
"""Of the rows that two commands may want at once. A job's row is written last and holds up nobody."""

_LOCKING = re.compile(r"\bFOR (?:NO KEY )?UPDATE\b")
_READ = re.compile(r'\bFROM\s+"?(\w+)"?')
_NAMED = re.compile(r"\b(\w+) AS (?:MATERIALIZED )?\(")
_UPDATED = re.compile(r'(?<!FOR )(?<!KEY )(?<!DO )\bUPDATE\s+(?:ONLY\s+)?"?(\w+)"?')
_FRAMES = 4

violations: Final[list[str]] = []
"""What was found since the last look, each with the place in our code."""


@lru_cache(maxsize=4096)
def locked(sql: str) -> list[tuple[str, bool]]:
    """(table, whether it waits) of the ordered tables whose rows the statement locks."""
    if "UPDATE" not in sql:
        return []
    found = [(table, True) for table in _UPDATED.findall(sql)]
    return [(table, waits) for table, waits in selected(sql) + found if table in ORDER]


def selected(sql: str) -> list[tuple[str, bool]]:
    """What each FOR UPDATE locks: the table read first since the one before, names of WITH apart."""
    named, found = {*_NAMED.findall(sql), "unnest"}, []
    for part, after in pairwise(_LOCKING.split(sql)):
        read = next((table for table in _READ.findall(part) if table not in named), None)
        if read is not None:
            found.append((read, "SKIP LOCKED" not in after[:20]))
    return found


def _of_a_command(connection: BaseDatabaseWrapper) -> bool:
    """Whether a transaction is open that no test case has opened."""
    blocks = connection.atomic_blocks  # type: ignore[attr-defined]
    return any(not getattr(block, "_from_testcase", False) for block in blocks)


def note(connection: BaseDatabaseWrapper, sql: str) -> None:
    """Remember what the statement locks, and whether it may."""
    held: list[str] = connection.__dict__.setdefault("held_in_order", [])
    for table, waits in locked(sql):
        if table in held:
            continue
        beyond = [other for other in held if ORDER.index(other) > ORDER.index(table)]
        if waits and beyond:
            violations.append(f"{table} after {', '.join(beyond)}, at {_place()}")
        held.append(table)


def _place() -> str:
    ours = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_stack()
        if "site-packages" not in frame.filename and "/tests/lock_order" not in frame.filename
    ]
    return " < ".join(reversed(ours[-_FRAMES:]))


@contextmanager
def watching() -> Iterator[None]:
    """Note the locks of every connection, in every thread."""
    enter, execute = transaction.Atomic.__enter__, CursorWrapper.execute

    def entered(block: transaction.Atomic) -> None:
        connection = transaction.get_connection(block.using)
        if not _of_a_command(connection):
            connection.__dict__["held_in_order"] = []
        enter(block)

    def executed(cursor: Any, sql: Any, params: Any = None) -> Any:
        if isinstance(sql, str) and _of_a_command(cursor.db):
            note(cursor.db, sql)
        return execute(cursor, sql, params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction.Atomic, "__enter__", entered)
        patch.setattr(CursorWrapper, "execute", executed)
        yield
