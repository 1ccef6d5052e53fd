"""The sandbox panel: simulators over HTTP, and failures switched on and off."""

from collections.abc import Iterator

import pytest
from django.test import override_settings
from django.urls import reverse

from integrations.sandbox.box import Simulator
from integrations.sandbox.wms import build
from tests.console.conftest import House, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def wms() -> Iterator[Simulator]:
    made = build(0)
    made.start()
    yield made
    made.stop()


def test_switches_a_failure_on_for_a_share_and_a_time_and_off_again(
    house: House, wms: Simulator
) -> None:
    client = house.client("ops_manager")
    urls = {"wms": wms.url, "carrier": "http://127.0.0.1:9"}
    with override_settings(SANDBOX_URLS=urls):
        page = text_of(client.get(reverse("console:sandbox")))
        assert "Runs" in page
        assert "Does not answer" in page
        address = reverse("console:sandbox_failure", args=["wms"])
        wanted = {"kind": "server_error", "share": "20", "minutes": "60"}
        said = text_of(client.post(address, wanted, follow=True))
        assert "requests answered 500 from now on" in said
        [failure] = wms.panel.listed()
        assert (failure.kind, failure.share) == ("server_error", 0.2)
        assert failure.until is not None
        client.post(address, {"kind": "server_error", "off": "1"})
        assert wms.panel.listed() == []


def test_is_not_there_without_simulators(house: House) -> None:
    client = house.client("ops_manager")
    with override_settings(SANDBOX_URLS={}):
        assert client.get(reverse("console:sandbox")).status_code == 404
        assert "Sandbox" not in text_of(client.get(reverse("console:health")))
