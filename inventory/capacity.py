"""Hard limits in a take: locked after quotas and before positions, counted with what was served."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from django.db import connection

from inventory.states import CapacityResource
from inventory.stock_rows import expect_rows
from inventory.types import Taken, Want

_PER_ORDER: Final = frozenset({CapacityResource.ORDERS.value, CapacityResource.PARCELS.value})


class Limits(NamedTuple):
    """What a take's statement holds for the hard limits of its wants; nothing where it has none."""

    parts: str = ""
    guard: str = ""
    room: str = "NULL"
    params: tuple[list[int], ...] = ()


def limits_of(wants: Sequence[Want], waiting: str) -> Limits:
    """Windows are locked by ascending id once the statement's quotas are, before its positions."""
    windows = sorted({window for want in wants for window in want.windows})
    if not windows:
        return Limits()
    return Limits(
        f"""
            , windows AS MATERIALIZED (
                SELECT id, node_id, function, resource, starts_at, most - used - backlog AS room
                FROM inventory_capacitywindow
                WHERE id = ANY(%s) AND (SELECT count(*) >= 0 FROM quotas)
                ORDER BY id FOR UPDATE {waiting}
            )
        """,  # noqa: S608  # own text
        "AND (SELECT count(*) >= 0 FROM windows)",
        "(SELECT json_agg(windows) FROM windows)",
        (windows,),
    )


class Book(Protocol):
    """What a take asks before it serves a want, and tells of what it served."""

    def allows(self, want: Want, free: int) -> bool:
        """Whether the want may have its units, `free` of which nobody waited for."""

    def count(self, want: Want, free: int) -> None:
        """The want is served."""

    def write(self, taken: Sequence[Taken]) -> None:
        """Write down what was used."""


@dataclass(frozen=True, slots=True)
class Books:
    """Several books as one: each has its say."""

    books: tuple[Book, ...]

    def allows(self, want: Want, free: int) -> bool:
        return all(book.allows(want, free) for book in self.books)

    def count(self, want: Want, free: int) -> None:
        for book in self.books:
            book.count(want, free)

    def write(self, taken: Sequence[Taken]) -> None:
        for book in self.books:
            book.write(taken)


def joined(*books: Book | None) -> Book | None:
    """The books that there are, as one; None when there is none."""
    known = tuple(book for book in books if book is not None)
    return Books(known) if len(known) > 1 else known[0] if known else None


@dataclass(slots=True)
class _Window:
    """A locked window, and how much more it takes."""

    id: int
    node_id: int
    function: str
    resource: str
    starts_at: datetime
    room: int

    def needs(self, want: Want, *, first: bool) -> int:
        """What one want takes of it; an order and its parcel are counted with the first."""
        if self.resource in _PER_ORDER:
            return int(first)
        return want.quantity if self.resource == CapacityResource.UNITS else 1


@dataclass(slots=True)
class CapacityBook:
    """Windows of hard limits, locked by this transaction."""

    at: datetime
    windows: dict[int, _Window]
    _seen: set[tuple[int, UUID]] = field(default_factory=set)
    _used: Counter[tuple[int, UUID]] = field(default_factory=Counter)

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]] | None, *, at: datetime) -> "CapacityBook":
        """The book of the windows that the statement locked."""
        read = [
            _Window(**{**row, "starts_at": datetime.fromisoformat(row["starts_at"])})
            for row in rows or ()
        ]
        return cls(at, {window.id: window for window in read})

    def allows(self, want: Want, free: int) -> bool:
        """Whether every limit of the node has room; one that could not be locked has none."""
        del free
        for window_id in want.windows:
            window = self.windows.get(window_id)
            if window is None or window.needs(want, first=self._is_first(want, window_id)) > (
                window.room
            ):
                return False
        return True

    def count(self, want: Want, free: int) -> None:
        del free
        for window_id in want.windows:
            window = self.windows[window_id]
            units = window.needs(want, first=self._is_first(want, window_id))
            window.room -= units
            self._seen.add((window_id, want.thread_id))
            self._used[window_id, want.thread_id] += units

    def write(self, taken: Sequence[Taken]) -> None:
        """Count what was used, and enter it as of the orders that took it. One statement."""
        del taken
        used = {key: units for key, units in self._used.items() if units}
        if not used:
            return
        windows = [self.windows[window_id] for window_id, _ in used]
        with connection.cursor() as cursor:
            cursor.execute(
                _WRITE,
                [
                    [window.id for window in windows],
                    [thread_id for _, thread_id in used],
                    list(used.values()),
                    self.at,
                ],
            )
            [(entered,)] = cursor.fetchall()
        expect_rows(entered, len(used))

    def _is_first(self, want: Want, window_id: int) -> bool:
        return not want.is_counted and (window_id, want.thread_id) not in self._seen


_WRITE: Final = """
    WITH used AS (
        SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[]) AS u (id, cause_id, units)
    ), counted AS (
        UPDATE inventory_capacitywindow w SET used = w.used + s.units
        FROM (SELECT id, sum(units) AS units FROM used GROUP BY id) AS s
        WHERE w.id = s.id RETURNING w.id, w.node_id, w.function, w.resource, w.starts_at
    ), entered AS (
        INSERT INTO inventory_capacityentry (node_id, function, resource, starts_at, used, done,
            counted, cause_kind, cause_id, place, at)
        SELECT c.node_id, c.function, c.resource, c.starts_at, used.units, 0, true, 'order',
            used.cause_id, 0, %s
        FROM used JOIN counted c USING (id)
        RETURNING 1
    )
    SELECT count(*) FROM entered
"""
