"""The routing studio: a policy is written in sentences, looked at, reviewed, put back."""

import pytest
from django.test import Client

from config.kernel.types import ALL_ACCOUNTS
from routing.models import SourcingPolicy
from tests.console.conftest import House
from tests.factories.kernel import GrantFactory
from tests.factories.routing import SourcingPolicyFactory

pytestmark = pytest.mark.django_db
BASE = {
    "name": "Own",
    "code": "own",
    "cost_percent": "100",
    "parcel_minor": "0",
    "km_milli": "0",
    "late_day_minor": "500",
    "max_nodes": "4",
    "split_lines": "on",
    "rules": "1",
    "rules-0-name": "West",
    "rules-0-when": "2",
    "rules-0-when-0-attribute": "region",
    "rules-0-when-0-test": "is",
    "rules-0-when-0-values": "CA, NV",
    "rules-0-when-1-attribute": "sku.",
    "rules-0-when-1-own": "season",
    "rules-0-when-1-test": "is_not",
    "rules-0-when-1-values": "winter",
    "rules-0-kinds": ["store"],
    "rules-0-max_nodes": "1",
    "rules-0-allow_partial": "yes",
    "rules-0-soft": ["nodes"],
    "rules-0-starts_at": "2026-03-02T08:00",
}
SAID = "When the state or region is CA or NV and no line&#x27;s season is winter, from 2026-03-02"


def newest() -> SourcingPolicy:
    return SourcingPolicy.objects.for_scope(ALL_ACCOUNTS).latest("pk")


def test_a_policy_is_read_in_words_before_it_is_saved_as_a_draft(house: House) -> None:
    client = house.client("ops_manager")

    looked = client.post("/console/policies/new/", {**BASE, "act": "look"}).content.decode()
    assert "nothing is saved yet" in looked
    assert SAID in looked
    assert not SourcingPolicy.objects.for_scope(ALL_ACCOUNTS).filter(code="own").exists()

    saved = client.post("/console/policies/new/", {**BASE, "act": "save"})
    policy = newest()
    assert saved.headers["Location"] == f"/console/policies/{policy.pk}/"
    assert policy.rules[0]["limits"] == {
        "max_nodes": 1,
        "allow_partial": True,
        "soft": ["nodes"],
    }
    assert SAID in client.get(saved.headers["Location"]).content.decode()
    assert 'value="CA, NV"' in client.get(f"/console/policies/{policy.pk}/edit/").content.decode()


def test_rows_are_added_moved_and_removed_without_saving(house: House) -> None:
    client = house.client("ops_manager")

    added = client.post("/console/policies/new/", {**BASE, "act": "add_rule"}).content.decode()
    assert 'name="rules-1-name"' in added
    two = {**BASE, "rules": "2", "rules-1-name": "East", "rules-1-when": "0"}
    moved = client.post("/console/policies/new/", {**two, "act": "up:1"}).content.decode()
    assert moved.index('value="East"') < moved.index('value="West"')
    gone = client.post("/console/policies/new/", {**BASE, "act": "drop_when:0:1"}).content.decode()
    assert "rules-0-when-1" not in gone
    assert not SourcingPolicy.objects.for_scope(ALL_ACCOUNTS).filter(code="own").exists()


def test_what_means_nothing_is_said_beside_its_row(house: House) -> None:
    wrong = {**BASE, "rules-0-when-0-values": "", "rules-0-max_nodes": "many", "act": "save"}

    answer = house.client("ops_manager").post("/console/policies/new/", wrong)

    assert answer.status_code == 422
    text = answer.content.decode()
    assert "From 1 to 500 values" in text
    assert "From 1 to 100 nodes ship." in text
    assert 'value="many"' in text


def test_a_second_person_publishes_and_anyone_who_may_puts_back(house: House) -> None:
    before = SourcingPolicyFactory(account=house.network.account, code="before", live=True)
    author, other = house.client("ops_manager"), Client()
    other.force_login(GrantFactory(account=house.network.account).user)
    author.post("/console/policies/new/", {**BASE, "act": "save"})
    policy = newest()
    own = f"/console/policies/{policy.pk}"

    assert author.post(f"{own}/do/submit/").status_code == 302
    refused = author.post(f"{own}/do/publish/")
    assert refused.status_code == 403
    assert "Another person reviews" in refused.content.decode()
    shown = other.get(f"{own}/").content.decode()
    assert "Publish now" in shown
    assert "against" in shown
    assert other.post(f"{own}/do/publish/", {"note": "fine"}).status_code == 302
    before.refresh_from_db()
    assert before.state == "retired"

    assert author.post(f"{own}/do/roll-back/").status_code == 422
    assert author.post(f"{own}/do/roll-back/", {"note": "dear"}).status_code == 302
    assert (newest().code, newest().state, newest().version) == ("before", "live", 2)
    listed = author.get("/console/policies/").content.decode()
    assert "Show 2 versions that are over" in listed
