"""Rules and quotas over the API: written in batches, looked at beforehand, ended."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from inventory.models import NodeGroup, NodeGroupMember
from tests.factories.inventory import ChannelNodeFactory, NodeFactory, SkuFactory, reread, stock
from tests.factories.kernel import NOON, ApiKeyFactory, ChannelFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]

RULES, QUOTAS = "/api/v1/buffer-rules/", "/api/v1/quotas/"
BEGUN = "2026-01-01T00:00:00Z"


def client_of(account, *scopes, channel=None):
    key = ApiKeyFactory(account=account, channel=channel, scopes=list(scopes))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


@pytest.fixture
def world():
    channel = ChannelFactory(code="web")
    store = NodeFactory(account=channel.account, store=True)
    ChannelNodeFactory(channel=channel, node=store)
    group = NodeGroup.objects.create(account=channel.account, code="stores", name="Stores")
    NodeGroupMember.objects.create(group=group, node=store)
    sku = SkuFactory(account=channel.account, code="TEE")
    position = stock(10, sku=sku, node=store)
    return channel, position, client_of(channel.account, "api.catalog.write")


def test_rules_are_written_published_listed_and_ended(world):
    _, position, client = world
    told = client.post(
        RULES,
        {
            "publish": True,
            "rules": [
                {"name": "floor", "sequence": 1, "group": "stores", "safety_units": 2}
                | {"starts_at": BEGUN},
                {"name": "odd", "sequence": 2, "group": "moon", "safety_units": 2}
                | {"starts_at": BEGUN},
                {"name": "empty", "sequence": 3, "starts_at": BEGUN},
            ],
        },
        format="json",
    ).json()["results"]

    assert [one["outcome"] for one in told] == ["done", "refused", "refused"]
    assert told[1]["problem"] == {"code": "invalid", "detail": "There is no group moon."}
    assert reread(position.pk).buffer == 2
    (listed,) = client.get(RULES).json()["results"]
    assert (listed["group"], listed["state"], listed["positions"], listed["units"]) == (
        "stores",
        "live",
        1,
        2,
    )
    changed = {**listed, "safety_units": 4}
    assert client.post(RULES, {"rules": [changed]}, format="json").status_code == 200
    assert reread(position.pk).buffer == 4
    assert client.post(f"{RULES}{listed['id']}/withdraw/").status_code == 204
    assert reread(position.pk).buffer == 0
    assert client.post(f"{RULES}{listed['id']}/end/").status_code == 204
    assert client.get(RULES).json()["results"] == []
    assert len(client.get(RULES, {"ended": "1"}).json()["results"]) == 1
    assert client.post(f"{RULES}{listed['id']}/publish/").status_code == 409


def test_a_preview_says_what_every_channel_loses_and_saves_nothing(world):
    _, position, client = world
    rule = {"name": "floor", "sequence": 1, "safety_percent": 100, "starts_at": BEGUN}
    told = client.post(f"{RULES}preview/", {"rules": [rule]}, format="json").json()

    assert (told["skus"], told["positions"]) == (1, 1)
    assert told["channels"] == [
        {
            "channel": "web",
            "changed": 1,
            "raised": 0,
            "lowered": 1,
            "to_zero": 1,
            "units_before": 10,
            "units_after": 0,
            "biggest_drops": [{"sku": "TEE", "before": 10, "after": 0}],
        }
    ]
    assert reread(position.pk).buffer == 0


def test_safety_by_hand_stands_above_the_rules_until_it_is_given_up(world):
    _, position, client = world
    rule = {"name": "floor", "sequence": 1, "safety_units": 2, "starts_at": BEGUN}
    client.post(RULES, {"publish": True, "rules": [rule]}, format="json")
    place = {"sku": "TEE", "node": position.node.code}

    told = client.post(
        f"{RULES}by-hand/",
        {"positions": [{**place, "units": 7}, {"sku": "NONE", "node": "none", "units": 1}]},
        format="json",
    ).json()["results"]
    assert [one["outcome"] for one in told] == ["done", "refused"]
    assert reread(position.pk).buffer == 7
    client.post(f"{RULES}by-hand/", {"positions": [{**place, "units": None}]}, format="json")
    assert reread(position.pk).buffer == 2


def test_quotas_are_written_previewed_listed_and_ended(world):
    channel, _, client = world
    ChannelFactory(account=channel.account, code="market")
    later = (NOON + timedelta(days=36_500)).isoformat()
    kept = {"name": "prime", "channel": "market", "kind": "fixed", "units": 4}
    kept |= {"starts_at": BEGUN, "ends_at": later, "overlay": True}
    told = client.post(f"{QUOTAS}preview/", {"quotas": [kept]}, format="json").json()
    assert {one["channel"]: one["changed"] for one in told["channels"]} == {"web": 0, "market": 0}

    told = client.post(QUOTAS, {"quotas": [kept, {**kept, "percent": 3}]}, format="json")
    assert [one["outcome"] for one in told.json()["results"]] == ["done", "refused"]
    (listed,) = client.get(QUOTAS).json()["results"]
    assert (listed["state"], listed["quota_skus"], listed["protected"], listed["used"]) == (
        "live",
        1,
        4,
        0,
    )
    assert client.post(f"{QUOTAS}{listed['id']}/end/").status_code == 204
    assert client.get(QUOTAS).json()["results"] == []


def test_are_not_for_keys_without_the_right_nor_for_a_channels_own(world):
    channel, _, _ = world
    assert client_of(channel.account, "api.orders.read").get(RULES).status_code == 403
    own = client_of(channel.account, "api.catalog.write", channel=channel)
    rule = {"name": "floor", "sequence": 1, "safety_units": 1, "starts_at": BEGUN}
    assert own.post(RULES, {"rules": [rule]}, format="json").status_code == 403
