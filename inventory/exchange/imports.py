"""Imports: a file is received whole, checked by a job, looked at, and applied by another job.

A check does all that applying would and takes it back, some hundred rows at a time; so it tells of
each row what applying would. What a row of another part of the same file brings about is not seen by
a check.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel.errors import Conflict, NotFound
from config.kernel.models import Job
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome, Scope
from inventory import selectors
from inventory.exchange.cells import guarded
from inventory.exchange.files import (
    PART_ROWS,
    Cells,
    csv_line,
    read_header,
    read_rows,
    text_of,
)
from inventory.exchange.kinds import Kind, Told, kind_of
from inventory.exchange.working import work
from inventory.models import SupplyImport, SupplyImportPart

JOB: Final = "supply_import"
PARTS_AT_ONCE: Final = 5
KEPT: Final = timedelta(days=30)
"""How long the rows of a file are kept, with how each of them ended."""
_KEPT_AT_ONCE: Final = 20
_REMOVED_AT_ONCE: Final = 2_000


@transaction.atomic
def receive(
    kind: Kind,
    file_name: str,
    chunks: Iterable[bytes],
    *,
    account_id: UUID,
    at: datetime,
    actor: Actor,
) -> SupplyImport:
    """Keep a file as it came. Raises Invalid for one that is no file of this kind."""
    if not actor.scope.allows(account_id):
        raise NotFound("There is no such account.")
    lines = text_of(chunks)
    header, separator = read_header(kind, lines)
    run = SupplyImport(
        account_id=account_id,
        kind=kind.code,
        file_name=file_name[:255],
        header=header,
        received_at=at,
        received_by=actor.name,
    )
    run.save(force_insert=True)
    parts = _parts(run, read_rows(kind, header, separator, lines))
    while some := list(islice(parts, _KEPT_AT_ONCE)):
        SupplyImportPart.objects.bulk_create(some)
        run.rows = some[-1].first_row + len(some[-1].cells) - 1
    run.save(update_fields=["rows"])
    return run


@transaction.atomic
def begin(run_id: UUID, *, dry: bool, at: datetime, actor: Actor) -> Job:
    """Have a job check the file, or apply it. Raises NotFound, or IllegalTransition.

    The caller rings for the job after commit.
    """
    run = SupplyImport.objects.for_scope(actor.scope).locked([run_id]).first()
    if run is None:
        raise NotFound("There is no such import.")
    if dry:
        run.begin_check()
    else:
        run.apply()
    parts = SupplyImportPart.objects.filter(of=run)
    if not parts.update(told=None) and run.rows:
        raise Conflict("The rows of this file were removed after 30 days: send it again.")
    kind = kind_of(run.kind)
    job = jobs.enqueue(
        JOB,
        f"{'Check' if dry else 'Import'} {kind.label.lower()}: {run.file_name}"[:200],
        {"import": str(run.pk), "dry": dry},
        list(parts.order_by("first_row").values_list("pk", flat=True)),
        account_id=run.account_id,
        at=at,
        actor=actor,
    )
    run.job_id, run.counts = job.pk, {}
    run.save(update_fields=["state", "job_id", "counts"])
    return job


def run_parts(
    part_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[None]]:
    """Work on parts of a file, five in a transaction; a part that was worked on stays as it is."""
    run = SupplyImport.objects.for_scope(ALL_ACCOUNTS).get(pk=params["import"])
    refused: dict[UUID, int] = {}
    for start in range(0, len(part_ids), PARTS_AT_ONCE):
        some = part_ids[start : start + PARTS_AT_ONCE]
        refused |= _work_on(run, some, dry=params["dry"], at=at, actor=actor)
    _finish(run.pk, dry=params["dry"], at=at)
    return [
        Outcome.refused("rows-refused", f"{refused[part_id]} rows of this part were refused.")
        if refused.get(part_id)
        else Outcome.done(None)
        for part_id in part_ids
    ]


def remove_old(at: datetime) -> int:
    """Delete rows of files that came long ago and are not being worked on; how many parts.

    The import itself stays, with what became of its rows in sum.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM inventory_supplyimportpart WHERE id IN (
                SELECT part.id FROM inventory_supplyimport run
                JOIN inventory_supplyimportpart part ON part.of_id = run.id
                WHERE run.received_at < %s AND run.state NOT IN ('checking', 'applying')
                LIMIT %s)
            """,
            [at - KEPT, _REMOVED_AT_ONCE],
        )
        return int(cursor.rowcount)


def results(run_id: UUID) -> Iterator[Told]:
    """How each row ended, in their order."""
    found = SupplyImportPart.objects.filter(of_id=run_id).order_by("first_row")
    for told in found.values_list("told", flat=True).iterator(chunk_size=_KEPT_AT_ONCE):
        yield from (Told(*one) for one in told or ())


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a file as it came, and how it ended."""

    name: str
    told: Told


def recent(scope: Scope, *, limit: int = 50) -> list[SupplyImport]:
    """The imports of these accounts, newest first."""
    return list(SupplyImport.objects.for_scope(scope).order_by("-pk")[:limit])


def one_import(run_id: UUID, scope: Scope) -> SupplyImport:
    """Raises NotFound outside these accounts."""
    run: SupplyImport | None = SupplyImport.objects.for_scope(scope).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such import.")
    return run


def lines(run: SupplyImport, *, outcome: str = "", after: int = 0, limit: int = 100) -> list[Line]:
    """Rows of the file after this one with how they ended; only those of one outcome, if named."""
    places = [run.header.index(name) for name in kind_of(run.kind).key]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT one, p.cells -> ((one ->> 0)::int - p.first_row)
            FROM inventory_supplyimportpart p
            CROSS JOIN LATERAL jsonb_array_elements(p.told) AS each (one)
            WHERE p.of_id = %s AND (%s = '' OR one ->> 1 = %s) AND (one ->> 0)::int > %s
            ORDER BY (one ->> 0)::int LIMIT %s
            """,
            [run.pk, outcome, outcome, after, limit],
        )
        rows = [(json.loads(one), json.loads(cells)) for one, cells in cursor.fetchall()]
    return [Line(_named(cells, places), Told(*one)) for one, cells in rows]


def results_csv(run: SupplyImport) -> Iterator[str]:
    """How each row ended, as the lines of a CSV file."""
    yield csv_line(["row", "outcome", "column", "code", "detail"])
    for one in results(run.pk):
        values = [one.outcome, one.column, one.code, one.detail]
        yield csv_line([str(one.row), *(guarded(value) for value in values)])


def _named(cells: Cells, places: Sequence[int]) -> str:
    if isinstance(cells, int):
        return f"as row {cells}"
    return " · ".join(cells[place] for place in places if place < len(cells) and cells[place])


def _parts(run: SupplyImport, rows: Iterator[Cells]) -> Iterator[SupplyImportPart]:
    first = 1
    while some := list(islice(rows, PART_ROWS)):
        yield SupplyImportPart(of=run, first_row=first, cells=some)
        first += len(some)


@transaction.atomic
def _work_on(
    run: SupplyImport, part_ids: Sequence[UUID], *, dry: bool, at: datetime, actor: Actor
) -> dict[UUID, int]:
    """Work on these parts and keep what is told; returns the rows refused of each."""
    found = SupplyImportPart.objects.filter(of=run, pk__in=part_ids).order_by("pk")
    parts = sorted(found.select_for_update(), key=lambda part: part.first_row)
    fresh = [part for part in parts if part.told is None]
    rows = [(part.first_row + i, cells) for part in fresh for i, cells in enumerate(part.cells)]
    told = iter(_tried(run, rows, dry=dry, at=at, actor=actor))
    for part in fresh:
        part.told = [
            [one.row, one.outcome, one.column, one.code, one.detail]
            for one in islice(told, len(part.cells))
        ]
    SupplyImportPart.objects.bulk_update(fresh, ["told"])
    return {part.pk: sum(one[1] == "refused" for one in part.told or ()) for part in parts}


def _tried(
    run: SupplyImport,
    rows: Sequence[tuple[int, Cells]],
    *,
    dry: bool,
    at: datetime,
    actor: Actor,
) -> list[Told]:
    kind = kind_of(run.kind)
    if not dry:
        return work(kind, run.account_id, run.header, rows, at=at, actor=actor)
    try:
        with transaction.atomic():
            told = work(kind, run.account_id, run.header, rows, at=at, actor=actor)
            transaction.set_rollback(True)
    finally:
        # What was read under a version that is taken back would pass for the next one's.
        selectors.forget()
    return told


@transaction.atomic
def _finish(run_id: UUID, *, dry: bool, at: datetime) -> None:
    """Close the run once every row has its result."""
    if SupplyImportPart.objects.filter(of_id=run_id, told=None).exists():
        return
    run = SupplyImport.objects.for_scope(ALL_ACCOUNTS).locked([run_id]).get()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT one ->> 1, count(*) FROM inventory_supplyimportpart p
            CROSS JOIN LATERAL jsonb_array_elements(p.told) AS each (one)
            WHERE p.of_id = %s GROUP BY 1
            """,
            [run_id],
        )
        run.counts = dict(cursor.fetchall())
    if dry:
        run.finish_check()
    else:
        run.finish()
    run.ended_at = at
    run.save(update_fields=["state", "counts", "ended_at"])
