"""Conditions, adjustments, transfers and counts as systems and people send them."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import NodeCapability, NodeGroup, NodeGroupMember, StockLevel
from tests.books import check_all
from tests.factories.inventory import ANNA, NodeFactory, reread, stock
from tests.factories.kernel import (
    NOON,
    AccountFactory,
    ApiKeyFactory,
    GrantFactory,
    RoleFactory,
    UserFactory,
)
from tests.factories.moves import adjustment_of, transfer

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]

KEEPER = ["inventory.view", "inventory.adjust"]


def system_of(account):
    client = APIClient()
    key = ApiKeyFactory(account=account, scopes=["api.stock.write"])
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def person_of(account, *permissions, node_id=None):
    user = UserFactory()
    role = RoleFactory(code=f"r{user.pk}"[:30], permissions=list(permissions or KEEPER))
    GrantFactory(user=user, account=account, role=role, node_id=node_id)
    client = APIClient()
    client.force_login(user)
    return client


def results(answer):
    assert answer.status_code == 200, answer.json()
    return answer.json()["results"]


def place(position, **details):
    return {"sku": position.sku.code, "node": position.node.code, **details}


def test_conditions_and_conversions_answer_each_item():
    position = stock(12, condition="reserve_storage")
    NodeCapability.objects.create(node_id=position.node_id, code="break_case")
    client = system_of(position.account)

    converted = results(
        client.post(
            "/api/v1/stock/conversions/",
            {"items": [place(position, packs=1, units=6), place(position, packs=1)]},
        )
    )
    held = results(
        client.post(
            "/api/v1/stock/conditions/",
            {
                "items": [
                    place(position, condition="available", into="quality_hold", quantity=2),
                    place(position, condition="available", into="damaged", node="nowhere"),
                ]
            },
        )
    )

    assert [one["outcome"] for one in converted + held] == ["done", "refused", "done", "refused"]
    assert (held[0]["on_hand"], held[1]["problem"]["code"]) == (4, "unknown-node")
    assert reread(position.pk).sellable == 4


def test_adjustments_are_proposed_by_one_and_approved_by_another():
    position = stock(5)
    clerk = person_of(position.account)
    boss = person_of(position.account, *KEEPER, "inventory.approve")
    body = {
        "items": [
            place(position, quantity=-1, reason="damage", expected_on_hand=5),
            place(position, quantity=400, reason="found"),
        ]
    }

    small, large = results(clerk.post("/api/v1/adjustments/", body))
    assert (small["state"], large["state"]) == ("applied", "proposed")
    wanted = {"ids": [large["id"]]}
    assert clerk.post("/api/v1/adjustments/approve/", wanted).status_code == 403
    shown = clerk.get("/api/v1/adjustments/", {"state": "proposed"}).json()["results"]
    assert [(one["number"], one["value_minor"]) for one in shown] == [(large["number"], 799_600)]
    (approved,) = results(boss.post("/api/v1/adjustments/approve/", wanted))

    assert approved["state"] == "applied"
    assert reread(position.pk).sellable == 404
    (late,) = results(clerk.post("/api/v1/adjustments/decline/", wanted))
    assert late["problem"]["code"] == "conflict"


def test_nobody_decides_for_another_account_or_node():
    position = stock(5)
    services.adjust_stock([adjustment_of(position, 400)], at=NOON, actor=ANNA)
    (found,) = person_of(position.account).get("/api/v1/adjustments/").json()["results"]
    other_node = NodeFactory(account=position.account)
    strangers = [
        person_of(AccountFactory(), *KEEPER, "inventory.approve"),
        person_of(position.account, *KEEPER, "inventory.approve", node_id=other_node.pk),
    ]

    for client in strangers:
        assert client.get("/api/v1/adjustments/").json()["results"] == []
        (refused,) = results(client.post("/api/v1/adjustments/approve/", {"ids": [found["id"]]}))
        assert refused["problem"]["code"] == "not-found"
    (own,) = results(
        person_of(position.account).post("/api/v1/adjustments/decline/", {"ids": [found["id"]]})
    )
    assert own["problem"]["code"] == "not-found"  # neither proposed by them nor theirs to approve


def test_a_transfer_goes_its_way():
    position = stock(8)
    node = NodeFactory(account=position.account)
    client = person_of(position.account, *KEEPER, "inventory.approve")
    body = {
        "items": [
            {
                "from_node": position.node.code,
                "to_node": node.code,
                "lines": [{"sku": position.sku.code, "quantity": 6}],
            }
        ]
    }

    (drafted,) = results(client.post("/api/v1/transfers/", body))
    for verb in ("approve", "release"):
        (told,) = results(client.post(f"/api/v1/transfers/{verb}/", {"ids": [drafted["id"]]}))
    assert told["state"] == "released"
    shown = client.get(f"/api/v1/transfers/{drafted['number']}/").json()
    (line,) = shown["lines"]
    assert (line["requested"], line["reserved"], shown["to_node"]) == (6, 6, node.code)
    units = {"id": line["id"], "quantity": 6}
    store = person_of(position.account, "fulfillment.work", node_id=node.pk)
    sent = {"items": [{"id": drafted["id"], "lines": [units]}]}
    (foreign,) = results(store.post("/api/v1/transfers/ship/", sent))
    assert foreign["problem"]["code"] == "not-found"
    results(client.post("/api/v1/transfers/ship/", sent))
    came = {"items": [{"id": drafted["id"], "lines": [units | {"quantity": 5}], "last": True}]}
    (received,) = results(store.post("/api/v1/transfers/receive/", came))

    assert received["state"] == "received"
    (line,) = client.get("/api/v1/transfers/").json()["results"][0]["lines"]
    assert (line["missing"], line["claims"][0]["value_minor"]) == (1, 1999)
    assert check_all(about="transfers.") == []


def test_a_transfer_is_cancelled_in_a_batch():
    rows = [transfer("released", 2), transfer("shipped", 2)]
    client = person_of(rows[0].account)

    outcomes = results(
        client.post(
            "/api/v1/transfers/cancel/", {"ids": [str(row.pk) for row in rows], "reason": "no"}
        )
    )

    assert [one["outcome"] for one in outcomes] == ["done", "refused"]


def test_counts_are_asked_for_answered_and_dropped():
    position, other = stock(20), None
    other = stock(3, sku=position.sku)
    keeper = person_of(position.account)
    body = {"items": [place(one, reason="odd") for one in (position, other)]}

    first, second = results(keeper.post("/api/v1/counts/", body))
    counted = {"items": [{"id": first["id"], "counted": 4}]}
    (doubted,) = results(keeper.post("/api/v1/counts/answer/", counted))
    assert doubted["state"] == "recount"
    (settled,) = results(system_of(position.account).post("/api/v1/counts/answer/", counted))
    dropped = {"ids": [second["id"], first["id"]], "reason": "sold"}
    outcomes = results(keeper.post("/api/v1/counts/cancel/", dropped))

    assert settled["state"] == "answered"
    assert [one["outcome"] for one in outcomes] == ["done", "refused"]
    shown = keeper.get("/api/v1/counts/", {"state": "answered"}).json()["results"]
    assert [(one["id"], one["counted"]) for one in shown] == [(first["id"], 4)]


def test_a_receipt_lies_as_its_node_receives():
    position = stock(0)
    position.node.puts_away = True
    position.node.save(update_fields=["puts_away"])
    came = [place(position, quantity=4, kind=kind) for kind in ("receipt", "return")]

    results(system_of(position.account).post("/api/v1/stock/changes/", {"changes": came}))

    assert reread(position.pk).sellable == 4
    levels = StockLevel.objects.for_scope(ALL_ACCOUNTS).filter(position=position, on_hand=4)
    assert {level.condition for level in levels} == {"receiving", "available"}


def test_stock_is_filtered_by_group_and_by_what_has_moved():
    position = stock(5)
    elsewhere = stock(5, sku=position.sku)
    group = NodeGroup.objects.create(account=position.account, code="east", name="East")
    NodeGroupMember.objects.create(group=group, node=elsewhere.node)
    client = system_of(position.account)

    def nodes(**query):
        return {one["node"] for one in client.get("/api/v1/stock/", query).json()["results"]}

    assert nodes(group="east") == {elsewhere.node.code}
    assert nodes(changed_since=(clock.now() - timedelta(hours=1)).isoformat()) == {
        position.node.code,
        elsewhere.node.code,
    }
    assert nodes(changed_since=(clock.now() + timedelta(hours=1)).isoformat()) == set()
    assert client.get("/api/v1/stock/", {"changed_since": "yesterday"}).status_code == 422
