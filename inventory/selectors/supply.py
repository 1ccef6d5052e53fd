"""What can be promised where, who claims it, and what is on its way."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.consigned import SOLD_SOMEWHERE
from inventory.models import InboundLine, Reservation
from inventory.states import CLAIMING_STATES, InboundState, ReservationState
from inventory.types import ConsignedPart, Eta, PositionView, ReservationView, ShortRisk

_FREE = (
    "CASE WHEN p.shortfall = 0 THEN greatest(0, p.sellable - p.reserved - p.buffer - p.landed) "
    "ELSE 0 END"
)


def supply(
    sku_ids: Collection[int], node_ids: Collection[int]
) -> dict[tuple[int, int], PositionView]:
    """What each node can promise of each SKU, by (node, SKU). One statement; no row, no stock.

    Goods of others are among it where some channel sells them; of anybody else's nothing is.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT p.id, p.node_id, p.sku_id, p.sellable, p.reserved, p.buffer, p.landed,
                p.shortfall, {_FREE},
                CASE WHEN p.owner_id <> p.account_id THEN (
                    SELECT json_build_array(o.id, o.is_first, array_agg(c.channel_id))
                    FROM inventory_stockowner o
                    JOIN inventory_ownerchannel c ON c.owner_id = o.id
                    WHERE o.id = p.owner_id GROUP BY o.id) END
            FROM inventory_stockposition p
            WHERE p.sku_id = ANY(%s) AND p.node_id = ANY(%s)
              AND {SOLD_SOMEWHERE}
            ORDER BY p.owner_id <> p.account_id, p.id
            """,  # noqa: S608  # a constant of this module
            [sorted(set(sku_ids)), sorted(set(node_ids))],
        )
        found: dict[tuple[int, int], PositionView] = {}
        for row in cursor.fetchall():
            if row[9] is None:
                found[row[1], row[2]] = PositionView(*row[:9])
            else:
                _add_consigned(found, row)
        return found


def _add_consigned(found: dict[tuple[int, int], PositionView], row: tuple[Any, ...]) -> None:
    """Put another owner's position beside what the account has of the SKU at the node."""
    owner_id, is_first, channels = row[9]
    part = ConsignedPart(
        row[0], UUID(owner_id), row[3], row[8], is_first, frozenset(UUID(each) for each in channels)
    )
    own = found.get((row[1], row[2])) or PositionView(row[0], row[1], row[2], 0, 0, 0, 0, 0, 0)
    found[row[1], row[2]] = replace(own, consigned=(*own.consigned, part))


def exclusions(sku_ids: Collection[int], at: datetime) -> set[tuple[int, int]]:
    """(node, SKU) that must not be sourced at this time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT node_id, sku_id FROM inventory_exclusion WHERE sku_id = ANY(%s) AND until > %s",
            [sorted(set(sku_ids)), at],
        )
        return set(cursor.fetchall())


def reservations(reservation_ids: Collection[UUID]) -> dict[UUID, ReservationView]:
    found = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=reservation_ids)
    return {row.pk: _view(row) for row in found}


def reservations_of(thread_id: UUID) -> list[ReservationView]:
    """Every reservation of one order, open or not, in the order they were made."""
    found = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=thread_id)
    return [_view(row) for row in found.order_by("pk")]


def claims_upon(thread_ids: Collection[UUID], node_ids: Collection[int]) -> list[ReservationView]:
    """What these orders have had of the nodes, open or not; nothing that only waits."""
    found = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(
        thread_id__in=thread_ids, node_id__in=node_ids, position_id__isnull=False
    )
    return [_view(row) for row in found.order_by("pk")]


def claims_of(demand_ids: Collection[UUID]) -> dict[UUID, list[ReservationView]]:
    """Open reservations by demand, waiting ones among them; a demand with none is absent."""
    found = (
        Reservation.objects.for_scope(ALL_ACCOUNTS)
        .filter(demand_id__in=demand_ids, state__in=[ReservationState.WAITING, *CLAIMING_STATES])
        .order_by("pk")
    )
    claims: dict[UUID, list[ReservationView]] = {}
    for row in found:
        claims.setdefault(row.demand_id, []).append(_view(row))
    return claims


def holders(position_id: int) -> list[ReservationView]:
    """Who claims units of the position; the least claim first."""
    return holders_of([position_id]).get(position_id, [])


def holders_of(position_ids: Collection[int]) -> dict[int, list[ReservationView]]:
    """Who claims units of each position; the least claim first.

    Least is: not committed, promised latest (or never), of the lowest priority, youngest.
    """
    found = (
        Reservation.objects.for_scope(ALL_ACCOUNTS)
        .filter(position_id__in=position_ids, state__in=CLAIMING_STATES)
        .order_by(F("promised_at").desc(nulls_first=True), "priority", "-at", "-pk")
    )
    held: dict[int, list[ReservationView]] = {}
    for row in sorted(found, key=lambda row: row.state == ReservationState.COMMITTED):
        held.setdefault(row.position_id, []).append(_view(row))
    return held


def waiting(sku_ids: Collection[int]) -> dict[int, list[ReservationView]]:
    """Demand that waits for supply, by SKU; whoever is served first stands first.

    First is: promised earliest (never promised last), of the highest priority, oldest.
    """
    found = (
        Reservation.objects.for_scope(ALL_ACCOUNTS)
        .filter(sku_id__in=sku_ids, state=ReservationState.WAITING)
        .order_by(F("promised_at").asc(nulls_last=True), "-priority", "at", "pk")
    )
    queue: dict[int, list[ReservationView]] = {}
    for row in found:
        queue.setdefault(row.sku_id, []).append(_view(row))
    return queue


def landed(sku_ids: Collection[int]) -> dict[int, list[PositionView]]:
    """Positions from which waiting demand can be served, by SKU: landed or free units, most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT p.id, p.node_id, p.sku_id, p.sellable, p.reserved, p.buffer, p.landed,
                p.shortfall, {_FREE}
            FROM inventory_stockposition p
            WHERE p.sku_id = ANY(%s) AND p.shortfall = 0 AND {SOLD_SOMEWHERE}
              AND (p.landed > 0 OR p.sellable - p.reserved - p.buffer - p.landed > 0)
            ORDER BY p.landed DESC, p.sellable - p.reserved DESC, p.id
            """,  # noqa: S608  # a constant of this module
            [sorted(set(sku_ids))],
        )
        found: dict[int, list[PositionView]] = {}
        for row in cursor.fetchall():
            found.setdefault(row[2], []).append(PositionView(*row))
    return found


def short_positions(limit: int) -> list[int]:
    """Positions whose shortfall nobody has covered yet, the longest short first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position_id FROM inventory_shortfallwork WHERE done_at IS NULL "
            "ORDER BY at, id LIMIT %s",
            [limit],
        )
        return [row[0] for row in cursor.fetchall()]


def skus_to_serve(limit: int) -> list[int]:
    """SKUs that somebody waits for and some position could serve now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT w.sku_id FROM inventory_reservation w
            WHERE w.state = 'waiting' AND EXISTS (
                SELECT FROM inventory_stockposition p
                WHERE p.sku_id = w.sku_id AND p.shortfall = 0 AND {SOLD_SOMEWHERE}
                  AND (w.node_id IS NULL OR p.node_id = w.node_id)
                  AND greatest(0, p.sellable - p.reserved - p.buffer - p.landed) + p.landed > 0)
            ORDER BY w.sku_id LIMIT %s
            """,  # noqa: S608  # own text
            [limit],
        )
        return [row[0] for row in cursor.fetchall()]


def eta_of(sku_id: int, node_ids: Collection[int]) -> list[Eta]:
    """What is still expected of the SKU at these nodes, soonest first."""
    found = (
        InboundLine.objects.filter(
            sku_id=sku_id, inbound__node_id__in=node_ids, received__lt=F("expected")
        )
        .filter(inbound__state__in=[InboundState.EXPECTED, InboundState.ARRIVING])
        .order_by("eta_at", "pk")
        .values_list(
            "inbound__node_id", "pk", F("expected") - F("received"), "eta_at", "reliability_percent"
        )
    )
    return [Eta(*row) for row in found]


def short_risk(scope: Scope, *, limit: int = 50) -> list[ShortRisk]:
    """SKUs with less free over the whole network than they were reserved lately, the worst first.

    Lately is the last three days of reservations; a SKU in shortfall or waited for is always here.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH stock AS (
                SELECT p.sku_id, sum({_FREE}) AS free, sum(p.shortfall) AS shortfall
                FROM inventory_stockposition p
                WHERE %s OR p.account_id = ANY(%s) GROUP BY 1
            ), demand AS (
                SELECT r.sku_id,
                    sum(r.quantity - r.consumed - r.released)
                        FILTER (WHERE r.state = 'waiting') AS waiting,
                    sum(r.quantity - r.released) FILTER (WHERE r.state <> 'waiting'
                        AND r.at > latest.at - interval '3 days') AS recent
                FROM inventory_reservation r,
                    (SELECT max(at) AS at FROM inventory_reservation) AS latest
                WHERE (%s OR r.account_id = ANY(%s))
                  AND (r.state = 'waiting' OR r.at > latest.at - interval '3 days')
                GROUP BY 1
            )
            SELECT sku.id, sku.code, sku.name, coalesce(stock.free, 0),
                coalesce(stock.shortfall, 0), coalesce(demand.waiting, 0)
            FROM inventory_sku sku
            LEFT JOIN stock ON stock.sku_id = sku.id
            LEFT JOIN demand ON demand.sku_id = sku.id
            WHERE coalesce(stock.shortfall, 0) > 0 OR coalesce(demand.waiting, 0) > 0
               OR coalesce(demand.recent, 0) > coalesce(stock.free, 0)
            ORDER BY coalesce(stock.shortfall, 0) + coalesce(demand.waiting, 0) DESC,
                coalesce(stock.free, 0) - coalesce(demand.recent, 0), sku.code
            LIMIT %s
            """,  # noqa: S608  # a constant of this module
            [
                scope.everything,
                sorted(scope.account_ids),
                scope.everything,
                sorted(scope.account_ids),
                limit,
            ],
        )
        return [ShortRisk(*row[:3], *map(int, row[3:])) for row in cursor.fetchall()]


def _view(row: Reservation) -> ReservationView:
    return ReservationView(
        id=row.pk,
        state=str(row.state),
        position_id=row.position_id,
        sku_id=row.sku_id,
        node_id=row.node_id,
        demand_id=row.demand_id,
        thread_id=row.thread_id,
        account_id=row.account_id,
        quantity=row.quantity,
        consumed=row.consumed,
        released=row.released,
        priority=row.priority,
        promised_at=row.promised_at,
        at=row.at,
    )


def stocked_at(node_id: int, account_id: UUID) -> list[int]:
    """The SKUs of the account's own that lie sellable at the node, by id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sku_id FROM inventory_stockposition WHERE node_id = %s AND account_id = %s "
            "AND owner_id = account_id AND sellable > 0 ORDER BY sku_id",
            [node_id, account_id],
        )
        return [row[0] for row in cursor.fetchall()]


def positions_of(pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], PositionView]:
    """Positions of exactly these (node, SKU); otherwise as `supply`."""
    found = supply([sku_id for _, sku_id in pairs], [node_id for node_id, _ in pairs])
    return {pair: found[pair] for pair in pairs if pair in found}


def shortfalls(position_ids: Collection[int]) -> dict[int, int]:
    """Units that each position is short of; 0 where it is not. A position that is not there is absent."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, shortfall FROM inventory_stockposition WHERE id = ANY(%s)",
            [sorted(set(position_ids))],
        )
        return dict(cursor.fetchall())


def threads_at(node_id: int) -> Any:
    """Threads with units that were or are the node's to send: a query of ids, to be used in one."""
    kept = [
        ReservationState.HELD,
        ReservationState.RESERVED,
        ReservationState.COMMITTED,
        ReservationState.CONSUMED,
    ]
    claims = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(
        position__node_id=node_id, state__in=kept
    )
    return claims.values("thread_id")


def claims_at(node_id: int, *, after: UUID | None = None, limit: int) -> list[ReservationView]:
    """Claims on the node's stock that are not at work there yet, in the order they were made."""
    found = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(
        position__node_id=node_id, state=ReservationState.RESERVED
    )
    if after is not None:
        found = found.filter(pk__gt=after)
    return [_view(row) for row in found.order_by("pk")[:limit]]
