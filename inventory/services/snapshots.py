"""Snapshots as documents: opened, filled in parts, closed; refused whole, or applied to the end."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum

from config.kernel import events
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Reconciliation, SnapshotDocument, SnapshotPart
from inventory.services import staging
from inventory.services.changes import require_node
from inventory.services.listening import keep, listen, require_snapshots, see_snapshot
from inventory.snapshot_files import Malformed, Read
from inventory.states import SnapshotState
from inventory.types import RowProblem, SnapshotDraft, SnapshotRowText

CHUNK: Final = 5_000
MOST_PROBLEMS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Totals:
    """How much its sender says there is; None where nothing is said."""

    rows: int | None = None
    units: int | None = None


@transaction.atomic
def open_snapshot(draft: SnapshotDraft, *, at: datetime, actor: Actor) -> UUID:
    """Begin a snapshot; nothing of it counts before it is closed.

    Raises NotFound for a node or account out of reach, Invalid for a figure of the future,
    Conflict for one that is older than the feed's last or from a feed of changes alone.
    """
    if draft.as_of > at:
        raise Invalid("A snapshot cannot be from the future.")
    require_node(draft.node_id, actor)
    if not actor.scope.allows(draft.account_id):
        raise NotFound("There is no such account.")
    feed = listen(draft.node_id, draft.source, [draft.account_id], at=at, actor=actor)[
        draft.account_id
    ]
    require_snapshots(feed, draft.as_of)
    document = SnapshotDocument(
        account_id=draft.account_id,
        node_id=draft.node_id,
        feed=feed,
        as_of=draft.as_of,
        sequence=draft.sequence,
        complete=draft.complete,
        opened_at=at,
        opened_by=actor.name,
    )
    document.save(force_insert=True)
    return document.id


@transaction.atomic
def add_part(
    document_id: UUID, number: int, read: Iterable[Read], *, at: datetime, actor: Actor
) -> int:
    """Stage the next part of an open snapshot; returns how many problems it has so far.

    Parts are numbered from 1. A part that has come already changes nothing when it is the same.
    Raises Conflict for a part out of turn, another content under a known number, or a snapshot
    that is closed; what is wrong with rows is told when it is closed.
    """
    document = _locked(document_id, actor)
    if document.state != SnapshotState.OPEN:
        raise Conflict("The snapshot is closed.")
    if number > document.parts + 1 or number < 1:
        raise Conflict(f"The next part is number {document.parts + 1}.")
    if number <= document.parts:
        _require_same(document, number, read)
        return int(document.problems_found)
    digest, before = hashlib.sha256(), document.rows
    for chunk in _chunks(_placed(_until_malformed(read), before)):
        digest.update(repr(chunk).encode())
        _stage(document, chunk)
    SnapshotPart.objects.create(
        document=document,
        number=number,
        rows=document.rows - before,
        digest=digest.hexdigest(),
    )
    document.parts = number
    document.save(update_fields=["parts", "rows", "units", "problems_found"])
    return int(document.problems_found)


@transaction.atomic
def close_snapshot(
    document_id: UUID, totals: Totals, *, at: datetime, actor: Actor
) -> SnapshotDocument:
    """Check the snapshot as a whole: accepted, to be applied to its end, or refused with reasons.

    Closing it again answers as before.
    """
    document = _locked(document_id, actor)
    if document.state != SnapshotState.OPEN:
        return document
    feeds = listen(
        document.node_id, document.feed.source, [document.account_id], at=at, actor=actor
    )
    feed = feeds[document.account_id]
    found = [*_totals_missed(document, totals), *staging.check(document, feed)]
    document.problems_found += _keep_problems(document, found)
    document.event_seq += 1
    if document.problems_found:
        document.refuse(at=at)
        staging.clear(document)
        _save(document, "snapshot.refused", at=at, actor=actor)
        keep([feed], at=at, actor=actor)
        return document
    document.accept(at=at)
    document.unlisted = staging.add_unlisted(document)
    see_snapshot(feed, document.as_of, document.sequence)
    keep([feed], at=at, actor=actor)
    Reconciliation(
        account_id=document.account_id,
        node_id=document.node_id,
        feed=feed,
        document=document,
        as_of=document.as_of,
        begun_at=at,
    ).save(force_insert=True)
    _save(document, "snapshot.accepted", at=at, actor=actor)
    return document


@transaction.atomic
def send_snapshot(
    draft: SnapshotDraft, read: Iterable[Read], totals: Totals, *, at: datetime, actor: Actor
) -> SnapshotDocument:
    """A snapshot in one piece: opened, filled and closed. Raises as `open_snapshot`."""
    document_id = open_snapshot(draft, at=at, actor=actor)
    add_part(document_id, 1, read, at=at, actor=actor)
    return close_snapshot(document_id, totals, at=at, actor=actor)


@transaction.atomic
def withdraw_snapshot(document_id: UUID, *, at: datetime, actor: Actor) -> None:
    """Give an open snapshot up. Raises IllegalTransition for one that is closed."""
    document = _locked(document_id, actor)
    document.withdraw(at=at)
    document.event_seq += 1
    staging.clear(document)
    _save(document, "snapshot.withdrawn", at=at, actor=actor)


def _locked(document_id: UUID, actor: Actor) -> SnapshotDocument:
    document: SnapshotDocument | None = (
        SnapshotDocument.objects.for_scope(actor.scope).locked([document_id]).first()
    )
    if document is None:
        raise NotFound("There is no such snapshot.")
    return document


def _save(document: SnapshotDocument, topic: str, *, at: datetime, actor: Actor) -> None:
    document.save(update_fields=["state", "closed_at", "problems_found", "unlisted", "event_seq"])
    events.record(
        [
            events.Fact(
                topic,
                "snapshot",
                document.id,
                document.event_seq,
                document.account_id,
                {"node_id": document.node_id, "rows": document.rows}
                | {"problems": document.problems_found},
            )
        ],
        at=at,
        actor=actor,
    )


def _chunks(read: Iterable[Read]) -> Iterable[list[Read]]:
    source = iter(read)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def _until_malformed(read: Iterable[Read]) -> Iterable[Read]:
    try:
        yield from read
    except Malformed as error:
        yield error.problem


def _placed(read: Iterable[Read], before: int) -> Iterable[Read]:
    """Rows numbered within the whole; 0 stays what is said of all."""
    if not before:
        return read
    return (replace(one, row=one.row + before) if one.row else one for one in read)


def _stage(document: SnapshotDocument, chunk: Sequence[Read]) -> None:
    """Put rows into the staging table, and keep what is wrong with them."""
    rows = [one for one in chunk if isinstance(one, SnapshotRowText)]
    problems = [one for one in chunk if isinstance(one, RowProblem)]
    unknown = staging.copy_rows(document, rows)
    document.problems_found += _keep_problems(document, [*problems, *unknown])
    highest = max((one.row for one in chunk), default=0)
    document.rows = max(document.rows, highest)
    document.units += sum(row.quantity for row in rows)


def _keep_problems(document: SnapshotDocument, problems: Sequence[RowProblem]) -> int:
    room = max(0, MOST_PROBLEMS - document.problems_found)
    if kept := problems[:room]:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO inventory_snapshotproblem (document_id, "row", "column", code, detail)
                SELECT %s, * FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[])
                """,
                [
                    document.id,
                    [one.row for one in kept],
                    [one.column for one in kept],
                    [one.code for one in kept],
                    [one.detail[:500] for one in kept],
                ],
            )
    return len(problems)


def _totals_missed(document: SnapshotDocument, totals: Totals) -> list[RowProblem]:
    missed = []
    if totals.rows is not None and totals.rows != document.rows:
        detail = f"{totals.rows} rows were announced, but {document.rows} came; send the whole."
        missed.append(RowProblem(0, "", "truncated", detail))
    elif totals.units is not None and totals.units != document.units:
        detail = f"{totals.units} units were announced, but the rows hold {document.units}."
        missed.append(RowProblem(0, "quantity", "wrong-total", detail))
    if not document.rows and not document.problems_found:
        missed.append(RowProblem(0, "", "empty", "The snapshot has no rows; send one each."))
    return missed


def _require_same(document: SnapshotDocument, number: int, read: Iterable[Read]) -> None:
    before = SnapshotPart.objects.filter(document=document, number__lt=number)
    first = before.aggregate(rows=Sum("rows"))["rows"] or 0
    digest = hashlib.sha256()
    for chunk in _chunks(_placed(_until_malformed(read), first)):
        digest.update(repr(chunk).encode())
    known = SnapshotPart.objects.get(document=document, number=number)
    if known.digest != digest.hexdigest():
        raise Conflict(f"Part {number} has come already with other rows.")


def accepted_snapshots(limit: int) -> list[UUID]:
    """Snapshots that are not applied to their end yet, oldest first."""
    waiting = SnapshotDocument.objects.for_scope(ALL_ACCOUNTS).filter(state=SnapshotState.ACCEPTED)
    return list(waiting.order_by("pk").values_list("pk", flat=True)[:limit])
