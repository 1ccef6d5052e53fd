"""Lots that are stopped while somebody receives or takes them: none of them stays on sale."""

from datetime import date

import pytest
from django.db import transaction

from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Lot
from inventory.services.lots import move_lots
from inventory.types import StockChange
from tests.concurrency.test_take_interleaved import Overtaken, standing, taking
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory, stock, want
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db(transaction=True)

EXPIRY = date(2027, 1, 1)


def a_lot():
    position = stock(3, sku=SkuFactory(lot_tracked=True), lot="A", expires_on=EXPIRY)
    return position, Lot.objects.for_scope(ALL_ACCOUNTS).get(code="A").pk


def test_a_recall_waits_for_who_receives_the_lot_and_stops_that_too() -> None:
    position, lot_id = a_lot()
    elsewhere = stock(0, sku=position.sku, node=NodeFactory(account=position.account), lot="B")
    change = StockChange(
        elsewhere.node_id, position.sku_id, position.account_id, 4, "receipt", lot="A",
        expires_on=EXPIRY,
    )  # fmt: skip
    recalled = []

    race = Overtaken(
        lambda: services.record_changes([change], at=NOON, actor=ANNA),
        lambda: recalled.append(services.recall_lots([lot_id], "glass", at=NOON, actor=ANNA)),
    )
    services.stop_recall(recalled[0], at=NOON, actor=ANNA)

    assert race.waited
    assert (standing(position), standing(elsewhere)) == ((0, 0, 0), (0, 0, 0))


def test_what_was_taken_while_a_lot_is_stopped_is_a_shortfall_and_the_next_gets_nothing() -> None:
    position, lot_id = a_lot()
    move_lots([lot_id], lambda lot: lot.hold(reason="smells"), "lot.held", "smells",
        at=NOON, actor=ANNA)  # fmt: skip

    race = Overtaken(taking(position, 2), lambda: services.settle_due(9, at=NOON, actor=ANNA))

    assert race.waited
    assert standing(position) == (0, 2, 2)
    with transaction.atomic():
        assert services.take([want(position, 1)], at=NOON, actor=ANNA).taken == ()
