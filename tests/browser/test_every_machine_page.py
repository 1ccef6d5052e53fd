"""Every page about cases, counterparts and the machinery: axe by day and by night."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Person
from tests.browser.test_console import staff
from tests.browser.test_every_work_page import serious
from tests.console.conftest import House
from tests.console.test_connections import different, message, shop
from tests.factories.kernel import IntentFactory
from tests.factories.webhooks import an_endpoint

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]

People = Callable[..., Person]


def test_of_cases_and_counterparts(house: House, people: People) -> None:
    order = house.held()
    case = house.case(order)
    ref = shop(house, expected_every=60)
    dead = message(ref, "m-1")
    different(house, ref, order["id"])
    asked = IntentFactory(account=house.network.account, state="dead", subject_id=order["id"])
    endpoint = an_endpoint(account=house.network.account)
    person = people(axe=True)
    person.sign_in(staff(house, "ops_manager"))
    assert serious(
        person,
        "cases/", f"cases/{case}/", f"cases/{case}/do/resolve/", f"cases/{case}/fix/hold/",
        "decisions/", "policies/", "policies/new/", "jobs/", "health/", "find/?q=mug", "nothing/", "inbox/", f"inbox/{dead}/",
        "outbox/?state=dead", f"outbox/{asked.pk}/", "deliveries/", "webhooks/",
        f"webhooks/to/{endpoint.pk}/", "channels/", f"channels/{ref.id}/",
        f"channels/{ref.id}/?tab=copies", f"channels/{ref.id}/secret/",
        night={f"cases/{case}/", "health/", "channels/", f"inbox/{dead}/"},
    ) == {}  # fmt: skip
