"""What was worked out for a network is kept while it and the rates last."""

from uuid import UUID

from routing.reference import Network
from routing.timetables import MOST_KEPT, timetable_for
from tests.routing.engine.worlds import RATES, a_node

ACCOUNT = UUID(int=1)


def user(number: int) -> tuple[UUID, UUID]:
    return ACCOUNT, UUID(int=number)


def test_is_kept_until_the_network_or_the_rates_are_others():
    network = Network((a_node(1),), (a_node(1),))
    first = timetable_for(user(1), network, network.shipping, RATES)

    assert timetable_for(user(1), network, network.pickup, RATES) is first
    other = type(RATES)(RATES.zones)
    assert timetable_for(user(1), network, network.shipping, other).rates is other
    again = Network((a_node(1),), (a_node(1),))
    assert timetable_for(user(1), again, again.shipping, other) is not first


def test_nodes_that_stand_so_for_one_batch_leave_nothing_behind():
    network = Network((a_node(1),), ())
    kept = timetable_for(user(2), network, network.shipping, RATES)

    full = (a_node(1, ship_open=False, closed_reason="full"),)

    assert timetable_for(user(2), network, full, RATES) is not kept
    assert timetable_for(user(2), network, network.shipping, RATES) is kept


def test_those_of_the_channels_that_planned_last_are_kept():
    network = Network((a_node(1),), ())
    first = timetable_for(user(3), network, network.shipping, RATES)
    for number in range(10, 10 + MOST_KEPT - 1):
        timetable_for(user(number), network, network.shipping, RATES)
    assert timetable_for(user(3), network, network.shipping, RATES) is first

    for number in range(50, 50 + MOST_KEPT):
        timetable_for(user(number), network, network.shipping, RATES)

    assert timetable_for(user(3), network, network.shipping, RATES) is not first
