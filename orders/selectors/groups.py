"""The delivery groups of orders."""

from collections.abc import Collection
from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS
from orders.models import DeliveryGroup, OrderLine
from orders.states import FulfilledBy, Method


def shipping_groups(order_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Our groups of these orders that go to an address: order id by group id."""
    return dict(
        DeliveryGroup.objects.for_scope(ALL_ACCOUNTS)
        .filter(order_id__in=order_ids, fulfilled_by=FulfilledBy.US, method=Method.SHIP)
        .order_by("pk")
        .values_list("pk", "order_id")
    )


def methods_of_lines(order_ids: Collection[UUID]) -> dict[UUID, str]:
    """By line of these orders, how its group goes: shipped, picked up, …"""
    found = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order_id__in=order_ids)
    return dict(found.values_list("pk", "group__method"))


def channels_of_lines(line_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The channel that sold each order line. One statement."""
    found = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=line_ids)
    return dict(found.values_list("pk", "order__channel_id"))
