"""What carriers' words become: news of parcels, each with an id of its own. Pure.

Carriers give their scans no ids. A scan is therefore named by what it says; the same scan pushed,
pushed again and polled has the same name, and counts once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from config.kernel.errors import DomainError
from fulfillment.states import ParcelState
from fulfillment.types import TrackingNews

KEY_LENGTH = 32
PLACE_LENGTH = 120
ENDS = frozenset(
    {
        ParcelState.DELIVERED,
        ParcelState.RETURNING,
        ParcelState.RETURNED,
        ParcelState.LOST,
        ParcelState.DAMAGED,
    }
)
"""States worth believing when the carrier names them only for the parcel as a whole."""


class UnreadableTracking(DomainError):
    """The message is no tracking document of this carrier."""

    code, title, status = "unreadable", "The tracking message cannot be read", 422


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one document says of one parcel.

    `foreign` are words of the carrier's that nobody has given a meaning; `estimate` is when it
    expects to deliver.
    """

    tracking_number: str
    news: tuple[TrackingNews, ...] = ()
    foreign: tuple[str, ...] = ()
    estimate: datetime | None = None


def moment(said: Any, zone: tzinfo = UTC) -> datetime | None:
    """A time as carriers write it; one without a zone is of the zone given. None when it is none."""
    if not isinstance(said, str) or not said.strip():
        return None
    try:
        read = datetime.fromisoformat(said.strip())
    except ValueError:
        return None
    return read.replace(tzinfo=zone) if read.tzinfo is None else read


def event_key(*said: Any) -> str:
    """The name of a scan: the same for the same words, whatever brought them."""
    words = "\x1f".join("" if word is None else str(word).strip() for word in said)
    return hashlib.sha256(words.encode()).hexdigest()[:KEY_LENGTH]


def place_of(*parts: Any) -> str:
    """A place as a person reads it; empty parts are left out."""
    return ", ".join(str(part).strip() for part in parts if part)[:PLACE_LENGTH]


def mapping(found: Any) -> Mapping[str, Any]:
    """The object found, or an empty one."""
    return found if isinstance(found, Mapping) else {}


def objects(found: Any) -> list[Mapping[str, Any]]:
    """The objects in a list; nothing else is one."""
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def with_whole(
    news: list[TrackingNews], whole: ParcelState | None, told: TrackingNews | None
) -> list[TrackingNews]:
    """Add what the carrier says of the parcel as a whole, where its scans do not say so.

    Where there are scans only an end is believed: anything less is a summary of older ones.
    """
    if whole is None or told is None or any(each.status == whole for each in news):
        return news
    return [*news, told] if not news or whole in ENDS else news
