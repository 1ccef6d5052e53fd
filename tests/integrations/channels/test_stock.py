"""Stock figures in shops: ours, set only where the shop's has not moved, never above what can be sold."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

import inventory.selectors
import inventory.services
from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from integrations import connections
from integrations.channels import port, stock
from integrations.channels.types import FiguresSet, NewFigure
from integrations.channels.woocommerce.shop import WooShop, basic
from integrations.models import CopyKind
from integrations.sandbox.panel import Failure
from integrations.selectors import channels_by_id
from inventory.models import Exclusion
from orders.models import OrderLine
from tests.factories.routing import SYSTEM
from tests.integrations.channels.shops import Trade, a_trade
from tests.sandbox.shop_calls import ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("integrations.api.urls")]


@pytest.fixture(params=["shopify", "woocommerce"])
def trade(request) -> Iterator[Trade]:
    with a_trade(request.param) as made:
        yield made


def figures(trade: Trade) -> dict[str, int]:
    return {sku: one["available"] for sku, one in trade.shop.store["stock"].items()}


def publish(trade: Trade, **words) -> stock.Swept:
    ref = connections.by_id(trade.ref.id)
    return stock.publish(ref, at=clock.now(), actor=SYSTEM, **words)


class SellsWhileWeReckon:
    """A shop that sells a unit between our reading and our writing."""

    def __init__(self, trade: Trade) -> None:
        self.trade, self._shop = trade, port.shop(connections.by_id(trade.ref.id))

    def __getattr__(self, name: str):
        return getattr(self._shop, name)

    def set_figures(self, wanted: list[NewFigure]) -> FiguresSet:
        self.trade.place({"SKU-0": 1})
        return self._shop.set_figures(wanted)


def test_are_brought_to_ours_and_then_left_alone(trade):
    ask(trade.shop, "POST", "/_sandbox/stock", {"SKU-0": 3, "SKU-1": 99})
    trade.network.stock("SKU-1", RENO=7)

    first = publish(trade)
    second = publish(trade)

    assert figures(trade) == {"SKU-0": 50, "SKU-1": 57, "SKU-2": 50, "SKU-3": 50}
    assert (first.set, second.read, second.set) == (2, 0, 0)
    assert {one.state for one in trade.copies(kind=CopyKind.STOCK)} == {"same"}


def test_count_what_the_shop_sold_before_a_figure_goes_out(trade):
    publish(trade)
    trade.place({"SKU-0": 4})  # of which no webhook comes
    trade.pass_time()
    trade.network.stock("SKU-0", NEWARK=10)

    publish(trade)

    assert figures(trade)["SKU-0"] == 56


def test_that_have_moved_since_they_were_read_are_not_written_over(trade):
    trade.network.stock("SKU-0", NEWARK=10)

    swept = publish(trade, shop=SellsWhileWeReckon(trade))
    stale = figures(trade)["SKU-0"]
    trade.pass_time()
    publish(trade)

    assert (swept.stale, stale) == (1, 49)
    assert figures(trade)["SKU-0"] == 59


class SellsBeforeEachWriting(WooShop):
    """WooCommerce, where a unit is sold after the last look at a figure, right before it is written."""

    def __init__(self, trade: Trade, sales: int) -> None:
        ref = connections.by_id(trade.ref.id)
        channel = channels_by_id([trade.network.channel.pk])[trade.network.channel.pk]
        super().__init__(ref, channel, lambda: connections.client(ref, headers=basic))
        self.trade, self.sales = trade, sales

    def ask(self, method, path, json=None, params=None):
        if path == "/products/batch" and self.sales:
            self.sales -= 1
            self.trade.place({"SKU-0": 1})
        return super().ask(method, path, json, params)


@pytest.mark.parametrize("sales", [1, 2])
def test_that_were_sold_into_while_they_were_written_are_right_after_the_same_turn(sales):
    with a_trade("woocommerce") as trade:
        trade.network.stock("SKU-0", NEWARK=10)
        trade.network.stock("SKU-1", NEWARK=5)

        swept = publish(trade, shop=SellsBeforeEachWriting(trade, sales))

        assert (figures(trade)["SKU-0"], figures(trade)["SKU-1"]) == (60 - sales, 55)
        assert (swept.set, swept.stale, swept.put_right) == (2, 0, sales)
        assert publish(trade).set == 0
        assert {one.state for one in trade.copies(kind=CopyKind.STOCK)} == {"same"}


def test_are_not_raised_while_the_shops_orders_cannot_be_read(trade):
    trade.network.stock("SKU-0", NEWARK=10)
    ask(trade.shop, "POST", "/_sandbox/stock", {"SKU-1": 70})

    class Unreadable(SellsWhileWeReckon):
        def changed(self, since, cursor):
            del since, cursor
            trade.shop.panel.set([Failure("server_error")])
            page = self._shop.changed(clock.now(), "")
            trade.shop.panel.set([])
            return page

        def set_figures(self, wanted):
            return self._shop.set_figures(wanted)

    swept = publish(trade, shop=Unreadable(trade))

    assert swept.held_back == 1
    assert (figures(trade)["SKU-0"], figures(trade)["SKU-1"]) == (50, 50)


def test_leave_out_what_is_waited_for_kept_back_or_not_to_be_sourced():
    with a_trade("shopify", stock_threshold=5) as trade:
        _, order = trade.captured({"SKU-0": 2})
        OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order=order).update(
            reserved=0, backordered=2
        )
        node = trade.network.nodes["NEWARK"]
        Exclusion.objects.create(
            account=trade.network.account,
            node_id=node,
            sku_id=trade.network.skus["SKU-1"],
            until="2027-01-01T00:00Z",
            reason="count",
            at=clock.now(),
        )

        ours = stock.availability(trade.ref, at=clock.now())

        assert ours == {"SKU-0": 50 - 2 - 2 - 5, "SKU-1": 0, "SKU-2": 45, "SKU-3": 45}


def test_of_kits_are_those_of_their_scarcest_component():
    from inventory.models import KitComponent
    from tests.factories.inventory import SkuFactory

    with a_trade("shopify") as trade:
        kit = SkuFactory(account=trade.network.account, code="KIT", kind="kit")
        for sku, quantity in (("SKU-0", 2), ("SKU-1", 1)):
            KitComponent.objects.create(
                kit=kit, component_id=trade.network.skus[sku], quantity=quantity
            )

        assert stock.availability(trade.ref, at=clock.now())["KIT"] == 25


def test_keep_which_version_the_shop_holds_and_go_out_soon_after_a_change(trade):
    ref, sku_id = connections.by_id(trade.ref.id), trade.network.skus["SKU-0"]

    def count(seconds: int):
        inventory.services.publish_changes(1_000, at=clock.now(), actor=SYSTEM)
        soon = clock.now() + timedelta(seconds=seconds)
        [figure] = inventory.selectors.kept_figures([sku_id], [ref.channel_id])
        return figure, stock._due(connections.by_id(ref.id), soon)

    count(0)
    publish(trade)
    told, due = count(30)
    trade.network.stock("SKU-0", NEWARK=10)
    moved, due_now = count(20)

    assert (told.published_version, told.version, due) == (1, 1, False)
    assert (moved.published_version, moved.version, due_now) == (1, 2, True)
    assert not count(5)[1]
