"""The shops' adapters bear what every adapter must bear, with the effect that hurts most: a fulfillment."""

from abc import abstractmethod
from typing import Any, ClassVar

import pytest

from config.kernel.ids import uuid7
from config.kernel.services.intents import Answer
from config.kernel.types import ALL_ACCOUNTS
from integrations.channels import port, sending
from integrations.channels.types import Wish
from integrations.connections import ConnectionRef, ref_of
from integrations.models import Connection, CopyKind
from integrations.sandbox.box import Simulator
from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.shop_shopify import ShopifyShop
from integrations.sandbox.shop_woocommerce import WooShop
from integrations.sandbox.shops import Shop
from tests.adapters.conformance import AdapterConformance
from tests.factories.integrations import SECRET, a_connection
from tests.factories.kernel import NOON, ChannelFactory
from tests.integrations.channels.shops import FACES, TOKEN
from tests.sandbox.shop_calls import an_order, ask


class ShopConformance(AdapterConformance):
    """Each key is a parcel of an order of its own."""

    secrets = (TOKEN, SECRET)
    adapter: ClassVar[str] = ""

    @abstractmethod
    def parcels(self, simulator: Shop, order: dict[str, Any]) -> list[str]:
        """Tracking numbers that stand on the order."""

    @abstractmethod
    def made(self) -> Shop: ...

    def simulator(self) -> Simulator:
        shop = self.made()
        shop.orders_of_keys = {}  # type: ignore[attr-defined]  # which order stands for which key
        ask(shop, "PUT", "/_sandbox/shop", {"secret": SECRET, **FACES[self.adapter][2]})
        ask(shop, "POST", "/_sandbox/catalog", [{"sku": "TEE", "price": "20.00", "stock": 500}])
        return shop

    def asks(self, simulator: Simulator, key: str) -> Answer:
        return sending.answer_of(self.shop(simulator).tell(self.wish(simulator, key)))

    def looks_up(self, simulator: Simulator, key: str) -> Answer | None:
        found = self.shop(simulator).find(self.wish(simulator, key))
        return None if found is None else sending.answer_of(found)

    def effects(self, simulator: Simulator, key: str) -> int:
        order = self.order(simulator, key)
        return self.parcels(simulator, order).count(f"T-{key}")  # type: ignore[arg-type]

    def order(self, simulator: Any, key: str) -> dict[str, Any]:
        known = simulator.orders_of_keys
        if key not in known:
            known[key] = an_order(simulator, {"TEE": 4})
        shown: dict[str, Any] = simulator.shown(simulator.store["orders"][str(known[key]["id"])])
        return shown

    def wish(self, simulator: Simulator, key: str) -> Wish:
        order = self.order(simulator, key)
        return Wish(
            uuid7(),
            CopyKind.FULFILLMENT,
            str(order["id"]),
            units={str(order["line_items"][0]["id"]): 1},
            tracking_number=f"T-{key}",
            carrier="paper",
        )

    def shop(self, simulator: Simulator) -> port.Shop:
        return port.shop(self.connection(simulator))

    def connection(self, simulator: Simulator) -> ConnectionRef:
        path, secrets, _ = FACES[self.adapter]
        url = f"{simulator.url}{path}"
        row = Connection.objects.for_scope(ALL_ACCOUNTS).filter(base_url=url).first()
        if row is not None:
            return ref_of(row)
        return a_connection(
            ChannelFactory(),
            self.adapter,
            live=True,
            base_url=url,
            settings={"timeout_seconds": 0.5, "notes": False},
            secrets={"webhook_secret": SECRET, **secrets},
        )


@pytest.mark.django_db
class TestShopify(ShopConformance):
    adapter = "shopify"

    def made(self) -> Shop:
        return ShopifyShop("shopify", clock=SandboxClock(NOON, speed=0))

    def parcels(self, simulator: Shop, order: dict[str, Any]) -> list[str]:
        return [
            number
            for one in order["fulfillments"]
            if one["status"] != "cancelled"
            for number in one["tracking_numbers"]
        ]


@pytest.mark.django_db
class TestWooCommerce(ShopConformance):
    adapter = "woocommerce"

    def made(self) -> Shop:
        return WooShop("woocommerce", clock=SandboxClock(NOON, speed=0))

    def parcels(self, simulator: Shop, order: dict[str, Any]) -> list[str]:
        kept = [one["value"] for one in order["meta_data"] if "tracking_items" in one["key"]]
        return [one["tracking_number"] for items in kept for one in items]
