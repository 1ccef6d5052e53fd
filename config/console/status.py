"""Where an order is, in sentences that can be read aloud. Pure: from rows to words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from config.console.words import at_time, day, listed, number, sentence

Row = Mapping[str, Any]
_WITH_CARRIER = ("handed_over", "in_transit", "out_for_delivery", "attempted", "at_pickup_point")
_DOING = {
    "released": "with",
    "acknowledged": "taken on by",
    "picking": "being picked in",
    "packed": "packed in",
    "ready_for_pickup": "ready for pickup at",
    "expired": "still at",
}
_TROUBLE = {
    "returning": "is coming back",
    "returned": "came back",
    "damaged": "was damaged on the way",
    "lost": "was lost on the way",
}


class Story:
    """Gathers clauses about units; the first one names the whole: `two of three items`."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.clauses: list[str] = []

    def add(self, units: int, plural: str, singular: str) -> None:
        if units <= 0:
            return
        if self.clauses:
            who = number(units)
        elif units == self.total:
            who = {1: "the item", 2: "both items"}.get(units, f"all {number(units)} items")
        else:
            who = f"{number(units)} of {number(self.total)} items"
        self.clauses.append(f"{who} {singular if units == 1 else plural}")

    def __str__(self) -> str:
        return sentence("; ".join(self.clauses))


def describe(
    order: Row, parts: Mapping[str, Sequence[Row]], now: datetime, zone: tzinfo
) -> list[str]:
    """The sentences of an order's page, the most telling first."""
    lines = [line for line in parts["lines"] if line["kind"] != "kit"]
    total = sum(line["ordered"] for line in lines)
    cancelled = sum(line["cancelled"] for line in lines)
    said = []
    if order["state"] == "cancelled":
        when = f" {day(order['cancelled_at'], now, zone)}" if order["cancelled_at"] else ""
        said.append(f"Everything was cancelled{when}; nothing is on its way.")
    else:
        story = Story(total - cancelled)
        _tell_parcels(story, parts, now, zone)
        _tell_work(story, parts, now, zone)
        _tell_waiting(story, lines, order, parts, now, zone)
        if story.clauses:
            said.append(str(story))
        if cancelled:
            said.append(
                sentence(
                    f"{number(cancelled)} of {number(total)} ordered {_were(cancelled)} cancelled"
                )
            )
    said += _tell_holds(parts["holds"], now, zone)
    said += _tell_promise(order, parts, now, zone)
    return said


def _tell_parcels(
    story: Story, parts: Mapping[str, Sequence[Row]], now: datetime, zone: tzinfo
) -> None:
    places = {work["id"]: work["node_name"] for work in parts["work"]}
    delivered: dict[str, int] = defaultdict(int)
    left: dict[tuple[str, str], int] = defaultdict(int)
    trouble: dict[str, int] = defaultdict(int)
    for parcel in parts["parcels"]:
        units = sum(each["quantity"] for each in parcel["contents"] or ())
        if parcel["state"] == "delivered":
            delivered[day(parcel["delivered_at"], now, zone) if parcel["delivered_at"] else ""] += (
                units
            )
        elif parcel["state"] in _TROUBLE:
            trouble[parcel["state"]] += units
        elif parcel["state"] in _WITH_CARRIER and parcel["handed_over_at"]:
            when = day(parcel["handed_over_at"], now, zone)
            left[places.get(parcel["fulfillment_order_id"], "the node"), when] += units
    for when, units in delivered.items():
        story.add(units, f"arrived {when}".strip(), f"arrived {when}".strip())
    for (place, when), units in left.items():
        story.add(units, f"left {place} {when}", f"left {place} {when}")
    for state, units in trouble.items():
        text = _TROUBLE[state]
        story.add(units, text.replace("is ", "are ").replace("was ", "were "), text)


def _tell_work(
    story: Story, parts: Mapping[str, Sequence[Row]], now: datetime, zone: tzinfo
) -> None:
    for work in parts["work"]:
        units = sum(
            line["waiting"] + line["accepted"] + line["picked"] + line["packed"]
            for line in work["lines"] or ()
        )
        if work["state"] not in _DOING:
            continue
        text = f"{_DOING[work['state']]} {work['node_name']}"
        if work["ship_by"] and work["state"] not in {"ready_for_pickup", "expired"}:
            late = work["ship_by"] < now
            text += (
                f", {'was to ship' if late else 'ships'} by {at_time(work['ship_by'], now, zone)}"
            )
        elif work["state"] == "ready_for_pickup" and work["collect_by"]:
            text += f", kept until {at_time(work['collect_by'], now, zone)}"
        story.add(units, f"are {text}", f"is {text}")


def _tell_waiting(
    story: Story,
    lines: Sequence[Row],
    order: Row,
    parts: Mapping[str, Sequence[Row]],
    now: datetime,
    zone: tzinfo,
) -> None:
    reserved = sum(line["reserved"] for line in lines)
    nodes = _names(lines)
    where = f"in {listed(nodes)}" if nodes else "for it"
    text = f"reserved {where}"
    held = any("release" in hold["blocks"] for hold in _active(parts["holds"]))
    if held:
        text += (
            ", and waits for the hold to end" if reserved == 1 else ", and wait for the hold to end"
        )
    elif order["remorse_until"] and order["remorse_until"] > now:
        text += f", and can be changed freely until {at_time(order['remorse_until'], now, zone)}"
    elif order["payment_state"] in {"pending", "failed"}:
        text += ", and the payment is not secured yet"
    story.add(reserved, f"are {text}", f"is {text}")
    backordered = sum(line["backordered"] for line in lines)
    story.add(backordered, "wait for stock to come in", "waits for stock to come in")
    stock = sum(line["pending"] for line in lines if line["kind"] == "stock")
    other = sum(line["pending"] for line in lines if line["kind"] != "stock")
    if order["state"] == "captured":
        waits = "and not accepted yet" if not _active(parts["holds"]) else "and waits for the hold"
        story.add(stock, f"came in {waits}".replace("waits", "wait"), f"came in {waits}")
    else:
        story.add(stock, "have no node yet", "has no node yet")
    story.add(other, "follow when the goods ship", "follows when the goods ship")


def _tell_holds(holds: Sequence[Row], now: datetime, zone: tzinfo) -> list[str]:
    said = []
    for hold in _active(holds):
        kind = hold["type"].replace("_", " ")
        until = f" until {at_time(hold['until'], now, zone)}" if hold["until"] else ""
        stops = listed([_BLOCKS.get(each, each) for each in hold["blocks"]])
        text = f"On {kind} hold{until} since {at_time(hold['placed_at'], now, zone)}"
        said.append(
            sentence(f"{text}: {hold['reason'].rstrip('.')}. It stops {stops or 'nothing'}")
        )
    return said


_BLOCKS = {
    "accept": "acceptance",
    "release": "the release to a node",
    "capture": "taking the money",
    "close": "closing",
}


def _tell_promise(
    order: Row, parts: Mapping[str, Sequence[Row]], now: datetime, zone: tzinfo
) -> list[str]:
    if order["state"] in {"closed", "cancelled"}:
        return []
    promised = [group["promise"] for group in parts["groups"] if group["promise"]]
    if not promised:
        return []
    last = max(promised)
    moved = [
        group
        for group in parts["groups"]
        if group["promise"] and group["first_promise"] and group["promise"] > group["first_promise"]
    ]
    if moved:
        first = min(group["first_promise"] for group in moved)
        return [f"It was promised for {_on(first, now, zone)}, now it is {_on(last, now, zone)}."]
    verb = "was promised" if last < now else "is promised"
    return [f"It {verb} for {_on(last, now, zone)}."]


def _on(moment: datetime, now: datetime, zone: tzinfo) -> str:
    return day(moment, now, zone).removeprefix("on ")


def _active(holds: Sequence[Row]) -> list[Row]:
    return [hold for hold in holds if hold["state"] == "active"]


def _names(lines: Sequence[Row]) -> list[str]:
    names: dict[str, None] = {}
    for line in lines:
        if line["reserved"]:
            names.update(dict.fromkeys(place["name"] for place in line["places"] or ()))
    return list(names)


def _were(units: int) -> str:
    return "was" if units == 1 else "were"
