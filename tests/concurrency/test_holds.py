"""Holds for carts under real concurrency."""

import pytest

from config.kernel.errors import DomainError
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import CartHold, Reservation
from inventory.types import CartDraft
from tests.books import check_all
from tests.concurrency.test_take import together
from tests.factories.inventory import ANNA, SkuFactory, reread, stock
from tests.factories.kernel import NOON
from tests.inventory.shops import Shop, a_shop

pytestmark = pytest.mark.django_db(transaction=True)


def shelf(*units: int):
    """A shop with so many units of a SKU at each of its nodes."""
    shop = a_shop(nodes=len(units))
    sku = SkuFactory(account=shop.account)
    selectors.forget()
    return shop, [
        stock(each, sku=sku, node=node) for each, node in zip(units, shop.nodes, strict=True)
    ]


def holding(shop: Shop, sku_id: int, cart: str, units: int):
    """Hold so many units for the cart; the answer is how many it has."""

    def call() -> int:
        draft = CartDraft(shop.channel.pk, cart, ((sku_id, units),))
        try:
            (line,) = services.hold_cart(draft, at=NOON, actor=ANNA).lines
        except DomainError:
            return 0
        return units if line.held else 0

    return call


def test_one_cart_sent_eight_ways_holds_once_and_all_carts_no_more_than_there_is():
    shop, positions = shelf(4, 3)
    sku_id = positions[0].sku_id

    one = together([holding(shop, sku_id, "c", 1 + number % 3) for number in range(8)])
    assert any(one)
    hold = CartHold.objects.for_scope(ALL_ACCOUNTS).get(closed_at=None)
    held = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(state="held")
    assert {row.thread_id for row in held} == {hold.pk}
    mine = sum(row.open for row in held)
    assert mine in one

    others = together([holding(shop, sku_id, f"c{number}", 2) for number in range(8)])
    assert sum(others) <= 7 - mine
    assert sum(reread(each.pk).reserved for each in positions) == mine + sum(others)
    assert check_all(about="stock.") == []


def test_moves_in_opposite_directions_never_wait_in_a_ring():
    shop, positions = shelf(20, 20)
    for number in range(6):
        holding(shop, positions[0].sku_id, f"c{number}", 2)()
    held = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(state="held").order_by("pk")

    def moving(row: Reservation):
        to = next(node.pk for node in shop.nodes if node.pk != row.node_id)
        return lambda: services.move_reservation(row.pk, to, 1, at=NOON, actor=ANNA)

    moved = together([moving(row) for row in held])
    assert len(set(moved)) == 6
    assert sum(reread(each.pk).reserved for each in positions) == 12
    assert check_all(about="stock.") == []
