"""Who holds the order first decides: real connections, each in its own thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder, Parcel, PromiseSlack, Remedy
from fulfillment.services import (
    confirm_shipments,
    record_packs,
    record_picks,
    release_groups,
    report_shorts,
    rescue_due,
)
from fulfillment.types import Pack, Pick, Shipment, Short
from inventory.models import Movement
from orders.services import cancel_units, set_promise_policy
from orders.types import CancelRequest
from tests.books import check_all
from tests.factories.fulfillment import BEN, line_of, node_for, packed, picked, place, released
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON
from tests.fulfillment.test_remedies import AT, two_endangered

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run the calls on connections of their own, all starting at one moment."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.parametrize("attempt", range(5))
def test_cancel_against_release_ends_whole(attempt):
    sku = SkuFactory()
    placed = place({sku: 2}, node_for(sku.account))

    at_once(
        lambda: release_groups([placed.group.pk], at=NOON, actor=BEN),
        lambda: cancel_units([CancelRequest(placed.order.pk)], at=NOON, actor=BEN),
    )

    assert placed.line().cancelled == 2
    assert check_all() == []


@pytest.mark.parametrize("attempt", range(5))
def test_cancel_against_ship_is_decided_once(attempt):
    placed, _, box = packed(2)

    _, cancelled = at_once(
        lambda: confirm_shipments([Shipment(box.pk)], at=NOON, actor=BEN),
        lambda: cancel_units([CancelRequest(placed.order.pk)], at=NOON, actor=BEN),
    )

    assert placed.line().shipped == 2
    assert not cancelled[0].ok
    assert check_all() == []


@pytest.mark.parametrize("attempt", range(5))
def test_pick_against_short_never_counts_a_unit_twice(attempt):
    _, order = released(3)
    line = line_of(order)

    at_once(
        lambda: record_picks([Pick(line.pk, 2)], at=NOON, actor=BEN),
        lambda: report_shorts([Short(line.pk, 2, "missing")], at=NOON, actor=BEN),
    )

    line = line_of(order)
    assert line.picked + line.short <= 3
    assert max(line.picked, line.short) == 2
    assert check_all() == []


def test_eight_releases_make_one_fulfillment_order():
    sku = SkuFactory()
    placed = place({sku: 2}, node_for(sku.account))

    outcomes = at_once(
        *[lambda: release_groups([placed.group.pk], at=NOON, actor=BEN) for _ in range(8)]
    )

    assert sum(outcome[0].ok for outcome in outcomes) == 1
    assert FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).count() == 1
    assert check_all() == []


def test_eight_clicks_on_pack_make_one_parcel_and_eight_on_ship_one_issue():
    _, order = picked(2)

    at_once(*[lambda: record_packs([Pack(order.pk)], at=NOON, actor=BEN) for _ in range(8)])
    box = Parcel.objects.for_scope(ALL_ACCOUNTS).get()
    at_once(*[lambda: confirm_shipments([Shipment(box.pk)], at=NOON, actor=BEN) for _ in range(8)])

    assert Movement.objects.for_scope(ALL_ACCOUNTS).get(kind="issue").quantity == -2
    assert check_all() == []


def test_two_sweeps_spend_no_more_in_a_day_than_the_account_allows():
    """Two promises could be kept for 20.00 each; the account pays 30.00 a day."""
    groups = two_endangered()
    late = max(
        PromiseSlack.objects.for_scope(ALL_ACCOUNTS).get(pk=group.pk).high_at for group in groups
    ) + timedelta(minutes=1)
    terms = {"automatic": ["upgrade"], "most_per_order_minor": 2_000, "most_per_day_minor": 3_000}
    set_promise_policy(groups[0].account_id, terms, at=AT, actor=BEN)

    at_once(*[lambda: rescue_due(at=late, actor=BEN) for _ in range(2)])

    [remedy] = Remedy.objects.for_scope(ALL_ACCOUNTS)
    assert (remedy.automatic, remedy.cost_minor) == (True, 2_000)
    assert check_all() == []
