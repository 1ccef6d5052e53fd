"""Where a destination lies: ZIP geography in arrays, and coarser answers that say how coarse.

The `zipcodes` package knows 42,000 ZIP codes. They are read once per process, at the first
question, as arrays of numbers; nothing of the package's own rows is kept.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from routing.engine.types import Precision

ZIP_DIGITS = 5
AREA_DIGITS = 3
MEMO_SIZE = 8_192

_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Location:
    """A point in degrees, its time zone (IANA), and what the point stands for."""

    latitude: float
    longitude: float
    precision: Precision
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class ZipTable:
    """ZIP codes as ascending numbers with their points, and the mean points of areas and states."""

    codes: npt.NDArray[np.int32]
    latitudes: npt.NDArray[np.float32]
    longitudes: npt.NDArray[np.float32]
    zones: npt.NDArray[np.uint8]
    zone_names: tuple[str, ...]
    areas: dict[int, Location]
    states: dict[str, Location]

    def find(self, code: int) -> Location | None:
        at = int(np.searchsorted(self.codes, code))
        if at == len(self.codes) or self.codes[at] != code:
            return None
        return Location(
            float(self.latitudes[at]),
            float(self.longitudes[at]),
            Precision.POSTAL_CODE,
            self.zone_names[self.zones[at]],
        )


# Geographic centres of countries, in whole and half degrees: good enough to compare nodes that lie
# in another country, and marked as such in every decision that rests on one.
_COUNTRIES: dict[str, tuple[float, float]] = {
    "AD": (42.5, 1.5), "AE": (24.0, 54.0), "AR": (-34.0, -64.0), "AT": (47.5, 13.5),
    "AU": (-27.0, 133.0), "BE": (50.5, 4.5), "BG": (43.0, 25.0), "BH": (26.0, 50.5),
    "BR": (-10.0, -55.0), "CA": (56.0, -106.0), "CH": (47.0, 8.0), "CL": (-30.0, -71.0),
    "CN": (35.0, 105.0), "CO": (4.0, -72.0), "CY": (35.0, 33.0), "CZ": (49.5, 15.5),
    "DE": (51.0, 9.0), "DK": (56.0, 10.0), "EE": (59.0, 26.0), "EG": (27.0, 30.0),
    "ES": (40.0, -4.0), "FI": (64.0, 26.0), "FR": (46.0, 2.0), "GB": (54.0, -2.0),
    "GR": (39.0, 22.0), "HK": (22.5, 114.0), "HR": (45.0, 15.5), "HU": (47.0, 20.0),
    "ID": (-5.0, 120.0), "IE": (53.0, -8.0), "IL": (31.5, 34.5), "IN": (20.0, 77.0),
    "IS": (65.0, -18.0), "IT": (42.5, 12.5), "JE": (49.0, -2.0), "JP": (36.0, 138.0),
    "KR": (37.0, 127.5), "LB": (34.0, 36.0), "LT": (56.0, 24.0), "LU": (49.5, 6.0),
    "LV": (57.0, 25.0), "MT": (36.0, 14.5), "MX": (23.0, -102.0), "MY": (2.5, 112.5),
    "NL": (52.5, 5.5), "NO": (62.0, 10.0), "NZ": (-41.0, 174.0), "PE": (-10.0, -76.0),
    "PH": (13.0, 122.0), "PL": (52.0, 20.0), "PR": (18.0, -66.5), "PT": (39.5, -8.0),
    "RO": (46.0, 25.0), "RS": (44.0, 21.0), "SA": (25.0, 45.0), "SE": (62.0, 15.0),
    "SG": (1.5, 104.0), "SI": (46.0, 15.0), "SK": (48.5, 19.5), "TH": (15.0, 100.0),
    "TR": (39.0, 35.0), "TW": (23.5, 121.0), "UA": (49.0, 32.0), "US": (39.8, -98.6),
    "VN": (16.0, 106.0), "ZA": (-29.0, 24.0),
}  # fmt: skip
# US territories that have ZIP codes but also ISO country codes of their own.
_ZIP_COUNTRIES = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})


@lru_cache(maxsize=1)
def _zip_table() -> ZipTable:
    """The table, made in a process of its own: the package keeps 50 MB once it has been asked, and
    rows that become arrays leave 18 MB behind that nobody gets back.
    """
    made = subprocess.run(
        [sys.executable, "-m", "routing.zip_rows"], cwd=_ROOT, stdout=subprocess.PIPE, check=True
    )
    head, arrays = made.stdout.split(b"\n", 1)
    known = json.loads(head)
    count, names = known["count"], tuple(known["zones"])
    numbers, zones = 3 * 4 * count, count
    columns = np.frombuffer(arrays[:numbers], np.dtype("<i4")).reshape(3, count)
    return ZipTable(
        columns[0],
        columns[1].view("<f4"),
        columns[2].view("<f4"),
        np.frombuffer(arrays[numbers : numbers + zones], np.uint8),
        names,
        {int(area): _middle(row, Precision.AREA) for area, row in known["areas"].items()},
        {state: _middle(row, Precision.REGION) for state, row in known["states"].items()},
    )


def _middle(row: tuple[float, float, str], precision: Precision) -> Location:
    latitude, longitude, timezone = row
    return Location(latitude, longitude, precision, timezone)


def areas() -> Mapping[int, Location]:
    """The middle of every postal area: of the ZIP codes with the same first three digits."""
    return _zip_table().areas


def states() -> Mapping[str, Location]:
    """The middle of every state and territory that has ZIP codes."""
    return _zip_table().states


@lru_cache(maxsize=MEMO_SIZE)
def locate(postal_code: str, region: str, country: str) -> Location:
    """The best point known for a destination: its ZIP, its area, its state, or its country.

    A country outside the table gives (0, 0) with `unknown`, which makes all nodes far: the lanes
    and the decision then show that distance decided nothing.
    """
    country = country.upper() or "US"
    if country in _ZIP_COUNTRIES:
        table = _zip_table()
        digits = postal_code.strip()[:ZIP_DIGITS]
        if len(digits) == ZIP_DIGITS and digits.isdecimal():
            code = int(digits)
            if (exact := table.find(code)) is not None:
                return exact
            area = table.areas.get(code // 10 ** (ZIP_DIGITS - AREA_DIGITS))
            if area is not None:
                return area
        if (state := table.states.get(region.upper())) is not None:
            return state
    if (centre := _COUNTRIES.get(country)) is not None:
        return Location(*centre, Precision.COUNTRY)
    return Location(0.0, 0.0, Precision.UNKNOWN)
