"""Hard limits of nodes: the planner passes a full one over, and acceptance never goes beyond one."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import CapacityWindow, Node, Reservation
from orders.services import accept_orders
from routing.drawn import opened_input
from routing.engine.explain import all_verdicts
from tests.factories.inventory import SkuFactory, limited, stock
from tests.factories.orders import ANNA, Shop, line
from tests.factories.routing import MONDAY_NOON, Network, a_network
from tests.routing.test_planner import plan, recorded, taken, verdicts

pytestmark = pytest.mark.django_db


def limit(network: Network, code: str, **most: int) -> Node:
    return limited(node=Node._base_manager.get(pk=network.nodes[code]), hard=True, **most)


def fill(node: Node) -> None:
    for window in CapacityWindow.objects.filter(node=node):
        CapacityWindow.objects.filter(pk=window.pk).update(used=window.most)


class TestPlan:
    def test_names_the_limits_that_its_units_count_against(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)
        node = limit(network, "NEWARK", orders=1, units=9)

        [planned] = plan(network, network.demand({"TEE": 1}))

        counted = CapacityWindow.objects.filter(pk__in=planned.takes[0].windows)
        assert {(w.node_id, w.resource) for w in counted} == {
            (node.pk, "orders"),
            (node.pk, "units"),
        }
        assert all(w.starts_at < MONDAY_NOON < w.ends_at for w in counted)

    def test_passes_over_a_node_that_is_full_and_says_so(self):
        network = a_network()
        network.stock("TEE", RENO=5, NEWARK=5)
        fill(limit(network, "NEWARK", units=9))

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert taken(network, planned) == {"RENO": 1}
        assert verdicts(planned)["NEWARK"] == "capacity"
        assert "is full" in str(all_verdicts(recorded(planned)))

    def test_takes_nothing_from_a_limit_whose_window_is_not_open(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)
        CapacityWindow.objects.filter(node=limit(network, "NEWARK", units=9)).delete()

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert not planned.takes

    def test_reads_limits_only_where_there_are_some(self):
        network, bounded = a_network(), a_network()
        network.stock("TEE", NEWARK=5)
        bounded.stock("TEE", NEWARK=5)
        limit(bounded, "NEWARK", units=9)
        for known in (network, bounded):
            plan(known, known.demand({"TEE": 1}))

        with CaptureQueriesContext(connection) as without:
            plan(network, network.demand({"TEE": 1}))
        with CaptureQueriesContext(connection) as counted:
            plan(bounded, bounded.demand({"TEE": 1}))

        assert len(counted) == len(without) + 1


class TestAccept:
    def test_sends_elsewhere_what_a_full_node_cannot_do(self):
        network = a_network("RENO", "NEWARK")
        node = limit(network, "NEWARK", orders=2)
        sku = SkuFactory(account=network.account)
        for code in ("RENO", "NEWARK"):
            stock(50, sku=sku, node=Node._base_manager.get(pk=network.nodes[code]))
        shop = Shop(network.account, network.channel, node)
        orders = [shop.captured(line(sku, 1)) for _ in range(5)]

        accept_orders([order.id for order in orders], at=MONDAY_NOON, actor=ANNA)

        found = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(sku=sku)
        assert sorted(found.values_list("node_id", flat=True)) == sorted(
            [network.nodes["NEWARK"]] * 2 + [network.nodes["RENO"]] * 3
        )
        window = CapacityWindow.objects.get(
            node=node, starts_at__lt=MONDAY_NOON, ends_at__gt=MONDAY_NOON
        )
        assert window.used == 2


def soft(network: Network, code: str, **most: int) -> Node:
    return limited(node=Node._base_manager.get(pk=network.nodes[code]), **most)


def promised(network: Network) -> datetime:
    [planned] = plan(network, network.demand({"TEE": 1}))
    assert planned.promise is not None
    return planned.promise.ship_by


class TestLimitsThatMayBePassed:
    """What is beyond them is promised from the next window that has room, backlog first."""

    def test_a_full_window_moves_the_promise_and_the_promise_says_why(self):
        network = a_network()
        network.stock("TEE", NEWARK=500)
        today = promised(network)
        node = soft(network, "NEWARK", units=10, orders=90)
        assert promised(network) == today

        windows = CapacityWindow.objects.filter(node=node, resource="units").order_by("starts_at")
        now, tomorrow = windows.filter(ends_at__gt=MONDAY_NOON)[:2]
        CapacityWindow.objects.filter(pk=now.pk).update(used=14)
        [planned] = plan(network, network.demand({"TEE": 1}))
        assert planned.promise.ship_by.date() == today.date() + timedelta(days=1)
        assert planned.promise.basis["full_until"] == {node.code: tomorrow.starts_at.isoformat()}

        CapacityWindow.objects.filter(pk=tomorrow.pk).update(used=6)
        assert promised(network).date() == today.date() + timedelta(days=2)
        CapacityWindow.objects.filter(pk=now.pk).update(used=3, backlog=12)
        assert promised(network).date() == today.date() + timedelta(days=2)

    def test_within_a_batch_only_what_comes_after_it_was_passed_waits(self):
        network = a_network()
        network.stock("TEE", NEWARK=500)
        node = soft(network, "NEWARK", units=10, orders=40)
        wanted = [network.demand({"TEE": units}) for units in (4, 5, 3, 1, 8, 9, 1)]

        planned = plan(network, *wanted)

        days = [one.promise.ship_by.day - MONDAY_NOON.day for one in planned if one.promise]
        assert days == [0, 0, 0, 1, 1, 2, 3]
        told = [one.promise.basis.get("full_until", {}) for one in planned if one.promise]
        assert [list(one) for one in told] == [[]] * 3 + [[node.code]] * 4
        kept = [opened_input(one.decision.input)["demand"] for one in planned]
        assert ["full_until" in demand for demand in kept] == [False] * 3 + [True] * 4

    def test_where_all_are_full_it_is_after_the_last_that_is_opened(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)
        node = soft(network, "NEWARK", units=9)
        CapacityWindow.objects.filter(node=node).update(used=9)

        last = CapacityWindow.objects.filter(node=node).order_by("-ends_at")[0]
        assert promised(network) >= last.ends_at

    def test_cost_one_statement_and_none_without_them(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)
        plan(network, network.demand({"TEE": 1}))
        with CaptureQueriesContext(connection) as without:
            plan(network, network.demand({"TEE": 1}))
        soft(network, "NEWARK", units=9)
        plan(network, network.demand({"TEE": 1}))
        with CaptureQueriesContext(connection) as with_them:
            plan(network, network.demand({"TEE": 1}))
        assert len(with_them) == len(without) + 1
