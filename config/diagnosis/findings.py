"""What a check answers with, and the words it uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: a sentence, and what to do about it when it is not good."""

    level: Level
    said: str
    remedy: str = ""


def ok(said: str) -> Finding:
    return Finding(Level.OK, said)


def warn(said: str, remedy: str = "") -> Finding:
    return Finding(Level.WARN, said, remedy)


def fail(said: str, remedy: str) -> Finding:
    return Finding(Level.FAIL, said, remedy)


def rows(
    query: str, values: Sequence[str | int | list[str]] | Mapping[str, str] | None = None
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def listed(names: Sequence[str]) -> str:
    """Up to three names, and how many more."""
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def span(seconds: float) -> str:
    """A length of time as people say it."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
