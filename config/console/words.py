"""How the console says things: counts, spans, moments and lists in plain English. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final

from config.kernel import money

_NUMBERS: Final = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
)  # fmt: skip
_SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_WEEK_DAYS: Final = 6


def number(count: int) -> str:
    """Small counts as words, others as figures with separators."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else f"{count:,}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 order`, `14 orders`, `2,310 orders`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], *, joint: str = "and") -> str:
    """`Reno`, `Reno and Dallas`, `Reno, Dallas and Columbus`."""
    if len(names) <= 1:
        return "".join(names)
    return f"{', '.join(names[:-1])} {joint} {names[-1]}"


def sentence(text: str) -> str:
    """The text with a capital first and a full stop last."""
    text = text.strip()
    if not text:
        return ""
    end = "" if text[-1] in ".?!:" else "."
    return text[0].upper() + text[1:] + end


def span(seconds: float) -> str:
    """A length of time in at most two units: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`."""
    seconds = abs(int(seconds))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        hours, rest = divmod(seconds, _HOUR)
        return f"{hours} h {rest // _MINUTE} min" if rest >= _MINUTE else f"{hours} h"
    days, rest = divmod(seconds, _DAY)
    return f"{days} d {rest // _HOUR} h" if rest >= _HOUR else f"{days} d"


def since(moment: datetime, now: datetime) -> str:
    """How far a moment is from now: `12 min ago`, `in 3 h`."""
    gap = (now - moment).total_seconds()
    if abs(gap) < _MINUTE:
        return "just now" if gap >= 0 else "in a moment"
    return f"{span(gap)} ago" if gap > 0 else f"in {span(gap)}"


def day(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """The day as people name it: today, yesterday, on Tuesday, on 3 Dec."""
    local, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    apart = (local - today).days
    near = {0: "today", -1: "yesterday", 1: "tomorrow"}
    if apart in near:
        return near[apart]
    if abs(apart) <= _WEEK_DAYS:
        return f"on {local:%A}"
    year = f" {local.year}" if local.year != today.year else ""
    return f"on {local.day} {local:%b}{year}"


def at_time(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """The day and the minute: `today 16:00`, `Tue 09:12`, `3 Dec 18:00`."""
    local = moment.astimezone(zone)
    apart = (local.date() - now.astimezone(zone).date()).days
    near = {0: "today", -1: "yesterday", 1: "tomorrow"}
    if apart in near:
        name = near[apart]
    elif abs(apart) <= _WEEK_DAYS:
        name = f"{local:%a}"
    else:
        same_year = local.year == now.astimezone(zone).year
        name = f"{local.day} {local:%b}" + ("" if same_year else f" {local.year}")
    return f"{name} {local:%H:%M}"


def exactly(moment: datetime, zone: tzinfo) -> str:
    """The moment in full, with its zone and in UTC: for titles and records."""
    local = moment.astimezone(zone)
    utc = moment.astimezone(tz=None) if moment.tzinfo is None else moment
    offset = utc.utcoffset() or timedelta()
    in_utc = (utc - offset).replace(tzinfo=None)
    return f"{local:%a} {local.day} {local:%b %Y %H:%M:%S} {local.tzname()} ({in_utc:%H:%M} UTC)"


def amount(minor: int, currency: str) -> str:
    """An amount for people: `$1,234.50`, `-€3.00`, `12.500 KWD`."""
    digits = money.exponent(currency)
    value = f"{Decimal(abs(minor)).scaleb(-digits):,.{digits}f}"
    sign = "-" if minor < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{value}" if symbol else f"{sign}{value} {currency}"
