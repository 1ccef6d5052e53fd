"""Lists as PostgreSQL arrays, written quickly.

Every batch goes out as a few long arrays. psycopg adapts and searches them element by element,
which was a fifth of a batch's time; here a list of one plain type is written in one pass, and
every other list is left to psycopg.
"""

import json
from collections.abc import Callable, Collection
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.abc import Buffer
from psycopg.types.array import ListDumper
from psycopg.types.json import Json, Jsonb

_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _of_uuid(value: UUID) -> str:
    return f"{value.int:032x}"


def _of_datetime(value: datetime) -> str:
    return f'"{value}"'


def _of_bool(value: bool) -> str:  # noqa: FBT001  # the element itself
    return "t" if value else "f"


def _of_json(value: Json) -> str:
    dumped = value.dumps(value.obj) if value.dumps else _encode(value.obj)
    return _quoted(dumped if isinstance(dumped, str) else dumped.decode())


def _of_bytes(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    UUID: _of_uuid,
    bool: _of_bool,
    bytes: _of_bytes,
    date: str,
    datetime: _of_datetime,
    Decimal: str,
    int: str,
    Json: _of_json,
    Jsonb: _of_json,
    str: _quoted,
}


def _writer_for(kinds: Collection[type]) -> Callable[[Any], str] | None:
    """How elements of these types are written; None when psycopg must say."""
    if len(kinds) == 1 and (known := _WRITERS.get(next(iter(kinds)))):
        return known
    # Members of a text enumeration among plain texts, or nothing but NULLs.
    return _quoted if all(issubclass(kind, str) for kind in kinds) else None


class QuickListDumper(ListDumper):
    """psycopg's own, but for lists of one type that is written the same everywhere."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        kinds = set(map(type, obj))
        has_nulls = NoneType in kinds
        kinds.discard(NoneType)
        write = _writer_for(kinds)
        if write is None or self.delimiter != b",":
            return super().dump(obj)
        if has_nulls:
            parts = ["NULL" if item is None else write(item) for item in obj]
        else:
            parts = list(map(write, obj))
        text = ",".join(parts)
        if "\x00" in text:
            return super().dump(obj)  # which says what is wrong with it
        return f"{{{text}}}".encode()


def register() -> None:
    """Have every connection made from now on use it."""
    psycopg.adapters.register_dumper(list, QuickListDumper)
