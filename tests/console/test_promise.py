"""The promise page: asked as a shop would ask, answered as a buyer would see it."""

import pytest

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import ServiceLevel
from routing.quote_models import ChannelPledge, PromiseQuote
from tests.console.conftest import House

pytestmark = pytest.mark.django_db


def test_an_agent_asks_and_sees_days_countdown_and_reasons(house: House) -> None:
    agent = house.client("cs_agent")
    house.network.stock("TEE", NEWARK=5)

    asked = agent.post(
        "/console/promise/",
        {
            "channel": house.network.channel.code,
            "lines": "TEE 2\nNOPE x3",
            "postal_code": "10001",
            "country": "US",
            "kind": "product",
            "pickup_km": "80",
        },
    )
    page = agent.get(asked.url).content.decode()

    quote = PromiseQuote.objects.for_scope(ALL_ACCOUNTS).get()
    assert [line[:2] for line in quote.lines] == [["TEE", 2]]
    assert "No SKU is called NOPE here." in page
    assert agent.get("/console/promise/").content.decode().count(str(quote.pk)) == 1
    wrong = agent.post("/console/promise/", {"channel": house.network.channel.code, "lines": ""})
    assert wrong.status_code == 422


def test_services_are_called_by_their_names(house: House) -> None:
    agent = house.client("cs_agent")
    house.network.stock("TEE", NEWARK=5)
    ServiceLevel.objects.update_or_create(code="standard", defaults={"name": "Three to five days"})

    form = agent.get("/console/promise/").content.decode()
    asked = agent.post(
        "/console/promise/",
        {
            "channel": house.network.channel.code,
            "lines": "TEE 2",
            "postal_code": "10001",
            "country": "US",
            "kind": "product",
            "pickup_km": "80",
        },
    )
    answer = agent.get(asked.url).content.decode()

    assert '<option value="standard">Three to five days</option>' in form
    assert "Ship, Three to five days" in answer


def test_a_planner_sets_and_ends_what_a_channel_promises_and_an_agent_cannot(house: House) -> None:
    planner, agent = house.client("ops_manager"), house.client("cs_agent")
    given = {
        "channel": house.network.channel.code,
        "ship_days": "1",
        "starts_at": "2026-01-01T00:00",
    }

    assert agent.post("/console/promise/channels/", given).status_code == 403
    planner.post("/console/promise/channels/", given)
    pledge = ChannelPledge.objects.for_scope(ALL_ACCOUNTS).get()
    assert "1 working day" in planner.get("/console/promise/ground/").content.decode()
    planner.post(f"/console/promise/channels/{pledge.pk}/end/")

    pledge.refresh_from_db()
    assert pledge.ends_at is not None
