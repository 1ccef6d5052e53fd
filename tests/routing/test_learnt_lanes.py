"""How long carriers take is learnt from our own parcels, and promises say where it is."""

from datetime import UTC, datetime, timedelta

import pytest

from config.kernel import versions
from routing.quote_models import LearntLane
from routing.services.learnt_lanes import LaneFact, Seen, learn_lanes
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network
from tests.routing.test_planner import plan
from tests.routing.test_quotes import quoted

pytestmark = pytest.mark.django_db
TUESDAY = datetime(2026, 2, 3, 23, 0, tzinfo=UTC)


def parcels(network: Network, *took: int, left_at: datetime = TUESDAY) -> list[LaneFact]:
    """Parcels from Reno to New York that took so many calendar days, within one working week."""
    return [
        LaneFact(
            network.nodes["RENO"], "", "10001", "NY", "US", left_at, left_at + timedelta(days=days)
        )
        for days in took
    ]


@pytest.mark.parametrize(
    ("seen", "drawn"),
    [
        (Seen(20, 2, 3, 4, 6), (3, 4)),  # (20×2 + 10×4) ÷ 30, (20×3 + 10×6) ÷ 30
        (Seen(1_000, 2, 3, 4, 6), (2, 3)),
        (Seen(20, 6, 6, 4, 6), (5, 6)),
    ],
)
def test_few_parcels_are_drawn_towards_the_contract_and_many_hardly(seen, drawn):
    assert seen.drawn() == drawn


def test_a_lane_of_enough_parcels_is_what_promises_rest_on_and_they_say_so():
    network = a_network("RENO")
    network.stock("TEE", RENO=9)
    before = quoted(network, {"TEE": 1})
    rates = versions.read(["rates"])["rates"]

    learn_lanes(parcels(network, *[2] * 150, *[3] * 50), at=MONDAY_NOON, actor=SYSTEM)
    after = quoted(network, {"TEE": 1})
    [planned] = plan(network, network.demand({"TEE": 1}))

    lane = LearntLane.objects.get(weekday=None)
    assert (lane.parcels, lane.seen_p50, lane.seen_p90, lane.p50, lane.p90) == (200, 2, 3, 2, 3)
    assert LearntLane.objects.get(weekday=1).parcels == 200
    assert after.options[0]["deliver_latest"] < before.options[0]["deliver_latest"]
    assert [q.options[0]["basis"]["transit"] for q in (before, after)] == ["contract", "learnt"]
    assert planned.promise.basis["transit"] == "learnt"
    assert planned.promise.deliver_latest.isoformat() == after.options[0]["latest_at"]
    learn_lanes(parcels(network, *[2] * 150, *[3] * 50), at=MONDAY_NOON, actor=SYSTEM)
    assert versions.read(["rates"])["rates"] == rates + 1


def test_too_few_parcels_and_those_of_unknown_places_teach_nothing():
    network = a_network("RENO")
    nowhere = [fact._replace(postal_code="", region="") for fact in parcels(network, *[2] * 40)]

    learnt = learn_lanes([*parcels(network, *[2] * 19), *nowhere], at=MONDAY_NOON, actor=SYSTEM)

    assert (learnt, LearntLane.objects.count()) == (0, 0)


def test_days_are_working_days_of_the_carrier_by_the_clocks_of_both_places():
    network = a_network("RENO")
    friday_night = datetime(2026, 2, 7, 7, 30, tzinfo=UTC)  # still Friday in Reno
    tuesday = datetime(2026, 2, 11, 4, 0, tzinfo=UTC)  # still Tuesday in New York
    fact = LaneFact(network.nodes["RENO"], "", "10001", "NY", "US", friday_night, tuesday)

    learn_lanes([fact] * 20, at=MONDAY_NOON, actor=SYSTEM)

    lane = LearntLane.objects.get(weekday=4)
    assert (lane.seen_p50, lane.seen_p90) == (2, 2)
