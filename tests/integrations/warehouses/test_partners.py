"""Stores with tills and drop-ship suppliers, by HTTP alone: the same protocol, other habits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.test import Client

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services import expire_pickups, pull_back
from fulfillment.types import PullBack
from integrations.sandbox.box import Reply, Request, Simulator, route
from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.stores import Stores
from integrations.sandbox.stores_till import SALE
from integrations.sandbox.suppliers import Suppliers
from integrations.warehouses import polling
from inventory.models import StockPosition
from orders.models import Order, Promise
from orders.services import correct_addresses
from orders.types import AddressCorrection
from tests.books import check_all
from tests.factories.fulfillment import BEN, HOME, promised, released, work
from tests.factories.inventory import ChannelNodeFactory, SkuFactory, stock
from tests.factories.kernel import NOON, ApiKeyFactory, ChannelFactory
from tests.factories.warehouses import SECRET, TOKEN, a_warehouse, cases
from tests.integrations.warehouses.test_floor import carry_out

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("config.urls")]

EVENING = NOON + timedelta(hours=9)


class Ear(Simulator):
    """Keeps what is pushed to it, for a test to deliver."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        super().__init__("ear")

    @route("POST", "/in")
    @route("POST", "/api/v1/orders")
    def hear(self, request: Request) -> Reply:
        self.heard.append(request)
        return 200, {}


@pytest.fixture
def ear() -> Iterator[Ear]:
    listener = Ear()
    with listener.running():
        yield listener


@pytest.fixture
def stores() -> Iterator[Stores]:
    simulator = Stores("stores", 0, 7, clock=SandboxClock(NOON, speed=0))
    with simulator.running():
        yield simulator


@pytest.fixture
def suppliers() -> Iterator[Suppliers]:
    simulator = Suppliers("suppliers", 0, 7, clock=SandboxClock(NOON, speed=0))
    with simulator.running():
        yield simulator


def say(simulator: Simulator, method: str, path: str, **body: Any) -> dict[str, Any]:
    answer = httpx.request(method, f"{simulator.url}/_sandbox/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def open_house(simulator: Simulator, units: dict[str, int], **more: Any) -> None:
    say(
        simulator,
        "PUT",
        "shelves",
        node="east",
        secret=SECRET,
        token=TOKEN,
        shelves=units,
        off_share=0,
        **more,
    )


def move_on(simulator: Simulator, to: datetime) -> None:
    say(simulator, "POST", "tick", now=to.isoformat(), wait=10)


def hand_in(ref, ear: Ear) -> None:
    """Deliver what was pushed, and forget it."""
    for request in ear.heard:
        signature = {"X-Wms-Signature": request.headers["x-wms-signature"]}
        path = f"/api/v1/webhooks/{ref.adapter}/{ref.code}"
        kept = Client().post(path, request.raw, content_type="application/json", headers=signature)
        assert kept.status_code == 200
    ear.heard.clear()


def at_hand(sku, node) -> int:
    return StockPosition.objects.for_scope(ALL_ACCOUNTS).get(sku=sku, node=node).sellable


def shelf_of(simulator: Simulator, sku) -> int:
    lies = simulator.store["shelves"]["east"][sku.code]
    return int(lies["shelf"] + lies["aside"])


class TestAStore:
    def test_hands_pickups_out_ships_the_rest_and_loses_what_the_till_sold(self, stores):
        ref, sku, node = a_warehouse(base_url=f"{stores.url}/east")
        last = SkuFactory(account=sku.account)
        open_house(stores, {sku.code: 100, last.code: 1})
        pickups = [released({sku: 2}, node=node, method="pickup")[1] for _ in range(3)]
        _, parcel = released({sku: 1}, node=node)
        placed, sold = released({last: 1}, node=node)
        carry_out()
        stores.dice.seed(3)

        say(stores, "POST", "sell", node="east", lines={last.code: 1})
        move_on(stores, NOON + timedelta(days=4))
        polling.ask_connection(ref, at=NOON + timedelta(days=4), actor=BEN)

        states = {work(one.pk).state for one in pickups}
        assert states <= {"collected", "cancelled"}
        assert "collected" in states
        assert work(parcel.pk).state in {"shipped", "cancelled"}
        assert (work(sold.pk).state, placed.line().pending) == ("cancelled", 1)
        assert check_all() == []

    def test_puts_back_what_nobody_collects(self, stores):
        ref, sku, node = a_warehouse(base_url=f"{stores.url}/east")
        open_house(stores, {sku.code: 100})
        _, order = released({sku: 2}, node=node, method="pickup")
        carry_out()
        [document] = stores.store["orders"].values()
        document["script"].update(comes=False, rejects=False, acks="", in_steps=False)

        move_on(stores, NOON + timedelta(days=1))
        polling.ask_connection(ref, at=NOON + timedelta(days=1), actor=BEN)
        assert work(order.pk).state == "ready_for_pickup"
        late = NOON + timedelta(days=10)
        expire_pickups(limit=5, at=late, actor=BEN)
        move_on(stores, late)
        polling.ask_connection(ref, at=late, actor=BEN)

        assert work(order.pk).lines.get().cancelled == 2
        assert shelf_of(stores, sku) == 100
        assert check_all() == []

    def test_tells_each_sale_and_its_evening_so_that_the_book_is_the_shelf(self, stores, ear):
        ref, sku, node = a_warehouse(base_url=f"{stores.url}/east")
        stock(60, sku=sku, node=node)
        open_house(stores, {sku.code: 57}, webhook_url=f"{ear.url}/in", closes="20:00")
        say(stores, "PUT", "till", node="east", per_hour=2)

        move_on(stores, EVENING)
        hand_in(ref, ear)

        sales = stores.log.of("sale")
        assert 5 < len(sales) < 40
        assert at_hand(sku, node) == shelf_of(stores, sku)
        assert check_all() == []

    def test_sells_at_our_api_what_its_buyer_took_along(self, stores, ear):
        ref, sku, node = a_warehouse(base_url=f"{stores.url}/east")
        till = ChannelFactory(account=sku.account, kind="pos")
        ChannelNodeFactory(channel=till, node=node)
        key = ApiKeyFactory(account=sku.account, channel=till, scopes=["api.orders.write"])
        stock(9, sku=sku, node=node)
        open_house(stores, {sku.code: 9})
        stores.store["nodes"][node.code] = stores.store["nodes"]["east"]
        stores.store["shelves"][node.code] = stores.store["shelves"]["east"]
        till_of = {"api_url": f"{ear.url}/api/v1", "api_key": key.secret, "per_hour": 0}
        say(stores, "PUT", "till", node=node.code, prices={sku.code: 1999}, **till_of)

        say(stores, "POST", "sell", node=node.code, lines={sku.code: 2})
        assert stores.hooks.drain(5)
        [request] = ear.heard
        kept = Client().post(
            "/api/v1/orders",
            request.raw,
            content_type="application/json",
            headers={
                "Authorization": request.headers["authorization"],
                "Idempotency-Key": request.headers["idempotency-key"],
            },
        )

        assert kept.status_code == 201, kept.content
        order = Order.objects.for_scope(ALL_ACCOUNTS).get()
        assert (order.progress, order.total_minor) == ("delivered", 3998)
        assert at_hand(sku, node) == 7
        assert stores.log.of("hook")[-1]["topic"] == SALE
        assert ref.node_id == node.pk


class TestASupplier:
    def a_supplier(self, suppliers, **more: Any):
        ref, sku, node = a_warehouse(base_url=f"{suppliers.url}/east", adapter="supplier")
        open_house(suppliers, {sku.code: 100}, **more)
        return ref, sku, node

    def manners(self, suppliers, **shares: float) -> None:
        none = dict.fromkeys(("part", "later", "decline", "silent", "stale", "partial"), 0.0)
        say(suppliers, "PUT", "manners", **{**none, "sold_elsewhere": 0.0, **shares})

    def test_ships_what_it_accepts_under_its_own_number(self, suppliers):
        ref, sku, node = self.a_supplier(suppliers)
        self.manners(suppliers)
        _, order = released({sku: 2}, node=node)
        carry_out()

        move_on(suppliers, NOON + timedelta(days=2))
        polling.ask_connection(ref, at=NOON + timedelta(days=2), actor=BEN)

        assert work(order.pk).state == "shipped"
        assert work(order.pk).expected_at is not None
        [box] = Parcel.objects.for_scope(ALL_ACCOUNTS)
        assert box.tracking_number.startswith("D007")
        assert check_all() == []

    def test_that_ships_later_moves_the_promise(self, suppliers):
        ref, sku, node = self.a_supplier(suppliers)
        self.manners(suppliers, later=1.0)
        placed, order = released({sku: 2}, node=node)
        promised(placed)
        carry_out()

        move_on(suppliers, NOON + timedelta(hours=6))
        polling.ask_connection(ref, at=NOON + timedelta(hours=6), actor=BEN)

        first, second = Promise.objects.for_scope(ALL_ACCOUNTS).order_by("version")
        assert second.ship_by - first.ship_by >= timedelta(days=2)
        assert work(order.pk).ship_by == second.ship_by

    def test_takes_a_part_declines_or_says_nothing(self, suppliers):
        ref, sku, node = self.a_supplier(suppliers)
        outcomes = {}
        for manner in ("part", "decline", "silent"):
            self.manners(suppliers, **{manner: 1.0})
            outcomes[manner] = released({sku: 4}, node=node)
            carry_out()

        move_on(suppliers, NOON + timedelta(days=2))
        polling.ask_connection(ref, at=NOON + timedelta(days=2), actor=BEN)

        stands = {
            name: (work(order.pk).state, placed.line().shipped, placed.line().pending)
            for name, (placed, order) in outcomes.items()
        }
        assert stands == {
            "part": ("shipped", 2, 2),
            "decline": ("cancelled", 0, 4),
            "silent": ("released", 0, 0),
        }
        assert check_all() == []

    def test_tells_its_list_stale_or_in_part_and_the_book_stays_right(self, suppliers, ear):
        ref, sku, node = self.a_supplier(suppliers, webhook_url=f"{ear.url}/in")
        stock(40, sku=sku, node=node)
        self.manners(suppliers)
        move_on(suppliers, NOON + timedelta(days=1))
        hand_in(ref, ear)
        assert at_hand(sku, node) == 100

        say(suppliers, "POST", "move", node="east", sku=sku.code, quantity=-30, silently=True)
        self.manners(suppliers, partial=1.0)
        move_on(suppliers, NOON + timedelta(days=4))
        self.manners(suppliers, stale=1.0)
        move_on(suppliers, NOON + timedelta(days=5))
        hand_in(ref, ear)

        assert [one["became"] for one in suppliers.log.of("list")][-1] == "stale"
        assert at_hand(sku, node) == 70
        assert check_all() == []


def test_a_change_and_a_pull_back_go_over_the_wire_and_back(suppliers):
    ref, sku, node = a_warehouse(base_url=f"{suppliers.url}/east", adapter="supplier")
    open_house(suppliers, {sku.code: 100})
    suppliers.store["manners"].update(part=0, later=0, decline=0, silent=0)
    suppliers.dice.seed(2)
    placed, changed = released({sku: 2}, node=node)
    returned, pulled = released({sku: 3}, node=node)
    elsewhere = AddressCorrection(placed.group.pk, replace(HOME, postal_code="11202"))
    assert correct_addresses([elsewhere], at=NOON, actor=BEN)[0].ok
    assert pull_back([PullBack(pulled.pk)], at=NOON, actor=BEN)[0].value.asked == 3
    carry_out()
    asked = {one["kind"]: one for one in suppliers.store["requests"].values()}
    assert asked["change"]["to_zip"] == "11202"
    for one in asked.values():
        one["due"] = NOON.isoformat()

    move_on(suppliers, NOON + timedelta(days=3))
    polling.ask_connection(ref, at=NOON + timedelta(days=3), actor=BEN)

    told = {one["kind"]: one["granted"] for one in answers(suppliers)}
    placed.group.refresh_from_db()
    assert placed.group.postal_code == ("11202" if told["change"] else "11201")
    assert returned.line().pending == told["pull_back"]
    shipped = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).get(pk=changed.pk)
    assert shipped.state == "shipped"
    assert cases("WAREHOUSE_DISAGREES") == set()
    assert check_all() == []


def answers(simulator: Simulator) -> list[dict[str, Any]]:
    kinds = {key: one["kind"] for key, one in simulator.store["requests"].items()}
    return [{**one, "kind": kinds[one["request"]]} for one in simulator.log.of("answer")]
