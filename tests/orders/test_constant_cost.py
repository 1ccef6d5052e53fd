"""No command sends more statements for twelve orders than for two."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from orders.services import (
    add_notes,
    close_settled,
    correct_addresses,
    expire_holds,
    give_stock_back,
    pin_groups,
    place_holds,
    resource_groups,
    source_pending,
)
from orders.types import AddressCorrection, HoldRequest, NodePin, NoteDraft
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, HOME, Shop, line, only_line

MUCH_LATER = NOON + timedelta(days=60)
Command = Callable[[Shop, Sequence[Order], Sequence[UUID]], object]
"""Called with the orders and their groups, read before anything is counted."""


def hold_for_an_hour(orders: Sequence[Order]) -> None:
    requests = [
        HoldRequest(order.id, "fraud", "look", until=NOON + timedelta(hours=1)) for order in orders
    ]
    assert all(outcome.ok for outcome in place_holds(requests, at=NOON, actor=ANNA))


BEFORE: dict[str, Callable[[Sequence[Order]], None]] = {
    "expire_holds": hold_for_an_hour,
    "give_stock_back": hold_for_an_hour,
}
COMMANDS: dict[str, Command] = {
    "resource_groups": lambda _web, _orders, groups: resource_groups(
        list(groups), at=NOON, actor=ANNA
    ),
    "pin_groups": lambda web, _orders, groups: pin_groups(
        [NodePin(group_id, web.node.id) for group_id in groups], at=NOON, actor=ANNA
    ),
    "correct_addresses": lambda _web, _orders, groups: correct_addresses(
        [
            AddressCorrection(group_id, replace(HOME, line1=f"{place} New Street"))
            for place, group_id in enumerate(groups, start=1)
        ],
        at=NOON,
        actor=ANNA,
    ),
    "add_notes": lambda _web, orders, _groups: add_notes(
        [NoteDraft(order.id, "call back") for order in orders], at=NOON, actor=ANNA
    ),
    "close_settled": lambda _web, orders, _groups: close_settled(
        [order.id for order in orders], at=MUCH_LATER, actor=ANNA
    ),
    "source_pending": lambda _web, orders, _groups: source_pending(
        [order.id for order in orders], at=NOON, actor=ANNA
    ),
    "expire_holds": lambda _web, _orders, _groups: expire_holds(at=MUCH_LATER, actor=ANNA),
    "give_stock_back": lambda _web, _orders, _groups: give_stock_back(at=MUCH_LATER, actor=ANNA),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_sends_the_same_statements_for_two_and_for_twelve(web: Shop, name: str) -> None:
    sku = web.sku(500)
    counts = []
    for size in (2, 12):
        orders = [web.accepted(line(sku)) for _ in range(size)]
        BEFORE.get(name, lambda _: None)(orders)
        groups = [only_line(order).group_id for order in orders]
        with CaptureQueriesContext(connection) as sent:
            COMMANDS[name](web, orders, groups)
        counts.append(len(sent.captured_queries))

    assert counts[0] == counts[1]
