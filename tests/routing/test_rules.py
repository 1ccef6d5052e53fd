"""Rules of a policy: what they say, whom they are about, and what they change."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.errors import Invalid
from inventory.services.groups import GroupDraft, define_groups
from orders.sourcing import Plan
from routing import engine, reference, services
from routing.planner import Planner
from routing.rule_reading import parse_rules
from routing.rules import ATTRIBUTES, Condition, NodeFilter, Rule, Test, as_json
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network

LATER = MONDAY_NOON + timedelta(days=1)


def rule(**values: object) -> dict[str, object]:
    return {"name": "One", "when": [], **values}


def when(attribute: str, test: str, *values: object) -> dict[str, object]:
    return {"attribute": attribute, "test": test, "values": list(values)}


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "holds"),
        [
            (Condition("region", Test.IS, ("NV", "CA")), True),
            (Condition("region", Test.IS_NOT, ("NV",)), False),
            (Condition("postal_code", Test.STARTS_WITH, ("10", "89")), True),
            (Condition("units", Test.AT_LEAST, ("3",)), True),
            (Condition("units", Test.AT_MOST, ("2",)), False),
            (Condition("storage", Test.IS, ("frozen",)), True),
            (Condition("storage", Test.ALL_ARE, ("frozen",)), False),
            (Condition("storage", Test.IS_NOT, ("frozen",)), False),
            (Condition("customer_tag", Test.IS, ("vip", "staff")), True),
            (Condition("customer_tag", Test.IS_NOT, ("staff",)), True),
            (Condition("tag", Test.IS, ("gift",)), False),
            (Condition("hazmat", Test.IS, ("no",)), True),
            (Condition("sku.season", Test.IS, ("winter",)), False),
            (Condition("sku.season", Test.IS_NOT, ("winter",)), True),
        ],
    )
    def test_hold_of_what_is_known(self, condition, holds):
        facts = {
            "region": "NV",
            "postal_code": "89501",
            "units": 3,
            "storage": ("frozen", "ambient"),
            "customer_tag": ("wholesale", "vip"),
            "tag": (),
            "hazmat": "no",
        }

        assert condition.holds(facts) is holds


class TestNodeFilters:
    @pytest.mark.parametrize(
        ("chosen", "left"),
        [
            (NodeFilter(), {"RENO", "SOHO"}),
            (NodeFilter(kinds=frozenset({"store"})), {"SOHO"}),
            (NodeFilter(groups=frozenset({"west"})), {"RENO"}),
            (NodeFilter(groups=frozenset({"west"}), nodes=frozenset({"SOHO"})), {"RENO", "SOHO"}),
            (NodeFilter(except_groups=frozenset({"west"})), {"SOHO"}),
            (NodeFilter(kinds=frozenset({"dc"}), except_nodes=frozenset({"RENO"})), set()),
        ],
    )
    def test_leave_what_is_named_less_what_is_excepted(self, chosen, left):
        nodes = {"RENO": ("dc", {"west"}), "SOHO": ("store", set())}

        assert {
            code
            for code, (kind, groups) in nodes.items()
            if chosen.leaves(code=code, kind=kind, groups=groups)
        } == left


class TestReading:
    @pytest.mark.parametrize(
        ("raw", "pointer"),
        [
            ({}, "/rules"),
            ([rule(name="")], "/rules/0/name"),
            ([rule(), rule(name="one")], "/rules/1/name"),
            ([rule(colour="red")], "/rules/0/colour"),
            ([rule(when=[when("moon", "is", "full")])], "/rules/0/when/0/attribute"),
            ([rule(when=[when("region", "at_least", "3")])], "/rules/0/when/0/test"),
            ([rule(when=[when("region", "is")])], "/rules/0/when/0/values"),
            ([rule(when=[when("units", "at_least", "many")])], "/rules/0/when/0/values"),
            ([rule(when=[when("hazmat", "is", "perhaps")])], "/rules/0/when/0/values"),
            ([rule(nodes={"kinds": ["ship"]})], "/rules/0/nodes/kinds"),
            ([rule(nodes={"kinds": "dc"})], "/rules/0/nodes/kinds"),
            ([rule(weights={"cost_percent": -1})], "/rules/0/weights/cost_percent"),
            ([rule(limits={"max_nodes": 0})], "/rules/0/limits/max_nodes"),
            ([rule(limits={"soft": [["max_km"]]})], "/rules/0/limits/soft"),
            ([rule(starts_at="2026-03-02T10:00:00")], "/rules/0/starts_at"),
            (
                [rule(starts_at=LATER.isoformat(), ends_at=MONDAY_NOON.isoformat())],
                "/rules/0/ends_at",
            ),
        ],
    )
    def test_names_the_field_that_means_nothing(self, raw, pointer):
        with pytest.raises(Invalid) as refusal:
            parse_rules(raw)

        assert [error["pointer"] for error in refusal.value.extra["errors"]] == [pointer]

    @given(
        rules=st.lists(
            st.builds(
                Rule,
                name=st.from_regex(r"[a-z]{1,20}", fullmatch=True),
                when=st.lists(
                    st.sampled_from(sorted(ATTRIBUTES.values(), key=lambda one: one.code)).flatmap(
                        lambda one: st.builds(
                            Condition,
                            st.just(one.code),
                            st.sampled_from(one.tests),
                            st.just(("7",) if one.kind == "number" else ("yes",)),
                        )
                    ),
                    max_size=3,
                ).map(tuple),
                nodes=st.none() | st.just(NodeFilter(kinds=frozenset({"dc"}))),
                weights=st.just({}) | st.just({"late_day_minor": 900}),
                limits=st.just({}) | st.just({"max_km": None, "soft": ["nodes"]}),
                starts_at=st.none() | st.just(MONDAY_NOON),
                ends_at=st.none() | st.just(LATER),
            ),
            max_size=4,
            unique_by=lambda one: one.code,
        ).map(tuple)
    )
    def test_gives_back_what_was_stored(self, rules):
        assert parse_rules(as_json(rules)) == rules


def publish(network: Network, *rules: dict[str, object]) -> None:
    """Make a policy with these rules the live one."""
    policy = services.edit_policy(
        services.PolicyDraft(
            network.account.pk, "own", "Own", {"cost_percent": 100}, rules=parse_rules(list(rules))
        ),
        at=MONDAY_NOON,
        actor=SYSTEM,
    )
    services.submit_policy(policy.pk, at=MONDAY_NOON, actor=SYSTEM)
    services.publish_policy(policy.pk, at=MONDAY_NOON, actor=SYSTEM)


def only(network: Network, *places: str) -> dict[str, list[str]]:
    """A choice of these nodes by their codes."""
    suffix = str(network.account.pk)[-6:]
    return {"nodes": [f"{place}-{suffix}" for place in places]}


def plan(network: Network, *demands: object, at=MONDAY_NOON) -> list[Plan]:
    return Planner().plan(list(demands), excluded=frozenset(), at=at)


def sent_from(network: Network, planned: Plan) -> set[str]:
    codes = {pk: code for code, pk in network.nodes.items()}
    return {codes[take.node_id] for take in planned.takes}


@pytest.fixture
def network(db: None) -> Network:
    """Newark is next door to the buyer, Columbus and Reno are not."""
    reference.forget()
    made = a_network()
    made.stock("TEE", NEWARK=5, COLUMBUS=5, RENO=5)
    return made


class TestPlanning:
    def test_the_first_rule_that_applies_decides_and_the_decision_names_it(self, network):
        publish(
            network,
            rule(name="Many", when=[when("units", "at_least", 3)], nodes=only(network, "RENO")),
            rule(
                name="New York", when=[when("region", "is", "NY")], nodes=only(network, "COLUMBUS")
            ),
        )

        few, many = plan(
            network,
            network.demand({"TEE": 1}, region="NY"),
            network.demand({"TEE": 3}, region="NY"),
        )

        assert (sent_from(network, few), sent_from(network, many)) == ({"COLUMBUS"}, {"RENO"})
        assert many.decision.plan.policy == "own/many"
        assert network.nodes["NEWARK"] in {
            one.node
            for one in many.decision.plan.candidates
            if one.verdict is engine.Verdict.RULED_OUT
        }

    def test_rules_ask_what_the_channel_said_of_the_order_and_its_customer(self, network):
        publish(
            network,
            rule(
                name="Staff",
                when=[when("customer_tag", "is", "staff")],
                nodes=only(network, "RENO"),
            ),
            rule(name="Events", when=[when("tag", "is", "event")], nodes=only(network, "COLUMBUS")),
        )

        planned = plan(
            network,
            network.demand({"TEE": 1}, customer_tags=("vip", "staff")),
            network.demand({"TEE": 1}, tags=("event",)),
            network.demand({"TEE": 1}),
        )

        assert [sent_from(network, one) for one in planned] == [{"RENO"}, {"COLUMBUS"}, {"NEWARK"}]

    def test_a_group_without_a_rule_goes_as_the_policy_says(self, network):
        publish(network, rule(when=[when("country", "is", "CA")], nodes=only(network, "RENO")))

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert sent_from(network, planned) == {"NEWARK"}
        assert planned.decision.plan.policy == "own"

    def test_rules_ask_about_skus_channels_and_groups_of_nodes(self, network):
        define_groups(
            [GroupDraft("west", "West", (network.nodes["RENO"],))],
            account_id=network.account.pk,
            at=MONDAY_NOON,
            actor=SYSTEM,
        )
        publish(
            network,
            rule(
                when=[
                    when("sku", "is", "TEE"),
                    when("storage", "all_are", "ambient"),
                    when("channel", "is", network.channel.code),
                ],
                nodes={"groups": ["west"]},
            ),
        )

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert sent_from(network, planned) == {"RENO"}

    def test_a_soft_choice_of_nodes_is_given_up_for_what_it_leaves_unfilled(self, network):
        only_reno = only(network, "RENO")
        demand = network.demand({"TEE": 7})
        publish(network, rule(nodes=only_reno))
        [hard] = plan(network, demand)
        publish(network, rule(nodes=only_reno, limits={"soft": ["nodes"]}))
        [soft] = plan(network, demand)

        assert [units for _, units, _ in hard.unfilled] == [2]
        assert soft.unfilled == ()
        assert soft.decision.plan.relaxed == (engine.Constraint.NODES,)

    def test_an_overlay_begins_and_ends_by_itself(self, network):
        publish(
            network,
            rule(
                nodes=only(network, "RENO"),
                starts_at=MONDAY_NOON.isoformat(),
                ends_at=LATER.isoformat(),
            ),
        )

        [during] = plan(network, network.demand({"TEE": 1}))
        [after] = plan(network, network.demand({"TEE": 1}), at=LATER)

        assert (sent_from(network, during), sent_from(network, after)) == ({"RENO"}, {"NEWARK"})

    def test_rules_cost_no_statement_once_they_and_the_skus_are_known(
        self, network, django_assert_num_queries
    ):
        publish(network, rule(when=[when("sku", "is", "TEE")], nodes=only(network, "RENO")))
        demands = [network.demand({"TEE": 1}) for _ in range(3)]
        plan(network, demands[0])

        with django_assert_num_queries(3):
            plan(network, *demands)
