"""Calendars read backwards: until when a departure is made, and which one still arrives in time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from routing.engine.calendar import DAY, HORIZON_DAYS, departure_on, instant, local_date
from routing.engine.types import Calendar


def latest_start(calendar: Calendar, timezone: str, departs: datetime) -> datetime | None:
    """The last instant at which an order may come in and still be ready at `departs`, in UTC.

    Processing is counted back through working hours, as `next_departure` counts it forwards. An
    order must come in before it leaves, however little there is to do. None where no hours within
    the horizon are enough.
    """
    zone = ZoneInfo(timezone)
    work = timedelta(minutes=calendar.processing_minutes)
    day = local_date(departs, timezone)
    for _ in range(HORIZON_DAYS):
        hours = calendar.on(day)
        if hours is not None:
            opens = instant(day, hours[0], zone)
            closes = instant(day if hours[1] > hours[0] else day + DAY, hours[1], zone)
            worked = min(closes, departs.astimezone(UTC)) - opens
            if worked >= work and worked >= timedelta():
                return opens + (worked - work)
            work -= max(timedelta(), worked)
        day -= DAY
    return None


def last_departure(
    calendar: Calendar, timezone: str, service: str, no_later: date
) -> datetime | None:
    """The last departure on or before a day of the node's own, in UTC; None within the horizon."""
    zone = ZoneInfo(timezone)
    day = no_later
    for _ in range(HORIZON_DAYS):
        hours = calendar.on(day)
        if hours is not None:
            closes = instant(day if hours[1] > hours[0] else day + DAY, hours[1], zone)
            leaves = departure_on(calendar, service, day, hours, zone, closes)
            if leaves is not None and local_date(leaves, timezone) <= no_later:
                return leaves
        day -= DAY
    return None
