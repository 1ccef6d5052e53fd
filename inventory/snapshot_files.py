"""Snapshots as text: a CSV file with a header, or rows of named values. Pure; nothing is guessed.

The header names `sku` and `quantity`, and may name `condition`, `lot` and `owner`, in any order. A
last line `END,<rows>,<units>` says how much there should be. Whatever is wrong is told by row (the
first after the header is 1) and column, with what to do about it.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from inventory.states import Condition
from inventory.types import RowProblem, SnapshotRowText

COLUMNS: Final = ("sku", "quantity", "condition", "lot", "owner")
NEEDED: Final = ("sku", "quantity")
MOST_UNITS: Final = 1_000_000_000
SKU_LENGTH, LOT_LENGTH = 64, 64
TRAILER: Final = "END"
_LONGEST_LINE: Final = 10_000
_CONDITIONS: Final = frozenset(Condition.values)

Read = SnapshotRowText | RowProblem
"""A row that holds, or one thing that is wrong."""


class Malformed(Exception):
    """The file cannot be read any further: `problem` says where and why."""

    def __init__(self, problem: RowProblem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def decoded(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines of a UTF-8 file, with their ends. Raises Malformed for another encoding."""
    rest, row = b"", 0
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield _text(line, row) + "\n"
            row += 1
        if len(rest) > _LONGEST_LINE:
            raise Malformed(_too_long(row))
    if rest:
        yield _text(rest, row)


def read_file(lines: Iterable[str]) -> Iterator[Read]:
    """The rows of a CSV file, and what is wrong with them. Raises Malformed where it cannot go on."""
    reader = csv.reader(_whole(lines), strict=True)
    row = units = flawed = 0
    try:
        header = _header(next(reader, None))
        for cells in reader:
            if cells and cells[0] == TRAILER:
                yield from _check_trailer(cells, row, None if flawed else units)
                yield from _nothing_after(reader, row)
                return
            row += 1
            for one in _read_cells(row, header, cells):
                if isinstance(one, SnapshotRowText):
                    units += one.quantity
                else:
                    flawed += 1
                yield one
    except csv.Error as error:
        raise Malformed(
            RowProblem(row + 1, "", "unreadable", f"The row is no CSV ({error}); write it again.")
        ) from None
    if not row:
        raise Malformed(
            RowProblem(0, "", "empty", "The file has no rows; send one with a row each.")
        )


def read_rows(rows: Sequence[object], *, first: int) -> Iterator[Read]:
    """The same of rows that came as named values; `first` is the number of the first."""
    for row, values in enumerate(rows, first):
        if not isinstance(values, Mapping):
            yield RowProblem(row, "", "no-object", "A row is an object with sku and quantity.")
            continue
        if unknown := sorted(str(name) for name in values if name not in COLUMNS):
            yield RowProblem(row, unknown[0][:32], "unknown-column", _unknown(unknown[0]))
            continue
        yield from _read_values(row, values)


def _text(line: bytes, row: int) -> str:
    if len(line) > _LONGEST_LINE:
        raise Malformed(_too_long(row))
    try:
        text = line.removeprefix(b"\xef\xbb\xbf").decode() if row == 0 else line.decode()
    except UnicodeDecodeError as error:
        raise Malformed(
            RowProblem(
                row,
                "",
                "wrong-encoding",
                f"Byte {error.start + 1} of the line is no UTF-8; save the file as UTF-8.",
            )
        ) from None
    if "\0" in text:
        raise Malformed(
            RowProblem(row, "", "wrong-encoding", "The line holds NUL; save the file as UTF-8.")
        )
    return text


def _too_long(row: int) -> RowProblem:
    return RowProblem(
        row, "", "line-too-long", f"The line is longer than {_LONGEST_LINE:,} bytes; break it."
    )


def _whole(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if line.strip():
            yield line


def _header(cells: Sequence[str] | None) -> list[str]:
    if cells is None:
        raise Malformed(RowProblem(0, "", "empty", "The file is empty; send a header and rows."))
    names = [cell.strip().lower() for cell in cells]
    for name in names:
        if name not in COLUMNS:
            raise Malformed(RowProblem(0, name[:32], "unknown-column", _unknown(name)))
    for name in NEEDED:
        if name not in names:
            raise Malformed(
                RowProblem(0, name, "missing-column", f"The header lacks {name}; add the column.")
            )
    for name in names:
        if names.count(name) > 1:
            raise Malformed(
                RowProblem(0, name, "column-twice", f"The header names {name} twice; drop one.")
            )
    return names


def _unknown(name: str) -> str:
    return f"There is no column {name[:32]!r}; use {', '.join(COLUMNS)}, separated by commas."


def _read_cells(row: int, header: list[str], cells: list[str]) -> Iterator[Read]:
    if len(cells) != len(header):
        yield RowProblem(
            row,
            "",
            "wrong-columns",
            f"The row has {len(cells)} cells and the header {len(header)}; make them agree.",
        )
        return
    yield from _read_values(row, dict(zip(header, cells, strict=True)))


def _read_values(row: int, values: Mapping[str, object]) -> Iterator[Read]:
    sku = str(values.get("sku") or "").strip()
    condition = str(values.get("condition") or Condition.AVAILABLE.value).strip()
    lot = str(values.get("lot") or "").strip()
    quantity, told = _units(row, values.get("quantity"))
    owner_id, owner_told = _owner(row, str(values.get("owner") or "").strip())
    problems = [problem for problem in (told, owner_told) if problem]
    if not sku or len(sku) > SKU_LENGTH:
        detail = f"A SKU code has 1 to {SKU_LENGTH} characters; give the code."
        problems.append(RowProblem(row, "sku", "no-sku", detail))
    if condition not in _CONDITIONS:
        detail = f"No condition {condition[:32]!r}; use one of {', '.join(Condition.values)}."
        problems.append(RowProblem(row, "condition", "unknown-condition", detail))
    if len(lot) > LOT_LENGTH:
        detail = f"A lot has at most {LOT_LENGTH} characters; shorten it."
        problems.append(RowProblem(row, "lot", "lot-too-long", detail))
    if problems:
        yield from problems
    else:
        yield SnapshotRowText(row, sku, quantity, condition, lot, owner_id)


def _units(row: int, given: object) -> tuple[int, RowProblem | None]:
    text = str(given).strip() if isinstance(given, int | str) and given is not True else ""
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 12:
        detail = f"{text[:32]!r} is no whole number; write the units in digits alone."
        return 0, RowProblem(row, "quantity", "no-number", detail)
    units = int(text)
    if units < 0:
        detail = f"{units} units cannot lie there; a snapshot has none or more."
        return 0, RowProblem(row, "quantity", "negative", detail)
    if units > MOST_UNITS:
        detail = f"{units} units are more than {MOST_UNITS:,}; check the column."
        return 0, RowProblem(row, "quantity", "too-many", detail)
    return units, None


def _owner(row: int, text: str) -> tuple[UUID | None, RowProblem | None]:
    if not text:
        return None, None
    try:
        return UUID(text), None
    except ValueError:
        detail = f"{text[:40]!r} is no owner's id; give the id, or leave it empty."
        return None, RowProblem(row, "owner", "no-owner", detail)


def _check_trailer(cells: list[str], read: int, units: int | None) -> Iterator[RowProblem]:
    said = [cell.strip() for cell in cells[1:]]
    if len(said) != 2 or not all(cell.isascii() and cell.isdigit() for cell in said):
        yield RowProblem(0, "", "bad-trailer", "The last line is END,<rows>,<units>; correct it.")
    elif int(said[0]) != read:
        detail = f"The last line says {said[0]} rows, but {read} came; send the whole file."
        yield RowProblem(0, "", "truncated", detail)
    elif units is not None and int(said[1]) != units:
        detail = f"The last line says {said[1]} units, but the rows hold {units}; check both."
        yield RowProblem(0, "quantity", "wrong-total", detail)


def _nothing_after(reader: Iterator[list[str]], row: int) -> Iterator[RowProblem]:
    if next(reader, None) is not None:
        yield RowProblem(row, "", "after-the-end", "Rows follow END; put END last.")
