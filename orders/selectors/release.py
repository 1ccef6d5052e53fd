"""What may go to its nodes: the groups that nothing keeps, and why the others are kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from config.kernel import vault
from config.kernel.types import ALL_ACCOUNTS, Scope
from orders.hold_types import HOLD_TYPES
from orders.models import Contact, DeliveryGroup, Hold, Order, OrderLine
from orders.states import PAYMENT_OK, Blocks, FulfilledBy, LineKind, OrderState
from orders.types import Address, ReleasableGroup, ReleasableLine

_HELD = """
    EXISTS (SELECT FROM orders_hold h WHERE h.order_id = o.id AND h.state = 'active'
        AND 'release' = ANY(h.blocks)
        AND (h.group_id IS NULL OR h.group_id = g.id)
        AND (h.line_id IS NULL OR h.line_id = l.id OR h.line_id = l.parent_id))
"""


@dataclass(frozen=True, slots=True)
class ContactAddress:
    """An address in the clear, and the key of the person it belongs to."""

    address: Address
    key_id: UUID


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a group goes, opened, and the key of the person it belongs to."""

    group_id: UUID
    address: Address
    key_id: UUID


def groups_to_release(
    *, at: datetime, limit: int, leaving_out: Collection[UUID] = ()
) -> list[UUID]:
    """Groups of ours with reserved units that nothing keeps, the earliest ship-by first.

    `leaving_out` names groups that the caller has tried: the others are not kept waiting by them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT g.id FROM orders_order o
            JOIN orders_deliverygroup g ON g.order_id = o.id AND g.fulfilled_by = 'us'
            JOIN orders_orderline l ON l.group_id = g.id
            WHERE o.state = 'accepted' AND o.progress = ANY(%s) AND o.payment_state = ANY(%s)
              AND (o.remorse_until IS NULL OR o.remorse_until <= %s)
              AND (g.not_before IS NULL OR g.not_before <= %s)
              AND NOT g.id = ANY(%s)
            GROUP BY g.id, o.id
            HAVING bool_or(l.reserved > 0 AND NOT {_HELD})
              AND NOT (g.ship_complete AND bool_or(
                l.kind = 'stock' AND (l.pending > 0 OR l.backordered > 0)))
            ORDER BY o.priority DESC, g.ship_by NULLS LAST, o.id
            LIMIT %s
            """,  # noqa: S608  # a constant of this module
            [
                ["reserved", "partly_reserved", "partly_released", "partly_shipped"],
                sorted(PAYMENT_OK),
                at,
                at,
                list(leaving_out),
                limit,
            ],
        )
        return [row[0] for row in cursor.fetchall()]


def orders_of_groups(group_ids: Collection[UUID], *, scope: Scope) -> dict[UUID, UUID]:
    """The order of each group within the scope, so that it can be locked first."""
    rows = DeliveryGroup.objects.for_scope(scope).filter(pk__in=list(group_ids))
    return dict(rows.values_list("pk", "order_id"))


def orders_of_lines(line_ids: Collection[UUID], *, scope: Scope) -> dict[UUID, UUID]:
    """The order of each line within the scope."""
    rows = OrderLine.objects.for_scope(scope).filter(pk__in=list(line_ids))
    return dict(rows.values_list("pk", "order_id"))


def releasable(
    group_ids: Sequence[UUID], *, at: datetime
) -> tuple[list[ReleasableGroup], dict[UUID, tuple[str, str]]]:
    """Of these groups, those with units that may go now, and why the others may not.

    Four statements. Lines that a hold keeps are left out of a group whose other lines may go.
    """
    groups = list(
        DeliveryGroup.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(group_ids))
        .select_related("order")
        .order_by("pk")
    )
    lines: dict[UUID, list[OrderLine]] = {}
    for line in OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(
        group_id__in=[group.pk for group in groups], kind=LineKind.STOCK
    ):
        lines.setdefault(line.group_id, []).append(line)
    holds: dict[UUID, list[Hold]] = {}
    held = Hold.objects.for_scope(ALL_ACCOUNTS).active()
    for hold in held.filter(
        order_id__in=[group.order_id for group in groups], blocks__contains=[Blocks.RELEASE.value]
    ):
        holds.setdefault(hold.order_id, []).append(hold)
    ready, reasons = [], {}
    for group in groups:
        own, kept = lines.get(group.pk, []), holds.get(group.order_id, [])
        free = [line for line in own if line.reserved and not _keeping(line, kept)]
        why = _why_not(group, own, free, kept, at)
        if why is not None:
            reasons[group.pk] = why
        else:
            ready.append(_releasable(group, free))
    return ready, reasons


def _keeping(line: OrderLine, holds: Sequence[Hold]) -> list[Hold]:
    return [
        hold
        for hold in holds
        if hold.group_id in {None, line.group_id}
        and hold.line_id in {None, line.pk, line.parent_id}
    ]


def _why_not(
    group: DeliveryGroup,
    lines: Sequence[OrderLine],
    free: Sequence[OrderLine],
    holds: Sequence[Hold],
    at: datetime,
) -> tuple[str, str] | None:
    """Code and sentence of what keeps the group; None when nothing does."""
    if not any(line.reserved for line in lines):
        return "nothing-reserved", "Nothing of it is reserved."
    return _why_order_waits(group.order, at) or _why_group_waits(group, lines, free, holds, at)


def _why_order_waits(order: Order, at: datetime) -> tuple[str, str] | None:
    if order.state != OrderState.ACCEPTED:
        return "conflict", f"The order is {order.get_state_display().lower()}."
    if order.payment_state not in PAYMENT_OK:
        return "payment", f"The payment is not secured: {order.get_payment_state_display()}."
    if order.remorse_until is not None and order.remorse_until > at:
        return "remorse", f"The buyer may change it until {order.remorse_until:%Y-%m-%d %H:%M} UTC."
    return None


def _why_group_waits(
    group: DeliveryGroup,
    lines: Sequence[OrderLine],
    free: Sequence[OrderLine],
    holds: Sequence[Hold],
    at: datetime,
) -> tuple[str, str] | None:
    if group.fulfilled_by != FulfilledBy.US:
        return "not-ours", "The group is not ours to fulfill."
    if group.not_before is not None and group.not_before > at:
        return "not-before", f"It is not to leave before {group.not_before:%Y-%m-%d %H:%M} UTC."
    if not free:
        names = sorted(
            {HOLD_TYPES[h.type].label if h.type in HOLD_TYPES else h.type for h in holds}
        )
        return "held", f"Held: {', '.join(names)}."
    if group.ship_complete and any(line.pending or line.backordered for line in lines):
        return "ship-complete", "It ships complete, and units still wait for stock."
    return None


def _releasable(group: DeliveryGroup, lines: Sequence[OrderLine]) -> ReleasableGroup:
    order = group.order
    return ReleasableGroup(
        group_id=group.pk,
        order_id=order.pk,
        order_number=order.number,
        account_id=order.account_id,
        channel_id=order.channel_id,
        method=group.method,
        service_level_id=group.service_level_id,
        pickup_node_id=group.pickup_node_id,
        contact_id=group.contact_id,
        priority=order.priority,
        ship_by=group.ship_by,
        deliver_by=group.deliver_by,
        ship_complete=group.ship_complete,
        lines=tuple(
            ReleasableLine(
                line.pk,
                line.sku_id or 0,
                line.reserved,
                line.parent_id,
                line.relation,
                line.unit_weight_grams,
            )
            for line in lines
        ),
    )


def destinations(group_ids: Collection[UUID]) -> dict[UUID, Destination]:
    """Where groups go, opened; a group without an address, or whose buyer was erased, is absent."""
    rows = list(
        DeliveryGroup.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(group_ids), contact__isnull=False)
        .select_related("contact")
    )
    vault.preload([row.contact.key_id for row in rows if row.contact and row.contact.key_id])
    found = {}
    for row in rows:
        opened = opened_address(row.contact)
        if opened is not None and row.contact is not None and row.contact.key_id is not None:
            found[row.pk] = Destination(row.pk, opened, row.contact.key_id)
    return found


def contact_addresses(contact_ids: Collection[UUID]) -> dict[UUID, ContactAddress]:
    """The addresses of contacts, opened; one that was erased is absent."""
    rows = list(
        Contact.objects.for_scope(ALL_ACCOUNTS).filter(
            pk__in=list(contact_ids), key_id__isnull=False
        )
    )
    vault.preload([row.key_id for row in rows])
    return {
        row.pk: ContactAddress(opened, row.key_id)
        for row in rows
        if (opened := opened_address(row)) is not None
    }


def opened_address(contact: Contact | None) -> Address | None:
    """The address of a contact; None when there is none or its key was destroyed."""
    if contact is None or contact.key_id is None or contact.sealed is None:
        return None
    try:
        sealed = vault.open_(contact.key_id, contact.sealed)
    except vault.Erased:
        return None
    return Address(
        name=sealed.get("name", ""),
        company=sealed.get("company", ""),
        line1=sealed.get("line1", ""),
        line2=sealed.get("line2", ""),
        city=sealed.get("city", ""),
        region=contact.region,
        postal_code=contact.postal_code,
        country=contact.country,
        phone=sealed.get("phone", ""),
    )
