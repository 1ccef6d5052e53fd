"""The take in one statement: where every want can be had, nothing is decided between its steps.

Locks, guards and rows are those of `inventory.services.take`, which goes on from the locked rows
where this has written nothing. `fits` compares rows as they were locked; what the UPDATE looks for
must not be what others change, for it begins from the rows as they stood before anybody was waited
for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from config.kernel import ids
from inventory.states import ReservationState
from inventory.stock_rows import expect_rows
from inventory.types import Taken, Want

MOST_AT_ONCE: Final = 30
"""Wants of one take. Of more, PostgreSQL writes the rows while Python goes on instead."""
_TAKE: Final = """
    WITH quotas AS MATERIALIZED (
        SELECT id FROM inventory_quota WHERE state = 'live' AND sku_id = ANY(%s)
        ORDER BY id FOR UPDATE
    ), locked AS MATERIALIZED (
        SELECT p.id AS position_id, p.account_id, p.node_id, p.sku_id,
            CASE WHEN p.shortfall = 0 AND (p.fresh_until IS NULL OR p.fresh_until > %s)
                THEN greatest(0, p.sellable - p.reserved - p.buffer - p.landed) ELSE 0 END AS free,
            p.landed, want.id, want.demand_id, want.thread_id, want.quantity, want.priority,
            want.promised_at
        FROM inventory_stockposition p
        JOIN unnest(%s::uuid[], %s::bigint[], %s::uuid[], %s::uuid[], %s::bigint[], %s::smallint[],
            %s::timestamptz[])
            AS want (id, position_id, demand_id, thread_id, quantity, priority, promised_at)
            ON want.position_id = p.id
        WHERE (SELECT count(*) >= 0 FROM quotas) ORDER BY p.id FOR UPDATE OF p
    ), fits AS MATERIALIZED (
        SELECT count(*) FILTER (WHERE free >= quantity) = %s
            AND NOT EXISTS (SELECT FROM quotas) AS all FROM locked
    ), raised AS (
        UPDATE inventory_stockposition p SET reserved = p.reserved + locked.quantity,
            changed_xid = pg_current_xact_id()::text::bigint
        FROM locked
        WHERE p.id = locked.position_id AND (SELECT fits.all FROM fits)
        RETURNING 1
    ), made AS (
        INSERT INTO inventory_reservation (id, account_id, sku_id, node_id, position_id,
            demand_id, thread_id, quantity, priority, promised_at, state, consumed, released,
            release_reason, expires_at, at)
        SELECT id, account_id, sku_id, node_id, position_id, demand_id, thread_id, quantity,
            priority, promised_at, %s, 0, 0, '', %s, %s
        FROM locked WHERE (SELECT fits.all FROM fits)
        RETURNING 1
    )
    SELECT fits.all, (SELECT count(*) FROM raised), (SELECT count(*) FROM made),
        (SELECT array_agg(id) FROM quotas), locked.position_id, locked.account_id, locked.node_id,
        locked.sku_id, locked.free, locked.landed
    FROM fits LEFT JOIN locked ON NOT fits.all
"""


@dataclass(frozen=True, slots=True)
class Locked:
    """A locked position: whose it is, and the units that may be had of it now."""

    account_id: UUID
    node_id: int
    sku_id: int
    free: int
    landed: int


@dataclass(frozen=True, slots=True)
class AtOnce:
    """All of the wants, reserved; or none, with the positions and live quotas that are locked."""

    taken: tuple[Taken, ...]
    locked: dict[int, Locked]
    quotas: list[int] | None


def take_at_once(
    wants: Sequence[Want], state: ReservationState, until: datetime | None, *, at: datetime
) -> AtOnce | None:
    """Reserve all of the wants in one statement, or only lock what they need.

    They are locked where a position is short or a channel has a live quota of a SKU. None, and
    nothing is locked, where the take must know more: a limit of a node, lots to be bound, or two
    wants of one position.
    """
    if not wants or len(wants) > MOST_AT_ONCE:
        return None
    if any(want.windows or want.min_expiry is not None for want in wants):
        return None
    positions = [want.position_id for want in wants]
    if len(set(positions)) < len(positions):
        return None
    made = [ids.uuid7() for _ in wants]
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            [
                list({want.sku_id for want in wants}),
                at,
                made,
                positions,
                [want.demand_id for want in wants],
                [want.thread_id for want in wants],
                [want.quantity for want in wants],
                [want.priority for want in wants],
                [want.promised_at for want in wants],
                len(wants),
                state.value,
                until,
                at,
            ],
        )
        rows = cursor.fetchall()
    has_all, raised, reserved, quotas, *first = rows[0]
    expect_rows(raised, len(wants) if has_all else 0)
    expect_rows(reserved, raised)
    if has_all:
        taken = tuple(Taken(want, made_id) for want, made_id in zip(wants, made, strict=True))
        return AtOnce(taken, {}, None)
    # Without any position there is one row all the same, of nothing but NULLs.
    known = rows if first[0] is not None else []
    return AtOnce((), {row[4]: Locked(*row[5:]) for row in known}, quotas)
