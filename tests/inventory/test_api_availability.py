"""The availability API as a shop and as staff meet it."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from config.kernel import clock
from inventory import services
from tests.factories.inventory import (
    ANNA,
    ChannelListingFactory,
    InboundFactory,
    InboundLineFactory,
    SkuFactory,
    stock,
    want,
)
from tests.factories.kernel import ApiKeyFactory, GrantFactory, RoleFactory, UserFactory
from tests.inventory.shops import Shop, a_shop

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]

URL = "/api/v1/availability/"


def key_of(shop: Shop, *scopes: str, own: bool = True) -> APIClient:
    key = ApiKeyFactory(
        account=shop.account,
        channel=shop.channel if own else None,
        scopes=list(scopes or ["api.availability"]),
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def test_a_shop_asks_for_its_skus_now_and_later_by_the_codes_it_sells_them_under():
    shop = a_shop()
    position = stock(10, node=shop.nodes[0], sku=SkuFactory(account=shop.account))
    ChannelListingFactory(channel=shop.channel, sku=position.sku, external_sku="THEIRS")
    services.take([want(position, 4)], at=clock.now(), actor=ANNA)
    soon, later = (clock.now() + timedelta(days=days) for days in (1, 9))
    InboundLineFactory(
        inbound=InboundFactory(account=shop.account, node=shop.nodes[0]),
        sku=position.sku,
        eta_at=clock.now() + timedelta(days=5),
    )
    body = {"skus": ["THEIRS", "nothing"], "by": [soon.isoformat(), later.isoformat()]}

    answer = key_of(shop).post(URL, body, format="json")

    assert answer.status_code == 200, answer.json()
    known, unknown = answer.json()["results"]
    assert [figure["units"] for figure in known["figures"]] == [6, 15]
    assert (unknown["sku_id"], [figure["units"] for figure in unknown["figures"]]) == (None, [0, 0])


def test_the_terms_add_up_and_the_same_figures_are_not_sent_twice():
    shop = a_shop()
    position = stock(10, node=shop.nodes[0], sku=SkuFactory(account=shop.account))
    services.take([want(position, 4)], at=clock.now(), actor=ANNA)
    client = key_of(shop, own=False)
    query = {"sku": position.sku.code, "channel": shop.channel.code}

    plain = client.get(URL, query)
    opened = client.get(URL, {**query, "explain": "1"}).json()["results"][0]["figures"][0]
    again = client.get(URL, query, headers={"If-None-Match": plain["ETag"]})
    services.take([want(position, 1)], at=clock.now(), actor=ANNA)
    changed = client.get(URL, query, headers={"If-None-Match": plain["ETag"]})

    assert [(term["code"], term["units"]) for term in opened["terms"]] == [
        ("on_hand", 10),
        ("reserved", -4),
    ]
    assert opened["terms"][0]["rows"][0]["node"] == shop.nodes[0].code
    assert opened["units"] == 6
    assert again.status_code == 304
    assert changed.status_code == 200


def test_is_for_those_who_may_ask_about_a_channel_within_their_reach():
    shop, other = a_shop(), a_shop()
    query = {"sku": "A", "channel": shop.channel.code}

    assert key_of(shop, "api.stock.write").get(URL, query).status_code == 403
    assert key_of(other).get(URL, query).status_code == 404
    assert key_of(shop, own=False).get(URL, {"sku": "A"}).status_code == 422
    assert key_of(shop).post(URL, {"skus": ["A"] * 1_001}, format="json").status_code == 422
    keeper = UserFactory()
    role = RoleFactory(code="keeper", permissions=["inventory.view"])
    GrantFactory(user=keeper, account=shop.account, role=role, node_id=shop.nodes[0].pk)
    client = APIClient()
    client.force_login(keeper)
    assert client.get(URL, query).status_code == 200
    assert client.get(URL, {**query, "explain": "1"}).status_code == 403


def test_costs_as_many_statements_for_a_thousand_skus_as_for_one(django_assert_max_num_queries):
    shop = a_shop()
    skus = SkuFactory.create_batch(3, account=shop.account)
    client = key_of(shop)
    client.get(URL, {"sku": skus[0].code})

    with django_assert_max_num_queries(17):
        client.post(URL, {"skus": [sku.code for sku in skus] * 300}, format="json")
    with django_assert_max_num_queries(20):
        client.post(URL, {"skus": [sku.code for sku in skus], "explain": True}, format="json")
