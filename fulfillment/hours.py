"""When a node has to have answered, by its own opening hours. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from inventory.types import NodeView

ACKNOWLEDGE_WITHIN = timedelta(hours=4)
_DAYS_AHEAD = 8


def acknowledge_by(node: NodeView, at: datetime) -> datetime:
    """Four hours from `at`, or from the next opening when the node is closed then.

    A node that states no hours is always open.
    """
    return _opening(node, at) + ACKNOWLEDGE_WITHIN


def _opening(node: NodeView, at: datetime) -> datetime:
    """`at` while the node is open, else the instant at which it opens next."""
    if not node.hours:
        return at
    zone = ZoneInfo(node.timezone)
    today = at.astimezone(zone).date()
    for ahead in range(_DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        if day in node.closures:
            continue
        for hours in sorted(node.hours, key=lambda known: known.opens):
            closes = datetime.combine(day, hours.closes, zone).astimezone(UTC)
            if hours.weekday == day.weekday() and at < closes:
                opens = datetime.combine(day, hours.opens, zone).astimezone(UTC)
                return max(at, opens)
    return at
