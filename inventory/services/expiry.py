"""What is over goes off sale by itself; bindings whose lot was lost get another one."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction

from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.bindings import insert_allocations
from inventory.ledger import Book
from inventory.lots import OVER, refresh_dates
from inventory.models import Lot
from inventory.services.lots import move_lots, settle_lots
from inventory.states import Condition, LotState, MovementKind
from inventory.stock_rows import Level, Why
from inventory.types import SubjectTag, subject_id


@transaction.atomic
def expire_positions(limit: int, *, at: datetime, actor: Actor) -> int:
    """Take off sale what may not be sold any more at its node; returns how many positions.

    Until then the take gives nothing of such a position. What was reserved of it is a shortfall.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM inventory_stockposition WHERE fresh_until <= %s "
            "ORDER BY fresh_until, id LIMIT %s",
            [at, limit],
        )
        position_ids = [row[0] for row in cursor.fetchall()]
    if not position_ids:
        return 0
    book = Book.of_positions(position_ids)
    over = _over(position_ids, at)
    for level in list(book.levels.values()):
        if level.id in over:
            days = over[level.id]
            lot = subject_id(SubjectTag.LOT, days[1]) if days[1] else None
            why = Why(MovementKind.CONDITION, "lot" if lot else "", lot, note=days[0])
            book.shift(level, Condition.QUALITY_HOLD, level.on_hand, why, at=at)
    book.write(at=at, actor=actor)
    refresh_dates(position_ids)
    return len(position_ids)


def _over(position_ids: Sequence[int], at: datetime) -> dict[int, tuple[str, int | None]]:
    """The levels on sale at these positions whose time has come: what to say, and their lot."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT level.id, level.expires_on, sku.min_remaining_life_days, lot.id
            FROM inventory_stocklevel level
            JOIN inventory_stockposition position ON position.id = level.position_id
            JOIN inventory_sku sku ON sku.id = position.sku_id
            JOIN inventory_node node ON node.id = position.node_id
            LEFT JOIN inventory_lot lot ON (lot.sku_id, lot.code) = (position.sku_id, level.lot)
            WHERE level.position_id = ANY(%s) AND level.condition = 'available'
              AND level.on_hand > 0 AND {OVER} <= %s
            """,  # noqa: S608  # a constant of the ledger
            [list(position_ids), at],
        )
        return {
            row[0]: (
                f"Expires on {row[1]:%Y-%m-%d}"
                + (f", sold until {row[2]} days before." if row[2] else "."),
                row[3],
            )
            for row in cursor.fetchall()
        }


def expire_lots(limit: int, *, at: datetime, actor: Actor) -> int:
    """Lots whose day has come everywhere are expired; returns how many."""
    due = list(
        Lot.objects.for_scope(ALL_ACCOUNTS)
        .filter(state__in=[LotState.ACTIVE, LotState.HELD], expires_on__lt=at.date())
        .order_by("expires_on", "pk")
        .values_list("pk", flat=True)[:limit]
    )
    if due:
        move_lots(due, lambda lot: lot.expire(), "lot.expired", "expired", at=at, actor=actor)
        settle_lots(due, at=at, actor=actor)
    return len(due)


@transaction.atomic
def rebind_lost(limit: int) -> int:
    """Bind other lots of the same position to reservations whose lot was lost; returns the units.

    What no lot can serve stays lost, for orders to find it another node.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.position_id FROM inventory_allocation a
            JOIN inventory_reservation r ON r.id = a.reservation_id
            WHERE a.level_id IS NULL AND r.position_id IS NOT NULL ORDER BY a.id LIMIT %s
            """,
            [limit],
        )
        position_ids = {row[0] for row in cursor.fetchall()}
    if not position_ids:
        return 0
    book = Book.of_positions(position_ids)
    levels: defaultdict[int, list[Level]] = defaultdict(list)
    for position in book.positions.values():
        if position.shortfall == 0:
            levels[position.id] = [level for level in book.levels_of(position) if level.lot]
    rows, served = [], []
    for key, account_id, reservation_id, units, least, position_id in _lost(position_ids):
        left = units
        for level in levels[position_id]:
            part = min(left, level.on_hand - level.allocated)
            if part > 0 and level.id and level.expires_on and level.expires_on >= least:
                level.allocated += part
                left -= part
                rows.append((account_id, reservation_id, level.id, part, least))
        served.append((key, left))
    if rows:
        insert_allocations(rows)
        _lower_lost(served)
    return sum(row[3] for row in rows)


def _lost(position_ids: set[int]) -> list[tuple[int, UUID, UUID, int, date, int]]:
    """(allocation, account, reservation, units, least expiry, position) of what was lost there."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.id, a.account_id, a.reservation_id, a.units, a.min_expiry, r.position_id
            FROM inventory_allocation a
            JOIN inventory_reservation r ON r.id = a.reservation_id
            WHERE a.level_id IS NULL AND r.position_id = ANY(%s) ORDER BY a.id
            """,
            [list(position_ids)],
        )
        return list(cursor.fetchall())


def _lower_lost(served: Sequence[tuple[int, int]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH now AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS now (id, units)),
            closed AS (
                DELETE FROM inventory_allocation a USING now WHERE a.id = now.id AND now.units = 0
            )
            UPDATE inventory_allocation a SET units = now.units FROM now
            WHERE a.id = now.id AND now.units > 0
            """,
            [[row[0] for row in served], [row[1] for row in served]],
        )
