"""The whole way with a simulated warehouse, by HTTP alone: told, asked, read, and its stock compared."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.test import Client

from config.kernel.models import CaseReport, Intent
from config.kernel.services import deliveries, intents
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder, NodeRequest, Parcel
from fulfillment.states import RequestState
from integrations import services
from integrations.models import InboxMessage
from integrations.sandbox import wms_lots
from integrations.sandbox.box import Reply, Request, Simulator, route
from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.wms import Wms
from integrations.warehouses import handlers, polling
from inventory.models import CountRequest, StockPosition
from inventory.services import request_counts
from inventory.types import CountWanted
from orders.services import cancel_units
from orders.types import CancelRequest
from tests.books import check_all
from tests.factories.fulfillment import BEN, work
from tests.factories.inventory import SkuFactory, stock
from tests.factories.kernel import NOON
from tests.factories.routing import SYSTEM
from tests.factories.warehouses import SECRET, TOKEN, a_warehouse, cases, sent
from tests.kernel.relaying import relay_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("integrations.api.urls")]

NEXT_DAY = NOON + timedelta(days=1)


class Ear(Simulator):
    """Keeps what is pushed to it, for a test to deliver."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, dict[str, str]]] = []
        super().__init__("ear")

    @route("POST", "/in")
    def hear(self, request: Request) -> Reply:
        self.heard.append((request.raw, {"X-Wms-Signature": request.headers["x-wms-signature"]}))
        return 200, {}


@pytest.fixture
def ear() -> Iterator[Ear]:
    listener = Ear()
    with listener.running():
        yield listener


@pytest.fixture
def wms() -> Iterator[Wms]:
    simulator = Wms("wms", 0, 7, clock=SandboxClock(NOON, speed=0))
    with simulator.running():
        yield simulator


@pytest.fixture
def place(wms):
    """A warehouse whose system is the simulator: (connection, SKU, node)."""
    ref, sku, node = a_warehouse(base_url=f"{wms.url}/east")
    return ref, sku, node


def shelves(wms, units: dict[str, int], **more: Any) -> dict[str, Any]:
    body = {"node": "east", "secret": SECRET, "token": TOKEN, "shelves": units, "off_share": 0}
    answer = httpx.put(f"{wms.url}/_sandbox/shelves", json=body | more)
    assert answer.status_code == 200
    return answer.json()


def hand_on(at: datetime) -> None:
    relay_all()
    deliveries.run_shards(handlers.CONSUMER, range(64), at=at)


def carry_out(at: datetime = NOON) -> None:
    """Events to intents, and intents to the outside."""
    hand_on(at)
    Intent.objects.for_scope(ALL_ACCOUNTS).filter(state__in=["pending", "unknown"]).update(
        due_at="2026-01-01T00:00:00Z"
    )
    while intents.run_due(at=at, limit=50):
        pass


def move_on(wms, to: datetime) -> None:
    httpx.post(f"{wms.url}/_sandbox/tick", json={"now": to.isoformat(), "wait": 10})


def read(ref, at: datetime = NEXT_DAY) -> polling.Turn:
    return polling.ask_connection(ref, at=at, actor=BEN)


def sellable(sku, node) -> int:
    return StockPosition.objects.for_scope(ALL_ACCOUNTS).get(sku=sku, node=node).sellable


def test_orders_are_told_worked_on_and_read_to_the_door(wms, place):
    ref, sku, node = place
    shelves(wms, {sku.code: 1000})
    made = [sent(ref, sku, node, 2) for _ in range(6)]

    carry_out()
    move_on(wms, NEXT_DAY)
    assert len(wms.store["orders"]) == 6
    told = wms.store["orders"][f"east/{made[0][1].number}"]
    assert told["lines"][0]["sku"] == sku.code

    turn = read(ref)

    assert turn.messages == 6
    states = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True)
    assert set(states) <= {"shipped", "cancelled"}
    assert Parcel.objects.for_scope(ALL_ACCOUNTS).exclude(tracking_number="").exists()
    assert check_all() == []


def test_what_is_read_twice_counts_once(wms, place):
    ref, sku, node = place
    shelves(wms, {sku.code: 1000})
    sent(ref, sku, node, 2)
    carry_out()
    move_on(wms, NEXT_DAY)
    read(ref)

    assert read(ref).messages == 0


def test_pushes_are_proven_and_make_the_reading_a_repeat(wms, place, ear):
    ref, sku, node = place
    shelves(wms, {sku.code: 1000}, webhook_url=f"{ear.url}/in")
    _, order = sent(ref, sku, node, 2)
    carry_out()
    move_on(wms, NEXT_DAY)

    answers = [deliver(ref, raw, headers) for raw, headers in ear.heard]
    forged = deliver(ref, ear.heard[0][0] + b" ", ear.heard[0][1])

    assert {answer.status_code for answer in answers} == {200}
    assert forged.status_code == 401
    assert work(order.pk).state in {"shipped", "cancelled"}
    read(ref)
    polled = InboxMessage.objects.for_scope(ALL_ACCOUNTS).filter(kind="order.state")
    assert set(polled.values_list("code", flat=True)) == {"repeated"}
    assert check_all() == []


def deliver(ref, raw: bytes, headers: dict[str, str]):
    path = f"/webhooks/wms/{ref.code}"
    return Client().post(path, raw, content_type="application/json", headers=headers)


def test_an_empty_shelf_is_a_short_that_waits_again(wms, place):
    ref, sku, node = place
    shelves(wms, {sku.code: 1})
    placed, order = sent(ref, sku, node, 3)
    carry_out()
    move_on(wms, NEXT_DAY)

    read(ref)

    line = placed.line()
    assert (line.shipped + line.cancelled, line.pending) in {(1, 2), (0, 3)}
    assert order.lines.get().short in {2, 0}
    assert check_all() == []


def test_a_cancel_is_asked_and_the_answer_is_the_truth(wms, place):
    ref, sku, node = place
    shelves(wms, {sku.code: 1000})
    placed, _ = sent(ref, sku, node, 2)
    cancel_units([CancelRequest(placed.order.pk, reason="changed my mind")], at=NOON, actor=BEN)

    carry_out()
    assert [one["quantity"] for one in wms.store["requests"].values()] == [2]
    move_on(wms, NEXT_DAY)
    read(ref)

    request = NodeRequest.objects.for_scope(ALL_ACCOUNTS).get()
    assert request.state != RequestState.SENT
    assert placed.line().cancelled == request.granted
    assert check_all() == []


def test_a_cancel_that_both_sides_agree_on_is_no_contradiction(wms, place):
    ref, sku, node = place
    shelves(wms, {sku.code: 1000})
    placed, order = sent(ref, sku, node, 2)
    cancel_units([CancelRequest(placed.order.pk, reason="changed my mind")], at=NOON, actor=BEN)
    carry_out()
    [asked] = wms.store["requests"].values()
    wms.dice.seed(1)
    asked["due"] = NOON.isoformat()
    move_on(wms, NEXT_DAY)

    read(ref)

    assert work(order.pk).state == "cancelled"
    assert not cases("WAREHOUSE_DISAGREES")


def test_a_system_that_was_restored_is_read_from_the_beginning(wms, place):
    ref, sku, node = place
    shelves(wms, {sku.code: 1000})
    sent(ref, sku, node, 2)
    carry_out()
    read(ref)
    wms.store["_sequences"]["changes"] = 0

    assert read(ref).messages == 1


def test_a_listening_connection_is_told_nothing_until_it_is_live(wms):
    ref, sku, node = a_warehouse(base_url=f"{wms.url}/east", live=False)
    shelves(wms, {sku.code: 1000})
    _, order = sent(ref, sku, node, 2)
    carry_out()
    assert not wms.store["orders"]

    ref = services.go_live(ref.id, at=NOON, actor=SYSTEM)
    assert read(ref, NOON + timedelta(hours=1)).lacking == 1
    carry_out()

    assert f"east/{order.number}" in wms.store["orders"]
    assert not cases("WAREHOUSE_LACKS_ORDER")


def test_an_order_that_got_lost_there_is_sent_again_with_one_case(wms, place):
    ref, sku, node = place
    shelves(wms, {sku.code: 1000})
    _, order = sent(ref, sku, node, 2)
    carry_out()
    wms.store["orders"].clear()

    read(ref, NOON + timedelta(hours=1))
    carry_out()

    assert f"east/{order.number}" in wms.store["orders"]
    assert cases("WAREHOUSE_LACKS_ORDER") == {f"WAREHOUSE_LACKS_ORDER:{order.pk}"}


def test_a_refusal_is_a_case_and_an_error_of_theirs_is_none(wms, place):
    ref, sku, node = place
    sent(ref, sku, node, 2)  # They have no such node yet.
    carry_out()
    assert CaseReport.objects.get().kind == "WAREHOUSE_REFUSED"

    shelves(wms, {sku.code: 1000})
    httpx.put(
        f"{wms.url}/_sandbox/failures",
        json={"failures": [{"kind": "server_error", "share": 1}]},
    )
    _, order = sent(ref, sku, node, 2)
    hand_on(NOON)
    intents.run_due(at=NOON)
    httpx.delete(f"{wms.url}/_sandbox/failures")
    carry_out()

    assert f"east/{order.number}" in wms.store["orders"]
    assert CaseReport.objects.count() == 1


def test_stock_that_differs_is_explained_taken_over_and_one_case_each(wms, place):
    ref, sku, node = place
    gone, swapped, partner, same = (SkuFactory(account=sku.account) for _ in range(4))
    for each in (gone, swapped, partner, same):
        stock(20, sku=each, node=node)
    book = {sku.code: 0, gone.code: 17, swapped.code: 19, partner.code: 21, same.code: 20}
    shelves(wms, {code: units for code, units in book.items() if code != sku.code})

    taken = read(ref, NEXT_DAY).stock

    causes = {one.sku: (one.units, str(one.cause)) for one in taken.differences}
    assert causes == {
        gone.code: (-3, "gone"),
        swapped.code: (-1, "swapped"),
        partner.code: (1, "swapped"),
    }
    assert [sellable(each, node) for each in (gone, swapped, partner, same)] == [17, 19, 21, 20]
    assert CaseReport.objects.filter(kind="WAREHOUSE_STOCK_DIFFERS").count() == 3
    assert check_all() == []


def test_a_list_that_cannot_be_whole_changes_nothing(wms, place):
    ref, sku, node = place
    stock(20, sku=sku, node=node)
    shelves(wms, {})

    taken = read(ref, NEXT_DAY).stock

    assert taken.doubt == "The list is empty."
    assert sellable(sku, node) == 20
    assert CaseReport.objects.get().kind == "WAREHOUSE_STOCK_DOUBTFUL"


def test_lots_are_named_at_the_pick_in_parcels_and_in_snapshots(wms, place, ear):
    ref, sku, node = place
    shelf = [
        {"lot": "LATE", "units": 6, "expires_on": "2027-06-01"},
        {"lot": "SOON", "units": 5, "expires_on": "2026-12-01"},
    ]
    shelves(wms, {sku.code: 11}, lots={sku.code: shelf}, webhook_url=f"{ear.url}/in")
    httpx.post(f"{wms.url}/_sandbox/snapshot", json={"node": "east"})
    sent(ref, sku, node, 2)
    carry_out()
    move_on(wms, NEXT_DAY)

    told = [json.loads(raw)["events"][0] for raw, _ in ear.heard]
    seen = next(one for one in told if one["type"] == "stock.snapshot")
    assert {row["lot"]: (row["quantity"], row["expires_on"]) for row in seen["rows"]} == {
        "SOON": (5, "2026-12-01"),
        "LATE": (6, "2027-06-01"),
    }
    picked = next(one for one in told if one["type"] == "order.picked")
    assert picked["lines"][0]["lots"][0]["lot"] == "SOON"
    packed = [one["parcel"]["lines"][0] for one in told if one["type"] == "order.packed"]
    assert [lot["lot"] for line in packed for lot in line["lots"]] == ["SOON"] * len(packed)
    rows = wms_lots.rows(sku.code, wms.store["shelves"]["east"][sku.code])
    assert sum(row["quantity"] for row in rows) == 9


def test_a_count_is_answered_by_a_list_where_the_building_counts_so(wms, place, ear):
    ref, sku, node = place
    stock(20, sku=sku, node=node)
    shelves(wms, {sku.code: 18}, webhook_url=f"{ear.url}/in", stocktakes=True)
    request_counts([CountWanted(sku.account_id, node.pk, sku.pk, "odd")], at=NOON, actor=BEN)

    carry_out()
    move_on(wms, NEXT_DAY)
    for raw, headers in ear.heard:
        deliver(ref, raw, headers)

    assert sellable(sku, node) == 18
    assert CountRequest.objects.for_scope(ALL_ACCOUNTS).get().state == "answered"


def test_a_count_is_asked_and_answered(wms, place, ear):
    ref, sku, node = place
    stock(20, sku=sku, node=node)
    shelves(wms, {sku.code: 18}, webhook_url=f"{ear.url}/in")
    asked = CountWanted(sku.account_id, node.pk, sku.pk, "looks odd")
    request_counts([asked], at=NOON, actor=BEN)

    carry_out()
    move_on(wms, NEXT_DAY)
    for raw, headers in ear.heard:
        deliver(ref, raw, headers)

    assert sellable(sku, node) == 18
