"""Lots as people look at them: what lies of them, what they came with, which want another."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.lives import BOUND_BY_LAW
from inventory.models import Lot, Recall, Sku
from inventory.types import LostLots, LotView

_LOTS = """
    SELECT lot.id, lot.account_id, lot.sku_id, sku.code, lot.code, lot.state, lot.state_reason,
        lot.expires_on, lot.made_on, lot.recall_id, lot.first_seen_at,
        coalesce(lying.on_sale, 0), coalesce(lying.on_hand, 0)
    FROM inventory_lot lot JOIN inventory_sku sku ON sku.id = lot.sku_id
    LEFT JOIN LATERAL (
        SELECT sum(level.on_hand) FILTER (WHERE level.condition = 'available')::bigint AS on_sale,
            sum(level.on_hand)::bigint AS on_hand
        FROM inventory_stockposition position
        JOIN inventory_stocklevel level ON level.position_id = position.id
            AND level.lot = lot.code
        WHERE position.sku_id = lot.sku_id) AS lying ON true
    WHERE lot.id = ANY(%s) ORDER BY lot.expires_on NULLS LAST, lot.id
"""


def lots(scope: Scope) -> QuerySet[Lot]:
    """Lots of the scope's accounts."""
    return Lot.objects.for_scope(scope).select_related("sku")


def recalls(scope: Scope) -> QuerySet[Recall]:
    """Recalls of the scope's accounts, the latest first."""
    return Recall.objects.for_scope(scope).order_by("-opened_at", "-pk")


def lots_of_recall(recall_id: UUID) -> list[int]:
    """The lots that this recall calls back."""
    found = Lot.objects.for_scope(ALL_ACCOUNTS).filter(recall_id=recall_id).order_by("pk")
    return list(found.values_list("pk", flat=True))


def nodes_with(lot_ids: Collection[int]) -> list[int]:
    """Nodes at which units of these lots lie, in whatever condition."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT position.node_id
            FROM inventory_lot lot
            JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
            JOIN inventory_stocklevel level ON level.position_id = position.id
                AND level.lot = lot.code AND level.on_hand > 0
            WHERE lot.id = ANY(%s) ORDER BY 1
            """,
            [list(lot_ids)],
        )
        return [row[0] for row in cursor.fetchall()]


def lot_views(lot_ids: Collection[int]) -> list[LotView]:
    """These lots with what lies of them now; the first to expire first. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_LOTS, [list(lot_ids)])
        return [LotView(*row) for row in cursor.fetchall()]


def lot_dates(
    pairs: Collection[tuple[int, str]],
) -> dict[tuple[int, str], tuple[int, str, date | None]]:
    """(id, state, expiry) of these (SKU, lot code); an unknown one is absent."""
    found = Lot.objects.for_scope(ALL_ACCOUNTS).filter(
        sku_id__in={sku_id for sku_id, _ in pairs}, code__in={code for _, code in pairs}
    )
    return {
        (row.sku_id, row.code): (row.pk, str(row.state), row.expires_on)
        for row in found
        if (row.sku_id, row.code) in pairs
    }


def tracked_skus(sku_ids: Collection[int]) -> dict[int, tuple[bool, bool, bool]]:
    """(by lot, by serial, by law) of the SKUs of which any is kept track. One statement."""
    rows = Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=sku_ids)
    found = {}
    for pk, by_lot, by_serial, regulation in rows.values_list(
        "pk", "lot_tracked", "serial_tracked", "regulation"
    ):
        by_law = regulation in BOUND_BY_LAW
        if by_lot or by_serial or by_law:
            found[pk] = (by_lot, by_serial, by_law)
    return found


def lost_lots(limit: int) -> list[LostLots]:
    """Reservations whose bound lot was lost, the longest ago first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT claim.id, claim.position_id, claim.thread_id, claim.demand_id, claim.state,
                bound.units
            FROM inventory_allocation bound
            JOIN inventory_reservation claim ON claim.id = bound.reservation_id
            WHERE bound.level_id IS NULL ORDER BY bound.id LIMIT %s
            """,
            [limit],
        )
        return [LostLots(*row) for row in cursor.fetchall()]


def bound_to(lot_ids: Sequence[int]) -> list[UUID]:
    """Open reservations that have, or had and lost, one of these lots bound."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT bound.reservation_id
            FROM inventory_lot lot
            JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
            JOIN inventory_reservation claim ON claim.position_id = position.id
                AND claim.state IN ('held', 'reserved', 'committed')
            JOIN inventory_allocation bound ON bound.reservation_id = claim.id
            LEFT JOIN inventory_stocklevel level ON level.id = bound.level_id
            WHERE lot.id = ANY(%s) AND (level.id IS NULL OR level.lot = lot.code)
            """,
            [list(lot_ids)],
        )
        return [row[0] for row in cursor.fetchall()]


def issued_of(lot_ids: Collection[int]) -> list[tuple[int, int, str, UUID, int]]:
    """(lot, SKU, cause kind, cause, units) of what left nodes of these lots, put back ones less."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT lot.id, lot.sku_id, moved.cause_kind, moved.cause_id,
                -sum(moved.quantity)::bigint
            FROM inventory_lot lot
            JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
            JOIN inventory_stocklevel level ON level.position_id = position.id
                AND level.lot = lot.code
            JOIN inventory_movement moved ON moved.level_id = level.id
                AND moved.kind IN ('issue', 'put_back') AND moved.cause_id IS NOT NULL
            WHERE lot.id = ANY(%s) GROUP BY 1, 2, 3, 4
            HAVING sum(moved.quantity) < 0 ORDER BY 1, 4
            """,
            [list(lot_ids)],
        )
        return list(cursor.fetchall())
