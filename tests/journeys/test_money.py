"""Stories of money: a card stands for the order, a provider over HTTP takes what was shipped."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.conftest import lines

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.timeout(900),
]


def test_money_is_taken_when_the_parcel_leaves_and_not_before(make_house, gateway):
    house = make_house()
    house.stock("TEE", NEWARK=5)
    order, card = house.order_by_card(lines(("TEE", 2)))
    (work,) = house.released(order["number"])
    house.pick_and_pack(work)
    assert house.read(order["id"])["payment_state"] == "authorized"
    assert house.money_of(order["id"]) == [("authorization", "live", 2000)]

    house.report(work, "ship")
    money = house.answered(order["id"], "capture", "succeeded")

    assert money == [
        ("authorization", "used", 2000),
        ("capture", "succeeded", 2000),
        ("invoice", "issued", 2000),
    ]
    assert gateway.store["authorizations"][card]["captured"] == 2000
    assert house.read(order["id"])["payment_state"] == "captured"


def test_an_order_cancelled_before_its_release_lets_the_card_go(make_house, gateway):
    house = make_house()
    house.stock("TEE", NEWARK=5)
    later = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    order, card = house.order_by_card(lines(("TEE", 2)) | {"not_before": later})

    assert house.say(order["id"], "cancel")["state"] == "cancelled"
    money = house.answered(order["id"], "authorization", "voided")

    assert money == [("authorization", "voided", 2000)]
    assert gateway.store["authorizations"][card]["status"] == "voided"
    assert gateway.store["authorizations"][card]["captured"] == 0
    assert house.work_of(order["number"]) == []


def test_only_what_was_shipped_is_taken_when_part_is_cancelled(make_house, gateway):
    house = make_house()
    house.stock("TEE", NEWARK=5)
    order, card = house.order_by_card(lines(("TEE", 3)))
    house.released(order["number"])
    line = house.read(order["id"])["groups"][0]["lines"][0]["id"]

    house.say(order["id"], "cancel", lines=[{"line_id": line, "quantity": 1}])
    house.ship(house.work_of(order["number"])[0], picked=2)
    money = house.answered(order["id"], "capture", "succeeded")

    assert [row for row in money if row[0] == "capture"] == [("capture", "succeeded", 2000)]
    assert [row for row in money if row[0] == "invoice"] == [("invoice", "issued", 2000)]
    assert gateway.store["authorizations"][card]["captured"] == 2000
    house.until(lambda: house.read(order["id"])["payment_state"] == "captured")


def test_a_lost_answer_is_looked_up_and_the_money_taken_once(make_house, gateway):
    house = make_house()
    house.stock("TEE", NEWARK=5)
    order, card = house.order_by_card(lines(("TEE", 1)), behavior="drop")
    (work,) = house.released(order["number"])

    house.ship(work)
    house.until(lambda: gateway.store["authorizations"].get(card))
    assert ("capture", "requested", 1000) in house.money_of(order["id"])
    money = house.answered(order["id"], "capture", "succeeded")

    assert [row for row in money if row[0] == "capture"] == [("capture", "succeeded", 1000)]
    assert gateway.store["authorizations"][card]["captured"] == 1000
