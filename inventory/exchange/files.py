"""Files of supply as text: the header is read, rows are cut into parts, whole files are written.

Cells are separated by commas, semicolons or tabs, whichever the header has. The values of cells are not
looked at here, but for rows that name the same thing twice.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from config.kernel.errors import Invalid
from inventory.exchange.cells import guarded, unguarded
from inventory.exchange.kinds import REMOVE, Kind
from inventory.snapshot_files import Malformed, decoded

PART_ROWS: Final = 100
MOST_ROWS: Final = 200_000
_SEPARATORS: Final = ",;\t"

Cells = list[str] | int
"""The cells of a row, or the number of the row before it that names the same thing."""


def read_header(kind: Kind, lines: Iterator[str]) -> tuple[list[str], str]:
    """The columns that the file names, and what separates its cells. Raises Invalid.

    Columns may be in any order and those that are not needed may be left out.
    """
    line = next(lines, "")
    separator = max(_SEPARATORS, key=line.count)
    names = [
        unguarded(name.strip()).lower()
        for name in next(csv.reader([line], delimiter=separator), [])
    ]
    offered = [column.name for column in kind.columns] + ([REMOVE] if kind.remove else [])
    if unknown := [name for name in names if name not in offered]:
        raise _refused(
            unknown[0], f"There is no column {unknown[0][:40]!r}; use {', '.join(offered)}."
        )
    if twice := [name for name in names if names.count(name) > 1]:
        raise _refused(twice[0], f"The header names {twice[0]} twice; drop one.")
    if lacking := [name for name in kind.key if name not in names]:
        raise _refused(lacking[0], f"The header lacks {lacking[0]}; add the column.")
    return names, separator


def read_rows(
    kind: Kind, names: Sequence[str], separator: str, lines: Iterator[str]
) -> Iterator[Cells]:
    """The rows after the header, empty lines left out. Raises Invalid where it cannot go on."""
    places = [names.index(name) for name in kind.key]
    seen: dict[tuple[str, ...], int] = {}
    number = 0
    try:
        for cells in csv.reader(lines, delimiter=separator, strict=True):
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            if number > MOST_ROWS:
                raise _refused("", f"The file has more than {MOST_ROWS:,} rows; split it.")
            read = [unguarded(cell.strip()) for cell in cells]
            yield _once(read, places, seen, number)
    except csv.Error as error:
        raise _refused("", f"Row {number + 1} is no CSV ({error}); write it again.") from None
    except Malformed as error:
        raise _refused(error.problem.column, error.problem.detail) from None
    if not number:
        raise _refused("", "The file has no rows; write one after the header.")


def text_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines of an uploaded file. Raises Invalid for one that is not UTF-8."""
    try:
        yield from decoded(chunks)
    except Malformed as error:
        raise _refused(error.problem.column, error.problem.detail) from None


def export_lines(kind: Kind, account_id: UUID) -> Iterator[str]:
    """The file of all rows as they stand: the header, then a line at a time."""
    names = [column.name for column in kind.columns]
    yield csv_line(names)
    for values in kind.current(account_id, None):
        yield csv_line([guarded(text) for text in shown(kind, values, names)])


def shown(kind: Kind, values: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """The values as text; one that means the same as an empty cell is empty."""
    texts = []
    for name in names:
        column, value = kind.column(name), values[name]
        texts.append("" if value is None or value == "" else column.cell.show(value))
    return texts


def _once(
    cells: list[str], places: Sequence[int], seen: dict[tuple[str, ...], int], number: int
) -> Cells:
    if len(cells) <= max(places):
        return cells
    named = tuple(cells[place] for place in places)
    first = seen.setdefault(named, number)
    return cells if first == number else first


def csv_line(cells: Sequence[str]) -> str:
    """The cells as a line of a CSV file."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _refused(column: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[{"pointer": f"/{column}", "code": "file", "detail": detail}])
