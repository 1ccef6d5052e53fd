"""A warehouse's whole stock against the book: explained, taken over where that is safe.

A difference has a probable cause: units of ours that leave just now, units that lie under the name of
another SKU, or units that are simply gone or found. Every SKU that differs is one case with its cause,
and the book follows the warehouse. A list that cannot be whole (empty, or with too much missing) is
one case, and nothing of it is taken over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import transaction

import inventory.selectors
import inventory.services
from config.kernel import case_reports
from config.kernel.errors import Conflict
from config.kernel.types import Actor, Scope
from fulfillment import nodework
from integrations import connections
from integrations.types import ConnectionRef
from integrations.warehouses.cases import STOCK_DIFFERS, STOCK_DOUBTFUL
from integrations.warehouses.port import Warehouse
from integrations.warehouses.reports import Row, StockSeen
from integrations.warehouses.work_told import SNAPSHOT
from inventory.states import SELLABLE_CONDITIONS
from inventory.types import SkuView, SnapshotRow, SubjectTag, subject_id

TAKEN: Final = "stocktaking"
DOUBTFUL_SHARE: Final = 0.25
"""More of the book's SKUs missing from the list, or differing, than this: the list is at fault."""
FEW: Final = 20
"""Of so few SKUs no share says anything."""


class Cause(StrEnum):
    """What probably made book and warehouse differ."""

    LEAVING = "leaving"
    """Units of ours are on their way out: the number settles when they have left."""
    SWAPPED = "swapped"
    """Another SKU differs by as many units the other way: mis-picked or misplaced."""
    GONE = "gone"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Difference:
    """`units` more (+) or fewer (−) lie there than the book has."""

    sku: str
    sku_id: int
    position_id: int
    book: int
    units: int
    cause: Cause
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What taking stock came to."""

    rows: int = 0
    differences: tuple[Difference, ...] = ()
    unknown: tuple[str, ...] = ()
    doubt: str = ""
    healed: int = 0
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Book:
    """Sellable units by SKU code as the book has them; `aside` of them are on their way out."""

    skus: Mapping[str, SkuView]
    on_hand: Mapping[str, int]
    positions: Mapping[str, int]
    aside: Mapping[str, int] = field(default_factory=dict)


def take_stock(ref: ConnectionRef, there: Warehouse, *, at: datetime, actor: Actor) -> Taken:
    """Read the whole stock, explain what differs, and take over what is safe."""
    seen = there.stock(at=at)
    if seen.stock is None or ref.node_id is None:
        return Taken(reached=False)
    taken = _take_over(ref, ref.node_id, seen.stock, at=at, actor=actor)
    connections.move_cursor(ref.id, TAKEN, {"at": at.isoformat()})
    return taken


@transaction.atomic
def _take_over(
    ref: ConnectionRef, node_id: int, stock: StockSeen, *, at: datetime, actor: Actor
) -> Taken:
    as_of = min(stock.at, at)
    book = _book(ref, node_id, [row.sku for row in stock.rows])
    own = _of_ours(book, node_id, stock.rows, as_of)
    codes = {sku.id: code for code, sku in book.skus.items()}
    there = _totals((codes[row.sku_id], row) for row in own if row.condition in SELLABLE_CONDITIONS)
    differences = explain(book, there)
    unknown = tuple(sorted({row.sku for row in stock.rows} - set(book.skus)))
    if doubt := doubted(book, there, differences):
        _report_doubt(ref, doubt, len(stock.rows), at=at)
        return Taken(len(stock.rows), tuple(differences), unknown, doubt)
    left_out = {one.sku for one in differences if one.cause is Cause.LEAVING}
    wanted = [row for row in own if codes[row.sku_id] not in left_out]
    scope = Scope(frozenset({ref.account_id}))
    acting = Actor(actor.kind, actor.id, actor.name, scope)
    try:
        inventory.services.apply_snapshot(node_id, ref.source, as_of, wanted, at=at, actor=acting)
    except Conflict:
        return Taken(len(stock.rows), unknown=unknown)  # A newer snapshot stands.
    connections.move_cursor(ref.id, SNAPSHOT, {"as_of": as_of.isoformat()})
    healed = [one for one in differences if one.cause is not Cause.LEAVING]
    _report_differences(ref, node_id, healed, at=at)
    return Taken(len(stock.rows), tuple(differences), unknown, healed=len(healed))


def _book(ref: ConnectionRef, node_id: int, listed: Sequence[str]) -> Book:
    skus = inventory.selectors.skus_by_code(ref.account_id, None, listed)
    stocked = inventory.selectors.stocked_at(node_id, ref.account_id)
    known = dict(skus) | {sku.code: sku for sku in inventory.selectors.skus(stocked).values()}
    positions = inventory.selectors.positions_of([(node_id, sku.id) for sku in known.values()])
    found = {
        code: positions[node_id, sku.id]
        for code, sku in known.items()
        if (node_id, sku.id) in positions
    }
    aside = nodework.units_aside(node_id)
    return Book(
        known,
        {code: position.sellable for code, position in found.items()},
        {code: position.id for code, position in found.items()},
        {code: aside[sku.id] for code, sku in known.items() if sku.id in aside},
    )


def _of_ours(book: Book, node_id: int, rows: Sequence[Row], as_of: datetime) -> list[SnapshotRow]:
    """What was told of SKUs that we know, without what the book has of other owners' goods."""
    known = [
        SnapshotRow(
            book.skus[row.sku].id, row.quantity, row.condition, row.lot, expires_on=row.expires_on
        )
        for row in rows
        if row.sku in book.skus
    ]
    return inventory.selectors.of_all_owners(node_id, known, as_of)


def _totals(rows: Iterable[tuple[str, SnapshotRow]]) -> dict[str, int]:
    there: dict[str, int] = {}
    for code, row in rows:
        there[code] = there.get(code, 0) + row.quantity
    return there


def explain(book: Book, there: Mapping[str, int]) -> list[Difference]:
    """Every listed SKU that differs, with its probable cause; by code. Pure."""
    gaps = {code: gap for code in sorted(there) if (gap := there[code] - book.on_hand.get(code, 0))}
    partners = _partners(gaps)
    return [
        Difference(
            code,
            book.skus[code].id,
            book.positions.get(code, 0),
            book.on_hand.get(code, 0),
            gap,
            _cause(gap, book.aside.get(code, 0), partners.get(code, "")),
            partners.get(code, ""),
        )
        for code, gap in gaps.items()
    ]


def _cause(gap: int, aside: int, partner: str) -> Cause:
    if gap < 0 and -gap <= aside:
        return Cause.LEAVING
    if partner:
        return Cause.SWAPPED
    return Cause.GONE if gap < 0 else Cause.FOUND


def _partners(gaps: Mapping[str, int]) -> dict[str, str]:
    """Pairs that differ by as many units each way; each SKU is in one pair at most."""
    open_: dict[int, list[str]] = {}
    pairs: dict[str, str] = {}
    for code, gap in gaps.items():
        if open_.get(-gap):
            other = open_[-gap].pop(0)
            pairs[code], pairs[other] = other, code
        else:
            open_.setdefault(gap, []).append(code)
    return pairs


def doubted(book: Book, there: Mapping[str, int], differences: Sequence[Difference]) -> str:
    """Why the list cannot be whole; empty when it can. Pure."""
    stocked = [code for code, units in book.on_hand.items() if units > 0]
    if stocked and not there:
        return "The list is empty."
    missing = [code for code in stocked if code not in there]
    many = max(FEW, len(stocked) * DOUBTFUL_SHARE)
    if len(missing) > many:
        return f"{len(missing)} of {len(stocked)} SKUs with stock are not on the list."
    if len(differences) > many:
        return f"{len(differences)} of {len(stocked)} SKUs differ at once."
    return ""


def _report_differences(
    ref: ConnectionRef, node_id: int, differences: Sequence[Difference], *, at: datetime
) -> None:
    case_reports.report(
        [
            case_reports.Report(
                STOCK_DIFFERS,
                "sku",
                subject_id(SubjectTag.SKU, one.sku_id),
                ref.account_id,
                evidence={
                    "sku": one.sku,
                    "book": one.book,
                    "units": one.units,
                    "cause": one.cause,
                    "partner": one.partner,
                },
                cause=f"node:{node_id}:{one.cause}",
                dedupe_key=f"{STOCK_DIFFERS}:{node_id}:{one.sku_id}",
            )
            for one in differences
        ],
        at=at,
    )


def _report_doubt(ref: ConnectionRef, why: str, rows: int, *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                STOCK_DOUBTFUL,
                "connection",
                ref.id,
                ref.account_id,
                evidence={"why": why, "rows": rows},
                cause=f"connection:{ref.code}",
            )
        ],
        at=at,
    )
