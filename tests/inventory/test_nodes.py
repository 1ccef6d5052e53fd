"""Nodes open, pause, resume, drain and close; everybody who uses them is told."""

from datetime import date, timedelta

import pytest

from config.kernel import versions
from config.kernel.errors import Conflict, IllegalTransition, Invalid, NotFound
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Scope
from inventory import selectors, services
from inventory.models import Node, NodeFunction, NodeGrant
from inventory.types import SubjectTag, subject_id
from tests.factories.inventory import ANNA, NodeFactory, stock, want
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=2)


def events(topic):
    found = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic=topic)
    return list(found.order_by("seq").values_list("account_id", "seq", "data"))


def function(node, name="ship"):
    return NodeFunction.objects.get(node=node, function=name)


class TestPauseNode:
    def test_pauses_one_function_with_end_and_reason(self):
        account = AccountFactory()
        node = NodeFactory(account=account)

        services.pause_node(node.pk, "ship", LATER, "flood", at=NOON, actor=ANNA)

        paused = function(node)
        assert (paused.paused, paused.paused_until, paused.reason) == (True, LATER, "flood")
        assert function(node, "pickup").paused is False
        assert events("node.paused") == [
            (
                account.pk,
                1,
                {
                    "node_id": node.pk,
                    "node_code": node.code,
                    "function": "ship",
                    "until": LATER.isoformat(),
                    "reason": "flood",
                },
            )
        ]
        assert NodeFunction.history.get().history_change_reason == "flood"

    def test_pauses_the_whole_node(self):
        node = NodeFactory(account=AccountFactory())

        services.pause_node(node.pk, None, None, "fire", at=NOON, actor=ANNA)

        assert Node.objects.for_scope(ALL_ACCOUNTS).get().state == "paused"
        assert Node.history.get().history_change_reason == "fire"

    def test_tells_every_account_in_one_sequence(self):
        node = NodeFactory(account=AccountFactory())
        NodeGrant.objects.create(node=node, account=AccountFactory())

        services.pause_node(node.pk, "ship", None, "flood", at=NOON, actor=ANNA)
        services.resume_node(node.pk, "ship", at=NOON, actor=ANNA)

        assert [seq for _, seq, _ in events("node.paused")] == [1, 2]
        assert [seq for _, seq, _ in events("node.resumed")] == [3, 4]
        subjects = set(Event.objects.for_scope(ALL_ACCOUNTS).values_list("subject_id", flat=True))
        assert subjects == {subject_id(SubjectTag.NODE, node.pk)}

    @pytest.mark.parametrize(
        ("name", "until", "reason", "refusal"),
        [
            ("ship", NOON, "flood", Invalid),
            ("ship", None, " ", Invalid),
            ("dance", None, "flood", Invalid),
            ("pickup", None, "flood", Conflict),
        ],
    )
    def test_refuses(self, name, until, reason, refusal):
        node = NodeFactory(functions=["ship"])

        with pytest.raises(refusal):
            services.pause_node(node.pk, name, until, reason, at=NOON, actor=ANNA)

    def test_is_not_found_by_an_account_that_does_not_use_it(self):
        node = NodeFactory(account=AccountFactory())
        stranger = Actor(ActorKind.USER, "x", "x", Scope(frozenset({AccountFactory().pk})))

        with pytest.raises(NotFound):
            services.pause_node(node.pk, "ship", None, "flood", at=NOON, actor=stranger)


class TestResumeDue:
    def test_ends_pauses_whose_time_is_over(self):
        node, other = NodeFactory(account=AccountFactory()), NodeFactory()
        services.pause_node(node.pk, "ship", LATER, "flood", at=NOON, actor=ANNA)
        services.pause_node(node.pk, "pickup", None, "flood", at=NOON, actor=ANNA)
        services.pause_node(other.pk, None, LATER, "fire", at=NOON, actor=ANNA)

        assert services.resume_due(10, at=LATER - timedelta(seconds=1), actor=ANNA) == 0
        assert services.resume_due(10, at=LATER, actor=ANNA) == 2

        assert (function(node).paused, function(node, "pickup").paused) == (False, True)
        assert Node.objects.for_scope(ALL_ACCOUNTS).get(pk=other.pk).state == "active"
        assert len(events("node.resumed")) == 1


class TestLife:
    def test_goes_from_onboarding_to_closed(self):
        node = NodeFactory(onboarding=True, account=AccountFactory())

        services.activate_node(node.pk, at=NOON, actor=ANNA)
        services.drain_node(node.pk, "lease ends", at=NOON, actor=ANNA)
        services.close_node(node.pk, at=NOON, actor=ANNA)

        assert Node.objects.for_scope(ALL_ACCOUNTS).get().state == "closed"
        assert Node.history.count() == 3
        topics = (
            Event.objects.for_scope(ALL_ACCOUNTS).order_by("seq").values_list("topic", flat=True)
        )
        assert list(topics) == ["node.activated", "node.drained", "node.closed"]

    def test_does_not_close_over_reserved_units(self):
        position = stock(1)
        services.take([want(position)], at=NOON, actor=ANNA)
        services.drain_node(position.node_id, "lease ends", at=NOON, actor=ANNA)

        with pytest.raises(Conflict):
            services.close_node(position.node_id, at=NOON, actor=ANNA)

    def test_does_not_activate_twice(self):
        with pytest.raises(IllegalTransition):
            services.activate_node(NodeFactory().pk, at=NOON, actor=ANNA)


class TestFillClosures:
    def test_enters_public_holidays_once(self):
        account = AccountFactory()
        node = NodeFactory(account=account)

        made = services.fill_closures([node.pk], [2026], at=NOON, actor=ANNA)
        again = services.fill_closures([node.pk], [2026], at=NOON, actor=ANNA)

        assert (made > 8, again) == (True, 0)
        (view,) = selectors.network(account.pk)
        assert date(2026, 12, 25) in view.closures


class TestNetwork:
    def test_is_kept_until_it_changes(self, django_assert_num_queries):
        account = AccountFactory()
        node = NodeFactory(account=account, hours=True)
        version = versions.read(["network"])["network"]
        selectors.forget()

        (view,) = selectors.network(account.pk)
        with django_assert_num_queries(0):
            assert selectors.network(account.pk, version=version) == (view,)
        services.pause_node(node.pk, "ship", None, "flood", at=NOON, actor=ANNA)
        (paused,) = selectors.network(account.pk)

        assert (view.performs("ship"), view.reason_closed("ship")) == (True, "")
        assert (paused.performs("ship"), paused.reason_closed("ship")) == (False, "flood")
        assert paused.performs("pickup")
        assert len(view.hours) == 5

    def test_shows_an_account_only_what_is_granted_to_it(self):
        account = AccountFactory()
        NodeFactory(account=AccountFactory())
        selectors.forget()

        assert selectors.network(account.pk) == ()
        assert selectors.nodes(Scope(frozenset({account.pk}))) == ()
