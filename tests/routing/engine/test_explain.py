"""Decisions as they are stored, and as they are told."""

import json
from dataclasses import replace

import pytest

from routing.engine import (
    NEAREST,
    PICKUP,
    Constraint,
    Precision,
    SplitCause,
    UnfilledReason,
    Verdict,
    all_verdicts,
    compact,
    expand,
    money,
    why_here,
    why_not,
)
from routing.engine.explain import RELAXED, SPLITS, UNFILLED
from routing.engine.record import verdicts_of
from tests.routing.engine.worlds import (
    CHICAGO,
    DALLAS,
    RENO,
    a_demand,
    a_line,
    a_node,
    planned,
)

MUG, TEA = 1, 2
RENO_DC = a_node(1, RENO, code="RNO", name="Reno")
CHICAGO_DC = a_node(2, CHICAGO, code="CHI", name="Chicago")
DALLAS_STORE = a_node(3, DALLAS, code="DAL", name="Dallas", handling_cost=250)
NETWORK = [RENO_DC, CHICAGO_DC, DALLAS_STORE]
TWO_MUGS = a_demand(a_line("l1", MUG, 2, label="MUG-RED"))
BOTH = a_demand(a_line("l1", MUG, label="MUG-RED"), a_line("l2", TEA, label="TEA-GREEN"))


class TestWhyHere:
    def test_names_the_only_node_with_everything(self):
        answer = planned(TWO_MUGS, NETWORK, {(1, MUG): 2, (3, MUG): 1})
        assert why_here(answer)[0] == (
            "Reno ships both items: the only node with everything in stock."
        )

    def test_counts_the_rivals_and_names_the_second(self):
        answer = planned(TWO_MUGS, NETWORK, {(1, MUG): 2, (2, MUG): 2})
        first, *_, last = why_here(answer)
        assert first == "Reno ships both items: the best of two nodes with everything in stock."
        assert last == "Next best: Chicago, $3.00 more."

    def test_says_when_it_moves_and_what_it_costs(self):
        answer = planned(TWO_MUGS, NETWORK, {(1, MUG): 2})
        assert why_here(answer)[1:3] == [
            "It leaves by Wed 4 Mar 23:00 UTC and arrives Thu 5 Mar to Fri 6 Mar.",
            "Expected cost: $10.60, of which $9.00 freight, $1.00 handling and $0.60 picking.",
        ]

    def test_gives_the_cause_of_a_split(self):
        answer = planned(BOTH, NETWORK, {(1, MUG): 1, (2, TEA): 1})
        said = why_here(answer)
        assert said[0] == (
            "Chicago ships TEA-GREEN and Reno ships MUG-RED: two parcels, because no node has "
            "everything in stock."
        )
        assert [text.split(" leaves ")[0] for text in said[1:3]] == [
            "The parcel from Chicago",
            "The parcel from Reno",
        ]

    def test_says_what_is_left_unfilled_and_why(self):
        answer = planned(TWO_MUGS, NETWORK, {(1, MUG): 1})
        assert "1 of 2 units of MUG-RED is left unfilled: there is not enough stock." in why_here(
            answer
        )

    def test_says_when_nothing_ships(self):
        answer = planned(TWO_MUGS, NETWORK, {})
        assert why_here(answer) == [
            "No node ships this order.",
            "2 of 2 units of MUG-RED are left unfilled: there is not enough stock.",
        ]

    def test_admits_a_relaxed_rule(self):
        soft = frozenset({Constraint.MAX_KM})
        answer = planned(TWO_MUGS, NETWORK, {(2, MUG): 2}, max_km=500, soft=soft)
        assert any("so the distance limit was relaxed." in text for text in why_here(answer))

    def test_names_a_pin_rather_than_a_contest(self):
        answer = planned(replace(TWO_MUGS, pinned_node=2), NETWORK, {(1, MUG): 2, (2, MUG): 2})
        assert why_here(answer)[0] == "Chicago ships both items: pinned to this node."

    def test_speaks_of_a_pickup_as_one(self):
        stored = compact(
            planned(replace(TWO_MUGS, pinned_node=3), NETWORK, {(1, MUG): 2, (3, MUG): 2})
        )
        stored["p"][2] = PICKUP
        assert why_here(stored)[0] == "Dallas hands over both items: where the buyer collects it."
        assert why_here(stored)[1].startswith("It is ready by ")
        assert why_not(stored, "RNO") == "Reno is not where the buyer collects the order."

    def test_admits_that_the_destination_is_known_coarsely(self):
        far = replace(TWO_MUGS.destination, precision=Precision.UNKNOWN)
        answer = planned(replace(TWO_MUGS, destination=far), NETWORK, {(1, MUG): 2})
        assert any("distance decided nothing" in text for text in why_here(answer))

    def test_has_words_for_every_code(self):
        assert set(SPLITS) == set(SplitCause)
        assert set(UNFILLED) == set(UnfilledReason)
        assert set(RELAXED) == set(Constraint)


class TestWhyNot:
    def test_counts_what_a_node_has(self):
        answer = planned(TWO_MUGS, NETWORK, {(1, MUG): 2, (3, MUG): 1})
        assert why_not(answer, "DAL") == "Dallas lost: it has 1 of 2 units of MUG-RED."

    def test_prices_a_dearer_node(self):
        answer = planned(TWO_MUGS, NETWORK, {(1, MUG): 2, (2, MUG): 2})
        assert why_not(answer, "CHI") == "Chicago would cost $3.00 more (zone 3, 2,974 km)."

    def test_takes_a_score_of_distance_apart(self):
        answer = planned(TWO_MUGS, NETWORK, {(1, MUG): 2, (2, MUG): 2}, weights=NEAREST)
        assert "more for distance" in why_not(answer, "CHI")

    def test_tells_a_tie(self):
        twins = [RENO_DC, replace(RENO_DC, id=9, code="RN2", name="Reno 2")]
        answer = planned(TWO_MUGS, twins, {(1, MUG): 2, (9, MUG): 2})
        assert why_not(answer, "RNO").startswith("Reno would cost the same") != why_not(
            answer, "RN2"
        ).startswith("Reno 2 would cost the same")

    def test_has_a_sentence_for_a_node_that_is_shut(self):
        paused = replace(CHICAGO_DC, ship_open=False, closed_reason="paused")
        draining = replace(DALLAS_STORE, ship_open=False, closed_reason="draining")
        answer = planned(TWO_MUGS, [RENO_DC, paused, draining], {(1, MUG): 2})
        assert why_not(answer, "CHI") == "Chicago is paused."
        assert why_not(answer, "DAL") == "Dallas ships nothing now (draining)."

    def test_knows_no_node_that_was_not_asked(self):
        with pytest.raises(KeyError):
            why_not(planned(TWO_MUGS, NETWORK, {(1, MUG): 2}), "XXX")

    def test_has_words_for_every_verdict(self):
        stored = compact(planned(TWO_MUGS, NETWORK, {(1, MUG): 2, (2, MUG): 2}))
        others = [row for row in stored["c"] if row[0] != "CHI"]
        for verdict in set(Verdict) - {Verdict.CHOSEN}:
            told = {**stored, "c": [*others, ["CHI", "Chicago", verdict, [0]]]}
            assert why_not(told, "CHI").startswith("Chicago ")
            assert ("CHI", verdict, why_not(told, "CHI")) in all_verdicts(told)
        assert why_not(stored, "RNO") == "Reno was chosen: it ships both items (zone 1, 289 km)."


class TestCompact:
    def test_is_small_and_survives_json(self):
        nodes = [
            a_node(n, (RENO, CHICAGO, DALLAS)[n % 3], code=f"NODE-{n:02}", name=f"Warehouse {n}")
            for n in range(12)
        ]
        demand = a_demand(*(a_line(f"01a2b3c4-{n}", n, label=f"SKU-{n:04}") for n in range(3)))
        units = {(n, sku): 1 for n in range(12) for sku in range(3) if (n + sku) % 3}
        stored = compact(planned(demand, nodes, units))

        text = json.dumps(stored, separators=(",", ":"))
        assert len(text) <= 2_048
        assert expand(json.loads(text)) == expand(stored)

    def test_keeps_every_candidate_and_cost(self):
        answer = planned(BOTH, NETWORK, {(1, MUG): 1, (2, TEA): 1})
        record = expand(compact(answer))

        assert {row.code: row.verdict for row in record.candidates} == {
            row.code: row.verdict for row in answer.candidates
        }
        assert record.cost == answer.cost
        assert [parcel.cost for parcel in record.parcels] == [p.cost for p in answer.parcels]
        assert why_here(record) == why_here(answer)

    def test_says_the_verdicts_alone_as_well(self):
        shut = replace(RENO_DC, id=4, code="SHT", ship_open=False, closed_reason="flood")
        stored = compact(planned(BOTH, [*NETWORK, shut], {(1, MUG): 1, (2, TEA): 1}))

        whole = expand(stored)
        assert verdicts_of(stored) == [
            (row.code, row.verdict, row.reason) for row in whole.candidates
        ]
        assert expand(stored, nodes=False) == replace(whole, candidates=())

    def test_refuses_a_version_it_does_not_know(self):
        with pytest.raises(ValueError, match="version 99"):
            expand({"v": 99})


class TestMoney:
    @pytest.mark.parametrize(
        ("minor", "currency", "text"),
        [
            (110, "USD", "$1.10"),
            (-5, "EUR", "-€0.05"),
            (1_234_500, "GBP", "£12,345.00"),
            (900, "JPY", "¥900"),
            (1_230, "CAD", "12.30 CAD"),
            (1_500, "KWD", "1.500 KWD"),
        ],
    )
    def test_writes_an_amount_as_a_person_does(self, minor, currency, text):
        assert money(minor, currency) == text
