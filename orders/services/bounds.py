"""Dates beyond which nobody may promise a group: what its channel promises, what it was quoted.

`DeliveryGroup.bounds` names them by who set them. `channel`: {ship_by, deliver_by, pledge}, either
date may be null; nothing lifts it. `quote`: {id, option, ship_by, earliest, deliver_by}, or
{id, option, missed, detail} where the quote was not to be honoured; it is lifted when a person
gives the buyer another date. Times are ISO 8601.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from orders.models import Promise
from orders.services.in_hand import GroupInHand
from orders.services.sheet import Sheet
from orders.sourcing import CHANNEL, QUOTE

HELD_TO: Final = "held_to"
"""The key of a promise's basis that says whose dates it keeps, and what ours would have been."""


def add_promise(sheet: Sheet, row: dict[str, Any]) -> dict[str, Any]:
    """Add a version of a group's promise, within its bounds: every writer of promises comes here.

    Answers the row as it is written; the group has its dates.
    """
    group = sheet.groups[row["group_id"]]
    keep_within(group.bounds, row)
    sheet.insert(Promise, row)
    group.ship_by, group.deliver_by = row["ship_by"], row["deliver_latest"]
    return row


def keep_within(bounds: Mapping[str, Any], row: dict[str, Any]) -> None:
    """Have the row promise no later than its bounds, and what was quoted as it was quoted."""
    if not bounds:
        return
    ours = {name: row[name].isoformat() for name in ("ship_by", "deliver_latest")}
    held = []
    quoted = bounds.get(QUOTE, {})
    if "deliver_by" in quoted:
        latest = datetime.fromisoformat(quoted["deliver_by"])
        if row["deliver_latest"] > latest:
            row["ship_by"] = min(row["ship_by"], datetime.fromisoformat(quoted["ship_by"]))
        row["deliver_earliest"] = datetime.fromisoformat(quoted["earliest"])
        row["deliver_latest"] = latest
        held.append(QUOTE)
    for name, bound in (("ship_by", "ship_by"), ("deliver_latest", "deliver_by")):
        said = bounds.get(CHANNEL, {}).get(bound)
        if said is not None and (limit := datetime.fromisoformat(said)) < row[name]:
            row[name] = limit
            held.append(CHANNEL)
    row["ship_by"] = min(row["ship_by"], row["deliver_latest"])
    row["deliver_earliest"] = min(row["deliver_earliest"], row["deliver_latest"])
    if held:
        kept = {"by": list(dict.fromkeys(held)), "ours": ours}
        row["basis"] = {**row["basis"], HELD_TO: kept}


def bind(sheet: Sheet, group: GroupInHand, found: Mapping[str, Any]) -> None:
    """Have the group bound by dates that sourcing found, the first time that it is promised.

    A quote that is not honoured is told on the order, with why.
    """
    new = {name: bound for name, bound in found.items() if name not in group.bounds}
    if not new:
        return
    group.bounds = {**group.bounds, **new}
    quoted = new.get(QUOTE)
    if quoted is None:
        return
    said = {"group_id": str(group.id), "quote_id": quoted["id"], "option": quoted["option"]}
    if "missed" in quoted:
        said |= {"why": quoted["missed"], "detail": quoted["detail"]}
        sheet.tell(group.order_id, "order.quote_missed", said)
    else:
        sheet.tell(group.order_id, "order.quote_kept", said)
        if quoted.get("start_at") and group.not_before is None:
            group.not_before = datetime.fromisoformat(quoted["start_at"])


def lift_quote(group: GroupInHand, why: str = "The buyer was given another date.") -> None:
    """What was quoted binds no longer; what the channel promises still does."""
    if "deliver_by" in group.bounds.get(QUOTE, {}):
        quoted = group.bounds[QUOTE]
        given_up = {"id": quoted["id"], "option": quoted["option"], "missed": "given_up"}
        given_up["detail"] = why
        group.bounds = {**group.bounds, QUOTE: given_up}


def last_day(group: GroupInHand) -> datetime | None:
    """The last moment that may be promised of the group, by its channel."""
    said = group.bounds.get(CHANNEL, {}).get("deliver_by")
    return None if said is None else datetime.fromisoformat(said)
