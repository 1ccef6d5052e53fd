"""How pick list, packing slip and manifest are drawn, with Code 128 bars. Pure: all is handed in."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib import colors
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from fulfillment.carriers import PostalAddress
from fulfillment.models import (
    FulfillmentLine,
    FulfillmentOrder,
    Manifest,
    ManifestLine,
    Parcel,
    ParcelLine,
)

_MARGIN = 14 * mm
_TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=15, leading=19)
_TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=9.5, leading=12.5)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=8, leading=10, textColor=colors.grey)
_GRID = TableStyle(
    [
        ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 8.5),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.lightgrey),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("ALIGN", (-1, 0), (-1, -1), "RIGHT"),
    ]
)


def pick_list(orders: Sequence[FulfillmentOrder]) -> bytes:
    """What to take from the shelves: one page per fulfillment order, each line with its bars.

    Only units that are still to be picked are shown.
    """
    story: list[Flowable] = []
    for order in orders:
        left = [line for line in order.lines.all() if line.waiting + line.accepted]
        rows = [[_text(head) for head in ("SKU", "Item", "Scan", "Pick")]]
        rows += [_pick_row(line) for line in left]
        story += _page(
            f"Pick {order.number}",
            order.number,
            [
                f"Order {order.order.number} · {order.node.name}",
                f"Ship by {_local(order.ship_by, order.node.timezone)}",
            ],
            Table(rows, colWidths=[32 * mm, 70 * mm, 62 * mm, 18 * mm], style=_GRID, repeatRows=1),
        )
    return _document(story, "Pick list")


def _pick_row(line: FulfillmentLine) -> list[Flowable]:
    return [
        _text(line.sku.code),
        _text(line.sku.name),
        _bars(line.sku.code, height=9 * mm),
        _text(str(line.waiting + line.accepted)),
    ]


def packing_slip(parcels: Sequence[Parcel], destinations: Mapping[UUID, PostalAddress]) -> bytes:
    """What lies in each parcel, for the buyer: one page per parcel, no prices.

    `destinations` holds the address of each fulfillment order; one that was erased is left out.
    """
    story: list[Flowable] = []
    for parcel in parcels:
        order = parcel.fulfillment_order
        rows = [[_text(head) for head in ("SKU", "Item", "Units")]]
        rows += [_content_row(content) for content in parcel.lines.all()]
        address = destinations.get(order.pk)
        story += _page(
            f"Order {order.order.number}",
            parcel.number,
            [*(_address_lines(address) if address else []), f"From {order.node.name}"],
            Table(rows, colWidths=[40 * mm, 120 * mm, 22 * mm], style=_GRID, repeatRows=1),
        )
    return _document(story, "Packing slip")


def _content_row(content: ParcelLine) -> list[Flowable]:
    return [
        _text(content.line.sku.code),
        _text(content.line.sku.name),
        _text(str(content.quantity + content.excess)),
    ]


def manifest_list(manifest: Manifest) -> bytes:
    """What a node handed to a carrier: every parcel with its bars, and room for both to sign.

    A parcel that was taken back afterwards is struck out.
    """
    lines = list(manifest.lines.all())
    heads = ("", "Parcel", "Tracking number", "Order", "Weight", "Scan")
    rows = [[_text(head) for head in heads]]
    rows += [_manifest_row(place, line) for place, line in enumerate(lines, start=1)]
    gone = [line.parcel for line in lines if line.taken_back_at is None]
    weight = sum(parcel.weight_grams for parcel in gone) / 1000
    widths = [8 * mm, 24 * mm, 46 * mm, 28 * mm, 18 * mm, 58 * mm]
    story = _page(
        f"Manifest {manifest.number}",
        manifest.number,
        [
            f"{manifest.node.name} to {manifest.carrier_code or 'the carrier'}, {manifest.day:%a %d %b %Y}",
            f"Closed {_local(manifest.closed_at, manifest.node.timezone)}",
            f"{len(gone)} parcels, {weight:.2f} kg",
        ],
        Table(rows, colWidths=widths, style=_GRID, repeatRows=1),
    )
    signed = Table(
        [[_text("Handed over by"), _text("Received by, parcels counted")], ["", ""]],
        colWidths=[91 * mm, 91 * mm],
        rowHeights=[6 * mm, 14 * mm],
        style=TableStyle([("LINEBELOW", (0, 1), (-1, 1), 0.8, colors.black)]),
    )
    return _document([*story[:-1], Spacer(0, 8 * mm), signed], f"Manifest {manifest.number}")


def _manifest_row(place: int, line: ManifestLine) -> list[Flowable]:
    parcel = line.parcel
    if line.taken_back_at is not None:
        return [_text(str(place)), _struck(parcel.number), _text("taken back"), *[_text("")] * 3]
    return [
        _text(str(place)),
        _text(parcel.number),
        _text(parcel.tracking_number),
        _text(parcel.fulfillment_order.order.number),
        _text(f"{parcel.weight_grams / 1000:.2f} kg"),
        _bars(parcel.number, height=7 * mm),
    ]


def _page(title: str, code: str, lines: Iterable[str], table: Table) -> list[Flowable]:
    heading = Table(
        [[Paragraph(escape(title), _TITLE), _bars(code, height=12 * mm)]],
        colWidths=[110 * mm, 72 * mm],
        style=TableStyle([("ALIGN", (1, 0), (1, 0), "RIGHT")]),
    )
    return [
        heading,
        Paragraph("<br/>".join(escape(line) for line in lines if line), _TEXT),
        Spacer(0, 6 * mm),
        table,
        Spacer(0, 4 * mm),
        Paragraph(escape(code), _SMALL),
        PageBreak(),
    ]


def _document(story: list[Flowable], title: str) -> bytes:
    buffer = io.BytesIO()
    # `invariant`: the same values make the same bytes.
    SimpleDocTemplate(
        buffer,
        pagesize=letter,
        title=title,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        invariant=1,
    ).build(story or [_text("Nothing to show.")])
    return buffer.getvalue()


def _bars(code: str, *, height: float) -> Flowable:
    return Code128(code, barHeight=height, barWidth=0.28 * mm, humanReadable=False, quiet=False)


def _text(value: str) -> Paragraph:
    return Paragraph(escape(value), _TEXT)


def _struck(value: str) -> Paragraph:
    return Paragraph(f"<strike>{escape(value)}</strike>", _TEXT)


def _address_lines(address: PostalAddress) -> list[str]:
    return [
        address.name,
        address.company,
        address.line1,
        address.line2,
        f"{address.city} {address.region} {address.postal_code}",
        address.country,
    ]


def _local(at: datetime | None, timezone: str) -> str:
    if at is None:
        return "as soon as possible"
    return f"{at.astimezone(ZoneInfo(timezone)):%a %d %b %H:%M}"
