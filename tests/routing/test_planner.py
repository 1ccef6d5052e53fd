"""The planner: orders' sourcing port over the network, supply and policies of the account."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import ChannelNode
from inventory.services import exclude, pause_node, plan_quotas
from inventory.types import ExclusionWanted, QuotaDraft
from orders.sourcing import DemandLine, Plan
from routing import reference, services
from routing.drawn import opened_input
from routing.engine import Record, expand
from routing.models import RoutingDecision
from routing.planner import Planner
from tests.factories.kernel import ChannelFactory
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network, code_of

pytestmark = pytest.mark.django_db


def plan(network: Network, *demands: object, at: datetime = MONDAY_NOON) -> list[Plan]:
    return Planner().plan(demands, excluded=frozenset(), at=at)  # type: ignore[arg-type]


def taken(network: Network, planned: Plan) -> dict[str, int]:
    units: dict[str, int] = {}
    for take in planned.takes:
        code = code_of(network, take.node_id)
        units[code] = units.get(code, 0) + take.quantity
    return units


def recorded(planned: Plan) -> Record:
    return expand(planned.decision.record)


def verdicts(planned: Plan) -> dict[str, str]:
    return {row.code.rsplit("-", 1)[0]: row.verdict for row in recorded(planned).candidates}


class TestPlan:
    def test_sends_from_the_node_that_costs_least_to_reach_the_buyer(self):
        network = a_network()
        network.stock("TEE", RENO=5, NEWARK=5)

        [planned] = plan(network, network.demand({"TEE": 2}))

        assert taken(network, planned) == {"NEWARK": 2}
        assert planned.unfilled == ()

    def test_gives_every_node_of_the_account_a_verdict(self):
        network = a_network("RENO", "COLUMBUS", "NEWARK", "DALLAS", outside=("DALLAS",))
        network.stock("TEE", RENO=5, NEWARK=5, DALLAS=5)

        [planned] = plan(network, network.demand({"TEE": 2}))

        assert verdicts(planned) == {
            "NEWARK": "chosen",
            "RENO": "costs_more",
            "COLUMBUS": "no_stock",
            "DALLAS": "not_in_network",
        }

    def test_answers_the_same_for_the_same_question(self):
        network = a_network()
        network.stock("TEE", RENO=5, NEWARK=5, COLUMBUS=5)
        demand = network.demand({"TEE": 2})

        [once], [again] = plan(network, demand), plan(network, demand)

        assert once == again

    def test_lets_a_later_group_lack_what_an_earlier_one_takes(self):
        network = a_network()
        network.stock("TEE", RENO=1, NEWARK=1)

        plans = plan(network, *(network.demand({"TEE": 1}) for _ in range(3)))

        assert [taken(network, planned) for planned in plans] == [{"NEWARK": 1}, {"RENO": 1}, {}]
        assert plans[2].unfilled[0][1:] == (1, "no_stock")
        assert plans[2].promise is None

    def test_splits_when_no_node_holds_all_and_says_so(self):
        network = a_network()
        network.stock("TEE", NEWARK=1)
        network.stock("MUG", RENO=1)

        [planned] = plan(network, network.demand({"TEE": 1, "MUG": 1}))

        assert taken(network, planned) == {"NEWARK": 1, "RENO": 1}
        assert planned.split_cause == "no_node_holds_all"

    def test_calls_the_goods_by_their_codes(self):
        network = a_network()
        network.stock("TEE", NEWARK=1)

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert [line.label for line in recorded(planned).lines] == ["TEE"]

    def test_leaves_out_what_was_short_a_moment_ago(self):
        network = a_network()
        network.stock("TEE", RENO=5, NEWARK=5)
        exclude(
            [
                ExclusionWanted(
                    network.nodes["NEWARK"],
                    network.skus["TEE"],
                    MONDAY_NOON + timedelta(hours=24),
                    "short",
                )
            ],
            at=MONDAY_NOON,
            actor=SYSTEM,
        )

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert taken(network, planned) == {"RENO": 1}
        assert verdicts(planned)["NEWARK"] == "excluded"

    def test_leaves_out_what_the_caller_has_just_lost(self):
        network = a_network()
        network.stock("TEE", RENO=5, NEWARK=5)
        lost = frozenset({(network.nodes["NEWARK"], network.skus["TEE"])})

        [planned] = Planner().plan([network.demand({"TEE": 1})], excluded=lost, at=MONDAY_NOON)

        assert taken(network, planned) == {"RENO": 1}

    def test_passes_over_a_paused_node_at_once(self):
        network = a_network()
        network.stock("TEE", RENO=5, NEWARK=5)
        plan(network, network.demand({"TEE": 1}))
        pause_node(
            network.nodes["NEWARK"],
            "ship",
            until=None,
            reason="flood",
            at=MONDAY_NOON,
            actor=SYSTEM,
        )

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert taken(network, planned) == {"RENO": 1}
        assert verdicts(planned)["NEWARK"] == "node_paused"

    def test_keeps_to_the_node_that_a_person_chose(self):
        network = a_network()
        network.stock("TEE", RENO=5, NEWARK=5)

        [planned] = plan(network, network.demand({"TEE": 1}, pinned_node_id=network.nodes["RENO"]))

        assert taken(network, planned) == {"RENO": 1}
        assert verdicts(planned)["NEWARK"] == "pinned_elsewhere"
        assert planned.decision.pinned

    def test_collects_only_where_the_buyer_collects(self):
        network = a_network(pickup=("NEWARK", "COLUMBUS"))
        network.stock("TEE", COLUMBUS=5, NEWARK=1)

        [planned] = plan(
            network,
            network.demand({"TEE": 2}, method="pickup", pickup_node_id=network.nodes["NEWARK"]),
        )

        assert taken(network, planned) == {"NEWARK": 1}
        assert [quantity for _, quantity, _ in planned.unfilled] == [1]
        assert verdicts(planned) == {
            "NEWARK": "chosen",
            "COLUMBUS": "pinned_elsewhere",
            "RENO": "pinned_elsewhere",
        }

    def test_ships_to_the_store_for_a_later_pickup_there(self):
        network = a_network(pickup=("NEWARK",))
        network.stock("TEE", RENO=5)

        [planned] = plan(
            network,
            network.demand(
                {"TEE": 1},
                method="ship_to_store",
                postal_code="",
                pickup_node_id=network.nodes["NEWARK"],
            ),
        )

        assert taken(network, planned) == {"RENO": 1}
        [reno] = [row for row in recorded(planned).candidates if row.verdict == "chosen"]
        assert reno.km > 3_000

    def test_sends_a_gift_only_with_its_parent(self):
        network = a_network()
        network.stock("TEE", NEWARK=1)
        network.stock("CARD", RENO=1)
        demand = network.demand({"TEE": 1})
        gift = DemandLine(demand.order_id, network.skus["CARD"], 1, 10, 0, demand.lines[0].line_id)

        [planned] = plan(network, network.demand({}, lines=(*demand.lines, gift)))

        assert taken(network, planned) == {"NEWARK": 1}
        assert planned.unfilled == ((gift.line_id, 1, "with_parent"),)

    def test_ships_nothing_of_a_group_that_must_be_complete(self):
        network = a_network()
        network.stock("TEE", NEWARK=1)
        network.stock("MUG")

        [planned] = plan(network, network.demand({"TEE": 1, "MUG": 1}, ship_complete=True))

        assert planned.takes == ()
        assert [reason for *_, reason in planned.unfilled] == ["ship_complete", "no_stock"]

    def test_is_still_exact_for_a_place_known_only_by_country(self):
        network = a_network()
        network.stock("TEE", NEWARK=1)

        [planned] = plan(network, network.demand({"TEE": 1}, postal_code="SW1A 1AA", country="GB"))

        assert taken(network, planned) == {"NEWARK": 1}
        assert recorded(planned).destination.precision == "country"

    def test_asks_as_little_of_the_database_for_fifty_groups_as_for_one(self):
        network = a_network()
        for sku in ("TEE", "MUG", "CAP"):
            network.stock(sku, RENO=500, COLUMBUS=500, NEWARK=500)
        plan(network, network.demand({"TEE": 1, "MUG": 1, "CAP": 1}))

        def statements(demands: list[object]) -> int:
            with CaptureQueriesContext(connection) as queries:
                plan(network, *demands)
            return len(queries)

        one = statements([network.demand({"TEE": 1, "MUG": 1})])
        fifty = statements([network.demand({"TEE": 1, "MUG": 1, "CAP": 2}) for _ in range(50)])

        assert (one, fifty) == (3, 3)


class TestPromise:
    def test_leaves_at_the_next_cutoff_of_the_node(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert planned.promise is not None
        # 15:00 in Newark, the order having come at noon.
        assert planned.promise.ship_by == datetime(2026, 3, 2, 20, 0, tzinfo=UTC)

    def test_waits_for_the_next_working_day_after_the_cutoff(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)

        [planned] = plan(
            network, network.demand({"TEE": 1}), at=datetime(2026, 3, 6, 21, 0, tzinfo=UTC)
        )

        assert planned.promise is not None
        assert planned.promise.ship_by == datetime(2026, 3, 9, 19, 0, tzinfo=UTC)

    def test_does_not_start_before_the_buyer_wants_it(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)

        [planned] = plan(
            network,
            network.demand({"TEE": 1}, not_before=datetime(2026, 3, 10, 12, 0, tzinfo=UTC)),
        )

        assert planned.promise is not None
        assert planned.promise.ship_by.date().isoformat() == "2026-03-10"

    def test_ends_with_the_day_of_the_destination(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)

        [planned] = plan(network, network.demand({"TEE": 1}, postal_code="94105"))

        assert planned.promise is not None
        # A second before midnight in San Francisco is the next morning in UTC; the clock moves
        # between the two on 8 March.
        assert planned.promise.deliver_earliest.hour == 7
        assert planned.promise.deliver_latest.hour == 6
        assert planned.promise.deliver_earliest <= planned.promise.deliver_latest

    def test_counts_the_carriers_holidays(self):
        assert datetime(2026, 12, 25, tzinfo=UTC).date() in reference.carrier_holidays("US")
        assert datetime(2026, 10, 12, tzinfo=UTC).date() not in reference.carrier_holidays("US")
        assert reference.carrier_holidays("XX") == frozenset()


class TestPolicies:
    def test_change_the_outcome(self):
        network = a_network()
        network.stock("TEE", NEWARK=5, COLUMBUS=5)
        network.stock("MUG", COLUMBUS=5, RENO=5)
        demand = network.demand({"TEE": 1, "MUG": 1})
        ids = services.seed_policies(network.account.pk, at=MONDAY_NOON, actor=SYSTEM)
        nodes = {}

        for code in ("nearest", "fewest-parcels"):
            if code != "cheapest":
                services.submit_policy(ids[code], at=MONDAY_NOON, actor=SYSTEM)
                services.publish_policy(ids[code], at=MONDAY_NOON, actor=SYSTEM)
            [planned] = plan(network, demand)
            nodes[code] = taken(network, planned)

        assert nodes["fewest-parcels"] == {"COLUMBUS": 2}
        assert recorded(planned).policy == "fewest-parcels"

    def test_weights_alone_move_the_order_to_another_node(self):
        network = a_network()
        network.stock("TEE", NEWARK=5, COLUMBUS=5)
        network.stock("MUG", NEWARK=0, COLUMBUS=5, RENO=5)
        demand = network.demand({"TEE": 1, "MUG": 1})

        def nodes_with(weights: dict[str, int]) -> set[str]:
            policy = services.edit_policy(
                services.PolicyDraft(network.account.pk, "own", "Own", weights),
                at=MONDAY_NOON,
                actor=SYSTEM,
            )
            services.submit_policy(policy.pk, at=MONDAY_NOON, actor=SYSTEM)
            services.publish_policy(policy.pk, at=MONDAY_NOON, actor=SYSTEM)
            [planned] = plan(network, demand)
            return set(taken(network, planned))

        assert nodes_with({"cost_percent": 100, "parcel_minor": 5_000}) == {"COLUMBUS"}
        # A kilometre that costs a great deal is worth a second parcel from next door.
        assert nodes_with({"cost_percent": 1, "km_milli": 900_000}) != set()

    def test_of_a_channel_come_before_those_of_the_account(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)
        services.seed_policies(network.account.pk, at=MONDAY_NOON, actor=SYSTEM)
        own = services.edit_policy(
            services.PolicyDraft(
                network.account.pk,
                "own",
                "Own",
                {"cost_percent": 100},
                channel_id=network.channel.pk,
            ),
            at=MONDAY_NOON,
            actor=SYSTEM,
        )
        services.submit_policy(own.pk, at=MONDAY_NOON, actor=SYSTEM)
        services.publish_policy(own.pk, at=MONDAY_NOON, actor=SYSTEM)

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert planned.decision.policy_id == own.pk

    def test_are_built_in_where_the_account_has_none(self):
        network = a_network()
        network.stock("TEE", NEWARK=5)

        [planned] = plan(network, network.demand({"TEE": 1}))

        assert planned.decision.policy_id is None
        assert recorded(planned).policy == "built-in-cheapest"


class TestRecord:
    def test_keeps_the_last_plan_of_each_group_in_one_statement(self):
        network = a_network()
        network.stock("TEE", RENO=5, NEWARK=5)
        demand = network.demand({"TEE": 1})
        [first], [second] = plan(network, demand), plan(network, demand)
        others = plan(network, *(network.demand({"TEE": 1}) for _ in range(3)))

        with CaptureQueriesContext(connection) as queries:
            Planner().record([first, *others, second], at=MONDAY_NOON, actor=SYSTEM)

        assert len(queries) == 1
        kept = RoutingDecision.objects.for_scope(ALL_ACCOUNTS)
        assert kept.count() == 4
        row = kept.get(group_id=demand.group_id)
        assert (row.order_id, row.account_id) == (demand.order_id, network.account.pk)
        assert row.winner.startswith("NEWARK")
        assert row.cost_minor > 0

    def test_keeps_what_the_engine_was_given(self):
        network = a_network()
        network.stock("TEE", RENO=5, NEWARK=7)
        demand = network.demand({"TEE": 2})

        Planner().record(plan(network, demand), at=MONDAY_NOON, actor=SYSTEM)

        given = opened_input(
            RoutingDecision.objects.for_scope(ALL_ACCOUNTS).get(group_id=demand.group_id).input
        )
        assert sorted(units for *_, units in given["supply"]) == [5, 7]
        assert given["demand"]["lines"][0][2] == 2
        assert set(given["versions"]) == set(reference.TOPICS)


class TestQuotas:
    def test_offers_a_channel_only_what_is_not_kept_for_others(self):
        network = a_network()
        network.stock("TEE", RENO=3, NEWARK=5)
        market = ChannelFactory(account=network.account)
        ChannelNode.objects.bulk_create(
            ChannelNode(channel=market, node_id=node_id) for node_id in network.nodes.values()
        )
        demands = [network.demand({"TEE": units}) for units in (2, 3)]
        free = plan(network, *demands)
        keep = QuotaDraft(
            network.account.pk, market.pk, "prime", "fixed", MONDAY_NOON, units=5, cap=6
        )
        plan_quotas([keep], at=MONDAY_NOON, actor=SYSTEM)

        first, second = plan(network, *demands)
        assert [sum(taken(network, one).values()) for one in free] == [2, 3]
        assert [sum(taken(network, one).values()) for one in (first, second)] == [2, 1]
        assert second.unfilled[0][1:] == (2, "kept_for_others")

        (theirs,) = plan(network, replace(network.demand({"TEE": 8}), channel_id=market.pk))
        assert sum(taken(network, theirs).values()) == 6
