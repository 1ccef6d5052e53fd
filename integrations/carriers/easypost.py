"""EasyPost's words: trackers, the events that push them, and the signature on those. Pure.

A tracker carries its whole history, so one that comes late or twice changes nothing.
"""

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping
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

NAME: Final = "easypost"
SIGNATURE: Final = "x-hmac-signature"
PREFIX: Final = "hmac-sha256-hex="
_TRACKER_TOPICS: Final = frozenset({"tracker.created", "tracker.updated"})

STATUSES: Final[Mapping[str, ParcelState | None]] = {
    "unknown": None,
    "pre_transit": None,
    "in_transit": ParcelState.IN_TRANSIT,
    "out_for_delivery": ParcelState.OUT_FOR_DELIVERY,
    "delivered": ParcelState.DELIVERED,
    "available_for_pickup": ParcelState.AT_PICKUP_POINT,
    "return_to_sender": ParcelState.RETURNING,
    "failure": ParcelState.ATTEMPTED,
    "cancelled": None,
    "error": None,
}
"""What a status means. None: nothing happened to the parcel itself."""

_ON_THE_WAY: Final = frozenset({"in_transit", "out_for_delivery", "failure"})
DETAILS: Final[Mapping[str, ParcelState]] = {
    "lost": ParcelState.LOST,
    "damaged": ParcelState.DAMAGED,
    "return": ParcelState.RETURNING,
    "refused": ParcelState.ATTEMPTED,
    "delivery_exception": ParcelState.ATTEMPTED,
    "arrived_at_pickup_location": ParcelState.AT_PICKUP_POINT,
}
"""Details that say more than their status, of a parcel that is under way."""
_HOME_AGAIN: Final = frozenset({"arrived_at_destination", "delivered"})


def meaning(status: str, detail: str) -> ParcelState | None:
    """The state a scan stands for; None for one that tells of no way. KeyError for a new word."""
    state = STATUSES[status]
    if status == "return_to_sender" and detail in _HOME_AGAIN:
        return ParcelState.RETURNED
    if status in _ON_THE_WAY:
        return DETAILS.get(detail, state)
    return state


def read_tracker(tracker: Mapping[str, Any], *, source: str, carrier_code: str) -> Reading:
    """All news in one tracker. Raises UnreadableTracking when it is none."""
    number = str(tracker.get("tracking_code") or "")
    if not number:
        raise UnreadableTracking("The tracker names no tracking code.")
    foreign: set[str] = set()
    news = []
    for scan in objects(tracker.get("tracking_details")):
        state = _state_of(scan, foreign)
        happened_at = moment(scan.get("datetime"))
        if state is None or happened_at is None:
            continue
        where = mapping(scan.get("tracking_location"))
        place = place_of(*(where.get(part) for part in ("city", "state", "zip", "country")))
        news.append(
            TrackingNews(
                state,
                happened_at,
                carrier_code=carrier_code,
                tracking_number=number,
                external_id=event_key(
                    scan.get("status"),
                    scan.get("status_detail"),
                    happened_at.isoformat(),
                    scan.get("message"),
                    place,
                ),
                source=source,
                place=place,
            )
        )
    whole = _state_of(tracker, foreign)
    updated_at = moment(tracker.get("updated_at"))
    told = (
        TrackingNews(
            whole,
            updated_at,
            carrier_code=carrier_code,
            tracking_number=number,
            external_id=event_key("whole", whole),
            source=source,
        )
        if whole and updated_at
        else None
    )
    return Reading(
        number,
        tuple(with_whole(news, whole, told)),
        tuple(sorted(foreign)),
        moment(tracker.get("est_delivery_date")),
    )


def _state_of(said: Mapping[str, Any], foreign: set[str]) -> ParcelState | None:
    status = str(said.get("status") or "unknown")
    try:
        return meaning(status, str(said.get("status_detail") or ""))
    except KeyError:
        foreign.add(status[:48])
        return None


def trackers_in(document: Any) -> list[Mapping[str, Any]]:
    """The trackers of an event, a list or a single answer."""
    body = mapping(document)
    if body.get("object") == "Event":
        result = mapping(body.get("result"))
        return [result] if result.get("object") == "Tracker" else []
    if "trackers" in body:
        return objects(body["trackers"])
    return [body] if body.get("object") == "Tracker" else []


def read(document: Any, *, source: str, carrier_code: str) -> list[Reading]:
    """What an event or a list of trackers says. Raises UnreadableTracking for anything else."""
    found = trackers_in(document)
    body = mapping(document)
    if not found and "trackers" not in body and body.get("object") != "Event":
        raise UnreadableTracking("There is no tracker in it.")
    return [read_tracker(each, source=source, carrier_code=carrier_code) for each in found]


# --- how it comes -----------------------------------------------------------------------------


def signature(secret: str, raw: bytes) -> str:
    """The header's value. The secret is normalised as EasyPost's own libraries do."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return PREFIX + hmac.new(key, raw, hashlib.sha256).hexdigest()


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
    return str(_document(raw).get("id") or event_key(raw))[:64]


def _topic(headers: Headers, raw: bytes) -> str:
    del headers
    return str(_document(raw).get("description") or "unknown")[:48]


def concerns_parcels(topic: str) -> bool:
    """Whether messages on this topic are about a parcel's way; EasyPost tells of much else."""
    return topic in _TRACKER_TOPICS


DIALECT: Final = Dialect(NAME, _signed, _message_id, _topic)
