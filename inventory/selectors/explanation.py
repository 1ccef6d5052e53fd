"""One figure opened: every term with the rows behind it, adding up to the unit.

Everything is read as of one moment, in a number of statements that no row adds to.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from inventory.reckoning import offered, steps
from inventory.selectors.availability import one_moment, why_not
from inventory.selectors.sheet import Comes, Place, Sheet, read
from inventory.states import Condition, ReservationState
from inventory.types import DayFigure, Explanation, Figure, NodeShare

DAYS: Final = 28
NOT_USED: Final = "The channel does not ship from it"
NOT_SOURCED: Final = "Not sourced here"


def explain(
    account_id: UUID,
    channel_id: UUID | None,
    sku_id: int,
    *,
    at: datetime,
    by: datetime | None = None,
    days: int = 0,
    node_ids: Collection[int] | None = None,
) -> Explanation:
    """Why the channel may sell so many units; without a channel, why all nodes together may.

    The terms add up to `units`, which is what `ats` answers. With `days` also the figure at the end
    of each of so many days, from what is known to come in. With `node_ids` only what these nodes
    can promise, without the limits that concern them all.
    """
    found = explain_all(
        account_id, channel_id, [sku_id], at=at, by=by, days=days, node_ids=node_ids
    )
    return found[sku_id]


def explain_all(
    account_id: UUID,
    channel_id: UUID | None,
    sku_ids: Collection[int],
    *,
    at: datetime,
    by: datetime | None = None,
    days: int = 0,
    node_ids: Collection[int] | None = None,
) -> dict[int, Explanation]:
    """As `explain`, of many SKUs; statements as for one."""
    with one_moment():
        sheets = read(account_id, channel_id, sku_ids, at, at + timedelta(days=days), by, node_ids)
    return {sku_id: _explained(sheet, by, days) for sku_id, sheet in sheets.items()}


def _explained(sheet: Sheet, by: datetime | None, days: int) -> Explanation:
    moment, later = by or sheet.at, by is not None
    nodes = sheet.by_node(moment, later=later)
    terms = _of_stock(sheet, moment, later=later)
    total = sum(nodes.values())
    terms += [
        Figure(
            step.code,
            step.label,
            step.units,
            _whose(sheet, step.code),
            link=_link(sheet, step.code),
        )
        for step in steps(total, sheet.limits)
    ]
    return Explanation(
        sheet.account_id,
        sheet.channel_id,
        sheet.sku_id,
        sheet.sku_code,
        sum(term.units for term in terms),
        total,
        tuple(terms),
        tuple(_shares(sheet, nodes, moment)),
        sheet.at,
        by,
        tuple(_days(sheet, days)),
    )


def _of_kit(sheet: Sheet, at: datetime, *, later: bool) -> Iterable[tuple[str, dict[str, Any]]]:
    """What makes up kits, term by term: of each node the scarcest component, in whole kits.

    A term is by how much it changes the number of whole kits, so that they add up to what is made.
    """
    for node_id in sorted({place.node_id for place in sheet.places}):
        if not sheet.able(node_id, at):
            continue
        there = {
            part_id: [
                place
                for place in sheet.places
                if place.node_id == node_id and place.sku_id == part_id
            ]
            for part_id, _ in sheet.parts
        }
        if not there or not all(there.values()):
            continue
        free = {
            part_id: sum(place.free(at, later=later) for place in places)
            for part_id, places in there.items()
        }
        part_id, per_kit = min(sheet.parts, key=lambda part: (free[part[0]] // part[1], part[0]))
        units = 0
        for place in there[part_id]:
            for code, more, details in _terms_of(sheet, place, at, later=later):
                kits = (units + more) // per_kit - units // per_kit
                units += more
                yield (
                    code,
                    _row(sheet, place, kits, **details)
                    | {
                        "component": sheet.codes[part_id],
                        "component_id": part_id,
                        "per_kit": per_kit,
                        "of_component": more,
                    },
                )


def _of_stock(sheet: Sheet, at: datetime, *, later: bool) -> list[Figure]:
    """From what lies there to what nodes can promise."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for place in sheet.places:
        if place.sku_id == sheet.sku_id:
            for code, units, details in _terms_of(sheet, place, at, later=later):
                found[code].append(_row(sheet, place, units, **details))
    for code, row in _of_kit(sheet, at, later=later):
        found[code].append(row)
    return [
        Figure(
            code,
            _LABELS[code],
            sum(row["quantity"] for row in found[code]),
            tuple(found[code]),
            _oldest(found[code]),
            _link(sheet, code),
        )
        for code in _LABELS
        if found.get(code) and (code == "on_hand" or sum(row["quantity"] for row in found[code]))
    ]


def _terms_of(
    sheet: Sheet, place: Place, at: datetime, *, later: bool
) -> Iterable[tuple[str, int, dict[str, Any]]]:
    """The signed terms of one position; they add up to what its node can promise of it."""
    if place.owner:
        if not _hindrance(sheet, place, at)[0] and (units := place.free(at, later=later)):
            lying = {"on_hand": place.sellable, "reserved": place.reserved}
            yield "consigned", units, {"owner": place.owner} | lying
        return
    lies = sum(units for _, _, units in place.levels)
    for condition, lot, units in place.levels:
        yield "on_hand", units, {"condition": condition, "lot": lot}
    code, reason = _hindrance(sheet, place, at)
    if code:
        if lies:
            yield code, -lies, {"reason": reason}
        return
    total = lies
    for term in [*_kept(place), *(_coming(place, at) if later else ())]:
        total += term[1]
        yield term
    if total < 0:
        yield "short", -total, {}
    elif not later and place.stale(at):
        yield "stale", -total, {"fresh_until": place.fresh_until}


def _kept(place: Place) -> Iterable[tuple[str, int, dict[str, Any]]]:
    """What lies there and cannot be sold, is claimed, or is kept back."""
    for condition, lot, units in place.levels:
        if condition != Condition.AVAILABLE:
            yield condition, -units, {"lot": lot}
    for state, transfer, units, claims, since in place.claims:
        yield ("transfer" if transfer else state), -units, {"claims": claims, "since": since}
    for code, units in [
        ("safety", place.buffer - place.haircut),
        ("haircut", place.haircut),
        ("landed", place.landed),
    ]:
        if units:
            yield code, -units, {}


def _coming(place: Place, at: datetime) -> Iterable[tuple[str, int, dict[str, Any]]]:
    """What can be picked by then, and cannot now."""
    for each in place.coming:
        if each.due_at <= at and each.units:
            code = "pickable" if each.kind in Condition.values else _COMES.get(each.kind, "inbound")
            yield code, each.units, _facts(each)


def _facts(each: Comes) -> dict[str, Any]:
    """What is said of units to come; of inbound when it was told, how late it may be, what counts."""
    said: dict[str, Any] = {"kind": each.kind, "due_at": each.due_at, "number": each.number}
    if each.inbound_id is not None:
        said |= {
            "inbound_id": each.inbound_id,
            "told_at": each.told_at,
            "late_hours": each.late_hours,
            "counts_percent": each.percent,
        }
    return said


def _hindrance(sheet: Sheet, place: Place, at: datetime) -> tuple[str, str]:
    """Why nothing of the position counts: (term, reason); empty when something may."""
    if place.node_id not in sheet.used:
        return "not_used", NOT_USED
    node = sheet.nodes.get(place.node_id)
    if node is None or (reason := why_not(node, at)):
        return "cannot_ship", reason if node is not None else "not the account's"
    if place.excluded(at):
        return "excluded", place.reason or NOT_SOURCED
    return "", ""


_LABELS: Final = {
    "on_hand": "On hand",
    "not_used": "At nodes that the channel does not ship from",
    "cannot_ship": "At nodes that cannot ship",
    "excluded": "Not sourced at the node for now",
    **{
        condition.value: condition.label
        for condition in Condition
        if condition != Condition.AVAILABLE
    },
    ReservationState.HELD.value: "Held for carts",
    ReservationState.RESERVED.value: "Reserved by orders",
    ReservationState.COMMITTED.value: "At work in nodes",
    "transfer": "Reserved by transfers",
    "safety": "Safety stock",
    "haircut": "Kept back while a feed is not to be relied on",
    "landed": "Set aside for waiting orders",
    "pickable": "Can be picked by then",
    "inbound": "Has surely come in by then",
    "expires": "Expires by then",
    "consigned": "Free goods of other owners",
    "stale": "Not sold while an expired lot lies among it",
    "short": "Reserved or kept back beyond what is there",
}
"""Every term of what nodes can promise, in the order in which they are shown."""

_COMES: Final = {"expires": "expires"}
_TABS: Final = {
    "on_hand": "ledger",
    "held": "holders",
    "reserved": "holders",
    "committed": "holders",
    "transfer": "holders",
    "landed": "holders",
    "unplaced": "holders",
    "pickable": "inbound",
    "inbound": "inbound",
    "protected": "channels",
    "cap": "channels",
    "threshold": "channels",
    **dict.fromkeys((each.value for each in Condition if each != Condition.AVAILABLE), "ledger"),
}


def _link(sheet: Sheet, code: str) -> str:
    """Where the console shows the rows of a term: the grid of nodes unless a tab has them."""
    if code == "consigned":
        return "/console/consigned/"
    tab = _TABS.get(code)
    return f"/console/stock/{sheet.sku_id}/{f'?tab={tab}' if tab else '#nodes'}"


def _row(sheet: Sheet, place: Place, units: int, **details: Any) -> dict[str, Any]:
    node = sheet.nodes.get(place.node_id)
    return {
        "node": node.code if node else "",
        "node_id": place.node_id,
        "position_id": place.id,
        "quantity": units,
        "as_of": place.counted_at,
        **details,
    }


def _whose(sheet: Sheet, code: str) -> tuple[Mapping[str, object], ...]:
    """The channel behind a limit of its own."""
    if code in {"cap", "threshold", "protected"} and sheet.channel_id is not None:
        return ({"channel_id": sheet.channel_id, "sku_id": sheet.sku_id},)
    return ({"sku_id": sheet.sku_id},) if code == "unplaced" else ()


def _oldest(rows: Iterable[Mapping[str, Any]]) -> datetime | None:
    return min((row["as_of"] for row in rows if row["as_of"] is not None), default=None)


def _shares(sheet: Sheet, nodes: Mapping[int, int], at: datetime) -> Iterable[NodeShare]:
    """Each node that has, or may have, some of it."""
    seen: dict[int, Place] = {}
    for place in sheet.places:
        seen.setdefault(place.node_id, place)
    for node_id, place in sorted(seen.items()):
        node = sheet.nodes.get(node_id)
        yield NodeShare(
            node_id,
            node.code if node else "",
            nodes.get(node_id, 0),
            _hindrance(sheet, place, at)[1],
            place.counted_at,
        )


def _days(sheet: Sheet, days: int) -> Iterable[DayFigure]:
    """The figure day by day, with what comes in on each."""
    for day in range(1, days + 1):
        since, until = sheet.at + timedelta(days=day - 1), sheet.at + timedelta(days=day)
        arriving = sum(
            place.come(until) - (place.come(since) if day > 1 else 0)
            for place in sheet.places
            if place.sku_id == sheet.sku_id and sheet.able(place.node_id, until)
        )
        total = sum(sheet.by_node(until, later=True).values())
        yield DayFigure(
            until, offered(total, sheet.limits), arriving, tuple(_makes(sheet, since, until, day))
        )


def _makes(
    sheet: Sheet, since: datetime, until: datetime, day: int
) -> Iterable[Mapping[str, object]]:
    """What comes in on a day, or falls away: each with its node; the first day has all until then."""
    for place in sheet.places:
        if place.sku_id != sheet.sku_id or not sheet.able(place.node_id, until):
            continue
        for each in place.coming:
            if each.due_at <= until and each.units and (day == 1 or each.due_at > since):
                yield _row(sheet, place, each.units, **_facts(each))
