"""An accepted snapshot goes into the book range by range, each in a transaction of its own.

The database compares; only lines that differ leave it. A range that was written is never written
again: the document's `cursor` moves in the same transaction, so a killed worker loses nothing.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports, events
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory import ledger_bulk, picks
from inventory.ledger import Book
from inventory.models import Feed, Reconciliation, SnapshotDocument
from inventory.probable import is_in_flight, probable_cause
from inventory.services import comparing, staging
from inventory.services.comparing import Compared
from inventory.services.feeds import set_level
from inventory.services.landing import land
from inventory.services.naming import name_causes
from inventory.services.runs import (
    Gap,
    Worth,
    add_differences,
    discrepancies,
    has_limits,
    is_healed,
    worth_of,
)
from inventory.services.snapshots import accepted_snapshots
from inventory.states import DifferenceState, MovementKind, SnapshotState
from inventory.stock_rows import Why

RANGE: Final = 5_000
"""Rows at a time: locks are held for a part of a second, and memory stays flat."""


def apply_left_behind(*, at: datetime, actor: Actor, ranges: int = 40) -> int:
    """Go on with accepted snapshots, oldest first; returns how many ranges were written.

    Called with no transaction open: each range is one of its own.
    """
    written = 0
    for document_id in accepted_snapshots(ranges):
        while written < ranges and apply_range(document_id, at=at, actor=actor):
            written += 1
    return written


@transaction.atomic
def apply_range(document_id: UUID, *, at: datetime, actor: Actor, size: int = RANGE) -> bool:
    """Bring the next rows of an accepted snapshot into the book; False when none is left.

    Lines that are equal, or that the feed's rules heal, count as told as of the snapshot. What
    moves just now settles by itself; every other line stays as it is, as a difference with its
    probable cause. Of a document that is not accepted nothing is applied.
    """
    document = SnapshotDocument.objects.for_scope(ALL_ACCOUNTS).locked([document_id]).first()
    if document is None or document.state != SnapshotState.ACCEPTED:
        return False
    feed: Feed = document.feed
    run = Reconciliation.objects.for_scope(ALL_ACCOUNTS).get(document=document)
    last = document.rows + document.unlisted
    high = min(last, document.cursor + size)
    if high > document.cursor:
        _apply(document, feed, run, high, at=at, actor=actor)
        document.cursor = high
    if high < last:
        document.save(update_fields=["cursor"])
        return True
    _finish(document, feed, run, at=at, actor=actor)
    return False


def _apply(
    document: SnapshotDocument,
    feed: Feed,
    run: Reconciliation,
    high: int,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    ledger_bulk.lock_places(*comparing.places(document, high))
    aside = picks.units_aside(document.node_id)
    found = comparing.compare(document, feed, high, aside if feed.nets_picked else {})
    seen = comparing.evidence(document, feed, found.gaps, aside)
    worth = worth_of(found.gaps, feed)
    for gap in found.gaps:
        gap.evidence = seen.get(gap.row, gap.evidence)
        _judge(gap, feed, worth.get(gap.sku_id, Worth()))
    healed = [gap for gap in found.gaps if gap.state == DifferenceState.HEALED]
    left_out = {gap.position_id for gap in found.gaps if gap.state != DifferenceState.HEALED}
    comparing.count(document, high, left_out)
    _heal(document, feed, run, found, healed, at=at, actor=actor)
    comparing.supersede_range(document, high, at=at)
    add_differences(run.id, document.account_id, found.gaps, at=at)
    _add_up(run, found, healed)


def _judge(gap: Gap, feed: Feed, worth: Worth) -> None:
    """Whether a line settles by itself, follows the feed, or is for a person."""
    cause = is_in_flight(gap.units, gap.evidence)
    if cause is not None:
        gap.state, gap.cause = DifferenceState.IN_FLIGHT.value, cause.value
    elif not is_healed(gap, feed, worth):
        gap.state = DifferenceState.OPEN.value
        gap.cause = probable_cause(gap.units, gap.present, gap.target, gap.evidence).value


def _heal(
    document: SnapshotDocument,
    feed: Feed,
    run: Reconciliation,
    found: Compared,
    healed: Sequence[Gap],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Write healed lines: the plain ones at once, the others through the Book."""
    plain = [gap for gap in healed if found.is_plain(gap)]
    moves = ledger_bulk.PlainMoves(
        [gap.position_id for gap in plain],
        [gap.condition for gap in plain],
        [gap.units for gap in plain],
        [gap.target for gap in plain],
        [MovementKind.SNAPSHOT.value] * len(plain),
        [document.as_of] * len(plain),
        ["reconciliation"] * len(plain),
        [run.id] * len(plain),
        [feed.source] * len(plain),
        [""] * len(plain),
        [""] * len(plain),
    )
    ledger_bulk.make_levels({(gap.position_id, gap.condition) for gap in plain if not gap.present})
    for gap, movement_id in zip(plain, ledger_bulk.post(moves, actor=actor), strict=True):
        gap.movement_id = movement_id
    rest = [gap for gap in healed if gap.movement_id is None]
    if rest:
        book = Book.of_positions({gap.position_id for gap in rest})
        arrived: Counter[int] = Counter()
        why = Why(MovementKind.SNAPSHOT, "reconciliation", run.id, feed.source)
        for gap in rest:
            gap.movement_id, _ = set_level(book, gap, why, arrived, at=document.as_of)
        land(book, arrived)
        book.write(at=at, actor=actor)
    if not has_limits(feed):
        case_reports.report(discrepancies(healed, document.node_id, document.account_id), at=at)


def _add_up(run: Reconciliation, found: Compared, healed: Sequence[Gap]) -> None:
    states = Counter(gap.state for gap in found.gaps)
    run.compared += found.compared
    run.equal += found.compared - len(found.gaps)
    run.healed += len(healed)
    run.in_flight += states[DifferenceState.IN_FLIGHT.value]
    run.opened += states[DifferenceState.OPEN.value]
    run.units_up += sum(gap.units for gap in found.gaps if gap.units > 0)
    run.units_down -= sum(gap.units for gap in found.gaps if gap.units < 0)
    run.save(
        update_fields=[
            "compared", "equal", "healed", "in_flight", "opened", "units_up", "units_down"
        ]
    )  # fmt: skip


def _finish(
    document: SnapshotDocument, feed: Feed, run: Reconciliation, *, at: datetime, actor: Actor
) -> None:
    """The last row is in: name what is open, and be done with the staged rows."""
    name_causes(run, at=at)
    staging.clear(document)
    document.finish(at=at)
    document.event_seq += 1
    document.save(update_fields=["state", "cursor", "applied_at", "event_seq"])
    run.ended_at = at
    run.save(update_fields=["ended_at"])
    Feed.objects.for_scope(ALL_ACCOUNTS).filter(pk=feed.pk).update(reconciled_at=at)
    shown = {
        "node_id": document.node_id,
        "run_id": str(run.id),
        "compared": run.compared,
        "healed": run.healed,
        "opened": run.opened,
    }
    events.record(
        [
            events.Fact(
                "snapshot.applied",
                "snapshot",
                document.id,
                document.event_seq,
                document.account_id,
                shown,
            )
        ],
        at=at,
        actor=actor,
    )
