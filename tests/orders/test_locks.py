"""What each command locks, in which order; and that its statements do not grow with the batch."""

from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from orders.services import (
    accept_orders,
    cancel_units,
    place_holds,
    record_shipments,
    release_holds_of_orders,
    resource_groups,
)
from orders.types import CancelRequest, HoldRequest, ShippedUnits
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, card, line, only_line, send_to_node
from tests.lock_order import ORDER, locked


def locks(context: CaptureQueriesContext) -> list[str]:
    """Ordered tables of which rows are locked, in the order in which each was first."""
    found: dict[str, None] = {}
    for query in context.captured_queries:
        if "FOR UPDATE" in query["sql"]:
            found |= dict.fromkeys(table for table, _ in locked(query["sql"]))
    return list(found)


def statements(command: Callable[[], object]) -> CaptureQueriesContext:
    with CaptureQueriesContext(connection) as context:
        command()
    return context


def sent(orders: Sequence[Order]) -> list[ShippedUnits]:
    return [
        ShippedUnits(
            order.id, only_line(order).id, 1, order.id
        )  # the parcel's id is as good as any
        for order in orders
    ]


COMMANDS: dict[str, Callable[[Sequence[Order]], object]] = {
    "cancel": lambda orders: cancel_units(
        [CancelRequest(order.id) for order in orders], at=NOON, actor=ANNA
    ),
    "hold": lambda orders: place_holds(
        [HoldRequest(order.id, "manual", "look") for order in orders], at=NOON, actor=ANNA
    ),
    "resource": lambda orders: resource_groups(
        [only_line(order).group_id for order in orders], at=NOON, actor=ANNA
    ),
}


def prepared(web: Shop, size: int) -> list[Order]:
    sku = web.sku(500)
    return [web.accepted(line(sku), tenders=(card(1000),)) for _ in range(size)]


@pytest.mark.parametrize("name", COMMANDS)
def test_locks_orders_then_tenders_then_positions(web: Shop, name: str) -> None:
    orders = prepared(web, 3)

    taken = locks(statements(lambda: COMMANDS[name](orders)))

    assert taken[0] == "orders_order"
    assert taken == sorted(taken, key=ORDER.index)


def test_acceptance_locks_orders_then_positions(web: Shop) -> None:
    sku = web.sku(5)
    orders = [web.captured(line(sku, quantity)) for quantity in (1, 2)]

    taken = locks(
        statements(lambda: accept_orders([order.id for order in orders], at=NOON, actor=ANNA))
    )

    assert taken == ["orders_order", "inventory_quota", "inventory_stockposition"]


@pytest.mark.parametrize("name", ["cancel", "hold"])
def test_sends_the_same_statements_for_two_and_for_twenty(web: Shop, name: str) -> None:
    counts = [
        len(statements(lambda orders=orders: COMMANDS[name](orders)).captured_queries)
        for orders in (prepared(web, 2), prepared(web, 20))
    ]

    assert counts[0] == counts[1]


def test_ships_two_and_twenty_with_the_same_statements(web: Shop) -> None:
    counts = []
    for size in (2, 20):
        orders = prepared(web, size)
        send_to_node(*(only_line(order) for order in orders))
        units = sent(orders)
        context = statements(lambda units=units: record_shipments(units, at=NOON, actor=ANNA))
        counts.append(len(context.captured_queries))

    assert counts[0] == counts[1]


def test_lifts_the_holds_of_two_and_twenty_with_the_same_statements(web: Shop) -> None:
    counts = []
    for size in (2, 20):
        orders = prepared(web, size)
        COMMANDS["hold"](orders)
        order_ids = [order.id for order in orders]
        context = statements(
            lambda ids=order_ids: release_holds_of_orders(ids, "fine", at=NOON, actor=ANNA)
        )
        counts.append(len(context.captured_queries))

    assert counts[0] == counts[1]
