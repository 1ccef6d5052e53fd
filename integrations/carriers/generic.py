"""A carrier that an integrator describes: paths, bodies and pointers into the answers. Pure.

The description stands in the connection's settings; docs/carriers.md shows a whole one.
"""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from fulfillment.states import TRACKED, ParcelState
from fulfillment.types import TrackingNews
from integrations.carriers.pointers import at, text_at
from integrations.carriers.reading import (
    Reading,
    UnreadableTracking,
    event_key,
    mapping,
    moment,
    objects,
    place_of,
)
from integrations.dialects import Dialect, Headers

NAME: Final = "generic-carrier"
SIGNATURE: Final = "x-carrier-signature"
MESSAGE_ID: Final = "x-carrier-message-id"
TOPIC: Final = "x-carrier-topic"


def read(
    document: Any, settings: Mapping[str, Any], *, source: str, carrier_code: str
) -> list[Reading]:
    """What a push or an answer says of parcels, by the description in `settings["track"]`.

    Raises UnreadableTracking when no parcel is found where the description has them.
    """
    described = mapping(settings.get("track"))
    pointer = str(described.get("trackings", ""))
    found = at(document, pointer)
    parcels = objects(found) if isinstance(found, list) else [mapping(found)]
    readings = [
        _reading(parcel, settings, source=source, carrier_code=carrier_code)
        for parcel in parcels
        if text_at(parcel, str(described.get("number", "")))
    ]
    if not readings and not isinstance(found, list):
        raise UnreadableTracking("There is no tracking number where the settings have it.")
    return readings


def _reading(
    parcel: Mapping[str, Any], settings: Mapping[str, Any], *, source: str, carrier_code: str
) -> Reading:
    described = mapping(settings.get("track"))
    statuses = mapping(settings.get("statuses"))
    number = text_at(parcel, str(described["number"]))
    foreign: set[str] = set()
    news = []
    for scan in objects(at(parcel, str(described.get("events", "/events")))):
        said = text_at(scan, str(described.get("status", "/status")))
        happened_at = moment(text_at(scan, str(described.get("time", "/time"))))
        state = _state(said, statuses, foreign)
        if state is None or happened_at is None:
            continue
        places = described.get("place", [])
        place = place_of(
            *(
                text_at(scan, str(each))
                for each in ([places] if isinstance(places, str) else places)
            )
        )
        own_id = text_at(scan, str(described.get("id", "")))
        news.append(
            TrackingNews(
                state,
                happened_at,
                carrier_code=carrier_code,
                tracking_number=number,
                external_id=event_key(own_id)
                if own_id
                else event_key(said, happened_at.isoformat(), place),
                source=source,
                place=place,
            )
        )
    estimate = moment(text_at(parcel, str(described.get("estimate", ""))))
    return Reading(number, tuple(news), tuple(sorted(foreign)), estimate)


def _state(said: str, statuses: Mapping[str, Any], foreign: set[str]) -> ParcelState | None:
    """The state that the settings give the carrier's word; None for "" there: no way is told of."""
    meant = statuses.get(said)
    if meant is None or (meant and meant not in TRACKED):
        foreign.add(said[:48])
        return None
    return ParcelState(meant) if meant else None


# --- how it comes -----------------------------------------------------------------------------


def signature(secret: str, raw: bytes) -> str:
    """What `X-Carrier-Signature` must hold where the settings name no other proof."""
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def proves(proof: Mapping[str, Any], secret: str, headers: Headers, raw: bytes) -> bool:
    """Whether the headers prove the message, by `settings["webhook"]`.

    `header` names the header, `scheme` is hmac-sha256-hex, hmac-sha256-base64, or token (the secret
    itself); `prefix` stands before the value.
    """
    named = str(proof.get("header", SIGNATURE)).lower()
    scheme = str(proof.get("scheme", "hmac-sha256-hex"))
    digest = hmac.new(secret.encode(), raw, hashlib.sha256)
    expected = {
        "hmac-sha256-hex": digest.hexdigest(),
        "hmac-sha256-base64": b64encode(digest.digest()).decode(),
        "token": secret,
    }.get(scheme)
    if not secret or expected is None:
        return False
    prefix = str(proof.get("prefix", "sha256=" if "header" not in proof else ""))
    said = headers.get(named, "")
    return hmac.compare_digest(
        said.encode(errors="replace"), f"{prefix}{expected}".encode(errors="replace")
    )


def _signed(secret: str, headers: Headers, raw: bytes) -> bool:
    return proves({}, secret, headers, raw)


def _message_id(headers: Headers, raw: bytes) -> str:
    """The carrier's own id in a header or the body; else what the message says names it."""
    try:
        body = mapping(json.loads(raw))
    except (ValueError, RecursionError):
        body = {}
    own = headers.get(MESSAGE_ID) or body.get("event_id") or body.get("id")
    return str(own or hashlib.sha256(raw).hexdigest())[:64]


def _topic(headers: Headers, raw: bytes) -> str:
    del raw
    return headers.get(TOPIC, "tracking")[:48]


def _proven(settings: Mapping[str, Any], secret: str, headers: Headers, raw: bytes) -> bool:
    return proves(mapping(settings.get("webhook")), secret, headers, raw)


DIALECT: Final = Dialect(NAME, _signed, _message_id, _topic, by_settings=_proven)
