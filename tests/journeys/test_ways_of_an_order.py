"""Stories of orders, told over HTTP, with a real worker doing what nobody asks for."""

from datetime import UTC, datetime, timedelta

import pytest

from config.kernel.masking import masked
from tests.factories.integrations import signed
from tests.integrations.documents import shop_order
from tests.journeys.conftest import ADDRESS, lines

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.timeout(900),
]

CANARY, CANARY_PHONE = "Zyxcanary", "+15185559731"
CANARY_ADDRESS = {"name": CANARY, "line1": "4711 Zyxcanary Lane"}


def later(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def test_an_order_is_released_labelled_shipped_and_delivered(make_house):
    house = make_house()
    house.stock("TEE", NEWARK=5)

    order = house.order(lines(("TEE", 2)))
    assert (order["state"], order["progress"]) == ("accepted", "reserved")

    (work,) = house.released(order["number"])
    house.report(work, "acknowledge", external_id="WMS-1")
    (parcel,) = house.pick_and_pack(work)
    asked = house.nodes.post("/api/v1/parcels/labels", {"parcels": [parcel]}, format="json")
    assert asked.status_code == 200, asked.content
    labelled = house.until(
        lambda: (
            row
            if (row := house.client.get(f"/api/v1/parcels/{parcel}").json())["tracking_number"]
            else None
        )
    )
    assert labelled["state"] == "labelled"
    label = house.client.get(f"/api/v1/parcels/{parcel}/label")
    assert label.content.startswith(b"%PDF")
    house.report(work, "ship")
    assert house.read(order["id"])["progress"] == "shipped"

    house.track(parcel, "delivered", later(2))

    assert house.read(order["id"])["progress"] == "delivered"
    assert house.work_of(order["number"])[0]["state"] == "completed"
    house.until(lambda: house.read(order["id"])["state"] == "closed")


def test_an_order_that_no_node_holds_whole_is_split(make_house):
    house = make_house()
    house.stock("TEE", NEWARK=5)
    house.stock("MUG", RENO=5)

    order = house.order(lines(("TEE", 1), ("MUG", 1)))
    works = house.released(order["number"], 2)

    assert len({work["node"] for work in works}) == 2
    for work in works:
        house.ship(work)
    assert house.read(order["id"])["progress"] == "shipped"


def test_a_held_order_waits_and_goes_when_the_hold_is_released(make_house):
    house = make_house()
    house.stock("TEE", NEWARK=5)
    order = house.order(lines(("TEE", 1)), totals={"total_minor": 4_711})
    free = house.order(lines(("TEE", 2)))

    house.released(free["number"])
    assert order["holds"]
    assert house.work_of(order["number"]) == []

    house.say(order["id"], "release-hold", reason="checked")

    assert house.released(order["number"])[0]["state"] == "released"


def test_a_short_unit_is_sent_from_another_node(make_house):
    house = make_house()
    house.stock("TEE", NEWARK=5, RENO=5)
    order = house.order(lines(("TEE", 2)))
    (first,) = house.released(order["number"])

    line = first["lines"][0]["id"]
    house.report(first, "short", shorts=[{"line": line, "short": 2, "reason": "missing"}])
    second = house.released(order["number"], 2)[1]

    assert house.work_of(order["number"])[0]["state"] == "cancelled"
    assert second["node"] != first["node"]
    house.ship(second)
    assert house.read(order["id"])["progress"] == "shipped"


def test_a_short_unit_that_nobody_has_waits_for_stock_and_goes_when_it_comes(make_house):
    house = make_house()
    house.stock("TEE", NEWARK=2)
    order = house.order(lines(("TEE", 2)))
    (work,) = house.released(order["number"])

    line = work["lines"][0]["id"]
    house.report(work, "short", shorts=[{"line": line, "short": 2, "reason": "missing"}])
    house.until(lambda: house.read(order["id"])["progress"] == "backordered")

    assert house.work_of(order["number"])[0]["state"] == "cancelled"
    assert house.until(lambda: house.cases_of(order["id"])) == ["UNFILLABLE"]

    house.stock("TEE", RENO=2)
    later_work = house.released(order["number"], 2)[1]
    assert later_work["node"] != work["node"]
    house.ship(later_work)
    assert house.read(order["id"])["progress"] == "shipped"
    house.until(lambda: house.cases_of(order["id"]) == [])


def test_what_a_person_is_called_stands_nowhere_in_clear(make_house):
    """Through hold, note, short, shipment and delivery: only sealed columns may know the buyer."""
    house = make_house()
    house.stock("TEE", NEWARK=2, RENO=5)
    order = house.order(
        {**lines(("TEE", 2)), "address": {**ADDRESS, **CANARY_ADDRESS}},
        customer={"name": CANARY, "email": f"{CANARY}@example.com", "phone": CANARY_PHONE},
        totals={"total_minor": 4_711},
        note=f"Ring at {CANARY}",
    )
    house.say(order["id"], "release-hold", reason="checked")
    (first,) = house.released(order["number"])
    line = first["lines"][0]["id"]
    house.report(first, "short", shorts=[{"line": line, "short": 2, "reason": "missing"}])
    (parcel,) = house.ship(house.released(order["number"], 2)[1])
    house.track(parcel, "delivered", later(2))
    house.until(lambda: house.read(order["id"])["state"] == "closed")

    assert house.read(order["id"])["groups"][0]["address"]["name"] == masked(CANARY)
    assert house.tables_with(CANARY, CANARY_PHONE[-7:], CANARY_ADDRESS["line1"]) == []
    assert CANARY not in house.worker.log.read_text()


def test_an_order_is_cancelled_before_its_release(make_house):
    house = make_house()
    house.stock("TEE", NEWARK=3)
    order = house.order(lines(("TEE", 2)), totals={"total_minor": 4_711})
    assert order["progress"] == "reserved"

    assert house.say(order["id"], "cancel", reason="changed my mind")["state"] == "cancelled"

    assert house.order(lines(("TEE", 3)))["progress"] == "reserved"


def test_an_order_is_cancelled_after_its_release_and_the_node_has_the_last_word(make_house):
    house = make_house()
    house.stock("TEE", NEWARK=9)
    waiting, begun = house.order(lines(("TEE", 1))), house.order(lines(("TEE", 2)))
    house.released(waiting["number"])
    (work,) = house.released(begun["number"])

    assert house.say(waiting["id"], "cancel")["state"] == "cancelled"
    assert house.work_of(waiting["number"])[0]["state"] == "cancelled"

    line = work["lines"][0]["id"]
    house.report(work, "pick", picks=[{"line": line, "picked": 2}])
    answer = house.say(begun["id"], "cancel")
    assert answer["results"][0]["asked"] == 2
    (question,) = house.client.get(f"/api/v1/fulfillment-orders/{work['id']}/requests").json()
    house.report(work, "answer-requests", answers=[{"request": question["id"], "granted": 2}])
    assert house.read(begun["id"])["state"] == "cancelled"


def test_a_webhook_that_comes_twice_makes_one_order(make_house):
    house = make_house()
    house.stock("TEE-M", NEWARK=9)
    document = shop_order()

    def send(message: str):
        raw, signature = signed(document)
        return house.client.post(
            f"/api/v1/webhooks/shopify/{house.network.channel.code}",
            raw,
            content_type="application/json",
            HTTP_X_SHOPIFY_HMAC_SHA256=signature,
            HTTP_X_SHOPIFY_WEBHOOK_ID=message,
            HTTP_X_SHOPIFY_TOPIC="orders/create",
        )

    answers = [send("m-1"), send("m-1"), send("m-2")]

    assert {answer.status_code for answer in answers} == {200}
    found = house.until(lambda: house.client.get("/api/v1/orders").json()["results"])
    assert len(found) == 1


def test_one_order_ships_in_two_parcels_on_two_days(make_house):
    house = make_house()
    house.stock("TEE", NEWARK=5)
    order = house.order(lines(("TEE", 3)))
    (work,) = house.released(order["number"])

    (monday,) = house.ship(work, picked=1)
    assert house.read(order["id"])["progress"] == "partly_shipped"
    house.track(monday, "delivered", later(1))
    assert house.read(order["id"])["progress"] in {"partly_delivered", "partly_shipped"}
    (tuesday,) = house.ship(work, picked=3)
    house.track(tuesday, "delivered", later(3))

    assert house.read(order["id"])["progress"] == "delivered"
    assert house.work_of(order["number"])[0]["state"] == "completed"


def test_an_order_of_mixed_groups_goes_each_its_own_way(make_house):
    house = make_house("NEWARK", "RENO", pickup=("NEWARK",))
    house.stock("TEE", RENO=5)
    house.stock("MUG", NEWARK=5)
    store = f"NEWARK-{str(house.network.account.pk)[-6:]}"
    shipped = lines(("TEE", 1))
    collected = lines(("MUG", 1)) | {"method": "pickup", "pickup_node_code": store}
    elsewhere = lines(("TEE", 1)) | {"fulfilled_by": "channel"}
    for group in (collected, elsewhere):
        group["lines"][0]["external_id"] += f" {group.get('method', 'channel')}"

    order = house.order(shipped, collected, elsewhere)
    works = {work["method"]: work for work in house.released(order["number"], 2)}

    assert set(works) == {"ship", "pickup"}
    house.ship(works["ship"])
    line = works["pickup"]["lines"][0]["id"]
    house.report(works["pickup"], "pick", picks=[{"line": line, "picked": 1}])
    house.report(works["pickup"], "pack")
    house.report(works["pickup"], "collect", collected_by="buyer")
    states = {work["method"]: work["state"] for work in house.work_of(order["number"])}
    assert states == {"ship": "shipped", "pickup": "collected"}
