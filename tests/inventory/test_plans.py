"""Plans for nodes begin and end by themselves; what people pause stays theirs."""

from datetime import date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.errors import Conflict, IllegalTransition, Invalid
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import NodeFunction, NodeHours, NodePlan
from inventory.types import (
    ClosureDraft,
    HoursView,
    NodeEdit,
    PickupView,
    PlanDraft,
    SpecialDayView,
)
from tests.factories.inventory import ANNA, NodeFactory, ServiceLevelFactory
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def a_node():
    return NodeFactory(account=AccountFactory())


def closing(node, starts, ends, *, function="ship", reason="stocktaking"):
    draft = PlanDraft(node.pk, "closed", NOON + starts * HOUR, NOON + ends * HOUR, reason, function)
    return services.plan_nodes([draft], at=NOON, actor=ANNA)[0]


def turn(hours):
    return services.turn_plans(50, at=NOON + hours * HOUR, actor=ANNA)


def paused(node):
    found = NodeFunction.objects.filter(node=node, paused=True).order_by("function")
    return list(found.values_list("function", "paused_until", "reason"))


def topics():
    found = Event.objects.for_scope(ALL_ACCOUNTS).order_by("seq")
    return list(found.values_list("topic", flat=True))


class TestPlans:
    def test_close_a_function_when_their_time_comes_and_open_it_when_it_is_over(self):
        node = a_node()
        plan_id = closing(node, 1, 3)
        assert paused(node) == []

        assert turn(1) == 1
        assert paused(node) == [("ship", NOON + 3 * HOUR, "stocktaking")]
        [view] = selectors.network(node.grants.get().account_id)
        assert (view.performs("ship"), view.performs("pickup")) == (False, True)
        assert turn(2) == 0
        assert services.resume_due(50, at=NOON + 3 * HOUR, actor=ANNA) == 0
        assert turn(3) == 1

        assert paused(node) == []
        assert NodePlan.objects.get(pk=plan_id).state == "ended"
        assert topics() == [
            "node.planned",
            "node.plan_started",
            "node.paused",
            "node.plan_ended",
            "node.resumed",
        ]

    def test_that_overlap_keep_it_closed_until_the_last_is_over(self):
        node = a_node()
        closing(node, 0, 3, function="", reason="fire drill")
        closing(node, 2, 5)

        turn(2)
        turn(3)

        assert paused(node) == [("ship", NOON + 5 * HOUR, "stocktaking")]

    def test_leave_alone_what_a_person_has_paused_and_close_it_when_that_is_over(self):
        node = a_node()
        services.pause_node(node.pk, "ship", NOON + 2 * HOUR, "flood", at=NOON, actor=ANNA)
        closing(node, 1, 3)

        turn(1)
        assert paused(node) == [("ship", NOON + 2 * HOUR, "flood")]
        services.resume_due(50, at=NOON + 2 * HOUR, actor=ANNA)
        assert paused(node) == [("ship", NOON + 3 * HOUR, "stocktaking")]

    def test_are_taken_back_rather_than_resumed(self):
        node = a_node()
        plan_id = closing(node, 0, 3)

        with pytest.raises(Conflict, match="cancel the plan"):
            services.resume_node(node.pk, "ship", at=NOON + HOUR, actor=ANNA)
        services.cancel_plans([plan_id], at=NOON + HOUR, actor=ANNA)

        assert paused(node) == []
        cancelled = NodePlan.objects.get(pk=plan_id)
        assert (cancelled.state, cancelled.ends_at) == ("cancelled", NOON + HOUR)
        with pytest.raises(IllegalTransition):
            services.cancel_plans([plan_id], at=NOON + HOUR, actor=ANNA)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"ends_at": NOON}, "ends before"),
            ({"starts_at": NOON - 3 * HOUR, "ends_at": NOON - HOUR}, "over already"),
            ({"reason": " "}, "Say why"),
            ({"percent": 10}, "name no amount"),
            ({"kind": "extra"}, "how much"),
            ({"kind": "reduced", "percent": 10, "units": 3}, "how much"),
        ],
    )
    def test_that_contradict_themselves_are_refused(self, changes, said):
        values = {
            "node_id": 1,
            "kind": "closed",
            "starts_at": NOON,
            "ends_at": NOON + HOUR,
            "reason": "why",
        }

        with pytest.raises(Invalid, match=said):
            services.plan_nodes([PlanDraft(**values | changes)], at=NOON, actor=ANNA)


class TestEditNodes:
    def test_replaces_the_parts_that_are_named_and_leaves_the_others(self):
        ServiceLevelFactory()
        node = NodeFactory(account=AccountFactory(), hours=True)
        edit = NodeEdit(
            node.pk,
            fields={"name": "Hall 3", "processing_minutes": 45},
            hours=(HoursView(0, time(8), time(18)), HoursView(5, time(9), time(12))),
            closures=(ClosureDraft(date(2026, 3, 3), "inventory"),),
            special_days=(SpecialDayView(date(2026, 3, 8), time(10), time(14), "fair"),),
            pickups=(PickupView("paper", "standard", 0, time(17), 80, "D4"),),
            capabilities=("hazmat", "gift_wrap"),
        )

        services.edit_nodes([edit], at=NOON, actor=ANNA)
        services.edit_nodes([edit], at=NOON, actor=ANNA)

        [view] = selectors.nodes(ALL_ACCOUNTS)
        assert (view.name, view.processing_minutes) == ("Hall 3", 45)
        assert [row.weekday for row in view.hours] == [0, 5]
        assert (view.pickups, view.special_days) == (edit.pickups, edit.special_days)
        assert view.capabilities == {"hazmat", "gift_wrap"}
        assert len(view.functions) == 4
        assert topics() == ["node.edited"]
        changes = NodeHours.history.order_by("history_id").values_list("history_type", flat=True)
        assert sorted(changes) == ["+", "-", "-", "-", "-"]

    def test_takes_as_many_statements_for_one_node_as_for_many(self):
        account = AccountFactory()
        nodes = [NodeFactory(account=account) for _ in range(6)]
        edits = [NodeEdit(node.pk, capabilities=("hazmat",)) for node in nodes]

        with CaptureQueriesContext(connection) as one:
            services.edit_nodes(edits[:1], at=NOON, actor=ANNA)
        with CaptureQueriesContext(connection) as many:
            services.edit_nodes(edits[1:], at=NOON, actor=ANNA)

        assert len(many) == len(one)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"fields": {"state": "closed"}}, "cannot be changed"),
            ({"fields": {"timezone": "Mars/Base"}}, "time zone"),
            ({"capabilities": ("flying",)}, "no capability"),
            ({"pickups": (PickupView("nobody", None, 0, time(9)),)}, "no carrier"),
            ({"hours": (HoursView(7, time(8), time(9)),)}, "weekday"),
        ],
    )
    def test_refuses_what_there_is_not(self, changes, said):
        node = a_node()

        with pytest.raises(Invalid, match=said):
            services.edit_nodes([NodeEdit(node.pk, **changes)], at=NOON, actor=ANNA)


def test_a_special_day_is_a_working_day_for_the_engine():
    from routing.engine.calendar import next_departure
    from routing.engine.types import Calendar

    monday = datetime(2026, 3, 2, 12, tzinfo=NOON.tzinfo)
    calendar = Calendar(
        hours=((time(8), time(18)),) * 7,
        holidays=frozenset({monday.date()}),
        special={monday.date(): (time(10), time(14))},
    )

    assert next_departure(calendar, "UTC", "standard", monday) == monday + 2 * HOUR
