"""Quotes as JSON: as they are kept, answered and read again when an order names one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from routing.engine.calendar import local_date
from routing.quotes.types import Option, ParcelPart, Unavailable

STAFF_ONLY: Final = ("cost_minor", "cost_currency", "decision")
"""What a shop's own key is not told: what it costs us, and what else was weighed."""


def option_json(option: Option) -> dict[str, Any]:
    """One option. Instants are ISO 8601 in UTC, dates are the destination's."""
    found: dict[str, Any] = {
        "id": option.id,
        "item": option.item,
        "method": option.method,
        "service": option.service,
        "availability": option.availability,
        "timezone": option.timezone,
        "ship_by": option.ship_by.isoformat(),
        "deliver_earliest": local_date(option.earliest_at, option.timezone).isoformat(),
        "deliver_latest": local_date(option.latest_at, option.timezone).isoformat(),
        "earliest_at": option.earliest_at.isoformat(),
        "latest_at": option.latest_at.isoformat(),
        "ready_by": _text(option.ready_by),
        "order_before": _text(option.order_before),
        "holds_until": option.holds_until.isoformat(),
        "start_at": _text(option.start_at),
        "first_by": min(part.latest for part in option.parcels).isoformat(),
        "complete_by": max(part.latest for part in option.parcels).isoformat(),
        "parcels": [_parcel(part) for part in option.parcels],
        "nodes": sorted({part.node for part in option.parcels}),
        "store": None,
        "cost_minor": option.cost_minor,
        "cost_currency": option.cost_currency,
        "why": list(option.why),
        "decision": list(option.decision),
        "basis": dict(option.basis),
    }
    if option.store is not None:
        store = option.store
        found["store"] = {
            "node": store.node,
            "name": store.name,
            "city": store.city,
            "region": store.region,
            "postal_code": store.postal_code,
            "distance_km": store.distance_km,
        }
    return found


def _parcel(part: ParcelPart) -> dict[str, Any]:
    return {
        "node": part.node,
        "name": part.name,
        "ship_by": part.ship_by.isoformat(),
        "deliver_earliest": part.earliest.isoformat(),
        "deliver_latest": part.latest.isoformat(),
        "units": dict(part.units),
        "distance_km": part.distance_km,
        "waits_until": _text(part.waits_until),
    }


def unavailable_json(one: Unavailable) -> dict[str, str]:
    return {
        "item": one.item,
        "method": one.method,
        "service": one.service,
        "store": one.store,
        "code": one.code,
        "detail": one.detail,
    }


def seconds_left(option: Mapping[str, Any], at: datetime) -> int | None:
    """Until the option can no longer be ordered; None where nothing presses."""
    before = option["order_before"]
    if before is None:
        return None
    return max(0, int((datetime.fromisoformat(before) - at).total_seconds()))


def for_shops(options: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The options without what is for staff."""
    return [
        {name: value for name, value in option.items() if name not in STAFF_ONLY}
        for option in options
    ]


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
