"""Parcels that were delivered teach routing how long carriers take."""

from datetime import timedelta

import pytest
from django.db.models import F

from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.learning import teach_lanes
from inventory.models import Node
from orders.models import DeliveryGroup
from routing.quote_models import LearntLane
from tests.factories.fulfillment import many_shipped
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def test_a_lane_is_learnt_from_what_was_handed_over_and_delivered():
    shipped = many_shipped(20)
    node_id = shipped[0][1].node_id
    FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).update(node_id=node_id)
    Node._base_manager.update(latitude=40.7, longitude=-74.2)
    DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).update(postal_code="10001", country="US")
    parcels = Parcel.objects.for_scope(ALL_ACCOUNTS)
    parcels.update(state="delivered", delivered_at=F("handed_over_at") + timedelta(days=1))

    learnt = teach_lanes(at=NOON + timedelta(days=3), actor=Actor.system("tests"))

    lane = LearntLane.objects.get(weekday=None)
    assert learnt == LearntLane.objects.count()
    assert (lane.parcels, lane.node_id) == (20, node_id)
    assert lane.p50 <= lane.p90
