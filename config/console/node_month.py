"""A node's month as a table of weeks: when it is open, why not, and what is planned."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from inventory.types import ClosureDraft, NodeView, PlanView

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day: `hours` empty is closed, `note` says why it is not as always."""

    on: date
    in_month: bool
    is_today: bool
    hours: str
    note: str
    plans: tuple[PlanView, ...]


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    weeks: tuple[tuple[DayCell, ...], ...]

    @property
    def before(self) -> str:
        return f"{self.first - _DAY:%Y-%m}"

    @property
    def after(self) -> str:
        return f"{self.first + 31 * _DAY:%Y-%m}"


def month_of(view: NodeView, closures: Sequence[ClosureDraft], first: date, now: datetime) -> Month:
    """The weeks that the month touches, Monday first, in the node's own days."""
    zone = ZoneInfo(view.timezone)
    names = {closure.on: closure.name for closure in closures}
    today = now.astimezone(zone).date()
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    return Month(
        first,
        tuple(tuple(_cell(view, names, day, first, today, zone) for day in week) for week in weeks),
    )


def _cell(
    view: NodeView,
    closures: Mapping[date, str],
    day: date,
    first: date,
    today: date,
    zone: ZoneInfo,
) -> DayCell:
    special = view.special_day(day)
    usual = next((row for row in view.hours if row.weekday == day.weekday()), None)
    hours, note = "", ""
    if special is not None:
        hours, note = _span(special.opens, special.closes), special.name
    elif day in closures:
        note = closures[day]
    elif usual is not None:
        hours = _span(usual.opens, usual.closes)
    begins = datetime.combine(day, time(0), zone).astimezone(UTC)
    ends = datetime.combine(day + _DAY, time(0), zone).astimezone(UTC)
    plans = tuple(plan for plan in view.plans if plan.starts_at < ends and plan.ends_at > begins)
    return DayCell(day, day.month == first.month, day == today, hours, note, plans)


def _span(opens: time, closes: time) -> str:
    return f"{opens:%H:%M}–{closes:%H:%M}"  # an en dash between two times
