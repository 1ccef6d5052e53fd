"""Whether the sums of the books hold, position by position, and what the first line is that breaks them.

Reads only; the commands that look and repair are `inventory.services.drift`.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import StockPosition
from inventory.states import DriftKind
from inventory.types import DriftFound

_NEWEST: Final = 5

_COMPARE: Final = """
WITH place AS MATERIALIZED (
    SELECT id, account_id, node_id, sku_id, sellable, reserved, shortfall, landed
    FROM inventory_stockposition WHERE {which}
), lying AS MATERIALIZED (
    SELECT level.id, level.position_id, level.condition, level.on_hand, moved.units
    FROM place JOIN inventory_stocklevel level ON level.position_id = place.id
    LEFT JOIN LATERAL (SELECT coalesce(sum(quantity), 0) AS units
        FROM inventory_movement movement WHERE movement.level_id = level.id) AS moved ON true
), summed AS (
    SELECT place.*, coalesce(level.units, 0) AS lies, coalesce(claim.units, 0) AS claimed,
        coalesce(short.quantity, 0) AS short_work, coalesce(aside.quantity, 0) AS landed_work
    FROM place
    LEFT JOIN (SELECT position_id, sum(on_hand) AS units FROM lying
        WHERE condition = 'available' GROUP BY 1) AS level ON level.position_id = place.id
    LEFT JOIN LATERAL (SELECT sum(quantity - consumed - released) AS units
        FROM inventory_reservation claim WHERE claim.position_id = place.id
          AND claim.state IN ('held', 'reserved', 'committed')) AS claim ON true
    LEFT JOIN inventory_shortfallwork short
        ON short.position_id = place.id AND short.done_at IS NULL
    LEFT JOIN inventory_landedwork aside
        ON aside.position_id = place.id AND aside.done_at IS NULL
)
SELECT 'on_hand', place.account_id, place.node_id, place.sku_id, lying.position_id, lying.id,
    lying.on_hand, lying.units::bigint
FROM lying JOIN place ON place.id = lying.position_id WHERE lying.on_hand <> lying.units
UNION ALL
SELECT drifted.kind, account_id, node_id, sku_id, id, NULL, drifted.found, drifted.expected::bigint
FROM summed, LATERAL (VALUES
    ('sellable', sellable, lies), ('reserved', reserved, claimed),
    ('shortfall', shortfall, greatest(0, reserved - sellable)),
    ('shortfall_work', short_work, shortfall), ('landed_work', landed_work, landed)
) AS drifted (kind, found, expected)
WHERE drifted.found <> drifted.expected
ORDER BY 5, 1, 6
"""


@dataclass(frozen=True, slots=True)
class Range:
    """Positions by id: those looked at, the last of them, and the sums that do not hold there."""

    positions: int
    last: int
    drifts: list[DriftFound]


def compare_range(after: int, size: int) -> Range:
    """Look at so many positions after this id, in one snapshot. Two statements.

    Every level's movements are summed anew; nothing is locked.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), max(id) FROM (SELECT id FROM inventory_stockposition "
            "WHERE id > %s ORDER BY id LIMIT %s) AS part",
            [after, size],
        )
        positions, last = cursor.fetchone()
        if not positions:
            return Range(0, after, [])
        cursor.execute(_COMPARE.format(which="id > %s AND id <= %s"), [after, last])
        return Range(positions, last, [DriftFound(*row) for row in cursor.fetchall()])


def compare(position_ids: Collection[int]) -> list[DriftFound]:
    """The sums that do not hold at these positions. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE.format(which="id = ANY(%s)"), [sorted(set(position_ids))])
        return [DriftFound(*row) for row in cursor.fetchall()]


def token_of(drifts: Sequence[DriftFound]) -> str:
    """A mark of these figures: a repair is applied only while a preview's mark is still theirs."""
    said = sorted(str((one.kind, one.place, one.found, one.expected)) for one in drifts)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]


def evidence_of(drift: DriftFound, since: datetime | None) -> dict[str, Any]:
    """The first line or transaction after which the sums disagree, as far as it can be told.

    `since` is when the sum held last. At most three statements.
    """
    if drift.kind == DriftKind.ON_HAND:
        return _first_broken_line(drift)
    return _last_transaction(drift) | {"since": since.isoformat() if since else None}


def _first_broken_line(drift: DriftFound) -> dict[str, Any]:
    """Each line of a ledger says what lay there after it: the first that does not add up, or the last.

    When all add up, the level was changed beside the ledger, after its last line.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, kind, quantity, balance, running::bigint, at, actor_name, balance <> running
            FROM (SELECT *, sum(quantity) OVER (ORDER BY id) AS running
                FROM inventory_movement WHERE level_id = %s) AS line
            ORDER BY balance = running, CASE WHEN balance <> running THEN id END, id DESC LIMIT 1
            """,
            [drift.level_id],
        )
        row = cursor.fetchone()
    if row is None:
        return {"said": "The level has no line in the ledger at all."}
    movement_id, kind, quantity, balance, running, at, actor_name, is_broken = row
    told = f"{kind} of {quantity:+d} by {actor_name or 'the system'} at {at:%Y-%m-%d %H:%M} UTC"
    if is_broken:
        said = (
            f"From this line on the ledger lacks or doubles units: {told}; it says that {balance} "
            f"lay there, the lines up to it make {running}."
        )
    else:
        said = (
            f"Every line adds up; on hand was changed beside the ledger after the last one: {told}."
        )
    return {"movement": str(movement_id), "said": said}


def _last_transaction(drift: DriftFound) -> dict[str, Any]:
    """What the transaction that wrote the position last has recorded, and the newest claims."""
    position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(pk=drift.position_id)
    recorded = Event.objects.for_scope(ALL_ACCOUNTS).filter(xid=str(position.changed_xid))
    event = recorded.order_by("pk").first()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, state, quantity - consumed - released, coalesce(closed_at, at)
            FROM inventory_reservation WHERE position_id = %s
            ORDER BY coalesce(closed_at, at) DESC LIMIT %s
            """,
            [drift.position_id, _NEWEST],
        )
        claims = cursor.fetchall()
    found: dict[str, Any] = {
        "claims": [
            {"id": str(row[0]), "state": row[1], "open": row[2], "at": row[3].isoformat()}
            for row in claims
        ]
    }
    if event is None:
        return found | {"said": "The transaction that wrote the position last recorded no event."}
    told = f"{event.topic} by {event.actor_name or 'the system'} at {event.at:%Y-%m-%d %H:%M} UTC"
    return found | {"event": str(event.pk), "said": f"The position was written last with {told}."}
