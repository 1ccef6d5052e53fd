"""The inbound API: announced, put off, received and cancelled."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Inbound, InboundLine, StockPosition
from tests.factories.inventory import (
    ANNA,
    InboundFactory,
    InboundLineFactory,
    NodeFactory,
    SkuFactory,
    future_want,
)
from tests.factories.kernel import NOON, ApiKeyFactory, ChannelFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]

URL = "/api/v1/inbound/"
DAY = timedelta(days=1)


def key_of(account, *scopes: str) -> APIClient:
    key = ApiKeyFactory(
        account=account, scopes=list(scopes or ["api.catalog.write", "api.stock.write"])
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def send(client: APIClient, key: str, path: str, body: object):
    return client.post(f"{URL}{path}", body, format="json", HTTP_IDEMPOTENCY_KEY=key)


def outcomes(answer) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [
        one.get("problem", {}).get("code") or one["outcome"] for one in answer.json()["results"]
    ]


def test_goods_are_announced_once_put_off_received_and_the_rest_cancelled():
    sku = SkuFactory()
    node = NodeFactory(account=sku.account)
    client = key_of(sku.account)
    line = {"sku": sku.code, "quantity": 10, "eta_at": (NOON + 3 * DAY).isoformat()}
    order = {"node": node.code, "number": "PO-1", "lines": [line]}
    other = order | {"number": "PO-2"}
    unknown = [other | {"node": "?"}, other | {"lines": [line | {"sku": "?"}]}]

    announced = send(client, "1", "", {"items": [order, order, *unknown]})
    assert outcomes(announced) == ["done", "repeated", "unknown-node", "unknown-sku"]
    assert outcomes(send(client, "2", "", {"items": [order, other]})) == ["repeated", "done"]
    assert InboundLine.objects.count() == 2
    first = announced.json()["results"][0]["id"]
    wanted = future_want(sku, 14, promised_at=NOON + 4 * DAY)
    services.reserve_future([wanted], at=NOON, actor=ANNA)

    shown = {one["number"]: one for one in client.get(URL, {"sku": sku.code}).json()["results"]}
    key = shown["PO-1"]["lines"][0]["id"]
    late = {"line": key, "eta_at": (NOON + 5 * DAY).isoformat()}
    slipped = send(client, "3", "slip/", {"items": [late], "reason": "strike"}).json()["results"]
    assert slipped == [{"outcome": "done", "waiting": 10, "broken": 4}]
    (line,) = client.get(f"{URL}{first}/").json()["lines"]
    assert [(one["reason"], one["source"]) for one in line["slips"]] == [("strike", "api")]
    came = {"items": [{"line": key, "quantity": 6, "external_id": "R-1"}]}
    assert outcomes(send(client, "4", f"{first}/receive/", came)) == ["done"]
    assert outcomes(send(client, "5", f"{first}/receive/", came)) == ["repeated"]
    position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(sku=sku)
    assert position.sellable == 6
    gone = {"ids": [first, first, 10**9]}
    assert outcomes(send(client, "6", "cancel/", gone)) == ["done", "repeated", "not-found"]
    assert Inbound.objects.for_scope(ALL_ACCOUNTS).get(pk=first).state == "cancelled"
    assert outcomes(send(client, "7", "cancel/", gone)) == ["repeated", "repeated", "not-found"]


def test_nobody_reaches_goods_of_others_or_decides_of_transfers():
    line = InboundLineFactory()
    transfer = InboundFactory(account=line.inbound.account, kind="transfer")
    own, stranger = key_of(line.inbound.account), key_of(SkuFactory().account)
    late = {"items": [{"line": line.pk, "eta_at": (NOON + 9 * DAY).isoformat()}]}
    came = {"items": [{"line": line.pk, "quantity": 1, "external_id": "R"}]}

    assert stranger.get(URL).json()["results"] == []
    assert outcomes(send(stranger, "1", "slip/", late)) == ["not-found"]
    assert outcomes(send(stranger, "2", "cancel/", {"ids": [line.inbound_id]})) == ["not-found"]
    assert send(stranger, "3", f"{line.inbound_id}/receive/", came).status_code == 404
    assert outcomes(send(own, "4", "cancel/", {"ids": [transfer.pk]})) == ["transfer"]
    clerk = key_of(line.inbound.account, "api.stock.write")
    assert send(clerk, "5", "slip/", late).status_code == 403


def test_notices_caps_and_suppliers_are_sent_and_read():
    sku = SkuFactory()
    node = NodeFactory(account=sku.account)
    channel = ChannelFactory(account=sku.account)
    client = key_of(sku.account)
    line = {"sku": sku.code, "quantity": 10, "eta_at": (NOON + 3 * DAY).isoformat()}
    order = {"node": node.code, "number": "PO-1", "supplier": "ACME", "lines": [line]}
    brings = line | {"quantity": 12, "of_order": "PO-1", "ahead_percent": 50}
    notice = order | {"number": "N-1", "order_kind": "asn", "lines": [brings]}
    lane = {"supplier": "ACME", "declared_hours": 24}
    cap = {"channel": channel.code, "sku": sku.code, "units": 4}

    def post(key: str, url: str, body: object):
        return client.post(f"/api/v1/{url}", body, format="json", HTTP_IDEMPOTENCY_KEY=key)

    assert outcomes(send(client, "1", "", {"items": [order]})) == ["done"]
    (told,) = send(client, "2", "", {"items": [notice]}).json()["results"]
    assert (told["outcome"], told["differs"]) == ("done", ["over"])
    assert outcomes(post("3", "supply-lanes/", {"items": [lane, lane | {"node": "?"}]})) == [
        "done",
        "unknown-node",
    ]
    (shown,) = client.get(f"{URL}{told['id']}/").json()["lines"]
    assert (shown["of_order"], shown["late_hours"], shown["late_by"]) == ("PO-1", 24, "declared")
    assert shown["sure_at"] == (NOON + 4 * DAY).isoformat()
    moved = {"items": [{"line": shown["id"], "eta_at": (NOON + 9 * DAY).isoformat()}]}
    assert outcomes(send(client, "4", "slip/preview/", moved)) == ["done"]
    limit = {"items": [{"line": shown["id"], "ahead_percent": 25}]}
    assert outcomes(send(client, "5", "limit/", limit)) == ["done"]
    caps = {"items": [cap, cap | {"sku": "?"}, cap | {"channel": "?"}]}
    assert outcomes(post("6", "ahead-caps/", caps)) == ["done", "unknown-sku", "unknown-channel"]
    (kept,) = client.get("/api/v1/ahead-caps/", {"sku": sku.code}).json()["results"]
    assert (kept["units"], kept["used"], kept["channel"]) == (4, 0, channel.code)
    assert outcomes(post("7", "ahead-caps/end/", {"ids": [kept["id"], 10**9]})) == [
        "done",
        "not-found",
    ]
    assert client.get("/api/v1/supply-lanes/").json()["results"][0]["late_hours"] == 24
    assert outcomes(send(client, "8", "close/", {"ids": [told["id"]]})) == ["conflict"]
    clerk = key_of(sku.account, "api.stock.write")
    for url in ("ahead-caps/", "supply-lanes/", "inbound/limit/", "inbound/close/"):
        answer = clerk.post(f"/api/v1/{url}", {}, format="json", HTTP_IDEMPOTENCY_KEY=url)
        assert answer.status_code == 403
