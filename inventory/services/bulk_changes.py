"""Many changes at once: the plain ones in one statement, the others through the Book."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from config.kernel.types import Actor, Outcome
from inventory import ledger_bulk
from inventory.services.changes import apply_changes
from inventory.states import SELLABLE_CONDITIONS
from inventory.types import ChangeAnswer, StockChange

_Key = tuple[int, int, UUID, UUID]
"""A place by (SKU, node, owner, account): the order in which positions are looked for and made."""


def apply_in_bulk(
    changes: Sequence[StockChange], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """Do what `apply_changes` does, with the same rows in the end, quicker for long lists."""
    if not changes:
        return []
    told = _by_place(changes)
    dated = any(change.happened_at for change in changes)
    places = _lock([key for key, _ in told], dated=dated)
    waited_for = _waited_for(changes)
    plain = _Plain()
    rest: list[int] = []
    for place, (_, indexes) in zip(places, told, strict=True):
        if not plain.bears(place, changes, indexes, waited_for):
            rest += indexes
    rest.sort()
    done = plain.post(changes, at=at, actor=actor)
    slow = apply_changes([changes[index] for index in rest], at=at, actor=actor)
    done |= dict(zip(rest, slow, strict=True))
    return [done[index] for index in range(len(changes))]


def _by_place(changes: Sequence[StockChange]) -> list[tuple[_Key, list[int]]]:
    """Which changes are of which place, sorted by its key."""
    told: dict[tuple[int, int, int], tuple[_Key, list[int]]] = {}
    for index, change in enumerate(changes):
        sku_id, node_id, account_id = change.sku_id, change.node_id, change.account_id
        owner_id = change.owner_id or account_id
        # By its number: a UUID is hashed by Python, and there are thousands.
        place = (sku_id, node_id, owner_id.int)
        if place in told:
            told[place][1].append(index)
        else:
            told[place] = ((sku_id, node_id, owner_id, account_id), [index])
    return [told[place] for place in sorted(told)]


@dataclass(slots=True)
class _Place:
    """A locked position, and on hand of its levels without a lot; `in_lots` hold others."""

    id: int
    sellable: int
    reserved: int
    is_calm: bool
    counted_at: datetime | None
    on_hand: dict[str, int] = field(default_factory=dict)
    in_lots: set[str] = field(default_factory=set)


class _Plain:
    """The changes that the database can write without looking at anything else."""

    def __init__(self) -> None:
        self._indexes: list[int] = []
        self._positions: list[int] = []
        self._balances: list[int] = []
        self._new_levels: set[tuple[int, str]] = set()

    def bears(
        self,
        place: _Place,
        changes: Sequence[StockChange],
        indexes: Sequence[int],
        waited_for: set[int],
    ) -> bool:
        """Take the changes of one position up, all of them or none."""
        on_hand, sellable = dict(place.on_hand), place.sellable
        balances = []
        for index in indexes:
            change = changes[index]
            units, condition = change.quantity, change.condition
            balance = on_hand.get(condition, 0) + units
            is_sold = condition in SELLABLE_CONDITIONS
            if (
                _says_more(change, place.counted_at)
                or balance < 0
                or (units < 0 and condition in place.in_lots)
                or (units > 0 and is_sold and change.sku_id in waited_for)
            ):
                return False
            sellable += units if is_sold else 0
            on_hand[condition] = balance
            balances.append(balance)
        if sellable < place.reserved or not place.is_calm:
            return False
        self._new_levels |= {(place.id, name) for name in on_hand.keys() - place.on_hand.keys()}
        self._indexes += indexes
        self._positions += [place.id] * len(balances)
        self._balances += balances
        return True

    def post(
        self, changes: Sequence[StockChange], *, at: datetime, actor: Actor
    ) -> dict[int, Outcome[ChangeAnswer]]:
        """Write what was taken up; the outcomes by index."""
        wanted = [changes[index] for index in self._indexes]
        ledger_bulk.make_levels(self._new_levels)
        movement_ids = ledger_bulk.post(
            ledger_bulk.PlainMoves(
                self._positions,
                [change.condition for change in wanted],
                [change.quantity for change in wanted],
                self._balances,
                [change.kind for change in wanted],
                [min(at, change.happened_at or at) for change in wanted],
                [change.cause_kind for change in wanted],
                [change.cause_id for change in wanted],
                [change.source for change in wanted],
                [change.external_id for change in wanted],
                [change.note for change in wanted],
            ),
            actor=actor,
        )
        answers = map(ChangeAnswer, movement_ids, self._positions, self._balances)
        return dict(zip(self._indexes, map(Outcome.done, answers), strict=True))


def _says_more(change: StockChange, counted_at: datetime | None) -> bool:
    """Whether the change names a lot, a serial or what it expects, or was counted already."""
    return bool(
        change.lot
        or change.expires_on
        or change.serials
        or change.expected_on_hand is not None
        or (change.happened_at and counted_at and change.happened_at < counted_at)
    )


def _lock(keys: Sequence[_Key], *, dated: bool) -> list[_Place]:
    """Lock the positions of sorted keys with their levels, making those that do not exist yet.

    As `Book.open_for`: new positions are made in key order and before the first lock, and live
    quotas are locked first. When they were counted is read only where changes are `dated`.
    """
    found = _ids_of(keys)
    if len(found) < len(keys):
        _make([key for place, key in enumerate(keys) if place not in found])
        found = _ids_of(keys)
    skus = sorted({key[0] for key in keys})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM inventory_sku WHERE id = ANY(%s) AND (lot_tracked OR expires)", [skus]
        )
        in_lots = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            f"""
            WITH {ledger_bulk.QUOTAS}
            SELECT id, sellable, reserved, shortfall = 0 AND landed = 0,
                CASE WHEN %s THEN counted_at END
            FROM inventory_stockposition
            WHERE id = ANY(%s) AND (SELECT count(*) >= 0 FROM quotas) ORDER BY id FOR UPDATE
            """,  # noqa: S608  # ours
            [skus, dated, sorted(found.values())],
        )
        places = {row[0]: _Place(*row) for row in cursor.fetchall()}
        if in_lots:
            for place, position_id in found.items():
                places[position_id].is_calm &= keys[place][0] not in in_lots
        cursor.execute(
            """
            SELECT position_id, condition, lot = '', on_hand FROM inventory_stocklevel
            WHERE position_id = ANY(%s) ORDER BY id FOR UPDATE
            """,
            [list(places)],
        )
        for position_id, condition, is_bare, on_hand in cursor.fetchall():
            if is_bare:
                places[position_id].on_hand[condition] = on_hand
            elif on_hand:
                places[position_id].in_lots.add(condition)
    return [places[found[place]] for place in range(len(keys))]


def _ids_of(keys: Sequence[_Key]) -> dict[int, int]:
    """The positions that there are, each by its key's place among the keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT asked.place - 1, known.id
            FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[]) WITH ORDINALITY
                AS asked (sku_id, node_id, owner_id, place)
            JOIN inventory_stockposition known ON (known.sku_id, known.node_id, known.owner_id)
                = (asked.sku_id, asked.node_id, asked.owner_id)
            """,
            _columns(keys)[:3],
        )
        return dict(cursor.fetchall())


def _make(keys: Sequence[_Key]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_stockposition (sku_id, node_id, owner_id, account_id, sellable,
                reserved, buffer, shortfall, landed, event_seq)
            SELECT fresh.*, 0, 0, 0, 0, 0, 0
            FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::uuid[]) AS fresh
            ON CONFLICT (sku_id, node_id, owner_id) DO NOTHING
            """,
            _columns(keys),
        )


def _columns(keys: Sequence[_Key]) -> list[list[object]]:
    return [[key[column] for key in keys] for column in range(4)]


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
