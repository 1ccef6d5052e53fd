"""Promises that a node's own date moves: a new version, never an overwritten one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS, Actor
from orders.models import Promise
from orders.services.sheet import open_sheet, orders_of_groups
from orders.services.source import refold_promise
from orders.types import PromiseMove

CAUSE = "node"


def move_promises(moves: Sequence[PromiseMove], *, at: datetime, actor: Actor) -> list[UUID]:
    """Promise groups for as much later as their nodes will ship them. Answers those that moved.

    Runs inside the caller's transaction, which has locked the orders. A date that is not later than
    the promised one moves nothing; a group without a promise has none to move.
    """
    latest: dict[UUID, datetime] = {}
    for one in moves:
        latest[one.group_id] = max(one.ship_by, latest.get(one.group_id, one.ship_by))
    sheet = open_sheet(orders_of_groups(list(latest)).values())
    standing: dict[UUID, Promise] = {}
    for promise in (
        Promise.objects.for_scope(ALL_ACCOUNTS)
        .filter(group_id__in=list(latest))
        .order_by("version")
    ):
        standing[promise.group_id] = promise
    moved = []
    for group_id, ship_by in latest.items():
        known = standing.get(group_id)
        if known is None or ship_by <= known.ship_by:
            continue
        group, later = sheet.groups[group_id], ship_by - known.ship_by
        order = sheet.orders[group.order_id]
        sheet.raise_plan(order.id)
        group.ship_by, group.deliver_by = ship_by, known.deliver_latest + later
        sheet.insert(
            Promise,
            {
                "id": ids.uuid7(),
                "order_id": order.id,
                "group_id": group_id,
                "account_id": order.account_id,
                "version": max(order.plan_version, known.version + 1),
                "ship_by": ship_by,
                "deliver_earliest": known.deliver_earliest + later,
                "deliver_latest": known.deliver_latest + later,
                "basis": {**known.basis, "later_seconds": int(later.total_seconds())},
                "cause": CAUSE,
                "at": at,
            },
        )
        refold_promise(sheet, order.id)
        sheet.tell(order.id, "order.promise_moved", {"group_id": str(group_id)})
        moved.append(group_id)
    sheet.write(at=at, actor=actor, reason="the node ships later")
    return moved
