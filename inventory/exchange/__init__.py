"""Supply as files: the kinds of file, what a row of each does, and imports with a dry run."""

from inventory.exchange.cells import Choice, Day, Flag, Moment, Named, Text, Whole
from inventory.exchange.files import export_lines
from inventory.exchange.imports import (
    JOB,
    begin,
    lines,
    one_import,
    receive,
    recent,
    results,
    results_csv,
    run_parts,
)
from inventory.exchange.kinds import (
    Column,
    Kind,
    Refusal,
    Row,
    Told,
    kind_of,
    kinds,
    register,
)

__all__ = [
    "JOB",
    "Choice",
    "Column",
    "Day",
    "Flag",
    "Kind",
    "Moment",
    "Named",
    "Refusal",
    "Row",
    "Text",
    "Told",
    "Whole",
    "begin",
    "export_lines",
    "kind_of",
    "kinds",
    "lines",
    "one_import",
    "receive",
    "recent",
    "register",
    "results",
    "results_csv",
    "run_parts",
]
