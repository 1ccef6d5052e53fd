"""How the console speaks: counts, spans, days, money, masks; and where an order is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.console import diffs, status, words
from config.kernel import masking

NOW = datetime(2026, 3, 4, 17, 0, tzinfo=UTC)  # a Wednesday
NEW_YORK = ZoneInfo("America/New_York")


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "said"),
        [
            (12, "12 s"),
            (720, "12 min"),
            (11_100, "3 h 5 min"),
            (10_800, "3 h"),
            (187_200, "2 d 4 h"),
        ],
    )
    def test_span(self, seconds: int, said: str) -> None:
        assert words.span(seconds) == said

    @pytest.mark.parametrize(
        ("days", "said"),
        [(0, "today"), (-1, "yesterday"), (1, "tomorrow"), (-2, "on Monday"), (20, "on 24 Mar"),
         (-100, "on 24 Nov 2025")],
    )  # fmt: skip
    def test_day(self, days: int, said: str) -> None:
        assert words.day(NOW + timedelta(days=days), NOW, NEW_YORK) == said

    def test_a_moment_is_told_in_the_readers_zone(self) -> None:
        assert words.at_time(NOW, NOW, NEW_YORK) == "today 12:00"

    @pytest.mark.parametrize(
        ("minor", "currency", "said"),
        [(123_450, "USD", "$1,234.50"), (-300, "EUR", "-€3.00"), (500, "JPY", "¥500"),
         (12_500, "KWD", "12.500 KWD")],
    )  # fmt: skip
    def test_amount(self, minor: int, currency: str, said: str) -> None:
        assert words.amount(minor, currency) == said

    def test_masks_leave_too_little_to_use(self) -> None:
        assert masking.masked("Ada Buyer") == "A•• B••••"
        assert masking.masked_email("ada@example.com") == "a•••@e••.com"


def line(**units: int) -> dict[str, Any]:
    buckets = (
        "pending",
        "backordered",
        "reserved",
        "released",
        "shipped",
        "cancelled",
        "delivered",
    )
    values = {name: units.get(name, 0) for name in buckets}
    ordered = sum(values[name] for name in buckets[:-1])
    places = [{"name": "Reno DC"}] if values["reserved"] else []
    return {"kind": "stock", "ordered": ordered, "places": places, **values}


def told(*lines: dict[str, Any], **parts: Any) -> list[str]:
    order = {
        "state": parts.pop("state", "accepted"),
        "payment_state": "authorized",
        "remorse_until": None,
        "cancelled_at": NOW - timedelta(days=1),
    }
    empty: dict[str, Any] = {
        "lines": list(lines),
        "work": [],
        "parcels": [],
        "holds": [],
        "groups": [],
    }
    return status.describe(order, empty | parts, NOW, NEW_YORK)


class TestTheStatus:
    def test_tells_what_left_and_what_is_being_picked(self) -> None:
        work = {
            "id": 1, "node_name": "Reno DC", "state": "shipped", "lines": [], "ship_by": None,
            "collect_by": None,
        }  # fmt: skip
        picking = work | {
            "id": 2, "node_name": "Dallas 3PL", "state": "picking",
            "lines": [{"waiting": 1, "accepted": 0, "picked": 0, "packed": 0}],
            "ship_by": NOW + timedelta(hours=4),
        }  # fmt: skip
        parcel = {
            "fulfillment_order_id": 1, "state": "in_transit", "delivered_at": None,
            "handed_over_at": NOW - timedelta(days=1), "contents": [{"quantity": 2}],
        }  # fmt: skip
        assert told(line(shipped=2, released=1), work=[work, picking], parcels=[parcel]) == [
            (
                "Two of three items left Reno DC yesterday; "
                "one is being picked in Dallas 3PL, ships by today 16:00."
            )
        ]

    def test_tells_what_is_reserved_and_what_waits(self) -> None:
        assert told(line(reserved=1), line(backordered=1)) == [
            "One of two items is reserved in Reno DC; one waits for stock to come in."
        ]

    def test_tells_that_everything_was_cancelled(self) -> None:
        said = told(line(cancelled=2), state="cancelled")
        assert said == ["Everything was cancelled yesterday; nothing is on its way."]

    def test_counts_cancelled_units_apart(self) -> None:
        assert told(line(reserved=1, cancelled=1)) == [
            "The item is reserved in Reno DC.",
            "One of two ordered was cancelled.",
        ]


def test_the_history_tells_only_what_changed() -> None:
    versions = [
        {"what": "Order", "at": NOW, "kind": "+", "reason": "captured",
         "fields": {"id": "1", "state": "captured", "actor_name": "Channel", "tags": []}},
        {"what": "Order", "at": NOW, "kind": "~", "reason": "accepted",
         "fields": {"id": "1", "state": "accepted", "actor_name": "ada", "tags": []}},
    ]  # fmt: skip
    newest = diffs.changes(versions, NOW, NEW_YORK)[0]
    assert (newest.who, newest.fields) == ("ada", [("state", "captured", "accepted")])
