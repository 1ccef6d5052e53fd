"""Price books as planners use them: the newest of an account, kept per process under its version.

Prices of SKUs are read when a SKU is first met, one statement for a batch; nothing here needs the
arrays that books are made with.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from struct import Struct
from uuid import UUID

from config.kernel import versions
from config.kernel.types import ALL_ACCOUNTS
from inventory.types import PositionView
from routing import engine
from routing.engine.prices import WHOLE, Worth, blended, filling
from routing.matching_models import PriceBook, StockPrice

TOPIC = "prices"
MARGIN = Struct("<i")
PRICED = Struct("<iii")
ROWS_KEPT = 4_000
"""SKUs whose prices a process keeps: five megabytes at a hundred nodes."""


@dataclass(frozen=True, slots=True)
class Header:
    """A book without its prices of units."""

    id: UUID
    currency: str
    made_at: datetime
    error: float
    parcels: Mapping[tuple[int, date], int]


@dataclass(frozen=True, slots=True)
class Prices:
    """A book with the prices of the SKUs at hand, as packed in the database."""

    header: Header
    rows: Mapping[int, bytes]

    def book(
        self,
        sku_ids: Iterable[int],
        left: Mapping[tuple[int, int], PositionView],
        *,
        percent: int,
        at: datetime,
        in_full: bool = False,
    ) -> engine.PriceBook | None:
        """What the engine is to pay for units of these SKUs; None where nothing has a price.

        `left` is stock by (node, SKU) as it is now: what an old book no longer knows is asked by how
        much of it is gone since. `percent` of prices count, relative ones but where they do `in_full`.
        """
        units: dict[int, dict[int, int]] = {}
        worth: dict[int, dict[int, Worth]] = {}
        for sku in sorted(set(sku_ids)):
            if packed := self.rows.get(sku):
                units[sku], worth[sku] = _unpacked(sku, packed, left)
        parcels = self.header.parcels
        known = engine.PriceBook(
            str(self.header.id),
            self.header.made_at,
            units,
            parcels,
            relative=not in_full,
            filling=filling(self.header.error) if in_full else WHOLE,
        )
        book = blended(known, worth, at=max(at, known.made_at), error=self.header.error)
        if percent != WHOLE:
            book = _scaled(book, percent)
        if not any(map(any, (row.values() for row in book.units.values()))) and not book.parcels:
            return None
        return book


def pack(margin: int, prices: Iterable[tuple[int, int, int]]) -> bytes:
    """A SKU's row: its margin, then node, price and opening stock of each node."""
    return MARGIN.pack(margin) + b"".join(PRICED.pack(*one) for one in prices)


def _unpacked(
    sku: int, packed: bytes, left: Mapping[tuple[int, int], PositionView]
) -> tuple[dict[int, int], dict[int, Worth]]:
    (margin,) = MARGIN.unpack_from(packed)
    units: dict[int, int] = {}
    worth: dict[int, Worth] = {}
    for node, price, opening in PRICED.iter_unpack(packed[MARGIN.size :]):
        if price:
            units[node] = price
        there = left.get((node, sku))
        worth[node] = Worth(opening, there.free if there else 0, margin)
    return units, worth


def _scaled(book: engine.PriceBook, percent: int) -> engine.PriceBook:
    def part(price: int) -> int:
        return price * percent // WHOLE

    return replace(
        book,
        units={
            sku: {node: part(price) for node, price in row.items()}
            for sku, row in book.units.items()
        },
        parcels={window: part(price) for window, price in book.parcels.items()},
    )


@dataclass(slots=True)
class _Kept:
    """What this process knows under one version."""

    version: int = -1
    headers: dict[UUID, Header | None] = field(default_factory=dict)
    rows: dict[tuple[UUID, int], bytes] = field(default_factory=dict)


_kept = _Kept()


def prices_for(
    account_ids: Collection[UUID], sku_ids: Collection[int], *, version: int
) -> dict[UUID, Prices]:
    """The accounts' books with their prices of these SKUs, under the version of the topic.

    While nobody has a book this costs nothing, and while the SKUs are known no statement.
    """
    if version == versions.FIRST:
        return {}
    if _kept.version != version:
        _kept.version = version
        _kept.headers.clear()
        _kept.rows.clear()
    if unknown := [pk for pk in account_ids if pk not in _kept.headers]:
        _kept.headers.update(dict.fromkeys(unknown) | _newest(unknown))
    headers = {pk: header for pk in account_ids if (header := _kept.headers[pk]) is not None}
    missing = {
        (header.id, sku)
        for header in headers.values()
        for sku in sku_ids
        if (header.id, sku) not in _kept.rows
    }
    if missing:
        if len(_kept.rows) + len(missing) > ROWS_KEPT:
            _kept.rows.clear()
            missing = {(header.id, sku) for header in headers.values() for sku in sku_ids}
        _kept.rows.update(_read(missing))
    return {
        pk: Prices(header, {sku: _kept.rows[header.id, sku] for sku in sku_ids})
        for pk, header in headers.items()
    }


def forget() -> None:
    """Read everything again at the next call: between tests."""
    _kept.version = -1


def _newest(account_ids: Collection[UUID]) -> dict[UUID, Header]:
    rows = PriceBook.objects.for_scope(ALL_ACCOUNTS).filter(account_id__in=account_ids)
    rows = rows.order_by("account_id", "-made_at", "-pk").distinct("account_id")
    return {row.account_id: header_of(row) for row in rows}


def header_of(row: PriceBook) -> Header:
    return Header(
        row.pk,
        row.currency,
        row.made_at,
        row.error_permille / 1_000,
        {(node, date.fromisoformat(day)): price for node, day, price in row.parcels},
    )


def _read(wanted: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], bytes]:
    """The rows, empty where a book has no price of the SKU. One statement."""
    rows = StockPrice.objects.filter(
        book_id__in={book for book, _ in wanted}, sku_id__in={sku for _, sku in wanted}
    )
    found = {
        (book, sku): bytes(packed)
        for book, sku, packed in rows.values_list("book_id", "sku_id", "packed")
    }
    return dict.fromkeys(wanted, b"") | found
