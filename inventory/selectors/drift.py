"""What the continuous check of the books has found, and what a repair would do."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory import drift
from inventory.models import DriftWatch, StockDrift, StockPosition
from inventory.states import DriftKind
from inventory.types import DriftFound, RepairLine, RepairPreview

_SHOWN: Final = 200


def drift_watch() -> DriftWatch | None:
    """How far the check has come; None before its first turn."""
    return DriftWatch.objects.first()


def open_drifts(scope: Scope, limit: int = _SHOWN) -> list[StockDrift]:
    """Sums that do not hold, newest first, with their node and SKU."""
    rows = StockDrift.objects.for_scope(scope).filter(closed_at=None)
    return list(
        rows.select_related("position__node", "position__sku", "level").order_by("-pk")[:limit]
    )


def repaired_drifts(scope: Scope, limit: int = 20) -> list[StockDrift]:
    """What was closed last: repaired by somebody, or gone by itself."""
    rows = StockDrift.objects.for_scope(scope).filter(closed_at__isnull=False)
    return list(rows.select_related("position__node", "position__sku").order_by("-pk")[:limit])


def preview_repairs(drift_ids: Collection[UUID], scope: Scope) -> RepairPreview:
    """What repairing these findings would do now: every sum of their positions. Two statements."""
    rows = StockDrift.objects.for_scope(scope).filter(pk__in=list(drift_ids), closed_at=None)
    known = {(row.position_id, row.kind, row.level_id): row.pk for row in rows}
    return preview_of(drift.compare({place[0] for place in known}), known)


def preview_of(
    found: Sequence[DriftFound], known: dict[tuple[int, str, int | None], UUID]
) -> RepairPreview:
    lines = tuple(RepairLine(known.get(one.place), one, _said(one)) for one in found)
    return RepairPreview(lines, drift.token_of(found))


def still_drifting(position_ids: Collection[int]) -> set[int]:
    """Those of the positions with a sum that does not hold."""
    rows = StockDrift.objects.for_scope(ALL_ACCOUNTS).filter(
        position_id__in=list(position_ids), closed_at=None
    )
    return set(rows.values_list("position_id", flat=True))


def places_of(position_ids: Iterable[int]) -> dict[int, StockPosition]:
    """Positions with their node and SKU, for whoever was shown their ids."""
    rows = StockPosition.objects.for_scope(ALL_ACCOUNTS).select_related("node", "sku")
    found: dict[int, StockPosition] = rows.in_bulk(set(position_ids))
    return found


def _said(one: DriftFound) -> str:
    """What the repair does to one sum, in a sentence."""
    change = one.found - one.expected
    match one.kind:
        case DriftKind.ON_HAND:
            return (
                f"{one.found} lie here, the ledger makes {one.expected}: it gets a line "
                f"“discrepancy” of {change:+d}, and the node is asked to count."
            )
        case DriftKind.SELLABLE:
            return f"Sellable becomes what lies there: {one.found} → {one.expected}."
        case DriftKind.RESERVED:
            return f"Reserved becomes what is claimed: {one.found} → {one.expected}."
        case DriftKind.SHORTFALL:
            return f"Shortfall is worked out anew: {one.found} → {one.expected}."
        case DriftKind.SHORTFALL_WORK:
            return f"Open work for the shortfall: {one.found} → what the shortfall is then."
        case _:
            return f"Open work for units set aside: {one.found} → what is set aside then."
