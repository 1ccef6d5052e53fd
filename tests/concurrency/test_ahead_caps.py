"""Caps on what is sold ahead, under real concurrency: never passed, and they would be without the lock."""

import threading
from concurrent.futures import ThreadPoolExecutor
from sys import modules

import pytest
from django.db import connection, transaction

from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import AheadCap, Reservation
from inventory.types import AheadWant, CapDraft, LineCap
from tests.factories.inventory import ANNA, InboundLineFactory, future_want
from tests.factories.kernel import NOON, ChannelFactory

pytestmark = pytest.mark.django_db(transaction=True)
SELLERS = 6
_TRIES = 10


def sold_ahead(cap: int | None = None, percent: int | None = None) -> int:
    """Units that sellers get, each of whom wants four times two units at the same moment."""
    line = InboundLineFactory(expected=20)
    channel = ChannelFactory(account=line.inbound.account)
    if cap is not None:
        draft = CapDraft(channel.account_id, channel.pk, line.sku_id, cap)
        services.set_caps([draft], at=NOON, actor=ANNA)
    services.limit_lines([LineCap(line.pk, percent)], at=NOON, actor=ANNA)
    start = threading.Barrier(SELLERS)
    want = AheadWant(line.sku_id, 2, channel.account_id, channel.pk)

    def sell(_: int) -> int:
        got = 0
        for _ in range(4):
            start.wait()
            with transaction.atomic():
                (backed,) = services.back_ahead([want], at=NOON, actor=ANNA)
                if not backed.refused:
                    wanted = [(future_want(line.sku, 2), backed)]
                    services.reserve_backed(wanted, at=NOON, actor=ANNA)
                    got += 2
        connection.close()
        return got

    with ThreadPoolExecutor(SELLERS) as pool:
        total = sum(pool.map(sell, range(SELLERS)))
    rows = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(
        state="waiting", account_id=channel.account_id
    )
    assert sum(row.quantity for row in rows) == total
    return total


def test_nobody_sells_more_ahead_than_the_channel_may() -> None:
    assert sold_ahead(cap=7) == 6
    assert AheadCap.objects.for_scope(ALL_ACCOUNTS).get().used == 6


def test_nobody_sells_more_of_a_line_than_its_share() -> None:
    assert sold_ahead(percent=50) == 10


def test_without_the_lock_and_the_guard_more_would_be_sold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same sales, the cap read but neither locked nor guarded."""
    service = modules["inventory.services.inbound_ahead"]
    monkeypatch.setattr(service, "_WITH_LOCK", "")
    monkeypatch.setattr(service, "_GUARDED", "")

    # Whether they meet is chance; a few tries leave none of it.
    assert any(sold_ahead(cap=7) > 7 for _ in range(_TRIES))
