"""Lots as people know them: dated, held, released; and their units moved to where they belong."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import connection, transaction

from config.kernel import events
from config.kernel.errors import IllegalTransition
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.ledger import Book
from inventory.lots import refresh_dates
from inventory.models import Lot, Sku
from inventory.services.landing import land
from inventory.states import Condition, LotState, MovementKind
from inventory.stock_rows import Why
from inventory.types import LotAnswer, LotDraft, SubjectTag, subject_id

POSITIONS_AT_ONCE = 500


@transaction.atomic
def define_lots(
    drafts: Sequence[LotDraft], *, at: datetime, actor: Actor
) -> list[Outcome[LotAnswer]]:
    """Make lots, or put their dates right, on the shelves too. One outcome per draft, in order.

    A lot whose expiry moves beyond today after it had expired lies on hold.
    """
    skus = dict(
        Sku.objects.for_scope(actor.scope)
        .filter(pk__in={draft.sku_id for draft in drafts})
        .values_list("pk", "account_id")
    )
    good = [draft for draft in drafts if _is_good(draft, skus)]
    book = _book_of(good)
    rows = _locked_or_made(good, at=at)
    changed: dict[int, Lot] = {}
    outcomes: list[Outcome[LotAnswer]] = []
    for draft in drafts:
        row = rows.get((draft.sku_id, draft.code))
        if row is None:
            outcomes.append(
                Outcome.refused("unknown-lot", "A lot has a code, and a SKU of the account's.")
            )
            continue
        if _put_right(row, draft, at=at):
            changed[row.pk] = row
        outcomes.append(Outcome.done(_answer(row)))
    _date_levels(book, list(changed.values()))
    _write(list(changed.values()), "lot.dated", "dated", at=at, actor=actor)
    return outcomes


def hold_lots(
    lot_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[LotAnswer]]:
    """Quarantine lots everywhere: nothing of them is sold any more. One outcome per id, in order.

    The lots are stopped in one transaction; then what lies at nodes is moved, in as many as that
    takes (`settle_lots` goes on where this one is interrupted).
    """
    outcomes = stop_lots(lot_ids, reason, at=at, actor=actor)
    settle_lots([one.value.id for one in outcomes if one.value], at=at, actor=actor)
    return outcomes


def stop_lots(
    lot_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[LotAnswer]]:
    """The first half of `hold_lots`: for who moves the units once the transaction is through."""
    return move_lots(
        lot_ids, lambda lot: lot.hold(reason=reason), "lot.held", reason, at=at, actor=actor
    )


def release_lots(
    lot_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[LotAnswer]]:
    """Take lots off hold: what lies in quality hold of them is sold again. As `hold_lots`."""
    outcomes = free_lots(lot_ids, reason, at=at, actor=actor)
    settle_lots([one.value.id for one in outcomes if one.value], at=at, actor=actor)
    return outcomes


def free_lots(
    lot_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[LotAnswer]]:
    """The first half of `release_lots`, as `stop_lots` is of `hold_lots`."""
    return move_lots(
        lot_ids, lambda lot: lot.release(reason=reason), "lot.released", reason, at=at, actor=actor
    )


@transaction.atomic
def move_lots(
    lot_ids: Sequence[int],
    step: Callable[[Lot], None],
    topic: str,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
) -> list[Outcome[LotAnswer]]:
    """Take one step of the machine with each lot; their units are moved by `settle_lots`."""
    rows = {row.pk: row for row in Lot.objects.for_scope(actor.scope).locked(set(lot_ids))}
    moved: dict[int, Lot] = {}
    outcomes: list[Outcome[LotAnswer]] = []
    for lot_id in lot_ids:
        row = rows.get(lot_id)
        if row is None:
            outcomes.append(Outcome.refused("not-found", "There is no such lot."))
            continue
        if lot_id in moved:
            outcomes.append(Outcome.repeated(_answer(row)))
            continue
        try:
            step(row)
        except IllegalTransition as error:
            outcomes.append(Outcome.refused("conflict", error.detail, **error.extra))
            continue
        moved[row.pk] = row
        outcomes.append(Outcome.done(_answer(row)))
    _write(list(moved.values()), topic, reason, at=at, actor=actor)
    return outcomes


@transaction.atomic
def redate_skus(sku_ids: Sequence[int]) -> None:
    """Work out anew when lots of these SKUs stop being sold: how long they are sold has changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM inventory_stockposition WHERE sku_id = ANY(%s)", [list(sku_ids)]
        )
        position_ids = [row[0] for row in cursor.fetchall()]
    if position_ids:
        Book.of_positions(position_ids, levels=False)
        refresh_dates(position_ids)


def settle_lots(lot_ids: Sequence[int], *, at: datetime, actor: Actor) -> int:
    """Move the units of these lots to where their states want them; returns how many positions.

    A transaction per 500 positions. A lot is settled when nothing of it is left to be moved.
    """
    moved = 0
    for lot_id in sorted(set(lot_ids)):
        while part := _move_units(lot_id, at=at, actor=actor):
            moved += part
        _settle(lot_id)
    return moved


def settle_due(limit: int, *, at: datetime, actor: Actor) -> int:
    """Go on with lots whose units were not all moved yet; returns how many lots were settled."""
    due = list(
        Lot.objects.for_scope(ALL_ACCOUNTS)
        .filter(unsettled=True)
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )
    settle_lots(due, at=at, actor=actor)
    return len(due)


@transaction.atomic
def _move_units(lot_id: int, *, at: datetime, actor: Actor) -> int:
    """Move the lot's units at up to 500 positions; returns at how many."""
    lot = Lot.objects.for_scope(ALL_ACCOUNTS).get(pk=lot_id)
    source, target = _way(lot)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT position.id FROM inventory_stockposition position
            JOIN inventory_stocklevel level ON level.position_id = position.id
                AND level.lot = %s AND level.condition = %s AND level.on_hand > 0
            WHERE position.sku_id = %s ORDER BY position.id LIMIT %s
            """,
            [lot.code, source, lot.sku_id, POSITIONS_AT_ONCE],
        )
        position_ids = [row[0] for row in cursor.fetchall()]
    if not position_ids:
        return 0
    book = Book.of_positions(position_ids)
    words = f"Lot {lot.code} is {lot.state}" + (f": {lot.state_reason}" if lot.state_reason else "")
    why = Why(MovementKind.CONDITION, "lot", subject_id(SubjectTag.LOT, lot.pk), note=words)
    arrived: Counter[int] = Counter()
    for level in list(book.levels.values()):
        if level.lot == lot.code and level.condition == source and level.on_hand:
            arrived[level.position.id] += level.on_hand
            book.shift(level, target, level.on_hand, why, at=at)
    if target == Condition.AVAILABLE:
        land(book, arrived)
    book.write(at=at, actor=actor)
    return len(position_ids)


def _way(lot: Lot) -> tuple[str, str]:
    """From which condition into which the lot's state has its units moved."""
    on_sale, held = Condition.AVAILABLE.value, Condition.QUALITY_HOLD.value
    return (held, on_sale) if lot.state == LotState.ACTIVE else (on_sale, held)


@transaction.atomic
def _settle(lot_id: int) -> None:
    """Whoever receives some of the lot holds it shared: the lock waits until they are through."""
    for lot in Lot.objects.for_scope(ALL_ACCOUNTS).locked([lot_id]):
        source, _ = _way(lot)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE inventory_lot SET unsettled = false WHERE id = %s AND NOT EXISTS (
                    SELECT FROM inventory_stockposition position
                    JOIN inventory_stocklevel level ON level.position_id = position.id
                        AND level.lot = %s AND level.condition = %s AND level.on_hand > 0
                    WHERE position.sku_id = %s)
                """,
                [lot.pk, lot.code, source, lot.sku_id],
            )


def _is_good(draft: LotDraft, skus: dict[int, object]) -> bool:
    return bool(draft.code.strip()) and skus.get(draft.sku_id) == draft.account_id


def _book_of(drafts: Sequence[LotDraft]) -> Book:
    """The positions at which these lots lie, locked: their dates change with the lot's."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT position.id
            FROM unnest(%s::bigint[], %s::text[]) AS lot (sku_id, code)
            JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
            JOIN inventory_stocklevel level ON level.position_id = position.id
                AND level.lot = lot.code
            """,
            [[draft.sku_id for draft in drafts], [draft.code for draft in drafts]],
        )
        return Book.of_positions([row[0] for row in cursor.fetchall()])


def _locked_or_made(drafts: Sequence[LotDraft], *, at: datetime) -> dict[tuple[int, str], Lot]:
    every = Lot.objects.for_scope(ALL_ACCOUNTS)
    every.bulk_create(
        [
            Lot(account_id=draft.account_id, sku_id=draft.sku_id, code=draft.code, first_seen_at=at)
            for draft in sorted(drafts, key=lambda draft: (draft.sku_id, draft.code))
        ],
        ignore_conflicts=True,
    )
    wanted = {(draft.sku_id, draft.code) for draft in drafts}
    found = every.filter(
        sku_id__in={sku_id for sku_id, _ in wanted}, code__in={code for _, code in wanted}
    )
    ids = [pk for pk, *key in found.values_list("pk", "sku_id", "code") if tuple(key) in wanted]
    return {(row.sku_id, row.code): row for row in every.locked(ids)}


def _put_right(row: Lot, draft: LotDraft, *, at: datetime) -> bool:
    """Take over the dates that the draft gives; whether that changed anything."""
    before = (row.expires_on, row.made_on)
    row.made_on = draft.made_on or row.made_on
    row.expires_on = draft.expires_on or row.expires_on
    if row.state == LotState.EXPIRED and row.expires_on and row.expires_on > at.date():
        row.correct()
    return before != (row.expires_on, row.made_on)


def _date_levels(book: Book, rows: Sequence[Lot]) -> None:
    """Units of a lot expire with it, wherever they lie."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_stocklevel level SET expires_on = lot.expires_on
            FROM inventory_lot known
            JOIN unnest(%s::bigint[], %s::date[]) AS lot (id, expires_on) ON lot.id = known.id
            JOIN inventory_stockposition position ON position.sku_id = known.sku_id
            WHERE level.position_id = position.id AND level.lot = known.code
            """,
            [[row.pk for row in rows], [row.expires_on for row in rows]],
        )
    if book.positions:
        refresh_dates(book.positions)


def _write(rows: Sequence[Lot], topic: str, reason: str, *, at: datetime, actor: Actor) -> None:
    """Put lots down with their history and an event each. Three statements."""
    if not rows:
        return
    for row in rows:
        row.event_seq += 1
    Lot.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        rows,
        [
            "state",
            "state_reason",
            "recall",
            "expires_on",
            "made_on",
            "unsettled",
            "event_seq",
        ],
    )
    record_history(Lot, [row.pk for row in rows], Change.CHANGED, at=at, actor=actor, reason=reason)
    events.record(
        [
            events.Fact(
                topic,
                "lot",
                subject_id(SubjectTag.LOT, row.pk),
                row.event_seq,
                row.account_id,
                {
                    "lot_id": row.pk,
                    "sku_id": row.sku_id,
                    "code": row.code,
                    "state": row.state,
                    "reason": row.state_reason,
                    "recall_id": str(row.recall_id) if row.recall_id else None,
                },
            )
            for row in rows
        ],
        at=at,
        actor=actor,
    )


def _answer(row: Lot) -> LotAnswer:
    return LotAnswer(row.pk, row.code, str(row.state))
