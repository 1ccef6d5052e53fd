"""An agent chooses for the buyer of a pickup that its store gave up: on the order page, or by API."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.fulfillment import Placed
from tests.factories.kernel import GrantFactory, RoleFactory, UserFactory
from tests.factories.pickups import given_up, other_store

pytestmark = pytest.mark.django_db


def agent_of(placed: Placed) -> Client:
    user = UserFactory()
    GrantFactory(user=user, account=placed.order.account, role=RoleFactory(code="cs_agent"))
    client = Client()
    client.force_login(user)
    return client


def test_is_offered_what_can_be_had_and_says_why_where_nothing_waits() -> None:
    placed, _ = given_up(2)
    store, short = other_store(placed, units=2), other_store(placed, units=1)
    client = agent_of(placed)
    address = reverse("console:order_action", args=[placed.order.number, "choose"])
    group = placed.group.pk

    form = client.get(address).content.decode()
    refused = client.post(address, {"choice": f"{group}:collect:{short.code}"})
    done = client.post(address, {"choice": f"{group}:collect:{store.code}"})
    after = client.get(address).content.decode()

    assert f"Collect at {store.name}, 1 km from the first" in form
    assert short.name not in form
    assert "Send to the order&#x27;s address in Brooklyn 11201" in form
    assert (refused.status_code, done.status_code) == (422, 302)
    assert placed.line().reserved == 2
    assert "No store gave up a pickup of it" in after


def test_the_api_takes_effect_once_and_names_what_will_not_do() -> None:
    placed, _ = given_up(2)
    client = agent_of(placed)
    address = f"/api/v1/orders/{placed.order.pk}/pickup-choice"
    group = str(placed.group.pk)

    def send(**given: object) -> tuple[int, dict[str, object]]:
        answer = client.post(
            address,
            {"group_id": group, **given},
            content_type="application/json",
            headers={"Idempotency-Key": str(uuid4())},
        )
        return answer.status_code, answer.json()

    no_store = send(choice="collect")
    nothing = send(choice="ship", address={"line1": "5 Main Street", "country": "US"})
    done = send(choice="cancel")
    again = send(choice="cancel")

    assert (no_store[0], nothing[0], again[0]) == (409, 409, 409)
    assert "no city" in str(nothing[1]["detail"])
    assert done == (200, {"group_id": group, "choice": "cancel", "units": 2})
    assert placed.line().cancelled == 2
