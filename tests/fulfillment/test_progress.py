"""A fulfillment order's state follows from its quantities, by a path that its machine draws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel.fsm import transitions_of
from fulfillment.models import FulfillmentOrder
from fulfillment.progress import fold
from fulfillment.states import FulfillmentState as S
from fulfillment.types import LineCounts

EDGES = {(source, target) for _, source, target in transitions_of(FulfillmentOrder)}
QUANTITIES = (
    "waiting",
    "accepted",
    "picked",
    "packed",
    "shipped",
    "collected",
    "rejected",
    "short",
    "cancelled",
)


def units(**quantities: int) -> LineCounts:
    return LineCounts(requested=sum(quantities.values()), **quantities)


@pytest.mark.parametrize(
    ("now", "quantities", "state"),
    [
        (S.RELEASED, {"waiting": 2}, S.RELEASED),
        (S.RELEASED, {"waiting": 1, "accepted": 1}, S.ACKNOWLEDGED),
        (S.RELEASED, {"waiting": 1, "rejected": 1}, S.ACKNOWLEDGED),
        (S.ACKNOWLEDGED, {"accepted": 1, "picked": 1}, S.PICKING),
        (S.ACKNOWLEDGED, {"accepted": 1, "short": 1}, S.PICKING),
        (S.PICKING, {"waiting": 1, "cancelled": 1}, S.PICKING),
        (S.PICKING, {"picked": 1, "packed": 1}, S.PICKING),
        (S.PICKING, {"packed": 2}, S.PACKED),
        (S.PACKED, {"picked": 2}, S.PICKING),
        (S.PICKING, {"packed": 1, "shipped": 1}, S.PACKED),
        (S.PACKED, {"shipped": 1, "accepted": 1}, S.PICKING),
        (S.PACKED, {"shipped": 2}, S.SHIPPED),
        (S.PICKING, {"shipped": 1, "short": 1}, S.SHIPPED),
        (S.PICKING, {"short": 2}, S.CANCELLED),
        (S.RELEASED, {"cancelled": 1, "rejected": 1}, S.CANCELLED),
    ],
)
def test_what_is_shipped_follows_its_units(now, quantities, state):
    assert fold(units(**quantities), now, pickup=False) == state


@pytest.mark.parametrize(
    ("now", "quantities", "state"),
    [
        (S.PICKING, {"packed": 2}, S.READY_FOR_PICKUP),
        (S.READY_FOR_PICKUP, {"packed": 1, "collected": 1}, S.READY_FOR_PICKUP),
        (S.READY_FOR_PICKUP, {"collected": 2}, S.COLLECTED),
        (S.EXPIRED, {"packed": 1, "collected": 1}, S.EXPIRED),
        (S.EXPIRED, {"cancelled": 2}, S.EXPIRED),
        (S.EXPIRED, {"cancelled": 1, "collected": 1}, S.COLLECTED),
    ],
)
def test_what_is_collected_follows_its_units(now, quantities, state):
    assert fold(units(**quantities), now, pickup=True) == state


def test_it_is_complete_when_every_journey_is_over():
    shipped = units(shipped=2)

    assert fold(shipped, S.SHIPPED, pickup=False, journeys_over=True) == S.COMPLETED
    assert fold(shipped, S.COMPLETED, pickup=False, journeys_over=False) == S.SHIPPED


@st.composite
def work_in_steps(draw: st.DrawFn) -> list[dict[str, int]]:
    """Quantities after each of several legal moves of units."""
    moves = {
        "waiting": ["accepted", "picked", "packed", "rejected", "short", "cancelled"],
        "accepted": ["picked", "packed", "rejected", "short", "cancelled"],
        "picked": ["packed", "short", "cancelled"],
        "packed": ["shipped", "picked"],
    }
    now = dict.fromkeys(QUANTITIES, 0) | {"waiting": draw(st.integers(1, 4))}
    steps = [now]
    for _ in range(draw(st.integers(1, 12))):
        sources = [name for name in moves if now[name]]
        if not sources:
            break
        source = draw(st.sampled_from(sources))
        target = draw(st.sampled_from(moves[source]))
        number = draw(st.integers(1, now[source]))
        now = now | {source: now[source] - number, target: now[target] + number}
        steps.append(now)
    return steps


@given(work_in_steps(), st.booleans())
def test_every_fold_is_an_edge_of_the_machine(steps, pickup):
    state = S.RELEASED
    for quantities in steps:
        moved = fold(
            units(**_as_pickup(quantities) if pickup else quantities), state, pickup=pickup
        )
        assert moved == state or (state, moved) in EDGES
        state = moved


def _as_pickup(quantities: dict[str, int]) -> dict[str, int]:
    return quantities | {"shipped": 0, "collected": quantities["shipped"]}
