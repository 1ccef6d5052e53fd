"""Planned orders go to nodes that suit better now, each whole or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel.types import Actor, Outcome
from inventory import selectors as inventory
from inventory.services.reservations import release
from inventory.states import ReservationState
from inventory.types import Portion, ReservationView
from orders.services.in_hand import LineInHand
from orders.services.sheet import Sheet, open_sheet
from orders.services.source import (
    Sourced,
    keep_reserved,
    lock_supply,
    record_decisions,
    take_planned,
)
from orders.sourcing import Plan
from orders.states import Method, OrderState

TRIES = 3
"""How often what others were quicker to take is left out, before the rest is left alone too."""

Claims = Mapping[UUID, Sequence[ReservationView]]


@dataclass(frozen=True, slots=True)
class Replan:
    """A better plan for all that a group has reserved, made when its order was at `plan_version`.

    `told` goes into the event: from where to where, and both costs.
    """

    order_id: UUID
    plan_version: int
    plan: Plan
    told: Mapping[str, Any]

    @property
    def group_id(self) -> UUID:
        return self.plan.group_id

    def units(self) -> dict[UUID, int]:
        """What the plan takes, by line."""
        units: dict[UUID, int] = {}
        for take in self.plan.takes:
            units[take.line_id] = units.get(take.line_id, 0) + take.quantity
        return units


@transaction.atomic
def replan(wanted: Sequence[Replan], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Give back what the groups have reserved and reserve what their plans name, in one step.

    One outcome per plan, in order. Whoever was quicker wins: an order that another transaction has
    (`busy`), one that has changed since it was planned (`changed`), and one whose units are gone
    (`lost`) stay as they are. The number of statements does not depend on the number of plans.
    """
    sheet = open_sheet({one.order_id for one in wanted}, skip_locked=True)
    lines = [line_id for one in wanted if one.order_id in sheet.orders for line_id in one.units()]
    claims = inventory.claims_of(lines) if lines else {}
    refused = {one.group_id: why for one in wanted if (why := _stands_against(sheet, one, claims))}
    chosen = [one for one in wanted if one.group_id not in refused]
    if chosen:
        result, lost = _exchange(sheet, chosen, claims, at=at, actor=actor)
        refused |= dict.fromkeys(lost, "lost")
        kept = [one for one in chosen if one.group_id not in lost]
        if kept:
            _write(sheet, kept, result, at=at, actor=actor)
    return [_outcome(one.group_id, refused.get(one.group_id, "")) for one in wanted]


def _stands_against(sheet: Sheet, one: Replan, claims: Claims) -> str:
    """Why the group is left alone; empty where nothing has changed since it was planned."""
    order, group = sheet.orders.get(one.order_id), sheet.groups.get(one.group_id)
    if order is None or group is None:
        return "busy" if order is None else "changed"
    is_as_it_was = (
        order.state == OrderState.ACCEPTED
        and order.plan_version == one.plan_version
        and group.pinned_node_id is None
        and group.method != Method.PICKUP
        and not one.plan.unfilled
    )
    holds_all = all(
        line_id in sheet.lines and _is_reserved(sheet.lines[line_id], units, claims)
        for line_id, units in one.units().items()
    )
    return "" if is_as_it_was and holds_all else "changed"


def _is_reserved(line: LineInHand, units: int, claims: Claims) -> bool:
    """Whether these units, and no others, are reserved for the line and at no node's hands."""
    held = claims.get(line.id, ())
    return line.reserved == units == sum(claim.open for claim in held) and all(
        claim.state == ReservationState.RESERVED.value for claim in held
    )


def _exchange(
    sheet: Sheet, chosen: Sequence[Replan], claims: Claims, *, at: datetime, actor: Actor
) -> tuple[Sourced, set[UUID]]:
    """Swap reservations; groups of which a unit is gone are left out, and keep what they have.

    All give back before any takes, so that orders may exchange units. Positions are locked once.
    """
    line_ids = [line_id for one in chosen for line_id in one.units()]
    held = [claim.id for line_id in line_ids for claim in claims[line_id]]
    lock_supply(sheet, line_ids, held, at=at)
    left, lost = list(chosen), set[UUID]()
    for _ in range(TRIES):
        portions = [
            Portion(claim.id, claim.open)
            for one in left
            for line_id in one.units()
            for claim in claims[line_id]
        ]
        with transaction.atomic():
            release(portions, "re-planned", at=at, actor=actor)
            result, gone = take_planned(sheet, [one.plan for one in left], at=at, actor=actor)
            if not gone:
                return result, lost
            transaction.set_rollback(True)
        lost |= {sheet.lines[want.demand_id].group_id for want in gone}
        left = [one for one in left if one.group_id not in lost]
        if not left:
            break
    return Sourced(), {one.group_id for one in chosen}


def _write(
    sheet: Sheet, kept: Sequence[Replan], result: Sourced, *, at: datetime, actor: Actor
) -> None:
    for one in kept:
        for line_id, units in one.units().items():
            sheet.move(line_id, "reserved", "pending", units)
    keep_reserved(sheet, result, at=at)
    for one in kept:
        sheet.tell(one.order_id, "order.replanned", {"group_id": str(one.group_id), **one.told})
    sheet.write(at=at, actor=actor, reason="re-planned")
    record_decisions(result, at=at, actor=actor)


def _outcome(group_id: UUID, why: str) -> Outcome[UUID]:
    return Outcome.refused(why, _SAID[why]) if why else Outcome.done(group_id)


_SAID = {
    "busy": "Somebody else has the order.",
    "changed": "The order is not as it was when it was planned.",
    "lost": "Others were quicker to take the units.",
}
