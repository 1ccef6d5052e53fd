"""What becomes of the rows of a file: each is read, compared with what is there, written or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import DataError, IntegrityError, transaction

from config.kernel.errors import DomainError, in_brief, is_passing
from config.kernel.types import Actor
from inventory.exchange.cells import Flag
from inventory.exchange.files import Cells, shown
from inventory.exchange.kinds import REMOVE, Column, Kind, Refusal, Row, Told, Write

_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class _Read:
    """A row as the file has it: the columns that it names."""

    number: int
    values: dict[str, Any]


def work(
    kind: Kind,
    account_id: UUID,
    header: Sequence[str],
    rows: Sequence[tuple[int, Cells]],
    *,
    at: datetime,
    actor: Actor,
) -> list[Told]:
    """Write what is new or changed, in the caller's transaction. One answer per row, in order.

    A row that cannot be written keeps no other from being so.
    """
    told: dict[int, Told] = {}
    read: list[_Read] = []
    for number, cells in rows:
        one = _read_row(kind, header, number, cells)
        if isinstance(one, Told):
            told[number] = one
        else:
            read.append(one)
    known = (
        {
            kind.key_of(values): values
            for values in kind.current(account_id, {kind.key_of(one.values) for one in read})
        }
        if read
        else {}
    )
    fresh: list[tuple[Row, Told]] = []
    gone: list[tuple[Row, Told]] = []
    for one in read:
        answer = _compare(kind, one, known.get(kind.key_of(one.values)))
        if isinstance(answer, Told):
            told[one.number] = answer
        else:
            (gone if answer[1].outcome == "removed" else fresh).append(answer)
    for wanted, write in [(gone, kind.remove), (fresh, kind.write)]:
        if wanted and write is not None:
            told |= _written(write, account_id, wanted, at=at, actor=actor)
    return [told[number] for number, _ in rows]


def _read_row(kind: Kind, header: Sequence[str], number: int, cells: Cells) -> _Read | Told:
    if isinstance(cells, int):
        detail = f"Row {cells} is about the same; keep one of them."
        return Told(number, "refused", kind.key[0], "twice", detail)
    if len(cells) != len(header):
        detail = f"The row has {len(cells)} cells and the header {len(header)}; make them agree."
        return Told(number, "refused", "", "wrong-columns", detail)
    values: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for name, text in zip(header, cells, strict=True):
        try:
            values[name] = _value(_column(kind, name), text)
        except ValueError as problem:
            problems.append((name, str(problem)))
    if problems:
        detail = " ".join(f"{name}: {said}" for name, said in problems)
        return Told(number, "refused", problems[0][0], "invalid", detail[:_LONGEST])
    return _Read(number, values)


def _value(column: Column, text: str) -> Any:
    if text:
        return column.cell.read(text)
    if column.needed:
        raise ValueError("It is empty; fill it in.")
    return column.empty


def _column(kind: Kind, name: str) -> Column:
    return Column(REMOVE, Flag(), empty=False) if name == REMOVE else kind.column(name)


def _compare(kind: Kind, one: _Read, known: Mapping[str, Any] | None) -> tuple[Row, Told] | Told:
    """What is to be written of the row, and what to say of it then; or what to say at once."""
    values = {name: value for name, value in one.values.items() if name != REMOVE}
    if one.values.get(REMOVE):
        if known is None:
            return Told(one.number, "same", detail="It is not there.")
        return Row(one.number, known, known=True), Told(one.number, "removed")
    if known is None:
        lacking = [c.name for c in kind.columns if c.needed and c.name not in values]
        if lacking:
            detail = f"It is new, and the file has no column {lacking[0]}; add it."
            return Told(one.number, "refused", lacking[0], "missing", detail)
        empty = {column.name: column.empty for column in kind.columns}
        return Row(one.number, empty | values, known=False), Told(one.number, "created")
    names = list(values)
    before, after = shown(kind, known, names), shown(kind, values, names)
    changes = [
        f"{name}: {was or 'empty'} → {now or 'empty'}"
        for name, was, now in zip(names, before, after, strict=True)
        if was != now
    ]
    if not changes:
        return Told(one.number, "same")
    row = Row(one.number, {**known, **values}, known=True)
    return row, Told(one.number, "changed", detail="; ".join(changes)[:_LONGEST])


def _written(
    write: Write,
    account_id: UUID,
    wanted: Sequence[tuple[Row, Told]],
    *,
    at: datetime,
    actor: Actor,
) -> dict[int, Told]:
    """Write the rows; those that cannot be are found by halves. What a lock keeps back is raised."""
    try:
        with transaction.atomic():
            refusals = write(account_id, [row for row, _ in wanted], at, actor)
    except (DomainError, IntegrityError, DataError) as error:
        if is_passing(error):
            raise
        if len(wanted) > 1:
            half = len(wanted) // 2
            return {
                number: told
                for part in (wanted[:half], wanted[half:])
                for number, told in _written(write, account_id, part, at=at, actor=actor).items()
            }
        refusals = [_refusal(error)]
    return {
        row.number: told
        if refusal is None
        else Told(row.number, "refused", refusal.column, refusal.code, refusal.detail[:_LONGEST])
        for (row, told), refusal in zip(wanted, refusals, strict=True)
    }


def _refusal(error: Exception) -> Refusal:
    if not isinstance(error, DomainError):
        return Refusal("", "conflict", f"The row contradicts what is there: {in_brief(error)}")
    errors = error.extra.get("errors") or [{}]
    column = errors[0].get("pointer", "").rpartition("/")[2]
    return Refusal(column, error.code, error.detail)
