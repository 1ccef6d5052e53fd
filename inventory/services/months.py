"""Old months leave the ledger: their sums are carried forward, and balances still add up."""

from datetime import UTC, date, datetime
from typing import Final

from django.db import connection, transaction

from config.kernel.operations import month_after, uuid7_floor
from config.kernel.types import Actor

MONTHS_KEPT: Final = 36
"""Whole months of movements that stay in the ledger; older ones are archived tables."""

_OLDEST: Final = """
    SELECT to_date(right(min(c.relname), 6), 'YYYYMM')
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'inventory_movement'::regclass
      AND c.relname ~ '^inventory_movement_[0-9]{6}$'
"""


@transaction.atomic
def carry_forward(month: date, *, at: datetime, actor: Actor) -> int:
    """Close the oldest month of the ledger and take it off; answers how many levels it had moved.

    One `carried_forward` movement per level stands first in the month after, with the sum of the
    month that goes: on hand is still Σ movements, and each balance the one before plus its units.
    The detached table `inventory_movement_YYYYMM` is left for the archive. Refused by the database
    is a month that is not the oldest; the present one and the one before it stay (ValueError).
    """
    following = month_after(month)
    if month_after(following) > at.astimezone(UTC).date():
        raise ValueError(f"{month:%Y-%m} is too young to leave the ledger")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO inventory_movement (id, account_id, node_id, sku_id, position_id, level_id,
                condition, lot, quantity, balance, kind, cause_kind, source, external_id, note, at,
                actor_kind, actor_id, actor_name, correlation_id)
            SELECT (lpad(to_hex(%(floor)s), 12, '0') || '7000'
                    || lpad(to_hex((-9223372036854775808 | level.id)::bigint), 16, '0'))::uuid,
                level.account_id, position.node_id, position.sku_id, position.id, level.id,
                level.condition, level.lot, moved.units, moved.units, 'carried_forward', '', '',
                '', %(note)s, %(ends)s, %(kind)s, %(id)s, %(name)s, %(correlation)s
            FROM (SELECT level_id, sum(quantity)::bigint AS units
                FROM inventory_movement_{month:%Y%m} GROUP BY 1) AS moved
            JOIN inventory_stocklevel level ON level.id = moved.level_id
            JOIN inventory_stockposition position ON position.id = level.position_id
            WHERE moved.units <> 0
            """,  # noqa: S608  # digits of a date
            {
                "floor": uuid7_floor(following).int >> 80,
                "note": f"balance of {month:%Y-%m}",
                "ends": datetime(following.year, following.month, 1, tzinfo=UTC),
                "kind": actor.kind,
                "id": actor.id,
                "name": actor.name,
                "correlation": actor.correlation_id,
            },
        )
        carried = int(cursor.rowcount)
        cursor.execute("SELECT detach_movements(%s)", [month])
    return carried


def carry_forward_due(*, at: datetime, actor: Actor) -> bool:
    """Take the oldest month off when it is past what is kept; whether there was one."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        (oldest,) = cursor.fetchone()
    if oldest is None or oldest >= _months_before(at.astimezone(UTC).date(), MONTHS_KEPT):
        return False
    carry_forward(oldest, at=at, actor=actor)
    return True


def _months_before(day: date, months: int) -> date:
    counted = day.year * 12 + day.month - 1 - months
    return date(counted // 12, counted % 12 + 1, 1)
