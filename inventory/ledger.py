"""The one writer of stock: position, level and movement, from one number.

A `Book` holds the rows that this transaction has locked, in the global order: positions by id,
then their levels by id. Commands change it in memory; `write` puts it down in a constant number of
statements. Nothing else changes `sellable`, `shortfall`, `landed` or `on_hand`; the take alone
raises `reserved` beside it, under the same lock.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from config.kernel import case_reports, events, ids
from config.kernel.types import Actor
from inventory import lots
from inventory.consigned import UsedUnits, write_uses
from inventory.states import SELLABLE_CONDITIONS, Condition, MovementKind
from inventory.stock_rows import (
    Discrepancy,
    Level,
    Movement,
    Position,
    PositionKey,
    Why,
    write_levels,
    write_movements,
    write_positions,
)

SHORTFALL_WORK, LANDED_WORK = "inventory_shortfallwork", "inventory_landedwork"


class Book:
    """The stock rows that this transaction has locked, and what it is about to write to them."""

    def __init__(self, positions: Iterable[Position], levels: Iterable[Level]) -> None:
        self.positions = {position.id: position for position in positions}
        self.by_key = {position.key: position for position in self.positions.values()}
        self.levels = {(level.position.id, level.condition, level.lot): level for level in levels}
        self.discrepancies: list[Discrepancy] = []
        self._movements: list[Movement] = []

    @classmethod
    def open_for(cls, keys: Collection[PositionKey]) -> "Book":
        """Lock the positions of these keys with their levels, making those that do not exist yet.

        New positions are inserted in key order and before the first lock, so that two books never
        wait for each other in a ring.
        """
        wanted = sorted(keys, key=lambda key: (key.sku_id, key.node_id, key.owner_id))
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO inventory_stockposition (account_id, node_id, sku_id, owner_id,
                    sellable, reserved, buffer, shortfall, landed, event_seq)
                SELECT wanted.account_id, wanted.node_id, wanted.sku_id, wanted.owner_id,
                    0, 0, 0, 0, 0, 0
                FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::uuid[])
                    WITH ORDINALITY AS wanted (account_id, node_id, sku_id, owner_id, place)
                WHERE NOT EXISTS (
                    SELECT FROM inventory_stockposition known
                    WHERE (known.sku_id, known.node_id, known.owner_id)
                        = (wanted.sku_id, wanted.node_id, wanted.owner_id))
                ORDER BY wanted.place
                ON CONFLICT (sku_id, node_id, owner_id) DO NOTHING
                """,
                _columns(wanted),
            )
            cursor.execute(
                """
                SELECT p.id FROM inventory_stockposition p
                JOIN unnest(%s::bigint[], %s::bigint[], %s::uuid[])
                    AS wanted (node_id, sku_id, owner_id)
                  ON (p.sku_id, p.node_id, p.owner_id)
                   = (wanted.sku_id, wanted.node_id, wanted.owner_id)
                """,
                _columns(wanted)[1:],
            )
            position_ids = [row[0] for row in cursor.fetchall()]
        return cls.of_positions(position_ids)

    @classmethod
    def of_positions(cls, position_ids: Collection[int], *, levels: bool = True) -> "Book":
        """Lock these positions by ascending id, and their levels unless only claims will change.

        The live quotas of their SKUs come first: a transaction that takes after it has given back
        or written down a fact wants them too.
        """
        wanted = sorted(set(position_ids))
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH quotas AS MATERIALIZED (
                    SELECT id FROM inventory_quota WHERE state = 'live' AND sku_id IN (
                        SELECT sku_id FROM inventory_stockposition WHERE id = ANY(%s))
                    ORDER BY id FOR UPDATE
                )
                SELECT id, account_id, node_id, sku_id, owner_id, sellable, reserved, buffer,
                    shortfall, landed, counted_at, event_seq
                FROM inventory_stockposition
                WHERE id = ANY(%s) AND (SELECT count(*) >= 0 FROM quotas)
                ORDER BY id FOR UPDATE
                """,
                [wanted, wanted],
            )
            positions = {
                row[0]: Position(row[0], PositionKey(*row[1:5]), *row[5:])
                for row in cursor.fetchall()
            }
            if not levels:
                return cls(positions.values(), [])
            cursor.execute(
                """
                SELECT id, position_id, condition, lot, expires_on, on_hand, allocated
                FROM inventory_stocklevel WHERE position_id = ANY(%s) ORDER BY id FOR UPDATE
                """,
                [list(positions)],
            )
            found = [Level(row[0], positions[row[1]], *row[2:]) for row in cursor.fetchall()]
        return cls(positions.values(), found)

    def level(
        self,
        position: Position,
        condition: str = Condition.AVAILABLE,
        lot: str = "",
        expires_on: date | None = None,
    ) -> Level:
        """The level of a condition and lot; a new one is written with the rest of the book."""
        key = (position.id, str(condition), lot)
        if key not in self.levels:
            self.levels[key] = Level(None, position, str(condition), lot, expires_on, 0)
        return self.levels[key]

    def levels_of(self, position: Position, condition: str = Condition.AVAILABLE) -> list[Level]:
        """Levels of one condition that hold units, first to expire first (FEFO)."""
        held = [
            level
            for level in self.levels.values()
            if level.position is position and level.condition == condition and level.on_hand > 0
        ]
        return sorted(held, key=lambda level: (level.expires_on or date.max, level.lot))

    def move(self, level: Level, quantity: int, why: Why, *, at: datetime) -> UUID:
        """Move units in (+) or out (−): on hand, what is sellable and the movement, from one number."""
        movement_id = ids.uuid7()
        level.on_hand += quantity
        level.touched = level.position.touched = True
        if level.condition in SELLABLE_CONDITIONS:
            level.position.sellable += quantity
        self._movements.append(Movement(movement_id, level, quantity, level.on_hand, why, at))
        return movement_id

    def account_for(self, level: Level, quantity: int, why: Why, *, at: datetime) -> UUID:
        """Write the line that the ledger lacks: what lies there stays as it is."""
        movement_id = ids.uuid7()
        self._movements.append(Movement(movement_id, level, quantity, level.on_hand, why, at))
        return movement_id

    def lower(
        self, levels: Sequence[Level], default: Level, quantity: int, why: Why, *, at: datetime
    ) -> UUID:
        """Take units out of the levels in order, as `draw` does, up to all of each."""
        return self.draw([(one, one.on_hand) for one in levels], default, quantity, why, at=at)

    def draw(
        self,
        parts: Sequence[tuple[Level, int]],
        default: Level,
        quantity: int,
        why: Why,
        *,
        at: datetime,
    ) -> UUID:
        """Take up to so many units out of each level. What the book does not have goes as well.

        A fact is never refused: beyond the book a `discrepancy` brings in, on `default`, what must
        have been there, and the fact takes it out. Returns the id of the first movement.
        """
        moved: list[UUID] = []
        left = quantity
        for level, most in parts:
            if part := min(left, most, level.on_hand):
                moved.append(self.move(level, -part, why, at=at))
                left -= part
        if left:
            gap = Why(MovementKind.DISCREPANCY, why.cause_kind, why.cause_id, note=why.note)
            self.move(default, left, gap, at=at)
            moved.append(self.move(default, -left, why, at=at))
            self.discrepancies.append(Discrepancy(default.position, left, why))
        return moved[0]

    def shift(self, level: Level, condition: str, quantity: int, why: Why, *, at: datetime) -> UUID:
        """Units of a level lie in another condition now: out here, in there, of the same lot."""
        moved = self.move(level, -quantity, why, at=at)
        into = self.level(level.position, condition, level.lot, level.expires_on)
        self.move(into, quantity, why, at=at)
        return moved

    def claim(self, position: Position, quantity: int) -> None:
        """Raise (+) or lower (−) what is reserved."""
        position.reserved += quantity
        position.touched = True

    def set_aside(self, position: Position, landed: int) -> None:
        """Keep so many units for waiting demand, and no more."""
        position.landed = landed
        position.touched = True

    def write(self, *, at: datetime, actor: Actor) -> None:
        """Put the book down, tell what fell short and what landed, and report what did not add up."""
        unsold = self._hold_lots(at=at)
        touched = [position for position in self.positions.values() if position.touched]
        levels = [level for level in self.levels.values() if level.touched]
        for position in touched:
            position.shortfall = max(0, position.reserved - position.sellable)
            position.landed = min(position.landed, max(0, position.sellable - position.reserved))
        facts = _facts(touched)
        lots.unbind(levels)
        write_positions(touched)
        write_levels(levels)
        lots.date_positions(levels)
        write_movements(self._movements, actor)
        facts += _of_uses(write_uses(self._movements))
        self._movements = []
        write_work(SHORTFALL_WORK, _debts(touched, "shortfall"), at=at)
        write_work(LANDED_WORK, _debts(touched, "landed"), at=at)
        events.record(facts, at=at, actor=actor)
        case_reports.report([*self._reports(touched), *lots.reports(unsold)], at=at)

    def _hold_lots(self, *, at: datetime) -> list[lots.Verdict]:
        """Put what came and may not be sold into quality hold: a fact is never refused."""
        unsold = lots.keep([level for level in self.levels.values() if level.touched], at=at)
        for one in unsold:
            why = Why(MovementKind.CONDITION, *one.cause, note=one.words)
            self.shift(one.level, Condition.QUALITY_HOLD, one.units, why, at=at)
        return unsold

    def _reports(self, touched: Sequence[Position]) -> list[case_reports.Report]:
        short = [
            case_reports.Report(
                "SHORTFALL",
                "position",
                position.subject,
                position.key.account_id,
                {"node_id": position.key.node_id, "sku_id": position.key.sku_id}
                | {"shortfall": position.shortfall},
                cause=f"node:{position.key.node_id}",
            )
            for position in touched
            if position.shortfall > position.had_shortfall
        ]
        beyond = [
            case_reports.Report(
                "STOCK_DISCREPANCY",
                "position",
                found.position.subject,
                found.position.key.account_id,
                {"node_id": found.position.key.node_id, "sku_id": found.position.key.sku_id}
                | {"missing": found.missing, "kind": str(found.why.kind)},
                cause=f"node:{found.position.key.node_id}",
            )
            for found in self.discrepancies
        ]
        self.discrepancies = []
        return short + beyond


def _columns(keys: Sequence[PositionKey]) -> list[list[object]]:
    return [
        [key.account_id for key in keys],
        [key.node_id for key in keys],
        [key.sku_id for key in keys],
        [key.owner_id for key in keys],
    ]


def _facts(touched: Sequence[Position]) -> list[events.Fact]:
    """One event per position that fell (further) short, and per one whose landed units rose."""
    facts = []
    for position in touched:
        shared = {
            "position_id": position.id,
            "node_id": position.key.node_id,
            "sku_id": position.key.sku_id,
        }
        news = [
            ("stock.short", position.shortfall, position.had_shortfall, "shortfall"),
            ("stock.received", position.landed, position.had_landed, "landed"),
        ]
        for topic, present, before, name in news:
            if present > before:
                position.event_seq += 1
                facts.append(
                    events.Fact(
                        topic,
                        "position",
                        position.subject,
                        position.event_seq,
                        position.key.account_id,
                        shared | {name: present},
                    )
                )
    return facts


def _of_uses(uses: Sequence[UsedUnits]) -> list[events.Fact]:
    """One event for each use of another owner's goods."""
    return [
        events.Fact(
            "consigned.used",
            "consigned_use",
            use.id,
            1,
            use.account_id,
            {
                "owner_id": str(use.owner_id),
                "owner": use.owner,
                "sku_id": use.sku_id,
                "node_id": use.node_id,
                "kind": use.kind,
                "units": use.units,
                "amount_minor": use.amount_minor,
                "currency": use.currency,
            },
        )
        for use in uses
    ]


def _debts(touched: Sequence[Position], name: str) -> list[tuple[int, int]]:
    """(position, units) of each position whose shortfall or landed units have changed."""
    return [
        (position.id, getattr(position, name))
        for position in touched
        if getattr(position, name) != getattr(position, f"had_{name}")
    ]


def write_work(table: str, debts: Sequence[tuple[int, int]], *, at: datetime) -> None:
    """Keep a table of open work equal to what positions owe: (position, units), 0 settles it."""
    owed = [(position_id, units) for position_id, units in debts if units]
    settled = [position_id for position_id, units in debts if not units]
    with connection.cursor() as cursor:
        if owed:
            cursor.execute(
                f"""
                INSERT INTO {table} (position_id, quantity, at)
                SELECT owed.*, %s FROM unnest(%s::bigint[], %s::bigint[]) AS owed
                ON CONFLICT (position_id) WHERE done_at IS NULL
                DO UPDATE SET quantity = excluded.quantity
                """,  # noqa: S608  # one of the two table names of this module
                [at, [row[0] for row in owed], [row[1] for row in owed]],
            )
        if settled:
            cursor.execute(
                f"UPDATE {table} SET done_at = %s "  # noqa: S608  # likewise
                "WHERE position_id = ANY(%s) AND done_at IS NULL",
                [at, settled],
            )
