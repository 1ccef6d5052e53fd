"""Quotas under real concurrency: at two nodes at once nobody gets what is kept for another."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from sys import modules
from typing import Any

import pytest
from django.db import connection, transaction

from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Quota, StockPosition
from inventory.types import Portion, QuotaDraft, TakeResult
from tests.books import check_all
from tests.concurrency.test_take_interleaved import Overtaken
from tests.factories.inventory import (
    ANNA,
    ChannelNodeFactory,
    NodeFactory,
    SkuFactory,
    stock,
    want,
)
from tests.factories.kernel import NOON, ChannelFactory

pytestmark = pytest.mark.django_db(transaction=True)


class World:
    """A SKU at two nodes, six units each, of which so many are kept for the marketplace."""

    def __init__(self, kept: int) -> None:
        self.web = ChannelFactory()
        self.market = ChannelFactory(account=self.web.account)
        sku = SkuFactory(account=self.web.account)
        self.positions: list[StockPosition] = []
        for _ in range(2):
            node = NodeFactory(account=self.web.account)
            for channel in (self.web, self.market):
                ChannelNodeFactory(channel=channel, node=node)
            self.positions.append(stock(6, sku=sku, node=node))
        draft = QuotaDraft(self.web.account.pk, self.market.pk, "prime", "fixed", NOON, units=kept)
        services.plan_quotas([draft], at=NOON, actor=ANNA)

    def take(self, place: int, units: int, channel: Any) -> TakeResult:
        wanted = want(self.positions[place], units, channel_id=channel.pk)
        return services.take([wanted], at=NOON, actor=ANNA)

    def left_for_market(self) -> int:
        return sum(
            len(self.take(place, 1, self.market).taken) for place in (0, 1) for _ in range(6)
        )


def both_nodes_at_once(world: World) -> Overtaken:
    """Each of two web orders would fit by itself; together they would eat what is kept."""
    return Overtaken(
        lambda: world.take(0, 5, world.web),
        lambda: world.take(1, 5, world.web),
    )


def test_two_takes_at_two_nodes_wait_for_each_other() -> None:
    world = World(6)

    assert both_nodes_at_once(world).waited
    assert world.left_for_market() == 7
    assert check_all(about="stock.") == []


def test_without_the_lock_they_would_eat_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same takes, the quota read but not locked."""
    at_once = modules["inventory.services.take_at_once"]
    lock, text = "ORDER BY id FOR UPDATE", at_once._TAKE
    assert text.index("inventory_quota") < text.index(lock) < text.index("inventory_stockpos")
    monkeypatch.setattr(at_once, "_TAKE", text.replace(lock, "ORDER BY id", 1))
    world = World(6)

    assert not both_nodes_at_once(world).waited
    assert world.left_for_market() == 2, "six were kept"


def test_takers_of_three_kinds_and_givers_back_leave_the_books_right() -> None:
    world = World(4)
    start = threading.Barrier(6)

    def run(number: int) -> int:
        dice, own, got = random.Random(number), [], 0  # noqa: S311  # a reproducible mix
        channel = [world.web, world.market, None][number % 3]
        start.wait()
        for _ in range(6):
            with transaction.atomic():
                wanted = want(
                    world.positions[dice.randrange(2)],
                    dice.randint(1, 2),
                    channel_id=channel and channel.pk,
                )
                own += services.take([wanted], at=NOON, actor=ANNA).taken
            if own and dice.random() < 0.4:
                gone = own.pop()
                portion = Portion(gone.reservation_id, gone.want.quantity)
                with transaction.atomic():
                    services.release([portion], "cancelled", at=NOON, actor=ANNA)
        got = sum(one.want.quantity for one in own)
        connection.close()
        return got if channel is world.market else 0

    with ThreadPoolExecutor(6) as pool:
        of_market = sum(pool.map(run, range(6)))

    (quota,) = Quota.objects.for_scope(ALL_ACCOUNTS)
    assert quota.used == of_market
    assert of_market + world.left_for_market() >= 4
    assert check_all(about="stock.") == []
