"""Drift: the books are summed anew, range by range and for ever; what does not hold is repaired.

The check reads and never repairs by itself. A repair is previewed, and applied only while the
figures are still those of the preview.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import OperationalError, connection, transaction

from config.kernel import case_reports, events
from config.kernel.errors import Conflict, NotFound
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory import drift
from inventory.ledger import LANDED_WORK, SHORTFALL_WORK, Book, write_work
from inventory.models import DriftWatch, StockDrift
from inventory.services.counts import ask_for_counts
from inventory.states import SELLABLE_CONDITIONS, CountKind, DriftKind, MovementKind
from inventory.stock_rows import Why
from inventory.types import (
    CountWanted,
    DriftFound,
    DriftRound,
    SubjectTag,
    subject_id,
)

STOCK_DRIFT: Final = "STOCK_DRIFT"
NAME: Final = "stock"
LEAST_SIZE, USUAL_SIZE = 10, 1_000
"""Positions that a range has at least, and until one takes too long."""
RANGE_SECONDS: Final = 3.0
"""How long one range may take PostgreSQL; a longer one is given up and tried in halves."""
TOLD_AT_ONCE: Final = 100
"""Findings of a range that get evidence and a case; the next round tells the others."""


def watch_drift(*, seconds: float, at: datetime, actor: Actor) -> DriftRound:
    """Look at ranges until so much time is spent; goes on where the last call ended.

    Called with no transaction open: each range is one of its own.
    """
    give_up = time.monotonic() + seconds
    positions = found = 0
    while True:
        turn = _look(at=at)
        positions, found = positions + turn.positions, found + turn.found
        if turn.is_complete or time.monotonic() >= give_up:
            return DriftRound(positions, found, turn.is_complete)


def watch_all_drift(*, seconds: float, at: datetime, actor: Actor) -> DriftRound:
    """Look at every position once, from the first on, whatever the present round has seen."""
    with transaction.atomic():
        watch = _watch(at)
        watch.after = watch.checked = watch.found = 0
        watch.save(update_fields=["after", "checked", "found"])
    return watch_drift(seconds=seconds, at=at, actor=actor)


def _look(*, at: datetime) -> DriftRound:
    try:
        return look_at_range(at=at)
    except OperationalError:
        with transaction.atomic():
            watch = _watch(at)
            if watch.size <= LEAST_SIZE:
                raise
            watch.size, watch.too_slow = max(LEAST_SIZE, watch.size // 2), watch.too_slow + 1
            watch.save(update_fields=["size", "too_slow"])
        return DriftRound(0, 0, is_complete=False)


@transaction.atomic
def look_at_range(*, at: datetime) -> DriftRound:
    """Look at the next range of positions and keep what does not hold there.

    What held again by itself is closed. After the last range the round ends and the next begins.
    """
    watch = _watch(at)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{RANGE_SECONDS}s'")
        seen = drift.compare_range(watch.after, watch.size)
        cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    if seen.positions:
        _keep(seen.drifts, watch.last_begun_at, at=at)
        _close_others(watch.after, seen.last, seen.drifts, at=at)
    watch.looked_at, watch.after = at, seen.last
    watch.checked += seen.positions
    watch.found += len(seen.drifts)
    if is_complete := seen.positions < watch.size:
        _turn(watch, at=at)
    watch.save()
    return DriftRound(seen.positions, len(seen.drifts), is_complete)


def _watch(at: datetime) -> DriftWatch:
    DriftWatch.objects.get_or_create(
        name=NAME, defaults={"begun_at": at, "looked_at": at, "size": USUAL_SIZE}
    )
    return DriftWatch.objects.select_for_update().get(name=NAME)


def _turn(watch: DriftWatch, *, at: datetime) -> None:
    watch.last_begun_at, watch.last_ended_at = watch.begun_at, at
    watch.last_checked, watch.last_found = watch.checked, watch.found
    watch.round, watch.after, watch.checked, watch.found = watch.round + 1, 0, 0, 0
    watch.begun_at = at


def keep_drifts(found: Sequence[DriftFound], *, at: datetime) -> None:
    """Keep what a look at all of them has found, in a transaction of its own."""
    with transaction.atomic():
        _keep(found, None, at=at)


def _keep(found: Sequence[DriftFound], since: datetime | None, *, at: datetime) -> None:
    """Write findings down: a known one is brought up to date, a new one is a case."""
    known = {
        (row.position_id, row.kind, row.level_id): row
        for row in StockDrift.objects.for_scope(ALL_ACCOUNTS)
        .filter(position_id__in={one.position_id for one in found}, closed_at=None)
        .order_by("pk")
    }
    fresh: list[StockDrift] = []
    for one in found:
        row = known.get(one.place)
        if row is not None:
            row.found, row.expected, row.last_seen_at = one.found, one.expected, at
        elif len(fresh) < TOLD_AT_ONCE:
            fresh.append(
                StockDrift(
                    account_id=one.account_id,
                    position_id=one.position_id,
                    level_id=one.level_id,
                    kind=one.kind,
                    found=one.found,
                    expected=one.expected,
                    evidence=drift.evidence_of(one, since),
                    seen_at=at,
                    last_seen_at=at,
                )
            )
    rows = StockDrift.objects.for_scope(ALL_ACCOUNTS)
    rows.bulk_update(known.values(), ["found", "expected", "last_seen_at"])
    rows.bulk_create(fresh)
    _report(fresh, {one.place: one for one in found}, at=at)


def _report(
    fresh: Sequence[StockDrift],
    found: Mapping[tuple[int, str, int | None], DriftFound],
    *,
    at: datetime,
) -> None:
    reports = []
    for row in fresh:
        one = found[row.position_id, row.kind, row.level_id]
        reports.append(
            case_reports.Report(
                STOCK_DRIFT,
                "position",
                subject_id(SubjectTag.POSITION, row.position_id),
                row.account_id,
                {"node_id": one.node_id, "sku_id": one.sku_id, "kind": row.kind}
                | {"found": row.found, "expected": row.expected, "cause": row.evidence["said"]}
                | {
                    name: row.evidence[name] for name in ("movement", "event") & row.evidence.keys()
                },
                cause=f"node:{one.node_id}",
            )
        )
    case_reports.report(reports, at=at)


def _close_others(after: int, last: int, found: Collection[DriftFound], *, at: datetime) -> None:
    """What was found before and holds now needs no repair."""
    places = {one.place for one in found}
    gone = [
        row.pk
        for row in StockDrift.objects.for_scope(ALL_ACCOUNTS).filter(
            position_id__gt=after, position_id__lte=last, closed_at=None
        )
        if (row.position_id, row.kind, row.level_id) not in places
    ]
    if gone:
        rows = StockDrift.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=gone)
        rows.update(closed_at=at)


@transaction.atomic
def repair_drift(drift_ids: Collection[UUID], token: str, *, at: datetime, actor: Actor) -> int:
    """Apply what was previewed under this token; returns how many sums hold again.

    What lies there is the truth of a level: the ledger gets the line that it lacks, a `discrepancy`,
    and the node is asked to count. Levels are the truth of what is sellable, open reservations of
    what is reserved; shortfall, units set aside and the work for both follow from these. All sums of
    the positions concerned are repaired together. Raises NotFound for a finding that is closed or of
    another account, Conflict when the figures are no longer those of the preview.
    """
    rows = list(StockDrift.objects.for_scope(actor.scope).filter(closed_at=None).locked(drift_ids))
    if len(rows) != len(set(drift_ids)):
        raise NotFound("Some of these findings are closed, or there never were such.")
    book = Book.of_positions({row.position_id for row in rows})
    found = drift.compare(book.positions)
    if drift.token_of(found) != token:
        raise Conflict("The figures have changed since the preview. Look at them again.")
    movements = _account_for(book, found, at=at)
    _recompute(book, found)
    facts = _facts(book, found)
    book.write(at=at, actor=actor)
    _write_work(book, at=at)
    events.record(facts, at=at, actor=actor)
    _ask_for_counts([one for one in found if one.level_id is not None], at=at, actor=actor)
    _close(rows, movements, at=at, actor=actor)
    return len(found)


def _account_for(book: Book, found: Sequence[DriftFound], *, at: datetime) -> dict[int, UUID]:
    """The line that each level's ledger lacks; its movement by level."""
    levels = {level.id: level for level in book.levels.values()}
    why = Why(MovementKind.DISCREPANCY, "drift", note="the ledger did not add up to what lies here")
    return {
        one.level_id: book.account_for(levels[one.level_id], one.found - one.expected, why, at=at)
        for one in found
        if one.level_id is not None
    }


def _recompute(book: Book, found: Sequence[DriftFound]) -> None:
    """Bring each position to what its levels and reservations say; the rest follows in `write`."""
    claimed = {one.position_id: one.expected for one in found if one.kind == DriftKind.RESERVED}
    for position_id in {one.position_id for one in found}:
        position = book.positions[position_id]
        position.sellable = sum(
            level.on_hand
            for level in book.levels.values()
            if level.position is position and level.condition in SELLABLE_CONDITIONS
        )
        position.reserved = claimed.get(position_id, position.reserved)
        position.event_seq += 1
        position.touched = True


def _facts(book: Book, found: Sequence[DriftFound]) -> list[events.Fact]:
    told: dict[int, list[DriftFound]] = {}
    for one in found:
        told.setdefault(one.position_id, []).append(one)
    return [
        events.Fact(
            "stock.repaired",
            "position",
            book.positions[position_id].subject,
            book.positions[position_id].event_seq,
            book.positions[position_id].key.account_id,
            {
                "position_id": position_id,
                "node_id": sums[0].node_id,
                "sku_id": sums[0].sku_id,
                "sums": [
                    {"kind": one.kind, "found": one.found, "expected": one.expected} for one in sums
                ],
            },
        )
        for position_id, sums in sorted(told.items())
    ]


def _write_work(book: Book, *, at: datetime) -> None:
    """The book writes work only where its units change; here the work itself may be wrong."""
    touched = [position for position in book.positions.values() if position.touched]
    write_work(SHORTFALL_WORK, [(row.id, row.shortfall) for row in touched], at=at)
    write_work(LANDED_WORK, [(row.id, row.landed) for row in touched], at=at)


def _ask_for_counts(found: Sequence[DriftFound], *, at: datetime, actor: Actor) -> None:
    places = {(one.node_id, one.sku_id): one.account_id for one in found}
    wanted = [
        CountWanted(
            account_id, *place, "the ledger did not add up", kind=CountKind.DIFFERENCE.value
        )
        for place, account_id in sorted(places.items())
    ]
    ask_for_counts(wanted, at=at, actor=actor)


def _close(
    rows: Sequence[StockDrift], movements: Mapping[int, UUID], *, at: datetime, actor: Actor
) -> None:
    positions = {row.position_id for row in rows}
    closed = list(
        StockDrift.objects.for_scope(ALL_ACCOUNTS)
        .filter(position_id__in=positions, closed_at=None)
        .order_by("pk")
    )
    for row in closed:
        row.closed_at, row.repaired_by, row.repaired_by_name = at, actor.id, actor.name
        row.movement_id = movements.get(row.level_id) if row.level_id is not None else None
    StockDrift.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        closed, ["closed_at", "repaired_by", "repaired_by_name", "movement_id"]
    )
