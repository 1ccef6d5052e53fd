"""A simulated marketplace sends orders until it is answered, believes only signed news, and punishes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from integrations.sandbox.marketplace import Marketplace
from tests.sandbox.shop_calls import NOON, Receiver, a_shop, an_order, ask

SECRET = "whsec_c2VjcmV0IG9mIHRoZSBtYXJrZXRwbGFjZQ=="
TAKEN = {"id": "0199-1", "number": "SO-1", "state": "captured"}
SETUP = {"key": "sy_agora_1", "webhook_secret": SECRET, "own_share": 0.0}


@pytest.fixture
def api() -> Iterator[Receiver]:
    """In place of our API: answers as it is told to."""
    with (made := Receiver()).running():
        made.reply = (201, TAKEN)
        yield made


@pytest.fixture
def market(api: Receiver) -> Iterator[Marketplace]:
    made = a_shop(Marketplace)
    assert isinstance(made, Marketplace)
    with made.running():
        ask(made, "PUT", "/_sandbox/shop", {**SETUP, "base_url": f"{api.url}/v1"})
        yield made


def told(market: Marketplace, topic: str, message: str = "msg_1", secret: str = SECRET) -> int:
    """One of our webhooks about the order."""
    body = json.dumps({"type": topic, "data": {"thread_id": TAKEN["id"]}})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, now, body),
    }
    return ask(market, "POST", "/webhooks", json.loads(body), **headers)[0]


def calls(api: Receiver, method: str = "POST") -> list[Any]:
    return [one for one in api.came if one.method == method]


def order_of(market: Marketplace) -> dict[str, Any]:
    [order] = market.store["orders"].values()
    found: dict[str, Any] = order
    return found


class TestOrders:
    def test_are_sent_with_the_key_and_a_draft_that_adds_up(self, api, market):
        an_order(market, {"SKU-0": 2})
        assert market.hooks.drain(5)

        [sent] = api.came
        draft = sent.json
        [group] = draft["groups"]
        assert (sent.path, sent.headers["authorization"]) == ("/v1/orders", "Bearer sy_agora_1")
        assert (group["fulfilled_by"], draft["tenders"][0]["collected_by"]) == ("us", "channel")
        lines = sum(line["total_minor"] for line in group["lines"])
        assert lines + draft["totals"]["shipping_minor"] == draft["totals"]["total_minor"]
        assert order_of(market)["theirs"] == {"id": TAKEN["id"], "number": TAKEN["number"]}

    def test_without_an_answer_are_sent_again_the_same_under_the_same_key(self, api, market):
        ask(market, "PUT", "/_sandbox/failures", {"failures": [{"kind": "drop"}]})
        an_order(market, {"SKU-0": 1})
        assert market.hooks.drain(5)
        ask(market, "DELETE", "/_sandbox/failures")
        ask(market, "PUT", "/_sandbox/failures", {"failures": [{"kind": "duplicate"}]})

        market.tick_now(NOON + timedelta(minutes=16))
        assert market.hooks.drain(5)
        market.tick_now(NOON + timedelta(hours=2))
        assert market.hooks.drain(5)

        assert len(api.came) == 2
        assert len({(one.headers["idempotency-key"], one.raw) for one in api.came}) == 1

    def test_that_are_refused_are_not_sent_again(self, api, market):
        api.reply = (422, {"type": "/problems/invalid", "code": "invalid"})
        an_order(market, {"SKU-0": 1})
        assert market.hooks.drain(5)
        market.tick_now(NOON + timedelta(hours=2))
        assert market.hooks.drain(5)

        assert (len(api.came), order_of(market)["refused"]) == (1, "invalid")

    def test_of_its_own_warehouse_say_so_and_are_expected_of_nobody(self, api, market):
        ask(market, "PUT", "/_sandbox/shop", {"own_share": 1.0})
        an_order(market, {"SKU-0": 1})
        market.tick_now(NOON + timedelta(days=9))
        assert market.hooks.drain(5)

        assert calls(api)[0].json["groups"][0]["fulfilled_by"] == "channel"
        assert order_of(market)["penalties"] == []

    def test_that_buyers_cancel_are_cancelled_with_us_and_stay_so_once_we_agree(self, api, market):
        order = an_order(market, {"SKU-0": 1})
        assert market.hooks.drain(5)
        ask(market, "POST", f"/_sandbox/orders/{order['id']}/cancel", {})
        assert market.hooks.drain(5)
        market.tick_now(NOON + timedelta(hours=2))
        assert market.hooks.drain(5)

        assert [one.path for one in calls(api)] == [
            "/v1/orders",
            f"/v1/orders/{TAKEN['id']}/cancel",
        ]
        assert calls(api)[1].json == {"reason": "buyer-cancelled", "initiator": "channel"}
        assert order_of(market)["cancelled_by"] == "buyer"


class TestNews:
    def test_acknowledge_an_order_when_they_are_signed(self, market):
        an_order(market, {"SKU-0": 1})
        assert market.hooks.drain(5)

        forged = told(market, "order.accepted", secret="whsec_Zm9yZ2Vk")
        assert (forged, order_of(market)["acknowledged_at"]) == (401, None)
        genuine = [told(market, "order.accepted") for _ in range(2)]

        assert (genuine, order_of(market)["acknowledged_at"]) == ([204, 204], NOON.isoformat())
        assert [entry["again"] for entry in market.log.of("webhook")] == [False, True]
        assert market.log.counts["forged"] == 1

    def test_have_it_read_the_order_for_parcels_and_for_what_the_seller_took_off(self, api, market):
        order = an_order(market, {"SKU-0": 2, "SKU-1": 1})
        assert market.hooks.drain(5)
        first, second = (line["id"] for line in order["lines"])
        api.reply = (200, an_order_of_ours(first, second))

        told(market, "parcel.shipped")
        told(market, "parcel.delivered", "msg_2")
        assert market.hooks.drain(5)

        known = order_of(market)
        assert [one["tracking"] for one in known["shipments"]] == ["9400-1"]
        assert [one["why"] for one in known["penalties"]] == ["seller_cancel"]
        assert len(calls(api, "GET")) == 2
        market.tick_now(NOON + timedelta(days=9))
        assert [one["why"] for one in known["penalties"]] == ["seller_cancel"]


def test_punishes_orders_that_nobody_takes_on_or_sends_in_time(market):
    an_order(market, {"SKU-0": 1})
    market.tick_now(NOON + timedelta(hours=23))
    assert order_of(market)["penalties"] == []

    market.tick_now(NOON + timedelta(hours=73))

    assert order_of(market)["penalties"] == [
        {"why": "unacknowledged", "at": (NOON + timedelta(hours=24)).isoformat()},
        {"why": "late_shipment", "at": (NOON + timedelta(hours=72)).isoformat()},
    ]


def an_order_of_ours(first: int, second: int) -> dict[str, Any]:
    """What our API shows of an order with one parcel sent and one unit taken off."""
    parcel = {
        "id": "0199-2",
        "number": "P-1",
        "state": "in_transit",
        "carrier_code": "usps",
        "tracking_number": "9400-1",
        "lines": [{"sku": "SKU-0", "quantity": 2}],
    }
    unsent = {**parcel, "id": "0199-3", "number": "P-2", "state": "packed", "tracking_number": ""}
    lines = [
        {"external_id": str(first), "quantities": {"ordered": 2, "shipped": 2, "cancelled": 0}},
        {"external_id": str(second), "quantities": {"ordered": 1, "shipped": 0, "cancelled": 1}},
    ]
    return {
        **TAKEN,
        "state": "accepted",
        "groups": [{"lines": lines}],
        "fulfillment_orders": [{"parcels": [parcel, unsent]}],
    }
