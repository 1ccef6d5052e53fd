"""What is asked for a quote, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from orders.sourcing import DemandLine

SHIP, PICKUP, SHIP_TO_STORE = "ship", "pickup", "ship_to_store"
METHODS: Final = (SHIP, PICKUP, SHIP_TO_STORE)
PRODUCT, CART, CHECKOUT = "product", "cart", "checkout"
LASTS: Final[Mapping[str, timedelta]] = {
    PRODUCT: timedelta(minutes=15),
    CART: timedelta(minutes=30),
    CHECKOUT: timedelta(minutes=60),
}
"""How long a quote is honoured, by where the buyer is."""

POLICY, CHEAPEST, FASTEST = "policy", "cheapest", "fastest"
SORTS: Final = (POLICY, CHEAPEST, FASTEST)
IN_STOCK, PARTLY, AHEAD = "in_stock", "partly", "ahead"
"""All of it is there; some of it is still to come; all of it is."""

PICKUP_KM: Final = 80
MOST_STORES: Final = 5


@dataclass(frozen=True, slots=True)
class WantedLine:
    """Units of a code: the channel's, our own, or a barcode."""

    code: str
    quantity: int


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """What a buyer wants to know. Dates are those of the destination's calendar.

    Without a destination the channel's usual one stands in. On a product page every line is asked
    about by itself; else they go together. `needed_by` is the last day that will do, `fixed_date`
    the one day that will. Units that `cart` holds count as free. Stores are looked for within
    `pickup_km` of the destination, or are those of `stores`, by code.
    """

    account_id: UUID
    channel_id: UUID
    currency: str
    kind: str
    lines: tuple[WantedLine, ...]
    postal_code: str = ""
    region: str = ""
    country: str = ""
    methods: tuple[str, ...] = METHODS
    services: tuple[str, ...] = ()
    needed_by: date | None = None
    fixed_date: date | None = None
    cart: str = ""
    pickup_km: int = PICKUP_KM
    stores: tuple[str, ...] = ()
    sort: str = POLICY
    ship_complete: bool = False
    customer_tags: tuple[str, ...] = ()

    @property
    def has_destination(self) -> bool:
        return bool(self.postal_code or self.region or self.country)


@dataclass(frozen=True, slots=True)
class Basket:
    """Lines that are promised together. `item` is the code on a product page, else empty."""

    item: str
    lines: tuple[DemandLine, ...]
    codes: Mapping[UUID, str]

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)


@dataclass(frozen=True, slots=True)
class ParcelPart:
    """One parcel of an option. `waits_until` is when its goods are there, where they are to come."""

    node: str
    name: str
    ship_by: datetime
    earliest: date
    latest: date
    units: Mapping[str, int]
    distance_km: int
    waits_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The store where a buyer collects."""

    node: str
    name: str
    city: str
    region: str
    postal_code: str
    distance_km: int


@dataclass(frozen=True, slots=True)
class Option:
    """One way to have it. Times are instants; dates are the destination's.

    `order_before` is until when it can be had so; `holds_until` until when it is honoured. With a
    fixed date `start_at` is when work begins and `leaves_at` when the last parcel must go. Costs
    are expected ones, for staff: what the buyer pays is the shop's to say.
    """

    id: str
    item: str
    method: str
    service: str
    availability: str
    timezone: str
    ship_by: datetime
    earliest_at: datetime
    latest_at: datetime
    order_before: datetime | None
    holds_until: datetime
    parcels: tuple[ParcelPart, ...]
    cost_minor: int
    cost_currency: str
    score: int
    why: tuple[str, ...]
    decision: tuple[str, ...] = ()
    store: Place | None = None
    ready_by: datetime | None = None
    start_at: datetime | None = None
    basis: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """What cannot be had, and why: a stable code, and a sentence."""

    item: str
    method: str
    service: str
    store: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Quote:
    """The answer to one request, as it is kept."""

    id: UUID
    request: QuoteRequest
    at: datetime
    expires_at: datetime
    options: tuple[Option, ...]
    unavailable: tuple[Unavailable, ...]
    policies: tuple[str, ...]
    versions: Mapping[str, int]
    precision: str
    lines: tuple[tuple[str, int, Mapping[int, int]], ...] = ()
