"""What an option means and why, in sentences that may be shown to the buyer: no cost, no verdict."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from routing.quotes.types import PICKUP, SHIP_TO_STORE, ParcelPart, Place

SPLITS: Final = {
    "no_node_holds_all": "no place has everything",
    "short_or_reject": "a place that should have everything just turned such goods down",
    "ship_from_rule": "the place that has everything may not send it",
    "capacity": "the place that has everything takes no more work today",
    "backorder": "some of it is still on its way to us",
    "buyers_choice": "one parcel would come too late for the day that was asked for",
    "cheaper": "that is cheaper than one parcel",
}
COARSE: Final = {
    "area": "Only the first digits of the postal code are known: the days are estimates.",
    "region": "Only the state is known: the days are estimates.",
    "country": "Only the country is known: the days are estimates.",
    "unknown": "Nothing is known of where it goes: the days are estimates.",
}
MISSING: Final = {
    "no_stock": "Nothing of it is in stock, and nothing is on its way.",
    "kept_for_others": "What there is of it is kept for other channels.",
    "unreachable": "There is stock, where it may not be sent from.",
    "max_parcels": "It would take more parcels than the policy allows.",
    "line_split": "No place has all the units of a line together.",
    "with_parent": "What it goes with cannot be sent.",
    "ship_complete": "It must go together, and not all of it is there.",
    "costs_more": "Sending it costs more than it is worth.",
}


def day(moment: date) -> str:
    """Tuesday, 24 November."""
    return f"{moment:%A}, {moment.day} {moment:%B}"


def clock(moment: datetime, timezone: str) -> str:
    """Tuesday, 24 November, 15:00 EST."""
    there = moment.astimezone(ZoneInfo(timezone))
    return f"{day(there.date())}, {there:%H:%M %Z}"


def sentences(
    method: str,
    parcels: Sequence[ParcelPart],
    timezones: dict[str, str],
    *,
    order_before: datetime | None,
    split_cause: str,
    precision: str,
    transit: str,
    store: Place | None,
) -> tuple[str, ...]:
    """Where it leaves, why so many parcels, how the days are known."""
    said = [_leaving(one, timezones[one.node], method) for one in parcels]
    if order_before is not None:
        place = timezones[parcels[0].node]
        said.append(f"It must be ordered before {clock(order_before, place)}.")
    if len(parcels) > 1:
        cause = SPLITS.get(split_cause, "")
        said.append(f"{len(parcels)} parcels{f': {cause}' if cause else ''}.")
    if store is not None and method == SHIP_TO_STORE:
        said.append(f"It is sent to {store.name} and collected there.")
    if method != PICKUP:
        said.append(transit)
        if precision in COARSE:
            said.append(COARSE[precision])
    return tuple(said)


def _leaving(part: ParcelPart, timezone: str, method: str) -> str:
    when = clock(part.ship_by, timezone)
    goods = ""
    if part.waits_until is not None:
        there = part.waits_until.astimezone(ZoneInfo(timezone)).date()
        goods = f" once its goods are there on {day(there)}"
    if method == PICKUP:
        return f"{part.name} has it ready by {when}{goods}."
    return f"{part.name} sends it by {when}{goods}."


def transit_said(service: str, learnt: int, parcels: int) -> str:
    """Whether the days are those of the rate card or those that our own parcels took."""
    if not learnt:
        return f"The days are those agreed for {service}."
    if learnt >= parcels:
        return f"The days are those that our parcels by {service} took on these lanes."
    return f"The days are partly agreed for {service}, partly those that our parcels took."
