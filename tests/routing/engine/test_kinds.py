"""Ways for goods to get to the buyer, weighed in one plan."""

from dataclasses import replace
from datetime import date, time

from routing.engine import (
    FASTEST,
    Calendar,
    Kind,
    Node,
    Partner,
    Plan,
    Policy,
    RateCard,
    Verdict,
    Zone,
    compact,
    expand,
    why_here,
    why_not,
)
from tests.routing.engine.worlds import (
    CHICAGO,
    DAYTIME,
    NEW_YORK,
    OAKLAND,
    RATES,
    RENO,
    WORKDAYS,
    a_demand,
    a_line,
    a_node,
    planned,
    shipped,
)

CHAIR = a_line("chair", 1)
BY_SPEED = Policy("fastest", 1, FASTEST)


def ours_and_theirs() -> list[Node]:
    """A supplier next door who asks $4 more a chair and two days, and a warehouse far away."""
    return [
        a_node(1, RENO, partner=Partner(2, {1: 400})),
        a_node(2, NEW_YORK, handling_cost=0),
    ]


def kinds(answer: Plan) -> dict[str, Kind]:
    return {row.code: row.kind for row in answer.candidates}


def test_a_suppliers_goods_cost_what_they_cost_above_our_own() -> None:
    answer = planned(a_demand(CHAIR), ours_and_theirs(), {(1, 1): 5, (2, 1): 5})

    assert shipped(answer) == {("chair", 2): 1}
    assert kinds(answer)["N1"] is Kind.DROP_SHIP
    (theirs,) = [row for row in answer.candidates if row.node == 1]
    assert theirs.alone is not None
    assert theirs.alone.supplier == 400
    assert theirs.alone.true_cost == 850 + 100 + 30 + 400


def test_a_cheaper_supplier_sends_and_the_explanation_says_how() -> None:
    nodes = ours_and_theirs()
    nodes[0] = replace(nodes[0], partner=Partner(2, {1: -100}))

    answer = planned(a_demand(CHAIR), nodes, {(1, 1): 5, (2, 1): 5})

    assert shipped(answer) == {("chair", 1): 1}
    assert answer.parcels[0].ship_by is not None
    assert answer.parcels[0].ship_by.date() == date(2026, 3, 6)
    assert expand(compact(answer)).candidates[0].lead_days == 2
    assert why_not(answer, "N1") == (
        "Node 1 was chosen: it ships the item as the supplier of its own goods, "
        "ready after two working days (zone 1, 289 km)."
    )
    assert "-$1.00 the supplier's price above our own" in why_here(answer)[2]


def test_a_policy_of_speed_pays_for_days() -> None:
    nodes = [a_node(1, RENO, partner=Partner(5)), a_node(2, CHICAGO)]
    units = {(1, 1): 5, (2, 1): 5}

    assert shipped(planned(a_demand(CHAIR), nodes, units)) == {("chair", 1): 1}
    fast = planned(a_demand(CHAIR), nodes, units, BY_SPEED)
    assert shipped(fast) == {("chair", 2): 1}
    assert fast.cost.waiting == 100_000 * (5 + 6) // 2


def test_what_the_buyers_store_has_needs_no_carrier() -> None:
    nodes = [a_node(1, OAKLAND), a_node(2, RENO)]
    demand = a_demand(CHAIR, collected_at=1)

    there = planned(demand, nodes, {(1, 1): 1, (2, 1): 5})
    assert (shipped(there), there.cost.freight) == ({("chair", 1): 1}, 0)
    assert kinds(there) == {"N1": Kind.AT_STORE, "N2": Kind.TO_STORE}
    assert "on its own counter" in why_not(there, "N1")

    sent = planned(demand, nodes, {(2, 1): 5})
    assert (shipped(sent), sent.cost.freight) == ({("chair", 2): 1}, 850)
    assert "to the store where the buyer collects" in why_not(sent, "N2")


def test_a_courier_brings_it_on_the_day_within_its_radius_until_its_cutoff() -> None:
    calendar = replace(WORKDAYS, cutoffs={"courier": (*(time(15),) * 5, None, None)})
    rates = RateCard({**RATES.zones, "courier": (Zone(40, 1_500, 0, 0, 0),)})
    near = a_node(1, OAKLAND, services=frozenset({"courier"}), calendar=calendar)
    far = replace(near, id=2, code="N2", name="Node 2", place=RENO)
    closed = Calendar((*(DAYTIME,) * 5, None, None), {"courier": (time(6),) * 7})
    late = replace(near, id=3, code="N3", name="Node 3", calendar=closed)

    answer = planned(
        a_demand(CHAIR, service="courier"),
        [near, far, late],
        {(1, 1): 1, (2, 1): 1, (3, 1): 1},
        rates=rates,
    )

    assert shipped(answer) == {("chair", 1): 1}
    assert answer.parcels[0].deliver_p90 == date(2026, 3, 4)
    assert kinds(answer)["N1"] is Kind.SAME_DAY
    by_code = {row.code: row for row in answer.candidates}
    assert (by_code["N2"].verdict, by_code["N2"].reason) == (Verdict.NO_SERVICE, "no_lane")
    assert by_code["N3"].verdict is not Verdict.CHOSEN
