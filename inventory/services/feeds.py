"""Snapshots: what a node's own system says lies there, as of a time."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from config.kernel import case_reports, ids
from config.kernel.errors import Invalid
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory import picks
from inventory.ledger import Book
from inventory.lots import dated_skus
from inventory.models import Feed, Movement, Reconciliation, Reservation
from inventory.services.changes import accounts_of, require_node
from inventory.services.counts import answer_by_list, open_requests
from inventory.services.landing import land
from inventory.services.listening import keep, listen, require_snapshots, see_snapshot
from inventory.services.runs import Gap, add_differences, discrepancies, supersede
from inventory.states import SELLABLE_CONDITIONS, Condition, MovementKind, ReservationState
from inventory.stock_rows import Position, PositionKey, Why
from inventory.types import ChangeAnswer, SnapshotRow

HELD_CONDITIONS = (Condition.QUALITY_HOLD, Condition.DAMAGED, Condition.COUNT_PENDING)
"""What a feed that does not net held units counts among the available ones."""

_LevelKey = tuple[int, str, str]
_Later = dict[int, list[tuple[str, str, int]]]
"""Units by position, condition and lot that the book has on top of a feed's figure."""


@transaction.atomic
def apply_snapshot(
    node_id: int,
    source: str,
    as_of: datetime,
    rows: Sequence[SnapshotRow],
    *,
    counted: bool = False,
    at: datetime,
    actor: Actor,
) -> list[Outcome[ChangeAnswer | None]]:
    """Bring the book to what the source saw at `as_of`. One outcome per row; None: nothing differed.

    Movements after `as_of` stand on top of it; units that the feed nets are added where it has
    taken them off already. Raises Conflict for a snapshot older than the source's watermark or
    a source that sends deltas; a row older than the position's last count is refused.
    A row without a lot speaks for all lots of its condition. What differed is kept as a
    reconciliation; a long list is better sent as a document (`open_snapshot`).

    `counted` rows were counted by people at `as_of`: the ledger says so, units that waited to be
    counted are settled, and open count requests of these SKUs are answered, which ends what they
    kept from being sourced. Such a list speaks of its rows alone: it moves no watermark, and is
    taken of any source.
    """
    if as_of > at:
        raise Invalid("A snapshot cannot be from the future.")
    require_node(node_id, actor)
    accounts = accounts_of({row.sku_id for row in rows}, actor)
    feeds = listen(node_id, source, _spoken_for(accounts, actor), at=at, actor=actor)
    for feed in feeds.values():
        if not counted:
            require_snapshots(feed, as_of)
            see_snapshot(feed, as_of, None)
        feed.reconciled_at = at
    keep(feeds.values(), at=at, actor=actor)
    keys = [_key(node_id, row, accounts) for row in rows]
    asked = open_requests(node_id, {row.sku_id for row in rows}) if counted else []
    book = Book.open_for({key for key in keys if key is not None})
    sheet = _Sheet(book, node_id, source, as_of, feeds, _held_back(rows), counted=counted)
    outcomes = [sheet.apply(row, key) for row, key in zip(rows, keys, strict=True)]
    answer_by_list(asked, _found(rows, keys, outcomes), at=at, actor=actor)
    land(book, sheet.arrived)
    book.write(at=at, actor=actor)
    sheet.keep_runs(at=at)
    return outcomes


def _found(
    rows: Sequence[SnapshotRow],
    keys: Sequence[PositionKey | None],
    outcomes: Sequence[Outcome[ChangeAnswer | None]],
) -> Counter[int]:
    """Sellable units of the account's own by SKU, of the SKUs of which every row was taken."""
    found: Counter[int] = Counter()
    for row, key in zip(rows, keys, strict=True):
        if key is not None and key.is_own and row.condition in SELLABLE_CONDITIONS:
            found[row.sku_id] += row.quantity
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.problem is not None:
            found.pop(row.sku_id, None)
    return found


def set_level(
    book: Book,
    gap: Gap,
    why: Why,
    arrived: Counter[int],
    *,
    at: datetime,
    expires_on: date | None = None,
) -> tuple[UUID, int]:
    """Bring a level, or all lots of a condition, to the gap's target: the movement and on hand.

    `expires_on` is the date that a lot came with which is seen for the first time.
    """
    position = book.positions[gap.position_id]
    level = book.level(position, gap.condition, gap.lot, expires_on)
    if gap.units > 0:
        if gap.condition in SELLABLE_CONDITIONS:
            arrived[position.id] += gap.units
        return book.move(level, gap.units, why, at=at), gap.target
    lots = [level] if gap.lot else book.levels_of(position, gap.condition)
    if gap.condition in SELLABLE_CONDITIONS:
        # What our book holds back lies on the node's shelf: see `_on_hand`.
        held = book.levels_of(position, Condition.QUALITY_HOLD)
        lots += [each for each in held if gap.lot in {"", each.lot}]
    return book.lower(lots, level, -gap.units, why, at=at), gap.target


class _Sheet:
    """The rows of one snapshot as they are compared with the book, and what came of it."""

    def __init__(
        self,
        book: Book,
        node_id: int,
        source: str,
        as_of: datetime,
        feeds: dict[UUID, Feed],
        held_back: Collection[int],
        *,
        counted: bool,
    ) -> None:
        self._held_back, self._counted = held_back, counted
        self._book, self._node_id, self._source, self._as_of = book, node_id, source, as_of
        self._feeds = feeds
        self._runs = {account_id: ids.uuid7() for account_id in feeds}
        self._later = _moved_after(book.positions, as_of)
        netting = {account_id for account_id, feed in feeds.items() if feed.nets_committed}
        _add_committed(
            self._later, {pk for pk, row in book.positions.items() if row.key.account_id in netting}
        )
        self._picked = self._aside()
        self._compared: Counter[UUID] = Counter()
        self._gaps: dict[UUID, list[Gap]] = {account_id: [] for account_id in feeds}
        self._places: list[_LevelKey] = []
        self.arrived: Counter[int] = Counter()

    def apply(self, row: SnapshotRow, key: PositionKey | None) -> Outcome[ChangeAnswer | None]:
        if key is None:
            return Outcome.refused("unknown-sku", "No account keeps stock of this SKU here.")
        if row.quantity < 0 or row.condition not in Condition.values:
            return Outcome.refused(
                "invalid-row", "A row has a known condition and no negative units."
            )
        position = self._book.by_key[key]
        if position.counted_at is not None and self._as_of < position.counted_at:
            return Outcome.refused(
                "stale",
                "The position was counted later.",
                counted_at=position.counted_at.isoformat(),
            )
        run_id = self._runs[key.account_id]
        kind = MovementKind.COUNT if self._counted else MovementKind.SNAPSHOT
        why = Why(kind, "reconciliation", run_id, self._source)
        if self._counted and row.condition == Condition.AVAILABLE:
            for level in self._book.levels_of(position, Condition.COUNT_PENDING):
                if row.lot in {"", level.lot}:
                    self._book.move(level, -level.on_hand, why, at=self._as_of)
        present = _on_hand(self._book, position, row, held=key.sku_id in self._held_back)
        gap = Gap(
            len(self._places),
            position.id,
            key.sku_id,
            row.condition,
            row.lot,
            present,
            max(0, row.quantity + self._since(position, row)),
            first=position.counted_at is None and not present,
        )
        position.counted_at, position.touched = self._as_of, True
        self._compared[key.account_id] += 1
        self._places.append(gap.place)
        if not gap.units:
            return Outcome.done(None)
        gap.movement_id, on_hand = set_level(
            self._book, gap, why, self.arrived, at=self._as_of, expires_on=row.expires_on
        )
        self._gaps[key.account_id].append(gap)
        return Outcome.done(ChangeAnswer(gap.movement_id, position.id, on_hand))

    def keep_runs(self, *, at: datetime) -> None:
        """Write the reconciliations down, one per account, and report what a person should see."""
        Reconciliation.objects.for_scope(ALL_ACCOUNTS).bulk_create(
            [self._run(account_id, at=at) for account_id in self._feeds]
        )
        reports = []
        for account_id, gaps in self._gaps.items():
            add_differences(self._runs[account_id], account_id, gaps, at=at)
            reports += discrepancies(gaps, self._node_id, account_id)
        if self._places:
            supersede(self._places, at=at)
        case_reports.report(reports, at=at)

    def _run(self, account_id: UUID, *, at: datetime) -> Reconciliation:
        gaps, compared = self._gaps[account_id], self._compared[account_id]
        return Reconciliation(
            id=self._runs[account_id],
            account_id=account_id,
            node_id=self._node_id,
            feed=self._feeds[account_id],
            as_of=self._as_of,
            compared=compared,
            equal=compared - len(gaps),
            healed=len(gaps),
            units_up=sum(gap.units for gap in gaps if gap.units > 0),
            units_down=-sum(gap.units for gap in gaps if gap.units < 0),
            begun_at=at,
            ended_at=at,
        )

    def _aside(self) -> dict[UUID, dict[int, int]]:
        """Units by SKU that lie picked, for feeds that net them and not all that is committed."""
        asking = [
            account_id
            for account_id, feed in self._feeds.items()
            if feed.nets_picked and not feed.nets_committed
        ]
        aside = dict(picks.units_aside(self._node_id)) if asking else {}
        return dict.fromkeys(asking, aside)

    def _since(self, position: Position, row: SnapshotRow) -> int:
        """What the book has on top of the feed's figure: later movements, and what it nets."""
        units = _moved(self._later, position, row)
        if row.condition != Condition.AVAILABLE or row.lot:
            return units
        account_id = position.key.account_id
        units += self._picked.get(account_id, {}).get(position.key.sku_id, 0)
        if not self._feeds[account_id].nets_held:
            units -= sum(
                level.on_hand
                for condition in HELD_CONDITIONS
                for level in self._book.levels_of(position, condition)
            )
        return units


def _spoken_for(accounts: dict[int, UUID], actor: Actor) -> set[UUID]:
    """Whose stock is told: that of the rows, or of the only account that may be meant."""
    if accounts or actor.scope.everything or len(actor.scope.account_ids) != 1:
        return set(accounts.values())
    return set(actor.scope.account_ids)


def _key(node_id: int, row: SnapshotRow, accounts: dict[int, UUID]) -> PositionKey | None:
    account_id = accounts.get(row.sku_id)
    if account_id is None:
        return None
    return PositionKey(account_id, node_id, row.sku_id, row.owner_id or account_id)


def _held_back(rows: Sequence[SnapshotRow]) -> set[int]:
    """SKUs of which our book may hold lots back while the node, which says nothing of it, does not."""
    told = {row.sku_id for row in rows if row.condition == Condition.QUALITY_HOLD}
    return dated_skus({row.sku_id for row in rows} - told)


def _on_hand(book: Book, position: Position, row: SnapshotRow, *, held: bool) -> int:
    """What the book has of it; with `held` also what it keeps back of what the node has on sale."""
    conditions = [row.condition]
    if held and row.condition == Condition.AVAILABLE:
        conditions.append(Condition.QUALITY_HOLD.value)
    return sum(
        level.on_hand
        for condition in conditions
        for level in book.levels_of(position, condition)
        if row.lot in {"", level.lot}
    )


def _moved(later: _Later, position: Position, row: SnapshotRow) -> int:
    """Units that came or went after the snapshot, for the row's lot or for all of its condition."""
    return sum(
        units
        for condition, lot, units in later.get(position.id, ())
        if condition == row.condition and (not row.lot or lot == row.lot)
    )


def _moved_after(position_ids: Collection[int], as_of: datetime) -> _Later:
    moved = (
        Movement.objects.for_scope(ALL_ACCOUNTS)
        .filter(position_id__in=list(position_ids), at__gt=as_of)
        .values_list("position_id", "condition", "lot")
        .annotate(units=Sum("quantity"))
        .order_by()
    )
    later: _Later = {}
    for position_id, condition, lot, units in moved:
        later.setdefault(position_id, []).append((condition, lot, int(units)))
    return later


def _add_committed(later: _Later, position_ids: Collection[int]) -> None:
    """Open committed units per position: still on the shelf, but gone from the source's number."""
    if not position_ids:
        return
    committed = (
        Reservation.objects.for_scope(ALL_ACCOUNTS)
        .filter(position_id__in=list(position_ids), state=ReservationState.COMMITTED)
        .values_list("position_id")
        .annotate(units=Sum(F("quantity") - F("consumed") - F("released")))
        .order_by()
    )
    for position_id, units in committed:
        later.setdefault(position_id, []).append((Condition.AVAILABLE.value, "", int(units)))
