"""One order's way with a simulated shop: placed there, told by signed webhook, shipped, told back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.test import Client

from config.kernel import clock
from config.kernel.services import intents
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import services as fulfillment
from fulfillment.types import Pack, Pick, Shipment
from integrations import connections
from integrations.models import Connection
from integrations.sandbox.box import Request
from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.shop_shopify import ShopifyShop
from integrations.sandbox.shop_woocommerce import WooShop
from integrations.sandbox.shops import Shop
from orders.models import DeliveryGroup, Order
from tests.books import check_all
from tests.factories.fulfillment import BEN, work
from tests.factories.integrations import SECRET, a_connection
from tests.factories.kernel import NOON
from tests.factories.routing import Network, a_network
from tests.kernel.relaying import deliver_all
from tests.sandbox.shop_calls import Receiver, an_order, ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("integrations.api.urls")]

PROOFS = ("x-shopify-", "x-wc-webhook-")
FACES = {
    "shopify": (
        ShopifyShop,
        {"token": "shpat_0123456789"},
        {"access_token": "shpat_0123456789"},
        "/admin/api/2025-07",
        {"location_id": "655441491"},
    ),
    "woocommerce": (
        WooShop,
        {"key": "ck_0123456789", "key_secret": "cs_0123456789"},
        {"consumer_key": "ck_0123456789", "consumer_secret": "cs_0123456789"},
        "/wp-json/wc/v3",
        {},
    ),
}


@pytest.fixture
def ear() -> Iterator[Receiver]:
    with (made := Receiver()).running():
        yield made


class Connected:
    """A shop with an article that lies on our shelf, and the connection to it."""

    def __init__(self, adapter: str, network: Network, ear: Receiver) -> None:
        kind, setup, secrets, path, settings = FACES[adapter]
        self.shop: Shop = kind(adapter, clock=SandboxClock(NOON, speed=0))
        self.ear, self.adapter, self.network = ear, adapter, network
        self.setup = {**setup, "secret": SECRET, "webhook_url": f"{ear.url}/in"}
        self.secrets, self.path, self.settings = secrets, path, settings

    def open(self) -> None:
        self.network.stock("TEE", NEWARK=20)
        ask(self.shop, "PUT", "/_sandbox/shop", self.setup)
        ask(self.shop, "POST", "/_sandbox/catalog", [{"sku": "TEE", "price": "25.00", "stock": 20}])
        self.ref = a_connection(
            self.network.channel,
            self.adapter,
            live=True,
            base_url=f"{self.shop.url}{self.path}",
            settings=self.settings,
            secrets={"webhook_secret": SECRET, **self.secrets},
        )

    def hand_over(self) -> list[int]:
        """Post what the shop has sent to our door; the answers' status."""
        assert self.shop.hooks.drain(5)
        came, self.ear.came = self.ear.came, []
        return [self.post(one) for one in came]

    def post(self, came: Request, extra: bytes = b"") -> int:
        headers = {name: value for name, value in came.headers.items() if name.startswith(PROOFS)}
        path = f"/webhooks/{self.adapter}/{self.ref.code}"
        kind = "application/json"
        answer = Client().post(path, came.raw + extra, content_type=kind, headers=headers)
        return answer.status_code

    def settle(self) -> None:
        """Everything that follows, until nothing does."""
        while deliver_all(at=clock.now()) + intents.run_due(at=clock.now(), limit=50):
            pass


@pytest.fixture(params=sorted(FACES))
def connected(request: Any, ear: Receiver) -> Iterator[Connected]:
    made = Connected(request.param, a_network("NEWARK"), ear)
    with made.shop.running():
        made.open()
        yield made
    connections.forget()


def ship(order: Order) -> None:
    """From release to the carrier, once the buyer can change nothing any more."""
    later = clock.now() + timedelta(hours=1)
    group = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get(order=order)
    (outcome,) = fulfillment.release_groups([group.pk], at=later, actor=BEN)
    assert outcome.value is not None, outcome.problem
    found = work(outcome.value.fulfillment_order_ids[0])
    picks = [Pick(line.pk, line.requested) for line in found.lines.all()]
    fulfillment.record_picks(picks, at=later, actor=BEN)
    (packed,) = fulfillment.record_packs([Pack(found.pk)], at=later, actor=BEN)
    gone = Shipment(packed.value.parcel_ids[0], "9400-1", "paper")
    fulfillment.confirm_shipments([gone], at=later, actor=BEN)


def test_an_order_is_captured_by_signed_webhook_shipped_and_fulfilled_there_once(connected, ear):
    placed = an_order(connected.shop, {"TEE": 2})
    assert connected.shop.hooks.drain(5)
    [told] = ear.came

    assert connected.post(told, extra=b" ") == 401
    assert not Order.objects.for_scope(ALL_ACCOUNTS).exists()
    assert [connected.post(told) for _ in range(2)] == [200, 200]
    order = Order.objects.for_scope(ALL_ACCOUNTS).get()
    assert (order.external_id, order.state) == (str(placed["id"]), "accepted")

    ear.came.clear()
    ship(order)
    connected.settle()
    assert set(connected.hand_over()) == {200}
    connected.settle()

    [record] = httpx.get(f"{connected.shop.url}/_sandbox/records/orders").json()["records"]
    there = record["document"]
    assert [one["tracking"]["numbers"] for one in there["fulfillments"]] == [["9400-1"]]
    assert [entry["again"] for entry in connected.shop.log.of("fulfilled")] == [False]
    assert order.number in str([there["tags"], there["meta"], there["notes"]])
    assert connected.shop.log.of("refused") == []
    order.refresh_from_db()
    assert (order.progress, Order.objects.for_scope(ALL_ACCOUNTS).count()) == ("shipped", 1)
    assert Connection.objects.for_scope(ALL_ACCOUNTS).get().failure == ""
    assert check_all() == []
