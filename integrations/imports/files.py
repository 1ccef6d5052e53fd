"""Reading a file of orders: once through to know it, once more to stream its orders. Pure.

Lines of one order usually stand together. Where they do not, the first pass finds it out, and the
second holds such an order back until its last line has come: a file is never sorted in memory.
"""

import csv
import gzip
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from integrations.types import Unreadable

BLOCK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
FIELD_LIMIT = 1 << 20

Row = dict[str, str]
KeyOf = Callable[[Row], str]

csv.field_size_limit(FIELD_LIMIT)


@dataclass(frozen=True, slots=True)
class Scan:
    """What the first pass has learnt. `scattered` maps the orders with gaps to their last line.

    `credited` are the customers and SKUs of the file's credits: only their sales are remembered.
    """

    sha256: str
    lines: int
    orders: int
    scattered: dict[str, int]
    header: tuple[str, ...]
    credited: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class Piece:
    """The lines of one order: their numbers in the file and their columns."""

    key: str
    numbers: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def sha256_of(path: Path) -> str:
    """The hash of the file's bytes as they lie on disk."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def open_text(path: Path) -> IO[str]:
    """The file's text, unpacked when it is gzip; bytes that are no UTF-8 show as a mark."""
    with path.open("rb") as file:
        packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    opened: IO[str] = (gzip.open if packed else open)(
        path, "rt", encoding="utf-8-sig", errors="replace", newline=""
    )
    return opened


def rows_of(path: Path, delimiter: str) -> Iterator[tuple[int, Row | None]]:
    """Each line after the header with its number; None for one whose columns do not fit it."""
    with open_text(path) as file:
        reader = csv.reader(file, delimiter=delimiter)
        header = next(reader, None) or []
        width = len(header)
        for cells in reader:
            if cells:
                fits = len(cells) == width
                yield (
                    reader.line_num,
                    dict(zip(header, cells, strict=True)) if fits else None,
                )


def header_of(path: Path, delimiter: str) -> tuple[str, ...]:
    """The column names. Raises Unreadable for an empty file."""
    with open_text(path) as file:
        header = next(csv.reader(file, delimiter=delimiter), None)
    if not header:
        raise Unreadable("The file is empty.")
    return tuple(header)


def scan(
    path: Path, delimiter: str, key_of: KeyOf, look: Callable[[Row], None] = lambda _: None
) -> Scan:
    """Read the file once: count its lines and orders, and find the orders with gaps.

    `look` is shown every line whose columns fit the header.
    """
    header = header_of(path, delimiter)
    seen: set[str] = set()
    scattered: dict[str, int] = {}
    lines, last = 0, ""
    for number, row in rows_of(path, delimiter):
        lines += 1
        if row is None:
            continue
        look(row)
        key = key_of(row)
        if key in scattered or (key != last and key in seen):
            scattered[key] = number
        seen.add(key)
        last = key
    return Scan(sha256_of(path), lines, len(seen), scattered, header)


def pieces(path: Path, delimiter: str, key_of: KeyOf, known: Scan) -> Iterator[Piece]:
    """The file's orders, in the order of their last lines. A line with other columns stands alone,
    under an empty key and without a row.
    """
    waiting: dict[str, Piece] = {}
    current: Piece | None = None
    for number, row in rows_of(path, delimiter):
        if row is None:
            if current is not None:
                yield current
                current = None
            yield Piece("", [number])
            continue
        key = key_of(row)
        if key in known.scattered:
            held = waiting.setdefault(key, Piece(key))
            _add(held, number, row)
            if number == known.scattered[key]:
                yield waiting.pop(key)
            continue
        if current is not None and current.key != key:
            yield current
            current = None
        current = current or Piece(key)
        _add(current, number, row)
    if current is not None:
        yield current


def _add(piece: Piece, number: int, row: Row) -> None:
    piece.numbers.append(number)
    piece.rows.append(row)


def ends(piece: Piece) -> int:
    """The last line of the piece: when it has been dealt with, so have all its lines."""
    return piece.numbers[-1]


def missing(header: Sequence[str], wanted: Sequence[str]) -> list[str]:
    return [name for name in wanted if name not in header]
