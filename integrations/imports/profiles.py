"""The formats that can be imported: how each is read and what its lines become."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Protocol

from integrations.channels.native import translate as native
from integrations.channels.online_retail import translate as retail
from integrations.channels.online_retail.translate import Credit, Nature
from integrations.channels.shopify import translate as shopify
from integrations.channels.woocommerce import translate as woocommerce
from integrations.imports import files
from integrations.imports.buckets import Bucket, LineResult
from integrations.imports.files import Piece, Scan
from integrations.types import ChannelRef, NotSold, Unreadable
from orders.types import OrderDraft


@dataclass(slots=True)
class Translated:
    """What one order of the file asks: an order to capture, credits, and lines that are neither.

    `captures` are the file's lines behind the draft, with the bucket each has when all is well.
    """

    reference: str
    last_line: int
    lines: int
    draft: OrderDraft | None = None
    captures: list[tuple[int, Bucket]] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    settled: list[LineResult] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StockLine:
    """What a line says about a SKU: its name, price, and how many units were sold."""

    sku: str
    name: str
    quantity: int
    unit_price: Decimal


class Profile(Protocol):
    """One format. Line numbers are the file's own, the header being line 1."""

    @property
    def name(self) -> str:
        """What `--format` calls it."""
        ...

    def scan(self, path: Path) -> Scan:
        """Read the file once. Raises Unreadable when it is not of this format."""
        ...

    def orders(
        self, path: Path, known: Scan, channel: ChannelRef, *, mode: str, received_at: datetime
    ) -> Iterator[Translated]:
        """The file's orders, translated, in the order of their last lines."""
        ...

    def stock_lines(self, path: Path) -> Iterator[StockLine]:
        """The goods that the file sold, line by line."""
        ...


@dataclass(frozen=True, slots=True)
class NativeProfile:
    """Our own columns, separated by commas or tabs."""

    name: str
    delimiter: str

    def scan(self, path: Path) -> Scan:
        known = files.scan(path, self.delimiter, _native_key)
        if missing := native.missing_columns(known.header):
            raise Unreadable(f"The file has no column {', '.join(missing)}.")
        if unknown := native.unknown_columns(known.header):
            raise Unreadable(f"No meaning is known for the columns {', '.join(unknown)}.")
        return known

    def orders(
        self, path: Path, known: Scan, channel: ChannelRef, *, mode: str, received_at: datetime
    ) -> Iterator[Translated]:
        for piece in files.pieces(path, self.delimiter, _native_key, known):
            found = _blank(piece)
            if piece.rows:
                try:
                    found.draft = native.order_draft(
                        piece.rows, channel, received_at=received_at, mode=mode
                    )
                    found.captures = [
                        (
                            number,
                            Bucket.SERVICE if row.get("kind") == "service" else Bucket.CAPTURED,
                        )
                        for number, row in zip(piece.numbers, piece.rows, strict=True)
                    ]
                except Unreadable as unreadable:
                    found.settled = _all_unreadable(piece, unreadable)
            yield found

    def stock_lines(self, path: Path) -> Iterator[StockLine]:
        for _, row in files.rows_of(path, self.delimiter):
            if row is not None and row.get("kind", "") in ("", "stock"):
                yield StockLine(
                    row["sku"].strip(),
                    row.get("title", "").strip(),
                    _units(row["quantity"]),
                    _price(row.get("unit_price", "")),
                )


@dataclass(frozen=True, slots=True)
class RetailProfile:
    """The UCI "Online Retail" file."""

    name: str = "online-retail"

    def scan(self, path: Path) -> Scan:
        if missing := files.missing(files.header_of(path, ","), retail.COLUMNS):
            raise Unreadable(f"The file has no column {', '.join(missing)}.")
        credited: set[tuple[str, str]] = set()

        def look(row: Mapping[str, str]) -> None:
            if retail.is_credit(row):
                credited.add((retail.customer_of(row), retail.sku_of(row)))

        return replace(files.scan(path, ",", _invoice, look), credited=frozenset(credited))

    def orders(
        self, path: Path, known: Scan, channel: ChannelRef, *, mode: str, received_at: datetime
    ) -> Iterator[Translated]:
        for piece in files.pieces(path, ",", _invoice, known):
            found = _blank(piece)
            if piece.rows:
                try:
                    _read_invoice(found, piece, channel, mode=mode, received_at=received_at)
                except Unreadable as unreadable:
                    found = _blank(piece)
                    found.settled = _all_unreadable(piece, unreadable)
            yield found

    def stock_lines(self, path: Path) -> Iterator[StockLine]:
        known = self.scan(path)
        for piece in files.pieces(path, ",", _invoice, known):
            if not piece.rows:
                continue
            try:
                kinds = retail.natures(piece.rows)
            except Unreadable:
                continue
            for row, nature in zip(piece.rows, kinds, strict=True):
                if nature is Nature.SALE and not retail.GIFT_CARD.match(row["StockCode"]):
                    yield StockLine(
                        retail.sku_of(row),
                        row["Description"].strip(),
                        retail.quantity_of(row),
                        _price(row["UnitPrice"]),
                    )


@dataclass(frozen=True, slots=True)
class DocumentProfile:
    """JSON documents of one order each: one, a list, `{"orders": […]}`, or one per line (.jsonl)."""

    name: str
    translate: Callable[..., OrderDraft]

    def scan(self, path: Path) -> Scan:
        count = sum(1 for _ in _documents(path))
        return Scan(files.sha256_of(path), count, count, {}, ())

    def orders(
        self, path: Path, known: Scan, channel: ChannelRef, *, mode: str, received_at: datetime
    ) -> Iterator[Translated]:
        del known
        for number, document in enumerate(_documents(path), start=1):
            reference = str(document.get("id", "")) if isinstance(document, dict) else ""
            found = Translated(reference[:120], number, 1)
            try:
                found.draft = self.translate(document, channel, received_at=received_at, mode=mode)
                found.captures = [(number, Bucket.CAPTURED)]
            except NotSold as nothing:
                found.settled = [
                    LineResult(
                        number, found.reference, Bucket.NOT_SOLD, nothing.code, nothing.detail
                    )
                ]
            except Unreadable as unreadable:
                found.settled = [
                    LineResult(
                        number,
                        found.reference,
                        Bucket.UNREADABLE,
                        unreadable.code,
                        unreadable.detail,
                    )
                ]
            yield found

    def stock_lines(self, path: Path) -> Iterator[StockLine]:
        for document in _documents(path):
            items = document.get("line_items", []) if isinstance(document, dict) else []
            for item in items:
                if isinstance(item, dict) and item.get("sku"):
                    yield StockLine(
                        str(item["sku"]),
                        str(item.get("name", "")),
                        _units(str(item.get("quantity", 0))),
                        _price(str(item.get("price", ""))),
                    )


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        NativeProfile("csv", ","),
        NativeProfile("tsv", "\t"),
        DocumentProfile("shopify", shopify.order_draft),
        DocumentProfile("woocommerce", woocommerce.order_draft),
        RetailProfile(),
    )
}


def _read_invoice(
    found: Translated, piece: Piece, channel: ChannelRef, *, mode: str, received_at: datetime
) -> None:
    """Sort the lines of one invoice: those of the order, credits, and what is neither."""
    sold: list[Mapping[str, str]] = []
    kinds = retail.natures(piece.rows)
    for number, row, nature in zip(piece.numbers, piece.rows, kinds, strict=True):
        if nature in (Nature.SALE, Nature.SERVICE):
            sold.append(row)
            service = nature is Nature.SERVICE
            found.captures.append((number, Bucket.SERVICE if service else Bucket.CAPTURED))
        elif nature is Nature.CREDIT:
            found.credits.append(
                Credit(
                    line=number,
                    invoice=piece.key,
                    customer=retail.customer_of(row),
                    sku=retail.sku_of(row),
                    quantity=abs(retail.quantity_of(row)),
                    at=retail.placed_at(row, received_at),
                )
            )
        else:
            bucket = Bucket(nature.value)
            detail = f"{row['StockCode']} × {row['Quantity']} at {row['UnitPrice']}"
            found.settled.append(
                LineResult(number, piece.key, bucket, nature.value.replace("_", "-"), detail)
            )
    if sold:
        found.draft = retail.order_draft(sold, channel, received_at=received_at, mode=mode)


def _blank(piece: Piece) -> Translated:
    """Nothing asked yet; a piece without rows is a line whose columns do not fit the header."""
    found = Translated(piece.key[:120], files.ends(piece), len(piece.numbers))
    if not piece.rows:
        found.settled = [
            LineResult(
                number,
                "",
                Bucket.UNREADABLE,
                "columns",
                "The line has other columns than the header.",
            )
            for number in piece.numbers
        ]
    return found


def _all_unreadable(piece: Piece, why: Unreadable) -> list[LineResult]:
    """One bad line keeps the order out: half an order would be worse than none."""
    where = why.extra.get("pointer", "")
    detail = f"{why.detail} ({where})" if where else why.detail
    return [
        LineResult(number, piece.key[:120], Bucket.UNREADABLE, why.code, detail)
        for number in piece.numbers
    ]


def _native_key(row: Mapping[str, str]) -> str:
    return row.get("order_id", "").strip()


def _invoice(row: Mapping[str, str]) -> str:
    return row.get("InvoiceNo", "").strip()


def _documents(path: Path) -> Iterator[Any]:
    """The JSON documents of the file; Shopify's `{"order": …}` is opened."""
    with files.open_text(path) as file:
        if ".jsonl" in path.suffixes or ".ndjson" in path.suffixes:
            for line in file:
                if line.strip():
                    yield _opened(_parsed(line))
            return
        whole = _parsed(file.read())
    listed = whole.get("orders") if isinstance(whole, dict) else whole
    documents: Sequence[Any] = listed if isinstance(listed, list) else [whole]
    for document in documents:
        yield _opened(document)


def _parsed(content: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Unreadable("The file is not valid JSON.") from None


def _opened(document: Any) -> Any:
    inner = document.get("order") if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) else document


def _units(value: str) -> int:
    return int(value) if value.strip().lstrip("-").isdecimal() else 0


def _price(value: str) -> Decimal:
    try:
        return Decimal(value or 0)
    except InvalidOperation:
        return Decimal(0)
