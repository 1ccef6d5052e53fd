"""Imports: a file of orders, in transactions of some hundred, continued where it was stopped.

A batch's orders, its credits, the results of its lines and the file's position commit together. So
a line is counted once, whatever kills the process; the same file again changes nothing. The orders
are accepted by the next commit, as everywhere: credits lock tenders and accepting locks positions.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.db import transaction

import orders.services
from config.kernel.errors import Busy, Conflict
from config.kernel.types import ALL_ACCOUNTS, Actor, OutcomeKind
from integrations.imports.buckets import TOLD, Bucket, LineResult
from integrations.imports.credits import Book, Match
from integrations.imports.files import Scan
from integrations.imports.profiles import Profile, Translated
from integrations.models import ImportProblem, ImportRun
from integrations.services import import_credits
from integrations.states import ImportState
from integrations.types import ChannelRef

DETAIL_LENGTH = 500
NO_LIMIT = 0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import. `limit` stops after the order that holds that many lines; 0 takes all."""

    path: Path
    profile: Profile
    channel: ChannelRef
    mode: str
    batch: int = 500
    limit: int = NO_LIMIT


@dataclass(slots=True)
class Progress:
    """How far an import is: lines dealt with now and before, and the buckets of all of them."""

    run_id: UUID
    total: int
    before: int = 0
    done: int = 0
    finished: bool = False
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Batch:
    """Some orders of the file, with the credits already matched to earlier sales."""

    pieces: list[Translated]
    matches: dict[int, list[Match]]


def import_orders(
    request: ImportRequest,
    known: Scan,
    *,
    at: datetime,
    actor: Actor,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Import the file, or what is left of it. `watch` is called after each batch.

    Raises Busy when another process imports the same file at this moment.
    """
    run = _open_run(request, known, at=at, actor=actor)
    progress = Progress(run.pk, known.lines, counts=Counter(run.counts))
    progress.before = progress.done = sum(progress.counts.values())
    if run.state == ImportState.DONE:
        progress.finished = True
        return progress
    position = run.position
    book = Book(known.credited)
    stream = _after(_all_orders(request, known, at), position, book)
    try:
        while batch := _next_batch(stream, book, request, progress):
            position = _import_batch(request, run.pk, batch, position, progress, at, actor)
            watch(progress)
    except BaseException:
        _close_run(run.pk, finished=False, at=at)
        raise
    progress.finished = progress.done == known.lines
    _close_run(run.pk, finished=progress.finished, at=at)
    return progress


def _all_orders(request: ImportRequest, known: Scan, at: datetime) -> Iterator[Translated]:
    return request.profile.orders(
        request.path, known, request.channel, mode=request.mode, received_at=at
    )


def _after(stream: Iterator[Translated], position: int, book: Book) -> Iterator[Translated]:
    """Skip what was imported before, and write its sales and credits into the book again."""
    for piece in stream:
        if piece.last_line > position:
            yield piece
            continue
        if piece.draft is not None:
            book.sell(piece.draft)
        for credit in piece.credits:
            book.take_back(credit)


def _next_batch(
    stream: Iterator[Translated], book: Book, request: ImportRequest, progress: Progress
) -> _Batch | None:
    """The next orders, as many as fit; none when the file or the limit is at its end."""
    if request.limit and progress.done >= request.limit:
        return None
    pieces: list[Translated] = []
    lines = progress.done
    for piece in islice(stream, request.batch):
        pieces.append(piece)
        lines += piece.lines
        if request.limit and lines >= request.limit:
            break
    if not pieces:
        return None
    matches: dict[int, list[Match]] = {}
    for piece in pieces:
        if piece.draft is not None:
            book.sell(piece.draft)
        for credit in piece.credits:
            matches[credit.line] = book.take_back(credit)
    return _Batch(pieces, matches)


def _import_batch(
    request: ImportRequest,
    run_id: UUID,
    batch: _Batch,
    position: int,
    progress: Progress,
    at: datetime,
    actor: Actor,
) -> int:
    """Apply the batch; when it fails as a whole, halve it until what fails stands alone."""
    fresh: list[UUID] = []
    try:
        results, fresh = _apply(request, run_id, batch, position, at=at, actor=actor)
    except Busy:
        raise
    except Exception as fault:  # noqa: BLE001  # one order's fault must not stop the file
        if len(batch.pieces) > 1:
            middle = len(batch.pieces) // 2
            for part in (batch.pieces[:middle], batch.pieces[middle:]):
                half = _Batch(part, batch.matches)
                position = _import_batch(request, run_id, half, position, progress, at, actor)
            return position
        _log.exception("an order of a file could not be imported", extra={"run": str(run_id)})
        results = _failed(batch.pieces[0], fault)
        with transaction.atomic():
            _note(_gate(run_id, position), batch, results)
    if fresh and request.mode != "history":
        _accept(fresh, run_id, at=at, actor=actor)
    progress.counts.update(result.bucket.value for result in results)
    progress.done += len(results)
    return max(position, batch.pieces[-1].last_line)


@transaction.atomic
def _apply(
    request: ImportRequest,
    run_id: UUID,
    batch: _Batch,
    position: int,
    *,
    at: datetime,
    actor: Actor,
) -> tuple[list[LineResult], list[UUID]]:
    """Capture, credit, and note the results, in one transaction; also the orders to accept."""
    run = _gate(run_id, position)
    results = [result for piece in batch.pieces for result in piece.settled]
    captured, fresh = _capture(batch.pieces, at=at, actor=actor)
    results += captured
    lines = [credit for piece in batch.pieces for credit in piece.credits]
    results += import_credits.take(request.channel.id, lines, batch.matches, at=at, actor=actor)
    _note(run, batch, results)
    return results, fresh


def _accept(fresh: Sequence[UUID], run_id: UUID, *, at: datetime, actor: Actor) -> None:
    """Accept what was captured. What a fault of ours keeps from it is left to the sweeper."""
    try:
        orders.services.accept_orders(fresh, at=at, actor=actor)
    except Exception:  # noqa: BLE001  # the orders are kept and counted: the file goes on
        _log.exception("imported orders wait for the sweeper", extra={"run": str(run_id)})


def _gate(run_id: UUID, position: int) -> ImportRun:
    """The run, locked. Raises Busy when somebody else has moved it on."""
    run: ImportRun = ImportRun.objects.for_scope(ALL_ACCOUNTS).locked([run_id]).get()
    if run.position != position:
        raise Busy("Another process is importing this file.")
    return run


def _capture(
    pieces: Sequence[Translated], *, at: datetime, actor: Actor
) -> tuple[list[LineResult], list[UUID]]:
    """Capture the orders, and say of each line how it ended; also which orders are new."""
    sold = [(piece, piece.draft) for piece in pieces if piece.draft is not None]
    answers = orders.services.capture_orders([draft for _, draft in sold], at=at, actor=actor)
    fresh = [
        answer.value.id
        for answer in answers
        if answer.value is not None and answer.kind is OutcomeKind.DONE
    ]
    results = []
    for (piece, _), answer in zip(sold, answers, strict=True):
        for line, usual in piece.captures:
            bucket, code, detail = usual, "", ""
            if answer.value is None:
                bucket = Bucket.REFUSED
                code = answer.problem.code if answer.problem else "refused"
                detail = answer.problem.detail if answer.problem else ""
            elif answer.kind is OutcomeKind.REPEATED:
                bucket = Bucket.REPEATED
            elif answer.value.holds:
                bucket = Bucket.HELD
            results.append(LineResult(line, piece.reference, bucket, code, detail))
    return results, fresh


def _failed(piece: Translated, fault: Exception) -> list[LineResult]:
    """Every line of an order that hit a fault of ours, whatever it would have become."""
    lines = {line for line, _ in piece.captures}
    lines |= {credit.line for credit in piece.credits}
    lines |= {result.line for result in piece.settled}
    detail = f"{type(fault).__name__}: {fault}"[:DETAIL_LENGTH]
    return [
        LineResult(line, piece.reference, Bucket.FAILED, "fault", detail) for line in sorted(lines)
    ]


def _note(run: ImportRun, batch: _Batch, results: Sequence[LineResult]) -> None:
    """Move the run on, and keep the lines of which somebody may ask why."""
    counts = Counter(run.counts)
    counts.update(result.bucket.value for result in results)
    run.counts = dict(counts)
    run.position = max(run.position, batch.pieces[-1].last_line)
    run.save(update_fields=["counts", "position"])
    ImportProblem.objects.bulk_create(
        [
            ImportProblem(
                run=run,
                line=result.line,
                reference=result.reference[:120],
                bucket=result.bucket,
                code=result.code[:48],
                detail=result.detail[:DETAIL_LENGTH],
            )
            for result in results
            if result.bucket in TOLD
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def _open_run(request: ImportRequest, known: Scan, *, at: datetime, actor: Actor) -> ImportRun:
    """The run of this file, new or to be continued; a finished one comes back as it is."""
    run, created = ImportRun.objects.for_scope(actor.scope).get_or_create(
        channel_id=request.channel.id,
        format=request.profile.name,
        mode=request.mode,
        file_sha256=known.sha256,
        defaults={
            "account_id": request.channel.account_id,
            "file_name": request.path.name[:255],
            "started_at": at,
            "actor_id": actor.id[:64],
        },
    )
    found: ImportRun = run
    if not created and found.state != ImportState.DONE:
        found.resume()
        found.save(update_fields=["state", "finished_at"])
    return found


@transaction.atomic
def _close_run(run_id: UUID, *, finished: bool, at: datetime) -> None:
    run = ImportRun.objects.for_scope(ALL_ACCOUNTS).locked([run_id]).first()
    if run is None or run.state != ImportState.RUNNING:
        raise Conflict("The import has been closed by somebody else.")
    if finished:
        run.finish(at=at)
    else:
        run.stop(at=at)
    run.save(update_fields=["state", "finished_at"])
