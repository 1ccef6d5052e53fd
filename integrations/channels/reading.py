"""Reading hostile input: amounts, instants and text of remote documents, each with a clear refusal.

Problems that leave an order readable are collected and become review holds; only what makes a
document no order at all raises.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from config.kernel import money
from integrations.types import Unreadable
from orders.types import DraftProblem

MAX_LINES = 1_000
MAX_QUANTITY = 1_000_000
MAX_AMOUNT = Decimal(10) ** 11
MAX_TEXT = 500


@dataclass(slots=True)
class Reading:
    """One document being read: its currency, and what was wrong with it so far."""

    currency: str
    problems: list[DraftProblem] = field(default_factory=list)

    def note(self, code: str, detail: str, pointer: str = "") -> None:
        self.problems.append(DraftProblem(code, detail, pointer))

    def decimal(self, value: object, pointer: str) -> Decimal:
        """A decimal number; what is absent is zero, what is not a number is zero and a problem."""
        if value in (None, ""):
            return Decimal(0)
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) > MAX_AMOUNT:
            self.note("not-a-number", f"{text(value, 40)!r} is not an amount.", pointer)
            return Decimal(0)
        return number

    def minor(self, value: object, pointer: str) -> int:
        return money.to_minor(self.decimal(value, pointer), self.currency)

    def quantity(self, value: object, pointer: str) -> int:
        """A whole number of units; anything else raises, for a line without units is no line."""
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number != int(number) or not 0 <= number <= MAX_QUANTITY:
            raise Unreadable(f"{text(value, 40)!r} is not a number of units.", pointer=pointer)
        return int(number)

    def instant(
        self, value: object, fallback: datetime, pointer: str, zone: str = "UTC"
    ) -> datetime:
        """An instant; one without an offset is in `zone`, one that cannot be read the fallback."""
        if not value:
            return fallback
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.note("not-a-time", f"{text(value, 40)!r} is not a date and time.", pointer)
            return fallback
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        return moment.astimezone(UTC)


def major(minor: int, currency: str) -> Decimal:
    """Minor units as remote documents write amounts."""
    return Decimal(minor).scaleb(-money.exponent(currency))


def text(value: object, length: int = MAX_TEXT) -> str:
    """Printable text of at most `length` characters; null bytes and line ends become blanks."""
    if value is None:
        return ""
    return "".join(c if c.isprintable() else " " for c in str(value))[:length].strip()


def rows(document: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """A list of objects inside a document; anything else reads as an empty list."""
    value = document.get(name)
    if not isinstance(value, list):
        return ()
    if len(value) > MAX_LINES:
        raise Unreadable(
            f"{name} has {len(value)} entries; {MAX_LINES} are the most.", pointer=name
        )
    return [row for row in value if isinstance(row, dict)]


def mapping(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def parsed(raw: bytes) -> dict[str, Any] | None:
    """The JSON object in these bytes; None when there is none."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def required_id(document: object) -> str:
    """The document's own id. Raises Unreadable for anything without one."""
    if not isinstance(document, dict) or document.get("id") in (None, ""):
        raise Unreadable("The document has no id.", pointer="/id")
    return text(document["id"], 128)
