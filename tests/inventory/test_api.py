"""The stock API as a channel or a warehouse system meets it."""

import pytest
from rest_framework.test import APIClient

from inventory import services
from inventory.models import NodeGrant
from tests.books import check_all
from tests.factories.inventory import (
    ANNA,
    ChannelListingFactory,
    NodeFactory,
    SkuFactory,
    future_want,
    reread,
    stock,
    want,
)
from tests.factories.kernel import (
    NOON,
    AccountFactory,
    ApiKeyFactory,
    ChannelFactory,
    GrantFactory,
    RoleFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inventory.routes")]


def client_of(account, *scopes, channel=None):
    key = ApiKeyFactory(
        account=account, channel=channel, scopes=list(scopes or ["api.stock.write"])
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def operator_of(position, node_id):
    user = UserFactory()
    role = RoleFactory(code="keeper", permissions=["inventory.view", "inventory.adjust"])
    GrantFactory(user=user, account=position.account, role=role, node_id=node_id)
    client = APIClient()
    client.force_login(user)
    return client


def change(position, quantity, **details):
    return {
        "sku": position.sku.code,
        "node": position.node.code,
        "quantity": quantity,
        "kind": "adjust",
        **details,
    }


class TestChanges:
    def test_answers_each_change_with_its_own_outcome(self):
        position = stock(5)
        body = {
            "source": "wms",
            "changes": [
                change(position, -2, external_id="A-1"),
                change(position, 1, sku="nothing"),
                change(position, 1, node="nowhere"),
                change(position, 4, external_id="A-1"),
            ],
        }

        answer = client_of(position.account).post("/api/v1/stock/changes/", body)

        assert answer.status_code == 200, answer.json()
        results = answer.json()["results"]
        assert [one["outcome"] for one in results] == ["done", "refused", "refused", "repeated"]
        assert [one["problem"]["code"] for one in results[1:3]] == ["unknown-sku", "unknown-node"]
        assert results[0]["on_hand"] == 3
        assert reread(position.pk).sellable == 3
        assert check_all(about="stock.") == []

    def test_knows_the_skus_of_a_channel_by_its_own_codes(self):
        position = stock(5)
        channel = ChannelFactory(account=position.account)
        ChannelListingFactory(channel=channel, sku=position.sku, external_sku="THEIRS")
        client = client_of(position.account, channel=channel)

        client.post("/api/v1/stock/changes/", {"changes": [change(position, 1, sku="THEIRS")]})

        assert reread(position.pk).sellable == 6

    def test_has_one_effect_for_one_idempotency_key(self):
        position = stock(5)
        client = client_of(position.account)
        body = {"changes": [change(position, -1)]}

        first = client.post("/api/v1/stock/changes/", body, HTTP_IDEMPOTENCY_KEY="k-1")
        second = client.post("/api/v1/stock/changes/", body, HTTP_IDEMPOTENCY_KEY="k-1")

        assert first.json() == second.json()
        assert second.headers["Idempotent-Replayed"] == "true"
        assert reread(position.pk).sellable == 4

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"changes": []}, "/changes"),
            ({"changes": [{"sku": "A"}]}, "/changes/0/node"),
            ({}, "/changes"),
        ],
    )
    def test_says_where_a_body_is_wrong(self, body, pointer):
        answer = client_of(AccountFactory()).post("/api/v1/stock/changes/", body)

        assert answer.status_code in (400, 422)
        assert pointer in {error["pointer"] for error in answer.json()["errors"]}

    def test_takes_at_most_a_thousand(self):
        position = stock(5)
        body = {"changes": [change(position, 1)] * 1_001}

        answer = client_of(position.account).post("/api/v1/stock/changes/", body)

        assert answer.status_code in (400, 422)

    def test_does_not_reach_another_account(self):
        position = stock(5)
        NodeGrant.objects.create(node=position.node, account=(other := AccountFactory()))
        body = {"changes": [change(position, -1)]}

        answer = client_of(other).post("/api/v1/stock/changes/", body)

        assert answer.json()["results"][0]["problem"]["code"] == "unknown-sku"
        assert reread(position.pk).sellable == 5

    def test_needs_the_scope(self):
        position = stock(5)
        client = client_of(position.account, "api.orders.read")

        answer = client.post("/api/v1/stock/changes/", {"changes": [change(position, -1)]})

        assert answer.status_code == 403

    def test_lets_an_operator_write_at_their_own_node_only(self):
        position, elsewhere = stock(5), NodeFactory()
        NodeGrant.objects.create(node=elsewhere, account=position.account)
        client = operator_of(position, position.node_id)
        body = {"changes": [change(position, -1), change(position, 1, node=elsewhere.code)]}

        results = client.post("/api/v1/stock/changes/", body).json()["results"]

        assert [one["outcome"] for one in results] == ["done", "refused"]

    def test_asks_which_account_is_meant(self):
        client = APIClient()
        client.force_login(UserFactory(superuser=True))
        position = stock(5)
        body = {"changes": [change(position, -1)]}

        unnamed = client.post("/api/v1/stock/changes/", body)
        named = client.post("/api/v1/stock/changes/", body | {"account": position.account.code})

        assert unnamed.json()["errors"][0]["pointer"] == "/account"
        assert named.json()["results"][0]["outcome"] == "done"


class TestSnapshots:
    def test_brings_the_book_to_what_was_seen(self):
        position = stock(5)
        body = {
            "node": position.node.code,
            "source": "wms",
            "as_of": "2026-03-02T10:00:00Z",
            "rows": [{"sku": position.sku.code, "quantity": 3}, {"sku": "?", "quantity": 1}],
        }

        answer = client_of(position.account).post("/api/v1/stock/snapshots/", body)

        assert answer.status_code == 200, answer.json()
        assert [one["outcome"] for one in answer.json()["results"]] == ["done", "refused"]
        assert reread(position.pk).sellable == 3

    def test_is_a_conflict_when_a_newer_one_was_applied(self):
        position = stock(5)
        client = client_of(position.account)
        body = {
            "node": position.node.code,
            "source": "wms",
            "as_of": "2026-03-02T10:00:00Z",
            "rows": [{"sku": position.sku.code, "quantity": 3}],
        }
        client.post("/api/v1/stock/snapshots/", body)

        answer = client.post("/api/v1/stock/snapshots/", body | {"as_of": "2026-03-02T09:00:00Z"})

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_knows_only_nodes_of_the_account(self):
        body = {
            "node": NodeFactory().code,
            "source": "wms",
            "as_of": "2026-03-02T10:00:00Z",
            "rows": [{"sku": "A", "quantity": 3}],
        }

        answer = client_of(AccountFactory()).post("/api/v1/stock/snapshots/", body)

        assert answer.status_code == 404


class TestReading:
    def test_stock_is_a_waterfall_in_pages(self):
        account = AccountFactory()
        for _ in range(3):
            stock(5, sku=SkuFactory(account=account))
        stock(5)
        client = client_of(account)

        first = client.get("/api/v1/stock/?limit=2").json()
        second = client.get(first["next"]).json()

        shown = first["results"] + second["results"]
        assert (len(shown), second["next"]) == (3, None)
        assert {row["free"] for row in shown} == {5}
        assert shown[0]["terms"] == [{"code": "on_hand", "label": "On hand", "units": 5}]

    def test_stock_is_found_by_sku_and_node(self):
        position = stock(5)
        stock(5, sku=position.sku)
        client = client_of(position.account)
        query = {"sku": position.sku.code, "node": position.node.code}

        results = client.get("/api/v1/stock/", query).json()["results"]

        assert [row["position_id"] for row in results] == [position.pk]

    def test_skus_and_nodes_are_those_of_the_account(self):
        position = stock(5)
        stock(5)
        client = client_of(position.account)

        skus = client.get("/api/v1/skus/", {"q": position.sku.code.lower()}).json()["results"]
        nodes = client.get("/api/v1/nodes/").json()["results"]

        assert [sku["code"] for sku in skus] == [position.sku.code]
        assert [(node["code"], len(node["functions"])) for node in nodes] == [
            (position.node.code, 4)
        ]

    def test_reservations_are_those_of_an_order_within_the_account(self):
        position = stock(5)
        (taken,) = services.take([want(position, 2)], at=NOON, actor=ANNA).taken
        query = {"thread": str(taken.want.thread_id)}

        own = client_of(position.account).get("/api/v1/reservations/", query).json()
        other = client_of(AccountFactory()).get("/api/v1/reservations/", query).json()

        assert [(one["state"], one["quantity"]) for one in own["results"]] == [("reserved", 2)]
        assert other["results"] == []

    def test_costs_the_same_for_any_number_of_rows(self, django_assert_max_num_queries):
        account = AccountFactory()
        client = client_of(account)
        for _ in range(12):
            stock(5, sku=SkuFactory(account=account))
        client.get("/api/v1/stock/?limit=1")

        with django_assert_max_num_queries(4):
            assert len(client.get("/api/v1/stock/").json()["results"]) == 12


def test_units_set_aside_for_who_waits_are_listed_and_no_channel_sees_them():
    position = stock(1)
    services.reserve_future([future_want(position.sku, 3)], at=NOON, actor=ANNA)
    stock(2, sku=position.sku, node=position.node)
    account = position.account

    shown = client_of(account).get("/api/v1/reservations/set-aside/").json()["results"]
    channels = client_of(account, channel=ChannelFactory(account=account))

    wanted = {"sku": position.sku.code, "node": position.node.code, "units": 2}
    assert [{name: row[name] for name in wanted} for row in shown] == [wanted]
    assert channels.get("/api/v1/reservations/set-aside/").status_code == 403
