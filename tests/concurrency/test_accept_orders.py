"""Capture and acceptance under real concurrency: one order, one last unit, one winner."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import StockPosition
from orders import sourcing
from orders.models import Order, OrderLine
from orders.services import accept_orders, capture_orders
from tests.books import check_all
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, NearestStock, Shop, line, only_line, shop

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")
WAYS = 16


@pytest.fixture(autouse=True)
def nearest() -> Iterator[None]:
    with sourcing.using(NearestStock()):
        yield


@pytest.fixture
def web() -> Shop:
    return shop()


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run the calls at once, each in a thread with a connection of its own."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        try:
            start.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_the_same_order_sent_sixteen_ways_is_one_order(web: Shop) -> None:
    draft = web.draft(line(web.sku(5)))

    outcomes = together([lambda: capture_orders([draft], at=NOON, actor=ANNA)[0]] * WAYS)

    kinds = Counter(outcome.kind.value for outcome in outcomes)
    assert kinds == {"done": 1, "repeated": WAYS - 1}
    assert len({outcome.value.id for outcome in outcomes if outcome.value}) == 1
    assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 1


def test_overlapping_batches_in_opposite_order_do_not_wait_in_a_ring(web: Shop) -> None:
    sku = web.sku(5)
    drafts = [web.draft(line(sku)) for _ in range(20)]
    batches = [drafts, list(reversed(drafts))] * 4

    outcomes = together(
        [lambda batch=batch: capture_orders(batch, at=NOON, actor=ANNA) for batch in batches]
    )

    assert sum(one.kind.value == "done" for batch in outcomes for one in batch) == 20
    assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 20


@pytest.mark.parametrize("attempt", range(5))
def test_the_last_unit_is_promised_once(web: Shop, attempt: int) -> None:
    sku = web.sku(1)
    orders = [web.captured(line(sku)) for _ in range(WAYS)]

    together([lambda o=o: accept_orders([o.id], at=NOON, actor=ANNA) for o in orders])

    rows = OrderLine.objects.for_scope(ALL_ACCOUNTS)
    assert sum(rows.values_list("reserved", flat=True)) == 1
    assert sum(rows.values_list("backordered", flat=True)) == WAYS - 1
    position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get()
    assert (position.sellable, position.reserved) == (1, 1)
    assert check_all() == []


def test_baskets_that_share_skus_in_shuffled_order_never_deadlock(web: Shop) -> None:
    skus = [web.sku(30) for _ in range(5)]
    orders = [
        web.captured(*(line(skus[(start + step) % 5]) for step in range(5)))
        for start in range(WAYS)
    ]

    outcomes = together([lambda o=o: accept_orders([o.id], at=NOON, actor=ANNA)[0] for o in orders])

    assert all(outcome.ok for outcome in outcomes)
    assert check_all() == []


def test_the_same_order_accepted_sixteen_ways_is_reserved_once(web: Shop) -> None:
    order = web.captured(line(web.sku(9), 2))

    outcomes = together([lambda: accept_orders([order.id], at=NOON, actor=ANNA)[0]] * WAYS)

    assert Counter(outcome.kind.value for outcome in outcomes) == {"done": 1, "repeated": WAYS - 1}
    assert only_line(order).reserved == 2
    assert check_all() == []
