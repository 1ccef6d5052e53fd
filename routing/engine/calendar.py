"""When a parcel leaves a node and when it arrives.

All comparisons are between UTC instants: two wall times of one zone compare by the clock face,
which is wrong on the two nights a year when the clock is moved. A wall time that the clock skips
is the instant just as far after the gap; one that it shows twice is the first of the two.
"""

from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from routing.engine.types import ANY_SERVICE, Calendar

HORIZON_DAYS = 60
"""A node whose next departure is further away than this is not shipping."""

DAY = timedelta(days=1)


@lru_cache(maxsize=16_384)
def instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall time."""
    return datetime.combine(day, wall.replace(fold=0), tzinfo=zone).astimezone(UTC)


def next_departure(
    calendar: Calendar, timezone: str, service: str, at: datetime
) -> datetime | None:
    """The first departure after `at` that an order arriving then still makes, in UTC.

    Processing happens within working hours only and may run over several days; it begins once the
    node has room. None when nothing departs within the horizon.
    """
    return departure_until(calendar, timezone, service, at)[0]


def departure_until(
    calendar: Calendar, timezone: str, service: str, at: datetime
) -> tuple[datetime | None, datetime]:
    """The next departure, and until when all that comes after `at` has the same one.

    That is no later than `at` itself where it is not known. Work that is done in one go on one day
    may begin as late as the departure and the closing time leave room for it.
    """
    zone = ZoneInfo(timezone)
    now = worked_until = max(at, calendar.full_until or at).astimezone(UTC)
    work = whole = timedelta(minutes=calendar.processing_minutes)
    ready: datetime | None = None
    found: datetime | None = None
    latest = now
    day = now.astimezone(zone).date()
    nights = _works_at_night(calendar)
    if nights:
        day -= DAY
    for _ in range(HORIZON_DAYS):
        before = found
        hours = calendar.on(day)
        if hours is not None:
            closes = instant(day if hours[1] > hours[0] else day + DAY, hours[1], zone)
            if ready is None:
                start = max(worked_until, instant(day, hours[0], zone))
                if start + work <= closes:
                    ready = start + work
                    latest = closes - work if work == whole else now
                elif start < closes:
                    work -= closes - start
                    worked_until = closes
            if ready is not None:
                leaves = departure_on(calendar, service, day, hours, zone, closes)
                if leaves is not None and leaves >= ready and leaves > now:
                    found = min(leaves, found or leaves)
        # What leaves after midnight may leave later than the first departure of the day after.
        if found is not None and (before is not None or not nights):
            return found, min(latest, found - whole)
        day += DAY
    return found, at


def _works_at_night(calendar: Calendar) -> bool:
    for hours in calendar.hours:
        if hours is not None and hours[1] <= hours[0]:
            return True
    return any(hours[1] <= hours[0] for hours in calendar.special.values())


def after_working_days(calendar: Calendar, timezone: str, at: datetime, days: int) -> datetime:
    """The same wall time so many of the node's working days later, in UTC.

    Days beyond the horizon count as worked: nothing departs then anyway.
    """
    if not days:
        return at
    zone = ZoneInfo(timezone)
    here = at.astimezone(zone)
    day = here.date()
    for _ in range(HORIZON_DAYS):
        day += DAY
        if calendar.on(day) is not None:
            days -= 1
            if not days:
                break
    return instant(day, here.time(), zone)


def departure_on(
    calendar: Calendar,
    service: str,
    day: date,
    hours: tuple[time, time],
    zone: ZoneInfo,
    closes: datetime,
) -> datetime | None:
    """When the service's parcels of a day's work leave, in UTC; None where none leave."""
    cutoffs = calendar.cutoffs.get(service) or calendar.cutoffs.get(ANY_SERVICE)
    if cutoffs is None:
        return closes
    wall = cutoffs[day.weekday()]
    if wall is None:
        return None
    overnight = hours[1] <= hours[0] and wall < hours[0]
    return instant(day + DAY if overnight else day, wall, zone)


def add_working_days(
    start: date, days: int, weekdays: AbstractSet[int], holidays: AbstractSet[date]
) -> date:
    """The day that is `days` working days after `start`, whatever kind of day `start` is."""
    if not weekdays:
        message = "a carrier that never works never delivers"
        raise ValueError(message)
    day = start
    while days > 0:
        day += DAY
        if day.weekday() in weekdays and day not in holidays:
            days -= 1
    return day


def local_date(moment: datetime, timezone: str) -> date:
    """The date on the wall of the place where the moment happens."""
    return moment.astimezone(ZoneInfo(timezone)).date()
