"""Pledges through the API: what a channel promises its buyers is written, seen and ended."""

import pytest
from rest_framework.test import APIClient

from tests.factories.kernel import (
    AccountFactory,
    ApiKeyFactory,
    ChannelFactory,
    GrantFactory,
    RoleFactory,
)

pytestmark = pytest.mark.django_db
PATH = "/api/v1/promises/pledges"


def planner(account) -> APIClient:
    role = RoleFactory(permissions=["routing.view", "routing.edit"])
    client = APIClient()
    client.force_authenticate(GrantFactory(role=role, account=account).user)
    return client


def test_a_pledge_is_written_seen_by_its_account_alone_and_ended_once():
    channel = ChannelFactory()
    client, stranger = planner(channel.account), planner(AccountFactory())
    body = {"channel": channel.code, "ship_days": 1, "cutoff": "14:00"}

    made = client.post(PATH, body, format="json")
    again = client.post(PATH, body | {"deliver_days": 4}, format="json")
    end = f"{PATH}/{made.json()['id']}/end"

    assert (made.status_code, again.status_code) == (201, 201), made.json()
    found = client.get(PATH, {"channel": channel.code}).json()["results"]
    assert [(one["ship_days"], one["deliver_days"]) for one in found] == [(1, 4), (1, None)]
    assert found[1]["cutoff"] == "14:00:00"
    assert stranger.get(PATH).json()["results"] == []
    assert stranger.post(end).status_code == 404
    assert client.post(end).json()["ends_at"]
    assert client.post(end).status_code == 409


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"channel": ""}, "/channel"),
        ({"ship_days": -1}, "/ship_days"),
        ({"service_level": "by_drone"}, "/service_level"),
    ],
)
def test_what_is_wrong_with_a_pledge_is_named(change, pointer):
    channel = ChannelFactory()
    body = {"channel": channel.code, "ship_days": 1}

    answer = planner(channel.account).post(PATH, body | change, format="json")

    assert answer.status_code in {400, 422}
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_pledge_that_promises_nothing_is_refused():
    channel = ChannelFactory()

    answer = planner(channel.account).post(PATH, {"channel": channel.code}, format="json")

    assert "in how many days" in answer.json()["detail"]


def test_a_channel_does_not_bind_itself():
    channel = ChannelFactory()
    key = ApiKeyFactory(account=channel.account, channel=channel, scopes=["api.orders.write"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")

    answer = client.post(PATH, {"channel": channel.code, "ship_days": 1}, format="json")

    assert answer.status_code == 403
