"""Who orders what, when: a seeded stream of baskets over the demo fortnight and after.

The fortnight runs from Monday 16 November 2026 over Thanksgiving and Black Friday to Cyber
Monday, so that it holds two weekends, a holiday and a promotion peak whatever the day it is
played on.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import zipcodes

from config.demo import catalog
from config.demo.retailer import CHANNELS, NODES, ChannelPlan

HOME_ZONE = ZoneInfo("America/New_York")
OPENING = datetime(2026, 11, 16, 5, tzinfo=UTC)
NOW = datetime(2026, 11, 30, 14, tzinfo=UTC)
HOLIDAY = date(2026, 11, 26)
BLACK_FRIDAY = date(2026, 11, 27)

ORDERS_A_DAY = 88
_BY_WEEKDAY = (1.0, 0.95, 0.95, 1.0, 1.05, 1.2, 1.15)
_BY_DAY = {HOLIDAY: 0.55, BLACK_FRIDAY: 3.4, date(2026, 11, 28): 1.9, date(2026, 11, 29): 1.5}
_BY_HOUR = (2, 1, 1, 1, 1, 2, 3, 4, 6, 7, 7, 7, 8, 7, 6, 6, 6, 6, 7, 9, 10, 9, 6, 4)
_LINES = ((1, 46), (2, 27), (3, 14), (4, 7), (5, 4), (6, 2))

_FIRST = (
    "Ada Amir Anna Ben Bianca Carlos Chen Chloe Dana Darius Elena Eli Emma Farah Felix Grace "
    "Hana Hugo Ines Isaac Jada James Jin Julia Kai Kofi Lara Leo Lina Luis Maya Mei Milo Nadia "
    "Noah Nora Omar Priya Quinn Rafael Rosa Sam Sara Sofia Tariq Theo Uma Vera Wade Yara Zoe"
).split()
_LAST = (
    "Abbott Alvarez Baker Banerjee Bishop Brooks Carver Castro Chang Cohen Cruz Dalton Diaz "
    "Dubois Ellis Farouk Fisher Flores Gallo Garcia Grant Haddad Hansen Hayes Hill Ito Jensen "
    "Kaur Kelly Kim Klein Lee Lopez Marsh Mehta Meyer Morris Nguyen Novak Okafor Ortiz Park "
    "Patel Price Reyes Rossi Santos Shah Silva Stone Tran Turner Walsh Weber Wong Young"
).split()
_STREETS = (
    "Alder Birch Cedar Cherry Elm Franklin Grove Hickory Lake Lincoln Main Maple Oak Park Pine "
    "Ridge River Spruce Summit Walnut"
).split()
_STREET_KINDS = ("Ave", "Blvd", "Ct", "Dr", "Ln", "Rd", "St", "Way")

# First three digits of the ZIP and their weight: where the buyers of such shops live.
_REGIONS = (
    ("100", 9), ("112", 8), ("021", 5), ("191", 4), ("200", 4), ("303", 5), ("331", 5), ("327", 3),
    ("282", 3), ("372", 3), ("432", 3), ("481", 3), ("606", 7), ("554", 3), ("631", 2), ("641", 2),
    ("752", 4), ("770", 4), ("787", 4), ("802", 4), ("841", 2), ("850", 4), ("891", 2), ("900", 8),
    ("921", 4), ("941", 5), ("956", 2), ("972", 3), ("981", 5), ("838", 1), ("591", 1), ("040", 1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Buyer:
    name: str
    email: str
    phone: str
    line1: str
    city: str
    region: str
    postal_code: str


@dataclass(frozen=True, slots=True)
class BasketLine:
    sku: catalog.SkuPlan
    quantity: int
    gift_of: int | None = None


@dataclass(frozen=True, slots=True)
class Basket:
    """One order as the shop saw it, before anybody promised anything."""

    number: int
    channel: ChannelPlan
    placed_at: datetime
    buyer: Buyer
    lines: tuple[BasketLine, ...]
    service: str
    pickup_node: str | None = None
    till_node: str | None = None
    sold_by_channel: bool = False
    discount_percent: int = 0
    flaw: str = ""


@lru_cache(maxsize=1)
def _places() -> dict[str, list[dict[str, Any]]]:
    wanted = {prefix for prefix, _ in _REGIONS}
    places: dict[str, list[dict[str, Any]]] = {prefix: [] for prefix in wanted}
    for place in zipcodes.list_all():  # type: ignore[no-untyped-call]  # no stubs
        prefix = place["zip_code"][:3]
        if prefix in wanted and place["zip_code_type"] == "STANDARD" and place["active"]:
            places[prefix].append(place)
    return places


def place_of(postal_code: str) -> dict[str, Any]:
    """What the table says of a ZIP. The library's own search reads the whole table each time."""
    return _by_code()[postal_code]


@lru_cache(maxsize=1)
def _by_code() -> dict[str, dict[str, Any]]:
    table = zipcodes.list_all()  # type: ignore[no-untyped-call]  # no stubs
    return {place["zip_code"]: place for place in table}


def buyer(dice: random.Random) -> Buyer:
    """A person with an address that exists (city, state and ZIP agree)."""
    prefix = dice.choices([p for p, _ in _REGIONS], [w for _, w in _REGIONS])[0]
    place = dice.choice(_places()[prefix])
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    street = f"{dice.choice(_STREETS)} {dice.choice(_STREET_KINDS)}"
    area = dice.choice(place["area_codes"]) if place["area_codes"] else "212"
    return Buyer(
        name=f"{first} {last}",
        email=f"{first}.{last}{dice.randrange(10, 99)}@example.com".lower(),
        phone=f"+1{area}555{dice.randrange(100, 200):04d}",
        line1=f"{dice.randrange(3, 4900)} {street}",
        city=place["city"].title(),
        region=place["state"],
        postal_code=place["zip_code"],
    )


def orders_expected(day: date) -> float:
    """Mean number of orders of one day, in the retailer's home zone."""
    return ORDERS_A_DAY * _BY_WEEKDAY[day.weekday()] * _BY_DAY.get(day, 1.0)


def towns(number: int) -> list[tuple[str, str, str]]:
    """City, state and ZIP of so many places where buyers live, as often as they live there."""
    dice = random.Random(number)  # noqa: S311  # reproducible, not secret
    people = [buyer(dice) for _ in range(number)]
    return [(one.city, one.region, one.postal_code) for one in people]


class Shoppers:
    """A stream of baskets, the same for the same seed."""

    def __init__(self, seed: int | str = 7, last_number: int = 10_000) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # reproducible, not secret
        self.last_number = last_number
        skus = [
            sku for sku in catalog.catalog() if sku.kind in {"stock", "kit"} and sku.price_minor
        ]
        self._shelf = {
            brand: [sku for sku in skus if sku.brand == brand] for brand in {s.brand for s in skus}
        }
        extras = {sku.code: sku for sku in catalog.catalog()}
        self._gift, self._wrap, self._card = (
            extras[code] for code in (catalog.GIFT, catalog.WRAP, catalog.GIFT_CARD)
        )
        self._stores = [node.code for node in NODES if node.kind == "store"]
        self._kept_in_stores = {
            sku.code for sku in skus if "store" in sku.carried_by or sku.kind == "kit"
        }

    def between(self, start: datetime, end: datetime) -> Iterator[Basket]:
        """Baskets placed in [start, end), in order of time."""
        hour = start.replace(minute=0, second=0, microsecond=0)
        while hour < end:
            local = hour.astimezone(HOME_ZONE)
            mean = orders_expected(local.date()) * _BY_HOUR[local.hour] / sum(_BY_HOUR)
            moments = sorted(self._dice.random() * 3600 for _ in range(self._count(mean)))
            for seconds in moments:
                placed = hour + timedelta(seconds=int(seconds))
                basket = self._basket(placed)
                if start <= placed < end:
                    yield basket
            hour += timedelta(hours=1)

    def _count(self, mean: float) -> int:
        """A Poisson number by thinning a binomial: close enough for small means."""
        trials = max(20, int(mean * 6))
        return sum(self._dice.random() < mean / trials for _ in range(trials))

    def _basket(self, placed_at: datetime) -> Basket:
        dice = self._dice
        self.last_number += 1
        channel = dice.choices(CHANNELS, [c.share for c in CHANNELS])[0]
        in_store = channel.kind == "pos"
        brand = dice.choice(("harbor-pine", "northlight")) if in_store else channel.brand
        shelf = self._shelf[brand]
        if in_store:
            shelf = [sku for sku in shelf if sku.code in self._kept_in_stores and sku.kind != "kit"]
        pickup = (
            dice.choice(self._stores) if channel.kind == "web" and dice.random() < 0.07 else None
        )
        if pickup:
            shelf = [sku for sku in shelf if sku.code in self._kept_in_stores]
        local = placed_at.astimezone(HOME_ZONE)
        promotion = local.date() >= BLACK_FRIDAY
        return Basket(
            number=self.last_number,
            channel=channel,
            placed_at=placed_at,
            buyer=buyer(dice),
            lines=self._lines(shelf, channel),
            service="two_day" if channel.kind == "web" and dice.random() < 0.18 else "standard",
            pickup_node=pickup,
            till_node=dice.choice(self._stores) if in_store else None,
            sold_by_channel=channel.kind == "marketplace" and dice.random() < 0.3,
            discount_percent=20 if promotion and channel.kind == "web" else 0,
            flaw=self._flaw(channel),
        )

    def _lines(
        self, shelf: Sequence[catalog.SkuPlan], channel: ChannelPlan
    ) -> tuple[BasketLine, ...]:
        dice = self._dice
        wanted = dice.choices([n for n, _ in _LINES], [w for _, w in _LINES])[0]
        chosen: dict[str, catalog.SkuPlan] = {}
        while len(chosen) < wanted:
            sku = dice.choices(shelf, [sku.pace**2 for sku in shelf])[0]
            chosen[sku.code] = sku
        many = channel.kind == "b2b"
        lines = [
            BasketLine(sku, dice.randrange(4, 13) if many else 1 + (dice.random() < 0.16))
            for sku in chosen.values()
        ]
        if channel.kind == "web":
            candle = next((n for n, line in enumerate(lines) if "-CND-" in line.sku.code), None)
            if candle is not None:
                lines.append(BasketLine(self._gift, 1, gift_of=candle))
            if dice.random() < 0.06:
                lines.append(BasketLine(self._wrap, 1, gift_of=0))
            if channel.brand == "harbor-pine" and dice.random() < 0.03:
                lines.append(BasketLine(self._card, 1))
        return tuple(lines)

    def _flaw(self, channel: ChannelPlan) -> str:
        """What is wrong with the order as it arrives: about one in twenty has something."""
        if channel.kind == "pos":
            return ""
        flaws = ("", "address", "fraud", "sku", "total", "duplicate", "unpaid")
        return self._dice.choices(flaws, (944, 18, 12, 8, 6, 7, 5))[0]


def midnight(day: date) -> datetime:
    """The start of a day in the retailer's home zone."""
    return datetime.combine(day, time(), HOME_ZONE).astimezone(UTC)
