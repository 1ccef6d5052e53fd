"""Promises over the clocks of forty zones: no hour is lost, and waiting never makes them earlier."""

from datetime import UTC, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from routing import engine
from routing.engine import Calendar, Demand, Line, Node, Place, RateCard, Supply, Zone
from routing.engine.backwards import last_departure, latest_start
from routing.engine.calendar import instant, local_date, next_departure

ZONES = (
    "Africa/Cairo", "Africa/Casablanca", "Africa/Johannesburg", "Africa/Lagos",
    "America/Anchorage", "America/Argentina/Buenos_Aires", "America/Asuncion", "America/Bogota",
    "America/Chicago", "America/Denver", "America/Halifax", "America/Havana",
    "America/Los_Angeles", "America/Mexico_City", "America/New_York", "America/Nuuk",
    "America/Phoenix", "America/Santiago", "America/Sao_Paulo", "America/St_Johns",
    "America/Tijuana", "Asia/Beirut", "Asia/Dubai", "Asia/Gaza", "Asia/Jerusalem",
    "Asia/Kathmandu", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tehran", "Asia/Tokyo",
    "Atlantic/Azores", "Australia/Adelaide", "Australia/Lord_Howe", "Australia/Sydney",
    "Europe/Berlin", "Europe/Dublin", "Europe/London", "Pacific/Apia", "Pacific/Auckland",
    "Pacific/Chatham",
)  # fmt: skip
moments = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
clocks = st.times(min_value=time(0, 0), max_value=time(23, 45)).map(
    lambda wall: wall.replace(second=0, microsecond=0)
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Day shifts and night shifts, with and without cutoffs, and up to two days of work."""
    opens, closes = draw(clocks), draw(clocks)
    week = draw(st.lists(st.booleans(), min_size=7, max_size=7).filter(any))
    cutoff = draw(st.none() | clocks)
    hours = tuple((opens, closes) if works else None for works in week)
    cutoffs = {} if cutoff is None else {engine.ANY_SERVICE: (cutoff,) * 7}
    return Calendar(hours, cutoffs, processing_minutes=draw(st.integers(0, 2_880)))


def test_no_hour_is_lost_where_the_clock_moves():
    """From noon to noon, of every day of a year: the wall says what passed, less the move."""
    first = datetime(2026, 1, 1, tzinfo=UTC).date()
    for zone, days in product(ZONES, range(365)):
        there, day = ZoneInfo(zone), first + timedelta(days=days)
        following = day + timedelta(days=1)
        noon, next_noon = (instant(each, time(12), there) for each in (day, following))
        moved = next_noon.astimezone(there).utcoffset() - noon.astimezone(there).utcoffset()
        assert next_noon - noon == timedelta(hours=24) - moved
        assert local_date(noon, zone) == day


@settings(max_examples=60, deadline=None)
@given(calendars(), st.sampled_from(ZONES), moments, st.integers(0, 20_160))
def test_who_comes_later_never_leaves_earlier(calendar, zone, at, minutes):
    first = next_departure(calendar, zone, "standard", at)
    later = next_departure(calendar, zone, "standard", at + timedelta(minutes=minutes))

    if first is not None:
        assert first > at
        assert later is None or later >= first


@settings(max_examples=60, deadline=None)
@given(calendars(), st.sampled_from(ZONES), moments)
def test_the_countdown_ends_exactly_where_the_departure_is_missed(calendar, zone, at):
    departs = next_departure(calendar, zone, "standard", at)
    if departs is None:
        return
    before = latest_start(calendar, zone, departs)

    assert before is not None
    assert before >= at or before == departs
    still = next_departure(calendar, zone, "standard", before - timedelta(seconds=1))
    missed = next_departure(calendar, zone, "standard", before + timedelta(seconds=1))
    assert still is not None
    assert still <= departs
    assert missed is None or missed > departs


@settings(max_examples=60, deadline=None)
@given(calendars(), st.sampled_from(ZONES), moments)
def test_the_last_departure_of_a_day_is_one_that_is_made(calendar, zone, at):
    day = local_date(at, zone)
    leaves = last_departure(calendar, zone, "standard", day)

    if leaves is not None:
        assert local_date(leaves, zone) <= day
        start = latest_start(calendar, zone, leaves)
        if start is not None and start < leaves:
            assert next_departure(calendar, zone, "standard", start) == leaves


RATES = RateCard({"standard": (Zone(500, 500, 10, 1, 2), Zone(40_000, 900, 10, 3, 5))})
BUYER = Place("", 40.0, -74.0, "NJ", "US")


def promised(stock: dict[int, int], at: datetime, zone: str, hours: tuple[time, time]) -> object:
    """The last day promised of three units, for a near and a far node; None when units are missing."""
    calendar = Calendar((hours,) * 5 + (None, None), processing_minutes=90)
    nodes = [
        Node(number, f"N{number}", "", place, zone, frozenset({"standard"}), calendar)
        for number, place in ((1, BUYER), (2, Place("", 34.0, -118.0, "CA", "US")))
    ]
    line = Line("a", 1, 3, 400, 10_000, 10_000)
    demand = Demand("d", (line,), BUYER, "standard", at)
    supply = Supply({(node, 1): units for node, units in stock.items()})
    policy = engine.Policy("fast", 1, engine.Weights(cost_percent=100, late_day=0))
    [plan] = engine.plan([demand], nodes, supply, RATES, policy)
    days = [parcel.deliver_p90 for parcel in plan.parcels]
    return max(days) if days and not plan.unfilled else None


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.integers(0, 3),
    st.sampled_from(ZONES),
    moments,
    st.integers(0, 10_080),
)
def test_neither_waiting_nor_more_stock_moves_a_promise_the_wrong_way(held, more, zone, at, later):
    near, far = held
    hours = (time(8), time(18))
    now = promised({1: near, 2: far}, at, zone, hours)
    waited = promised({1: near, 2: far}, at + timedelta(minutes=later), zone, hours)
    richer = promised({1: near + more, 2: far}, at, zone, hours)

    if now is not None:
        assert waited is not None
        assert waited >= now
        assert richer is not None
        assert richer <= now
