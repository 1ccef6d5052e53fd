"""AfterShip's words: trackings with their checkpoints, pushed and polled. Pure."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any, Final

from fulfillment.states import ParcelState
from fulfillment.types import TrackingNews
from integrations.carriers.reading import (
    Reading,
    UnreadableTracking,
    event_key,
    mapping,
    moment,
    objects,
    place_of,
    with_whole,
)
from integrations.dialects import Dialect, Headers

NAME: Final = "aftership"
SIGNATURE: Final = "aftership-hmac-sha256"

TAGS: Final[Mapping[str, ParcelState | None]] = {
    "Pending": None,
    "InfoReceived": None,
    "InTransit": ParcelState.IN_TRANSIT,
    "OutForDelivery": ParcelState.OUT_FOR_DELIVERY,
    "AttemptFail": ParcelState.ATTEMPTED,
    "AvailableForPickup": ParcelState.AT_PICKUP_POINT,
    "Delivered": ParcelState.DELIVERED,
    "Exception": ParcelState.IN_TRANSIT,
    "Expired": None,
}
"""What a tag means. None: nothing happened to the parcel itself."""

SUBTAGS: Final[Mapping[str, ParcelState]] = {
    "Exception_002": ParcelState.ATTEMPTED,
    "Exception_003": ParcelState.ATTEMPTED,
    "Exception_007": ParcelState.ATTEMPTED,
    "Exception_008": ParcelState.AT_PICKUP_POINT,
    "Exception_010": ParcelState.RETURNING,
    "Exception_011": ParcelState.RETURNED,
    "Exception_012": ParcelState.DAMAGED,
    "Exception_013": ParcelState.LOST,
}
"""Subtags that say more than their tag: moved, refused, bad address; pickup missed; going back,
back; damaged; lost."""


def meaning(tag: str, subtag: str) -> ParcelState | None:
    """The state a checkpoint stands for; None for one that tells of no way. KeyError for a new word."""
    return SUBTAGS.get(subtag, TAGS[tag])


def read_tracking(tracking: Mapping[str, Any], *, source: str, carrier_code: str) -> Reading:
    """All news in one tracking. Raises UnreadableTracking when it is none."""
    number = str(tracking.get("tracking_number") or "")
    if not number:
        raise UnreadableTracking("The tracking names no tracking number.")
    foreign: set[str] = set()
    news = []
    zone: tzinfo = UTC
    for scan in objects(tracking.get("checkpoints")):
        happened_at = moment(scan.get("checkpoint_time"), zone)
        if happened_at is None:
            continue
        # Times of the parcel as a whole have no zone: they are of where it was seen last.
        zone = happened_at.tzinfo or zone
        state = _state_of(scan, foreign)
        if state is None:
            continue
        place = place_of(*(scan.get(part) for part in ("city", "state", "zip", "country_iso3")))
        news.append(
            TrackingNews(
                state,
                happened_at,
                carrier_code=carrier_code,
                tracking_number=number,
                external_id=event_key(
                    scan.get("tag"),
                    scan.get("subtag"),
                    happened_at.isoformat(),
                    scan.get("message"),
                    place,
                ),
                source=source,
                place=place,
            )
        )
    whole = _state_of(tracking, foreign) if tracking.get("tag") else None
    delivered = tracking.get("shipment_delivery_date") if whole is ParcelState.DELIVERED else None
    said_at = moment(delivered, zone) or moment(tracking.get("updated_at"))
    told = (
        TrackingNews(
            whole,
            said_at,
            carrier_code=carrier_code,
            tracking_number=number,
            external_id=event_key("whole", whole),
            source=source,
        )
        if whole and said_at
        else None
    )
    estimate = tracking.get("aftership_estimated_delivery_date")
    if isinstance(estimate, Mapping):
        estimate = estimate.get("estimated_delivery_date")
    return Reading(
        number,
        tuple(with_whole(news, whole, told)),
        tuple(sorted(foreign)),
        moment(estimate or tracking.get("expected_delivery"), zone),
    )


def _state_of(said: Mapping[str, Any], foreign: set[str]) -> ParcelState | None:
    tag = str(said.get("tag") or "Pending")
    try:
        return meaning(tag, str(said.get("subtag") or ""))
    except KeyError:
        foreign.add(tag[:48])
        return None


def trackings_in(document: Any) -> list[Mapping[str, Any]]:
    """The trackings of a push, of a list, of one answer, or of a last checkpoint."""
    body = mapping(document)
    if "msg" in body:
        return [mapping(body["msg"])]
    inside = mapping(body.get("data", body))
    if "trackings" in inside:
        return objects(inside["trackings"])
    if "tracking" in inside:
        return [mapping(inside["tracking"])]
    if "checkpoint" in inside:
        return [{**inside, "checkpoints": [inside["checkpoint"]]}]
    return [inside] if inside.get("tracking_number") else []


def read(document: Any, *, source: str, carrier_code: str) -> list[Reading]:
    """What a push or an answer says. Raises UnreadableTracking where there is no tracking."""
    found = trackings_in(document)
    if not found and "trackings" not in mapping(mapping(document).get("data")):
        raise UnreadableTracking("There is no tracking in it.")
    return [read_tracking(each, source=source, carrier_code=carrier_code) for each in found]


# --- how it comes -----------------------------------------------------------------------------


def signature(secret: str, raw: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


def _signed(secret: str, headers: Headers, raw: bytes) -> bool:
    return hmac.compare_digest(
        headers.get(SIGNATURE, "").encode(errors="replace"), signature(secret, raw).encode()
    )


def _document(raw: bytes) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(raw))
    except (ValueError, RecursionError):
        return {}


def _message_id(headers: Headers, raw: bytes) -> str:
    del headers
    return str(_document(raw).get("event_id") or event_key(raw))[:64]


def _topic(headers: Headers, raw: bytes) -> str:
    del headers
    return str(_document(raw).get("event") or "unknown")[:48]


DIALECT: Final = Dialect(NAME, _signed, _message_id, _topic)
