"""Transfers, adjustments and counts as pages and the API read them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, Sum

from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.models import (
    CountRequest,
    Movement,
    Reservation,
    StockAdjustment,
    Transfer,
    TransferLine,
)
from inventory.states import CLAIMING_STATES


def transfers(scope: Scope, nodes: Collection[int] | None = None) -> Any:
    """Transfers with their nodes, as a query; those that touch one of the nodes, if named."""
    found = Transfer.objects.for_scope(scope).select_related("source", "destination")
    if nodes is None:
        return found
    return found.filter(Q(source_id__in=nodes) | Q(destination_id__in=nodes))


def transfer_lines(transfer_ids: Iterable[UUID], scope: Scope) -> dict[UUID, list[TransferLine]]:
    """The lines of each transfer with their SKUs and claims; `reserved` is set. Three statements."""
    found = (
        TransferLine.objects.for_scope(scope)
        .filter(transfer_id__in=list(transfer_ids))
        .select_related("sku")
        .prefetch_related("claims")
        .order_by("pk")
    )
    lines: dict[UUID, list[TransferLine]] = {}
    for line in found:
        lines.setdefault(line.transfer_id, []).append(line)
    reserved = reserved_units([line.pk for line in found])
    for line in found:
        line.reserved = reserved.get(line.pk, 0)
    return lines


def adjustments(scope: Scope, nodes: Collection[int] | None = None) -> Any:
    """Adjustments with their node and SKU, as a query."""
    found = StockAdjustment.objects.for_scope(scope).select_related("node", "sku")
    return found if nodes is None else found.filter(node_id__in=nodes)


def counts(scope: Scope, nodes: Collection[int] | None = None) -> Any:
    """Count requests with their node and SKU, as a query."""
    found = CountRequest.objects.for_scope(scope).select_related("node", "sku")
    return found if nodes is None else found.filter(node_id__in=nodes)


def reserved_units(line_ids: Collection[UUID]) -> dict[UUID, int]:
    """Open reserved units per line. One statement."""
    found = (
        Reservation.objects.for_scope(ALL_ACCOUNTS)
        .filter(demand_id__in=line_ids, state__in=CLAIMING_STATES)
        .values_list("demand_id")
        .annotate(units=Sum(F("quantity") - F("consumed") - F("released")))
        .order_by()
    )
    return {row[0]: int(row[1]) for row in found}


def moved_since(since: datetime, scope: Scope) -> Any:
    """Positions with a movement written since then, by the machine's clock: a query of ids.

    Found by the ledger's key, which starts with the time of writing.
    """
    floor = UUID(int=int(since.timestamp() * 1000) << 80)
    found = Movement.objects.for_scope(scope).filter(pk__gte=floor)
    return found.values("position_id")
