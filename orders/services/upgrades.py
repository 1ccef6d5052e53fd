"""A faster service for what no node has yet: the group is planned anew with it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel.errors import Conflict, DomainError
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory import selectors as inventory
from orders.models import DeliveryGroup
from orders.services.resource import group_of_ours, lines_of_group, resource_on_sheet
from orders.services.sheet import open_sheet, orders_of_groups
from orders.states import Method, OrderState
from orders.types import ServiceWish


@transaction.atomic
def upgrade_services(
    wishes: Sequence[ServiceWish], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Have what is unreleased of groups leave by another service. One outcome per wish, in order.

    It is sourced anew with that service, and promised anew. Refused for a pickup, for a service that
    nobody knows, and where nothing is unreleased.
    """
    sheet = open_sheet(orders_of_groups([wish.group_id for wish in wishes]).values())
    levels = inventory.service_level_ids()
    outcomes: list[Outcome[UUID]] = []
    changed: dict[UUID, str] = {}
    for wish in wishes:
        try:
            group = group_of_ours(sheet, wish.group_id, actor)
            if sheet.orders[group.order_id].state != OrderState.ACCEPTED:
                raise Conflict("The order is not accepted yet.")
            if group.method == Method.PICKUP:
                raise Conflict("Its buyer collects it: no service brings it.")
            if wish.service_code not in levels:
                raise Conflict(f"There is no service level {wish.service_code}.")
            if not any(
                line.pending + line.backordered + line.reserved
                for line in lines_of_group(sheet, group.id)
            ):
                raise Conflict("Everything of it is at a node, shipped or cancelled.")
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        if group.service_code == wish.service_code:
            outcomes.append(Outcome.repeated(group.id))
            continue
        group.service_code = wish.service_code
        changed[group.id] = wish.service_code
        sheet.raise_plan(group.order_id)
        outcomes.append(Outcome.done(group.id))
    for code in sorted(set(changed.values())):
        DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).filter(
            pk__in=[group_id for group_id, own in changed.items() if own == code]
        ).update(service_level_id=levels[code])
    resource_on_sheet(
        sheet, list(changed), frozenset(), "sent by another service", at=at, actor=actor
    )
    return outcomes


@transaction.atomic
def let_parts_go(group_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Let what is ready of groups leave before the rest, though they were to leave complete.

    One outcome per group, in order. Refused where nothing is ready, or nothing is missing.
    """
    sheet = open_sheet(orders_of_groups(group_ids).values())
    outcomes: list[Outcome[UUID]] = []
    for group_id in group_ids:
        try:
            group = group_of_ours(sheet, group_id, actor)
            lines = lines_of_group(sheet, group_id)
            if not any(line.reserved for line in lines):
                raise Conflict("Nothing of it is ready.")
            if not any(line.pending + line.backordered for line in lines):
                raise Conflict("Nothing of it is missing: it leaves whole.")
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        group.ship_complete = False
        outcomes.append(Outcome.done(group_id))
    sheet.write(at=at, actor=actor, reason="parts may leave")
    return outcomes
