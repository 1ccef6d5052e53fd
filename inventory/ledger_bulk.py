"""Many plain moves at once: what `Book` would write, computed and written in one statement.

A move is plain when the database can tell its outcome without looking at anything else: units
without a lot, enough of them, at a position that neither falls short nor owes what arrives to
waiting demand. Whatever is not plain goes through the `Book`, under the same locks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from config.kernel import ids
from config.kernel.types import Actor
from inventory.states import SELLABLE_CONDITIONS
from inventory.stock_rows import expect_rows


@dataclass(slots=True)
class PlainMoves:
    """Moves by column, as the statement takes them; all at positions that are locked.

    `balances` are on hand after each: whoever has locked the levels knows them.
    """

    position_ids: list[int]
    conditions: list[str]
    quantities: list[int]
    balances: list[int]
    kinds: list[str]
    times: list[datetime]
    cause_kinds: list[str]
    cause_ids: list[UUID | None]
    sources: list[str]
    external_ids: list[str]
    notes: list[str]

    def __len__(self) -> int:
        return len(self.position_ids)


QUOTAS: Final = """
    quotas AS MATERIALIZED (
        SELECT id FROM inventory_quota WHERE state = 'live' AND sku_id = ANY(%s)
        ORDER BY id FOR UPDATE
    )
"""
"""Live quotas of SKUs, locked before any position, as the Book does."""


def lock_places(position_ids: Sequence[int], sku_ids: Sequence[int]) -> None:
    """Lock positions and their levels in the global order, as the Book does."""
    wanted = sorted(set(position_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH {QUOTAS}
            SELECT count(*) FROM (SELECT 1 FROM inventory_stockposition
                WHERE id = ANY(%s) AND (SELECT count(*) >= 0 FROM quotas)
                ORDER BY id FOR UPDATE) AS held
            """,  # noqa: S608  # ours
            [sorted(set(sku_ids)), wanted],
        )
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM inventory_stocklevel "
            "WHERE position_id = ANY(%s) ORDER BY id FOR UPDATE) AS held",
            [wanted],
        )


def make_levels(places: Collection[tuple[int, str]]) -> None:
    """Insert levels, (position, condition), that no unit has lain on yet; known ones stay."""
    if not places:
        return
    wanted = sorted(places)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_stocklevel (account_id, position_id, condition, lot, on_hand,
                allocated)
            SELECT position.account_id, position.id, place.condition, '', 0, 0
            FROM unnest(%s::bigint[], %s::text[]) AS place (position_id, condition)
            JOIN inventory_stockposition position ON position.id = place.position_id
            WHERE NOT EXISTS (SELECT FROM inventory_stocklevel level
                WHERE level.position_id = place.position_id
                  AND level.condition = place.condition AND level.lot = '')
            """,
            [[place[0] for place in wanted], [place[1] for place in wanted]],
        )


def post(moves: PlainMoves, *, actor: Actor) -> list[UUID]:
    """Write plain moves in the order given; returns their movements. One statement.

    Raises RuntimeError when a move found no level.
    """
    if not len(moves):
        return []
    movement_ids = [ids.uuid7() for _ in moves.quantities]
    with connection.cursor() as cursor:
        cursor.execute(
            _POST,
            {
                "ids": movement_ids,
                "positions": moves.position_ids,
                "conditions": moves.conditions,
                "quantities": moves.quantities,
                "balances": moves.balances,
                "kinds": moves.kinds,
                "times": moves.times,
                "external_ids": moves.external_ids,
                "notes": moves.notes,
                "cause_kinds": moves.cause_kinds,
                "cause_ids": moves.cause_ids,
                "sources": moves.sources,
                "sellable": sorted(SELLABLE_CONDITIONS),
                "actor_kind": actor.kind,
                "actor_id": actor.id,
                "actor_name": actor.name,
                "correlation_id": actor.correlation_id,
            },
        )
        expect_rows(cursor.rowcount, len(moves))
    return movement_ids


_POST = """
WITH moved AS MATERIALIZED (
    SELECT asked.*, level.id AS level_id, position.account_id, position.node_id, position.sku_id
    FROM unnest(%(ids)s::uuid[], %(positions)s::bigint[], %(conditions)s::text[],
            %(quantities)s::bigint[], %(balances)s::bigint[], %(kinds)s::text[],
            %(times)s::timestamptz[], %(cause_kinds)s::text[], %(cause_ids)s::uuid[],
            %(sources)s::text[], %(external_ids)s::text[], %(notes)s::text[])
        AS asked (id, position_id, condition, quantity, balance, kind, at, cause_kind, cause_id,
            source, external_id, note)
    JOIN inventory_stocklevel level ON level.position_id = asked.position_id
        AND level.condition = asked.condition AND level.lot = ''
    JOIN inventory_stockposition position ON position.id = asked.position_id
), levels AS (
    UPDATE inventory_stocklevel level
    SET on_hand = level.on_hand + changed.units,
        allocated = least(level.allocated, level.on_hand + changed.units)
    FROM (SELECT level_id, sum(quantity)::bigint AS units FROM moved GROUP BY 1) AS changed
    WHERE level.id = changed.level_id
), positions AS (
    UPDATE inventory_stockposition position
    SET sellable = position.sellable + changed.units,
        changed_xid = pg_current_xact_id()::text::bigint
    FROM (SELECT position_id, sum(quantity)::bigint AS units FROM moved
        WHERE condition = ANY(%(sellable)s) GROUP BY 1) AS changed
    WHERE position.id = changed.position_id
)
INSERT INTO inventory_movement (id, account_id, node_id, sku_id, position_id, level_id, condition,
    lot, quantity, balance, kind, cause_kind, cause_id, source, external_id, note, at, actor_kind,
    actor_id, actor_name, correlation_id)
SELECT id, account_id, node_id, sku_id, position_id, level_id, condition, '', quantity, balance,
    kind, cause_kind, cause_id, source, external_id, note, at,
    %(actor_kind)s::text, %(actor_id)s::text, %(actor_name)s::text, %(correlation_id)s::text
FROM moved
"""
