"""Housekeeping of the kernel's own tables: partitions ahead, old keys and finished rows away."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from config.kernel import idempotency
from config.kernel.operations import MONTHS_AHEAD

LEASES_KEPT_DAYS: Final = 30
REPORTS_KEPT_DAYS: Final = 30
_BATCH: Final = 10_000

_others: list[Callable[[datetime], int]] = []


def also_remove(remove: Callable[[datetime], int]) -> None:
    """Have an app's own old rows removed with the kernel's; called from `ready()`.

    `remove(at)` deletes some of what is over by business time, and says how many rows.
    """
    _others.append(remove)


def ensure_partitions() -> list[str]:
    """Make the partitions of this month and the next three where they are missing.

    The running role may not create tables: a function of the owner does it. Returns the names of
    those made. A month that rows have already reached stays in the default partition.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT ensure_partitions(%s)", [MONTHS_AHEAD])
        return [name for (name,) in cursor.fetchall()]


def remove_expired(*, at: datetime) -> int:
    """Delete old idempotency keys, folded reports, long-lapsed leases, and what apps have asked for.

    Returns how many rows.
    """
    removed = idempotency.remove_old() + sum(remove(at) for remove in _others)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM kernel_casereport WHERE id IN (
                SELECT id FROM kernel_casereport WHERE folded
                  AND recorded_at < clock_timestamp() - make_interval(days => %s)
                ORDER BY id LIMIT %s)
            """,
            [REPORTS_KEPT_DAYS, _BATCH],
        )
        removed += cursor.rowcount
        cursor.execute(
            "DELETE FROM kernel_lease "
            "WHERE expires_at < clock_timestamp() - make_interval(days => %s)",
            [LEASES_KEPT_DAYS],
        )
        return int(removed + cursor.rowcount)
