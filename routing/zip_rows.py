"""`python -m routing.zip_rows`: the ZIP codes that the `zipcodes` package knows, as JSON rows.

Number, latitude, longitude, state and time zone, ascending. The package keeps its whole table in
memory from the first question on; whoever asks through this process does not.
"""

import json
import sys

import zipcodes

READ_BY_DIGITS = 2


def main() -> None:
    """Print the rows, read a hundredth at a time: as dicts they are large."""
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
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
