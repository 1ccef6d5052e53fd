"""Stock explained: every figure opens into terms that add up, and into the ledger behind it."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import F, Q, Sum

from config.kernel.types import Scope
from inventory.models import (
    CountRequest,
    Exclusion,
    Movement,
    Reservation,
    StockLevel,
    StockPosition,
)
from inventory.states import (
    CLAIMING_STATES,
    OPEN_COUNT_STATES,
    SELLABLE_CONDITIONS,
    Condition,
    ReservationState,
)
from inventory.types import MovementView, Term, Waterfall


def waterfall(
    sku_ids: Collection[int], node_ids: Collection[int] | None = None, *, scope: Scope
) -> list[Waterfall]:
    """How the free units of each position come about, by SKU and node. Three statements.

    The terms of a position add up to its `free`.
    """
    positions = StockPosition.objects.for_scope(scope).of(sku_ids, node_ids)
    ordered = positions.select_related("node", "sku").order_by("sku__code", "node__code", "pk")
    return waterfalls_of(list(ordered), scope=scope)


def waterfalls_of(rows: Sequence[StockPosition], *, scope: Scope) -> list[Waterfall]:
    """Explain positions that were read with their node and SKU. Two statements."""
    levels: dict[int, list[StockLevel]] = {}
    found = StockLevel.objects.for_scope(scope).filter(position__in=rows).order_by("pk")
    for level in found:
        levels.setdefault(level.position_id, []).append(level)
    claims: dict[int, dict[str, int]] = {}
    claimed = (
        Reservation.objects.for_scope(scope)
        .filter(position__in=rows, state__in=CLAIMING_STATES)
        .values_list("position_id", "state")
        .annotate(units=Sum(F("quantity") - F("consumed") - F("released")))
        .order_by()
    )
    for position_id, state, units in claimed:
        claims.setdefault(position_id, {})[state] = int(units)
    return [_waterfall(row, levels.get(row.pk, []), claims.get(row.pk, {})) for row in rows]


def ledger(
    scope: Scope,
    *,
    position_id: int | None = None,
    sku_id: int | None = None,
    node_id: int | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[MovementView]:
    """Movements, the latest first; `before` names the last one seen."""
    wanted = Q()
    for name, value in [
        ("position_id", position_id),
        ("sku_id", sku_id),
        ("node_id", node_id),
        ("id__lt", before),
    ]:
        if value is not None:
            wanted &= Q(**{name: value})
    rows = Movement.objects.for_scope(scope).filter(wanted).order_by("-id")[:limit]
    return [
        MovementView(
            id=row.pk,
            node_id=row.node_id,
            sku_id=row.sku_id,
            condition=row.condition,
            lot=row.lot,
            kind=row.kind,
            quantity=row.quantity,
            balance=row.balance,
            cause_kind=row.cause_kind,
            cause_id=row.cause_id,
            note=row.note,
            at=row.at,
            actor_name=row.actor_name,
        )
        for row in rows
    ]


def count_requests(scope: Scope, node_ids: Collection[int] | None = None) -> list[CountRequest]:
    """Open count requests with their node and SKU, the oldest first."""
    found = CountRequest.objects.for_scope(scope).filter(state__in=OPEN_COUNT_STATES)
    if node_ids is not None:
        found = found.filter(node_id__in=node_ids)
    return list(found.select_related("node", "sku").order_by("opened_at", "pk"))


def exclusions_in_force(scope: Scope, sku_ids: Collection[int], at: object) -> list[Exclusion]:
    """Exclusions of these SKUs that still hold, with their nodes."""
    found = Exclusion.objects.for_scope(scope).filter(sku_id__in=sku_ids, until__gt=at)
    return list(found.select_related("node").order_by("sku_id", "node_id"))


def _waterfall(row: StockPosition, levels: list[StockLevel], claims: dict[str, int]) -> Waterfall:
    terms = [
        Term(
            "on_hand",
            "On hand",
            sum(level.on_hand for level in levels),
            tuple(
                {"condition": level.condition, "lot": level.lot, "on_hand": level.on_hand}
                for level in levels
                if level.on_hand
            ),
        )
    ]
    for condition in Condition:
        held = sum(level.on_hand for level in levels if level.condition == condition)
        if held and condition not in SELLABLE_CONDITIONS:
            terms.append(Term(condition.value, condition.label, -held))
    terms += [
        Term(state, ReservationState(state).label, -claims[state])
        for state in CLAIMING_STATES
        if state in claims
    ]
    for code, label, units in [
        ("buffer", "Buffer", row.buffer),
        ("landed", "Set aside for waiting demand", row.landed),
    ]:
        if units:
            terms.append(Term(code, label, -units))
    free = 0 if row.shortfall else max(0, row.sellable - row.reserved - row.buffer - row.landed)
    if beyond := free - sum(term.units for term in terms):
        terms.append(Term("beyond", "Claimed or kept beyond what is there", beyond))
    return Waterfall(
        position_id=row.pk,
        node_id=row.node_id,
        node_code=row.node.code,
        sku_id=row.sku_id,
        sku_code=row.sku.code,
        terms=tuple(terms),
        free=free,
        as_of=row.counted_at,
    )
