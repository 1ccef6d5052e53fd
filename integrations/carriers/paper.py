"""The paper carrier: prints a label and calls no one. For stores, the manual desk, demo and tests.

Everything about a label follows from its key, so that asking again gives the same label.
"""

import base64
import hashlib
from collections.abc import Sequence
from io import BytesIO

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import inch, mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from fulfillment.carriers import (
    LabelAnswer,
    LabelRequest,
    LabelStatus,
    ManifestAnswer,
    ManifestRequest,
    PostalAddress,
    TrackAnswer,
    VoidAnswer,
)

PREFIX = "PAPER"
DIGITS = 13
LABEL = (4 * inch, 6 * inch)
MARGIN = 5 * mm
FONT, BOLD = "Helvetica", "Helvetica-Bold"


class PaperCarrier:
    """Implements `fulfillment.carriers.Carrier` without a network."""

    def buy_label(self, request: LabelRequest) -> LabelAnswer:
        number = tracking_number(request.key)
        return LabelAnswer(LabelStatus.DONE, number, label_pdf(request, number))

    def find_label(self, request: LabelRequest) -> LabelAnswer | None:
        return self.buy_label(request)

    def void_label(self, tracking_number: str) -> VoidAnswer:
        if not tracking_number.startswith(PREFIX):
            return VoidAnswer(
                LabelStatus.REFUSED, "not-ours", "The paper carrier made no such label."
            )
        return VoidAnswer(LabelStatus.DONE)

    def manifest(self, request: ManifestRequest) -> ManifestAnswer:
        """Nobody needs telling; the list that the node prints is the list."""
        return ManifestAnswer(LabelStatus.DONE, request.manifest_number)

    def track(self, tracking_numbers: Sequence[str]) -> TrackAnswer:
        """Nobody scans its parcels: there is no news but what people record."""
        return TrackAnswer(unasked=tuple(tracking_numbers))

    def tracking_url(self, tracking_number: str) -> str:
        del tracking_number
        return ""


def tracking_number(key: str) -> str:
    """A number that follows from the key: letters and digits that a scanner reads well."""
    code = base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()
    return f"{PREFIX}{code[:DIGITS]}"


def label_pdf(request: LabelRequest, number: str) -> bytes:
    """A label of 4 × 6 inches: sender, receiver, service, parcel, and the number as Code 128."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=LABEL, invariant=1)
    canvas.setTitle(f"Label {number}")
    width, height = LABEL
    top = height - MARGIN
    _text(canvas, MARGIN, top - 9, "FROM", 7)
    below = _address(canvas, request.ship_from, top - 18, 8)
    canvas.setFont(BOLD, 16)
    canvas.drawRightString(width - MARGIN, top - 16, request.service_code.upper()[:14] or "PARCEL")
    _text(canvas, width - MARGIN, top - 28, f"{request.weight_grams / 1000:.2f} kg", 9, right=True)
    _rule(canvas, below - 4)
    _text(canvas, MARGIN, below - 16, "SHIP TO", 8)
    below = _address(canvas, request.ship_to, below - 32, 13)
    _rule(canvas, below - 4)
    _text(canvas, MARGIN, below - 18, f"Order {request.order_number}", 9)
    _text(canvas, width - MARGIN, below - 18, f"Parcel {request.parcel_number}", 9, right=True)
    for row, (name, value) in enumerate(sorted(request.references.items())[:3]):
        _text(canvas, MARGIN, below - 30 - 10 * row, f"{name}: {value}"[:60], 8)
    _barcode(canvas, number)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _barcode(canvas: Canvas, number: str) -> None:
    width, _ = LABEL
    room = width - 2 * MARGIN
    unit = Code128(number, barWidth=1, humanReadable=False)
    code = Code128(
        number, barHeight=22 * mm, barWidth=min(1.2, room / unit.width), humanReadable=False
    )
    code.drawOn(canvas, (width - code.width) / 2, MARGIN + 18)
    canvas.setFont(BOLD, 11)
    canvas.drawCentredString(width / 2, MARGIN + 4, number)


def _address(canvas: Canvas, address: PostalAddress, top: float, size: float) -> float:
    """Draw the lines of an address; return the height below the last one."""
    place = " ".join(part for part in (address.city, address.region, address.postal_code) if part)
    lines = (address.name, address.company, address.line1, address.line2, place, address.country)
    for line in lines:
        if line:
            _text(canvas, MARGIN, top, line, size)
            top -= size * 1.25
    return top


def _text(
    canvas: Canvas, x: float, y: float, text: str, size: float, *, right: bool = False
) -> None:
    """Draw text, made narrower when it would leave the label. Other scripts print as a mark."""
    plain = text.encode("cp1252", "replace").decode("cp1252")
    room = LABEL[0] - 2 * MARGIN
    wide = stringWidth(plain, FONT, size)
    canvas.setFont(FONT, size * min(1.0, room / wide) if wide else size)
    (canvas.drawRightString if right else canvas.drawString)(x, y, plain)


def _rule(canvas: Canvas, y: float) -> None:
    canvas.setLineWidth(1)
    canvas.line(MARGIN, y, LABEL[0] - MARGIN, y)
