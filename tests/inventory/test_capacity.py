"""Capacity: work is entered as totals, folded into windows, handed on as backlog; hard limits hold."""

import time as clock
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from config.kernel import ids
from config.kernel.errors import Invalid, NotFound
from inventory import selectors, services
from inventory.models import CapacityEntry, CapacityWindow
from inventory.types import CapacityView, NodeEdit, PlanDraft, WorkAtNode
from tests.books import check_all
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory, limited, stock, want
from tests.factories.kernel import AccountFactory

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 3, 2, 14, tzinfo=UTC)
"""Monday, 09:00 in New York: within the windows of `limited`, 08:00 to 18:00."""

EVENING = MORNING + timedelta(hours=12)
TOMORROW = MORNING + timedelta(days=1)


def work(node, units, *, done=0, cause=None, moment=MORNING, function="ship"):
    return WorkAtNode(
        node.pk,
        function,
        "order",
        cause or ids.uuid7(),
        moment,
        {"orders": int(units > 0), "units": units},
        {"orders": int(bool(units) and done >= units), "units": done},
    )


def use(*works, about=(), at=MORNING):
    return services.use_capacity(works, about=about, at=at, actor=ANNA)


def window(node, resource="units", at=MORNING, function="ship"):
    found = selectors.current_windows([node.pk], at)
    return next(w for w in found[node.pk, function] if w.resource == resource)


def standing(node, resource="units", at=MORNING):
    known = window(node, resource, at)
    return known.used, known.done, known.backlog


def wants(node, *quantities, order=None):
    """Wants of one SKU there, each of an order of its own, counted against the node's limits."""
    sku = SkuFactory(account_id=node.grants.get().account_id)
    position = stock(1_000, sku=sku, node=node)
    known = selectors.current_windows([node.pk], MORNING, hard=True)[node.pk, "ship"]
    counted = tuple(one.id for one in known)
    return [want(position, n, windows=counted, thread_id=order or ids.uuid7()) for n in quantities]


@transaction.atomic
def taken(asked):
    result = services.take(asked, at=MORNING, actor=ANNA)
    return [one.want.quantity for one in result.taken], [one.quantity for one in result.lost]


def entered(node, resource="units"):
    found = CapacityEntry.objects.filter(node=node, resource=resource)
    return tuple(found.aggregate(used=Sum("used", default=0), done=Sum("done", default=0)).values())


class TestUseCapacity:
    def test_counts_the_difference_to_what_was_told_before(self):
        node, cause = limited(units=100), ids.uuid7()

        assert use(work(node, 5, cause=cause)) == 1
        assert use(work(node, 5, cause=cause)) == 0
        use(work(node, 8, cause=cause))
        use(work(node, 3, cause=cause))

        assert list(CapacityEntry.objects.order_by("pk").values_list("used", flat=True)) == [
            5,
            3,
            -5,
        ]

    def test_keeps_what_was_done_when_the_rest_leaves(self):
        node, cause = limited(units=100), ids.uuid7()
        use(work(node, 5, cause=cause))
        use(work(node, 5, done=2, cause=cause))

        use(work(node, 0, cause=cause))

        assert entered(node) == (2, 2)

    def test_gives_back_what_a_node_no_longer_named_had(self):
        node, other, cause = limited(units=100), limited(units=100), ids.uuid7()
        use(work(node, 5, cause=cause))

        use(work(other, 5, cause=cause))

        assert (entered(node), entered(other)) == ((0, 0), (5, 0))

    def test_takes_back_from_the_windows_that_it_came_to(self):
        node, cause = limited(units=100), ids.uuid7()
        use(work(node, 5, cause=cause))
        use(work(node, 8, cause=cause, moment=TOMORROW))

        use(work(node, 1, cause=cause, moment=TOMORROW))

        rows = CapacityEntry.objects.order_by("starts_at").values_list("starts_at__day")
        assert list(rows.annotate(Sum("used"))) == [(2, 1), (3, 0)]

    def test_refuses_the_second_of_two_writers_who_saw_the_same(self):
        node, cause = limited(units=100), ids.uuid7()
        use(work(node, 5, cause=cause))
        entry = CapacityEntry.objects.get()
        entry.pk, entry._state.adding = None, True

        with pytest.raises(IntegrityError, match="capacity_entry_once"):
            entry.save()

    def test_takes_as_many_statements_for_one_as_for_many(self):
        node = limited(units=100)
        use(work(node, 1))

        with CaptureQueriesContext(connection) as one:
            use(work(node, 1))
        with CaptureQueriesContext(connection) as many:
            use(*(work(node, 2) for _ in range(40)))

        assert len(many) == len(one)

    def test_says_nothing_of_nodes_that_count_none(self):
        node = NodeFactory(account=AccountFactory())

        assert use(work(node, 5)) == 0


def folded(at=MORNING):
    """Fold what was just committed, once it lies below the horizon of all that runs in the cluster."""
    patience = clock.monotonic() + 60
    unread = (
        "SELECT EXISTS (SELECT FROM inventory_capacityentry e, inventory_capacityfold f "
        "WHERE e.xid >= f.xid)"
    )
    with connection.cursor() as cursor:
        while True:
            services.fold_capacity(at=at)
            cursor.execute(unread)
            if not cursor.fetchone()[0]:
                return
            assert clock.monotonic() < patience
            clock.sleep(0.02)


@pytest.mark.django_db(transaction=True)
class TestFold:
    """A fold reads what transactions that have ended entered."""

    def test_hands_unfinished_work_to_the_next_window(self):
        node, cause = limited(units=100), ids.uuid7()
        use(work(node, 30, cause=cause), work(node, 10))
        use(work(node, 30, done=12, cause=cause))

        folded()
        assert services.fold_capacity(at=MORNING) == 0
        assert standing(node) == (40, 12, 0)
        services.open_windows(at=EVENING)
        assert standing(node, at=EVENING) == (0, 0, 28)
        assert window(node, at=EVENING).left == 72

        use(work(node, 30, done=30, cause=cause, moment=TOMORROW))
        folded(TOMORROW)
        assert standing(node, at=TOMORROW) == (0, 18, 28)
        services.open_windows(at=TOMORROW + timedelta(hours=12))
        assert standing(node, at=TOMORROW + timedelta(hours=12)) == (0, 0, 10)
        assert check_all(about="capacity") == []

    def test_leaves_out_what_a_hard_limit_has_counted_and_makes_room_of_what_comes_back(self):
        node, order = limited(hard=True, units=10), ids.uuid7()
        assert taken(wants(node, 10, order=order)) == ([10], [])
        use(work(node, 10, cause=order))
        folded()
        assert standing(node) == (10, 0, 0)
        assert taken(wants(node, 1)) == ([], [1])

        use(about=[order])
        folded()

        assert taken(wants(node, 1)) == ([1], [])
        assert check_all(about="capacity") == []


class TestWindowsAhead:
    def test_follow_the_calendar_and_plans_as_they_are_changed(self):
        node = limited(units=100)
        assert window(node).most == 100

        services.plan_nodes(
            [PlanDraft(node.pk, "reduced", MORNING, EVENING, "strike", percent=40)],
            at=MORNING,
            actor=ANNA,
        )
        assert window(node).most == 64  # nine of its ten hours
        services.edit_nodes([NodeEdit(node.pk, capacities=())], at=MORNING, actor=ANNA)

        assert not CapacityWindow.objects.filter(most__gt=0, ends_at__gt=MORNING).exists()

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            ([("08:00", "12:00"), ("11:00", "13:00")], "overlap"),
            ([("12:00", "12:00")], "ends after"),
            ([("12:00", "00:00"), ("13:00", "14:00")], "overlap"),
        ],
    )
    def test_that_contradict_each_other_are_refused(self, rows, said):
        node = NodeFactory(account=AccountFactory())
        capacities = tuple(
            CapacityView(
                "ship", "units", 0, time.fromisoformat(opens), time.fromisoformat(closes), 1
            )
            for opens, closes in rows
        )

        with pytest.raises(Invalid, match=said):
            services.edit_nodes([NodeEdit(node.pk, capacities=capacities)], at=MORNING, actor=ANNA)

    def test_of_nobody_are_not_found(self):
        with pytest.raises(NotFound):
            services.edit_nodes([NodeEdit(999_999, capabilities=())], at=MORNING, actor=ANNA)


class TestHardLimit:
    def test_is_never_passed_and_is_counted_at_once(self):
        node = limited(hard=True, units=10, orders=3)

        assert taken(wants(node, 6, 5, 4, 1)) == ([6, 4], [5, 1])
        assert standing(node)[0] == 10
        assert standing(node, "orders")[0] == 2
        assert check_all(about="capacity") == []

    def test_counts_an_order_once_however_many_lines_it_has(self):
        node, order = limited(hard=True, orders=1), ids.uuid7()

        assert taken(wants(node, 1, 2, order=order)) == ([1, 2], [])
        assert taken(wants(node, 1)) == ([], [1])
        again = [replace(one, is_counted=True) for one in wants(node, 1, order=order)]
        assert taken(again) == ([1], [])
        assert standing(node, "orders")[0] == 1

    def test_counts_what_earlier_windows_left(self):
        node = limited(hard=True, units=10)
        CapacityWindow.objects.filter(node=node).update(backlog=8)

        assert taken(wants(node, 3, 2)) == ([2], [3])

    def test_costs_nobody_else_a_statement(self):
        node = NodeFactory(account=AccountFactory())
        sku = SkuFactory(account_id=node.grants.get().account_id)
        position = stock(10, sku=sku, node=node)
        bounded = limited(hard=True, units=10)
        [with_limit] = wants(bounded, 1)

        with CaptureQueriesContext(connection) as without:
            services.take([want(position)], at=MORNING, actor=ANNA)
        with CaptureQueriesContext(connection) as counted:
            services.take([with_limit], at=MORNING, actor=ANNA)

        assert not any("capacity" in query["sql"] for query in without)
        assert (len(without), len(counted)) == (1, 4)
