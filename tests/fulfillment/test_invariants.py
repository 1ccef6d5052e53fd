"""The invariants of fulfillment hold on honest books, and see books that were tampered with."""

import pytest

from config import invariants
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentLine, FulfillmentOrder, ParcelLine
from orders.models import DeliveryGroup, OrderLine
from tests.books import check_all
from tests.factories.fulfillment import packed, ready, released, shipped

pytestmark = pytest.mark.django_db


def broken() -> set[str]:
    found = invariants.check_all()
    assert check_all() == found
    return {violation.code for violation in found}


def change(model, **values) -> None:
    model.objects.for_scope(ALL_ACCOUNTS).update(**values)


def test_honest_books_hold():
    released()
    packed()
    shipped()
    ready()

    assert check_all() == []


def test_a_released_unit_without_work_is_seen():
    released(2)
    change(OrderLine, released=1, pending=1)

    assert "fulfillment.released" in broken()


def test_a_shipped_unit_without_a_parcel_is_seen():
    shipped(2)
    change(ParcelLine, quantity=1)

    assert "fulfillment.parcels" in broken()


def test_a_live_unit_without_its_claim_is_seen():
    released(2)
    change(FulfillmentLine, waiting=1, short=1)

    assert "fulfillment.reservations" in broken()


def test_work_on_what_is_not_ours_is_seen():
    released()
    change(DeliveryGroup, fulfilled_by="channel")

    assert "fulfillment.not_ours" in broken()


def test_an_open_state_over_nothing_left_is_seen():
    shipped()
    FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).update(state="picking")

    assert "fulfillment.state" in broken()


def test_a_delivery_that_no_parcel_made_is_seen():
    shipped(2)
    change(OrderLine, underway=0, delivered=2)

    assert "fulfillment.journeys" in broken()
