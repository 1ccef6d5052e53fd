"""The API of promises: what is in jeopardy, the ways out, the answer of a buyer, the policy."""

from datetime import timedelta
from typing import Any

from django.test import Client

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.services import assess_groups
from orders.models import DeliveryGroup
from orders.services import ask_consent, promise_later
from orders.types import NewDates
from tests.console.conftest import ACTOR, AT, House
from tests.factories.promises import every_stage_takes_an_hour

BASE = "/api/v1/promises"


def endangered(house: House) -> DeliveryGroup:
    order = house.order(quantity=2)
    group: DeliveryGroup = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get(
        pk=order["groups"][0]["id"]
    )
    every_stage_takes_an_hour(house.network.account.pk)
    assess_groups([group.pk], at=AT)
    return group


def send(client: Client, address: str, body: dict[str, Any], method: str = "post") -> Any:
    call = getattr(client, method)
    headers = {"Idempotency-Key": str(ids.uuid7())}
    return call(address, body, content_type="application/json", headers=headers)


def test_jeopardy_ways_out_and_what_was_broken(house: House) -> None:
    group = endangered(house)
    client, agent = house.client("ops_manager"), house.client("cs_agent")

    listed = client.get(f"{BASE}/jeopardy").json()["results"]
    found = client.get(f"{BASE}/{group.pk}/options").json()
    refused = send(agent, f"{BASE}/{group.pk}/remedies", {"kind": "reroute"})
    done = send(client, f"{BASE}/{group.pk}/remedies", {"kind": "ask", "at_most_minor": 0})
    broken = client.get(f"{BASE}/breaches", {"days": 1}).json()

    assert [one["group_id"] for one in listed] == [str(group.pk)]
    assert listed[0]["level"] == found["level"]
    assert {one["kind"] for one in found["options"]} == {
        "reroute", "upgrade", "split", "ask", "cancel",
    }  # fmt: skip
    assert refused.status_code in {403, 404}
    assert (done.status_code, done.json()["kind"]) == (201, "ask")
    assert (broken["count"], broken["by"]["stage"]) == (0, [])


def test_the_ledger_and_the_answer_of_a_buyer(house: House) -> None:
    group = endangered(house)
    later = NewDates(group.pk, AT + timedelta(days=9), AT + timedelta(days=20))
    promise_later([later], at=AT, actor=ACTOR)
    ask_consent([group.order_id], at=AT, actor=ACTOR)
    agent = house.client("cs_agent")
    address = f"/api/v1/orders/{group.order_id}"

    ledger = agent.get(f"{address}/promises").json()
    [question] = ledger["questions"]
    given = {"question_id": question["id"], "choice": "accept", "text": "Asked by phone."}
    answered = send(agent, f"{address}/consent", given)
    after = agent.get(f"{address}/promises").json()["questions"][0]["answer"]

    assert [(one["original"], one["stands"]) for one in ledger["promises"]] == [
        (True, False), (False, True),
    ]  # fmt: skip
    assert question["answer"] is None
    assert answered.status_code == 200
    assert (after["choice"], after["by"], after["text"]) == ("accept", "agent", "Asked by phone.")


def test_the_policy_is_changed_field_by_field_and_stays_sane(house: House) -> None:
    address = f"{BASE}/policy/{house.network.account.code}"
    client = house.client("ops_manager")

    wrong = send(client, address, {"silence_days": 90, "automatic": ["cancel"]}, "patch")
    right = send(client, address, {"automatic": ["upgrade"]}, "patch")

    assert [one["pointer"] for one in wrong.json()["errors"]] == ["/silence_days", "/automatic"]
    assert right.json()["automatic"] == ["upgrade"]
    assert right.json()["silence_days"] == 30
    assert house.client("cs_agent").get(address).status_code == 403
