"""Units that wait for goods to come: within what may be sold ahead, and promised by when they come."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from config.kernel import ids
from config.kernel.types import Actor
from inventory import selectors as inventory
from inventory.services.inbound_ahead import back_ahead, reserve_backed
from inventory.types import AheadWant, Backed, FutureWant
from orders.foretelling import foretelling
from orders.models import Promise
from orders.services.bounds import add_promise, bind, keep_within
from orders.services.in_hand import LineInHand
from orders.services.sheet import Sheet
from orders.sourcing import Demand, PlannedPromise
from orders.states import Method

UNKNOWN_ROAD: Final = timedelta(days=7)
"""What is allowed for the road where nobody can say how long it takes."""
WAITS: Final = "waits"
"""The key of a promise's basis that says what it waits for."""
MOVED: Final = "order.promise_moved"

Share = tuple[int | None, int, int, datetime]
"""(inbound line, node, units, when they are there)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Units of a line that wait, and what they are to be served from."""

    line_id: UUID
    units: int
    shares: tuple[Share, ...]
    ready_at: datetime | None


def networks_of(sheet: Sheet, line_ids: Sequence[UUID]) -> dict[UUID, frozenset[int]]:
    """The nodes that may serve each line: those of its channel for the group's method, or the named."""
    known: dict[UUID, Mapping[int, tuple[bool, bool]]] = {}
    found = {}
    for line_id in line_ids:
        line = sheet.lines[line_id]
        group, order = sheet.groups[line.group_id], sheet.orders[line.order_id]
        if order.channel_id not in known:
            known[order.channel_id] = inventory.channel_nodes(order.channel_id)
        place = 1 if group.method == Method.PICKUP else 0
        named = group.pinned_node_id or group.pickup_node_id
        found[line_id] = frozenset(
            node_id
            for node_id, uses in known[order.channel_id].items()
            if uses[place] and named in {None, node_id}
        )
    return found


def back_waiting(
    sheet: Sheet, future: Sequence[FutureWant], *, at: datetime, actor: Actor
) -> list[Backed]:
    """What the units that nothing can serve now are to rest on, and whether they may be sold ahead."""
    nodes = networks_of(sheet, [want.demand_id for want in future])
    return back_ahead(
        [
            AheadWant(
                want.sku_id,
                want.quantity,
                want.account_id,
                sheet.order_of_line(want.demand_id).channel_id,
                nodes[want.demand_id],
            )
            for want in future
        ],
        at=at,
        actor=actor,
    )


def wait_for_goods(
    sheet: Sheet,
    future: Sequence[FutureWant],
    backed: Sequence[Backed],
    demands_of: Callable[[Sheet, Mapping[UUID, int]], list[Demand]],
    *,
    at: datetime,
    actor: Actor,
) -> set[UUID]:
    """Queue the units, and promise their groups by when the goods are there.

    Nothing is promised of a group of which some units are not on their way. Answers the orders
    whose groups got other dates.
    """
    waits = [
        Wait(want.demand_id, want.quantity, one.shares, one.ready_at)
        for want, one in zip(future, backed, strict=True)
    ]
    promised = foretold(sheet, waits, demands_of, at=at)
    dates: dict[UUID, datetime | None] = {}
    for group_id, promise in promised.items():
        dates[group_id] = _promise_waiting(sheet, group_id, promise, at=at)
    reserve_backed(
        [
            (
                replace(want, promised_at=want.promised_at or dates.get(_group(sheet, want))),
                one if _group(sheet, want) in promised else replace(one, ready_at=None),
            )
            for want, one in zip(future, backed, strict=True)
        ],
        at=at,
        actor=actor,
    )
    return {sheet.groups[group_id].order_id for group_id in promised}


def foretold(
    sheet: Sheet,
    waits: Sequence[Wait],
    demands_of: Callable[[Sheet, Mapping[UUID, int]], list[Demand]],
    *,
    at: datetime,
) -> dict[UUID, PlannedPromise]:
    """When what waits of each group would leave and arrive, of those whose goods are all on their way.

    One call of the port, with a demand for each node that the goods come to.
    """
    groups: dict[UUID, list[Wait]] = defaultdict(list)
    for wait in waits:
        groups[sheet.lines[wait.line_id].group_id].append(wait)
    asked: list[tuple[UUID, Demand, datetime]] = []
    for group_id, found in groups.items():
        if any(wait.ready_at is None for wait in found):
            continue
        for (node_id, ready), units in _by_node(found).items():
            (demand,) = demands_of(sheet, units)
            not_before = max(ready, demand.not_before or ready)
            pinned = replace(demand, pinned_node_id=node_id, not_before=not_before)
            asked.append((group_id, pinned, not_before))
    if not asked:
        return {}
    told = foretelling().foretell([demand for _, demand, _ in asked], at=at)
    parts: dict[UUID, list[PlannedPromise]] = defaultdict(list)
    for (group_id, _, ready), promise in zip(asked, told, strict=True):
        unknown = PlannedPromise(ready, ready, ready + UNKNOWN_ROAD)
        parts[group_id].append(promise or unknown)
    return {group_id: _joined(some, groups[group_id], sheet) for group_id, some in parts.items()}


def _by_node(waits: Sequence[Wait]) -> dict[tuple[int, datetime], dict[UUID, int]]:
    """Units per line, by the node that they come to and when the last of them is there."""
    ready: dict[int, datetime] = {}
    units: dict[int, dict[UUID, int]] = defaultdict(lambda: defaultdict(int))
    for wait in waits:
        for _, node_id, many, there_at in wait.shares:
            units[node_id][wait.line_id] += many
            ready[node_id] = max(there_at, ready.get(node_id, there_at))
    return {(node_id, ready[node_id]): dict(found) for node_id, found in units.items()}


def _joined(parts: Sequence[PlannedPromise], waits: Sequence[Wait], sheet: Sheet) -> PlannedPromise:
    """The group's promise: the first part leaves, the last arrives; and what it waits for."""
    lines = sorted({line_id for wait in waits for line_id, *_ in wait.shares if line_id})
    return PlannedPromise(
        min(part.ship_by for part in parts),
        min(part.deliver_earliest for part in parts),
        max(part.deliver_latest for part in parts),
        {
            WAITS: {
                "ready_at": max(w.ready_at for w in waits if w.ready_at).isoformat(),
                "inbound_line_ids": lines,
                "units": sum(wait.units for wait in waits),
            },
            "parcels": len(parts),
        },
        parts[0].bounds,
    )


def _promise_waiting(
    sheet: Sheet, group_id: UUID, promise: PlannedPromise, *, at: datetime
) -> datetime:
    """Promise the group for when what waits of it is there; answers until when it arrives.

    What of it was promised in this very transaction leaves when it would; the group arrives with
    the last of its goods.
    """
    group = sheet.groups[group_id]
    known = next((row for row in sheet.inserted(Promise) if row["group_id"] == group_id), None)
    if known is not None:
        known["deliver_latest"] = max(known["deliver_latest"], promise.deliver_latest)
        known["basis"] = {**known["basis"], WAITS: promise.basis[WAITS]}
        keep_within(group.bounds, known)
        latest: datetime = known["deliver_latest"]
        group.deliver_by = latest
        return latest
    return insert_promise(
        sheet, group_id, promise, "accept" if group.ship_by is None else "wait", at=at
    )


def insert_promise(
    sheet: Sheet, group_id: UUID, promise: PlannedPromise, cause: str, *, at: datetime
) -> datetime:
    """Add a version of the group's promise; the buyer is told when it is later than the one before.

    A group of which something is reserved or at work leaves when that does.
    """
    group = sheet.groups[group_id]
    order, was = sheet.orders[group.order_id], group.deliver_by
    at_work = any(
        line.reserved or line.released
        for line in sheet.lines_of(order.id)
        if line.group_id == group_id
    )
    sheet.raise_plan(order.id)
    ship_by = promise.ship_by
    if at_work and group.ship_by is not None:
        ship_by = min(group.ship_by, ship_by)
    row = {
        "id": ids.uuid7(),
        "order_id": order.id,
        "group_id": group_id,
        "account_id": order.account_id,
        "version": order.plan_version,
        "ship_by": ship_by,
        "deliver_earliest": max(ship_by, promise.deliver_earliest),
        "deliver_latest": promise.deliver_latest,
        "basis": dict(promise.basis),
        "cause": cause,
        "at": at,
    }
    bind(sheet, group, promise.bounds)
    latest: datetime = add_promise(sheet, row)["deliver_latest"]
    if was is not None and latest > was:
        sheet.tell(order.id, MOVED, moved_dates(row, was=was))
    return latest


def moved_dates(row: Mapping[str, Any], *, was: datetime) -> dict[str, Any]:
    """What an event says of a promise that moved: the dates, so that whoever hears it knows them."""
    return {
        "group_id": str(row["group_id"]),
        "promise_id": str(row["id"]),
        "cause": row["cause"],
        "was": was.isoformat(),
        "ship_by": row["ship_by"].isoformat(),
        "deliver_earliest": row["deliver_earliest"].isoformat(),
        "deliver_latest": row["deliver_latest"].isoformat(),
    }


def _group(sheet: Sheet, want: FutureWant) -> UUID:
    line: LineInHand = sheet.lines[want.demand_id]
    return line.group_id
