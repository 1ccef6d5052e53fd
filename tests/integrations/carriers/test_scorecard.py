"""The carrier page: parcels without a scan, late, in trouble; and how well each carrier delivers."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.types import ALL_ACCOUNTS, Scope
from config.reports import carriers
from fulfillment.services import record_tracking
from fulfillment.states import ParcelState
from fulfillment.types import TrackingNews
from integrations.carriers import selectors
from integrations.carriers.news import write_estimates
from orders.models import DeliveryGroup
from tests.factories.carriers import a_carrier, on_the_way
from tests.factories.fulfillment import BEN
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=5)


def promised(*hours: int) -> None:
    """Give each parcel's buyer a promise, so many hours after the handing over."""
    groups = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
    for group, until in zip(groups, hours, strict=True):
        DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).filter(pk=group.pk).update(
            deliver_by=NOON + timedelta(hours=until)
        )


def tell(number: int, *news: tuple[ParcelState, int]) -> None:
    record_tracking(
        [
            TrackingNews(status, NOON + timedelta(hours=hours), tracking_number=f"T-{number}")
            for status, hours in news
        ],
        at=LATER,
        actor=BEN,
    )


@pytest.fixture
def account():
    """Four parcels: on time, late, lost, and one that nobody has scanned."""
    account = AccountFactory()
    on_the_way(account, 4)
    promised(72, 48, 72, 96)
    tell(0, (ParcelState.IN_TRANSIT, 4), (ParcelState.DELIVERED, 48))
    tell(1, (ParcelState.IN_TRANSIT, 8), (ParcelState.ATTEMPTED, 50), (ParcelState.DELIVERED, 72))
    tell(2, (ParcelState.IN_TRANSIT, 6), (ParcelState.LOST, 90))
    return account


def scope_of(account) -> Scope:
    return Scope(frozenset({account.pk}))


def scorecard(account, **changes):
    words = {"since": NOON - timedelta(days=1), "until": LATER, "at": LATER} | changes
    return carriers.scorecard(scope=scope_of(account), nodes=None, **words)


class TestCarrierPage:
    def test_counts_what_each_carrier_has(self, account):
        [haul] = carriers.standing(scope=scope_of(account), nodes=None, at=LATER)

        assert (haul["on_the_way"], haul["without_scan"], haul["late"], haul["in_trouble"]) == (
            1,
            1,
            1,
            1,
        )

    def test_lists_parcels_that_nobody_has_scanned(self, account):
        found = carriers.without_scan(scope=scope_of(account), nodes=None, at=LATER)

        assert [each["tracking_number"] for each in found] == ["T-3"]
        assert carriers.without_scan(scope=scope_of(account), nodes=None, at=NOON) == []

    def test_lists_parcels_past_their_promise(self, account):
        found = carriers.late(scope=scope_of(account), nodes=None, at=LATER)

        assert [each["tracking_number"] for each in found] == ["T-3"]

    def test_lists_parcels_in_trouble(self, account):
        found = carriers.in_trouble(scope=scope_of(account), nodes=None)

        assert [each["tracking_number"] for each in found] == ["T-2"]

    def test_shows_nothing_of_other_accounts_nodes_and_carriers(self, account):
        words = {"scope": scope_of(account), "nodes": None}

        assert carriers.standing(scope=scope_of(AccountFactory()), nodes=None, at=LATER) == []
        assert carriers.in_trouble(**words | {"nodes": {0}}) == []
        assert carriers.in_trouble(**words, carrier="other") == []


class TestScorecard:
    def test_says_how_well_a_carrier_delivers(self, account):
        [haul] = scorecard(account)

        assert (haul["parcels"], haul["delivered"], haul["few"]) == (4, 2, True)
        assert haul["on_time"] == pytest.approx(1 / 4)
        assert haul["first_attempt"] == pytest.approx(1 / 2)
        assert haul["lost_per_mille"] == pytest.approx(250)
        assert haul["first_scan_hours"] == pytest.approx(6)
        assert haul["days"] == pytest.approx(2.5)

    def test_leaves_out_whose_day_has_not_come(self, account):
        [haul] = scorecard(account, at=NOON + timedelta(hours=60))

        assert haul["on_time"] == pytest.approx(1 / 2)

    def test_holds_a_carrier_to_its_own_word(self, account):
        ref = a_carrier(account)
        first = {f"T-{n}": NOON + timedelta(hours=60) for n in (0, 1)}
        write_estimates(ref, first, at=NOON)
        write_estimates(ref, {"T-1": NOON + timedelta(hours=80)}, at=LATER)

        [haul] = scorecard(account)

        assert haul["to_own_word"] == pytest.approx(1 / 2)

    def test_does_not_estimate_what_was_not_measured(self, account):
        [haul] = scorecard(account)

        assert (haul["to_own_word"], haul["cost_minor"]) == (None, None)

    def test_counts_the_parcels_of_its_window_alone(self, account):
        assert scorecard(account, since=NOON + timedelta(seconds=1)) == []

    def test_measures_each_lane(self, account):
        [lane] = carriers.lanes(
            scope=scope_of(account), nodes=None, since=NOON - timedelta(days=1), until=LATER
        )

        assert (lane["destination"], lane["parcels"]) == ("1", 2)
        assert lane["days"] == pytest.approx(2.5)
        assert lane["on_time"] == pytest.approx(1 / 2)

    @pytest.mark.parametrize(
        "read",
        [
            lambda scope: carriers.standing(scope=scope, nodes=None, at=LATER),
            lambda scope: carriers.without_scan(scope=scope, nodes=None, at=LATER),
            lambda scope: carriers.late(scope=scope, nodes=None, at=LATER),
            lambda scope: carriers.in_trouble(scope=scope, nodes=None),
            lambda scope: carriers.scorecard(
                scope=scope, nodes=None, since=NOON, until=LATER, at=LATER
            ),
            lambda scope: carriers.lanes(scope=scope, nodes=None, since=NOON, until=LATER),
        ],
    )
    def test_is_one_statement_each(self, account, read: Callable[[Scope], object]):
        with CaptureQueriesContext(connection) as seen:
            read(scope_of(account))

        assert len(seen) == 1


class TestCarrierLines:
    def test_says_of_each_connection_whether_it_is_heard(self):
        account = AccountFactory()
        ref = a_carrier(account)

        [fresh] = selectors.carrier_lines(scope_of(account), at=NOON)
        [silent] = selectors.carrier_lines(scope_of(account), at=LATER)

        assert (fresh.id, fresh.carrier_code, fresh.labels) == (ref.id, "haul", True)
        assert (fresh.overdue, silent.overdue) == (False, True)
