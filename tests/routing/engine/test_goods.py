"""Goods that not every node may send, and not every service carries."""

from dataclasses import replace

from routing.engine import Node, SplitCause, UnfilledReason, Verdict, why_not
from tests.routing.engine.worlds import (
    CHICAGO,
    RATES,
    RENO,
    a_demand,
    a_line,
    a_node,
    planned,
    shipped,
)

DANGEROUS = frozenset({"hazmat"})
GAS = a_line("gas", 1, needs=DANGEROUS)
CUP = a_line("cup", 2)


def two_nodes() -> list[Node]:
    """The near one may not send dangerous goods, the far one may."""
    return [
        a_node(1, RENO, capabilities=frozenset()),
        a_node(2, CHICAGO, capabilities=DANGEROUS),
    ]


def test_goods_leave_only_from_nodes_that_may_send_them() -> None:
    answer = planned(a_demand(GAS), two_nodes(), {(1, 1): 5, (2, 1): 5})

    assert shipped(answer) == {("gas", 2): 1}
    assert answer.candidates[0].verdict is Verdict.UNABLE
    assert why_not(answer, "N1") == "Node 1 has it and may not ship dangerous goods."


def test_a_node_of_which_nobody_has_said_what_it_can_do_may_send_everything() -> None:
    answer = planned(a_demand(GAS), [a_node(1, RENO)], {(1, 1): 5})

    assert shipped(answer) == {("gas", 1): 1}


def test_the_rest_of_an_order_leaves_from_the_node_that_may_not_send_all() -> None:
    units = {(1, 1): 5, (1, 2): 5, (2, 1): 5}

    answer = planned(a_demand(GAS, CUP), two_nodes(), units)

    assert shipped(answer) == {("cup", 1): 1, ("gas", 2): 1}
    assert answer.split_cause is SplitCause.SHIP_FROM_RULE


def test_goods_that_the_service_does_not_carry_are_out_of_reach() -> None:
    rates = replace(RATES, refused={"ground": DANGEROUS})

    answer = planned(a_demand(GAS), two_nodes(), {(2, 1): 5}, rates=rates)

    assert [row.reason for row in answer.unfilled] == [UnfilledReason.UNREACHABLE]
    assert why_not(answer, "N2") == "Node 2 has it, but ground does not carry dangerous goods."
