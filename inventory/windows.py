"""Windows of capacity: between which instants a node works by which limit. Pure.

A window is stated in the node's wall time and compared in instants: on the nights when the clock is
moved it is shorter or longer, never twice and never none but for what the clock skips.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inventory.states import PlanKind
from inventory.types.network import CapacityView, NodeView, PlanView

HORIZON = timedelta(days=60)
"""A node whose next window is further away has none."""

_ROUNDING = 1e-9
"""What a sum of shares may lack of the whole number that it is."""

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Window:
    """From one instant until before another, the most that may be done."""

    starts_at: datetime
    ends_at: datetime
    most: int
    hard: bool


def windows(
    node: NodeView, function: str, resource: str, since: datetime, until: datetime
) -> Iterator[Window]:
    """The windows that end after `since` and begin before `until`, in their order."""
    kept: dict[int, list[CapacityView]] = {}
    for known in node.capacities:
        if (known.function, known.resource) == (function, resource):
            kept.setdefault(known.weekday, []).append(known)
    if not kept:
        return
    zone = ZoneInfo(node.timezone)
    plans = [plan for plan in node.plans if plan.is_of(function)]
    day = since.astimezone(zone).date() - _DAY
    before = datetime.min.replace(tzinfo=UTC)
    while _instant(day, _MIDNIGHT, zone) < until:
        if node.works_on(day):
            for row in sorted(kept.get(day.weekday(), ()), key=lambda known: known.opens):
                starts_at = max(before, _instant(day, row.opens, zone))
                last = day + _DAY if row.closes == _MIDNIGHT else day
                ends_at = _instant(last, row.closes, zone)
                if starts_at < ends_at:
                    before = ends_at
                    if ends_at > since and starts_at < until:
                        most = limit_within(row.most, plans, starts_at, ends_at)
                        yield Window(starts_at, ends_at, most, row.hard)
        day += _DAY


def window_of(node: NodeView, function: str, resource: str, moment: datetime) -> Window | None:
    """The window that work of this moment falls into: the one that is open, or the next."""
    return next(windows(node, function, resource, moment, moment + HORIZON), None)


def limit_within(
    most: int, plans: Sequence[PlanView], starts_at: datetime, ends_at: datetime
) -> int:
    """The limit with what plans add and take; one that covers half of the window counts for half."""
    change = 0.0
    for plan in plans:
        covered = min(ends_at, plan.ends_at) - max(starts_at, plan.starts_at)
        share = max(covered / (ends_at - starts_at), 0.0)
        change += _change(most, plan) * share
    return max(0, int(most + change + _ROUNDING))


def _change(most: int, plan: PlanView) -> float:
    """What the plan adds to the limit while it holds; less than zero for what it takes."""
    if plan.kind == PlanKind.CLOSED:
        return -most
    amount = plan.units if plan.units is not None else most * (plan.percent or 0) / 100
    return amount if plan.kind == PlanKind.EXTRA else -amount


def _instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The instant of a wall time; one that the clock shows twice is the first."""
    return datetime.combine(day, wall.replace(fold=0), tzinfo=zone).astimezone(UTC)
