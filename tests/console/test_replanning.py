"""Re-planning in the console: what looks came to, and what each moved from where to where."""

from datetime import timedelta

import pytest

from routing.services.reoptimise import replan_account
from tests.console.conftest import AT, House
from tests.factories.routing import SYSTEM

pytestmark = pytest.mark.django_db


def test_a_look_says_what_moved_and_what_it_saved(house: House) -> None:
    network = house.network
    network.stock("CUP", RENO=5)
    order = house.order("CUP")
    network.stock("CUP", NEWARK=5)
    run = replan_account(network.account.pk, at=AT + timedelta(minutes=20), actor=SYSTEM)
    assert run is not None
    client = house.client("ops_manager")

    looks = client.get("/console/replanning/").content.decode()
    one = client.get(f"/console/replanning/{run.pk}/").content.decode()
    unknown = client.get(f"/console/replanning/{network.account.pk}/")

    assert "its turn" in looks
    assert f"/console/replanning/{run.pk}/" in looks
    assert order["number"] in one
    assert "RENO" in one
    assert "NEWARK" in one
    assert unknown.status_code == 404
