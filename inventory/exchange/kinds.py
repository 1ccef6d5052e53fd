"""The kinds of file that supply is exchanged in: their columns, and what a row of each does.

A kind says how its rows stand now (`current`) and how rows are written (`write`). Whether a row is new,
changed or the same is found here, by comparing; so a file that was exported changes nothing when it
comes back, and what is the same is not written.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.types import Actor
from inventory.exchange.cells import Cell

Key = tuple[Any, ...]
"""What names a row: the values of the kind's key columns."""

REMOVE: Final = "remove"
"""The column that every kind with `remove` has: a row that says yes is taken away."""


@dataclass(frozen=True, slots=True)
class Column:
    """`empty` is what an empty cell means, and what a new row has when the column is left out.

    A column that is needed may not be left out or empty.
    """

    name: str
    cell: Cell
    needed: bool = False
    empty: Any = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that holds: every column's value; those that the file left out are as they stand now."""

    number: int
    values: Mapping[str, Any]
    known: bool

    def __getitem__(self, column: str) -> Any:
        return self.values[column]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row cannot be: in which column, and what to do."""

    column: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """How a row ended: created, changed, same, removed or refused."""

    row: int
    outcome: str
    column: str = ""
    code: str = ""
    detail: str = ""


OUTCOMES: Final = ("created", "changed", "same", "removed", "refused")

Current = Callable[[UUID, Collection[Key] | None], Iterable[Mapping[str, Any]]]
Write = Callable[[UUID, Sequence[Row], datetime, Actor], Sequence[Refusal | None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """`current(account, keys)` yields the rows with these keys, or all in the order of their keys.

    `write` and `remove` take rows of one account and answer one refusal or None for each. They may
    also raise what the domain refuses: the rows are then tried in halves until the one that it is
    about stands alone.
    """

    code: str
    label: str
    about: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    current: Current
    write: Write
    permission: Permission
    remove: Write | None = None

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def key_of(self, values: Mapping[str, Any]) -> Key:
        return tuple(values[name] for name in self.key)


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Add kinds; called from `ready()`. Raises ValueError for a code that is taken."""
    for kind in kinds:
        if kind.code in _kinds:
            raise ValueError(f"the exchange kind {kind.code} is registered twice")
        _kinds[kind.code] = kind


def kinds() -> list[Kind]:
    """Every kind, in the order in which they depend on each other."""
    return list(_kinds.values())


def kind_of(code: str) -> Kind:
    """The kind with this code. Raises KeyError."""
    return _kinds[code]
