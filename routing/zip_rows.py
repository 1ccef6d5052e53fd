"""`python -m routing.zip_rows`: the ZIP codes that the `zipcodes` package knows, as arrays.

The package keeps its whole table in memory from the first question on, and so would what is made
from its rows; whoever asks through this process keeps nothing but the arrays.

A line of JSON with how many there are, the time zones, and the middle of every area and state as
latitude, longitude and time zone; then, ascending by number and each of all rows: numbers (32 bits),
latitudes and longitudes (floats of 32 bits) and places among the time zones (a byte), low byte first.
"""

import json
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

import zipcodes

READ_BY_DIGITS = 2
AREA_SIZE = 100
"""ZIP codes of an area: those that begin with the same three digits."""

ZipRow = tuple[int, float, float, str, str]
"""Number, latitude, longitude, state, time zone."""


def main() -> None:
    """Print the table, of rows that were read a hundredth at a time: as dicts they are large."""
    rows = sorted(
        (
            int(row["zip_code"]),
            float(row["lat"]),
            float(row["long"]),
            str(row["state"]),
            # One row of the package names a village where its zone should stand.
            zone if "/" in (zone := str(row["timezone"])) else "UTC",
        )
        for first in range(10**READ_BY_DIGITS)
        for row in zipcodes.similar_to(f"{first:0{READ_BY_DIGITS}}")  # type: ignore[no-untyped-call]  # no types
        if row["lat"] and row["long"]
    )
    zones = sorted({row[4] for row in rows})
    place = {name: at for at, name in enumerate(zones)}
    head = {
        "count": len(rows),
        "zones": zones,
        "areas": _middles((row[0] // AREA_SIZE, row) for row in rows),
        "states": _middles((row[3], row) for row in rows),
    }
    out = sys.stdout.buffer
    out.write(json.dumps(head).encode() + b"\n")
    for kind, column in (("i", 0), ("f", 1), ("f", 2)):
        out.write(struct.pack(f"<{len(rows)}{kind}", *[row[column] for row in rows]))
    out.write(bytes(place[row[4]] for row in rows))


def _middles(rows: Iterable[tuple[int | str, ZipRow]]) -> dict[int | str, tuple[float, float, str]]:
    together: dict[int | str, list[ZipRow]] = {}
    for key, row in rows:
        together.setdefault(key, []).append(row)
    return {key: _middle(found) for key, found in together.items()}


def _middle(rows: Sequence[ZipRow]) -> tuple[float, float, str]:
    """The mean point of the ZIP codes, in the time zone that most of them keep."""
    zones = Counter(row[4] for row in rows)
    return (
        sum(row[1] for row in rows) / len(rows),
        sum(row[2] for row in rows) / len(rows),
        zones.most_common(1)[0][0],
    )


if __name__ == "__main__":
    main()
