"""Policies: versions, publication, and the machine they go through."""

from datetime import timedelta
from itertools import product

import pytest

from config.kernel import ids, versions
from config.kernel.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound
from config.kernel.fsm import transitions_of
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Scope
from routing import services
from routing.models import SourcingPolicy
from routing.services import PolicyDraft
from routing.states import PolicyState
from routing.wording import in_brief
from tests.factories.kernel import AccountFactory, ChannelFactory
from tests.factories.routing import MONDAY_NOON, SYSTEM, SourcingPolicyFactory

pytestmark = pytest.mark.django_db

LATER = MONDAY_NOON + timedelta(days=1)
ARGUMENTS = {
    "publish": {"by": "anna", "at": MONDAY_NOON},
    "retire": {"at": MONDAY_NOON},
    "schedule": {"by": "anna", "note": "", "starts_at": LATER},
    "send_back": {"by": "anna", "note": "too dear"},
    "submit": {},
}
PAIRS = transitions_of(SourcingPolicy)


def somebody(name: str) -> Actor:
    return Actor(ActorKind.USER, f"id-{name}", name, ALL_ACCOUNTS)


ANNA, BEN = somebody("anna"), somebody("ben")


def reviewed(**values: object) -> SourcingPolicy:
    """A policy in review that Anna drafted."""
    return SourcingPolicyFactory(
        state=PolicyState.IN_REVIEW, drafted_by_id=ANNA.id, drafted_by="anna", **values
    )


def states(*policies: SourcingPolicy) -> list[str]:
    for policy in policies:
        policy.refresh_from_db()
    return [policy.state for policy in policies]


class TestMachine:
    @pytest.mark.parametrize(
        ("name", "state"), sorted(product({name for name, *_ in PAIRS}, PolicyState.values))
    )
    def test_goes_where_it_is_declared_to_and_nowhere_else(self, name, state):
        policy = SourcingPolicyFactory.build(account=None, state=state)
        target = {(n, source): target for n, source, target in PAIRS}.get((name, state))

        if target is None:
            with pytest.raises(IllegalTransition):
                getattr(policy, name)(**ARGUMENTS[name])
            assert policy.state == state
        else:
            getattr(policy, name)(**ARGUMENTS[name])
            assert policy.state == target


class TestSeedPolicies:
    def test_gives_an_account_its_templates_with_the_cheapest_live(self):
        account = AccountFactory()

        services.seed_policies(account.pk, at=MONDAY_NOON, actor=SYSTEM)

        policies = SourcingPolicy.objects.for_scope(ALL_ACCOUNTS).order_by("code")
        assert [(policy.code, policy.state) for policy in policies] == [
            ("cheapest", "live"),
            ("fewest-parcels", "draft"),
            ("nearest", "draft"),
            ("soonest", "draft"),
        ]

    def test_changes_nothing_when_run_again(self):
        account = AccountFactory()
        once = services.seed_policies(account.pk, at=MONDAY_NOON, actor=SYSTEM)

        assert services.seed_policies(account.pk, at=LATER, actor=SYSTEM) == once
        assert SourcingPolicy.history.count() == 5


class TestEditPolicy:
    def test_makes_the_next_version_and_leaves_the_live_one_alone(self):
        account = AccountFactory()
        draft = PolicyDraft(account.pk, "own", "Own", {"cost_percent": 100})
        first = services.edit_policy(draft, at=MONDAY_NOON, actor=SYSTEM)
        services.submit_policy(first.pk, at=MONDAY_NOON, actor=SYSTEM)
        services.publish_policy(first.pk, at=MONDAY_NOON, actor=SYSTEM)

        second = services.edit_policy(draft, at=LATER, actor=SYSTEM)

        assert (first.version, second.version) == (1, 2)
        assert states(first, second) == ["live", "draft"]

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"weights": {"cost_percent": -1}}, "/weights/cost_percent"),
            ({"weights": {"luck": 5}}, "/weights/luck"),
            ({"weights": {"cost_percent": 0}}, "/weights"),
            ({"weights": {"cost_percent": 1, "days_ahead": 0}}, "/weights/days_ahead"),
            ({"weights": {"cost_percent": 1, "days_ahead": 29}}, "/weights/days_ahead"),
            ({"weights": {"cost_percent": 1.5}}, "/weights/cost_percent"),
            ({"max_nodes": 0}, "/max_nodes"),
            ({"soft": ("moon",)}, "/soft"),
        ],
    )
    def test_refuses_what_means_nothing_and_says_where(self, changes, pointer):
        values = {"weights": {"cost_percent": 100}, **changes}
        draft = PolicyDraft(AccountFactory().pk, "own", "Own", **values)

        with pytest.raises(Invalid) as refusal:
            services.edit_policy(draft, at=MONDAY_NOON, actor=SYSTEM)

        assert [error["pointer"] for error in refusal.value.extra["errors"]] == [pointer]
        assert not SourcingPolicy.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_does_not_reach_another_account(self):
        stranger = Actor.system("stranger", scope=Scope(frozenset({ids.uuid7()})))
        draft = PolicyDraft(AccountFactory().pk, "own", "Own", {"cost_percent": 100})

        with pytest.raises(NotFound):
            services.edit_policy(draft, at=MONDAY_NOON, actor=stranger)


class TestPublishPolicy:
    def test_retires_the_one_before_so_that_one_is_live(self):
        account = AccountFactory()
        before = SourcingPolicyFactory(account=account, live=True)
        after = reviewed(account=account)

        services.publish_policy(after.pk, at=MONDAY_NOON, actor=SYSTEM)

        assert states(before, after) == ["retired", "live"]
        assert after.history.latest().history_change_reason == "published"
        assert before.history.latest().history_change_reason == f"replaced by {after.code} v1"

    def test_leaves_the_accounts_policy_live_beside_a_channels(self):
        channel = ChannelFactory()
        general = SourcingPolicyFactory(account=channel.account, live=True)
        own = reviewed(account=channel.account, channel=channel)

        services.publish_policy(own.pk, at=MONDAY_NOON, actor=SYSTEM)

        assert states(general, own) == ["live", "live"]

    def test_tells_every_process_that_policies_have_changed(self):
        policy = reviewed()
        before = versions.read(["policy"])["policy"]

        services.publish_policy(policy.pk, at=MONDAY_NOON, actor=SYSTEM)

        assert versions.read(["policy"])["policy"] > before

    def test_refuses_one_that_has_had_its_day(self):
        policy = SourcingPolicyFactory(state=PolicyState.RETIRED)

        with pytest.raises(IllegalTransition) as refusal:
            services.publish_policy(policy.pk, at=MONDAY_NOON, actor=SYSTEM)

        assert refusal.value.extra == {"allowed": []}

    def test_is_for_a_second_person(self):
        policy = reviewed()

        with pytest.raises(Forbidden):
            services.publish_policy(policy.pk, at=MONDAY_NOON, actor=ANNA)
        with pytest.raises(Forbidden):
            services.schedule_policy(policy.pk, starts_at=LATER, at=MONDAY_NOON, actor=ANNA)
        services.publish_policy(policy.pk, note="checked", at=MONDAY_NOON, actor=BEN)

        policy.refresh_from_db()
        assert (policy.state, policy.reviewed_by, policy.review_note) == ("live", "ben", "checked")

    def test_is_not_for_a_draft_that_nobody_was_asked_to_look_at(self):
        policy = SourcingPolicyFactory(drafted_by_id=ANNA.id)

        with pytest.raises(IllegalTransition):
            services.publish_policy(policy.pk, at=MONDAY_NOON, actor=BEN)


class TestRollBackPolicy:
    def test_brings_back_what_was_live_before_as_a_version_of_its_own(self):
        account = AccountFactory()
        rules = [{"name": "Heavy", "when": [], "weights": {}, "limits": {"max_nodes": 1}}]
        good = SourcingPolicyFactory(account=account, code="good", live=True, rules=rules, max_km=9)
        bad = reviewed(account=account)
        services.publish_policy(bad.pk, at=MONDAY_NOON, actor=BEN)

        again = services.roll_back_policy(bad.pk, reason="costs rose", at=LATER, actor=ANNA)

        assert states(good, bad, again) == ["retired", "retired", "live"]
        assert (again.code, again.version, again.based_on_id) == ("good", 2, good.pk)
        assert (again.rules, again.max_km, again.comment) == (rules, 9, "costs rose")

    def test_refuses_where_nothing_was_live_before(self):
        policy = SourcingPolicyFactory(live=True)

        with pytest.raises(Conflict):
            services.roll_back_policy(policy.pk, reason="no", at=LATER, actor=ANNA)


class TestSchedulePolicy:
    def test_goes_live_when_its_time_has_come(self):
        policy = reviewed()
        services.schedule_policy(policy.pk, starts_at=LATER, at=MONDAY_NOON, actor=SYSTEM)

        early = services.publish_scheduled(at=MONDAY_NOON, actor=SYSTEM)
        due = services.publish_scheduled(at=LATER, actor=SYSTEM)

        assert (early, due, *states(policy)) == (0, 1, "live")

    def test_refuses_a_time_that_has_passed(self):
        policy = SourcingPolicyFactory()

        with pytest.raises(Invalid):
            services.schedule_policy(policy.pk, starts_at=MONDAY_NOON, at=LATER, actor=SYSTEM)


class TestReviews:
    def test_can_be_sent_back_with_a_reason(self):
        policy = SourcingPolicyFactory()
        services.submit_policy(policy.pk, at=MONDAY_NOON, actor=SYSTEM)

        services.send_back_policy(policy.pk, reason="too dear", at=LATER, actor=SYSTEM)

        assert states(policy) == ["draft"]
        assert policy.history.latest().history_change_reason == "too dear"

    def test_retire_takes_the_live_one_out_of_use(self):
        policy = SourcingPolicyFactory(live=True)

        services.retire_policy(policy.pk, at=MONDAY_NOON, actor=SYSTEM)

        assert states(policy) == ["retired"]


class TestInBrief:
    def test_says_what_counts_with_its_subject_and_is_silent_of_what_does_not(self) -> None:
        policy = SourcingPolicyFactory.build(
            weights={"cost_percent": 100, "late_day_minor": 500, "day_minor": 0}, max_km=None
        )

        said = in_brief(policy)

        assert said[:3] == [
            "true cost counts 100 %",
            "each expected day late counts 5.00 USD",
            "prices of later orders count 100 %",
        ]
        assert "a rejection by a node counts 3.00 USD" in said
        assert not any("left for later orders" in one or "buyer waits" in one for one in said)

    def test_says_what_a_unit_that_is_left_counts(self) -> None:
        policy = SourcingPolicyFactory.build(weights={"goodwill_minor": 1500})

        assert "a unit left for later orders counts 15.00 USD beside its price" in in_brief(policy)
