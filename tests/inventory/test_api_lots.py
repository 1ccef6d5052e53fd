"""The lots API: dated, held, released, recalled and followed by those who may."""

from datetime import date

import pytest
from rest_framework.test import APIClient

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Lot
from tests.factories.inventory import SkuFactory, reread, stock
from tests.factories.kernel import GrantFactory, RoleFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]

URL = "/api/v1/lots/"


def who(account, *permissions):
    user = UserFactory()
    GrantFactory(
        user=user,
        account=account,
        role=RoleFactory(code="-".join(permissions)[:32], permissions=list(permissions)),
    )
    client = APIClient()
    client.force_authenticate(user)
    return client


def send(client, verb, body):
    return client.post(f"{URL}{verb}/", body, format="json", HTTP_IDEMPOTENCY_KEY=f"{verb}-1")


def test_a_lot_is_dated_held_released_recalled_and_traced(django_capture_on_commit_callbacks):
    def post(client, verb, body):
        """Send it, and let what follows the commit happen."""
        with django_capture_on_commit_callbacks(execute=True):
            return send(client, verb, body)

    sku = SkuFactory()
    position = stock(5, sku=sku, lot="A", expires_on=date(2027, 1, 1))
    lot = Lot.objects.for_scope(ALL_ACCOUNTS).get(code="A")
    quality = who(sku.account, "inventory.view", "inventory.adjust", "inventory.recall")
    stop = {"lots": [lot.pk, 10**9], "reason": "smells"}

    dated = post(
        quality,
        "define",
        {
            "lots": [
                {"sku": sku.code, "code": "A", "expires_on": "2027-02-01"},
                {"sku": "?", "code": "B"},
            ]
        },
    )
    assert [one["outcome"] for one in dated.json()["results"]] == ["done", "refused"]
    held = post(quality, "hold", stop)
    assert [one.get("state") for one in held.json()["results"]] == ["held", None]
    assert reread(position.pk).sellable == 0
    assert post(quality, "release", stop | {"lots": [lot.pk]}).status_code == 200
    recalled = post(quality, "recall", stop | {"lots": [lot.pk]}).json()
    (shown,) = quality.get(URL, {"state": "recalled"}).json()["results"]
    assert (shown["recall"], shown["expires_on"]) == (recalled["recall"], "2027-02-01")
    trace = quality.get(f"{URL}{lot.pk}/trace/").json()
    assert (trace["on_sale"], trace["on_hand"], trace["issued"]) == (0, 5, [])
    lifted = post(quality, "lift", {"recall": recalled["recall"], "reason": "wrong"})
    assert lifted.json()["lots"] == [lot.pk]


def test_whoever_may_only_look_stops_nothing():
    sku = SkuFactory()
    stock(5, sku=sku, lot="A")
    lot = Lot.objects.for_scope(ALL_ACCOUNTS).get(code="A")
    looker = who(sku.account, "inventory.view")
    assert send(looker, "hold", {"lots": [lot.pk], "reason": "?"}).status_code == 403
    stranger = who(SkuFactory().account, "inventory.view", "inventory.recall")
    assert stranger.get(URL).json()["results"] == []
    refused = send(stranger, "hold", {"lots": [lot.pk], "reason": "?"}).json()["results"]
    assert refused[0]["problem"]["code"] == "not-found"
