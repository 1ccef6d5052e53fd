"""Nodes by the API: read in full, changed by part, planned for."""

from datetime import timedelta

import pytest

from config.kernel import clock
from inventory.models import Node
from tests.factories.inventory import NodeFactory, limited
from tests.factories.kernel import AccountFactory
from tests.inventory.test_api_rules import client_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]

NODES, PLANS = "/api/v1/nodes/", "/api/v1/node-plans/"


@pytest.fixture
def world():
    account = AccountFactory()
    node = limited(node=NodeFactory(account=account, hours=True), units=100, hard=True)
    return node, client_of(account, "api.catalog.write")


def test_a_node_is_read_in_full_and_changed_in_parts(world):
    node, client = world
    path = f"{NODES}{node.code}/"

    told = client.patch(
        path,
        {
            "processing_minutes": 30,
            "capabilities": ["hazmat"],
            "special_days": [
                {"on": "2026-12-24", "opens": "08:00", "closes": "12:00", "name": "Christmas Eve"}
            ],
            "closures": [{"on": "2026-12-25", "name": "Christmas"}],
            "thresholds": {"open_work": 50},
        },
        format="json",
    )

    assert told.status_code == 200, told.json()
    read = client.get(path).json()
    assert read == told.json()
    assert (read["processing_minutes"], read["capabilities"]) == (30, ["hazmat"])
    assert read["closures"] == [{"on": "2026-12-25", "name": "Christmas"}]
    assert read["special_days"][0]["closes"] == "12:00:00"
    assert (len(read["hours"]), len(read["capacities"])) == (5, 7)
    signals = client.get(f"{path}signals/").json()["results"]
    assert {one["code"]: one["most"] for one in signals}["open_work"] == 50
    refused = client.patch(path, {"timezone": "Mars"}, format="json")
    assert (refused.status_code, "time zone" in refused.json()["detail"]) == (422, True)


def test_plans_are_made_with_an_outcome_each_and_taken_back(world):
    node, client = world
    now = clock.now()
    row = {
        "node": node.code,
        "kind": "closed",
        "function": "ship",
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(days=1)).isoformat(),
        "reason": "flood",
    }

    told = client.post(
        PLANS,
        {"plans": [row, row | {"node": "moon"}, row | {"percent": 5}]},
        format="json",
        HTTP_IDEMPOTENCY_KEY="plans-1",
    ).json()["results"]

    assert [one["outcome"] for one in told] == ["done", "refused", "refused"]
    (listed,) = client.get(PLANS, {"node": node.code}).json()["results"]
    assert (listed["id"], listed["state"], listed["node"]) == (told[0]["id"], "live", node.code)
    assert client.delete(f"{PLANS}{listed['id']}/").status_code == 204
    assert client.get(PLANS).json()["results"] == []
    windows = client.get(f"{NODES}{node.code}/capacity/").json()["results"]
    assert all(one["hard"] and one["most"] for one in windows)


def test_nobody_elses_node_is_seen_or_changed(world):
    node, _ = world
    other = client_of(AccountFactory(), "api.catalog.write")

    assert other.get(f"{NODES}{node.code}/").status_code == 404
    assert other.patch(f"{NODES}{node.code}/", {"name": "mine"}, format="json").status_code == 404
    assert Node._base_manager.get(pk=node.pk).name == node.name
