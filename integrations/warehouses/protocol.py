"""The warehouse protocol, version 1, as docs/warehouse-protocol.md has it: bodies to reports. Pure."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from fulfillment.carriers import PostalAddress
from fulfillment.nodework import ReleaseDocument, RequestDocument
from fulfillment.states import RejectReason, ShortReason
from integrations.dialects import Dialect, Headers
from integrations.warehouses.reports import (
    Answered,
    Box,
    Collected,
    Counted,
    OfLot,
    Packed,
    Picked,
    PutBack,
    Ready,
    Rejected,
    Report,
    Row,
    Shipped,
    StockMoved,
    StockSeen,
    TakenOn,
    ToldShort,
    Units,
    UnreadableReport,
)
from inventory.states import CHANGE_KINDS, Condition

NAME: Final = "wms"
SUPPLIER: Final = "supplier"
"""The adapter of drop-ship suppliers: the same protocol in the profile of docs/suppliers.md."""
VERSION: Final = 1
STATE: Final = "order.state"
"""Topic of an order's standing, as a poll finds it."""
SIGNATURE: Final = "x-wms-signature"
MOST_EVENTS: Final = 500
MOST_UNITS: Final = 1_000_000
LONGEST_NAME: Final = 120

Document = Mapping[str, Any]


# --- how it comes -----------------------------------------------------------------------------


def signature(secret: str, raw: bytes) -> str:
    """What `X-Wms-Signature` must hold."""
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def _signed(secret: str, headers: Headers, raw: bytes) -> bool:
    said = headers.get(SIGNATURE, "")
    return bool(secret) and hmac.compare_digest(
        said.encode(errors="replace"), signature(secret, raw).encode()
    )


def _body(raw: bytes) -> Document:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _message_id(headers: Headers, raw: bytes) -> str:
    """The id in the signed body: a header could be changed on the way."""
    del headers
    return str(_body(raw).get("id") or hashlib.sha256(raw).hexdigest())[:200]


def _topic(headers: Headers, raw: bytes) -> str:
    """The type of its first event."""
    del headers
    found = _body(raw).get("events")
    first = found[0] if isinstance(found, list) and found else None
    return str(first.get("type", "events"))[:48] if isinstance(first, dict) else "events"


DIALECT: Final = Dialect(NAME, _signed, _message_id, _topic)
SUPPLIER_DIALECT: Final = Dialect(SUPPLIER, _signed, _message_id, _topic)


# --- what it says -----------------------------------------------------------------------------


def read(topic: str, raw: bytes) -> list[Report]:
    """The reports of one message. Raises UnreadableReport for what is not the protocol."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise UnreadableReport("The message is not valid JSON.") from None
    if not isinstance(body, dict):
        raise UnreadableReport("The message is no JSON object.")
    if topic == STATE:
        return standing(body)
    if body.get("version") != VERSION:
        raise UnreadableReport(f"Version {VERSION} of the protocol is spoken here.")
    events = body.get("events")
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise UnreadableReport(f"A message has a list of at most {MOST_EVENTS} events.")
    return [_event(_mapping(event)) for event in events]


def _event(event: Document) -> Report:
    reader = _READERS.get(str(event.get("type", "")))
    if reader is None:
        raise UnreadableReport(f"There is no event {str(event.get('type', ''))[:40]!r}.")
    return reader(event, _text(event, "id"), _moment(event, "at"))


def standing(order: Document) -> list[Report]:
    """Where an order stands, as reports that change nothing where all of them had come."""
    number, at = _text(order, "order"), _moment(order, "updated_at")
    lines = [_mapping(line) for line in _list(order, "lines")]
    found: list[Report] = []
    if order.get("acknowledged"):
        taken = _totals(lines, "acknowledged")
        found.append(
            TakenOn("", at, number, _optional(order, "reference"), taken, _expected(order))
        )
    rejected = tuple(
        _number(line, "line", least=1) for line in lines if _number(line, "rejected", missing=0)
    )
    if rejected:
        reason = _optional(order, "reject_reason") or RejectReason.OTHER.value
        found.append(Rejected("", at, number, reason, rejected))
    if picked := _totals(lines, "picked"):
        found.append(Picked("", at, number, picked))
    if short := _totals(lines, "short"):
        found.append(ToldShort("", at, number, short))
    for parcel in (_mapping(each) for each in _list(order, "parcels")):
        box = _box(parcel)
        found.append(Packed("", at, number, box))
        if parcel.get("shipped_at"):
            found.append(Shipped("", _moment(parcel, "shipped_at"), number, box))
    if order.get("ready_at"):
        found.append(Ready("", _moment(order, "ready_at"), number))
    if order.get("collected_at"):
        by = _optional(order, "collected_by")
        found.append(Collected("", _moment(order, "collected_at"), number, by))
    if order.get("put_back_at"):
        found.append(PutBack("", _moment(order, "put_back_at"), number))
    return found + [_answered(_mapping(each), "", at) for each in _list(order, "answers")]


def _totals(lines: Sequence[Document], name: str) -> tuple[Units, ...]:
    return tuple(
        Units(
            _number(line, "line", least=1),
            quantity,
            _optional(line, "short_reason") or ShortReason.MISSING.value,
        )
        for line in lines
        if (quantity := _number(line, name, missing=0))
    )


def _taken_on(event: Document, key: str, at: datetime) -> Report:
    reference = _optional(event, "reference")
    return TakenOn(key, at, _text(event, "order"), reference, _units(event), _expected(event))


def _expected(said: Document) -> datetime | None:
    return _moment(said, "expected_at") if said.get("expected_at") else None


def _picked(event: Document, key: str, at: datetime) -> Report:
    return Picked(key, at, _text(event, "order"), _units(event))


def _short(event: Document, key: str, at: datetime) -> Report:
    units = _units(event, reasons=True)
    return ToldShort(key, at, _text(event, "order"), units)


def _rejected(event: Document, key: str, at: datetime) -> Report:
    reason = _optional(event, "reason") or RejectReason.OTHER.value
    if reason not in RejectReason.values:
        raise UnreadableReport(f"{reason[:40]!r} is no reason to reject.")
    places = tuple(_number(_mapping(line), "line", least=1) for line in _list(event, "lines"))
    return Rejected(key, at, _text(event, "order"), reason, places)


def _packed(event: Document, key: str, at: datetime) -> Report:
    box = _box(_mapping(event.get("parcel")))
    if not box.units:
        raise UnreadableReport("A packed parcel has contents.")
    return Packed(key, at, _text(event, "order"), box)


def _shipped(event: Document, key: str, at: datetime) -> Report:
    return Shipped(key, at, _text(event, "order"), _box(_mapping(event.get("parcel"))))


def _ready(event: Document, key: str, at: datetime) -> Report:
    return Ready(key, at, _text(event, "order"))


def _collected(event: Document, key: str, at: datetime) -> Report:
    return Collected(key, at, _text(event, "order"), _optional(event, "collected_by")[:16])


def _put_back(event: Document, key: str, at: datetime) -> Report:
    return PutBack(key, at, _text(event, "order"))


def _answered(event: Document, key: str, at: datetime) -> Report:
    return Answered(
        key, at, _uuid(event, "request"), _number(event, "granted"), _optional(event, "note")[:200]
    )


def _moved(event: Document, key: str, at: datetime) -> Report:
    kind = _optional(event, "reason") or "adjust"
    if kind not in CHANGE_KINDS:
        raise UnreadableReport(f"{kind[:40]!r} is no reason of a change.")
    quantity = _number(event, "quantity", least=-MOST_UNITS)
    return StockMoved(
        key,
        at,
        _text(event, "sku"),
        quantity,
        kind,
        _condition(event),
        _optional(event, "lot")[:64],
        _optional(event, "note")[:120],
        _day(event, "expires_on"),
        tuple(str(each)[:64] for each in _list(event, "serials")),
    )


def _seen(event: Document, key: str, at: datetime) -> Report:
    del at
    return seen(event, key)


def _counted_list(event: Document, key: str, at: datetime) -> Report:
    """A stocktake: rows by place, of which those of one SKU, condition and lot are summed."""
    del at
    found: dict[tuple[str, str, str], Row] = {}
    told = seen(event, key, moment="counted_at")
    for row in told.rows:
        place = row.sku, row.condition, row.lot
        before = found[place].quantity if place in found else 0
        found[place] = replace(row, quantity=row.quantity + before)
    return replace(told, rows=tuple(found.values()), counted=True)


def seen(document: Document, key: str = "", *, moment: str = "as_of") -> StockSeen:
    """A snapshot: rows as of its watermark."""
    rows = tuple(
        Row(
            _text(row, "sku"),
            _number(row, "quantity"),
            _condition(row),
            _optional(row, "lot")[:64],
            _day(row, "expires_on"),
        )
        for row in (_mapping(each) for each in _list(document, "rows"))
    )
    return StockSeen(key, _moment(document, moment), rows)


def _counted(event: Document, key: str, at: datetime) -> Report:
    return Counted(key, at, _uuid(event, "count"), _text(event, "sku"), _number(event, "quantity"))


_READERS: Final[Mapping[str, Callable[[Document, str, datetime], Report]]] = {
    "order.acknowledged": _taken_on,
    "order.picked": _picked,
    "order.short": _short,
    "order.rejected": _rejected,
    "order.packed": _packed,
    "order.shipped": _shipped,
    "order.ready": _ready,
    "order.collected": _collected,
    "order.put_back": _put_back,
    "request.answered": _answered,
    "stock.changed": _moved,
    "stock.snapshot": _seen,
    "stock.counted": _counted,
    "stock.stocktake": _counted_list,
}
TYPES: Final = tuple(_READERS)


def _units(event: Document, *, reasons: bool = False) -> tuple[Units, ...]:
    found = []
    for line in (_mapping(each) for each in _list(event, "lines")):
        reason = (_optional(line, "reason") or ShortReason.MISSING.value) if reasons else ""
        if reason and reason not in ShortReason.values:
            raise UnreadableReport(f"{reason[:40]!r} is no reason of a short.")
        found.append(
            Units(
                _number(line, "line", least=1),
                _number(line, "quantity"),
                reason,
                tuple(_of_lot(_mapping(each)) for each in _list(line, "lots")),
            )
        )
    return tuple(found)


def _of_lot(found: Document) -> OfLot:
    lot, serial = _optional(found, "lot")[:64], _optional(found, "serial")[:64]
    quantity = _number(found, "quantity", least=1, missing=1)
    if not (lot or serial) or (serial and quantity != 1):
        raise UnreadableReport("Lots name a lot, or one thing by its serial number.")
    return OfLot(lot, quantity, serial, _day(found, "expires_on"))


def _day(body: Document, name: str) -> date | None:
    said = _optional(body, name)
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise UnreadableReport(f"{name} is no day.") from None


def _box(parcel: Document) -> Box:
    weight = _number(parcel, "weight_grams", missing=0)
    return Box(
        _text(parcel, "id"),
        _units(parcel),
        weight or None,
        _optional(parcel, "carrier")[:32],
        _optional(parcel, "tracking_number")[:64],
    )


def _condition(row: Document) -> str:
    found = _optional(row, "condition") or Condition.AVAILABLE.value
    if found not in Condition.values:
        raise UnreadableReport(f"{found[:40]!r} is no condition.")
    return found


def _mapping(found: Any) -> Document:
    if not isinstance(found, dict):
        raise UnreadableReport("There is no object where the protocol has one.")
    return found


def _list(body: Document, name: str) -> list[Any]:
    found = body.get(name) or []
    if not isinstance(found, list):
        raise UnreadableReport(f"{name} is no list.")
    return found


def _text(body: Document, name: str) -> str:
    found = _optional(body, name)
    if not found or len(found) > LONGEST_NAME:
        raise UnreadableReport(f"{name} is missing, or too long.")
    return found


def _optional(body: Document, name: str) -> str:
    found = body.get(name)
    return "" if found is None else str(found).replace("\x00", "")


def _number(body: Document, name: str, *, least: int = 0, missing: int | None = None) -> int:
    found = body.get(name, missing)
    if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= MOST_UNITS:
        raise UnreadableReport(f"{name} is no whole number from {least} to {MOST_UNITS}.")
    return found


def _moment(body: Document, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(_optional(body, name).strip())
    except ValueError:
        raise UnreadableReport(f"{name} is no time.") from None
    if found.tzinfo is None:
        raise UnreadableReport(f"{name} has no time zone.")
    return found


def _uuid(body: Document, name: str) -> UUID:
    try:
        return UUID(_optional(body, name))
    except ValueError:
        raise UnreadableReport(f"{name} is no id of ours.") from None


# --- what we say ------------------------------------------------------------------------------


def release_body(document: ReleaseDocument) -> dict[str, Any]:
    """An order as it is told. Holds a name and an address: never logged, never kept."""
    return {
        "version": VERSION,
        "order": document.number,
        "sales_order": document.order_number,
        "method": document.method,
        "service": document.service,
        "carrier": document.carrier,
        "priority": document.priority,
        "released_at": document.released_at.isoformat(),
        "ship_by": document.ship_by.isoformat() if document.ship_by else None,
        "ship_to": _address(document.address) if document.address else None,
        "lines": [
            {
                "line": line.place,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.wanted,
                "weight_grams": line.weight_grams,
            }
            for line in document.lines
            if line.wanted
        ],
    }


def request_body(document: RequestDocument) -> dict[str, Any]:
    """A question as it is asked. A change may hold a name and an address."""
    body: dict[str, Any] = {
        "version": VERSION,
        "request": str(document.id),
        "kind": document.kind,
        "quantity": document.units,
        "answer_by": document.until.isoformat(),
    }
    if document.place is not None:
        body["line"] = document.place
    if document.address is not None:
        body["ship_to"] = _address(document.address)
    if document.service:
        body["service"] = document.service
    return body


def _address(to: PostalAddress) -> dict[str, str]:
    return {
        "name": to.name,
        "company": to.company,
        "line1": to.line1,
        "line2": to.line2,
        "city": to.city,
        "region": to.region,
        "postal_code": to.postal_code,
        "country": to.country,
        "phone": to.phone,
    }
