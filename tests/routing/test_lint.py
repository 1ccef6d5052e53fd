"""What is doubtful in a policy is found before it goes live, and its words say what it does."""

from datetime import timedelta

import pytest

from routing.lint import findings
from routing.rule_reading import parse_rules
from routing.rules import Condition, NodeFilter, Rule, Test
from routing.wording import differences, sentence
from tests.factories.routing import MONDAY_NOON, Network, SourcingPolicyFactory, a_network

LATER = MONDAY_NOON + timedelta(days=1)


def rule(name: str, *when: tuple[str, str, list[str]], **values: object) -> dict[str, object]:
    return {
        "name": name,
        "when": [{"attribute": a, "test": t, "values": v} for a, t, v in when],
        **values,
    }


@pytest.fixture
def network(db: None) -> Network:
    made = a_network()
    made.stock("TEE", NEWARK=5)
    made.stock("MUG", RENO=5)
    return made


def found_in(network: Network, *rules: dict[str, object], **values: object) -> set[tuple[str, str]]:
    policy = SourcingPolicyFactory.build(
        account=network.account, name="Own", rules=list(rules), **values
    )
    return {(one.code, one.about) for one in findings(policy, at=MONDAY_NOON)}


def only(network: Network, *places: str) -> dict[str, list[str]]:
    suffix = str(network.account.pk)[-6:]
    return {"nodes": [f"{place}-{suffix}" for place in places]}


WEST = ("region", "is", ["CA", "NV"])


class TestFindings:
    def test_are_none_where_nothing_is_doubtful(self, network):
        assert found_in(network, rule("West", WEST, weights={"late_day_minor": 900})) == set()

    @pytest.mark.parametrize(
        ("first", "second", "unreachable"),
        [
            ((), (WEST,), True),
            ((WEST,), (("region", "is", ["NV"]),), True),
            ((("region", "is", ["NV"]),), (WEST,), False),
            ((("units", "at_least", ["2"]),), (WEST, ("units", "at_least", ["3"])), True),
            ((("region", "is_not", ["NY"]),), (("region", "is_not", ["NY", "NJ"]),), True),
        ],
    )
    def test_a_rule_that_an_earlier_one_covers_is_never_reached(
        self, network, first, second, unreachable
    ):
        found = found_in(network, rule("First", *first), rule("Second", *second))

        assert (("unreachable", "Second") in found) is unreachable

    def test_an_overlay_covers_only_its_time(self, network):
        found = found_in(network, rule("Sale", ends_at=LATER.isoformat()), rule("West", WEST))

        assert not {code for code, _ in found} & {"unreachable"}

    def test_rules_that_one_order_can_meet_overlap(self, network):
        heavy = rule("Heavy", ("weight_grams", "at_least", ["9000"]))
        light = rule("Light", ("weight_grams", "at_most", ["100"]))

        assert found_in(network, heavy, rule("West", WEST)) == {("overlap", "West")}
        assert found_in(network, heavy, light) == set()

    def test_an_order_has_several_tags(self, network):
        vip, staff = (
            rule(tag, ("customer_tag", "is", [tag]), weights={"late_day_minor": 900})
            for tag in ("vip", "staff")
        )

        assert found_in(network, vip, staff) == {("overlap", "staff")}

    def test_names_that_mean_nothing_and_choices_that_leave_nobody(self, network):
        found = found_in(network, rule("Ghost", nodes={"nodes": ["GHOST"], "groups": ["none"]}))

        assert {("unknown-node", "Ghost"), ("no-nodes", "Ghost")} <= found

    def test_goods_that_only_the_other_nodes_hold_and_no_way_to_them(self, network):
        hard = rule("East", nodes=only(network, "NEWARK"))
        soft = {**hard, "limits": {"soft": ["nodes"]}}

        assert found_in(network, hard) == {("goods-elsewhere", "East"), ("no-fallback", "East")}
        assert found_in(network, soft) == set()

    def test_places_beyond_the_distance_limit(self, network):
        found = found_in(network, max_km=1_500)

        assert found == {("places-out-of-reach", "Own")}


class TestWords:
    def test_say_a_rule_as_a_person_would(self):
        rule = Rule(
            "Heavy",
            (
                Condition("weight_grams", Test.AT_LEAST, ("20000",)),
                Condition("region", Test.IS, ("CA", "NV", "OR")),
                Condition("hazmat", Test.IS, ("no",)),
                Condition("customer_tag", Test.IS_NOT, ("staff",)),
                Condition("sku.season", Test.IS_NOT, ("winter",)),
            ),
            NodeFilter(kinds=frozenset({"dc"}), except_nodes=frozenset({"RNO"})),
            {"late_day_minor": 900},
            {"max_nodes": 1, "soft": ["nodes"]},
        )

        assert sentence(rule) == (
            "When the weight is at least 20 kg and the state or region is CA, NV or OR and there are "
            "no dangerous goods and the customer is not tagged staff and no line's season is winter: only from distribution centers "
            "except RNO; each expected day late counts 9.00 USD; 1 node at most; the choice of nodes "
            "may be given up for what it leaves unfilled."
        )

    def test_say_what_a_version_changed(self, db):
        rules = [rule("West", WEST), rule("Heavy", ("units", "at_least", ["9"]))]
        before = SourcingPolicyFactory.build(account=None, rules=rules, max_km=None)
        after = SourcingPolicyFactory.build(
            account=None, code=before.code, rules=[rules[1]], max_km=900
        )

        changed = {
            one.what: (bool(one.before), bool(one.after)) for one in differences(before, after)
        }
        swapped = SourcingPolicyFactory.build(
            account=None, code=before.code, rules=rules[::-1], max_km=None
        )

        assert changed == {"Distance": (True, True), "Rule West": (True, False)}
        assert [one.what for one in differences(before, swapped)] == ["Order of the rules"]
        assert parse_rules(before.rules)[0].name == "West"
