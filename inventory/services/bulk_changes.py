"""Many changes at once: the plain ones in one statement, the others through the Book."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from config.kernel.types import Actor, Outcome
from inventory import ledger_bulk
from inventory.ledger import Book
from inventory.services.changes import apply_changes, key_of
from inventory.states import SELLABLE_CONDITIONS
from inventory.stock_rows import Position
from inventory.types import ChangeAnswer, StockChange


def apply_in_bulk(
    changes: Sequence[StockChange], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """Do what `apply_changes` does, with the same rows in the end, quicker for long lists."""
    if not changes:
        return []
    keys = [key_of(change) for change in changes]
    book = Book.open_for(set(keys))
    places: defaultdict[int, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        places[book.by_key[key].id].append(index)
    plain = _Plain(book, _waited_for(changes))
    rest: list[int] = []
    easy: list[int] = []
    for position_id, indexes in places.items():
        fits = plain.bears(book.positions[position_id], [changes[index] for index in indexes])
        (easy if fits else rest).extend(indexes)
    easy.sort()
    rest.sort()
    answers = _post([changes[index] for index in easy], book, at=at, actor=actor)
    done = dict(zip(easy, answers, strict=True))
    slow = apply_changes([changes[index] for index in rest], at=at, actor=actor)
    done |= dict(zip(rest, slow, strict=True))
    return [done[index] for index in range(len(changes))]


class _Plain:
    """Tells which positions' changes the database can write without looking at anything else."""

    def __init__(self, book: Book, waited_for: set[int]) -> None:
        self._waited_for = waited_for
        self._on_hand: dict[tuple[int, str], int] = {}
        self._in_lots: set[tuple[int, str]] = set()
        for (position_id, condition, lot), level in book.levels.items():
            if not lot:
                self._on_hand[position_id, condition] = level.on_hand
            elif level.on_hand:
                self._in_lots.add((position_id, condition))

    def bears(self, position: Position, changes: Sequence[StockChange]) -> bool:
        if position.shortfall or position.landed:
            return False
        sellable, counted_at = position.sellable, position.counted_at
        for change in changes:
            if change.lot or change.expires_on or change.expected_on_hand is not None:
                return False
            if change.happened_at and counted_at and change.happened_at < counted_at:
                return False
            place = position.id, change.condition
            on_hand = self._on_hand.get(place, 0) + change.quantity
            if on_hand < 0 or (change.quantity < 0 and place in self._in_lots):
                return False
            self._on_hand[place] = on_hand
            if change.condition in SELLABLE_CONDITIONS:
                if change.quantity > 0 and change.sku_id in self._waited_for:
                    return False
                sellable += change.quantity
        return sellable >= position.reserved


def _post(
    changes: Sequence[StockChange], book: Book, *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    positions = [book.by_key[key_of(change)].id for change in changes]
    written = ledger_bulk.post(
        ledger_bulk.PlainMoves(
            positions,
            [change.condition for change in changes],
            [change.quantity for change in changes],
            [change.kind for change in changes],
            [min(at, change.happened_at or at) for change in changes],
            [change.cause_kind for change in changes],
            [change.cause_id for change in changes],
            [change.source for change in changes],
            [change.external_id for change in changes],
            [change.note for change in changes],
        ),
        actor=actor,
    )
    return [
        Outcome.done(ChangeAnswer(movement_id, position_id, on_hand))
        for (movement_id, on_hand), position_id in zip(written, positions, strict=True)
    ]


def _waited_for(changes: Sequence[StockChange]) -> set[int]:
    """The SKUs that arrive and that somebody waits for."""
    arriving = {change.sku_id for change in changes if change.quantity > 0}
    if not arriving:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT sku_id FROM inventory_reservation "
            "WHERE state = 'waiting' AND sku_id = ANY(%s)",
            [list(arriving)],
        )
        return {row[0] for row in cursor.fetchall()}
