"""Cancel against acceptance, and cancel against itself: who holds the order first decides."""

from collections.abc import Iterator

import pytest

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import StockPosition
from orders import sourcing
from orders.services import accept_orders, cancel_units
from orders.types import CancelRequest
from tests.books import check_all
from tests.concurrency.test_accept_orders import together
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, NearestStock, Shop, line, only_line, order_of, shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nearest() -> Iterator[None]:
    with sourcing.using(NearestStock()):
        yield


@pytest.fixture
def web() -> Shop:
    return shop()


@pytest.mark.parametrize("attempt", range(5))
def test_whoever_comes_first_nothing_stays_reserved_for_a_cancelled_order(
    web: Shop, attempt: int
) -> None:
    order = web.captured(line(web.sku(9), 2))

    accepted, cancelled = together(
        [
            lambda: accept_orders([order.id], at=NOON, actor=ANNA)[0].ok,
            lambda: cancel_units([CancelRequest(order.id)], at=NOON, actor=ANNA)[0].ok,
        ]
    )

    assert cancelled
    assert order_of(order.id).state == "cancelled"
    assert StockPosition.objects.for_scope(ALL_ACCOUNTS).get().reserved == 0
    assert check_all() == [], f"accepted: {accepted}"


def test_a_cancel_sent_eight_ways_takes_each_unit_once(web: Shop) -> None:
    order = web.accepted(line(web.sku(9), 5))
    line_id = only_line(order).id

    outcomes = together(
        [lambda: cancel_units([CancelRequest(order.id, line_id, 1)], at=NOON, actor=ANNA)[0].ok] * 8
    )

    assert sum(outcomes) == 5
    assert (only_line(order).cancelled, order_of(order.id).state) == (5, "cancelled")
    assert check_all() == []
