"""Policies through the API: drafted, looked at, reviewed by another person, brought back."""

import pytest
from rest_framework.test import APIClient

from tests.factories.kernel import AccountFactory, GrantFactory, RoleFactory
from tests.factories.routing import SourcingPolicyFactory

pytestmark = pytest.mark.django_db
PATH = "/api/v1/routing/policies"
WEST = {
    "name": "West",
    "when": [{"attribute": "region", "test": "is", "values": ["CA", "NV"]}],
    "limits": {"max_nodes": 1},
}


@pytest.fixture
def people():
    """Two people who may edit policies of one account, each with a client."""
    account = AccountFactory()
    role = RoleFactory(permissions=["routing.view", "routing.edit"])
    clients = []
    for _ in range(2):
        client = APIClient()
        client.force_authenticate(GrantFactory(role=role, account=account).user)
        clients.append(client)
    return account, *clients


def post(client: APIClient, path: str, **body: object):
    return client.post(f"{PATH}{path}", body, format="json")


def drafted(account, client: APIClient, **values: object) -> dict[str, object]:
    answer = post(
        client,
        "",
        account=account.code,
        code="own",
        name="Own",
        weights={"cost_percent": 100},
        **values,
    )
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_a_policy_goes_from_its_draft_to_live_through_a_second_person(people):
    account, anna, ben = people
    policy = drafted(account, anna, rules=[WEST])
    own = f"/{policy['id']}"

    submitted = post(anna, f"{own}/submit")
    refused = post(anna, f"{own}/publish")
    published = post(ben, f"{own}/publish", note="fine")

    assert policy["sentences"] == ["When the state or region is CA or NV: 1 node at most."]
    assert (submitted.json()["state"], refused.status_code) == ("in_review", 403)
    assert (published.json()["state"], published.json()["review_note"]) == ("live", "fine")
    assert [one["id"] for one in anna.get(PATH, {"state": "live"}).json()["results"]] == [
        policy["id"]
    ]


def test_what_a_version_changed_and_what_is_doubtful_in_it_can_be_asked(people):
    account, anna, _ = people
    first = drafted(account, anna)
    second = drafted(account, anna, rules=[WEST], based_on=first["id"])

    changed = anna.get(f"{PATH}/{second['id']}/differences").json()["results"]
    doubtful = anna.get(f"{PATH}/{second['id']}/findings").json()["results"]

    assert [(one["what"], one["before"]) for one in changed] == [("Rule West", "")]
    assert {one["code"] for one in doubtful} == {"no-nodes"}


def test_what_was_live_before_is_put_back_in_one_step(people):
    account, anna, _ = people
    SourcingPolicyFactory(
        account=account,
        code="good",
        state="retired",
        published_at="2026-03-01T00:00Z",
        retired_at="2026-03-02T00:00Z",
    )
    live = SourcingPolicyFactory(account=account, code="bad", live=True)

    answer = post(anna, f"/{live.pk}/roll-back", reason="costs rose")

    assert (answer.status_code, answer.json()["code"], answer.json()["version"]) == (201, "good", 2)


def test_a_field_that_means_nothing_is_named(people):
    account, anna, _ = people

    answer = post(anna, "", account=account.code, code="own", name="Own", weights={"luck": 1})
    rules = post(
        anna,
        "",
        account=account.code,
        code="own",
        name="Own",
        weights={"cost_percent": 100},
        rules=[{"name": "West", "when": [{"attribute": "moon"}]}],
    )

    assert [one["pointer"] for one in answer.json()["errors"]] == ["/weights/luck"]
    assert [one["pointer"] for one in rules.json()["errors"]] == ["/rules/0/when/0/attribute"]


def test_a_policy_of_another_account_is_not_there(people):
    *_, ben = people
    strange = SourcingPolicyFactory()

    assert ben.get(f"{PATH}/{strange.pk}").status_code == 404
    assert post(ben, f"/{strange.pk}/submit").status_code == 404


def test_who_may_only_look_changes_nothing(people):
    account, *_ = people
    client = APIClient()
    role = RoleFactory(code="onlooker", permissions=["routing.view"])
    client.force_authenticate(GrantFactory(role=role, account=account).user)

    assert client.get(PATH).status_code == 200
    assert post(client, "", account=account.code).status_code == 403
