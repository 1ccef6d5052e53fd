"""What one scan at a node means, and the command that follows from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import fulfillment.services
from config.console import element_strings
from config.console.element_strings import Elements
from config.kernel.types import Actor, Outcome, Scope
from config.reports import nodes as reports
from config.reports.sql import Row
from fulfillment.types import LotUnits, Pack, Pick, Shipment

_AT_THE_NODE = ("packed", "labelled", "manifested")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said back in large letters; `opened` is the work that the next scans go to."""

    good: bool
    text: str
    opened: str = ""


def scanned(
    code: str, *, node: Row, within: str, scope: Scope, at: datetime, actor: Actor
) -> Answer:
    """Act on one scan. A SKU or barcode picks one unit, of the opened work or of the next due; the
    barcode of a pack picks as many as the pack holds.

    The number of a work opens it, or packs it when everything is picked; a parcel's number hands
    it over. A GS1 barcode names lot, expiry and serial number with the article: they are kept.
    """
    elements = element_strings.read(code.strip())
    text = elements.gtin if elements else " ".join(code.split()).upper()
    if not text:
        return Answer(False, "Nothing was scanned.", within)
    if text.startswith("FO-"):
        return _work(text, node, scope, at, actor)
    if text.startswith("P-"):
        return _parcel(text, node, within, scope, at, actor)
    line = reports.open_line_for(text, node_id=node["id"], scope=scope, fulfillment=within)
    if line is None and text.startswith("0") and elements is not None:
        shorter = text.lstrip("0")
        line = reports.open_line_for(shorter, node_id=node["id"], scope=scope, fulfillment=within)
    if line is None and within:
        return Answer(False, f"{text} is not to be picked for {within}.", within)
    if line is None:
        return Answer(False, f"{text} is not to be picked here now.", within)
    return _pick(line, _lots(elements, line), at, actor)


def _lots(elements: Elements | None, line: Row) -> tuple[LotUnits, ...]:
    """The lot as a total so far: what was scanned of it before, and this unit."""
    if elements is None or not (elements.lot or elements.serial):
        return ()
    before = 0 if elements.serial else reports.traced_so_far(line["id"], elements.lot)
    units = 1 if elements.serial else before + line["scan_units"]
    return (LotUnits(elements.lot, units, elements.serial, elements.expires_on),)


def _pick(line: Row, lots: tuple[LotUnits, ...], at: datetime, actor: Actor) -> Answer:
    so_far = line["picked"] + line["packed"] + line["shipped"] + line["collected"]
    units = line["scan_units"]
    left = line["waiting"] + line["accepted"] - units
    if left < 0:
        said = f"It holds {units} × {line['sku_code']}, and {left + units} are to be picked."
        return Answer(False, f"{said} Open it and scan single ones.", line["number"])
    refused = _refused(
        fulfillment.services.record_picks(
            [Pick(line["id"], so_far + units, lots)], at=at, actor=actor
        )
    )
    if refused:
        return Answer(False, refused, line["number"])
    rest = f"{left} more of it" if left else "all of it"
    many = "" if units == 1 else f"{units} × "
    said = f"{many}{line['sku_code']} picked for {line['number']}: {rest}."
    return Answer(True, said, line["number"])


def _work(number: str, node: Row, scope: Scope, at: datetime, actor: Actor) -> Answer:
    work = reports.fulfillment_order(number, node_id=node["id"], scope=scope)
    if work is None:
        return Answer(False, f"{number} is not work of this node.")
    to_pick = [
        f"{line['waiting'] + line['accepted']} × {line['sku_code']}"
        for line in work["lines"]
        if line["waiting"] + line["accepted"]
    ]
    if work["state"] in {"released", "acknowledged", "picking"} and to_pick:
        return Answer(True, f"{number}: pick {', '.join(to_pick)}.", number)
    if any(line["picked"] for line in work["lines"]):
        refused = _refused(
            fulfillment.services.record_packs([Pack(work["id"])], at=at, actor=actor)
        )
        return Answer(not refused, refused or f"{number} is packed.")
    state = str(work["state"]).replace("_", " ")
    return Answer(False, f"{number} is {state}: nothing is to be picked or packed.")


def _parcel(
    number: str, node: Row, within: str, scope: Scope, at: datetime, actor: Actor
) -> Answer:
    parcel = reports.parcel(number, node_id=node["id"], scope=scope)
    if parcel is None:
        return Answer(False, f"{number} is not a parcel of this node.", within)
    if parcel["state"] not in _AT_THE_NODE:
        return Answer(False, f"{number} has left already.", within)
    shipment = Shipment(UUID(str(parcel["id"])))
    refused = _refused(fulfillment.services.confirm_shipments([shipment], at=at, actor=actor))
    return Answer(not refused, refused or f"{number} is handed over.", within)


def _refused(outcomes: list[Outcome[Any]]) -> str:
    return " ".join(each.problem.detail for each in outcomes if each.problem)
