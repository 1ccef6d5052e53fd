"""The columns of the order list: which are shown, and what each is in a CSV file.

The choice stands in the address (`cols`), so that links and saved views carry it; the last one
made is remembered by the browser and counts where the address names none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Final

from django.http import HttpRequest, HttpResponse

from config.reports.sql import Row

KEY: Final = "cols"
COOKIE: Final = "order_columns"
_YEAR_SECONDS: Final = 365 * 24 * 3_600
Fields = tuple[tuple[str, Callable[[Row], object]], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `fields` are the columns of the CSV file that it stands for."""

    code: str
    label: str
    fields: Fields
    usual: bool = True


def _of(*names: str) -> Fields:
    return tuple((name, itemgetter(name)) for name in names)


def _words(name: str, key: str) -> Fields:
    return ((name, lambda row: " ".join(row[key] or ())),)


def _moment(name: str) -> Fields:
    return ((name, lambda row: _iso(row[name])),)


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


ALWAYS: Final[Fields] = _of("number", "external_number")
COLUMNS: Final = (
    Column("placed", "Placed", _moment("placed_at")),
    Column("channel", "Channel", (("channel", itemgetter("channel_code")),)),
    Column("brand", "Brand", (("brand", itemgetter("brand_name")),), usual=False),
    Column("progress", "Progress", _of("state", "progress")),
    Column("payment", "Payment", _of("payment_state")),
    Column("holds", "Hold, case", (*_words("holds", "hold_types"), *_of("open_cases"))),
    Column("nodes", "Node", _words("nodes", "nodes")),
    Column("ship_by", "Ships by", _moment("ship_by")),
    Column("promise", "Promised for", _moment("deliver_by"), usual=False),
    Column("lines", "Lines", (("lines", itemgetter("line_count")),), usual=False),
    Column("units", "Units", _of("units")),
    Column("open_units", "Units open", _of("open_units"), usual=False),
    Column("total", "Total", (("total", itemgetter("total_minor")), *_of("currency"))),
    Column("priority", "Priority", _of("priority"), usual=False),
    Column("tags", "Tags", _words("tags", "tags"), usual=False),
)
USUAL: Final = tuple(each for each in COLUMNS if each.usual)


def chosen(request: HttpRequest) -> tuple[Column, ...]:
    """The columns to show: named by the address, else the last choice, else the usual ones."""
    if KEY in request.GET:
        return named(request.GET[KEY].split(","))
    if request.COOKIES.get(COOKIE):
        return named(request.COOKIES[COOKIE].split("."))
    return USUAL


def remember(response: HttpResponse, columns: Iterable[Column] | None, *, secure: bool) -> None:
    """Keep the choice in the browser; None returns to the usual columns."""
    if columns is None:
        response.delete_cookie(COOKIE, samesite="Lax")
        return
    response.set_cookie(
        COOKIE,
        ".".join(each.code for each in columns),
        max_age=_YEAR_SECONDS,
        samesite="Lax",
        httponly=True,
        secure=secure,
    )


def named(codes: Iterable[str]) -> tuple[Column, ...]:
    """The columns of these codes in their own order; the usual ones when none is known."""
    wanted = set(codes)
    return tuple(each for each in COLUMNS if each.code in wanted) or USUAL


def address(columns: Iterable[Column]) -> str:
    """The choice as the address keeps it."""
    return ",".join(each.code for each in columns)


def fields(columns: Iterable[Column]) -> Fields:
    """The columns of the CSV file."""
    return (*ALWAYS, *(field for each in columns for field in each.fields))
