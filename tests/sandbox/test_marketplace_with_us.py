"""The marketplace and our API understand one another: orders, readings, cancels, signed news."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient
from standardwebhooks.webhooks import Webhook

from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import services as fulfillment
from fulfillment.types import Pack, Pick, Shipment
from integrations.sandbox.hooks import Hook
from integrations.sandbox.marketplace import Marketplace, draft_of
from orders.models import DeliveryGroup
from tests.factories.fulfillment import BEN, work
from tests.factories.kernel import NOON, ApiKeyFactory
from tests.factories.routing import a_network
from tests.sandbox.shop_calls import a_shop, an_order, ask

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.orders.routes")]

SECRET = "whsec_c2VjcmV0IG9mIHRoZSBtYXJrZXRwbGFjZQ=="
URL = "/api/v1/orders"


class Both:
    """A marketplace and our API, and what goes between them by hand."""

    def __init__(self) -> None:
        network = a_network("NEWARK")
        network.stock("SKU-0", NEWARK=20)
        self.client = APIClient()
        key = ApiKeyFactory(account=network.account, channel=network.channel)
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
        made = a_shop(Marketplace)
        assert isinstance(made, Marketplace)
        self.market = made
        setup = {"webhook_secret": SECRET, "own_share": 0.0, "service": ""}
        ask(self.market, "PUT", "/_sandbox/shop", setup)
        order = an_order(self.market, {"SKU-0": 2})
        self.order: dict[str, Any] = self.market.store["orders"][str(order["id"])]

    def answer(self, topic: str, answer: Any) -> None:
        """What our API answered, told to the marketplace."""
        hook = Hook(f"{self.order['id']}:{topic}", "", topic, b"")
        assert self.market.answered(hook, answer.status_code, answer.content)

    def send(self) -> None:
        body = draft_of(self.order, self.market.settings)
        answer = self.client.post(URL, body, format="json", HTTP_IDEMPOTENCY_KEY="k")
        assert answer.status_code == 201, answer.content
        self.answer("order", answer)

    def tell(self, topic: str) -> int:
        thread = {"thread_id": self.order["theirs"]["id"]}
        body, now = json.dumps({"type": topic, "data": thread}), datetime.now(UTC)
        headers = {
            "webhook-id": f"msg_{topic}",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(f"msg_{topic}", now, body),
        }
        return ask(self.market, "POST", "/webhooks", json.loads(body), **headers)[0]

    @property
    def ours(self) -> str:
        return f"{URL}/{self.order['theirs']['id']}"


def test_an_order_is_taken_without_doubts_shipped_and_read():
    both = Both()

    both.send()
    assert both.order["acknowledged_at"]
    group = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get()
    (outcome,) = fulfillment.release_groups([group.pk], at=clock.now(), actor=BEN)
    order = work(outcome.value.fulfillment_order_ids[0])
    picks = [Pick(line.pk, line.requested) for line in order.lines.all()]
    fulfillment.record_picks(picks, at=NOON, actor=BEN)
    (packed,) = fulfillment.record_packs([Pack(order.pk)], at=NOON, actor=BEN)
    gone = Shipment(packed.value.parcel_ids[0], "9400-1", "paper")
    fulfillment.confirm_shipments([gone], at=NOON, actor=BEN)
    assert both.tell("parcel.shipped") == 204
    both.answer("read", both.client.get(both.ours))

    assert [(one["tracking"], one["units"]) for one in both.order["shipments"]] == [("9400-1", 2)]
    assert both.order["lines"][0]["fulfilled"] == 2
    assert both.order["penalties"] == []


def test_a_buyers_cancel_is_taken_and_our_own_is_a_mark_against_us():
    both, other = Both(), Both()
    for each in (both, other):
        each.send()
    said = {"reason": "buyer-cancelled", "initiator": "channel"}

    both.answer("cancel", both.client.post(f"{both.ours}/cancel", said, format="json"))
    other.client.post(f"{other.ours}/cancel", {"reason": "no stock"}, format="json")
    other.answer("read", other.client.get(other.ours))

    assert (both.order["cancelled_by"], both.order["penalties"]) == ("buyer", [])
    assert other.order["lines"][0]["cancelled"] == 2
    assert [one["why"] for one in other.order["penalties"]] == ["seller_cancel"]
