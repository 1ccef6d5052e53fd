"""Promises that move: by a node's own date, or because a person gives a later one. Always a new version."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.models import OrderLine, Promise
from orders.services.ahead import MOVED, moved_dates
from orders.services.bounds import add_promise, keep_within, last_day, lift_quote
from orders.services.sheet import Sheet, is_live, open_sheet, orders_of_groups, visible
from orders.services.source import refold_promise
from orders.states import LineKind
from orders.types import NewDates, PromiseMove, RemedyTold

CAUSE = "node"
RESCUE = "rescue"
"""The cause of a version that a person gave because the one before could not be kept."""


def move_promises(moves: Sequence[PromiseMove], *, at: datetime, actor: Actor) -> list[UUID]:
    """Promise groups for as much later as their nodes will ship them. Answers those that moved.

    Runs inside the caller's transaction, which has locked the orders. A date that is not later than
    the promised one moves nothing, nor does one beyond the group's bounds; a group without a promise
    has none to move.
    """
    latest: dict[UUID, datetime] = {}
    for one in moves:
        latest[one.group_id] = max(one.ship_by, latest.get(one.group_id, one.ship_by))
    sheet = open_sheet(orders_of_groups(list(latest)).values())
    standing = _standing(latest)
    moved = []
    for group_id, ship_by in latest.items():
        known = standing.get(group_id)
        if known is None or ship_by <= known.ship_by:
            continue
        later = ship_by - known.ship_by
        dates: dict[str, Any] = {
            "ship_by": ship_by,
            "deliver_earliest": known.deliver_earliest + later,
            "deliver_latest": known.deliver_latest + later,
            "basis": {**known.basis, "later_seconds": int(later.total_seconds())},
        }
        keep_within(sheet.groups[group_id].bounds, dates)
        if dates["ship_by"] <= known.ship_by and dates["deliver_latest"] <= known.deliver_latest:
            continue
        _promise_anew(sheet, known, cause=CAUSE, at=at, **dates)
        moved.append(group_id)
    sheet.write(at=at, actor=actor, reason="the node ships later")
    return moved


@transaction.atomic
def promise_later(dates: Sequence[NewDates], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Promise groups for later, because what stands cannot be kept. One outcome per group, in order.

    Done answers the new version. Refused where no promise stands, and for a day that is not later:
    nobody shortens a promise by hand.
    """
    sheet = open_sheet(orders_of_groups([one.group_id for one in dates]).values())
    standing = _standing([one.group_id for one in dates])
    outcomes: list[Outcome[UUID]] = []
    for one in dates:
        known = standing.get(one.group_id)
        order = None if known is None else sheet.orders.get(known.order_id)
        if known is None or order is None or not actor.scope.allows(order.account_id):
            outcomes.append(Outcome.refused("not-found", "No promise stands for such a group."))
        elif not is_live(order):
            said = order.get_state_display().lower()
            outcomes.append(Outcome.refused("conflict", f"The order is {said}."))
        elif one.deliver_latest <= known.deliver_latest or one.ship_by < known.ship_by:
            outcomes.append(Outcome.refused("not-later", "The new dates are not later."))
        elif (last := last_day(sheet.groups[one.group_id])) and one.deliver_latest > last:
            said = f"The channel promises its buyers {last:%Y-%m-%d}: nobody promises later."
            outcomes.append(Outcome.refused("channel-promise", said))
        else:
            lift_quote(sheet.groups[one.group_id])
            made = _promise_anew(
                sheet,
                known,
                cause=RESCUE,
                at=at,
                ship_by=one.ship_by,
                deliver_earliest=max(known.deliver_earliest, one.ship_by),
                deliver_latest=one.deliver_latest,
                basis=known.basis,
            )
            outcomes.append(Outcome.done(made))
    sheet.write(at=at, actor=actor, reason="promised for later")
    return outcomes


def _standing(group_ids: Collection[UUID]) -> dict[UUID, Promise]:
    """The version that stands for each group."""
    rows = Promise.objects.for_scope(ALL_ACCOUNTS).filter(group_id__in=list(group_ids))
    return {row.group_id: row for row in rows.order_by("version")}


def _promise_anew(sheet: Sheet, known: Promise, *, cause: str, at: datetime, **dates: Any) -> UUID:
    """Add a version to the sheet, and tell of it."""
    group, order = sheet.groups[known.group_id], sheet.orders[known.order_id]
    sheet.raise_plan(order.id)
    promise_id = ids.uuid7()
    row = {
        "id": promise_id,
        "order_id": order.id,
        "group_id": group.id,
        "account_id": order.account_id,
        "version": max(order.plan_version, known.version + 1),
        **dates,
        "cause": cause,
        "at": at,
    }
    add_promise(sheet, row)
    refold_promise(sheet, order.id)
    sheet.tell(order.id, MOVED, moved_dates(row, was=known.deliver_latest))
    return promise_id


def tell_remedy(told: RemedyTold, *, at: datetime, actor: Actor) -> None:
    """Tell that something is done for a promise in danger. Inside the caller's transaction.

    Raises NotFound beyond the scope. The order is locked with it, before anything below.
    """
    sheet = open_sheet([told.order_id])
    visible(sheet, told.order_id, actor.scope)
    sheet.tell(
        told.order_id,
        "order.remedy_taken",
        {
            "group_id": str(told.group_id),
            "kind": told.kind,
            "cost_minor": told.cost_minor,
            "automatic": told.automatic,
        },
    )
    sheet.write(at=at, actor=actor, reason=f"remedy: {told.kind}")


def open_units_of(group_id: UUID) -> list[tuple[UUID, int]]:
    """(line, units) of the group that have not left."""
    rows = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(group_id=group_id)
    return [
        (line.pk, units)
        for line in rows.exclude(kind=LineKind.KIT).order_by("position")
        if (units := line.pending + line.backordered + line.reserved + line.released)
    ]
