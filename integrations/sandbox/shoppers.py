"""Who buys what, and when: drawn from the seed and the order's number, and from nothing else.

So a shop that is started again, or asked in another order, has the same buyers as before. Money is in
minor units.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

Document = dict[str, Any]

PLACES: Final = (
    ("Brooklyn", "NY", "11201"), ("Newark", "NJ", "07102"), ("Boston", "MA", "02116"),
    ("Atlanta", "GA", "30303"), ("Miami", "FL", "33131"), ("Columbus", "OH", "43215"),
    ("Chicago", "IL", "60611"), ("Austin", "TX", "78701"), ("Denver", "CO", "80202"),
    ("Los Angeles", "CA", "90013"), ("Seattle", "WA", "98101"), ("Portland", "OR", "97209"),
)  # fmt: skip
SHIPPING: Final = (("standard", "Standard shipping", 595, 0.8), ("two_day", "Two-day", 1500, 0.2))
"""Code, title, price in minor units, share."""

_LINES: Final = ((1, 46), (2, 27), (3, 17), (4, 10))
_STATE_RATES: Final = {
    "CA": 0.0725, "CO": 0.029, "FL": 0.06, "GA": 0.04, "IL": 0.0625, "MA": 0.0625, "NJ": 0.06625,
    "NY": 0.04, "OH": 0.0575, "TX": 0.0625, "WA": 0.065,
}  # fmt: skip
_UNTAXED: Final = frozenset({"OR", "NH", "MT", "DE", "AK"})
_OTHER_RATE: Final = 0.05
_FIRST: Final = (
    "Ada Amir Ben Chloe Dana Elena Farah Grace Hugo Ines Jin Kofi Lara Mei Noah Omar Priya Rosa Sam "
    "Tariq Uma Vera Yara Zoe"
).split()
_LAST: Final = (
    "Alvarez Baker Cohen Diaz Ellis Fisher Garcia Hansen Ito Jensen Kaur Lopez Mehta Novak Okafor "
    "Park Reyes Silva Tran Weber"
).split()
_STREETS: Final = "Alder Birch Cedar Elm Franklin Grove Lake Main Oak Pine Ridge Spruce".split()
_GIFT_NOTES: Final = ("Happy birthday!", "With love", "Congratulations, both of you", "Thank you")


@dataclass(frozen=True, slots=True)
class Habits:
    """How a shop's buyers behave. Shares are of orders, between 0 and 1."""

    per_hour: float = 0.0
    cancel_share: float = 0.03
    change_share: float = 0.03
    refund_share: float = 0.02
    discount_share: float = 0.15
    gift_share: float = 0.05
    ship_to: Sequence[Sequence[str]] = PLACES
    shipping: Sequence[Sequence[Any]] = SHIPPING

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "Habits":
        """Raises ValueError for words that there are not, and for what is no share."""
        unknown = set(said) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"shoppers know no {', '.join(sorted(unknown))}")
        habits = cls(**said)
        shares = [value for name, value in said.items() if name.endswith("_share")]
        if not all(0 <= float(share) <= 1 for share in shares) or habits.per_hour < 0:
            raise ValueError("shares are between 0 and 1, and orders per hour not below 0")
        if not habits.ship_to or not habits.shipping:
            raise ValueError("shoppers need somewhere to ship to, and a way of shipping")
        return habits

    def said(self) -> Document:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a shop sells now: `available` is its own figure."""

    sku: str
    price: int
    available: int
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Basket:
    """What a buyer orders. `lines` are SKU and units; `discount_percent` is off every line."""

    lines: tuple[tuple[str, int], ...]
    buyer: Document
    shipping: Sequence[Any]
    discount_percent: int = 0
    note: str = ""
    gift: bool = False


def dice_of(seed: int, *words: object) -> random.Random:
    """Dice for one purpose, alike whenever they are asked for."""
    return random.Random(":".join(map(str, (seed, *words))))  # noqa: S311  # replayable, guards nothing


def next_order_at(habits: Habits, dice: random.Random, after: datetime) -> datetime | None:
    """When the next buyer comes, by Poisson; None when nobody does."""
    if not habits.per_hour:
        return None
    return after + timedelta(hours=dice.expovariate(habits.per_hour))


def basket(habits: Habits, dice: random.Random, offers: Sequence[Offer]) -> Basket | None:
    """One to four lines of what is offered; None when everything is sold out."""
    on_sale = [offer for offer in offers if offer.available > 0]
    wanted = dice.choices([n for n, _ in _LINES], [weight for _, weight in _LINES])[0]
    chosen: dict[str, int] = {}
    for _ in range(wanted):
        units = 2 if dice.random() < 0.16 else 1
        place = dice.random()
        if on_sale:
            offer = _drawn(on_sale, place)
            chosen[offer.sku] = min(offer.available, chosen.get(offer.sku, 0) + units)
    gift = dice.random() < habits.gift_share
    discount = dice.choice((10, 15, 20)) if dice.random() < habits.discount_share else 0
    shipping = dice.choices(habits.shipping, [float(way[3]) for way in habits.shipping])[0]
    person = buyer(dice, habits.ship_to)
    if not chosen:
        return None
    return Basket(
        lines=tuple(chosen.items()),
        buyer=person,
        shipping=shipping,
        discount_percent=discount,
        note=dice.choice(_GIFT_NOTES) if gift else "",
        gift=gift,
    )


def buyer(dice: random.Random, ship_to: Sequence[Sequence[str]]) -> Document:
    """A person and where they live."""
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    city, region, postal_code = dice.choice(list(ship_to))
    return {
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}{dice.randrange(10, 99)}@example.com".lower(),
        "phone": f"+1212555{dice.randrange(100, 200):04d}",
        "address": address(dice, city, region, postal_code),
    }


def address(dice: random.Random, city: str, region: str, postal_code: str) -> Document:
    return {
        "line1": f"{dice.randrange(3, 4900)} {dice.choice(_STREETS)} St",
        "line2": f"Apt {dice.randrange(1, 40)}" if dice.random() < 0.25 else "",
        "city": city,
        "region": region,
        "zip": postal_code,
        "country": "US",
    }


def plans(habits: Habits, dice: random.Random, placed_at: datetime) -> list[tuple[datetime, str]]:
    """What the buyer, or the shop's own people, will still do with the order: deeds with their times.

    At most one of cancel and change within the hour; a refund after one to four days.
    """
    draw, minutes = dice.random(), dice.uniform(2, 58)
    within_the_hour = placed_at + timedelta(minutes=minutes)
    deeds = []
    if draw < habits.cancel_share:
        deeds.append((within_the_hour, "cancel"))
    elif draw < habits.cancel_share + habits.change_share:
        kind = dice.choices(("cut", "address", "add"), (45, 45, 10))[0]
        deeds.append((within_the_hour, kind))
    if dice.random() < habits.refund_share:
        deeds.append((placed_at + timedelta(hours=dice.uniform(24, 96)), "refund"))
    return deeds


def taxes(place: Mapping[str, Any], amount: int) -> list[Document]:
    """The tax of each jurisdiction on an amount before tax: the state's, and mostly a local one."""
    region = str(place["region"])
    if region in _UNTAXED:
        return []
    rates = [(f"{region} State Tax", _STATE_RATES.get(region, _OTHER_RATE))]
    digits = "".join(each for each in str(place["zip"]) if each.isdigit())
    local = int(digits[-1:] or 0) % 4 * 0.005
    if local:
        rates.append((f"{place['city']} City Tax", local))
    return [
        {"title": title, "rate": rate, "amount": int(amount * rate + 0.5)} for title, rate in rates
    ]


def _drawn(offers: Sequence[Offer], place: float) -> Offer:
    """The offer at this place (0 to 1) of all, by how fast each sells."""
    rest = place * sum(offer.pace for offer in offers)
    for offer in offers:
        rest -= offer.pace
        if rest < 0:
            return offer
    return offers[-1]
