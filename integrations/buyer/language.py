"""The languages that buyers are written to in: one catalog per file, all with the same keys.

A catalog is a TOML file in `languages/`. What is asked for in a language that has none is said in
English.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.utils import translation
from django.utils.formats import date_format

from config.kernel.money import Money, exponent

FALLBACK: Final = "en"
_FOLDER: Final = Path(__file__).parent / "languages"

# Where a country has one language that we write, it is the likely one of who lives there.
_SPOKEN: Final = dict.fromkeys(["DE", "AT", "LI"], "de") | dict.fromkeys(
    "ES MX AR CO CL PE EC UY PY BO CR PA GT HN SV NI DO CU VE".split(), "es"
)


@dataclass(frozen=True)
class Words:
    """One language: its texts by section, and how it writes dates and money.

    Times are given in the zone they are to be read in.
    """

    code: str
    direction: str
    texts: Mapping[str, Mapping[str, str]]
    formats: Mapping[str, str]

    def say(self, name: str, /, **values: object) -> str:
        """The text `section.key` with its names filled in. Raises KeyError for one that is not."""
        section, _, key = name.partition(".")
        return self.texts[section][key].format(**values)

    def knows(self, name: str) -> bool:
        section, _, key = name.partition(".")
        return key in self.texts.get(section, {})

    def day(self, moment: datetime) -> str:
        return self._date(moment, "day")

    def moment(self, moment: datetime) -> str:
        return self._date(moment, "moment")

    def _date(self, moment: datetime, form: str) -> str:
        with translation.override(self.code):
            return str(date_format(moment, self.formats[form]))

    def money(self, minor: int, currency: str) -> str:
        """The amount with the language's own marks: `1,234.50 EUR`, `1.234,50 EUR`."""
        plain = f"{Money(minor, currency).amount:,.{exponent(currency)}f}"
        marks = {",": self.formats["thousands"], ".": self.formats["decimal"]}
        return f"{''.join(marks.get(sign, sign) for sign in plain)} {currency}"


@cache
def languages() -> tuple[str, ...]:
    """The codes of the catalogs there are."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def words(code: str) -> Words:
    """The catalog of a language, or the English one."""
    known = code if code in languages() else FALLBACK
    read: dict[str, Any] = tomllib.loads((_FOLDER / f"{known}.toml").read_text(encoding="utf-8"))
    texts = {name: table for name, table in read.items() if isinstance(table, dict)}
    formats = {name: text for name, text in read.items() if isinstance(text, str)}
    return Words(known, formats["direction"], texts, formats)


def chosen(wishes: Iterable[str], country: str) -> str:
    """The first wish that has a catalog, else what is spoken in the country, else English.

    A wish is a language tag: `de`, `de-AT`, `es_MX`.
    """
    for wish in wishes:
        code = wish.replace("_", "-").partition("-")[0].lower()
        if code in languages():
            return code
    return _SPOKEN.get(country, FALLBACK)
