"""Which lots the goods of a transfer are of: they arrive in those in which they left."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Movement, StockLevel, TransferLine
from inventory.services.transfer_sheet import KIND, TransferSheet
from inventory.states import Condition, MovementKind
from inventory.types import MovedUnits, StockChange


def change_of(sheet: TransferSheet, line: TransferLine, quantity: int, node_id: int) -> StockChange:
    """Units of the line that come (+) to a node or go (−) from it, under the transfer's name."""
    row = sheet.rows[line.transfer_id]
    return StockChange(
        node_id=node_id,
        sku_id=line.sku_id,
        account_id=line.account_id,
        quantity=quantity,
        kind=MovementKind.TRANSFER.value,
        cause_kind=KIND,
        cause_id=row.pk,
        note=row.number,
    )


@dataclass(frozen=True, slots=True)
class _Lot:
    """Units of a lot that left and have not arrived."""

    code: str
    expires_on: date | None
    units: int


def landings(
    sheet: TransferSheet, moved: Sequence[tuple[TransferLine, MovedUnits]]
) -> list[StockChange]:
    """What the destination's book gains: whole units as the node receives, damaged ones apart."""
    under_way = _lots_under_way(sheet, {line.transfer_id for line, _ in moved})
    changes = []
    for line, one in moved:
        row = sheet.rows[line.transfer_id]
        lots = under_way.get((row.pk, line.sku_id), [])
        for units, condition in ((one.quantity, ""), (one.damaged, Condition.DAMAGED.value)):
            base = replace(change_of(sheet, line, units, row.destination_id), condition=condition)
            named = [_Lot(one.lot, one.expires_on, units)]
            parts = named if one.lot else _draw(lots, units)
            changes += [
                replace(base, quantity=part.units, lot=part.code, expires_on=part.expires_on)
                for part in parts
                if part.units
            ]
    return changes


def _draw(lots: list[_Lot], units: int) -> list[_Lot]:
    """So many units out of the lots, first to expire first; the rest has no lot."""
    drawn = []
    left = units
    while left and lots:
        lot = lots.pop(0)
        part = min(left, lot.units)
        drawn.append(replace(lot, units=part))
        if lot.units > part:
            lots.insert(0, replace(lot, units=lot.units - part))
        left -= part
    return [*drawn, _Lot("", None, left)]


def _lots_under_way(
    sheet: TransferSheet, transfer_ids: set[UUID]
) -> dict[tuple[UUID, int], list[_Lot]]:
    """Per transfer and SKU, the lots that left the source less those that arrived. Two statements."""
    moved = (
        Movement.objects.for_scope(ALL_ACCOUNTS)
        .filter(cause_id__in=transfer_ids, kind=MovementKind.TRANSFER)
        .exclude(lot="")
        .values_list("cause_id", "sku_id", "lot", "quantity", "node_id", "level_id")
    )
    units: Counter[tuple[UUID, int, str]] = Counter()
    levels: dict[tuple[UUID, int, str], int] = {}
    for cause_id, sku_id, lot, quantity, node_id, level_id in moved:
        units[cause_id, sku_id, lot] -= quantity
        if node_id == sheet.rows[cause_id].source_id:
            levels[cause_id, sku_id, lot] = level_id
    expiry = dict(
        StockLevel.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=set(levels.values()))
        .values_list("pk", "expires_on")
    )
    found: dict[tuple[UUID, int], list[_Lot]] = {}
    for (cause_id, sku_id, lot), count in units.items():
        if count > 0:
            expires_on = expiry.get(levels.get((cause_id, sku_id, lot), 0))
            found.setdefault((cause_id, sku_id), []).append(_Lot(lot, expires_on, count))
    for lots in found.values():
        lots.sort(key=lambda lot: (lot.expires_on or date.max, lot.code))
    return found
