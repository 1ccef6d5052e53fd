"""A range of a snapshot against the book, in the database; only what differs comes out of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from inventory.models import Feed, SnapshotDocument
from inventory.services.feeds import HELD_CONDITIONS
from inventory.services.runs import Gap
from inventory.states import SELLABLE_CONDITIONS, Condition, NodeKind
from inventory.types import Evidence

JUST_BEFORE: Final = timedelta(minutes=10)
"""What moved so shortly before a figure was taken may not be in it."""
RECENTLY: Final = timedelta(days=3)
"""So far back a movement of exactly as many units explains a difference."""


@dataclass(slots=True)
class Standing:
    """What a line's position can bear, as it is locked."""

    sellable: int
    reserved: int
    is_plain: bool


@dataclass(slots=True)
class Compared:
    """What a range came to: lines that were compared, and those of them that differ."""

    compared: int
    gaps: list[Gap]
    standing: dict[int, Standing]
    waited_for: set[int]

    def is_plain(self, gap: Gap) -> bool:
        """Whether the database can write the line without looking at anything else."""
        stands = self.standing[gap.row]
        if not stands.is_plain or gap.lot:
            return False
        if gap.condition not in SELLABLE_CONDITIONS:
            return True
        if gap.units > 0:
            return gap.sku_id not in self.waited_for
        return stands.sellable + gap.units >= stands.reserved


_LINE: Final = """
    SELECT line.*, position.id AS position_id, position.counted_at, position.sellable,
        position.reserved, position.shortfall, position.landed
    FROM inventory_snapshotline line
    JOIN inventory_stockposition position
        ON (position.sku_id, position.node_id, position.owner_id)
         = (line.sku_id, %(node)s, line.owner_id)
    WHERE line.document_id = %(document)s AND line."row" > %(low)s AND line."row" <= %(high)s
"""


def places(document: SnapshotDocument, high: int) -> tuple[list[int], list[int]]:
    """The positions of the range, with those that did not exist before, and their SKUs."""
    asked = _range(document, high)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_stockposition (account_id, node_id, sku_id, owner_id, sellable,
                reserved, buffer, shortfall, landed, event_seq)
            SELECT %(account)s, %(node)s, line.sku_id, line.owner_id, 0, 0, 0, 0, 0, 0
            FROM (SELECT DISTINCT sku_id, owner_id FROM inventory_snapshotline
                WHERE document_id = %(document)s AND "row" > %(low)s AND "row" <= %(high)s) AS line
            WHERE NOT EXISTS (SELECT FROM inventory_stockposition known
                WHERE (known.sku_id, known.node_id, known.owner_id)
                    = (line.sku_id, %(node)s, line.owner_id))
            ORDER BY line.sku_id, line.owner_id
            ON CONFLICT (sku_id, node_id, owner_id) DO NOTHING
            """,
            asked,
        )
        cursor.execute(f"SELECT DISTINCT position_id, sku_id FROM ({_LINE}) AS line", asked)  # noqa: S608  # ours
        rows = cursor.fetchall()
    return [row[0] for row in rows], [row[1] for row in rows]


def compare(
    document: SnapshotDocument, feed: Feed, high: int, aside: Mapping[int, int]
) -> Compared:
    """The lines of the range whose target is not what lies there. Lines counted later are left out."""
    asked = _range(document, high) | {
        "as_of": document.as_of,
        "nets_committed": feed.nets_committed,
        "nets_held": feed.nets_held,
        "held": [condition.value for condition in HELD_CONDITIONS],
        "available": Condition.AVAILABLE.value,
        "picked_skus": [] if feed.nets_committed else list(aside),
        "picked_units": [] if feed.nets_committed else list(aside.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE, asked)
        rows = cursor.fetchall()
    compared, rows = rows[0][0], [row for row in rows if row[1] is not None]
    gaps = [Gap(*row[1:9]) for row in rows]
    standing = {row[1]: Standing(row[9], row[10], row[11]) for row in rows}
    return Compared(compared, gaps, standing, _waited_for(gaps))


def count(document: SnapshotDocument, high: int, left_out: Collection[int]) -> None:
    """The range's positions are known as of the snapshot, but for those with an open line."""
    asked = _range(document, high) | {"as_of": document.as_of, "left_out": list(left_out)}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE inventory_stockposition known SET counted_at = %(as_of)s
            FROM (SELECT DISTINCT position_id FROM ({_LINE}) AS line) AS told
            WHERE known.id = told.position_id AND known.id <> ALL(%(left_out)s)
              AND (known.counted_at IS NULL OR known.counted_at < %(as_of)s)
            """,  # noqa: S608  # ours
            asked,
        )


def supersede_range(document: SnapshotDocument, high: int, *, at: datetime) -> None:
    """A later figure of the range's lines has come: what was open of them is settled."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE inventory_difference known SET state = 'superseded', decided_at = %(at)s
            FROM ({_LINE}) AS line
            WHERE known.state = 'open' AND known.position_id = line.position_id
              AND known.condition = line.condition AND known.lot = line.lot
            """,  # noqa: S608  # ours
            _range(document, high) | {"at": at},
        )


def evidence(
    document: SnapshotDocument, feed: Feed, gaps: Sequence[Gap], aside: Mapping[int, int]
) -> dict[int, Evidence]:
    """What ledger and open work show about lines that differ; a first figure needs no reason."""
    asked = [gap for gap in gaps if not gap.first]
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _EVIDENCE,
            {
                "rows": [gap.row for gap in asked],
                "positions": [gap.position_id for gap in asked],
                "skus": [gap.sku_id for gap in asked],
                "conditions": [gap.condition for gap in asked],
                "lots": [gap.lot for gap in asked],
                "units": [abs(gap.units) for gap in asked],
                "node": document.node_id,
                "as_of": document.as_of,
                "just_before": document.as_of - JUST_BEFORE,
                "recently": document.as_of - RECENTLY,
                "document": document.id,
            },
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    is_store = document.node.kind == NodeKind.STORE
    picked = {} if feed.nets_picked or feed.nets_committed else aside
    skus = {gap.row: gap.sku_id for gap in asked}
    return {
        row: Evidence(
            just_moved=int(moved),
            picked=picked.get(skus[row], 0),
            committed=0 if feed.nets_committed else int(committed),
            inbound=int(inbound),
            same_moves=tuple(same or ()),
            is_store=is_store,
            listed=listed,
        )
        for row, moved, committed, inbound, same, listed in rows
    }


def _range(document: SnapshotDocument, high: int) -> dict[str, Any]:
    return {
        "document": document.id,
        "account": document.account_id,
        "node": document.node_id,
        "low": document.cursor,
        "high": high,
    }


def _waited_for(gaps: Sequence[Gap]) -> set[int]:
    arrived = {gap.sku_id for gap in gaps if gap.units > 0 and gap.condition in SELLABLE_CONDITIONS}
    if not arrived:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT sku_id FROM inventory_reservation "
            "WHERE state = 'waiting' AND sku_id = ANY(%s)",
            [list(arrived)],
        )
        return {row[0] for row in cursor.fetchall()}


_COMPARE: Final = f"""
WITH line AS MATERIALIZED ({_LINE}),
current AS (
    SELECT * FROM line WHERE counted_at IS NULL OR counted_at <= %(as_of)s
), held AS (
    SELECT current."row", sum(level.on_hand) AS units,
        bool_or(level.lot <> '' AND level.on_hand > 0) AS in_lots
    FROM current JOIN inventory_stocklevel level ON level.position_id = current.position_id
        AND level.condition = current.condition
        AND (current.lot = '' OR level.lot = current.lot)
    GROUP BY 1
), later AS (
    SELECT current."row", sum(moved.quantity) AS units
    FROM current JOIN inventory_movement moved ON moved.position_id = current.position_id
        AND moved.at > %(as_of)s AND moved.condition = current.condition
        AND (current.lot = '' OR moved.lot = current.lot)
    GROUP BY 1
), committed AS (
    SELECT current."row", sum(claim.quantity - claim.consumed - claim.released) AS units
    FROM current JOIN inventory_reservation claim ON claim.position_id = current.position_id
        AND claim.state = 'committed'
    WHERE %(nets_committed)s AND current.condition = %(available)s AND current.lot = ''
    GROUP BY 1
), picked AS (
    SELECT * FROM unnest(%(picked_skus)s::bigint[], %(picked_units)s::bigint[])
        AS aside (sku_id, units)
), unfit AS (
    SELECT current."row", sum(level.on_hand) AS units
    FROM current JOIN inventory_stocklevel level ON level.position_id = current.position_id
        AND level.condition = ANY(%(held)s)
    WHERE NOT %(nets_held)s AND current.condition = %(available)s AND current.lot = ''
    GROUP BY 1
), lots AS (
    SELECT current."row", sum(level.on_hand) AS units
    FROM current JOIN inventory_sku sku ON sku.id = current.sku_id
        AND (sku.lot_tracked OR sku.expires)
    LEFT JOIN inventory_stocklevel level ON level.position_id = current.position_id
        AND level.condition = 'quality_hold' AND current.lot IN ('', level.lot)
    WHERE current.condition = %(available)s AND NOT EXISTS (SELECT FROM line other
        WHERE other.position_id = current.position_id AND other.condition = 'quality_hold')
    GROUP BY 1
), compared AS (
    SELECT current.*, (coalesce(held.units, 0) + coalesce(lots.units, 0))::bigint AS present,
        coalesce(held.in_lots, false) OR lots."row" IS NOT NULL AS in_lots,
        greatest(0, current.quantity + coalesce(later.units, 0) + coalesce(committed.units, 0)
            + CASE WHEN current.condition = %(available)s AND current.lot = ''
                THEN coalesce(picked.units, 0) ELSE 0 END
            - coalesce(unfit.units, 0))::bigint AS target
    FROM current
    LEFT JOIN held USING ("row")
    LEFT JOIN later USING ("row")
    LEFT JOIN committed USING ("row")
    LEFT JOIN unfit USING ("row")
    LEFT JOIN lots USING ("row")
    LEFT JOIN picked ON picked.sku_id = current.sku_id
)
SELECT total.compared, differing.*
FROM (SELECT count(*) AS compared FROM compared) AS total
LEFT JOIN (
    SELECT "row", position_id, sku_id, condition, lot, present, target,
        counted_at IS NULL AND present = 0 AS first, sellable, reserved, shortfall = 0 AND landed = 0 AND NOT in_lots AS plain
    FROM compared WHERE present <> target
) AS differing ON true
ORDER BY differing."row"
"""  # noqa: S608  # ours

_EVIDENCE: Final = """
WITH asked AS (
    SELECT * FROM unnest(%(rows)s::int[], %(positions)s::bigint[], %(skus)s::bigint[],
        %(conditions)s::text[], %(lots)s::text[], %(units)s::bigint[])
        AS asked ("row", position_id, sku_id, condition, lot, units)
)
SELECT asked."row", coalesce(moved.units, 0), coalesce(claimed.units, 0),
    coalesce(due.units, 0), moved.same, line.listed
FROM asked
JOIN inventory_snapshotline line
    ON line.document_id = %(document)s AND line."row" = asked."row"
LEFT JOIN LATERAL (
    SELECT sum(quantity) FILTER (WHERE at > %(just_before)s) AS units,
        array_agg(DISTINCT kind) FILTER (WHERE abs(quantity) = asked.units) AS same
    FROM inventory_movement moved
    WHERE moved.position_id = asked.position_id AND moved.at > %(recently)s
      AND moved.at <= %(as_of)s AND moved.condition = asked.condition
      AND (asked.lot = '' OR moved.lot = asked.lot)
      AND moved.kind NOT IN ('snapshot', 'discrepancy', 'carried_forward')
) AS moved ON true
LEFT JOIN LATERAL (
    SELECT sum(quantity - consumed - released) AS units FROM inventory_reservation claim
    WHERE claim.position_id = asked.position_id AND claim.state = 'committed'
) AS claimed ON true
LEFT JOIN LATERAL (
    SELECT sum(due.expected - due.received) AS units FROM inventory_inboundline due
    JOIN inventory_inbound inbound ON inbound.id = due.inbound_id
    WHERE due.sku_id = asked.sku_id AND due.received < due.expected
      AND inbound.node_id = %(node)s AND inbound.state IN ('expected', 'arriving')
) AS due ON true
"""
