"""Quotes through the API: what a shop is answered, and what only staff are."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from config.kernel import clock
from tests.factories.kernel import ApiKeyFactory, GrantFactory, RoleFactory
from tests.factories.routing import Network, a_network
from tests.routing.test_rules import only, publish, rule, when

pytestmark = pytest.mark.django_db
PATH = "/api/v1/promises/quote"
BODY = {"destination": {"postal_code": "10001"}, "lines": [{"sku": "TEE", "quantity": 1}]}


@pytest.fixture
def network() -> Network:
    made = a_network(pickup=("NEWARK",))
    made.stock("TEE", NEWARK=5)
    return made


def shop_of(network: Network) -> APIClient:
    scopes = ["api.availability", "api.orders.read", "api.orders.write"]
    key = ApiKeyFactory(account=network.account, channel=network.channel, scopes=scopes)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def test_a_shop_is_told_days_and_reasons_and_never_what_it_costs_us(network):
    shop, at = shop_of(network), clock.now()

    answer = shop.post(PATH, BODY, format="json", HTTP_IDEMPOTENCY_KEY="q-1")
    again = shop.post(PATH, BODY, format="json", HTTP_IDEMPOTENCY_KEY="q-1")

    quote = answer.json()
    assert answer.status_code == 201, quote
    assert again.json()["id"] == quote["id"]
    methods = [option["method"] for option in quote["options"]]
    assert sorted(methods) == ["pickup", "ship", "ship_to_store"]
    for option in quote["options"]:
        assert not {"cost_minor", "decision"} & option.keys()
        assert option["seconds_left"] > 0
        assert option["why"]
        assert option["holds_until"] <= quote["expires_at"]
    assert quote["at"] >= at.isoformat()
    assert shop.get(f"/api/v1/promises/quotes/{quote['id']}").json()["options"]


def test_staff_see_what_each_option_is_expected_to_cost_and_why_it_is_sent_from_there(network):
    client = APIClient()
    role = RoleFactory(permissions=["routing.view"])
    client.force_authenticate(GrantFactory(role=role, account=network.account).user)

    body = BODY | {"channel": network.channel.code, "methods": ["ship"]}
    [option] = client.post(PATH, body, format="json").json()["options"]

    assert option["cost_minor"] > 0
    assert "ships" in option["decision"][0]


def test_everything_wrong_with_a_request_is_named(network):
    shop = shop_of(network)

    def pointers(**change: object) -> list[str]:
        answer = shop.post(PATH, BODY | change, format="json")
        assert answer.status_code in {400, 422}, answer.json()
        return [error["pointer"] for error in answer.json()["errors"]]

    twice = [{"sku": "TEE"}, {"sku": "TEE"}]
    assert pointers(needed_by="2020-01-01", fixed_date="2020-01-01") == [
        "/needed_by",
        "/fixed_date",
        "/fixed_date",
    ]
    assert pointers(kind="product", lines=twice) == ["/lines/1/sku"]
    assert pointers(service_levels=["carrier-pigeon"], stores=["NOWHERE"]) == [
        "/service_levels/0",
        "/stores/0",
    ]
    assert pointers(lines=[{"sku": "TEE"}] * 51) == ["/lines"]


def order_of(shop: APIClient, *, quote: dict[str, str] | None = None, **said: object) -> Any:
    """Post an order of one TEE to New York; answers it as the API then shows it."""
    address = {"name": "Ada", "line1": "1 Main St", "city": "New York", "region": "NY"}
    line = {"external_id": "L-1", "sku_code": "TEE", "quantity": 1, "unit_price": "10"}
    group = {"lines": [line], "address": address | {"postal_code": "10001", "country": "US"}}
    tender = {"kind": "card", "amount_minor": 1_000, "collected_by": "channel"}
    body = {"external_id": "E-1", "tenders": [tender], **said}
    taken = shop.post(
        "/api/v1/orders",
        body | {"groups": [group | ({"quote": quote} if quote else {})]},
        format="json",
    )
    return shop.get(f"/api/v1/orders/{taken.json()['id']}").json()


def test_what_a_shop_says_of_its_customer_counts_for_its_quote_and_its_order(network):
    shop = shop_of(network)
    network.stock("TEE", RENO=5)
    for_staff = rule(when=[when("customer_tag", "is", "staff")], nodes=only(network, "RENO"))
    publish(network, for_staff)

    def quoted(**said: object) -> str:
        answer = shop.post(PATH, BODY | {"methods": ["ship"]} | said, format="json").json()
        return answer["options"][0]["parcels"][0]["node"]

    order = order_of(shop, customer_tags=["staff"])

    assert quoted().startswith("NEWARK")
    assert quoted(customer_tags=["staff"]).startswith("RENO")
    assert order["customer_tags"] == ["staff"]
    decisions = shop.get(f"/api/v1/orders/{order['id']}/decisions").json()
    assert str(decisions).count("own/one") >= 1


def test_an_order_through_the_api_names_the_option_that_was_taken(network):
    shop = shop_of(network)
    quote = shop.post(PATH, BODY | {"methods": ["ship"]}, format="json").json()
    [option] = quote["options"]

    order = order_of(shop, quote={"id": quote["id"], "option": option["id"]})

    assert order["groups"][0]["quote"] | {"id": ""} == {
        "id": "",
        "option": "1-ship",
        "outcome": "kept",
        "why": "",
        "detail": "",
    }
    assert order["groups"][0]["deliver_by"][:19] == option["latest_at"][:19]
