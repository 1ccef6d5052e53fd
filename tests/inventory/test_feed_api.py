"""Feeds through the API: terms, changes in any order, snapshots in parts, decisions."""

import pytest

from config.kernel.models import Job
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Feed
from tests.factories.inventory import reread, stock
from tests.factories.kernel import NOON, AccountFactory
from tests.inventory.test_api import client_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]


def test_changes_are_told_in_any_order_and_what_is_missing_is_answered():
    position = stock(10)
    client = client_of(position.account)

    def tell(*deltas):
        told = [
            {"sku": position.sku.code, "kind": "adjust", "sequence": number, "quantity": units}
            | rest
            for number, units, rest in deltas
        ]
        body = {"node": position.node.code, "source": "wms", "deltas": told}
        answer = client.post("/api/v1/feeds/deltas/", body, format="json")
        assert answer.status_code == 200, answer.data
        return answer.data

    first = tell((1, -1, {}), (4, 2, {"sku": "NOBODY"}), (3, -2, {"expected_on_hand": 99}))
    again = tell((1, -1, {}), (2, -1, {}), (3, -2, {"expected_on_hand": 8}))

    assert [one["outcome"] for one in first["results"]] == ["done", "refused", "refused"]
    assert first["results"][2]["problem"]["code"] == "stale"
    assert first["results"][2]["on_hand"] == 9
    assert (first["sequence"], first["missing"]) == (3, [[2, 2]])
    assert [one["outcome"] for one in again["results"]] == ["repeated", "done", "done"]
    assert (again["sequence"], again["missing"]) == (3, [])
    assert reread(position.pk).sellable == 6


def test_a_snapshot_comes_in_parts_and_a_job_applies_it():
    position = stock(10)
    client = client_of(position.account)
    opened = client.post(
        "/api/v1/snapshots/",
        {"node": position.node.code, "source": "wms", "as_of": "2026-03-02T09:00:00Z"},
        format="json",
    )
    assert (opened.status_code, opened.data["state"]) == (201, "open")
    address = f"/api/v1/snapshots/{opened.data['id']}/"

    def send(name, body):
        return client.post(f"{address}{name}/", body, format="json")

    assert send("parts", {"number": 1, "rows": "many"}).status_code == 422
    part = {"number": 1, "rows": [{"sku": position.sku.code, "quantity": 4}]}
    assert send("parts", part).data["rows"] == 1
    closed = send("close", {"rows": 1, "units": 4})
    assert closed.data["state"] == "accepted"
    jobs.run_job(Job.objects.for_scope(ALL_ACCOUNTS).get().pk, at=NOON)

    assert client.get(address).data["state"] == "applied"
    assert reread(position.pk).sellable == 4
    stranger = client_of(AccountFactory())
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}close/", {}, format="json").status_code == 404


def test_a_refused_snapshot_says_why_by_row():
    position = stock(10)
    client = client_of(position.account)
    draft = {"node": position.node.code, "source": "wms", "as_of": "2026-03-02T09:00:00Z"}
    opened = client.post("/api/v1/snapshots/", draft, format="json")
    address = f"/api/v1/snapshots/{opened.data['id']}/"
    rows = [{"sku": position.sku.code, "quantity": -4}, {"sku": "X", "quantity": 1}, 7]
    client.post(f"{address}parts/", {"number": 1, "rows": rows}, format="json")

    closed = client.post(f"{address}close/", {}, format="json")

    assert (closed.data["state"], closed.data["problems_found"]) == ("refused", 3)
    problems = client.get(f"{address}problems/").data
    assert [(one["row"], one["code"]) for one in problems] == [
        (1, "negative"),
        (2, "unknown-sku"),
        (3, "no-object"),
    ]
    assert reread(position.pk).sellable == 10


def test_terms_are_declared_by_who_edits_the_network():
    position = stock(1)
    body = {"node": position.node.code, "source": "wms", "silent_after_seconds": 3_600}
    writer = client_of(position.account)

    assert writer.post("/api/v1/feeds/", body, format="json").status_code == 403
    assert writer.get("/api/v1/feeds/").data["results"] == []
    assert not Feed.objects.for_scope(ALL_ACCOUNTS).exists()
