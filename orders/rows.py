"""Several tables in one statement: inserts and updates as CTEs over `unnest`, row counts checked.

The number of statements, and of round trips, does not grow with the rows. What a row does not
name takes the field's default once, as a constant; what is the same in every row travels once; what
the database fills itself is left to it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.fields import NOT_PROVIDED
from psycopg.types.json import Jsonb

from config.kernel.ahead import when_answered
from config.kernel.errors import Conflict

_BETWEEN = "\x1f"

Row = Mapping[str, Any]


class RowsMoved(Conflict):
    """Rows that were read and locked are not as they were read: a programming error elsewhere."""

    code, title = "rows-moved", "The record changed meanwhile"


@dataclass(frozen=True, slots=True)
class Column:
    """A column as SQL sees it. Lists travel as joined text: arrays of arrays do not unnest."""

    name: str
    type: str
    is_list: bool
    is_json: bool
    filled_by_database: bool
    default: Any

    def scalar_type(self) -> str:
        """The type of one value as it travels."""
        return "text" if self.is_list else self.type

    def array_type(self) -> str:
        return f"{self.scalar_type()}[]"

    def read(self, source: str) -> str:
        value = f'{source}."{self.name}"'
        return f"string_to_array({value}, E'\\x1f')::{self.type}" if self.is_list else value

    def dumped(self, value: Any) -> Any:
        if self.is_list:
            return None if value is None else _BETWEEN.join(value)
        if self.is_json and value is not None:
            return Jsonb(value)
        return value

    def all_dumped(self, values: list[Any]) -> list[Any]:
        if self.is_list or self.is_json:
            return [self.dumped(value) for value in values]
        return values

    def is_same(self, values: Sequence[Any]) -> bool:
        """Whether one value stands for all. JSON that says something is not compared: 1 is no true."""
        first = values[0]
        if self.is_json and first not in ({}, None):
            return False
        return bool(first == values[-1]) and values.count(first) == len(values)


@cache
def columns_of(model: type[models.Model]) -> dict[str, Column]:
    """The model's columns by name, with what a missing value becomes."""
    known = {}
    for known_field in model._meta.concrete_fields:
        name = str(known_field.column)
        known[name] = Column(
            name=name,
            type=_type_of(known_field),
            is_list=isinstance(known_field, ArrayField),
            is_json=isinstance(known_field, models.JSONField),
            filled_by_database=known_field.has_db_default(),
            default=NOT_PROVIDED if known_field.primary_key else known_field.get_default(),
        )
    return known


def _type_of(known_field: Any) -> str:
    """The type to cast to; text for varchar, so that what is too long is refused, not cut."""
    named = str(known_field.db_type(connection))
    return "text" if named.startswith("varchar") and not named.endswith("[]") else named


@dataclass(slots=True)
class Statement:
    """A statement being put together; `run` sends it."""

    _parts: list[str] = field(default_factory=list)
    _params: list[Any] = field(default_factory=list)
    _expected: list[int] = field(default_factory=list)
    _counts: list[str] = field(default_factory=list)

    def insert(
        self,
        model: type[models.Model],
        rows: Sequence[Row],
        *,
        on_conflict: str = "",
        returning: Sequence[str] = (),
        owners: Sequence[Any] | None = None,
        owned_by: type[models.Model] | None = None,
        order_by: str = "",
    ) -> str:
        """Add an insert; answer the name of its CTE, empty when there are no rows.

        `owners` holds, row by row, the id that the first insert must have returned for this row
        to be written at all: children of what was there before are left out. With `owned_by` the
        owner is a row of that model instead, written by an earlier statement.
        """
        if not rows:
            return ""
        columns = columns_of(model)
        given = list(rows[0])
        constant = [
            column
            for name, column in columns.items()
            if name not in rows[0] and not column.filled_by_database
        ]
        names = ", ".join(f'"{name}"' for name in [*given, *(column.name for column in constant)])
        values = ", ".join(
            [
                *(columns[name].read("given") for name in given),
                *(self._constant(column) for column in constant),
            ]
        )
        source = f'"{owned_by._meta.db_table}"' if owned_by else "w0"
        join = "" if owners is None else f"JOIN {source} AS owning ON owning.id = given.owner"
        ordered = f'ORDER BY given."{order_by}"' if order_by else ""
        answered = ", ".join(f'"{name}"' for name in returning) or "1"
        self._parts.append(
            f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {values} '  # noqa: S608  # names from the model
            f"FROM {self._given(columns, given, rows, owners)} {join} {ordered} {on_conflict} "
            f"RETURNING {answered}"
        )
        if owners is None and not on_conflict:
            self._expect(len(rows))
        return f"w{len(self._parts) - 1}"

    def update(
        self, model: type[models.Model], rows: Sequence[Row], *, guard: str = "", key: str = "id"
    ) -> None:
        """Add an update of whole values, one row per record; each must be there and pass `guard`.

        In `guard` the record is `kept`, the row `given`. A column named `before_x` is only read.
        """
        if not rows:
            return
        columns = dict(columns_of(model))
        for name in rows[0]:
            if name.startswith("before_"):
                columns[name] = _renamed(columns[name.removeprefix("before_")], name)
        given = list(rows[0])
        sets = ", ".join(
            f'"{name}" = {columns[name].read("given")}'
            for name in given
            if name != key and not name.startswith("before_")
        )
        self._changing(model, columns, given, rows, sets, guard, key)

    def add(self, model: type[models.Model], rows: Sequence[Row], *, key: str = "id") -> None:
        """Add an update by differences; none of the values may fall below zero."""
        if not rows:
            return
        columns, given = columns_of(model), list(rows[0])
        changed = [name for name in given if name != key]
        sets = ", ".join(f'"{name}" = kept."{name}" + given."{name}"' for name in changed)
        guard = " AND ".join(f'kept."{name}" + given."{name}" >= 0' for name in changed)
        self._changing(model, columns, given, rows, sets, guard, key)

    def run(self) -> None:
        """Send it. Raises RowsMoved when an update or a plain insert missed a row.

        Within `sending_ahead` that is heard of at its end.
        """
        if not self._parts:
            return
        cursor, expected = connection.cursor(), self._expected
        cursor.execute(self._text(", ".join(self._counts) or "1"), self._params)

        def check() -> None:
            with cursor:
                [answered] = cursor.fetchall()
            if expected and list(answered) != expected:
                raise RowsMoved("What was about to be changed is not as it was read.")

        when_answered(check)

    def ask(self, names: Sequence[str]) -> Callable[[], list[tuple[Any, ...]]]:
        """Send it; what the first insert returned of these columns is read by calling the answer.

        Within `sending_ahead` the process goes on until then.
        """
        cursor = connection.cursor()
        cursor.execute(self._text(f"{', '.join(names)} FROM w0"), self._params)

        def read() -> list[tuple[Any, ...]]:
            with cursor:
                answered: list[tuple[Any, ...]] = cursor.fetchall()
            return answered

        return read

    def _text(self, answer: str) -> str:
        named = ", ".join(f"w{at} AS ({part})" for at, part in enumerate(self._parts))
        return f"WITH {named} SELECT {answer}"

    def _changing(
        self,
        model: type[models.Model],
        columns: Mapping[str, Column],
        given: Sequence[str],
        rows: Sequence[Row],
        sets: str,
        guard: str,
        key: str,
    ) -> None:
        condition = f" AND {guard}" if guard else ""
        self._parts.append(
            f'UPDATE "{model._meta.db_table}" AS kept SET {sets} '  # noqa: S608  # names from the model
            f"FROM {self._given(columns, given, rows, None)} "
            f'WHERE kept."{key}" = given."{key}"{condition} RETURNING 1'
        )
        self._expect(len(rows))

    def _given(
        self,
        columns: Mapping[str, Column],
        names: Sequence[str],
        rows: Sequence[Row],
        owners: Sequence[Any] | None,
    ) -> str:
        """The rows as SQL: columns of many values unnested, columns of one beside them."""
        arrays, listed, alike, params = [], [], [], []
        for place, name in enumerate(names):
            column = columns[name]
            values = [row[name] for row in rows]
            if place and column.is_same(values):
                alike.append(f'%s::{column.scalar_type()} AS "{name}"')
                self._params.append(column.dumped(values[0]))
            else:
                arrays.append(f"%s::{column.array_type()}")
                listed.append(f'"{name}"')
                params.append(column.all_dumped(values))
        if owners is not None:
            arrays.append("%s::uuid[]")
            listed.append("owner")
            params.append(list(owners))
        self._params += params
        chosen = ", ".join(["many.*", *alike])
        return (
            f"(SELECT {chosen} FROM unnest({', '.join(arrays)}) "  # noqa: S608  # names from the model
            f"AS many ({', '.join(listed)})) AS given"
        )

    def _constant(self, column: Column) -> str:
        if column.is_list:
            self._params.append(column.default)
        else:
            self._params.append(column.dumped(column.default))
        return f"%s::{column.type}"

    def _expect(self, count: int) -> None:
        self._expected.append(count)
        self._counts.append(f"(SELECT count(*) FROM w{len(self._parts) - 1})")  # noqa: S608


def _renamed(column: Column, name: str) -> Column:
    return Column(name, column.type, column.is_list, column.is_json, False, None)
