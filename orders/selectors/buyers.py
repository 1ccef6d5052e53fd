"""Orders as their buyers are told of them: who bought, what, and what was promised."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from config.kernel import vault
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Contact, DeliveryGroup, Order, OrderLine, Promise
from orders.selectors.release import opened_address
from orders.types import Address, Party


@dataclass(frozen=True, slots=True)
class BoughtOrder:
    """An order with its people opened. `buyer` is None when nobody is named or was erased.

    `key_id` is the key of the person; what is written to them is sealed with it. `promises` are the
    versions of each group, oldest first.
    """

    order: Order
    groups: tuple[DeliveryGroup, ...]
    lines: tuple[OrderLine, ...]
    promises: dict[UUID, tuple[Promise, ...]]
    buyer: Party | None
    key_id: UUID | None
    addresses: dict[UUID, Address]


def bought_orders(order_ids: Collection[UUID]) -> dict[UUID, BoughtOrder]:
    """The orders with these ids, in five statements however many. Those that are not are absent."""
    wanted = list(order_ids)
    orders = list(
        Order.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=wanted)
        .select_related("channel", "brand", "billing_contact")
    )
    groups: defaultdict[UUID, list[DeliveryGroup]] = defaultdict(list)
    for group in (
        DeliveryGroup.objects.for_scope(ALL_ACCOUNTS)
        .filter(order_id__in=wanted)
        .select_related("contact", "pickup_node")
        .order_by("order_id", "position")
    ):
        groups[group.order_id].append(group)
    lines: defaultdict[UUID, list[OrderLine]] = defaultdict(list)
    for line in (
        OrderLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(order_id__in=wanted)
        .select_related("sku")
        .order_by("order_id", "position")
    ):
        lines[line.order_id].append(line)
    promises: defaultdict[UUID, list[Promise]] = defaultdict(list)
    for promise in (
        Promise.objects.for_scope(ALL_ACCOUNTS)
        .filter(order_id__in=wanted)
        .order_by("group_id", "version")
    ):
        promises[promise.group_id].append(promise)
    contacts = [order.billing_contact for order in orders] + [
        group.contact for own in groups.values() for group in own
    ]
    vault.preload([contact.key_id for contact in contacts if contact and contact.key_id])
    return {
        order.pk: BoughtOrder(
            order=order,
            groups=tuple(groups[order.pk]),
            lines=tuple(lines[order.pk]),
            promises={group.pk: tuple(promises[group.pk]) for group in groups[order.pk]},
            buyer=opened_party(order.billing_contact),
            key_id=order.billing_contact.key_id if order.billing_contact else None,
            addresses={
                group.pk: address
                for group in groups[order.pk]
                if (address := opened_address(group.contact)) is not None
            },
        )
        for order in orders
    }


def opened_party(contact: Contact | None) -> Party | None:
    """The person of a contact; None when there is none or the key was destroyed."""
    if contact is None or contact.key_id is None or contact.sealed is None:
        return None
    try:
        sealed = vault.open_(contact.key_id, contact.sealed)
    except vault.Erased:
        return None
    return Party(
        name=sealed.get("name", ""),
        company=sealed.get("company", ""),
        email=sealed.get("email", ""),
        phone=sealed.get("phone", ""),
    )
