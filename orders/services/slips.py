"""Goods that orders wait for come at another time: their promises follow, in versions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.models import Account
from config.kernel.types import Actor, Outcome
from inventory import selectors as inventory
from inventory.services.inbound_ahead import rest_on
from inventory.types import Awaited
from orders.services.ahead import Wait, foretold, insert_promise, networks_of
from orders.services.holding import active_holds
from orders.services.sheet import Sheet, open_sheet
from orders.services.source import demands_of, refold_promise
from orders.sourcing import PlannedPromise
from orders.states import OrderState

PROMISE_BROKEN: Final = "PROMISE_BROKEN"
LATER: Final = "inbound"
EARLIER: Final = "inbound earlier"
SETTING: Final = "improve_promises"
"""The account's setting: whether goods that come earlier bring the promise forward."""


@dataclass(slots=True)
class _Found:
    """What is to become of the groups that wait: a cause each, and what their claims rest on.

    `promised` are those whose promise rests on goods already; `lost` those whose goods do not come.
    """

    cause: dict[UUID, str]
    waits: list[Wait]
    rests: dict[UUID, tuple[int | None, datetime | None]]
    promised: set[UUID]
    lost: set[UUID]


@transaction.atomic
def repromise_waiting(
    order_ids: Sequence[UUID], cause: str = "", *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Promise anew what waits of these orders, by when its goods are there now.

    Later goods make a later version, which the buyer is told of, and a case that lists what can be
    done. Earlier goods leave the promise as it is, unless the account's setting `improve_promises`
    says otherwise. What was promised first stays, and so does the place in the queue. A group of
    which not all units are on their way keeps its dates; it is a case when it had some. One outcome
    per order: done where a promise changed, repeated where it did not.
    """
    sheet = open_sheet(order_ids)
    live = [order.id for order in sheet.orders.values() if order.state == OrderState.ACCEPTED]
    found = _weigh(sheet, live, at)
    promised = foretold(
        sheet,
        [wait for wait in found.waits if _group(sheet, wait) in found.cause],
        demands_of,
        at=at,
    )
    reports = [_lost(sheet, group_id, cause, at) for group_id in sorted(found.lost)]
    changed: set[UUID] = set()
    options = _options(sheet, found, promised, at)
    for group_id, promise in promised.items():
        group, why = sheet.groups[group_id], found.cause[group_id]
        was = group.deliver_by
        if was is not None and (promise.deliver_latest > was) != (why == LATER):
            continue
        insert_promise(sheet, group_id, promise, why, at=at)
        refold_promise(sheet, group.order_id)
        changed.add(group.order_id)
        if was is not None and why == LATER and group_id in found.promised:
            reports.append(_broken(sheet, group_id, was, promise, options, cause))
    rest_on(found.rests, at=at, actor=actor)
    sheet.write(at=at, actor=actor, reason="what it waits for comes at another time")
    case_reports.report(reports, at=at)
    return [
        Outcome.done(order_id) if order_id in changed else Outcome.repeated(order_id)
        for order_id in order_ids
    ]


def _weigh(sheet: Sheet, order_ids: Sequence[UUID], at: datetime) -> _Found:
    """Compare, by group, when the goods are there now with what its promise rests on."""
    waited = inventory.waited_by(order_ids)
    held = _held(sheet, order_ids)
    waiting = [
        line.id for order_id in order_ids for line in sheet.lines_of(order_id) if line.backordered
    ]
    nodes: dict[UUID, frozenset[int]] = {}
    for line_id, network in networks_of(sheet, waiting).items():
        order_id = sheet.lines[line_id].order_id
        nodes[order_id] = nodes.get(order_id, frozenset()) | network
    claims: dict[UUID, list[Awaited]] = defaultdict(list)
    for one in inventory.awaited(waited, at=at, networks=nodes) if waited else ():
        line = sheet.lines.get(one.demand_id)
        if line is not None and line.group_id not in held:
            claims[line.group_id].append(one)
    improves = _improving({order.account_id for order in sheet.orders.values()})
    found = _Found({}, [], {}, set(), set())
    for group_id, known in claims.items():
        account_id = sheet.orders[sheet.groups[group_id].order_id].account_id
        _weigh_group(found, group_id, known, improves=account_id in improves)
    return found


def _weigh_group(
    found: _Found, group_id: UUID, claims: Sequence[Awaited], *, improves: bool
) -> None:
    was = [one.ready_by for one in claims if one.ready_by is not None]
    now = [one.ready_at for one in claims]
    ready = None if any(each is None for each in now) else max(each for each in now if each)
    if ready is None:
        if was:
            found.lost.add(group_id)
        return
    if was:
        found.promised.add(group_id)
    if not was or ready > max(was):
        found.cause[group_id] = LATER
    elif ready < max(was) and improves:
        found.cause[group_id] = EARLIER
    keeps = bool(was) and ready < max(was) and not improves
    for one in claims:
        line_id = one.shares[-1][0] if one.shares else None
        found.rests[one.reservation_id] = (line_id, one.ready_by if keeps else one.ready_at)
        found.waits.append(Wait(one.demand_id, one.units, one.shares, one.ready_at))


def _held(sheet: Sheet, order_ids: Sequence[UUID]) -> set[UUID]:
    """Groups of which a line is held for want of stock: somebody decides of it, nothing is promised."""
    holds = active_holds([i for i in order_ids if sheet.orders[i].holds_open])
    return {
        sheet.lines[hold.line_id].group_id
        for found in holds.values()
        for hold in found
        if hold.type == "no_stock" and hold.line_id in sheet.lines
    }


def _improving(account_ids: set[UUID]) -> set[UUID]:
    kept = Account.objects.filter(pk__in=account_ids).values_list("pk", "settings")
    return {pk for pk, settings in kept if settings.get(SETTING)}


def _group(sheet: Sheet, wait: Wait) -> UUID:
    return sheet.lines[wait.line_id].group_id


def _options(
    sheet: Sheet, found: _Found, promised: Mapping[UUID, PlannedPromise], at: datetime
) -> dict[tuple[UUID, int], list[str]]:
    """What may go out instead, by channel and SKU, of what now comes later."""
    wanted: dict[UUID, set[int]] = defaultdict(set)
    for wait in found.waits:
        line = sheet.lines[wait.line_id]
        if found.cause.get(line.group_id) == LATER and line.group_id in promised and line.sku_id:
            wanted[sheet.orders[line.order_id].channel_id].add(line.sku_id)
    return {
        (channel_id, sku_id): [f"{one.code} ({one.free} free)" for one in views if one.free > 0]
        for channel_id, skus in wanted.items()
        for sku_id, views in inventory.substitutes(skus, channel_id, at=at).items()
    }


def _broken(
    sheet: Sheet,
    group_id: UUID,
    was: datetime,
    promise: PlannedPromise,
    options: Mapping[tuple[UUID, int], list[str]],
    cause: str,
) -> case_reports.Report:
    """The case of a promise that could not be kept, with what can be done."""
    order = sheet.orders[sheet.groups[group_id].order_id]
    instead = sorted(
        {
            text
            for line in sheet.lines_of(order.id)
            if line.group_id == group_id and line.backordered
            for text in options.get((order.channel_id, line.sku_id or 0), ())
        }
    )
    choices = ["wait until the new date", "cancel what waits"]
    return _report(
        sheet,
        group_id,
        cause,
        {
            "was": was.isoformat(),
            "now": promise.deliver_latest.isoformat(),
            "options": [*choices, *(f"send {text} instead" for text in instead)],
        },
    )


def _lost(sheet: Sheet, group_id: UUID, cause: str, at: datetime) -> case_reports.Report:
    """The case of a promise for which no goods are on their way any more."""
    was = sheet.groups[group_id].deliver_by
    return _report(
        sheet,
        group_id,
        cause,
        {
            "was": was.isoformat() if was else "",
            "now": "",
            "seen": at.isoformat(),
            "options": ["order more of it", "send something else instead", "cancel what waits"],
        },
    )


def _report(
    sheet: Sheet, group_id: UUID, cause: str, evidence: Mapping[str, Any]
) -> case_reports.Report:
    order = sheet.orders[sheet.groups[group_id].order_id]
    return case_reports.Report(
        kind=PROMISE_BROKEN,
        subject_kind="order",
        subject_id=order.id,
        account_id=order.account_id,
        evidence={"group_id": str(group_id), **evidence},
        cause=cause,
        thread_id=order.id,
    )
