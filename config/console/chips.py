"""The filters of the order list as people read them: a chip each, in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.http import QueryDict

from config.console import tones
from config.reports.order_filters import KEYS, Filters
from orders import hold_types

NEEDS: Final[dict[str, str]] = {
    "miss": "Will miss ship-by today",
    "jeopardy": "In jeopardy",
    "late": "Late",
    "stuck": "Stuck over 15 min",
    "held": "Held",
    "case": "With an open case",
    "backorder": "Backordered",
    "ready": "Ready to release",
}
STEPS: Final[dict[str, str]] = {
    "new": "New",
    "held": "Held",
    "reserved": "Reserved",
    "released": "Released",
    "picking": "Picking",
    "packed": "Packed",
    "shipped": "Shipped",
    "delivered": "Delivered today",
}
HOLD_TYPES: Final = {code: kind.label for code, kind in hold_types.HOLD_TYPES.items()}
TABS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("all", "All", {}),
    ("attention", "Needs attention", {"need": "case"}),
    ("miss", "Will miss today", {"need": "miss"}),
    ("jeopardy", "In jeopardy", {"need": "jeopardy"}),
    ("held", "Held", {"need": "held"}),
    ("ready", "Ready to release", {"need": "ready"}),
    ("backorder", "Backordered", {"need": "backorder"}),
    ("stuck", "Stuck", {"need": "stuck"}),
)
_NAMES: Final[dict[str, str]] = {
    "q": "Search",
    "need": "Need",
    "step": "Step",
    "state": "State",
    "progress": "Progress",
    "payment": "Payment",
    "channel": "Channel",
    "hold": "Hold",
    "node": "Node",
    "sku": "SKU",
    "country": "Country",
    "tag": "Tag",
    "mode": "Mode",
    "placed_from": "Placed from",
    "placed_to": "Placed to",
    "ship_before": "Ships by",
    "min": "Value from",
    "max": "Value to",
}
_VALUE_LENGTH = 120
_NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter: its words, and the address without it."""

    key: str
    name: str
    value: str
    without: str


def filters_of(query: QueryDict) -> Filters:
    """The known, non-empty filters of an address. Pasted line breaks and NULs are spaces."""
    return Filters(
        {
            key: " ".join(str(query[key]).replace("\0", " ").split())[:_VALUE_LENGTH]
            for key in KEYS
            if query.get(key, "").strip()
        }
    )


def chips_of(
    filters: Filters, names: Mapping[str, Mapping[str, str]], kept: Mapping[str, str]
) -> list[Chip]:
    """A chip per filter; `names` translates codes of channels and nodes."""
    return [
        Chip(key, _NAMES[key], _words(key, value, names), address_of(filters, kept, without=key))
        for key, value in filters.values.items()
    ]


def address_of(filters: Filters, kept: Mapping[str, str] = _NOTHING, *, without: str = "") -> str:
    """The query of the filters, but one; and what the address keeps beside them."""
    query = QueryDict(mutable=True)
    for key, value in (*filters.values.items(), *kept.items()):
        if key != without:
            query[key] = value
    return f"?{query.urlencode()}"


def _words(key: str, value: str, names: Mapping[str, Mapping[str, str]]) -> str:
    if key == "need":
        return NEEDS.get(value, value)
    if key == "step":
        return STEPS.get(value, value)
    if key == "hold":
        return HOLD_TYPES.get(value, value.replace("_", " ").capitalize())
    if key == "state":
        return tones.look("order", value).label
    if key in {"progress", "payment"}:
        return tones.look(key, value).label
    return names.get(key, {}).get(value, value)
