"""Sending from elsewhere: pins and exclusions find unreleased units a new node."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from config.kernel import case_reports
from config.kernel.errors import Conflict, DomainError
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory import selectors as inventory
from orders.models import Hold, OrderLine
from orders.services.claims import release_lines
from orders.services.holding import active_holds
from orders.services.holds import end_holds_on_sheet
from orders.services.in_hand import GroupInHand, LineInHand
from orders.services.sheet import Sheet, is_live, open_sheet, orders_of_groups
from orders.services.source import (
    Landed,
    Sourced,
    is_sourced,
    lock_supply,
    record_decisions,
    source_units,
    wanting,
)
from orders.services.unfilled import settle_unfilled
from orders.states import Blocks, FulfilledBy, HoldState, LineKind, OrderState
from orders.types import NodePin

BATCH = 200


@transaction.atomic
def pin_groups(pins: Sequence[NodePin], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Send what is unreleased of each group from the named node; None lets sourcing choose again.

    Refused when nothing of the group is unreleased, or the channel's network has no such node.
    """
    sheet = open_sheet(orders_of_groups([pin.group_id for pin in pins]).values())
    networks = {
        channel_id: inventory.channel_nodes(channel_id)
        for channel_id in {order.channel_id for order in sheet.orders.values()}
    }
    outcomes: list[Outcome[UUID]] = []
    moved: list[UUID] = []
    for pin in pins:
        try:
            group = group_of_ours(sheet, pin.group_id, actor)
            network = networks[sheet.orders[group.order_id].channel_id]
            if pin.node_id is not None and pin.node_id not in network:
                raise Conflict("The node is not in the network of the order's channel.")
            _require_unreleased(sheet, group)
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        group.pinned_node_id = pin.node_id
        sheet.raise_plan(group.order_id)
        moved.append(group.id)
        outcomes.append(Outcome.done(group.id))
    resource_on_sheet(sheet, moved, frozenset(), "sent from another node", at=at, actor=actor)
    return outcomes


@transaction.atomic
def resource_groups(
    group_ids: Sequence[UUID],
    excluded: frozenset[tuple[int, int]] = frozenset(),
    *,
    at: datetime,
    actor: Actor,
) -> list[Outcome[UUID]]:
    """Plan what is unreleased of the groups anew, without the (node, SKU) pairs in `excluded`.

    What was reserved is given back first, so that the new plan may choose the same node again.
    """
    sheet = open_sheet(orders_of_groups(group_ids).values())
    outcomes: list[Outcome[UUID]] = []
    moved: list[UUID] = []
    for group_id in group_ids:
        try:
            group = group_of_ours(sheet, group_id, actor)
            _require_unreleased(sheet, group)
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        moved.append(group.id)
        outcomes.append(Outcome.done(group.id))
    resource_on_sheet(sheet, moved, excluded, "sourced again", at=at, actor=actor)
    return outcomes


@transaction.atomic
def source_pending(
    order_ids: Sequence[UUID],
    excluded: frozenset[tuple[int, int]] = frozenset(),
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Find nodes for what is pending of accepted orders; what is reserved stays where it is.

    They had a promise, so what nobody has is a case, also where the channel takes backorders.
    """
    sheet = open_sheet(order_ids, skip_locked=True)
    accepted = [o.id for o in sheet.orders.values() if o.state == OrderState.ACCEPTED]
    search = Search(excluded)
    result = source_on_sheet(sheet, accepted, "sourced again", search, at=at, actor=actor)
    case_reports.report(unfilled_reports(sheet, result), at=at)


def source_left_behind(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """Source what is pending of accepted orders: given back by nodes, or left by a crash.

    Answers how many orders were looked at. What an acceptance hold keeps back is not.
    """
    holding = Hold.objects.for_scope(ALL_ACCOUNTS).active().filter(order_id=OuterRef("order_id"))
    kept_back = holding.filter(
        Q(blocks__contains=[Blocks.ACCEPT.value]) | Q(stock_given_back_at__isnull=False)
    ).filter(Q(line__isnull=True) | Q(line_id=OuterRef("pk")) | Q(line_id=OuterRef("parent_id")))
    pending = (
        OrderLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            ~Exists(kept_back.filter(Q(group__isnull=True) | Q(group_id=OuterRef("group_id")))),
            pending__gt=0,
            kind=LineKind.STOCK,
            sku__isnull=False,
            order__state=OrderState.ACCEPTED,
            group__fulfilled_by=FulfilledBy.US,
        )
        .order_by("order_id")
        .values_list("order_id", flat=True)
        .distinct()[:limit]
    )
    waiting = list(pending)
    if waiting:
        source_pending(waiting, at=at, actor=actor)
    return len(waiting)


def group_of_ours(sheet: Sheet, group_id: UUID, actor: Actor) -> GroupInHand:
    group = sheet.groups.get(group_id)
    if group is None or not actor.scope.allows(sheet.orders[group.order_id].account_id):
        raise Conflict("There is no such delivery group.")
    order = sheet.orders[group.order_id]
    if not is_live(order):
        raise Conflict(f"The order is {order.get_state_display().lower()}.")
    if group.fulfilled_by != FulfilledBy.US:
        raise Conflict("This group is not ours to fulfill.")
    return group


def lines_of_group(sheet: Sheet, group_id: UUID) -> list[LineInHand]:
    order_id = sheet.groups[group_id].order_id
    return [line for line in sheet.lines_of(order_id) if line.group_id == group_id]


def _require_unreleased(sheet: Sheet, group: GroupInHand) -> None:
    if sheet.orders[group.order_id].state != OrderState.ACCEPTED:
        raise Conflict("The order is not accepted yet; acceptance chooses its nodes.")
    if not any(
        line.pending + line.backordered + line.reserved for line in lines_of_group(sheet, group.id)
    ):
        raise Conflict("Everything of it is at a node, shipped or cancelled.")


def resource_on_sheet(
    sheet: Sheet,
    group_ids: Sequence[UUID],
    excluded: frozenset[tuple[int, int]],
    reason: str,
    *,
    at: datetime,
    actor: Actor,
    cleared: Mapping[UUID, Sequence[Hold]] | None = None,
) -> None:
    """Give back what the groups have reserved, and source it with what is pending."""
    released: dict[UUID, int] = {}
    moving: list[UUID] = []
    for group_id in group_ids:
        for line in lines_of_group(sheet, group_id):
            if not is_sourced(line, sheet.groups[group_id]):
                continue
            if line.pending + line.backordered + line.reserved:
                moving.append(line.id)
            if line.reserved:
                released[line.id] = line.reserved
                sheet.move(line.id, "reserved", "pending", line.reserved)
    if moving:
        claims = inventory.claims_of(moving)
        lock_supply(sheet, moving, [claim.id for held in claims.values() for claim in held], at=at)
    release_lines(released, reason, at=at, actor=actor)
    orders = {sheet.groups[group_id].order_id for group_id in group_ids}
    search = Search(excluded, frozenset(group_ids), cleared, waited=True, locked=True)
    source_on_sheet(sheet, orders, reason, search, at=at, actor=actor)


@dataclass(frozen=True, slots=True)
class Search:
    """How units are sourced again.

    `excluded` (node, SKU) pairs are not tried; `groups` narrows to these; `holds` are those that
    stand, when the caller has read them. `waited`: backordered units are served too. `locked`:
    `lock_supply` was called. `landed`: units that came in for waiting lines.
    """

    excluded: frozenset[tuple[int, int]] = frozenset()
    groups: frozenset[UUID] | None = None
    holds: Mapping[UUID, Sequence[Hold]] | None = None
    waited: bool = False
    locked: bool = False
    landed: Landed | None = None


EVERYWHERE = Search()


def source_on_sheet(
    sheet: Sheet,
    order_ids: Iterable[UUID],
    reason: str,
    search: Search = EVERYWHERE,
    *,
    at: datetime,
    actor: Actor,
) -> Sourced:
    """Source what wants a node on the sheet, settle what nothing fills, and write everything."""
    chosen = sorted(set(order_ids))
    standing = search.holds if search.holds is not None else active_holds(chosen)
    groups, waited = search.groups, search.waited
    wanted = {
        line_id: units
        for line_id, units in wanting(sheet, chosen, standing, with_backordered=waited).items()
        if groups is None or sheet.lines[line_id].group_id in groups
    }
    result = source_units(
        sheet,
        wanted,
        excluded=search.excluded,
        waited=waited,
        locked=search.locked,
        landed=search.landed,
        at=at,
        actor=actor,
    )
    reports = settle_unfilled(sheet, result, at=at, actor=actor)
    end_no_stock_holds(sheet, standing, at=at, actor=actor)
    tell_sourced(sheet, result.reserved)
    sheet.write(at=at, actor=actor, reason=reason)
    record_decisions(result, at=at, actor=actor)
    case_reports.report(reports, at=at)
    return result


def unfilled_reports(sheet: Sheet, result: Sourced) -> list[case_reports.Report]:
    """A case for each order that lost its stock and for which nothing else was found."""
    reports = []
    for line_id, (units, why) in result.unfilled.items():
        order = sheet.order_of_line(line_id)
        reports.append(
            case_reports.Report(
                kind="UNFILLABLE",
                subject_kind="order",
                subject_id=order.id,
                account_id=order.account_id,
                evidence={"line_id": str(line_id), "units": units, "why": why},
                cause=f"sku:{sheet.lines[line_id].sku_id}",
                thread_id=order.id,
            )
        )
    return reports


def end_no_stock_holds(
    sheet: Sheet, standing: Mapping[UUID, Sequence[Hold]], *, at: datetime, actor: Actor
) -> None:
    """A line that has its stock at last is no longer held for want of it."""
    ended = [
        hold
        for held in standing.values()
        for hold in held
        if hold.type == "no_stock"
        and hold.state == HoldState.ACTIVE
        and hold.line_id in sheet.lines
        and not sheet.lines[hold.line_id].backordered
    ]
    for hold in ended:
        hold.release(at=at, by=actor.name, reason="stock was found")
    if ended:
        end_holds_on_sheet(sheet, standing, ended)


def tell_sourced(sheet: Sheet, had: Mapping[UUID, int]) -> None:
    """One event per order that got units, with the units per line."""
    by_order: dict[UUID, dict[str, int]] = {}
    for line_id, units in had.items():
        by_order.setdefault(sheet.lines[line_id].order_id, {})[str(line_id)] = units
    for order_id, lines in by_order.items():
        sheet.tell(order_id, "order.resourced", {"lines": lines})
