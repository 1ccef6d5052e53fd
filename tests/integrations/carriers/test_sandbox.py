"""The simulated carrier travels in its own time, alike for the same seed, and tells what it scans."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.sandbox.carrier import CarrierSandbox
from integrations.sandbox.carrier_network import next_pickup
from integrations.sandbox.journeys import SUNDAY, Journey, Odds, Scan, lane_days

MONDAY = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
NO_TROUBLE = Odds(0, 0, 0, 0, 0, 0)


def way(number: str = "T-1", odds: Odds = NO_TROUBLE, *, to_zip: str = "90210") -> list[Scan]:
    journey = Journey(number, 7, odds, from_zip="07102", to_zip=to_zip, service="Ground")
    return journey.plan(MONDAY)


class TestJourney:
    def test_is_the_same_for_the_same_number_and_seed(self):
        assert way() == way()
        assert way() != way("T-2")

    @pytest.mark.parametrize(
        ("to_zip", "days"), [("07199", 1), ("08540", 2), ("33101", 3), ("60601", 4), ("90210", 5)]
    )
    def test_takes_longer_the_further_it_goes(self, to_zip, days):
        assert lane_days("07102", to_zip) == days

    def test_is_quicker_by_an_express_service(self):
        assert lane_days("07102", "90210", "PriorityExpress") == 2

    def test_ends_at_the_door_without_trouble(self):
        scans = way(to_zip="10118")

        assert [scan.status for scan in scans][-2:] == ["out_for_delivery", "delivered"]
        assert MONDAY + timedelta(days=2) < scans[-1].at < MONDAY + timedelta(days=4)

    def test_is_told_in_the_order_in_which_it_happens(self):
        for number in range(300):
            scans = way(f"T-{number}", Odds(0.1, 0.1, 0.1, 0.3, 0.5, 0.2))
            assert [scan.at for scan in scans] == sorted(scan.at for scan in scans)
            assert scans[0].at > MONDAY

    def test_delivers_on_no_sunday(self):
        arrivals = [way(f"T-{n}")[-1].at for n in range(100)]

        assert SUNDAY not in {at.weekday() for at in arrivals}

    @pytest.mark.parametrize(
        ("odds", "end"),
        [
            (Odds(lost=1), ("failure", "lost")),
            (Odds(lost=0, damaged=1), ("return_to_sender", "arrived_at_destination")),
            (Odds(lost=0, damaged=0, refused=1), ("return_to_sender", "arrived_at_destination")),
        ],
    )
    def test_may_end_otherwise(self, odds, end):
        last = way(odds=odds)[-1]

        assert (last.status, last.detail) == end

    def test_meets_with_trouble_as_often_as_the_odds_say(self):
        ends = Counter(way(f"T-{n}", Odds())[-1].detail for n in range(5_000))

        assert 5 <= ends["lost"] <= 30
        assert ends["arrived_at_destination"] > 4_950


class TestCarrierSandbox:
    def test_comes_for_parcels_at_the_days_time_and_never_on_a_sunday(self):
        saturday = datetime(2026, 3, 7, 23, 0, tzinfo=UTC)

        assert next_pickup(saturday, "22:00") == datetime(2026, 3, 9, 22, 0, tzinfo=UTC)
        assert next_pickup(MONDAY, "22:00") == MONDAY

    def test_knows_after_a_restart_what_it_knew(self, tmp_path: Path):
        first = CarrierSandbox("carrier", folder=tmp_path)
        first.clock.set(MONDAY, speed=0)
        with first.running():
            box = {"tracking_code": "T-1", "from_zip": "07102", "to_zip": "10118"}
            httpx.post(f"{first.url}/_sandbox/dock", json={"parcels": [box]})

        again = CarrierSandbox("carrier", folder=tmp_path)
        again.clock.set(MONDAY, speed=0)
        with again.running():
            again.tick_now(MONDAY + timedelta(days=6))

        assert again.store["trackers"]["T-1"]["status"] == "delivered"
        assert len(again.log.of("scan")) == len(again.store["ways"]["T-1"]["scans"])

    def test_names_the_fields_that_an_unknown_box_lacks_and_takes_none(self):
        sandbox = CarrierSandbox("carrier")
        sandbox.clock.set(MONDAY, speed=0)
        whole = {"tracking_code": "T-1", "from_zip": "07102", "to_zip": "10118"}
        with sandbox.running():
            asked = {"parcels": [whole, {"tracking_code": "T-2", "to_zip": "10118"}]}
            answer = httpx.post(f"{sandbox.url}/_sandbox/dock", json=asked)

        assert answer.status_code == 422
        fields = [each["field"] for each in answer.json()["error"]["errors"]]
        assert fields == ["parcels[1].from_zip"]
        assert not sandbox.store["ways"]

    def test_takes_only_what_is_listed_where_told_so(self):
        sandbox = CarrierSandbox("carrier")
        sandbox.clock.set(MONDAY, speed=0)
        with sandbox.running():
            httpx.put(f"{sandbox.url}/_sandbox/setup", json={"take": "listed"})
            listed, left = (
                httpx.post(f"{sandbox.url}/v2/shipments", json=label()).json() for _ in range(2)
            )
            asked = {"shipments": [{"id": listed["id"]}]}
            httpx.post(f"{sandbox.url}/v2/scan_forms", json=asked)
            sandbox.tick_now(MONDAY + timedelta(days=9))

        trackers = sandbox.store["trackers"]
        assert trackers[listed["tracking_code"]]["status"] != "pre_transit"
        assert trackers[left["tracking_code"]]["status"] == "pre_transit"

    def test_has_its_driver_take_no_label_that_was_given_back(self):
        sandbox = CarrierSandbox("carrier")
        sandbox.clock.set(MONDAY, speed=0)
        with sandbox.running():
            bought = httpx.post(f"{sandbox.url}/v2/shipments", json=label()).json()
            asked = {"refund": {"tracking_codes": [bought["tracking_code"]]}}
            httpx.post(f"{sandbox.url}/v2/refunds", json=asked)
            sandbox.tick_now(MONDAY + timedelta(days=9))

        assert sandbox.store["trackers"][bought["tracking_code"]]["status"] == "pre_transit"
        assert sandbox.faults == []

    def test_books_a_pickup(self):
        sandbox = CarrierSandbox("carrier")
        with sandbox.running():
            made = httpx.post(f"{sandbox.url}/v2/pickups", json={"pickup": {}}).json()
            booked = httpx.post(f"{sandbox.url}/v2/pickups/{made['id']}/buy").json()

        assert booked["status"] == "scheduled"


def label() -> dict[str, Any]:
    """A label that a customer of the carrier buys."""
    return {
        "shipment": {
            "to_address": {"name": "Ada", "street1": "12 Orchard Street", "zip": "11201"},
            "from_address": {"name": "Newark", "street1": "1 Dock Road", "zip": "07102"},
            "parcel": {"weight": 16},
            "service": "Ground",
        }
    }
