"""Goods of other owners that channels sell from our nodes: who may have them, and what is then owed.

They lie at positions of their own, so a reservation says whose units it claims. The figures count
them where the channel sells the owner's goods; what leaves is written down with its movement.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from config.kernel import ids
from inventory.states import ConsignedKind, MovementKind
from inventory.stock_rows import Movement
from inventory.types import ConsignedPart, PositionView, SnapshotRow

SOLD_SOMEWHERE: Final = (
    "(p.owner_id = p.account_id OR p.owner_id IN (SELECT owner_id FROM inventory_ownerchannel))"
)
"""Of positions `p` the account's own, and others' that any channel sells."""

SOLD_HERE: Final = """(p.owner_id = p.account_id OR p.owner_id IN (
    SELECT c.owner_id FROM inventory_ownerchannel c
    WHERE c.channel_id = %(channel)s::uuid OR %(channel)s::uuid IS NULL))"""
"""Likewise those that the `channel` sells; without one, that any does."""

_KINDS: Final = {
    MovementKind.ISSUE.value: ConsignedKind.SOLD,
    MovementKind.SALE.value: ConsignedKind.SOLD,
    MovementKind.PUT_BACK.value: ConsignedKind.PUT_BACK,
    MovementKind.RETURN.value: ConsignedKind.RETURNED,
}
_WRITE: Final = """
    INSERT INTO inventory_consigneduse (id, account_id, owner_id, sku_id, node_id, movement_id, kind,
        quantity, amount_minor, currency, at)
    SELECT moved.id, moved.account_id, moved.owner_id, moved.sku_id, moved.node_id,
        moved.movement_id, moved.kind, moved.quantity,
        CASE WHEN price.unit_price * moved.quantity %% 1 IN (0.5, -0.5)
            THEN 2 * round(price.unit_price * moved.quantity / 2)
            ELSE round(price.unit_price * moved.quantity) END,
        coalesce(price.currency, ''), moved.at
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[], %s::uuid[],
        %s::text[], %s::bigint[], %s::timestamptz[])
        AS moved (id, account_id, owner_id, sku_id, node_id, movement_id, kind, quantity, at)
    JOIN inventory_stockowner owner ON owner.id = moved.owner_id
    LEFT JOIN inventory_ownerprice price ON price.owner_id = owner.id
        AND price.sku_id = moved.sku_id
    RETURNING id, account_id, owner_id, sku_id, node_id, kind, quantity, amount_minor, currency,
        (SELECT code FROM inventory_stockowner o WHERE o.id = owner_id)
"""


@dataclass(frozen=True, slots=True)
class UsedUnits:
    """Units of another owner that were sold (+) or came back (−), and what is owed for them."""

    id: UUID
    account_id: UUID
    owner_id: UUID
    sku_id: int
    node_id: int
    kind: str
    units: int
    amount_minor: int | None
    currency: str
    owner: str


class Shared:
    """Positions of several owners behind one figure: what a channel may have, and whose goes first."""

    def __init__(self, positions: Mapping[tuple[int, int], PositionView]) -> None:
        self._views = {key: view for key, view in positions.items() if view.consigned}
        self._left = {
            part.position_id: part.free for view in self._views.values() for part in view.consigned
        } | {view.id: view.free for view in self._views.values() if view.free}

    def not_sold(self, channel_id: UUID, key: tuple[int, int]) -> int:
        """Units at the node that the channel may not have: of owners whose goods it does not sell."""
        view = self._views.get(key)
        if view is None:
            return 0
        return sum(
            self._left[part.position_id]
            for part in view.consigned
            if channel_id not in part.channels
        )

    def draw(self, channel_id: UUID, key: tuple[int, int], units: int) -> list[tuple[int, int]]:
        """The positions that the units come from, in turn, as (position, units); used up with it.

        What nobody has free (a cart's own units, or landed ones) is the account's own position's.
        """
        view = self._views[key]
        drawn: dict[int, int] = {}
        for position_id in _in_turn(view, channel_id):
            if part := min(units, self._left.get(position_id, 0)):
                self._left[position_id] -= part
                drawn[position_id] = part
                units -= part
        if units:
            drawn[view.id] = drawn.get(view.id, 0) + units
        return list(drawn.items())

    def __contains__(self, key: object) -> bool:
        return key in self._views

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """By (node, SKU)."""
        return iter(self._views)


def _in_turn(view: PositionView, channel_id: UUID) -> list[int]:
    sold: list[ConsignedPart] = [one for one in view.consigned if channel_id in one.channels]
    return [
        *(one.position_id for one in sold if one.is_first),
        view.id,
        *(one.position_id for one in sold if not one.is_first),
    ]


def free_of(positions: Mapping[tuple[int, int], PositionView]) -> dict[tuple[int, int], int]:
    """Units that may be reserved at each node, whoever owns them."""
    return {
        key: view.free + sum(part.free for part in view.consigned) if view.consigned else view.free
        for key, view in positions.items()
    }


def shared(positions: Mapping[tuple[int, int], PositionView]) -> Shared | None:
    """None where nothing is consigned."""
    return Shared(positions) if any(view.consigned for view in positions.values()) else None


def write_uses(moved: Sequence[Movement]) -> list[UsedUnits]:
    """Write down what of other owners' goods was sold, or came back. One statement.

    None where all movements are of the account's own goods.
    """
    used = [
        one
        for one in moved
        if not one.level.position.key.is_own
        and one.why.kind in _KINDS
        and (one.quantity < 0) == (_KINDS[one.why.kind] is ConsignedKind.SOLD)
    ]
    if not used:
        return []
    keys = [one.level.position.key for one in used]
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            [
                [ids.uuid7() for _ in used],
                [key.account_id for key in keys],
                [key.owner_id for key in keys],
                [key.sku_id for key in keys],
                [key.node_id for key in keys],
                [one.id for one in used],
                [_KINDS[one.why.kind].value for one in used],
                [-one.quantity for one in used],
                [one.at for one in used],
            ],
        )
        return [UsedUnits(*row) for row in cursor.fetchall()]


def lying_at(
    node_id: int, sku_ids: Collection[int], as_of: datetime
) -> dict[tuple[int, str, str], int]:
    """Units of other owners at the node as of then, by (SKU, condition, lot). One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.sku_id, v.condition, v.lot, sum(v.on_hand - coalesce((
                SELECT sum(m.quantity) FROM inventory_movement m
                WHERE m.level_id = v.id AND m.at > %s), 0))::bigint
            FROM inventory_stockposition p JOIN inventory_stocklevel v ON v.position_id = p.id
            WHERE p.node_id = %s AND p.sku_id = ANY(%s) AND p.owner_id <> p.account_id
            GROUP BY 1, 2, 3
            """,
            [as_of, node_id, sorted(set(sku_ids))],
        )
        return {row[:3]: row[3] for row in cursor.fetchall() if row[3]}


def of_all_owners(node_id: int, rows: Sequence[SnapshotRow], as_of: datetime) -> list[SnapshotRow]:
    """The rows of a source that tells goods of all owners together, as rows of the account's own.

    What the book has of other owners' is taken off: a difference is the account's own.
    """
    others = lying_at(node_id, {row.sku_id for row in rows}, as_of)
    found = []
    for row in rows:
        theirs = sum(
            units
            for (sku_id, condition, lot), units in others.items()
            if (sku_id, condition) == (row.sku_id, row.condition) and row.lot in {"", lot}
        )
        found.append(replace(row, quantity=max(0, row.quantity - theirs)) if theirs else row)
    return found


def owners_of(demand_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Whose goods went out for each demand, where most of them were not the account's own."""
    if not demand_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (demand_id) demand_id, owner_id, account_id FROM (
                SELECT r.demand_id, p.owner_id, p.account_id, sum(r.consumed) AS units
                FROM inventory_reservation r
                JOIN inventory_stockposition p ON p.id = r.position_id
                WHERE r.demand_id = ANY(%s) AND r.consumed > 0
                GROUP BY 1, 2, 3
            ) AS went ORDER BY demand_id, units DESC, owner_id = account_id DESC, owner_id
            """,
            [list(demand_ids)],
        )
        return {row[0]: row[1] for row in cursor.fetchall() if row[1] != row[2]}
