"""Small worlds to route in: every builder takes what the test is about and fills in the rest."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

from routing.engine import (
    Calendar,
    Demand,
    Line,
    Node,
    Place,
    Plan,
    Policy,
    RateCard,
    Supply,
    Zone,
    plan,
)

AT = datetime(2026, 3, 4, 15, tzinfo=UTC)
"""A Wednesday morning in the United States."""

NEW_YORK = Place("10001", 40.75, -73.99, "NY", "US")
CHICAGO = Place("60601", 41.88, -87.62, "IL", "US")
DALLAS = Place("75201", 32.78, -96.80, "TX", "US")
RENO = Place("89501", 39.53, -119.81, "NV", "US")
OAKLAND = Place("94607", 37.80, -122.29, "CA", "US")

DAYTIME = (time(8), time(18))
WORKDAYS = Calendar(
    hours=(*(DAYTIME,) * 5, None, None),
    cutoffs={"ground": (*(time(15),) * 5, None, None)},
)
GROUND = (
    Zone(500, 800, 100, 1, 2),
    Zone(1_500, 900, 150, 2, 3),
    Zone(3_000, 1_000, 200, 3, 4),
    Zone(20_000, 1_200, 250, 4, 6),
)
RATES = RateCard({"ground": GROUND})
CHEAPEST_WINS = Policy("cheapest", 1)


def a_node(number: int, place: Place = RENO, **traits: Any) -> Node:
    defaults: dict[str, Any] = {
        "code": f"N{number}",
        "name": f"Node {number}",
        "timezone": "America/Los_Angeles",
        "services": frozenset({"ground"}),
        "calendar": WORKDAYS,
        "handling_cost": 100,
        "pick_cost": 30,
    }
    return Node(id=number, place=place, **{**defaults, **traits})


def a_line(key: str, sku: int, quantity: int = 1, **traits: Any) -> Line:
    defaults: dict[str, Any] = {
        "weight_grams": 500,
        "unfilled_cost": 2_000,
        "unit_value": 2_500,
        "label": key.upper(),
    }
    return Line(key=key, sku=sku, quantity=quantity, **{**defaults, **traits})


def a_demand(*lines: Line, key: str = "order", **traits: Any) -> Demand:
    defaults: dict[str, Any] = {"destination": OAKLAND, "service": "ground", "at": AT}
    return Demand(key=key, lines=lines, **{**defaults, **traits})


def planned(
    demand: Demand,
    nodes: list[Node],
    units: Mapping[tuple[int, int], int],
    policy: Policy = CHEAPEST_WINS,
    rates: RateCard = RATES,
    **traits: Any,
) -> Plan:
    """The plan of one demand; `traits` change the policy."""
    (answer,) = plan([demand], nodes, Supply(units), rates, replace(policy, **traits))
    return answer


def shipped(answer: Plan) -> dict[tuple[str, int], int]:
    """Units by (line, node)."""
    return {(given.line, given.node): given.quantity for given in answer.assignments}
