"""Both simulated shops behind one face for tests: a channel with stock, connected to a shop by HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client

from config.kernel import clock
from config.kernel.services import deliveries, intents
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import services as fulfillment
from fulfillment.models import FulfillmentOrder
from fulfillment.types import Pack, Pick, Shipment
from integrations import connections
from integrations.channels import handlers, polling
from integrations.models import ChannelCopy, InboxMessage
from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.shop_shopify import ShopifyShop
from integrations.sandbox.shop_shopify_lines import LOCATION_ID
from integrations.sandbox.shop_woocommerce import WooShop
from integrations.sandbox.shops import Shop
from integrations.types import ConnectionRef
from orders.models import DeliveryGroup, Order, OrderLine
from tests.factories.integrations import SECRET, a_connection
from tests.factories.kernel import NOON
from tests.factories.routing import SYSTEM, Network, a_network
from tests.kernel.relaying import relay_all
from tests.sandbox.shop_calls import SHOPIFY, WOO, an_order, ask

TOKEN = "canary-shop-token"
SKUS = ("SKU-0", "SKU-1", "SKU-2", "SKU-3")
FACES: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "shopify": (
        SHOPIFY,
        {"access_token": TOKEN},
        {"token": TOKEN, "rate": {"bucket": 10_000, "per_second": 10_000}},
    ),
    "woocommerce": (
        WOO,
        {"consumer_key": "ck_canary", "consumer_secret": TOKEN},
        {"key": "ck_canary", "key_secret": TOKEN},
    ),
}


@dataclass(slots=True)
class Trade:
    """A channel of ours and the shop that it stands for."""

    adapter: str
    shop: Shop
    network: Network
    ref: ConnectionRef

    def place(self, lines: dict[str, int], **words: Any) -> dict[str, Any]:
        """An order in the shop, by its buyer; nothing is told of it yet."""
        return an_order(self.shop, lines, **words)

    def document(self, order_id: Any) -> dict[str, Any]:
        shown: dict[str, Any] = self.shop.shown(self.shop.store["orders"][str(order_id)])
        return json.loads(json.dumps(shown))

    def deed(self, order_id: Any, deed: str, **words: Any) -> None:
        """What the shop's buyer or its people do with the order."""
        status, said, _ = ask(self.shop, "POST", f"/_sandbox/orders/{order_id}/{deed}", words)
        assert status == 200, said

    def push(self, order_id: Any, *, first: bool = False, document: Any = None) -> dict[str, Any]:
        """The webhook about the order as it stands there now."""
        topics = {"shopify": ("orders/updated", "orders/create")}
        topic = topics.get(self.adapter, ("order.updated", "order.created"))[first]
        return self.send(topic, document or self.document(order_id))

    def send(self, topic: str, document: Any) -> dict[str, Any]:
        raw = json.dumps(document).encode()
        response = Client().post(
            f"/webhooks/{self.adapter}/{self.ref.code}",
            raw,
            content_type="application/json",
            headers=self.shop.sign(topic, raw, f"m-{self.shop.new_id()}"),
        )
        assert response.status_code == 200, response.content
        return response.json()

    def pass_time(self, minutes: float = 1) -> None:
        """Both sides' time goes on, and stands still again."""
        now = clock.now() + timedelta(minutes=minutes)
        clock.set_to(now, speed=0)
        self.shop.clock.set(now)

    def poll(self) -> polling.Turn:
        ref = connections.by_id(self.ref.id)
        return polling.ask_connection(ref, at=clock.now(), actor=SYSTEM)

    def carry_out(self) -> None:
        """Whatever events ask for is written, and told to the shop."""
        relay_all()
        deliveries.run_shards(handlers.CONSUMER, range(64), at=clock.now())
        while intents.run_due(at=clock.now(), limit=20):
            pass

    def ship(self, order: Order) -> list[str]:
        """Once its buyer can change nothing any more: to the carrier; answers the tracking numbers."""
        self.pass_time(90)
        at = clock.now()
        groups = list(DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).filter(order=order))
        fulfillment.release_groups([group.pk for group in groups], at=at, actor=SYSTEM)
        work = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(order=order)
        picks = [
            Pick(line.pk, line.requested)
            for one in work
            for line in one.lines.all()
            if line.waiting or line.accepted
        ]
        fulfillment.record_picks(picks, at=at, actor=SYSTEM)
        outcomes = fulfillment.record_packs([Pack(one.pk) for one in work], at=at, actor=SYSTEM)
        parcels = [pk for one in outcomes if one.value for pk in one.value.parcel_ids]
        numbers = [f"T-{str(pk)[-8:]}" for pk in parcels]
        fulfillment.confirm_shipments(
            [Shipment(pk, number, "paper") for pk, number in zip(parcels, numbers, strict=True)],
            at=at,
            actor=SYSTEM,
        )
        return numbers

    def captured(self, lines: dict[str, int], **words: Any) -> tuple[dict[str, Any], Order]:
        """An order of the shop that has been taken in and accepted, with nothing left to say."""
        placed = self.place(lines, **words)
        self.push(placed["id"], first=True)
        self.carry_out()
        return placed, self.order(placed["id"])

    def order(self, order_id: Any) -> Order:
        return Order.objects.for_scope(ALL_ACCOUNTS).get(
            channel_id=self.network.channel.pk, external_id=str(order_id)
        )

    def lines(self, order: Order) -> list[OrderLine]:
        rows = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order=order, kind="stock")
        return list(rows.order_by("position"))

    def copies(self, **wanted: Any) -> list[ChannelCopy]:
        found = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(connection_id=self.ref.id)
        return list(found.filter(**wanted).order_by("pk"))

    def messages(self) -> list[InboxMessage]:
        return list(InboxMessage.objects.for_scope(ALL_ACCOUNTS).order_by("pk"))


@contextmanager
def a_trade(
    adapter: str, *, stock: int = 50, live: bool = True, **settings: Any
) -> Iterator[Trade]:
    """A connected shop with four SKUs; both sides have as many of each."""
    shop = {"shopify": ShopifyShop, "woocommerce": WooShop}[adapter](
        adapter, clock=SandboxClock(NOON, speed=0)
    )
    with shop.running():
        yield connected(adapter, shop, stock=stock, live=live, **settings)
    connections.forget()


def connected(
    adapter: str, shop: Shop, *, stock: int = 50, live: bool = True, **settings: Any
) -> Trade:
    """The channel, its stock, and its connection to the shop; it is noon on both sides."""
    clock.set_to(NOON, speed=0)
    network = a_network()
    for sku in SKUS:
        network.stock(sku, NEWARK=stock)
    path, secrets, said = FACES[adapter]
    ask(shop, "PUT", "/_sandbox/shop", {"secret": SECRET, **said})
    items = [
        {"sku": sku, "title": sku.title(), "price": "20.00", "weight": 250, "stock": stock}
        for sku in SKUS
    ]
    ask(shop, "POST", "/_sandbox/catalog", items)
    ref = a_connection(
        network.channel,
        adapter,
        live=live,
        base_url=f"{shop.url}{path}",
        settings={"timeout_seconds": 2, "location_id": str(LOCATION_ID), **settings},
        secrets={"webhook_secret": SECRET, **secrets},
    )
    connections.move_cursor(ref.id, polling.ORDERS, {"until": NOON.isoformat()})
    return Trade(adapter, shop, network, ref)
