"""The holds API as a shop meets it."""

import pytest
from rest_framework.test import APIClient

from inventory.models import Sku
from tests.factories.inventory import ChannelListingFactory, SkuFactory, reread, stock
from tests.factories.kernel import ApiKeyFactory, GrantFactory, RoleFactory, UserFactory
from tests.inventory.shops import Shop, a_shop

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]

URL = "/api/v1/holds/"
CLAIMS = "/api/v1/reservations/"


def key_of(shop: Shop, *scopes: str) -> APIClient:
    key = ApiKeyFactory(
        account=shop.account, channel=shop.channel, scopes=list(scopes or ["api.availability"])
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def as_keeper(shop: Shop, *permissions: str) -> APIClient:
    user, role = (
        UserFactory(),
        RoleFactory(code=f"keeper-{len(permissions)}", permissions=list(permissions)),
    )
    GrantFactory(user=user, account=shop.account, role=role)
    client = APIClient()
    client.force_login(user)
    return client


def send(client: APIClient, key: str, path: str, body: object = None):
    return client.post(f"{URL}{path}", body or {}, format="json", HTTP_IDEMPOTENCY_KEY=key)


def cart(sku: Sku | str, units: int):
    return {"cart": "c-1.a", "lines": [{"sku": str(getattr(sku, "code", sku)), "quantity": units}]}


def test_a_cart_is_held_seen_extended_and_given_back():
    shop = a_shop()
    position = stock(10, node=shop.nodes[0], sku=SkuFactory(account=shop.account))
    ChannelListingFactory(channel=shop.channel, sku=position.sku, external_sku="THEIRS")
    client = key_of(shop)

    held = send(client, "1", "", cart("THEIRS", 4))
    assert held.status_code == 200, held.json()
    assert held.json()["lines"] == [{"sku": "THEIRS", "quantity": 4, "outcome": "held", "free": 10}]
    assert send(client, "1", "", cart("THEIRS", 4)).json() == held.json()
    assert reread(position.pk).reserved == 4
    seen = client.get(f"{URL}c-1.a/").json()
    assert seen["claims"] == [{"sku": position.sku.code, "quantity": 4}]
    extended = send(client, "2", "c-1.a/extend/").json()
    assert extended["extensions_left"] == 2
    assert extended["expires_at"] > held.json()["expires_at"]
    assert client.delete(f"{URL}c-1.a/", HTTP_IDEMPOTENCY_KEY="3").status_code == 204
    assert reread(position.pk).reserved == 0
    assert client.get(f"{URL}c-1.a/").status_code == 404


def test_what_is_not_there_is_refused_with_what_is_free():
    shop = a_shop()
    position = stock(3, node=shop.nodes[0], sku=SkuFactory(account=shop.account))
    client = key_of(shop)

    refused = send(client, "1", "", cart(position.sku, 4)).json()
    assert (refused["expires_at"], refused["lines"][0]["outcome"]) == (None, "refused")
    assert refused["lines"][0]["free"] == 3
    assert send(client, "2", "", cart("nothing", 1)).status_code == 404
    long = cart(position.sku, 1) | {"minutes": 11}
    assert send(client, "3", "", long).status_code == 422
    assert send(key_of(shop, "api.stock.write"), "4", "", cart(position.sku, 1)).status_code == 403
    stranger = key_of(a_shop())
    assert stranger.get(f"{URL}c-1.a/", {"channel": shop.channel.code}).status_code == 404


def test_who_holds_what_is_listed_and_a_carts_units_go_elsewhere():
    shop = a_shop(nodes=2)
    sku = SkuFactory(account=shop.account)
    first, second = (stock(5 - place, node=node, sku=sku) for place, node in enumerate(shop.nodes))
    send(key_of(shop), "1", "", cart(sku, 4))
    keeper = as_keeper(shop, "inventory.view", "inventory.claim")

    (held,) = keeper.get(CLAIMS, {"sku": sku.code, "state": "held"}).json()["results"]
    assert (held["open"], held["node_id"], held["thread_id"] != "") == (4, first.node_id, True)
    wanted = {"node": shop.nodes[1].code, "quantity": 3}
    moved = keeper.post(f"{CLAIMS}{held['id']}/move/", wanted, format="json")
    assert moved.status_code == 200
    assert [reread(each.pk).reserved for each in (first, second)] == [1, 3]
    assert (
        keeper.get(CLAIMS, {"node": shop.nodes[1].code}).json()["results"][0]["id"]
        == (moved.json()["id"])
    )
    channels_own = key_of(shop, "api.orders.read").get(CLAIMS)
    assert channels_own.json()["errors"][0]["pointer"] == "?thread"
    assert as_keeper(shop, "inventory.view").post(f"{CLAIMS}{held['id']}/move/").status_code == 403
