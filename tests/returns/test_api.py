"""The returns API: who may, what is asked, how it is told."""

from uuid import uuid4

import pytest
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Node
from orders.models import Refund
from returns.api.urls import routes
from returns.models import Claim, Return
from returns.services import open_claims
from tests.factories.inventory import NodeFactory
from tests.factories.kernel import (
    AccountFactory,
    ApiKeyFactory,
    ChannelFactory,
    GrantFactory,
    RoleFactory,
    UserFactory,
)
from tests.factories.returns import (
    BACK,
    CLARA,
    authorized,
    lines_of_return,
    on_the_way,
    parcel_of,
    published,
    received,
    requested,
    return_of,
    sold,
    tell,
)

_router = SimpleRouter(trailing_slash=False)
routes(_router)
urlpatterns = [path("api/v1/", include(_router.urls))]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
BASE = "/api/v1/returns"


def long_sold(units: int = 2):
    """What was sold, and may come back whenever the test is run."""
    placed = sold(units)
    published(placed, window_days=30_000)
    return placed


def as_key(account, **details) -> APIClient:
    client = APIClient()
    key = ApiKeyFactory(account=account, **details)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def as_user(account, role: str, node=None) -> APIClient:
    client = APIClient()
    user = UserFactory()
    GrantFactory(
        user=user, account=account, role=RoleFactory(code=role), node_id=node.pk if node else None
    )
    client.force_authenticate(user)
    return client


def agent(placed) -> APIClient:
    return as_user(placed.order.account, "ops_manager")


def wish(placed, units: int = 1, **details):
    return {
        "order": str(placed.order.pk),
        "lines": [
            {"order_line": str(placed.lines[0].pk), "quantity": units, "reason": "changed_mind"}
        ],
        **details,
    }


def node_code(returned: Return) -> str:
    return Node.objects.for_scope(ALL_ACCOUNTS).get(pk=returned.node_id).code


class TestReturns:
    def test_are_asked_for_authorised_received_graded_and_paid(self):
        placed = long_sold()
        client = agent(placed)

        made = client.post(BASE, wish(placed), format="json")
        assert (made.status_code, made.json()["state"]) == (201, "requested")
        place = f"{BASE}/{made.json()['return_id']}"
        assert client.post(f"{place}/authorize", {}, format="json").json()["state"] == "authorized"
        returned = return_of(made.json()["return_id"])
        came = client.post(f"{place}/receive", {"node": node_code(returned)}, format="json")
        assert came.json()["state"] == "received"
        (line,) = lines_of_return(returned)
        graded = client.post(
            f"{place}/inspect",
            {"findings": [{"line": str(line.pk), "quantity": 1, "grade": "A"}]},
            format="json",
        )

        assert (graded.json()["state"], graded.json()["credited_minor"]) == ("settled", 1000)
        shown = client.get(place).json()
        assert [one["refunded"] for one in shown["lines"]] == [1]

    def test_are_refused_in_the_words_of_the_policy(self):
        placed = sold(2)
        published(placed, window_days=1)

        answer = agent(placed).post(BASE, wish(placed), format="json")

        assert answer.status_code == 409
        assert "ended on" in answer.json()["detail"]

    def test_are_let_in_against_the_policy_by_who_may(self):
        placed = sold(2)
        published(placed, window_days=1)
        body = wish(placed, override="was ill")

        refused = as_user(placed.order.account, "cs_agent").post(BASE, body, format="json")
        done = agent(placed).post(BASE, body, format="json")

        assert (refused.status_code, done.status_code) == (403, 201)

    def test_happen_once_under_one_key(self):
        placed = long_sold()
        client = agent(placed)

        codes = [
            client.post(BASE, wish(placed), format="json", HTTP_IDEMPOTENCY_KEY="k-1").json()
            for _ in range(2)
        ]

        assert codes[0] == codes[1]
        assert Return.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_are_quoted_without_changing_anything(self):
        placed = long_sold()

        answer = agent(placed).post(f"{BASE}/quote", wish(placed), format="json").json()

        assert (answer["decision"], answer["amount_minor"]) == ("accept", 1000)
        assert not Return.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_are_listed_by_tab(self):
        placed = sold(3)
        waiting, here = requested(placed, 1), received(placed, 1)
        client = agent(placed)

        def listed(tab: str) -> list[str]:
            return [row["number"] for row in client.get(f"{BASE}?state={tab}").json()["results"]]

        assert listed("to_decide") == [waiting.number]
        assert listed("to_grade") == [here.number]
        assert sorted(listed("")) == sorted([waiting.number, here.number])

    def test_are_found_by_scan(self):
        made = requested(sold(1), 1)

        found = as_user(made.account, "node_operator").get(f"{BASE}/scan?code={made.number}")

        assert [row["number"] for row in found.json()["returns"]] == [made.number]

    def test_may_come_without_notice(self):
        placed = long_sold()
        node = Node.objects.for_scope(ALL_ACCOUNTS).first()

        answer = agent(placed).post(
            f"{BASE}/arrived",
            {
                "node": node.code,
                "order": str(placed.order.pk),
                "units": [{"quantity": 1, "sku": placed.lines[0].sku.code}],
            },
            format="json",
        )

        assert (answer.status_code, answer.json()["state"]) == (201, "received")

    def test_grade_all_that_is_named_or_nothing(self):
        made = received(sold(3), 2)
        (line,) = lines_of_return(made)
        finding = {"line": str(line.pk), "quantity": 2, "grade": "A"}

        answer = as_user(made.account, "node_operator").post(
            f"{BASE}/{made.pk}/inspect", {"findings": [finding, finding]}, format="json"
        )

        assert answer.status_code == 409
        assert lines_of_return(made)[0].accepted == 0

    def test_say_what_is_possible_instead(self):
        made = received(sold(1), 1)

        answer = agent_of(made).post(f"{BASE}/{made.pk}/cancel", {}, format="json")

        assert (answer.status_code, answer.json()["allowed"]) == (409, ["inspect"])

    def test_are_declined_with_a_reason(self):
        made = requested(sold(1), 1)

        answer = agent_of(made).post(f"{BASE}/{made.pk}/decline", {"why": "worn"}, format="json")

        assert answer.json()["state"] == "declined"

    def test_are_settled_in_other_goods(self):
        placed = sold(1)
        made = received(placed, 1, wants="exchange")
        client = agent_of(made)
        (line,) = lines_of_return(made)
        finding = {"line": str(line.pk), "quantity": 1, "grade": "A"}
        client.post(f"{BASE}/{made.pk}/inspect", {"findings": [finding]}, format="json")

        answer = client.post(
            f"{BASE}/{made.pk}/exchange",
            {"items": [{"sku": placed.lines[0].sku.code, "price_minor": 1000}]},
            format="json",
        )

        assert answer.json()["exchange_order_id"]
        assert not Refund.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_have_no_label_before_the_carrier_has_answered(self):
        made = authorized(sold(1), 1)

        assert agent_of(made).get(f"{BASE}/{made.pk}/label").status_code == 404


def agent_of(made: Return) -> APIClient:
    return as_user(made.account, "ops_manager")


class TestWalls:
    def test_of_accounts(self):
        made = requested(sold(1), 1)
        stranger = as_user(AccountFactory(), "ops_manager")

        assert stranger.get(f"{BASE}/{made.pk}").status_code == 404
        assert stranger.post(f"{BASE}/{made.pk}/authorize", {}).status_code == 404
        assert stranger.get(BASE).json()["results"] == []

    def test_of_channels(self):
        made = requested(sold(1), 1)
        other = ChannelFactory(account=made.account)
        key = as_key(made.account, channel=other, scopes=["api.returns.write"])

        assert key.get(f"{BASE}/{made.pk}").status_code == 404
        assert key.get(f"{BASE}/scan?code={made.number}").status_code == 403

    def test_of_nodes(self):
        made = received(sold(1), 1)
        worker = as_user(made.account, "node_operator", NodeFactory(account=made.account))

        assert worker.get(f"{BASE}/{made.pk}").status_code == 404

    @pytest.mark.parametrize("verb", ["authorize", "decline", "cancel", "settle", "exchange"])
    def test_of_roles(self, verb: str):
        made = requested(sold(1), 1)

        answer = as_user(made.account, "node_operator").post(
            f"{BASE}/{made.pk}/{verb}", {}, format="json"
        )

        assert answer.status_code == 403

    def test_of_what_does_not_exist(self):
        client = as_user(AccountFactory(), "ops_manager")

        assert client.get(f"{BASE}/{uuid4()}").status_code == 404
        assert client.get(f"{BASE}/nothing").status_code == 404


class TestClaims:
    def lost(self) -> Claim:
        placed = on_the_way(1)
        tell(parcel_of(placed).pk, "lost", BACK)
        open_claims([parcel_of(placed).pk], at=BACK, actor=CLARA)
        return Claim.objects.for_scope(ALL_ACCOUNTS).get()

    def test_are_filed_answered_and_resolved(self):
        claim = self.lost()
        client = as_user(claim.account, "ops_manager")
        place = f"/api/v1/claims/{claim.pk}"

        filed = client.post(f"{place}/file", {"reference": "X-1"}, format="json")
        paid = client.post(f"{place}/answer", {"paid": True, "amount_minor": 9}, format="json")
        done = client.post(f"{place}/resolve", {"resolution": "reship"}, format="json")

        assert [one.json()["state"] for one in (filed, paid, done)] == ["filed", "paid", "paid"]
        assert client.get(place).json()["resolution"] == "reship"

    def test_are_nobody_elses(self):
        claim = self.lost()

        stranger = as_user(AccountFactory(), "ops_manager")

        assert stranger.get("/api/v1/claims").json()["results"] == []
        assert stranger.get(f"/api/v1/claims/{claim.pk}").status_code == 404
