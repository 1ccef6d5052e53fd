"""What a plan keeps to, and what it says of every node."""

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.engine import (
    FEWEST_PARCELS,
    NEAREST,
    Constraint,
    Dependents,
    Level,
    Policy,
    RateCard,
    SplitCause,
    Supply,
    UnfilledReason,
    Verdict,
    Weights,
    compact,
    plan,
)
from tests.routing.engine.worlds import (
    AT,
    CHEAPEST_WINS,
    CHICAGO,
    DALLAS,
    GROUND,
    NEW_YORK,
    RATES,
    RENO,
    a_demand,
    a_line,
    a_node,
    planned,
    shipped,
)

MUG, TEA, GIFT = 1, 2, 3
RENO_DC = a_node(1, RENO, code="RNO", name="Reno")
CHICAGO_DC = a_node(2, CHICAGO, code="CHI", name="Chicago", timezone="America/Chicago")
DALLAS_STORE = a_node(
    3,
    DALLAS,
    code="DAL",
    name="Dallas",
    timezone="America/Chicago",
    handling_cost=250,
    groups=frozenset({"south"}),
)
NETWORK = [RENO_DC, CHICAGO_DC, DALLAS_STORE]


def verdicts(answer):
    return {row.code: row.verdict for row in answer.candidates}


class TestPlan:
    def test_ships_from_the_cheapest_node_that_has_everything(self):
        demand = a_demand(a_line("mug", MUG, 2))
        answer = planned(demand, NETWORK, {(1, MUG): 2, (2, MUG): 9, (3, MUG): 1})

        assert shipped(answer) == {("mug", 1): 2}
        assert verdicts(answer) == {
            "RNO": Verdict.CHOSEN,
            "CHI": Verdict.COSTS_MORE,
            "DAL": Verdict.PART_STOCK,
        }
        # 8.00 base + 1.00 per kg, 1.00 handling, 2 × 0.30 picking.
        assert (answer.cost.freight, answer.cost.handling, answer.cost.picking) == (900, 100, 60)
        assert answer.cost.score == answer.cost.true_cost == 1_060
        assert answer.level is Level.EXACT

    def test_says_when_the_parcel_leaves_and_arrives(self):
        answer = planned(a_demand(a_line("mug", MUG)), NETWORK, {(1, MUG): 1})

        (parcel,) = answer.parcels
        assert parcel.ship_by == datetime(2026, 3, 4, 23, tzinfo=UTC)
        assert (parcel.deliver_p50, parcel.deliver_p90) == (date(2026, 3, 5), date(2026, 3, 6))
        assert (parcel.zone, parcel.weight_grams) == (1, 500)

    def test_covers_a_line_from_several_nodes_when_no_node_has_enough(self):
        demand = a_demand(a_line("mug", MUG, 5))
        answer = planned(demand, NETWORK, {(1, MUG): 2, (2, MUG): 2, (3, MUG): 3})

        assert shipped(answer) == {("mug", 1): 2, ("mug", 3): 3}
        assert answer.split_cause is SplitCause.NO_NODE_HOLDS_ALL
        assert verdicts(answer)["CHI"] is Verdict.DOMINATED

    def test_says_that_the_rest_waits_for_stock(self):
        demand = a_demand(a_line("mug", MUG, 5))
        answer = planned(demand, NETWORK, {(1, MUG): 2})

        assert shipped(answer) == {("mug", 1): 2}
        assert answer.split_cause is SplitCause.BACKORDER

    def test_names_no_split_for_a_gift_that_is_out_of_stock(self):
        demand = a_demand(a_line("mug", MUG), a_line("tea", TEA, parent="mug"))
        assert planned(demand, NETWORK, {(1, MUG): 1}).split_cause is None

    def test_says_that_one_parcel_would_be_late_for_the_buyer(self):
        demand = a_demand(
            a_line("mug", MUG), a_line("tea", TEA), deliver_by=datetime(2026, 3, 6, 20, tzinfo=UTC)
        )
        near = replace(RENO_DC, id=4, code="RN2", name="Reno Store")
        units = {(1, MUG): 1, (4, TEA): 1, (2, MUG): 1, (2, TEA): 1}
        answer = planned(demand, [*NETWORK, near], units, on_time=True)

        assert shipped(answer) == {("mug", 1): 1, ("tea", 4): 1}
        assert answer.split_cause is SplitCause.BUYERS_CHOICE

    def test_keeps_a_line_whole_where_the_policy_says_so(self):
        demand = a_demand(a_line("mug", MUG, 5))
        answer = planned(
            demand, NETWORK, {(1, MUG): 2, (2, MUG): 2, (3, MUG): 3}, max_nodes_per_line=1
        )

        assert shipped(answer) == {("mug", 3): 3}
        assert answer.unfilled[0].reason is UnfilledReason.LINE_SPLIT

    def test_fills_a_unit_even_where_that_costs_more_than_leaving_it(self):
        cheap = a_demand(a_line("pin", MUG, unfilled_cost=1))

        assert planned(cheap, NETWORK, {(2, MUG): 1}).unfilled == ()
        answer = planned(cheap, NETWORK, {(2, MUG): 1}, fill_first=False)
        assert answer.assignments == ()
        assert answer.unfilled[0].reason is UnfilledReason.COSTS_MORE

    def test_takes_units_away_from_later_demands(self):
        supply = Supply({(1, MUG): 1, (2, MUG): 1})
        demands = [a_demand(a_line("mug", MUG), key=key) for key in ("first", "second", "third")]
        first, second, third = plan(demands, NETWORK, supply, RATES, CHEAPEST_WINS)

        assert shipped(first) == {("mug", 1): 1}
        assert shipped(second) == {("mug", 2): 1}
        assert third.unfilled[0].reason is UnfilledReason.NO_STOCK
        assert supply.available(1, MUG) == 1

    def test_serves_lines_of_one_sku_from_one_stock(self):
        demand = a_demand(a_line("a", MUG), a_line("b", MUG, unfilled_cost=9_000))
        answer = planned(demand, NETWORK, {(1, MUG): 1})

        assert shipped(answer) == {("b", 1): 1}

    def test_refuses_a_dependent_whose_parent_is_not_in_the_demand(self):
        with pytest.raises(ValueError, match="not in the demand"):
            planned(a_demand(a_line("gift", GIFT, parent="mug")), NETWORK, {(1, GIFT): 1})


class TestLimits:
    UNITS = {(1, MUG): 1, (2, TEA): 1}
    BOTH = a_demand(a_line("mug", MUG), a_line("tea", TEA))

    def test_ships_complete_or_not_at_all(self):
        demand = replace(self.BOTH, ship_complete=True)

        assert len(planned(demand, NETWORK, self.UNITS).parcels) == 2
        answer = planned(demand, NETWORK, {(1, MUG): 1})
        assert answer.assignments == ()
        assert [row.reason for row in answer.unfilled] == [
            UnfilledReason.SHIP_COMPLETE,
            UnfilledReason.NO_STOCK,
        ]

    def test_backorders_the_rest_unless_the_policy_forbids_it(self):
        assert shipped(planned(self.BOTH, NETWORK, {(1, MUG): 1})) == {("mug", 1): 1}
        answer = planned(self.BOTH, NETWORK, {(1, MUG): 1}, allow_partial=False)
        assert answer.assignments == ()

    def test_sends_no_more_parcels_than_the_policy_allows(self):
        answer = planned(self.BOTH, NETWORK, self.UNITS, max_nodes_per_demand=1)

        assert shipped(answer) == {("mug", 1): 1}
        assert answer.unfilled[0].reason is UnfilledReason.MAX_PARCELS

    def test_ships_from_the_pinned_node_only(self):
        units = {(node.id, MUG): 5 for node in NETWORK}
        answer = planned(a_demand(a_line("mug", MUG), pinned_node=3), NETWORK, units, max_km=100)

        assert shipped(answer) == {("mug", 3): 1}
        assert verdicts(answer)["RNO"] is Verdict.PINNED_ELSEWHERE

    def test_leaves_out_a_node_that_was_short_of_the_sku(self):
        units = {(1, MUG): 5, (2, MUG): 5}
        demand = a_demand(a_line("mug", MUG), excluded=frozenset({(1, MUG)}))
        answer = planned(demand, NETWORK, units)

        assert shipped(answer) == {("mug", 2): 1}
        assert verdicts(answer)["RNO"] is Verdict.EXCLUDED

    def test_names_a_short_as_the_cause_of_the_split_that_follows(self):
        units = {(1, MUG): 5, (1, TEA): 5, (2, MUG): 5}
        demand = replace(self.BOTH, excluded=frozenset({(1, MUG)}))

        assert planned(demand, NETWORK, units).split_cause is SplitCause.SHORT_OR_REJECT


class TestVerdicts:
    UNITS = {(1, MUG): 1, (2, MUG): 1, (3, MUG): 1}
    MUG_PLEASE = a_demand(a_line("mug", MUG))

    @pytest.mark.parametrize(
        ("changed", "verdict"),
        [
            ({"ship_open": False, "closed_reason": "paused"}, Verdict.NODE_PAUSED),
            ({"ship_open": False, "closed_reason": "draining"}, Verdict.NODE_CLOSED),
            ({"services": frozenset({"air"})}, Verdict.NO_SERVICE),
            ({"groups": frozenset({"west"})}, Verdict.NOT_IN_NETWORK),
        ],
    )
    def test_say_why_a_node_may_not_ship(self, changed, verdict):
        ours = frozenset({"ours"})
        nodes = [replace(RENO_DC, **({"groups": ours} | changed)), replace(CHICAGO_DC, groups=ours)]
        answer = planned(self.MUG_PLEASE, nodes, self.UNITS, groups=ours)

        assert verdicts(answer) == {"RNO": verdict, "CHI": Verdict.CHOSEN}

    def test_say_which_node_is_outside_the_groups(self):
        answer = planned(
            self.MUG_PLEASE,
            NETWORK,
            self.UNITS,
            groups=frozenset({"south"}),
        )
        assert verdicts(answer)["RNO"] is Verdict.NOT_IN_NETWORK
        assert verdicts(answer)["DAL"] is Verdict.CHOSEN

    def test_say_who_is_too_far_and_who_is_late(self):
        assert verdicts(planned(self.MUG_PLEASE, NETWORK, self.UNITS, max_km=2_500)) == {
            "RNO": Verdict.CHOSEN,
            "CHI": Verdict.TOO_FAR,
            "DAL": Verdict.COSTS_MORE,
        }
        tomorrow = replace(self.MUG_PLEASE, deliver_by=datetime(2026, 3, 6, 20, tzinfo=UTC))
        answer = planned(tomorrow, NETWORK, self.UNITS, on_time=True)
        assert verdicts(answer)["CHI"] is Verdict.LATE

    def test_say_which_node_has_no_lane(self):
        near = RateCard({"ground": GROUND[:1]})
        answer = planned(self.MUG_PLEASE, NETWORK, self.UNITS, rates=near)
        assert verdicts(answer)["CHI"] is Verdict.NO_SERVICE

    def test_say_which_chosen_node_has_as_much_for_less(self):
        demand = a_demand(a_line("mug", MUG), a_line("tea", TEA))
        store = replace(CHICAGO_DC, id=4, code="CHS", name="Chicago Store", handling_cost=400)
        units = {(1, TEA): 1, (2, MUG): 1, (4, MUG): 1}
        answer = planned(demand, [RENO_DC, CHICAGO_DC, store], units)

        row = next(row for row in answer.candidates if row.code == "CHS")
        assert (row.verdict, row.dominated_by) == (Verdict.DOMINATED, "CHI")

    @settings(max_examples=100, deadline=None)
    @given(draw=st.randoms())
    def test_exist_for_every_node(self, draw):
        demand = a_demand(*(a_line(f"l{sku}", sku, draw.randint(1, 3)) for sku in range(3)))
        units = {(node.id, sku): draw.randint(0, 3) for node in NETWORK for sku in range(3)}
        answer = planned(demand, NETWORK, units, max_km=draw.choice((None, 1_000, 2_500)))

        assert [row.code for row in answer.candidates] == ["CHI", "DAL", "RNO"]
        chosen = {row.node for row in answer.candidates if row.verdict is Verdict.CHOSEN}
        assert chosen == {parcel.node for parcel in answer.parcels}


class TestObjectives:
    BOTH = a_demand(a_line("mug", MUG), a_line("tea", TEA))
    DEAR_AND_NEAR = replace(RENO_DC, handling_cost=5_000)
    UNITS = {(1, MUG): 1, (2, MUG): 1, (2, TEA): 1, (3, TEA): 1}

    def test_nearest_goes_by_distance_alone(self):
        nodes = [self.DEAR_AND_NEAR, CHICAGO_DC, DALLAS_STORE]
        units = {(1, MUG): 1, (2, MUG): 1}
        one = a_demand(a_line("mug", MUG))

        assert shipped(planned(one, nodes, units, weights=NEAREST)) == {("mug", 1): 1}
        assert shipped(planned(one, nodes, units)) == {("mug", 2): 1}

    def test_fewest_parcels_accepts_a_dearer_parcel(self):
        cheap = [
            replace(RENO_DC, handling_cost=0),
            replace(CHICAGO_DC, handling_cost=9_000),
            replace(DALLAS_STORE, handling_cost=0),
        ]
        assert len(planned(self.BOTH, cheap, self.UNITS).parcels) == 2
        answer = planned(self.BOTH, cheap, self.UNITS, weights=FEWEST_PARCELS)
        assert shipped(answer) == {("mug", 2): 1, ("tea", 2): 1}

    def test_splits_when_two_parcels_are_cheaper_and_says_so(self):
        cheap = [
            replace(RENO_DC, handling_cost=0),
            replace(CHICAGO_DC, handling_cost=9_000),
            replace(DALLAS_STORE, handling_cost=0),
        ]
        answer = planned(self.BOTH, cheap, self.UNITS)
        assert answer.split_cause is SplitCause.CHEAPER

    def test_every_part_of_the_score_is_kept_apart(self):
        weights = Weights(cost_percent=100, parcel=150, distance_per_km=500, late_day=400)
        due = replace(self.BOTH, deliver_by=AT)
        cost = planned(due, NETWORK, {(1, MUG): 1, (3, TEA): 1}, weights=weights).cost

        assert cost.split == 150
        assert cost.distance > 0
        assert cost.lateness > 0
        assert cost.score == pytest.approx(
            cost.true_cost + cost.split + cost.distance + cost.lateness, abs=2
        )


class TestSoftConstraints:
    FAR_TEA = {(1, MUG): 1, (2, MUG): 1, (2, TEA): 1}
    BOTH = a_demand(a_line("mug", MUG), a_line("tea", TEA))

    def test_are_kept_for_what_they_can_fill_and_dropped_for_the_rest(self):
        answer = planned(
            self.BOTH, NETWORK, self.FAR_TEA, max_km=1_000, soft=frozenset({Constraint.MAX_KM})
        )
        assert shipped(answer) == {("mug", 1): 1, ("tea", 2): 1}
        assert answer.relaxed == (Constraint.MAX_KM,)

    def test_are_hard_unless_declared_soft(self):
        answer = planned(self.BOTH, NETWORK, self.FAR_TEA, max_km=1_000)
        assert shipped(answer) == {("mug", 1): 1}
        assert answer.unfilled[0].reason is UnfilledReason.UNREACHABLE

    def test_may_be_the_number_of_parcels(self):
        units = {(1, MUG): 1, (2, TEA): 1}
        soft = frozenset({Constraint.MAX_NODES})
        answer = planned(self.BOTH, NETWORK, units, max_nodes_per_demand=1, soft=soft)
        assert len(answer.parcels) == 2
        assert answer.relaxed == (Constraint.MAX_NODES,)

    def test_are_not_relaxed_without_need(self):
        units = {(1, MUG): 1, (1, TEA): 1, (2, MUG): 1}
        soft = frozenset({Constraint.MAX_KM})
        answer = planned(self.BOTH, NETWORK, units, max_km=1_000, soft=soft)
        assert answer.relaxed == ()
        assert verdicts(answer)["CHI"] is Verdict.TOO_FAR


class TestDependents:
    GIFTED = a_demand(a_line("mug", MUG), a_line("gift", GIFT, parent="mug", unfilled_cost=900))

    def test_leave_with_their_parent_even_from_a_dearer_node(self):
        units = {(1, MUG): 1, (3, MUG): 1, (3, GIFT): 1}
        assert shipped(planned(self.GIFTED, NETWORK, units)) == {("mug", 3): 1, ("gift", 3): 1}

    def test_stay_behind_rather_than_cost_a_parcel(self):
        units = {(1, MUG): 1, (2, GIFT): 1}
        answer = planned(self.GIFTED, NETWORK, units)
        assert shipped(answer) == {("mug", 1): 1}
        assert answer.unfilled[0].reason is UnfilledReason.WITH_PARENT

    def test_hold_their_parent_where_the_family_ships_whole(self):
        units = {(1, MUG): 1, (2, GIFT): 1}
        answer = planned(self.GIFTED, NETWORK, units, dependents=Dependents.TOGETHER)
        assert answer.assignments == ()
        assert {row.reason for row in answer.unfilled} == {UnfilledReason.WITH_PARENT}

    def test_do_not_hold_up_an_order_that_ships_complete(self):
        demand = replace(self.GIFTED, ship_complete=True)
        assert shipped(planned(demand, NETWORK, {(1, MUG): 1})) == {("mug", 1): 1}

    def test_follow_a_parent_whose_units_come_from_two_nodes(self):
        demand = a_demand(a_line("mug", MUG, 4), a_line("gift", GIFT, 2, parent="mug"))
        units = {(1, MUG): 2, (3, MUG): 2, (1, GIFT): 1, (2, GIFT): 9, (3, GIFT): 1}
        answer = planned(demand, NETWORK, units)
        assert shipped(answer) == {
            ("mug", 1): 2,
            ("mug", 3): 2,
            ("gift", 1): 1,
            ("gift", 3): 1,
        }


class TestRun:
    @settings(max_examples=60, deadline=None)
    @given(draw=st.randoms())
    def test_never_takes_more_than_there_is(self, draw):
        units = {(node.id, sku): draw.randint(0, 4) for node in NETWORK for sku in range(3)}
        demands = [
            a_demand(
                *(
                    a_line(f"l{line}", draw.randrange(3), draw.randint(1, 3))
                    for line in range(draw.randint(1, 3))
                ),
                key=str(number),
            )
            for number in range(6)
        ]
        taken: dict[tuple[int, int], int] = {}
        for answer in plan(demands, NETWORK, Supply(units), RATES, CHEAPEST_WINS):
            skus = {line.key: line.sku for line in answer.demand.lines}
            for given_units in answer.assignments:
                position = (given_units.node, skus[given_units.line])
                taken[position] = taken.get(position, 0) + given_units.quantity
            for line in answer.demand.lines:
                filled = sum(g.quantity for g in answer.assignments if g.line == line.key)
                left = sum(u.quantity for u in answer.unfilled if u.line == line.key)
                assert filled + left == line.quantity
        assert all(used <= units.get(position, 0) for position, used in taken.items())

    @settings(max_examples=60, deadline=None)
    @given(draw=st.randoms())
    def test_gives_the_same_bytes_whatever_the_order_of_nodes(self, draw):
        nodes = [
            a_node(n, draw.choice((RENO, CHICAGO)), priority=draw.randint(0, 1), code=f"N{n:02}")
            for n in range(30)
        ]
        units = {(node.id, sku): draw.randint(0, 2) for node in nodes for sku in range(4)}
        demand = a_demand(*(a_line(f"l{sku}", sku, 2) for sku in range(4)))
        shuffled = draw.sample(nodes, len(nodes))
        mixed = dict(draw.sample(sorted(units.items()), len(units)))

        one, other = planned(demand, nodes, units), planned(demand, shuffled, mixed)
        assert json.dumps(compact(one)) == json.dumps(compact(other))
        assert one == other

    def test_breaks_ties_by_priority_then_code(self):
        twins = [
            a_node(1, code="B"),
            a_node(2, code="A"),
            a_node(3, code="C", priority=-1),
        ]
        units = {(node.id, MUG): 1 for node in twins}
        demands = [a_demand(a_line("mug", MUG), key=str(n)) for n in range(3)]
        answers = plan(demands, twins, Supply(units), RATES, Policy("p", 1))

        assert [answer.parcels[0].node for answer in answers] == [3, 2, 1]

    def test_admits_when_the_search_was_cut_short(self):
        draw = random.Random(7)  # noqa: S311 - a fixed pattern without a pattern
        nodes = [
            a_node(n, draw.choice((RENO, CHICAGO, DALLAS, NEW_YORK)), handling_cost=n * 7 % 300)
            for n in range(60)
        ]
        units = {(n, sku): 1 for n in range(60) for sku in range(12) if draw.random() < 0.15}
        demand = a_demand(*(a_line(f"l{sku}", sku) for sku in range(12)))
        cut = planned(demand, nodes, units, effort=200)
        whole = planned(demand, nodes, units, effort=10**9)

        assert (cut.level, whole.level) == (Level.GAP, Level.EXACT)
        assert cut.gap > 0
        assert cut.cost.score * (1 - cut.gap) <= whole.cost.score <= cut.cost.score
        assert not whole.unfilled

    def test_costs_rise_with_each_demand_that_takes_from_the_same_stock(self):
        units = {(1, MUG): 1, (2, MUG): 1, (3, MUG): 1}
        demands = [a_demand(a_line("mug", MUG), key=str(n)) for n in range(3)]
        answers = plan(demands, NETWORK, Supply(units), RATES, CHEAPEST_WINS)
        scores = [answer.cost.score for answer in answers]
        assert all(first <= second for first, second in pairwise(scores))
