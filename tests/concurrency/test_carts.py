"""A cart's hold under real concurrency: processes race for the last unit, and its cart has it."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from time import sleep
from typing import Final

import pytest
from django.db import connection, connections

import inventory.selectors
from config.kernel import ids
from inventory import services as supply
from inventory.models import CapacityWindow, Sku
from inventory.types import CartDraft
from orders import sourcing
from orders.models import Order
from orders.services import accept_orders, capture_orders, resource_groups
from orders.sourcing import Demand, Plan, PlannedTake
from tests.books import check_all
from tests.concurrency.test_take_interleaved import Overtaken
from tests.factories.inventory import limited, stock, want
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, NearestStock, Shop, line, only_line, shop

pytestmark = pytest.mark.django_db(transaction=True)

BUYERS: Final = 16


@pytest.fixture(autouse=True)
def nearest() -> Iterator[None]:
    with sourcing.using(NearestStock()):
        yield


@pytest.fixture
def web() -> Shop:
    return shop()


def at_once(orders: Sequence[Order], *, before: Callable[[], None]) -> None:
    """Accept each in a process of its own, all at once; the last does something right before."""
    processes = multiprocessing.get_context("fork")
    start = processes.Barrier(len(orders) + 1)
    connections.close_all()

    def run(order: Order) -> None:
        connection.ensure_connection()
        if order is orders[-1]:
            before()
        start.wait()
        accept_orders([order.pk], at=NOON, actor=ANNA)
        os._exit(0)

    crew = [processes.Process(target=run, args=(order,)) for order in orders]
    for process in crew:
        process.start()
    while start.n_waiting < len(orders):  # whoever comes last goes first: that is nobody of them
        sleep(0.01)
    start.wait()
    for process in crew:
        process.join(60)
    assert [process.exitcode for process in crew] == [0] * len(crew)


def held_order(web: Shop, sku: Sku, cart: str) -> Order:
    """An order of a cart that holds the unit, captured and not accepted."""
    supply.hold_cart(CartDraft(web.channel.pk, cart, ((sku.pk, 1),)), at=NOON, actor=ANNA)
    draft = web.draft(line(sku), cart=cart)
    captured = capture_orders([draft], at=NOON, actor=ANNA)[0].value
    assert captured is not None
    found: Order = Order.objects.for_scope(ANNA.scope).get(pk=captured.id)
    return found


def race(web: Shop, cart: str, *, before: Callable[[], None]) -> bool:
    """Whether the cart's order has the last unit, with as many buyers beside it."""
    sku = web.sku(1)
    mine = held_order(web, sku, cart)
    others = [web.captured(line(sku)) for _ in range(BUYERS)]
    at_once([*others, mine], before=before)
    assert sum(only_line(one).reserved for one in (mine, *others)) == 1
    return only_line(mine).reserved == 1


def test_the_last_unit_goes_to_the_cart_that_holds_it(web: Shop) -> None:
    assert all(race(web, f"c{attempt}", before=lambda: None) for attempt in range(2))
    assert [one for one in check_all() if not one.code.startswith("fulfillment.")] == []


def test_a_cart_that_is_given_back_and_then_ordered_loses_it(web: Shop) -> None:
    """The negative control: as shops did before an order could take a hold over."""

    def give_back(cart: str) -> None:
        supply.release_cart(web.channel.pk, cart, at=NOON, actor=ANNA)

    assert not all(
        race(web, f"c{attempt}", before=lambda cart=f"c{attempt}": give_back(cart))
        for attempt in range(5)
    )


class Limited(NearestStock):
    """The nearest stock, counted against the hard limits of its node."""

    def plan(
        self, demands: Sequence[Demand], *, excluded: frozenset[tuple[int, int]], at: datetime
    ) -> list[Plan]:
        plans = NearestStock.plan(self, demands, excluded=excluded, at=at)
        return [
            replace(one, takes=tuple(replace(take, windows=windows_of(take)) for take in one.takes))
            for one in plans
        ]


def windows_of(take: PlannedTake) -> tuple[int, ...]:
    found = inventory.selectors.current_windows([take.node_id], NOON, hard=True)
    return tuple(window.id for windows in found.values() for window in windows)


def test_a_limit_that_another_holds_is_waited_for_by_who_sources_again(web: Shop) -> None:
    """It stands before the positions and is locked with them: held is not the same as reached."""
    mine = web.accepted(line(web.sku(1)))
    limited(node=web.node, hard=True, orders=5)
    theirs = want(stock(1, sku=web.sku(), node=web.node), thread_id=ids.uuid7())
    counted = replace(theirs, windows=windows_of(PlannedTake(mine.pk, web.node.pk, 0, 0, 1)))

    with sourcing.using(Limited()):
        assert Overtaken(
            lambda: supply.take([counted], at=NOON, actor=ANNA),
            lambda: resource_groups([only_line(mine).group_id], at=NOON, actor=ANNA),
        ).waited

    assert only_line(mine).reserved == 1
    assert sum(CapacityWindow.objects.values_list("used", flat=True)) == 2
