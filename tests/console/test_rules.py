"""The pages of buffer rules and quotas: looked at before anything is saved."""

from datetime import timedelta

import pytest

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import BufferRule, QuotaPlan
from inventory.selectors import supply
from tests.console.conftest import AT, House
from tests.factories.inventory import reread

pytestmark = pytest.mark.django_db


@pytest.fixture
def stocked(house: House) -> House:
    house.network.stock("MUG", NEWARK=8)
    return house


def moment(days: int = 0) -> str:
    return (AT + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def test_a_rule_is_looked_at_then_saved_and_published(stocked: House) -> None:
    client = stocked.client("ops_manager")
    said = {"name": "Floor", "sequence": "10", "safety_units": "3", "skus": "MUG"}
    said |= {"cover_over_days": "28", "starts_at": moment(-1)}
    looked = client.post("/console/rules/new/", {**said, "act": "look"})
    assert not BufferRule.objects.for_scope(ALL_ACCOUNTS).exists()
    text = looked.content.decode()
    assert "nothing is saved yet" in text
    assert ">MUG: " in text
    assert "Save and publish" in text

    saved = client.post("/console/rules/new/", {**said, "act": "save_publish"})
    assert saved.status_code == 302
    (rule,) = BufferRule.objects.for_scope(ALL_ACCOUNTS)
    assert rule.state == "live"
    listed = client.get("/console/rules/").content.decode()
    assert "Floor" in listed
    assert "3 units" in listed
    assert "In force" in listed

    address = f"/console/rules/{rule.pk}/"
    gone = client.post(address, {"act": "look_away"}).content.decode()
    assert "If it were gone" in gone
    assert client.post(address, {"act": "withdraw"}).status_code == 302
    rule.refresh_from_db()
    assert rule.state == "draft"
    assert reread(_position(stocked)).buffer == 0


def test_what_contradicts_itself_is_said_and_not_saved(stocked: House) -> None:
    client = stocked.client("ops_manager")
    said = {"name": "Odd", "sequence": "1", "group": "", "cover_over_days": "28"}
    answer = client.post(
        "/console/rules/new/", {**said, "starts_at": moment(), "act": "save_publish"}
    )
    assert answer.status_code == 422
    assert "Say units, a share, or days of cover." in answer.content.decode()
    assert not BufferRule.objects.for_scope(ALL_ACCOUNTS).exists()


def test_a_quota_is_looked_at_saved_listed_and_ended(stocked: House) -> None:
    client, code = stocked.client("ops_manager"), stocked.network.channel.code
    said = {"name": "Prime", "channel": code, "kind": "fixed", "units": "4", "sequence": "0"}
    said |= {"overlay": "on", "starts_at": moment(-1), "ends_at": moment(36_500)}
    looked = client.post("/console/quotas/new/", {**said, "act": "look"}).content.decode()
    assert "nothing is saved yet" in looked
    assert client.post("/console/quotas/new/", {**said, "act": "save"}).status_code == 302
    (plan,) = QuotaPlan.objects.for_scope(ALL_ACCOUNTS)
    listed = client.get("/console/quotas/").content.decode()
    assert "4 of each" in listed
    assert "quota-calendar" in listed
    one = client.get(f"/console/quotas/{plan.pk}/").content.decode()
    assert "0 of 4 used" in one

    assert client.post(f"/console/quotas/{plan.pk}/", {"act": "end"}).status_code == 302
    plan.refresh_from_db()
    assert plan.state == "ended"
    assert "It has ended" in client.get(f"/console/quotas/{plan.pk}/").content.decode()


def test_an_auditor_reads_and_changes_nothing(stocked: House) -> None:
    client = stocked.client("auditor")
    assert client.get("/console/rules/").status_code == 200
    assert "New rule" not in client.get("/console/rules/").content.decode()
    said = {"name": "Floor", "sequence": "10", "safety_units": "3", "starts_at": moment()}
    said |= {"cover_over_days": "28", "act": "save"}
    assert client.post("/console/rules/new/", said).status_code == 403
    assert not BufferRule.objects.for_scope(ALL_ACCOUNTS).exists()


def _position(house: House) -> int:
    sku, node = house.network.skus["MUG"], house.network.nodes["NEWARK"]
    return supply([sku], [node])[node, sku].id
