"""Broken promises are counted as they are, by the stage that ate the slack."""

from datetime import timedelta

import pytest
from django.db import connection

from config.kernel.types import ALL_ACCOUNTS
from config.reports.breaches import breaches, counted, narrowed
from fulfillment.services import record_tracking
from fulfillment.types import TrackingNews
from tests.factories.fulfillment import BEN, Placed, acknowledged, place, shipped
from tests.factories.inventory import NodeFactory, SkuFactory
from tests.factories.kernel import NOON
from tests.factories.promises import HOUR, promise_for

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOW = NOON + 5 * DAY
TRUTH = """
SELECT count(DISTINCT g.id) FROM orders_deliverygroup g
JOIN LATERAL (SELECT * FROM orders_promise p WHERE p.group_id = g.id ORDER BY version LIMIT 1) p
    ON true
WHERE p.ship_by < %(now)s AND EXISTS (SELECT FROM orders_orderline l WHERE l.group_id = g.id
        AND l.pending + l.reserved + l.released > 0)
    OR EXISTS (SELECT FROM fulfillment_fulfillmentorder f JOIN fulfillment_parcel x
        ON x.fulfillment_order_id = f.id WHERE f.group_id = g.id AND (x.handed_over_at > p.ship_by
            OR coalesce(x.delivered_at, %(now)s) > p.deliver_latest))
"""


def world() -> dict[str, Placed]:
    """One promise broken in each way, and two that were kept."""
    late, _, _ = shipped()
    promise_for(late, NOON - HOUR, NOON + 9 * DAY)
    waits, _ = acknowledged()
    promise_for(waits, NOON + HOUR, NOON + 9 * DAY)
    sku = SkuFactory()
    nowhere = place({sku: 1}, NodeFactory(account=sku.account), reserve=False)
    promise_for(nowhere, NOON + HOUR, NOON + 9 * DAY)
    on_way, _, _ = shipped()
    promise_for(on_way, NOON + HOUR, NOON + 2 * DAY)
    came, _, box = shipped()
    promise_for(came, NOON + HOUR, NOON + 2 * DAY)
    kept, _, other = shipped()
    promise_for(kept, NOON + HOUR, NOON + 4 * DAY)
    for parcel in (box, other):
        arrived = NOON + 3 * DAY
        news = TrackingNews(
            status="delivered", happened_at=arrived, source="carrier", parcel_id=parcel.pk
        )
        record_tracking([news], at=arrived, actor=BEN)
    moved, _, third = shipped()
    promise_for(moved, NOON + HOUR, NOON + 9 * DAY)
    del third
    return {"late": late, "waits": waits, "nowhere": nowhere, "on_way": on_way, "came": came}


def test_every_broken_promise_once_by_what_ate_its_slack():
    made = world()

    found = breaches(scope=ALL_ACCOUNTS, nodes=None, since=NOON - DAY, until=NOW, now=NOW)

    with connection.cursor() as cursor:
        cursor.execute(TRUTH, {"now": NOW})
        assert len(found) == cursor.fetchone()[0] == 5
    by_group = {one.group_id: (one.kind, one.stage) for one in found}
    assert {name: by_group[placed.group.pk] for name, placed in made.items()} == {
        "late": ("shipped_late", "release"),
        "waits": ("not_shipped", "pick"),
        "nowhere": ("not_shipped", "release"),
        "on_way": ("not_delivered", "deliver"),
        "came": ("delivered_late", "deliver"),
    }
    stages = {code: many for code, _, many in counted(found, "stage")}
    assert stages == {"deliver": 2, "release": 2, "pick": 1}
    assert len(narrowed(found, {"stage": "deliver", "kind": "delivered_late"})) == 1


def test_a_promise_that_moved_is_held_against_the_first_or_against_what_stands():
    placed, _, _ = shipped()
    promise_for(placed, NOON - HOUR, NOON + 9 * DAY)
    promise_for(placed, NOON + HOUR, NOON + 9 * DAY, version=2)

    by = {
        against: len(
            breaches(
                scope=ALL_ACCOUNTS,
                nodes=None,
                since=NOON - DAY,
                until=NOW,
                now=NOW,
                against=against,
            )
        )
        for against in ("first", "standing")
    }

    assert by == {"first": 1, "standing": 0}
