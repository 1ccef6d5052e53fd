"""A12 and A28 for channels: whatever comes of webhooks, what shops say and what we have end up equal."""

import json
import os
import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from integrations import dialects, services
from integrations.models import InboxMessage
from integrations.services import Found
from orders.models import Order, OrderLine
from tests.integrations.channels.shops import Trade, a_trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("integrations.api.urls")]

FULL = int(os.environ.get("SWITCHYARD_A12", "10000"))
"""How many webhooks of both shops together the full size has, doubles counted."""


@pytest.fixture(params=["shopify", "woocommerce"])
def trade(request) -> Iterator[Trade]:
    with a_trade(request.param, stock=100_000) as made:
        yield made


def units_here() -> dict[str, dict[str, int]]:
    """Units per line that still stand, by the shop's ids."""
    found: dict[str, dict[str, int]] = {}
    for line in OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(kind="stock"):
        order = found.setdefault(line.order.external_id, {})
        order[line.external_id] = line.ordered - line.cancelled
    return found


def units_there(trade: Trade) -> dict[str, dict[str, int]]:
    """The same, as the shop's own records have it."""
    return {
        key: {
            str(line["id"]): 0 if order["cancelled_at"] else line["quantity"] - line["cancelled"]
            for line in order["lines"]
        }
        for key, order in trade.shop.store["orders"].items()
    }


def same(here: dict[str, dict[str, int]], there: dict[str, dict[str, int]]) -> list[str]:
    """Orders that differ. A line that was taken off the document altogether has no units there."""
    return [
        key
        for key in sorted({*here, *there})
        if {line: units for line, units in here.get(key, {}).items() if units}
        != {line: units for line, units in there.get(key, {}).items() if units}
    ]


def lives(trade: Trade, orders: int) -> list[tuple[str, bytes, str]]:
    """Orders with their buyers' changes of mind: (topic, body, message id) of every webhook."""
    dice = random.Random(12)  # noqa: S311  # the same lives each time
    sent: list[tuple[str, bytes, str]] = []
    first, later = (
        ("orders/create", "orders/updated")
        if trade.adapter == "shopify"
        else ("order.created", "order.updated")
    )

    def tell(topic: str, order_id: int) -> None:
        body = json.dumps(trade.document(order_id)).encode()
        sent.append((topic, body, trade.shop.new_id()))

    for _ in range(orders):
        trade.shop.clock.set(trade.shop.clock.now() + timedelta(seconds=dice.choice([0, 3, 40])))
        placed = trade.place({"SKU-0": dice.randint(1, 3), "SKU-1": dice.randint(1, 2)})
        tell(first, placed["id"])
        for deed in dice.sample(["cut", "cut", "address", "cancel"], k=dice.randint(2, 4)):
            trade.shop.clock.set(trade.shop.clock.now() + timedelta(seconds=dice.choice([1, 30])))
            trade.deed(placed["id"], deed)
            tell(later, placed["id"])
    return sent


def deliver(
    trade: Trade, webhooks: list[tuple[str, bytes, str]], *, forged: bool = False
) -> set[int]:
    statuses = set()
    for topic, body, message_id in webhooks:
        headers = trade.shop.sign(topic, body, message_id)
        response = Client().post(
            f"/webhooks/{trade.adapter}/{trade.ref.code}",
            body.replace(b"USD", b"EUR") if forged else body,
            content_type="application/json",
            headers=headers,
        )
        statuses.add(response.status_code)
    return statuses


def take_in(trade: Trade, webhooks: list[tuple[str, bytes, str]]) -> None:
    """As they come in a rush: kept one by one, applied by the sweep in batches."""
    spoken = dialects.dialect(trade.adapter)
    found = []
    for topic, body, message_id in webhooks:
        headers = trade.shop.sign(topic, body, message_id)
        found.append(Found(spoken.message_id(headers, body), topic, body))
    for first in range(0, len(found), 50):
        services.take_in_all(
            trade.ref, found[first : first + 50], at=clock.now(), actor=trade.ref.actor()
        )


class TestWebhooks:
    @pytest.mark.parametrize(
        "many",
        [1_000, pytest.param(FULL, marks=[pytest.mark.soak, pytest.mark.timeout(3_600)])],
    )
    def test_shuffled_doubled_and_forged_come_to_what_the_shop_has(self, trade, many):
        dice = random.Random(3)  # noqa: S311  # likewise
        webhooks = lives(trade, many // 20)
        doubled = webhooks * 2 + dice.sample(webhooks, len(webhooks) // 2)
        dice.shuffle(doubled)
        forged = dice.sample(webhooks, max(20, many // 20))

        assert deliver(trade, forged, forged=True) == {401}
        assert not InboxMessage.objects.for_scope(ALL_ACCOUNTS).exists()
        assert deliver(trade, doubled[:20]) == {200}
        take_in(trade, doubled[20:])

        assert same(units_here(), units_there(trade)) == []
        states = InboxMessage.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True)
        assert set(states) <= {"applied", "ignored"}
        assert not Order.objects.for_scope(ALL_ACCOUNTS).exclude(currency="USD").exists()

    def test_lost_in_part_and_for_six_hours_are_made_good_by_one_poll(self, trade):
        dice = random.Random(28)  # noqa: S311  # likewise
        webhooks = lives(trade, 14)
        outage = len(webhooks) // 3
        arrived = [one for one in webhooks[:-outage] if dice.random() > 0.05]
        deliver(trade, arrived)
        before = units_here()
        messages = InboxMessage.objects.for_scope(ALL_ACCOUNTS).count()
        trade.pass_time(6 * 60)

        turn = trade.poll()
        again = trade.poll()

        there = units_there(trade)
        assert before != there
        assert same(units_here(), there) == []
        assert turn.missing_here == len(there) - len(before) > 0
        assert (again.missing_here, again.missing_there, again.different) == (0, 0, 0)
        assert Order.objects.for_scope(ALL_ACCOUNTS).count() == len(there)
        # What had come by a push is not kept a second time.
        assert InboxMessage.objects.for_scope(ALL_ACCOUNTS).count() - messages <= len(there)


def test_a_poll_reads_every_page_and_then_only_what_changed(trade, monkeypatch):
    monkeypatch.setattr(f"integrations.channels.{trade.adapter}.shop.PAGE", 2)
    for _ in range(5):
        trade.place({"SKU-0": 1})
    trade.pass_time(30)

    assert (trade.poll().read, Order.objects.for_scope(ALL_ACCOUNTS).count()) == (5, 5)
    trade.pass_time(30)
    assert trade.poll().read == 0
