"""What a GS1 barcode says beside the article: lot, expiry and serial number (General Specifications, §3)."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

_FIXED: Final = {"01": 14, "11": 6, "13": 6, "15": 6, "17": 6}
"""Characters of the elements whose length is fixed; the others end at a separator."""
_BRACKETED: Final = re.compile(r"\((\d{2})\)([^(]*)")
_SEPARATOR: Final = "\x1d"


@dataclass(frozen=True, slots=True)
class Elements:
    """An article as its barcode has it: GTIN (01), lot (10), expiry (17), serial number (21)."""

    gtin: str
    lot: str = ""
    serial: str = ""
    expires_on: date | None = None


def read(text: str) -> Elements | None:
    """The elements of a scan that begins with a GTIN; None for any other text."""
    found = dict(_BRACKETED.findall(text)) if text.startswith("(01)") else _raw(text)
    gtin = found.get("01", "")
    if len(gtin) != _FIXED["01"] or not gtin.isdigit() or len(found) < 2:  # more than the GTIN
        return None
    return Elements(gtin, found.get("10", "")[:20], found.get("21", "")[:20], _day(found.get("17")))


def _raw(text: str) -> dict[str, str]:
    """As a scanner sends it: elements one after another, the last without a separator."""
    found: dict[str, str] = {}
    left = text.lstrip(_SEPARATOR)
    while len(left) > 2 and left[:2].isdigit():  # the identifier
        code, left = left[:2], left[2:]
        if code in _FIXED:
            found[code], left = left[: _FIXED[code]], left[_FIXED[code] :]
        elif code in {"10", "21"}:
            found[code], _, left = left.partition(_SEPARATOR)
        else:
            return {}
        left = left.lstrip(_SEPARATOR)
    return {} if left else found


def _day(text: str | None) -> date | None:
    """YYMMDD; day 00 is the last of the month. The century is the nearest one (§7.12)."""
    if text is None or not re.fullmatch(r"\d{6}", text):
        return None
    year, month, day = 2000 + int(text[:2]), int(text[2:4]), int(text[4:])
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        return None
