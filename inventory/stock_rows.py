"""Locked rows of stock as a transaction holds them, and the statements that put them down.

Only `inventory.ledger` and the take use them: what is written here is never computed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from config.kernel.types import Actor
from inventory.types import SubjectTag, subject_id


@dataclass(frozen=True, slots=True)
class PositionKey:
    """Which position: one owner's SKU at one node, within one account."""

    account_id: UUID
    node_id: int
    sku_id: int
    owner_id: UUID

    @property
    def is_own(self) -> bool:
        """Whether the goods are the account's own."""
        return self.owner_id == self.account_id


@dataclass(frozen=True, slots=True)
class Why:
    """What a movement says of its reason."""

    kind: str
    cause_kind: str = ""
    cause_id: UUID | None = None
    source: str = ""
    external_id: str = ""
    note: str = ""


@dataclass(slots=True)
class Position:
    """A locked position. `had_shortfall` and `had_landed` are what stood when it was locked."""

    id: int
    key: PositionKey
    sellable: int
    reserved: int
    buffer: int
    shortfall: int
    landed: int
    counted_at: datetime | None
    event_seq: int
    had_shortfall: int = field(init=False)
    had_landed: int = field(init=False)
    touched: bool = False

    def __post_init__(self) -> None:
        self.had_shortfall, self.had_landed = self.shortfall, self.landed

    @property
    def subject(self) -> UUID:
        return subject_id(SubjectTag.POSITION, self.id)


@dataclass(slots=True)
class Level:
    """A locked level; `id` is None until it is written for the first time.

    `allocated` units are bound to reservations; `had_on_hand` is what lay there when it was locked.
    """

    id: int | None
    position: Position
    condition: str
    lot: str
    expires_on: date | None
    on_hand: int
    allocated: int = 0
    had_on_hand: int = field(init=False)
    touched: bool = False

    def __post_init__(self) -> None:
        self.had_on_hand = self.on_hand


@dataclass(frozen=True, slots=True)
class Movement:
    """Units that went in (+) or out (−) of a level, and what lies there after."""

    id: UUID
    level: Level
    quantity: int
    balance: int
    why: Why
    at: datetime


@dataclass(slots=True)
class Discrepancy:
    """A fact went beyond the book: `missing` units were there that the book did not have."""

    position: Position
    missing: int
    why: Why


def write_positions(touched: Sequence[Position]) -> None:
    """Put positions down in one statement."""
    if not touched:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_stockposition p
            SET sellable = now.sellable, reserved = now.reserved, shortfall = now.shortfall,
                landed = now.landed, buffer = now.buffer, counted_at = now.counted_at,
                event_seq = now.event_seq, changed_xid = pg_current_xact_id()::text::bigint
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
                %s::bigint[], %s::timestamptz[], %s::bigint[])
                AS now (id, sellable, reserved, shortfall, landed, buffer, counted_at, event_seq)
            WHERE p.id = now.id
            """,
            [
                [position.id for position in touched],
                [position.sellable for position in touched],
                [position.reserved for position in touched],
                [position.shortfall for position in touched],
                [position.landed for position in touched],
                [position.buffer for position in touched],
                [position.counted_at for position in touched],
                [position.event_seq for position in touched],
            ],
        )
        expect_rows(cursor.rowcount, len(touched))


def write_levels(touched: Sequence[Level]) -> None:
    """Put levels down; one that is new gets its id."""
    known = [level for level in touched if level.id is not None]
    fresh = {_place(level): level for level in touched if level.id is None}
    with connection.cursor() as cursor:
        if known:
            cursor.execute(
                """
                UPDATE inventory_stocklevel l
                SET on_hand = now.on_hand, allocated = least(l.allocated, now.on_hand)
                FROM unnest(%s::bigint[], %s::bigint[]) AS now (id, on_hand)
                WHERE l.id = now.id
                """,
                [[level.id for level in known], [level.on_hand for level in known]],
            )
            expect_rows(cursor.rowcount, len(known))
        if fresh:
            cursor.execute(
                """
                INSERT INTO inventory_stocklevel (account_id, position_id, condition, lot,
                    expires_on, on_hand, allocated)
                SELECT fresh.*, 0 FROM unnest(%s::uuid[], %s::bigint[], %s::text[],
                    %s::text[], %s::date[], %s::bigint[]) AS fresh
                RETURNING id, position_id, condition, lot
                """,
                [
                    [level.position.key.account_id for level in fresh.values()],
                    [level.position.id for level in fresh.values()],
                    [level.condition for level in fresh.values()],
                    [level.lot for level in fresh.values()],
                    [level.expires_on for level in fresh.values()],
                    [level.on_hand for level in fresh.values()],
                ],
            )
            for level_id, position_id, condition, lot in cursor.fetchall():
                fresh[position_id, condition, lot].id = level_id


def write_movements(moved: Sequence[Movement], actor: Actor) -> None:
    """Put movements into the ledger; their levels have ids by now."""
    if not moved:
        return
    keys = [movement.level.position.key for movement in moved]
    reasons = [movement.why for movement in moved]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_movement (id, account_id, node_id, sku_id, position_id,
                level_id, condition, lot, quantity, balance, kind, cause_kind, cause_id,
                source, external_id, note, at, actor_kind, actor_id, actor_name,
                correlation_id)
            SELECT moved.*, %s, %s, %s, %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[],
                %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[],
                %s::text[], %s::uuid[], %s::text[], %s::text[], %s::text[],
                %s::timestamptz[]) AS moved
            """,
            [
                actor.kind,
                actor.id,
                actor.name,
                actor.correlation_id,
                [movement.id for movement in moved],
                [key.account_id for key in keys],
                [key.node_id for key in keys],
                [key.sku_id for key in keys],
                [movement.level.position.id for movement in moved],
                [movement.level.id for movement in moved],
                [movement.level.condition for movement in moved],
                [movement.level.lot for movement in moved],
                [movement.quantity for movement in moved],
                [movement.balance for movement in moved],
                [str(why.kind) for why in reasons],
                [why.cause_kind for why in reasons],
                [why.cause_id for why in reasons],
                [why.source for why in reasons],
                [why.external_id for why in reasons],
                [why.note for why in reasons],
                [movement.at for movement in moved],
            ],
        )


def expect_rows(written: int, wanted: int) -> None:
    """Refuse to commit when an UPDATE … FROM reached another number of rows than were locked."""
    if written != wanted:
        raise RuntimeError(f"{wanted} rows were locked, but {written} were written")


def _place(level: Level) -> tuple[int, str, str]:
    return level.position.id, level.condition, level.lot
