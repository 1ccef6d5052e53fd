"""Drop-ship suppliers' offers: written by the API and by files, refused one by one, and ended."""

from datetime import date

import pytest
from rest_framework.test import APIClient

from config.kernel import versions
from config.kernel.types import ALL_ACCOUNTS
from inventory.exchange.offers import SUPPLIER_OFFERS
from inventory.models import SupplierOffer
from tests.factories.inventory import NodeFactory, SkuFactory
from tests.factories.kernel import ApiKeyFactory
from tests.inventory.test_exchange_inbound import written

pytestmark = pytest.mark.django_db
FIRST = date(2026, 3, 1)


class World:
    """An account with a supplier, a warehouse and a SKU."""

    def __init__(self) -> None:
        self.sku = SkuFactory(code="CHAIR")
        self.supplier = NodeFactory(account=self.sku.account, kind="supplier")
        self.warehouse = NodeFactory(account=self.sku.account)

    def row(self, **details: object) -> dict[str, object]:
        return {
            "supplier": self.supplier.code, "sku": "CHAIR", "valid_from": FIRST,
            "unit_cost_minor": 9_000, "currency": "USD", "lead_days": 3,
        } | details  # fmt: skip


def test_a_file_of_offers_is_the_same_when_it_comes_back_and_each_row_has_its_own_answer():
    world = World()
    other = SkuFactory(code="LAMP")

    told = written(
        SUPPLIER_OFFERS,
        world.sku.account_id,
        world.row(own_cost_minor=8_000, valid_until=date(2026, 6, 1)),
        world.row(supplier=world.warehouse.code),
        world.row(sku=other.code),
        world.row(valid_from=date(2026, 6, 1), valid_until=FIRST),
    )

    assert told == [
        None,
        ("supplier", "unknown-supplier"),
        ("sku", "unknown-sku"),
        ("valid_until", "period"),
    ]
    key = (world.supplier.code, "CHAIR", FIRST)
    [known] = SUPPLIER_OFFERS.current(world.sku.account_id, [key])
    assert known == world.row(
        own_cost_minor=8_000, valid_until=date(2026, 6, 1), least_units=1, source=""
    )
    assert [known] == list(SUPPLIER_OFFERS.current(world.sku.account_id, None))


def test_the_api_writes_lists_and_ends_offers_of_the_callers_account_alone():
    world = World()
    client, stranger = APIClient(), APIClient()
    key = ApiKeyFactory(account=world.sku.account, scopes=["api.catalog.write"])
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    other = ApiKeyFactory(scopes=["api.catalog.write"])
    stranger.credentials(HTTP_AUTHORIZATION=f"Bearer {other.secret}")
    body = {"offers": [world.row(offered_by="mail of March 1"), world.row(sku="?")]}
    url = "/api/v1/supplier-offers"

    answers = client.post(url, body, format="json", HTTP_IDEMPOTENCY_KEY="1").json()["results"]

    assert [one["outcome"] for one in answers] == ["done", "refused"]
    assert answers[1]["problem"]["code"] == "unknown-sku"
    [shown] = client.get(url, {"supplier": world.supplier.code}).json()["results"]
    assert (shown["sku"], shown["lead_days"], shown["offered_by"]) == (
        "CHAIR", 3, "mail of March 1",
    )  # fmt: skip
    assert stranger.get(url).json()["results"] == []
    end, day = f"{url}/{shown['id']}/end", {"on": "2026-04-01"}
    assert stranger.post(end, day, format="json", HTTP_IDEMPOTENCY_KEY="2").status_code == 404
    assert client.post(end, day, format="json", HTTP_IDEMPOTENCY_KEY="3").status_code == 204
    row = SupplierOffer.objects.for_scope(ALL_ACCOUNTS).get()
    assert (row.valid_until, row.source) == (date(2026, 4, 1), "mail of March 1")
    assert versions.read(["offers"]) == {"offers": 2}
