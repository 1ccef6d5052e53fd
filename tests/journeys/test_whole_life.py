"""An order's whole life among all the systems outside, by HTTP: bought, carried, sent back, refunded.

Simulators listen in threads and stand still until they are ticked; they push to a live server. What a
worker would do is done here, between two ticks.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from pytest_django.fixtures import _django_db_helper  # noqa: F401  # no worker takes part here
from pytest_django.live_server_helper import LiveServer

from config.kernel import clock, ticker
from config.kernel.models import CaseReport
from config.kernel.services import intents, jobs
from config.kernel.types import ALL_ACCOUNTS
from config.reports import moved, placed
from integrations import connections, services
from integrations.sandbox import fleet
from integrations.services import ConnectionDraft
from inventory.models import Node, StockPosition
from inventory.services import define
from routing.planner import Planner
from tests.books import check_all
from tests.factories.integrations import SECRET, a_connection
from tests.factories.kernel import ApiKeyFactory
from tests.factories.routing import SYSTEM, a_network
from tests.kernel.relaying import deliver_all

pytestmark = [
    pytest.mark.slow,  # so that it is not what a worker begins last
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]

MORNING = datetime(2026, 3, 3, 13, 0, tzinfo=UTC)
"""Of a Tuesday, eight o'clock at the node."""
SYSTEMS = ("shopify", "wms", "carrier", "gateway", "mailbox")
STOCK = {"TEE": 20, "MUG": 20}
TOKEN = "opens the systems outside to us"
SCOPES = ("api.fulfillment.write", "api.orders.read", "api.orders.write", "api.returns.write")
ADDRESS = {
    "name": "Ada Buyer",
    "line1": "12 Orchard Street",
    "city": "Brooklyn",
    "region": "NY",
    "postal_code": "11201",
    "country": "US",
}
NO_TROUBLE = dict.fromkeys(
    ("lost", "damaged", "refused", "delayed", "not_home", "no_first_scan"), 0
)


class World:
    """A retailer with one node, and every system outside that it has to do with."""

    def __init__(self, url: str, outside: Mapping[str, Any]) -> None:
        self.outside = outside
        self.hooks = f"{url}/api/v1/webhooks"
        self.network = a_network("NEWARK")
        self.node = Node.objects.for_scope(ALL_ACCOUNTS).get(pk=self.network.nodes["NEWARK"])
        key = ApiKeyFactory(account=self.network.account, scopes=list(SCOPES))
        bearer = {"Authorization": f"Bearer {key.secret}"}
        self.api = httpx.Client(base_url=f"{url}/api/v1", headers=bearer, timeout=60)
        self.system = httpx.Client(timeout=60)
        define.define_services(
            [define.ServiceDraft("standard", "Standard", "standard", "haul", "Haul")],
            at=MORNING,
            actor=SYSTEM,
        )
        for sku, units in STOCK.items():
            self.network.stock(sku, NEWARK=units)
        for name in SYSTEMS:
            self.tell(name, "POST", "clock", now=MORNING.isoformat(), speed=0)
        clock.set_to(MORNING, speed=0)
        # What the first plan of a process loads takes longer, on a busy machine, than a shop waits.
        Planner().plan([self.network.demand({"TEE": 1})], excluded=frozenset(), at=MORNING)
        self._connect_carrier()
        self._connect(
            "mail", "smtp", "mailbox", host="127.0.0.1", port=outside["mailbox"].smtp_port
        )

    # --- how both sides come to know of each other

    def connect_shop(self) -> None:
        """The channel's shop, with as many of each SKU as we have."""
        channel = self.network.channel
        channel.settings = {"service_levels": {"standard": "standard"}}
        channel.save()
        hook = f"{self.hooks}/shopify/{channel.code}"
        rate = {"bucket": 10_000, "per_second": 10_000}
        self.tell("shopify", "PUT", "shop", secret=SECRET, token=TOKEN, webhook_url=hook, rate=rate)
        items = [{"sku": sku, "price": "25.00", "stock": units} for sku, units in STOCK.items()]
        self.tell("shopify", "POST", "catalog", items=items)
        a_connection(
            channel,
            live=True,
            base_url=f"{self.outside['shopify'].url}/admin/api/2025-07",
            settings={"location_id": "655441491"},
            secrets={"webhook_secret": SECRET, "access_token": TOKEN},
        )

    def connect_warehouse(self) -> None:
        """The system that works at the node, whose shelves are as our book says."""
        self.node.has_wms = True
        self.node.save()
        said = {"node": "east", "secret": SECRET, "token": TOKEN, "pickups": ["18:30"]}
        hook = f"{self.hooks}/wms/wms"
        self.tell("wms", "PUT", "shelves", **said, shelves=STOCK, off_share=0, webhook_url=hook)
        self._connect("warehouse", "wms", "wms", path="/east", node_id=self.node.pk)

    def connect_gateway(self) -> None:
        self.tell("gateway", "PUT", "setup", api_key=TOKEN)
        self._connect("payments", "gateway", "gateway")

    def _connect_carrier(self) -> None:
        self.tell("carrier", "PUT", "setup", api_key=TOKEN, take="listed", odds=NO_TROUBLE)
        hook = {"url": f"{self.hooks}/easypost/carrier", "webhook_secret": SECRET}
        url = f"{self.outside['carrier'].url}/v2/webhooks"
        self.system.post(url, json={"webhook": hook}, auth=(TOKEN, "")).raise_for_status()
        self._connect(
            "carrier", "easypost", "carrier", carrier_code="haul", services={"*": "Ground"}
        )

    def _connect(
        self,
        kind: str,
        adapter: str,
        name: str,
        *,
        path: str = "",
        node_id: int | None = None,
        carrier_code: str = "",
        **settings: Any,
    ) -> None:
        """A live connection; its code is the system's name."""
        draft = ConnectionDraft(
            self.network.account.pk,
            kind,
            name,
            adapter,
            name,
            node_id=node_id,
            carrier_code=carrier_code,
            base_url=self.outside[name].url + path,
            settings=settings,
            secrets={"access_token": TOKEN, "webhook_secret": SECRET},
        )
        ref = services.define_connection(draft, at=MORNING, actor=SYSTEM)
        services.go_live(ref.id, at=MORNING, actor=SYSTEM)

    # --- time

    def live(self, **span: float) -> None:
        """Time goes on for all; what is due happens, is told, and is dealt with."""
        now = clock.now() + timedelta(**span)
        clock.set_to(now, speed=0)
        self._tick(now)
        for step in ticker.steps(quick=True) + ticker.steps(quick=False):
            step.run(now)
        self._work(now)
        self._tick(now)
        self._work(now)

    def _tick(self, now: datetime) -> None:
        for name in SYSTEMS:
            answer = self.tell(name, "POST", "tick", now=now.isoformat(), wait=30)
            assert answer["hooks_sent"], name

    def _work(self, now: datetime) -> None:
        while deliver_all(at=now) + intents.run_due(at=now, limit=50):
            pass
        for job_id in jobs.due_jobs():
            jobs.run_job(job_id, at=now)

    # --- asking

    def tell(self, name: str, method: str, path: str, **body: Any) -> dict[str, Any]:
        """A word to the control plane of a system outside."""
        url = f"{self.outside[name].url}/_sandbox/{path}"
        answer = self.system.request(method, url, json=body or None)
        answer.raise_for_status()
        return answer.json()

    def records(self, name: str, collection: str) -> dict[str, Any]:
        found = self.tell(name, "GET", f"records/{collection}")["records"]
        return {one["key"]: one["document"] for one in found}

    def log(self, name: str, kind: str) -> list[dict[str, Any]]:
        return self.tell(name, "GET", f"records/log?kind={kind}")["records"]

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """A call of our own API."""
        answer = self.api.request(method, path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json()

    def mail(self) -> list[dict[str, Any]]:
        """What lies in the buyers' mailbox, oldest first."""
        found = self.system.get(f"{self.outside['mailbox'].url}/messages").json()["messages"]
        assert {one["copies"] for one in found} == {1}
        return found[::-1]

    def tracker(self, number: str) -> dict[str, Any]:
        return self.records("carrier", "trackers")[number]

    def dock(self, number: str, **way: str) -> None:
        """The box stands where the carrier's driver finds it."""
        self.tell("carrier", "POST", "dock", parcels=[{"tracking_code": number, **way}])

    def money_of(self, order_id: str) -> list[tuple[str, str, int]]:
        rows = self.ask("GET", f"/orders/{order_id}")["money"]
        return sorted((row["kind"], row["state"], row["amount_minor"]) for row in rows)

    def on_hand(self) -> dict[str, int]:
        found = StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(node=self.node)
        return {one.sku.code: one.sellable for one in found.select_related("sku")}

    def is_at_peace(self) -> None:
        """Our books agree, nobody is asked to look at anything, and each push was taken at once."""
        assert check_all() == []
        assert list(CaseReport.objects.values_list("kind", "evidence")) == []
        pushed = [entry for name in SYSTEMS for entry in self.log(name, "hook")]
        assert pushed
        assert {entry["became"] for entry in pushed} == {"delivered"}

    # --- the way back

    def bring_back(self, returned: Mapping[str, Any]) -> Any:
        """Let in, labelled, posted, scanned, received, as new, and settled."""
        path = f"/returns/{returned['id']}"
        if returned["state"] == "requested":
            self.ask("POST", f"{path}/authorize", node=self.node.code)
        self.live(minutes=1)
        number = self.ask("GET", path)["tracking_number"]
        assert self.api.get(f"{path}/label").content.startswith(b"%PDF")
        self.dock(number)
        self.live(days=3)
        assert self.ask("GET", path)["state"] == "in_transit"
        self.live(days=5)
        assert self.tracker(number)["status"] == "delivered"
        self.ask("POST", f"{path}/receive", node=self.node.code)
        lines = self.ask("GET", path)["lines"]
        findings = [{"line": one["id"], "quantity": one["received"], "grade": "A"} for one in lines]
        self.ask("POST", f"{path}/inspect", findings=findings)
        self.ask("POST", f"{path}/settle")
        return self.ask("GET", path)


@pytest.fixture
def world(live_server: LiveServer, settings: Any) -> Iterator[World]:
    url = live_server.url.replace("localhost", "127.0.0.1")
    settings.PUBLIC_URL = url
    cache.delete_many([f"track:{method}:127.0.0.1" for method in ("GET", "POST")])
    with ExitStack() as open_until_then:
        systems = open_until_then.enter_context(fleet.running(fleet.build(SYSTEMS, port=0)))
        made = World(url, {one.name: one for one in systems})
        open_until_then.callback(made.api.close)
        open_until_then.callback(made.system.close)
        yield made
    connections.forget()


def test_bought_in_a_shop_shipped_by_a_warehouse_and_sent_back_by_the_buyers_page(world):
    world.connect_shop()
    world.connect_warehouse()
    placed_there = world.tell(
        "shopify",
        "POST",
        "orders",
        lines=[{"sku": "TEE", "quantity": 2}, {"sku": "MUG", "quantity": 1}],
        buyer={"address": {"city": "Brooklyn", "region": "NY", "zip": "11201"}},
        shipping="standard",
    )["order"]
    key = str(placed_there["id"])

    world.live(minutes=1)
    [order] = world.ask("GET", "/orders")["results"]
    assert (order["external_id"], order["state"]) == (key, "accepted")
    assert order["number"] in str(world.records("shopify", "orders")[key]["tags"])

    world.live(minutes=1)
    [work] = world.records("wms", "orders").values()
    assert [line["quantity"] for line in work["lines"]] == [2, 1]
    world.live(hours=2)
    world.live(hours=4)
    [parcel] = world.records("wms", "orders")[f"east/{work['order']}"]["parcels"]
    assert world.ask("GET", f"/orders/{order['id']}")["progress"] == "shipped"
    number = parcel["tracking_number"]
    world.dock(number, from_zip="07102", to_zip=work["to_zip"], service="Ground")
    world.live(days=1)
    assert world.tracker(number)["status"] == "in_transit"
    world.live(days=4)
    assert world.tracker(number)["status"] == "delivered"
    assert world.ask("GET", f"/orders/{order['id']}")["progress"] == "delivered"

    there = world.records("shopify", "orders")[key]
    assert [one["tracking"]["numbers"] for one in there["fulfillments"]] == [[number]]
    assert [entry["again"] for entry in world.log("shopify", "fulfilled")] == [False]
    letters = world.mail()
    name = placed_there["name"]
    assert [one["subject"] for one in letters] == [
        f"We have your order {name}",
        f"Your order {name} is on its way",
        f"Your order {name} was delivered",
    ]

    returned = world.bring_back(ask_on_the_page(world, letters[-1]["text"], postcode="11201"))
    back = {"node": "east", "sku": "TEE", "quantity": 1, "silently": True}
    world.tell("wms", "POST", "move", **back)
    world.live(hours=1)
    world.live(hours=1)

    due = returned["credited_minor"]
    assert due > 2_500
    there = world.records("shopify", "orders")[key]
    assert [(one["by"], one["amount"]) for one in there["refunds"]] == [("api", due)]
    assert [entry["again"] for entry in world.log("shopify", "refunded")] == [False]
    assert world.log("shopify", "refused") == []
    figures = world.records("shopify", "stock")
    assert {sku: one["available"] for sku, one in figures.items()} == {"TEE": 19, "MUG": 19}
    shelves = world.records("wms", "shelves")["east"]
    assert {sku: one["shelf"] + one["aside"] for sku, one in shelves.items()} == world.on_hand()
    ours = placed.orders_of(world.network.channel.code, scope=ALL_ACCOUNTS)[key]
    assert ours.tracking_numbers == {number}
    assert ours.lines == {
        (str(line["id"]), line["fulfilled"], line["cancelled"]) for line in there["lines"]
    }
    world.is_at_peace()


def ask_on_the_page(world, letter: str, *, postcode: str) -> dict[str, Any]:
    """The buyer follows the link of a letter and sends back one unit of the first line."""
    link = re.search(r"http://\S+/t/[\w-]+", letter)
    assert link is not None, letter
    page = world.system.get(f"{link[0]}/return").text
    [line, *_] = re.findall(r'name="units-([0-9a-f-]+)"', page)
    wish = {f"units-{line}": "1", f"reason-{line}": "defective", "postcode": postcode}
    answer = world.system.post(f"{link[0]}/return", data=wish)
    assert answer.status_code == 200, answer.text
    [returned] = world.ask("GET", "/returns")["results"]
    return returned


def test_paid_by_card_captured_per_parcel_and_given_back_by_a_return(world):
    world.connect_gateway()
    paid = world.system.post(
        f"{world.outside['gateway'].url}/v1/authorizations",
        json={"amount": 5_500, "currency": "USD", "token": "tok_ok"},
        headers={"Authorization": f"Bearer {TOKEN}"},
    ).json()
    lines = [
        {"external_id": sku, "sku_code": sku, "quantity": units, "unit_price": price}
        for sku, units, price in (("TEE", 2, "20.00"), ("MUG", 1, "15.00"))
    ]
    card = {"kind": "card", "collected_by": "us", "provider": "gateway", "amount_minor": 5_500}
    order = world.ask(
        "POST",
        "/orders",
        channel=world.network.channel.code,
        external_id="W-1",
        customer={"name": "Ada Buyer", "email": "ada@example.com"},
        groups=[{"address": ADDRESS, "service_level_code": "standard", "lines": lines}],
        tenders=[card | {"authorization_reference": paid["id"]}],
        totals={"total_minor": 5_500},
    )
    assert order["state"] == "accepted"

    world.live(minutes=1)
    [work] = world.ask("GET", f"/fulfillment-orders?order={order['number']}")["results"]
    path = f"/fulfillment-orders/{work['id']}"
    units = {line["id"]: line["requested"] for line in work["lines"]}
    world.ask("POST", f"{path}/pick", picks=[{"line": k, "picked": n} for k, n in units.items()])
    boxes = [{"contents": [{"line": k, "quantity": n}]} for k, n in units.items()]
    packed = world.ask("POST", f"{path}/pack", parcels=boxes)["results"]
    parcels = [pk for one in packed for pk in one["value"]["parcel_ids"]]
    world.ask("POST", "/parcels/labels", parcels=parcels)
    world.live(minutes=5)
    numbers = [world.ask("GET", f"/parcels/{pk}")["tracking_number"] for pk in parcels]
    assert set(numbers) == set(world.records("carrier", "trackers"))

    taken = []
    for pk, number in zip(parcels, numbers, strict=True):
        world.ask("POST", f"{path}/ship", parcels=[{"parcel": pk}])
        world.dock(number)
        world.live(minutes=5)
        taken.append(sorted(row[2] for row in world.money_of(order["id"]) if row[0] == "capture"))
    assert [sum(amounts) for amounts in taken] in ([4_000, 5_500], [1_500, 5_500])
    world.live(days=5)
    assert {world.tracker(number)["status"] for number in numbers} == {"delivered"}
    assert world.ask("GET", f"/orders/{order['id']}")["progress"] == "delivered"

    [group] = world.ask("GET", f"/orders/{order['id']}")["groups"]
    [mug] = [line for line in group["lines"] if line["external_id"] == "MUG"]
    wanted = [{"order_line": mug["id"], "quantity": 1, "reason": "defective"}]
    asked = world.ask("POST", "/returns", order=order["id"], lines=wanted)
    returned = world.bring_back(world.ask("GET", f"/returns/{asked['return_id']}"))
    world.live(hours=1)
    world.live(hours=1)

    assert returned["credited_minor"] == 1_500
    assert ("refund", "succeeded", 1_500) in world.money_of(order["id"])
    assert world.ask("GET", f"/returns/{returned['id']}")["state"] == "closed"
    balances = world.tell("gateway", "GET", "balances")["total"]
    [ours] = moved.through_provider("gateway", scope=ALL_ACCOUNTS)
    assert balances == {"captured": 5_500, "refunded": 1_500, "charged_back": 0}
    assert ours.amounts == tuple(balances.values())
    assert world.on_hand() == {"TEE": 18, "MUG": 20}
    subjects = [one["subject"] for one in world.mail()]
    assert [subject.replace(order["number"], "#") for subject in subjects] == [
        "We have your order #",
        *["Part of your order # is on its way"] * 2,
        *["A parcel of your order # was delivered"] * 2,
        "Your refund for order #: 15.00 USD",
    ]
    world.is_at_peace()
