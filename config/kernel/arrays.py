"""Lists as PostgreSQL arrays, written quickly.

Every batch goes out as a few long arrays. psycopg adapts and searches them element by element,
which was a fifth of a batch's time; here a list of one plain type is written in one pass, and
every other list is left to psycopg.
"""

import json
from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.abc import Buffer, DumperKey
from psycopg.adapt import PyFormat
from psycopg.types.array import BaseListDumper, ListDumper
from psycopg.types.json import Json, Jsonb

_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def _texts(values: list[str]) -> Iterable[str]:
    joined = "".join(values)
    if '"' in joined or "\\" in joined:
        values = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return [f'"{value}"' for value in values]


def _uuids(values: list[UUID]) -> Iterable[str]:
    return [f"{value.int:032x}" for value in values]


def _plain(values: list[Any]) -> Iterable[str]:
    return map(str, values)


def _datetimes(values: list[datetime]) -> Iterable[str]:
    # Batches say the same few moments again and again; writing one costs more than finding it.
    written = {value: f'"{value}"' for value in set(values)}
    return [written[value] for value in values]


def _bools(values: list[bool]) -> Iterable[str]:
    return ["t" if value else "f" for value in values]


def _jsons(values: list[Json]) -> Iterable[str]:
    dumped = [value.dumps(value.obj) if value.dumps else _encode(value.obj) for value in values]
    return _texts([each if isinstance(each, str) else each.decode() for each in dumped])


def _bytes(values: list[bytes]) -> Iterable[str]:
    return [f'"\\\\x{value.hex()}"' for value in values]


Writer = Callable[[list[Any]], Iterable[str]]

_WRITERS: Final[dict[type, Writer]] = {
    UUID: _uuids,
    bool: _bools,
    bytes: _bytes,
    date: _plain,
    datetime: _datetimes,
    Decimal: _plain,
    int: _plain,
    Json: _jsons,
    Jsonb: _jsons,
    str: _texts,
}

_ARRAYS: Final[dict[type, int]] = {
    UUID: 2951,
    bool: 1000,
    bytes: 1001,
    date: 1182,
    datetime: 1185,
    Decimal: 1231,
    int: 1016,
    Json: 199,
    Jsonb: 3807,
    str: 0,
}
"""What PostgreSQL calls an array of each (`pg_type.oid`). Of texts it sees for itself."""


def _known_kind(values: list[Any]) -> type | None:
    """The one type of which all are, but for NULLs, where we know its array; else None."""
    kinds = set(map(type, values))
    kinds.discard(NoneType)
    kind = kinds.pop() if len(kinds) == 1 else None
    return kind if kind in _ARRAYS else None


def _writer_for(kinds: Collection[type]) -> Writer | None:
    """How lists of these types are written; None when psycopg must say."""
    if len(kinds) == 1 and (known := _WRITERS.get(next(iter(kinds)))):
        return known
    # Members of a text enumeration among plain texts, or nothing but NULLs.
    return _texts if all(issubclass(kind, str) for kind in kinds) else None


def _with_nulls(values: list[Any], write: Writer) -> Iterable[str]:
    written = iter(write([value for value in values if value is not None]))
    return ["NULL" if value is None else next(written) for value in values]


class QuickListDumper(ListDumper):
    """psycopg's own, but for lists of one type that is written the same everywhere.

    Whole numbers are always `bigint[]`: psycopg takes the smallest type that holds them, and a
    statement that was prepared for one is prepared again for the next.
    """

    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:  # noqa: A002  # psycopg's name
        kind = _known_kind(obj)
        return super().get_key(obj, format) if kind is None else (self.cls, kind)

    def upgrade(self, obj: list[Any], format: PyFormat) -> BaseListDumper:  # noqa: A002  # likewise
        kind = _known_kind(obj)
        if kind is None:
            return super().upgrade(obj, format)
        dumper = type(self)(self.cls, self._tx)
        dumper.oid = _ARRAYS[kind]
        return dumper

    def dump(self, obj: list[Any]) -> Buffer | None:
        kinds = set(map(type, obj))
        has_nulls = NoneType in kinds
        kinds.discard(NoneType)
        write = _writer_for(kinds)
        if write is None or self.delimiter != b",":
            return super().dump(obj)
        parts = _with_nulls(obj, write) if has_nulls else write(obj)
        text = ",".join(parts)
        if "\x00" in text:
            return super().dump(obj)  # which says what is wrong with it
        return f"{{{text}}}".encode()


def register() -> None:
    """Have every connection made from now on use it."""
    psycopg.adapters.register_dumper(list, QuickListDumper)
