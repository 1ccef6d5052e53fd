"""A node answers within four hours of its own day."""

from datetime import UTC, date, datetime, time

import pytest

from fulfillment.hours import acknowledge_by
from inventory.types import HoursView, NodeView

WEEKDAYS = tuple(HoursView(day, time(8), time(18)) for day in range(5))


def node(hours=WEEKDAYS, closures=frozenset()) -> NodeView:
    return NodeView(
        id=1,
        code="nyc",
        name="New York",
        kind="dc",
        state="active",
        city="New York",
        region="NY",
        postal_code="10001",
        country="US",
        latitude=None,
        longitude=None,
        timezone="America/New_York",
        has_wms=False,
        processing_minutes=0,
        handling_cost_minor=0,
        pick_cost_minor=0,
        currency="USD",
        priority=0,
        hours=hours,
        cutoffs=(),
        closures=closures,
        functions=(),
    )


def utc(day: int, hour: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        pytest.param(utc(2, 15), utc(2, 19), id="while it is open"),
        pytest.param(utc(2, 9), utc(2, 17), id="before it opens at 13:00 UTC"),
        pytest.param(utc(3, 0), utc(3, 17), id="after it has closed at 23:00 UTC"),
        pytest.param(utc(6, 23), utc(9, 16), id="over the weekend, and the change of the clocks"),
    ],
)
def test_it_counts_from_the_hour_at_which_the_node_is_open(asked, answer):
    assert acknowledge_by(node(), asked) == answer


def test_it_passes_over_days_on_which_the_node_is_closed():
    closed = node(closures=frozenset({date(2026, 3, 2)}))

    assert acknowledge_by(closed, utc(2, 15)) == utc(3, 17)


def test_a_node_without_hours_is_always_open():
    assert acknowledge_by(node(hours=()), utc(8, 3)) == utc(8, 7)
