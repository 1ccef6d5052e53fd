"""A timetable that is kept from plan to plan: it says nothing else than one that is made anew."""

import random
from dataclasses import replace
from datetime import datetime, time, timedelta

from routing.engine import (
    Calendar,
    Demand,
    Node,
    Partner,
    Policy,
    PriceBook,
    RateCard,
    Supply,
    Timetable,
    Weights,
    Zone,
    compact,
    plan,
)
from tests.routing.engine.worlds import (
    AT,
    CHICAGO,
    DALLAS,
    GROUND,
    NEW_YORK,
    OAKLAND,
    RENO,
    a_demand,
    a_line,
    a_node,
)

RATES = RateCard({"ground": GROUND, "air": (Zone(20_000, 2_000, 300, 1, 1),)})
POLICIES = [
    Policy("cheap", 1, Weights()),
    Policy("late", 2, Weights(late_day=400)),
    Policy("soon", 3, Weights(day=50)),
    Policy("kept", 4, Weights(late_day=400, reroute=300), on_time=True),
]


def a_network(draw: random.Random) -> tuple[Node, ...]:
    """Nodes of two calendars that say the same, one of its own, one that is full and a supplier."""
    day, night = (time(8), time(18)), (time(20), time(4))
    weekly = (*(time(15),) * 5, None, None)
    calendars = [
        Calendar((day,) * 7, {"ground": weekly}, processing_minutes=90),
        Calendar((day,) * 7, {"ground": weekly}, processing_minutes=90),
        Calendar((night,) * 7, processing_minutes=600),
        Calendar((day,) * 7, full_until=AT + timedelta(days=2)),
        Calendar((day,) * 5 + (None, None), special={AT.date(): (time(6), time(9))}),
    ]
    return tuple(
        a_node(
            number,
            draw.choice((RENO, CHICAGO, DALLAS, NEW_YORK)),
            calendar=calendars[number % len(calendars)],
            services=frozenset({"ground", "air"}),
            handling_cost=draw.randint(0, 500),
            acceptance=draw.choice((1_000, 900)),
            partner=Partner(lead_days=2) if number == 7 else None,
        )
        for number in range(10)
    )


def an_order(draw: random.Random, at: datetime, number: int) -> Demand:
    lines = [a_line(f"l{sku}", sku, draw.randint(1, 2)) for sku in draw.sample(range(6), 3)]
    return a_demand(
        *lines,
        key=str(number),
        at=at,
        service=draw.choice(("ground", "ground", "air")),
        destination=draw.choice((OAKLAND, DALLAS, NEW_YORK)),
        deliver_by=draw.choice((None, at + timedelta(days=3))),
        pinned_node=draw.choice((None, None, None, 3)),
    )


def test_plans_are_the_same_whether_it_is_kept_or_made_anew() -> None:
    draw = random.Random(7)  # noqa: S311
    networks = [a_network(draw), a_network(draw)]
    kept, at = Timetable(RATES), AT
    book = PriceBook("1", AT, {1: {0: 90, 4: 20}}, {(2, AT.date()): 40})

    for number in range(240):
        at += timedelta(minutes=draw.choice((-400, 1, 30, 200, 900)))
        order = an_order(draw, at, number)
        nodes, policy = draw.choice(networks), draw.choice(POLICIES)
        units = {(node.id, sku): draw.randint(0, 2) for node in nodes for sku in range(6)}
        asked = [order], nodes, Supply(units), RATES, policy, draw.choice((None, book))

        [here], [anew] = plan(*asked, kept), plan(*asked)

        assert here == anew
        assert compact(here) == compact(anew)


def test_other_rates_than_its_own_are_not_planned_by() -> None:
    dearer = replace(RATES, zones={"ground": (Zone(20_000, 9_000, 0, 9, 9),)})
    asked = [a_demand(a_line("l", 1))], (a_node(1),), Supply({(1, 1): 1}), dearer, POLICIES[0]

    assert plan(*asked, None, Timetable(RATES)) == plan(*asked)
