"""What the cells of a file may hold: read from text, and shown as text that reads back the same.

`read` raises ValueError with a sentence that says what to do. A cell that a spreadsheet would take
for a formula is shown with an apostrophe before it, which is taken off again when it is read.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol

_FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠'")
_ROUNDED: Final = re.compile(r"\d+([.,]\d+)?E\+\d+", re.IGNORECASE)
_DIGITS: Final = re.compile(r"-?[0-9]{1,15}")
_YES: Final = frozenset({"yes", "true", "1", "y", "x"})
_NO: Final = frozenset({"no", "false", "0", "n"})


class Cell(Protocol):
    def read(self, text: str) -> Any: ...

    def show(self, value: Any) -> str: ...


@dataclass(frozen=True, slots=True)
class Text:
    """At most `longest` characters; `pattern` is what it must match as a whole, `like` an example."""

    longest: int = 200
    pattern: str = ""
    like: str = ""

    def read(self, text: str) -> str:
        if len(text) > self.longest:
            raise ValueError(f"It has more than {self.longest} characters; shorten it.")
        if self.pattern and not re.fullmatch(self.pattern, text):
            if _ROUNDED.fullmatch(text):
                raise ValueError(
                    "A spreadsheet has rounded the number; format the column as text, and write "
                    "it again."
                )
            raise ValueError(f"{text[:40]!r} is not of the right form; write it like {self.like}.")
        return text

    def show(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds."""

    least: int = 0
    most: int = 1_000_000_000

    def read(self, text: str) -> int:
        if not _DIGITS.fullmatch(text):
            raise ValueError(f"{text[:40]!r} is no whole number; write it in digits alone.")
        number = int(text)
        if not self.least <= number <= self.most:
            raise ValueError(f"{number} is not between {self.least} and {self.most}; correct it.")
        return number

    def show(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Flag:
    """yes or no."""

    def read(self, text: str) -> bool:
        said = text.lower()
        if said not in _YES | _NO:
            raise ValueError(f"{text[:40]!r} is neither yes nor no; write one of them.")
        return said in _YES

    def show(self, value: Any) -> str:
        return "yes" if value else "no"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: Collection[str]

    def read(self, text: str) -> str:
        if text.lower() not in self.words:
            raise ValueError(f"No {text[:40]!r}; use one of {', '.join(filter(None, self.words))}.")
        return text.lower()

    def show(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Day:
    """A date as 2026-11-22."""

    def read(self, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text[:40]!r} is no date; write it like 2026-11-22.") from None

    def show(self, value: Any) -> str:
        return str(value.isoformat())


@dataclass(frozen=True, slots=True)
class Moment:
    """A time with its offset, as 2026-11-22T14:00:00Z."""

    def read(self, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise ValueError(
                f"{text[:40]!r} is no time with its offset; write it like 2026-11-22T14:00:00Z."
            )
        return moment.astimezone(UTC)

    def show(self, value: Any) -> str:
        return str(value.astimezone(UTC).isoformat().replace("+00:00", "Z"))


@dataclass(frozen=True, slots=True)
class Named:
    """Named values as a JSON object: {"color": "Fern"}."""

    def read(self, text: str) -> dict[str, Any]:
        like = 'write it like {"color": "Fern"}.'
        try:
            return dict(json.loads(text).items())
        except (ValueError, AttributeError):
            raise ValueError(f"{text[:40]!r} is no JSON object; {like}") from None

    def show(self, value: Any) -> str:
        return json.dumps(value, sort_keys=True, ensure_ascii=False) if value else ""


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text and text[0] in _FORMULA and not _DIGITS.fullmatch(text) else text


def unguarded(text: str) -> str:
    """What a guarded cell stands for."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in _FORMULA else text
