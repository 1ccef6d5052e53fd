"""Endpoints as an integrator meets them."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from config.kernel.models import Account
from integrations.webhooks_out import deliveries
from tests.factories import fulfillment as work
from tests.factories.buyers import told
from tests.factories.kernel import NOON, AccountFactory, ApiKeyFactory, ChannelFactory
from tests.factories.webhooks import IDA, an_endpoint

pytestmark = pytest.mark.django_db
URL = "/api/v1/webhook-endpoints"
DRAFT = {"name": "ERP", "url": "https://erp.example.com/hooks", "topics": ["order.*"]}


def client_of(account: Account, *scopes: str, **key: Any) -> APIClient:
    made = ApiKeyFactory(
        account=account,
        channel=key.pop("channel", None),
        scopes=list(scopes or ["api.webhooks.write"]),
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {made.secret}")
    return client


@pytest.fixture
def account(db: None) -> Account:
    made: Account = AccountFactory()
    return made


def test_an_endpoint_is_made_once_per_key_and_shows_its_secret_apart(account: Account) -> None:
    client = client_of(account)

    made = client.post(URL, DRAFT, format="json", HTTP_IDEMPOTENCY_KEY="e-1")
    again = client.post(URL, DRAFT, format="json", HTTP_IDEMPOTENCY_KEY="e-1")

    assert made.status_code == 201
    assert again.json()["id"] == made.json()["id"]
    assert "whsec_" not in made.content.decode()
    secret = client.get(f"{URL}/{made.json()['id']}/secret").json()["secret"]
    assert secret.startswith("whsec_")
    assert secret.endswith(made.json()["secret_hint"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "http://10.0.0.1/hooks"}, "unsafe-url"),
        ({"url": "https://erp.example.com:22/"}, ""),
        ({"topics": ["order.*", "ordr.captured"]}, "unknown-topic"),
    ],
)
def test_what_could_never_work_is_refused(
    account: Account, change: dict[str, Any], code: str, settings: Any
) -> None:
    settings.WEBHOOK_NETWORKS = []

    answer = client_of(account).post(URL, DRAFT | change, format="json")

    assert answer.status_code == 422
    assert code in answer.content.decode()


def test_it_may_hear_of_some_of_the_accounts_channels_alone(account: Account) -> None:
    client, own, foreign = client_of(account), ChannelFactory(account=account), ChannelFactory()

    made = client.post(URL, DRAFT | {"channels": [str(own.pk)]}, format="json")
    refused = client.post(URL, DRAFT | {"channels": [str(foreign.pk)]}, format="json")
    one = f"{URL}/{made.json()['id']}"
    renamed = client.patch(one, {"name": "ERP 2"}, format="json")
    opened = client.patch(one, {"channels": []}, format="json")

    assert made.json()["channels"] == renamed.json()["channels"] == [str(own.pk)]
    assert (refused.status_code, opened.json()["channels"]) == (422, [])
    assert refused.json()["errors"][0]["code"] == "unknown-channel"


def test_it_is_changed_switched_rotated_and_removed(account: Account) -> None:
    endpoint = an_endpoint(account=account)
    client, one = client_of(account), f"{URL}/{endpoint.pk}"

    changed = client.patch(one, {"topics": ["parcel.*"], "enabled": False}, format="json")
    rotated = client.post(f"{one}/rotate-secret")
    removed = client.delete(one)

    assert (changed.json()["topics"], changed.json()["state"]) == (["parcel.*"], "disabled")
    assert rotated.json()["secret_hint"] != endpoint.hint
    assert removed.status_code == 204
    assert client.get(one).status_code == 404


def test_the_log_is_listed_filtered_and_replayed(account: Account) -> None:
    order = work.released()[0].order
    endpoint = an_endpoint(account=order.account)
    deliveries.fan_out(
        [told("order.accepted", order), told("order.shipped", order)], at=NOON, actor=IDA
    )
    client, one = client_of(order.account), f"{URL}/{endpoint.pk}"

    every = client.get(f"{one}/deliveries").json()["results"]
    shipped = client.get(f"{one}/deliveries?topic=order.shipped").json()["results"]
    page = client.get(f"{one}/deliveries/{shipped[0]['id']}").json()
    replayed = client.post(
        f"{one}/replay", {"since": (NOON - timedelta(days=1)).isoformat()}, format="json"
    )

    assert (len(every), len(shipped)) == (2, 1)
    assert page["payload"]["type"] == "order.shipped"
    assert replayed.json() == {"count": 0, "more": False}  # both are on their way


def test_another_account_sees_nothing_of_it(account: Account) -> None:
    endpoint = an_endpoint(account=account)
    stranger = client_of(AccountFactory())

    assert stranger.get(f"{URL}/{endpoint.pk}").status_code == 404
    assert stranger.get(f"{URL}/{endpoint.pk}/secret").status_code == 404
    assert stranger.get(URL).json()["results"] == []


def test_a_channels_key_and_other_scopes_are_kept_out(account: Account) -> None:
    channel = ChannelFactory(account=account)

    assert client_of(account, "api.orders.read").get(URL).status_code == 403
    assert client_of(account, channel=channel).get(URL).status_code == 403
