"""What a simulated carrier prints: labels with a bar code, and the list that its driver scans."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import inch, mm
from reportlab.pdfgen.canvas import Canvas

LABEL = (4 * inch, 6 * inch)
MARGIN = 5 * mm
LISTED = 60


def label(shipment: Mapping[str, Any]) -> bytes:
    """4 × 6 inches: carrier and service, from, to, and the tracking code as Code 128."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=LABEL, invariant=1)
    width, height = LABEL
    rate = shipment["selected_rate"]
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(MARGIN, height - 12 * mm, f"{rate['carrier']} {rate['service']}"[:34])
    top = _address(canvas, "FROM", shipment["from_address"], height - 20 * mm, 8)
    _address(canvas, "SHIP TO", shipment["to_address"], top - 6 * mm, 12)
    options = shipment.get("options", {})
    canvas.setFont("Helvetica", 8)
    references = f"{options.get('print_custom_1', '')}  {options.get('print_custom_2', '')}"
    canvas.drawString(MARGIN, 48 * mm, references[:60])
    _barcode(canvas, shipment["tracking_code"], width)
    canvas.save()
    return buffer.getvalue()


def form(scan_form: Mapping[str, Any]) -> bytes:
    """The list of a scan form, its own number as a bar code."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=LABEL, invariant=1)
    width, height = LABEL
    codes: Sequence[str] = scan_form["tracking_codes"]
    canvas.setFont("Helvetica-Bold", 12)
    canvas.drawString(MARGIN, height - 12 * mm, f"SCAN form: {len(codes)} parcels")
    canvas.setFont("Helvetica", 6)
    for row, code in enumerate(codes[:LISTED]):
        canvas.drawString(MARGIN + (row % 2) * 48 * mm, height - (18 + 3 * (row // 2)) * mm, code)
    _barcode(canvas, str(scan_form["id"])[-20:].upper(), width)
    canvas.save()
    return buffer.getvalue()


def _barcode(canvas: Canvas, text: str, width: float) -> None:
    room = width - 2 * MARGIN
    unit = Code128(text, barWidth=1, humanReadable=False)
    code = Code128(
        text, barHeight=22 * mm, barWidth=min(1.2, room / unit.width), humanReadable=False
    )
    code.drawOn(canvas, (width - code.width) / 2, MARGIN + 18)
    canvas.setFont("Helvetica-Bold", 10)
    canvas.drawCentredString(width / 2, MARGIN + 4, text)


def _address(canvas: Canvas, head: str, said: Mapping[str, Any], top: float, size: float) -> float:
    place = " ".join(str(said.get(part) or "") for part in ("city", "state", "zip", "country"))
    lines = (head, said.get("name"), said.get("company"), said.get("street1"), said.get("street2"))
    for line in (*lines, place):
        if line:
            canvas.setFont("Helvetica", size)
            canvas.drawString(
                MARGIN, top, str(line).encode("cp1252", "replace").decode("cp1252")[:52]
            )
            top -= size * 1.3
    return top
