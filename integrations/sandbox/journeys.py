"""The way of one parcel through a simulated carrier, planned when its driver takes it along. Pure.

Days follow from the distance between the ZIP codes, trouble from dice of the parcel's own: the same
seed and number give the same way, whatever else happens.
"""

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

SUNDAY: Final = 6
ATTEMPTS: Final = 3
SILENT_DAYS: Final = 6
"""How long nothing is heard of a lost parcel before the carrier gives it up."""

EXPRESS: Final = ("express", "overnight", "nextday", "2day", "priority")
MAKING: Final = ("pre_transit", "label_created", "Shipping label created")


@dataclass(frozen=True, slots=True)
class Odds:
    """Which share of parcels meets with what."""

    lost: float = 0.003
    damaged: float = 0.002
    refused: float = 0.004
    delayed: float = 0.06
    not_home: float = 0.06
    no_first_scan: float = 0.01


@dataclass(frozen=True, slots=True)
class Scan:
    """One thing that a scanner will say: EasyPost's status and detail, and where."""

    at: datetime
    status: str
    detail: str
    message: str
    zip: str


def lane_days(from_zip: str, to_zip: str, service: str = "") -> int:
    """Days from one ZIP code to another: their first digits run from east to west."""
    if any(word in service.lower() for word in EXPRESS):
        return 1 if from_zip[:1] == to_zip[:1] else 2
    if from_zip[:3] == to_zip[:3]:
        return 1
    if from_zip[:1] == to_zip[:1]:
        return 2
    apart = abs(_digit(from_zip) - _digit(to_zip))
    return 3 if apart <= 3 else 4 if apart <= 6 else 5


def _digit(code: str) -> int:
    return int(code[0]) if code[:1].isdigit() else 5


def delivery_day(start: datetime, days: int) -> datetime:
    """So many days on, at eight in the evening; nobody delivers on a Sunday."""
    day = start + timedelta(days=days)
    if day.weekday() == SUNDAY:
        day += timedelta(days=1)
    return datetime.combine(day.date(), time(20), tzinfo=start.tzinfo)


class Journey:
    """Plans the scans of one parcel."""

    def __init__(
        self, number: str, seed: int, odds: Odds, *, from_zip: str, to_zip: str, service: str
    ) -> None:
        self._dice = random.Random(f"{seed}:{number}")  # noqa: S311  # replayable, guards nothing
        self._odds = odds
        self._from, self._to = from_zip, to_zip
        self._days = lane_days(from_zip, to_zip, service)
        self._scans: list[Scan] = []

    def plan(self, taken_at: datetime) -> list[Scan]:
        """Every scan from the driver's to the last, in order of time."""
        if not self._strikes(self._odds.no_first_scan):
            self._add(
                taken_at + timedelta(minutes=self._dice.randint(5, 180)),
                "in_transit",
                "received_at_origin_facility",
                "Accepted at origin facility",
                self._from,
            )
        arrives = self._travel(taken_at)
        if arrives is not None:
            self._deliver(arrives)
        return sorted(self._scans, key=lambda scan: scan.at)

    def _travel(self, taken_at: datetime) -> datetime | None:
        """Through the hubs; when it reaches the last depot, or None when it never does."""
        left = taken_at + timedelta(hours=self._dice.uniform(4, 9))
        self._add(left, "in_transit", "departed_facility", "Departed facility", self._from)
        halfway = left + timedelta(days=self._days) / 2
        if self._strikes(self._odds.lost):
            given_up = halfway + timedelta(days=SILENT_DAYS)
            self._add(given_up, "failure", "lost", "Parcel cannot be found", self._from)
            return None
        if self._strikes(self._odds.damaged):
            self._add(halfway, "failure", "damaged", "Parcel damaged in handling", self._from)
            self._return(halfway + timedelta(hours=20))
            return None
        if self._days > 1:
            self._add(halfway, "in_transit", "arrived_at_facility", "Arrived at hub", self._to)
        days = self._days
        if self._strikes(self._odds.delayed):
            late = self._dice.randint(1, 3)
            days += late
            self._add(
                halfway + timedelta(hours=6),
                "in_transit",
                "delayed",
                "Delayed in network",
                self._to,
            )
        day = delivery_day(taken_at, days)
        arrived = day.replace(hour=4, minute=self._dice.randint(0, 59))
        self._add(
            arrived,
            "in_transit",
            "received_at_destination_facility",
            "Arrived at delivery depot",
            self._to,
        )
        return arrived

    def _deliver(self, arrived: datetime) -> None:
        """Out with the van, up to three times; then it waits to be collected, or goes back."""
        out = arrived.replace(hour=7, minute=self._dice.randint(0, 59))
        for attempt in range(1, ATTEMPTS + 1):
            self._add(out, "out_for_delivery", "out_for_delivery", "Out for delivery", self._to)
            door = out + timedelta(minutes=self._dice.randint(45, 600))
            if attempt == 1 and self._strikes(self._odds.refused):
                self._add(door, "failure", "refused", "Refused by the receiver", self._to)
                self._return(door + timedelta(hours=15))
                return
            if not self._strikes(self._odds.not_home if attempt == 1 else 0.3):
                self._add(
                    door, "delivered", "arrived_at_destination", "Delivered, left at door", self._to
                )
                return
            self._add(door, "out_for_delivery", "delivery_exception", "Nobody home", self._to)
            out = delivery_day(out, 1).replace(hour=7, minute=self._dice.randint(0, 59))
        self._add(
            out,
            "available_for_pickup",
            "arrived_at_pickup_location",
            "Waits at the post office",
            self._to,
        )
        if self._strikes(0.7):
            self._add(
                out + timedelta(hours=self._dice.randint(20, 90)),
                "delivered",
                "arrived_at_destination",
                "Collected by the receiver",
                self._to,
            )
        else:
            self._return(out + timedelta(days=5))

    def _return(self, turned: datetime) -> None:
        self._add(turned, "return_to_sender", "return", "On its way back to the sender", self._to)
        self._add(
            delivery_day(turned, self._days).replace(hour=11),
            "return_to_sender",
            "arrived_at_destination",
            "Given back to the sender",
            self._from,
        )

    def _strikes(self, share: float) -> bool:
        return self._dice.random() < share

    def _add(self, at: datetime, status: str, detail: str, message: str, where: str) -> None:
        self._scans.append(Scan(at, status, detail, message, where))
