"""What orders use of their nodes' capacity, and what is measured of how nodes work."""

from datetime import timedelta

import pytest
from django.db.models import Sum

from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import services
from fulfillment.selectors import fulfillment_orders_of
from fulfillment.types import Acknowledgement, Pick, Short
from inventory import selectors
from inventory.models import CapacityEntry
from inventory.services import edit_nodes, release
from inventory.types import NodeEdit, Portion
from tests.factories.fulfillment import BEN, line_of, node_for, place, released
from tests.factories.inventory import SkuFactory, limited
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db


def count(*placed, at=NOON):
    return services.count_work([one.order.id for one in placed], at=at, actor=BEN)


def used(node):
    rows = CapacityEntry.objects.filter(node=node).values("resource")
    sums = rows.annotate(used=Sum("used"), done=Sum("done")).order_by("resource")
    return {row["resource"]: (row["used"], row["done"]) for row in sums if row["used"]}


def at_work():
    account = AccountFactory()
    node = node_for(account)
    limited(node=node, orders=10, lines=20, units=50, parcels=10)
    return account, node


class TestCountWork:
    def test_counts_orders_lines_units_and_parcels_from_their_reservation_to_the_pick(self):
        account, node = at_work()
        tee, hat = SkuFactory(account=account), SkuFactory(account=account)
        placed, other = place({tee: 2, hat: 3}, node), place({tee: 1}, node)

        count(placed, other)
        assert used(node) == {
            "orders": (2, 0),
            "lines": (3, 0),
            "units": (6, 0),
            "parcels": (2, 0),
        }
        [claim] = selectors.reservations_of(other.order.id)
        release([Portion(claim.id, 1)], "cancelled", at=NOON, actor=BEN)
        count(other)
        assert used(node) == {
            "orders": (1, 0),
            "lines": (2, 0),
            "units": (5, 0),
            "parcels": (1, 0),
        }

        services.release_groups([placed.group.id], at=NOON, actor=BEN)
        [work] = fulfillment_orders_of([placed.order.id])[placed.order.id]
        services.acknowledge([Acknowledgement(work.id)], at=NOON, actor=BEN)
        services.record_picks([Pick(line_of(work).id, 2)], at=NOON, actor=BEN)
        count(placed)
        assert used(node)["units"] == (5, 2)
        assert used(node)["lines"] == (2, 1)
        assert used(node)["orders"] == (1, 0)
        assert count(placed) == 0

    def test_leaves_nodes_alone_that_count_none(self):
        account = AccountFactory()
        placed = place({SkuFactory(account=account): 1}, node_for(account))

        assert count(placed) == 0


class TestMeasureNodes:
    def test_measures_what_there_is_and_reports_what_is_too_much_once(self):
        placed, work = released(20)
        node_id, line = work.node_id, line_of(work)
        edit_nodes(
            [NodeEdit(node_id, thresholds={"ack_latency": 30.0, "open_work": 100.0})],
            at=NOON,
            actor=BEN,
        )
        services.acknowledge([Acknowledgement(work.id)], at=NOON + timedelta(hours=1), actor=BEN)
        services.record_picks([Pick(line.id, 15)], at=NOON + timedelta(hours=1), actor=BEN)
        services.report_shorts(
            [Short(line.id, 5, "missing")], at=NOON + timedelta(hours=1), actor=BEN
        )

        for hours in (2, 3):
            services.measure_nodes(ALL_ACCOUNTS, at=NOON + timedelta(hours=hours), actor=BEN)

        known = {one.code: one for one in selectors.signals([node_id])[node_id]}
        assert (known["open_work"].value, known["ack_latency"].value) == (15, 60)
        assert known["pick_fail_rate"].value == 25
        assert known["feed_age"].value is None
        assert known["ack_latency"].as_of == NOON + timedelta(hours=3)
        kinds = CaseReport.objects.filter(subject_kind="node")
        assert sorted(kinds.values_list("kind", flat=True)) == ["NODE_FAILS_PICKS", "NODE_SLOW"]
        assert placed.order.account_id in set(kinds.values_list("account_id", flat=True))
