"""Snapshots: what a node's own system says lies there, as of a time."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from config.kernel.errors import Conflict, Invalid
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.ledger import Book
from inventory.models import FeedWatermark, Movement, Reservation
from inventory.services.changes import accounts_of, require_node
from inventory.services.landing import land
from inventory.states import (
    SELLABLE_CONDITIONS,
    Condition,
    FeedSemantics,
    MovementKind,
    ReservationState,
)
from inventory.stock_rows import Discrepancy, Position, PositionKey, Why
from inventory.types import ChangeAnswer, SnapshotRow

NOTABLE_UNITS = 5
NOTABLE_SHARE_PERCENT = 20

_LevelKey = tuple[int, str, str]


@transaction.atomic
def apply_snapshot(
    node_id: int,
    source: str,
    as_of: datetime,
    rows: Sequence[SnapshotRow],
    *,
    at: datetime,
    actor: Actor,
) -> list[Outcome[ChangeAnswer | None]]:
    """Bring the book to what the source saw at `as_of`. One outcome per row; None: nothing differed.

    Movements after `as_of` stand on top of it; committed units are added where the source has
    taken them off already. Raises Conflict for a snapshot older than the source's watermark or
    a source that sends deltas; a row older than the position's last count is refused.
    A row without a lot speaks for all lots of its condition.
    """
    if as_of > at:
        raise Invalid("A snapshot cannot be from the future.")
    require_node(node_id, actor)
    watermark = _advance(node_id, source, as_of, at=at)
    accounts = accounts_of({row.sku_id for row in rows}, actor)
    keys = [_key(node_id, row, accounts) for row in rows]
    book = Book.open_for({key for key in keys if key is not None})
    later = _moved_after(book.positions, as_of)
    if watermark.nets_committed:
        later.update(_committed(book.positions))
    arrived: Counter[int] = Counter()
    outcomes: list[Outcome[ChangeAnswer | None]] = []
    for row, key in zip(rows, keys, strict=True):
        outcomes.append(_apply(book, row, key, later, arrived, source, as_of))
    land(book, arrived)
    book.write(at=at, actor=actor)
    return outcomes


def _advance(node_id: int, source: str, as_of: datetime, *, at: datetime) -> FeedWatermark:
    """Lock the feed's watermark and move it to `as_of`."""
    FeedWatermark.objects.bulk_create(
        [FeedWatermark(node_id=node_id, source=source)], ignore_conflicts=True
    )
    watermark = FeedWatermark.objects.select_for_update().get(node_id=node_id, source=source)
    if watermark.semantics != FeedSemantics.SNAPSHOT:
        raise Conflict(f"The feed {source} of this node sends changes, not snapshots.")
    if watermark.as_of is not None and as_of < watermark.as_of:
        raise Conflict(
            "A newer snapshot of this feed has been applied already.",
            watermark=watermark.as_of.isoformat(),
        )
    watermark.as_of, watermark.seen_at = as_of, at
    watermark.save(update_fields=["as_of", "seen_at"])
    return watermark


def _apply(
    book: Book,
    row: SnapshotRow,
    key: PositionKey | None,
    later: Counter[_LevelKey],
    arrived: Counter[int],
    source: str,
    as_of: datetime,
) -> Outcome[ChangeAnswer | None]:
    if key is None:
        return Outcome.refused("unknown-sku", "No account keeps stock of this SKU here.")
    if row.quantity < 0 or row.condition not in Condition.values:
        return Outcome.refused("invalid-row", "A row has a known condition and no negative units.")
    position = book.by_key[key]
    if position.counted_at is not None and as_of < position.counted_at:
        return Outcome.refused(
            "stale", "The position was counted later.", counted_at=position.counted_at.isoformat()
        )
    position.counted_at, position.touched = as_of, True
    present = _on_hand(book, position, row)
    target = max(0, row.quantity + _moved(later, position, row))
    difference = target - present
    if not difference:
        return Outcome.done(None)
    why = Why(MovementKind.SNAPSHOT, "feed", None, source)
    level = book.level(position, row.condition, row.lot)
    if difference > 0:
        movement_id = book.move(level, difference, why, at=as_of)
        if row.condition in SELLABLE_CONDITIONS:
            arrived[position.id] += difference
    else:
        lots = [level] if row.lot else book.levels_of(position, row.condition)
        movement_id = book.lower(lots, level, -difference, why, at=as_of)
    if _is_notable(difference, max(present, target)):
        book.discrepancies.append(Discrepancy(position, abs(difference), why))
    return Outcome.done(ChangeAnswer(movement_id, position.id, target))


def _key(node_id: int, row: SnapshotRow, accounts: dict[int, UUID]) -> PositionKey | None:
    account_id = accounts.get(row.sku_id)
    if account_id is None:
        return None
    return PositionKey(account_id, node_id, row.sku_id, row.owner_id or account_id)


def _on_hand(book: Book, position: Position, row: SnapshotRow) -> int:
    if row.lot:
        return book.level(position, row.condition, row.lot).on_hand
    return sum(level.on_hand for level in book.levels_of(position, row.condition))


def _moved(later: Counter[_LevelKey], position: Position, row: SnapshotRow) -> int:
    """Units that came or went after the snapshot, for the row's lot or for all of its condition."""
    return sum(
        units
        for (position_id, condition, lot), units in later.items()
        if position_id == position.id
        and condition == row.condition
        and (not row.lot or lot == row.lot)
    )


def _moved_after(position_ids: Collection[int], as_of: datetime) -> Counter[_LevelKey]:
    moved = (
        Movement.objects.for_scope(ALL_ACCOUNTS)
        .filter(position_id__in=list(position_ids), at__gt=as_of)
        .values_list("position_id", "condition", "lot")
        .annotate(units=Sum("quantity"))
        .order_by()
    )
    return Counter({row[:3]: int(row[3]) for row in moved})


def _committed(position_ids: Collection[int]) -> Counter[_LevelKey]:
    """Open committed units per position: still on the shelf, but gone from the source's number."""
    committed = (
        Reservation.objects.for_scope(ALL_ACCOUNTS)
        .filter(position_id__in=list(position_ids), state=ReservationState.COMMITTED)
        .values_list("position_id")
        .annotate(units=Sum(F("quantity") - F("consumed") - F("released")))
        .order_by()
    )
    return Counter({(row[0], Condition.AVAILABLE.value, ""): int(row[1]) for row in committed})


def _is_notable(difference: int, size: int) -> bool:
    """Whether a person should look: many units, and a good share of what lies there."""
    units = abs(difference)
    return units >= NOTABLE_UNITS and units * 100 >= size * NOTABLE_SHARE_PERCENT
