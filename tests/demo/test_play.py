"""Two business days of the demo: orders come, are shipped and paid, and the books add up."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.conf import settings

import inventory.selectors
import routing.reference
from config.demo import (
    goods_coming,
    play,
    records,
    setup,
    shops_past,
    storefronts,
    taken_back,
)
from config.demo.catalog import catalog
from config.demo.counterparts import Counterparts
from config.demo.crews import is_open
from config.demo.partners import connect_carriers
from config.demo.play import Demo
from config.demo.retailer import NODES
from config.demo.shoppers import OPENING
from config.demo.storefronts import SELLERS
from config.kernel import clock, selectors, vault
from config.kernel.models import User
from config.kernel.types import ALL_ACCOUNTS
from config.reports import summary
from integrations import connections
from integrations.channels import polling
from integrations.models import ChannelCopy
from integrations.payments.registration import everybodys_provider
from integrations.sandbox.carrier import CarrierSandbox
from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.gateway import GatewaySandbox
from integrations.sandbox.marketplace import Marketplace
from integrations.sandbox.shop_shopify import ShopifyShop
from integrations.sandbox.shop_woocommerce import WooShop
from inventory.models import Node, Sku, StockPosition
from orders.models import Capture, Order
from tests.books import check_all
from tests.factories.routing import SYSTEM
from tests.kernel.relaying import relay_all

DAYS = timedelta(days=2)


def forget() -> None:
    clock.forget()
    vault.forget()
    inventory.selectors.forget()
    routing.reference.forget()


@pytest.fixture
def fresh_process() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def payments(monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewaySandbox]:
    """The payment gateway, in threads of this process."""
    gateway = GatewaySandbox("gateway", clock=SandboxClock(OPENING, speed=0))
    with gateway.running():
        monkeypatch.setattr(settings, "FAKEPAY_URL", gateway.url)
        everybodys_provider.cache_clear()
        yield gateway
        everybodys_provider().close()
        everybodys_provider.cache_clear()


@pytest.fixture
def counterparts() -> Iterator[Counterparts]:
    """The carrier and the shops, in threads of this process."""
    kinds = (CarrierSandbox, ShopifyShop, WooShop, Marketplace)
    with ExitStack() as running:
        urls = {}
        for kind, name in zip(kinds, ("carrier", *SELLERS.values()), strict=True):
            one = kind(name, clock=SandboxClock(OPENING, speed=0))
            running.enter_context(one.running())
            urls[name] = one.url
        told = Counterparts(urls)
        yield told
        told.close()
        connections.forget()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("fresh_process")
def test_two_days_are_sold_shipped_and_paid(
    monkeypatch: pytest.MonkeyPatch, counterparts: Counterparts, payments: GatewaySandbox
):
    monkeypatch.setattr(play, "NOW", OPENING + DAYS)
    turns: list[int] = []
    made = setup.set_up()
    connect_carriers(made, counterparts, at=OPENING)
    storefronts.list_goods(counterparts)

    came = play.play_fortnight(
        Demo.of(made, counterparts), lambda _, so_far: turns.append(so_far), pump=play.pump
    )
    relay_all()
    play.pump(OPENING + DAYS)

    assert turns == sorted(turns)
    assert turns[-1] == came

    total = summary.totals(scope=ALL_ACCOUNTS)
    assert total["captured"] - len(goods_coming.BUYERS) == came > 120
    assert total["shipped"] > came / 4
    assert 0 < total["held"] < came / 5
    assert summary.oversold(scope=ALL_ACCOUNTS) == 0
    assert Capture.objects.for_scope(ALL_ACCOUNTS).filter(state="succeeded").exists()
    assert Order.objects.for_scope(ALL_ACCOUNTS).values("channel_id").distinct().count() == 5
    assert selectors.outbox_lag().dead == 0
    assert check_all() == []

    storefronts.open_shops(made, counterparts, "http://127.0.0.1:9", at=OPENING + DAYS)
    told = ChannelCopy.objects.for_scope(ALL_ACCOUNTS)
    compared = records.copies_compared(counterparts, scope=ALL_ACCOUNTS)
    assert (compared.differ, compared.known) == ((), ())
    assert compared.orders > came / 2
    assert told.count() > compared.orders
    assert set(told.values_list("state", flat=True)) == {"same"}

    shops_past.tell_standing(counterparts, "agora", made.channel_ids["agora"], at=OPENING + DAYS)
    agora = dict(counterparts.records("marketplace", "orders"))
    assert len(agora) > came / 10
    assert all(order["theirs"] for order in agora.values())

    everybody = Counterparts(counterparts.urls | {"gateway": payments.url})
    cancels = taken_back.cancels(everybody, scope=ALL_ACCOUNTS)
    assert cancels.theirs > 0
    assert cancels.differ == ()
    assert taken_back.refunds(everybody, scope=ALL_ACCOUNTS) == []
    assert taken_back.returns(everybody, scope=ALL_ACCOUNTS).differ == ()

    later = OPENING + DAYS + timedelta(minutes=5)
    turns_taken = polling.ask_due(at=later, actor=SYSTEM)
    assert sum(turn.read for turn in turns_taken) == compared.orders
    assert sum(turn.compared for turn in turns_taken) == told.exclude(kind="order").count()
    assert told.filter(kind="order").count() == compared.orders
    assert not any(
        turn.missing_there or turn.different or turn.missing_here for turn in turns_taken
    )
    assert check_all() == []

    # A buyer takes an order back and nobody tells us; the gateway gives back what nobody asked for.
    untouched = next(
        key
        for key, order in counterparts.records("shopify", "orders")
        if not order["cancelled_at"] and not order["fulfillments"]
    )
    counterparts.tell("shopify", "POST", f"orders/{untouched}/cancel", {})
    next(iter(payments.store["payments"].values()))["refunded"] += 1
    [cancel] = taken_back.cancels(everybody, scope=ALL_ACCOUNTS).differ
    [refund] = taken_back.refunds(everybody, scope=ALL_ACCOUNTS)
    assert (cancel.system, cancel.what, refund.system) == ("shopify", untouched, "gateway")
    everybody.close()


@pytest.mark.django_db
@pytest.mark.usefixtures("fresh_process")
def test_every_node_works_at_two_turns_of_a_weekday_or_more():
    made = setup.set_up()
    turns = [start := OPENING]
    while start < OPENING + timedelta(days=1):
        turns.append(start := play.turn_end(start))

    for node in inventory.selectors.network(made.account_id):
        assert sum(is_open(node, turn) for turn in turns) >= 2, node.code


@pytest.mark.django_db
@pytest.mark.usefixtures("fresh_process")
class TestSetUp:
    def test_makes_a_retailer_with_stock_and_staff(self):
        made = setup.set_up()

        codes = Sku.objects.for_scope(ALL_ACCOUNTS).values_list("code", flat=True)
        assert {plan.code for plan in catalog()} <= set(codes)
        assert Node.objects.for_scope(ALL_ACCOUNTS).filter(state="active").count() == len(NODES)
        assert StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(sellable__gt=0).count() > 1_000
        assert User.objects.count() == len(setup.STAFF)
        assert setup.known_retailer() == made
        assert check_all() == []

    def test_changes_nothing_when_called_again(self):
        first = setup.set_up()
        before = list(
            StockPosition.objects.for_scope(ALL_ACCOUNTS)
            .order_by("pk")
            .values_list("pk", "sellable", "buffer", "event_seq")
        )

        assert setup.set_up() == first
        assert before == list(
            StockPosition.objects.for_scope(ALL_ACCOUNTS)
            .order_by("pk")
            .values_list("pk", "sellable", "buffer", "event_seq")
        )

    def test_remembers_how_far_it_was_lived(self):
        setup.set_up()
        assert (setup.was_played(), setup.lived_until(), setup.last_number()) == (False, None, 0)

        setup.mark_lived(OPENING + DAYS, 10_321)

        assert setup.was_played()
        assert (setup.lived_until(), setup.last_number()) == (OPENING + DAYS, 10_321)
