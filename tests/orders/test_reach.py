"""How far a caller of the orders API reaches: per account by permission, per channel by key."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from config.kernel.models import User
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Hold, Order
from orders.services import place_holds
from orders.types import HoldRequest
from tests.factories.kernel import (
    NOON,
    ApiKeyFactory,
    ChannelFactory,
    GrantFactory,
    RoleFactory,
    UserFactory,
)
from tests.factories.orders import ANNA, Shop, line, order_of, shop

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.orders.routes")]
URL = "/api/v1/orders"
VERBS: dict[str, dict[str, Any]] = {
    "cancel": {},
    "hold": {"reason": "look"},
    "release-hold": {},
    "retry-capture": {},
    "authorizations": {"reference": "auth-2", "amount_minor": 1000},
    "ask-for-payment": {},
}


def held(web: Shop) -> Order:
    order = web.accepted(line(web.sku(5)))
    place_holds([HoldRequest(order.pk, "fraud", "Card and address differ")], at=NOON, actor=ANNA)
    return order_of(order.pk)


def manager_here_auditor_there(here: Shop, there: Shop) -> APIClient:
    user: User = UserFactory()
    GrantFactory(user=user, account=here.account, role=RoleFactory(code="ops_manager"))
    GrantFactory(user=user, account=there.account, role=RoleFactory(code="auditor"))
    client = APIClient()
    client.force_login(user)
    return client


def key_of(web: Shop, *scopes: str, channel: Any = None) -> APIClient:
    key = ApiKeyFactory(
        account=web.account,
        channel=channel or web.channel,
        scopes=["api.orders.write", "api.orders.read", *scopes],
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


class TestTwoAccounts:
    @pytest.mark.parametrize("verb", VERBS)
    def test_no_verb_reaches_where_only_reading_is_permitted(self, web: Shop, verb: str) -> None:
        there = shop()
        order = held(there)

        answer = manager_here_auditor_there(web, there).post(
            f"{URL}/{order.pk}/{verb}", VERBS[verb], format="json"
        )

        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        assert order_of(order.pk).event_seq == order.event_seq

    @pytest.mark.parametrize("verb", ["cancel", "hold", "release-hold"])
    def test_a_verb_works_where_it_is_permitted(self, web: Shop, verb: str) -> None:
        order = held(web)

        answer = manager_here_auditor_there(web, shop()).post(
            f"{URL}/{order.pk}/{verb}", VERBS[verb], format="json"
        )

        assert answer.status_code in {200, 201}
        assert order_of(order.pk).event_seq > order.event_seq

    def test_reading_reaches_both_and_contacts_only_one(self, web: Shop) -> None:
        there = shop()
        ours, theirs = held(web), held(there)
        client = manager_here_auditor_there(web, there)

        assert {each["id"] for each in client.get(URL).data["results"]} == {
            str(ours.pk),
            str(theirs.pk),
        }
        assert client.get(f"{URL}/{ours.pk}?contacts=shown").status_code == 200
        assert client.get(f"{URL}/{theirs.pk}?contacts=shown").status_code == 403


class TestTwoChannels:
    @pytest.fixture
    def marketplace(self, web: Shop) -> APIClient:
        """A key of the same account's other channel."""
        return key_of(web, channel=ChannelFactory(account=web.account))

    @pytest.mark.parametrize("verb", VERBS)
    def test_no_verb_reaches_the_other_channels_order(
        self, web: Shop, marketplace: APIClient, verb: str
    ) -> None:
        order = held(web)

        answer = marketplace.post(f"{URL}/{order.pk}/{verb}", VERBS[verb], format="json")

        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        assert order_of(order.pk).event_seq == order.event_seq

    def test_neither_page_nor_list_shows_it(self, web: Shop, marketplace: APIClient) -> None:
        order = held(web)

        assert marketplace.get(f"{URL}/{order.pk}").status_code == 404
        assert marketplace.get(URL).data["results"] == []
        assert marketplace.get(f"{URL}?channel={web.channel.code}").data["results"] == []
        assert len(key_of(web).get(URL).data["results"]) == 1


class TestHoldsOfOthers:
    def test_stay_when_a_key_lifts_its_own(self, web: Shop) -> None:
        order, client = held(web), key_of(web)
        client.post(f"{URL}/{order.pk}/hold", {"reason": "look"}, format="json")

        answer = client.post(f"{URL}/{order.pk}/release-hold", {}, format="json")

        assert [each["outcome"] for each in answer.data["results"]] == ["done"]
        assert order_of(order.pk).holds_open == 1

    def test_are_refused_by_name(self, web: Shop) -> None:
        order = held(web)
        hold = order.holds.get()

        answer = key_of(web).post(
            f"{URL}/{order.pk}/release-hold", {"hold_ids": [str(hold.pk)]}, format="json"
        )

        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert order_of(order.pk).holds_open == 1

    def test_include_those_that_checks_placed_on_the_keys_own_order(self, web: Shop) -> None:
        client = key_of(web)
        sent = {
            "external_id": "W-9",
            "customer": {"name": "Ada", "email": "ada@example.com"},
            "groups": [
                {"lines": [{"external_id": "1", "sku_code": "unknown", "unit_price": "1.00",
                            "quantity": 1}]}
            ],
        }  # fmt: skip
        order_id = client.post(URL, sent, format="json").data["id"]
        assert {
            hold.placed_by
            for hold in Hold.objects.for_scope(ALL_ACCOUNTS).filter(order_id=order_id)
        } == {"checks"}

        answer = client.post(f"{URL}/{order_id}/release-hold", {}, format="json")

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_are_lifted_with_a_scope_of_its_own(self, web: Shop) -> None:
        order = held(web)

        answer = key_of(web, "orders.hold").post(
            f"{URL}/{order.pk}/release-hold", {}, format="json"
        )

        assert answer.status_code == 200
        assert order_of(order.pk).holds_open == 0
