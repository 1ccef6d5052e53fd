"""The SKU API: put in bulk with an outcome each, read with all that belongs to a SKU."""

import pytest
from rest_framework.test import APIClient

from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Sku, Substitute
from tests.factories.inventory import ANNA, ChannelNodeFactory, NodeFactory, stock
from tests.factories.kernel import (
    NOON,
    AccountFactory,
    ApiKeyFactory,
    BrandFactory,
    ChannelFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]

SKUS = "/api/v1/skus/"


def client_of(account, scope="api.catalog.write", channel=None):
    key = ApiKeyFactory(account=account, channel=channel, scopes=[scope])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def send(client, path, *items):
    response = client.post(f"{SKUS}{path}", {"items": items}, format="json")
    assert response.status_code == 200, response.content
    return response.json()["results"]


def test_an_assortment_is_put_and_read_back_whole():
    account = AccountFactory()
    BrandFactory(account=account, code="care")
    channel = ChannelFactory(account=account, code="web")
    node = NodeFactory(account=account)
    ChannelNodeFactory(channel=channel, node=node)
    client = client_of(account)

    told = send(
        client,
        "",
        {"code": "SERUM", "name": "Serum", "brand": "care", "expires": True, "price_minor": 900}
        | {"shelf_life_days": 700, "lot_tracked": True, "hazard_class": "3", "un_number": "1266"},
        {"code": "CREAM", "name": "Cream", "brand": "gone"},
        {"code": "BALM", "name": "Balm", "price_minor": 700},
        {"code": "SIX", "name": "Six serums", "kind": "kit"},
        {"code": "NAMELESS"},
    )
    assert [one["outcome"] for one in told] == ["done", "refused", "done", "done", "refused"]
    assert told[1]["problem"]["detail"] == "brand: The account has no such brand."
    part = {"kit": "SIX", "component": "SERUM", "quantity": 6}
    pack = {"sku": "SERUM", "level": "inner", "units": 6, "sold_as": "SIX"}
    codes = [
        {"sku": "SERUM", "value": "4006381333931"},
        {"sku": "SERUM", "value": "4006381333932"},
        {"sku": "SERUM", "value": "10614141000415", "level": "inner"},
    ]
    instead = {"sku": "SERUM", "substitute": "BALM", "channel": "web"}
    assert send(client, "components/", part)[0]["outcome"] == "done"
    assert send(client, "packs/", pack)[0]["outcome"] == "done"
    outcomes = [one["outcome"] for one in send(client, "barcodes/", *codes)]
    assert outcomes == ["done", "refused", "done"]
    proposed, unknown = send(client, "substitutes/", instead, instead | {"channel": "moon"})
    assert (proposed["outcome"], unknown["problem"]["code"]) == ("done", "unknown-channel")
    services.approve_substitutes(
        [Substitute.objects.for_scope(ALL_ACCOUNTS).get().pk], at=NOON, actor=ANNA
    )
    balm = Sku.objects.for_scope(ALL_ACCOUNTS).get(code="BALM")
    stock(4, sku=balm, node=node)

    (read,) = client.get(SKUS, {"barcode": "10614141000415", "channel": "web"}).json()["results"]

    assert (read["code"], read["brand"], read["hazmat"]) == ("SERUM", "care", True)
    assert [(one["level"], one["units"], one["barcodes"]) for one in read["packs"]] == [
        ("each", 1, ["4006381333931"]),
        ("inner", 6, ["10614141000415"]),
    ]
    (other,) = read["substitutes"]
    assert (other["sku"], other["free"], other["price_minor"]) == ("BALM", 4, 700)
    (kit,) = client.get(SKUS, {"code": "SIX"}).json()["results"]
    assert (kit["components"], kit["hazmat"]) == ([{"sku": "SERUM", "quantity": 6}], True)


def test_what_is_not_sent_stays_as_it_is():
    account = AccountFactory()
    client = client_of(account)
    send(client, "", {"code": "A", "name": "A", "hs_code": "330499", "weight_grams": 10})

    send(client, "", {"code": "A", "weight_grams": 12, "lifecycle": "phasing_out"})

    (read,) = client.get(SKUS, {"code": "A"}).json()["results"]
    assert (read["hs_code"], read["weight_grams"], read["lifecycle"], read["active"]) == (
        "330499",
        12,
        "phasing_out",
        True,
    )


def test_keys_without_the_catalogue_and_those_of_one_channel_change_nothing():
    account = AccountFactory()
    channel = ChannelFactory(account=account)
    item = {"items": [{"code": "A", "name": "A"}]}

    statuses = [
        client.post(SKUS, item, format="json").status_code
        for client in (
            client_of(account, "api.stock.write"),
            client_of(account, channel=channel),
            client_of(account),
        )
    ]

    assert statuses == [403, 404, 200]
    assert client_of(AccountFactory()).get(SKUS).json()["results"] == []
