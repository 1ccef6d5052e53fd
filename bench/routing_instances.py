"""Seeded networks and their orders, for measuring how good plans are.

Destinations are sixty metropolitan areas by population; nodes are warehouses and stores; what is
ordered follows Zipf's law. Families: A has stock to spare, B has as much as is wanted, C is a peak
with little capacity. For one seed and size everything is drawn the same, to the last bit; what was
added later (several units a line, replenishment, rejections) draws from streams of its own.

Money is in dollars and weight in pounds, as floats; distances are in miles.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

METROS = (
    ("NYC", 40.7, -74.0, 196), ("LA", 34.05, -118.2, 129), ("CHI", 41.9, -87.6, 93),
    ("DAL", 32.8, -96.8, 79), ("HOU", 29.8, -95.4, 73), ("WAS", 38.9, -77.0, 64),
    ("PHL", 39.95, -75.2, 62), ("ATL", 33.75, -84.4, 62), ("MIA", 25.8, -80.2, 61),
    ("PHX", 33.45, -112.1, 50), ("BOS", 42.4, -71.1, 49), ("RIV", 33.95, -117.4, 47),
    ("SFO", 37.8, -122.4, 46), ("DET", 42.3, -83.0, 43), ("SEA", 47.6, -122.3, 40),
    ("MSP", 44.98, -93.3, 37), ("SAN", 32.7, -117.2, 33), ("TPA", 27.95, -82.5, 33),
    ("DEN", 39.7, -105.0, 30), ("BAL", 39.3, -76.6, 28), ("STL", 38.6, -90.2, 28),
    ("ORL", 28.5, -81.4, 28), ("CLT", 35.2, -80.8, 28), ("SAT", 29.4, -98.5, 27),
    ("PDX", 45.5, -122.7, 25), ("SAC", 38.6, -121.5, 24), ("PIT", 40.4, -80.0, 24),
    ("AUS", 30.3, -97.7, 24), ("LAS", 36.2, -115.1, 23), ("CVG", 39.1, -84.5, 23),
    ("MCI", 39.1, -94.6, 22), ("CMH", 39.96, -83.0, 22), ("IND", 39.8, -86.2, 21),
    ("CLE", 41.5, -81.7, 21), ("SJC", 37.3, -121.9, 19), ("BNA", 36.2, -86.8, 21),
    ("ORF", 36.85, -76.3, 18), ("PVD", 41.8, -71.4, 17), ("JAX", 30.3, -81.7, 17),
    ("MKE", 43.0, -87.9, 16), ("OKC", 35.5, -97.5, 15), ("RDU", 35.8, -78.6, 15),
    ("MEM", 35.1, -90.0, 13), ("RIC", 37.5, -77.4, 13), ("SDF", 38.25, -85.8, 13),
    ("MSY", 30.0, -90.1, 12), ("SLC", 40.8, -111.9, 13), ("BDL", 41.8, -72.7, 12),
    ("BUF", 42.9, -78.9, 11), ("BHM", 33.5, -86.8, 11), ("ROC", 43.2, -77.6, 11),
    ("GRR", 42.96, -85.7, 11), ("TUS", 32.2, -110.9, 10), ("HNL", 21.3, -157.9, 10),
    ("TUL", 36.15, -96.0, 10), ("FAT", 36.7, -119.8, 10), ("OMA", 41.3, -95.9, 10),
    ("ABQ", 35.1, -106.6, 9), ("BOI", 43.6, -116.2, 8), ("ANC", 61.2, -149.9, 4),
)  # fmt: skip
"""Name, latitude, longitude and population in hundred thousands: weights, not a census."""

WAREHOUSES = ("RIV", "DAL", "CHI", "ATL", "ABE", "RNO", "SDF", "MEM")
ELSEWHERE = {"ABE": (40.65, -75.4), "RNO": (39.5, -119.8)}

ZONE_MILES = np.array([150, 300, 600, 1_000, 1_400, 1_800])
"""Zones 2 to 8 end here, the last nowhere."""
BASE = np.array([0, 0, 7.2, 7.6, 8.1, 8.8, 9.5, 10.2, 11.0])
PER_POUND = np.array([0, 0, 0.30, 0.36, 0.45, 0.58, 0.72, 0.86, 1.02])
TRANSIT_DAYS = np.array([0, 0, 1, 2, 2, 3, 4, 4, 5])
PROMISED_DAYS = np.array([5, 2])
"""Of the standard and of the express service."""

HANDLING = (1.0, 2.2)
PICKING = (0.35, 0.9)
EXTRA_DAYS = (0, 1)
"""Of a warehouse and of a store."""

FAMILIES: dict[str, dict[str, float]] = {
    "A": {"rho": 1.4},
    "B": {"rho": 1.0},
    "C": {"rho": 1.2, "cap_ratio": 1.15},
}


@dataclass(frozen=True, slots=True)
class Shape:
    """How an instance is drawn. Noise is the sigma of a forecast's logarithmic error.

    `multi` is the chance that a line wants one unit more, again and again (at most four in all);
    `replenished` the share of the stock that comes in half-way; `rejected` the chance that a node
    rejects what it was given.
    """

    warehouses: int = 4
    stores: int = 16
    skus: int = 50
    orders: int = 600
    days: int = 10
    zipf: float = 0.9
    rho: float = 1.1
    imbalance: float = 0.6
    warehouse_share: float = 0.6
    warehouse_cover: float = 0.75
    store_cover: float = 0.35
    cap_ratio: float = 1.6
    express_share: float = 0.2
    late_day: float = 4.0
    overtime: float = 5.0
    sizes: tuple[float, ...] = (0.46, 0.24, 0.13, 0.08, 0.04, 0.03, 0.02)
    sku_noise: float = 0.0
    region_noise: float = 0.0
    multi: float = 0.0
    replenished: float = 0.0
    rejected: float = 0.0


class Order(NamedTuple):
    """SKUs with their units, region, service (1 is express) and day."""

    skus: Ints
    region: int
    service: int
    day: int
    units: Ints


class Instance:
    """A network, its stock and the orders that come: everything a policy is measured on."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape, self.seed = shape, seed
        draw = np.random.default_rng([seed, 1])
        self.metros = np.array([metro[1:3] for metro in METROS], dtype=np.float64)
        people = np.array([metro[3] for metro in METROS], dtype=np.float64)
        self.region_share = people / people.sum()
        self._place_nodes(draw)
        self._draw_goods(draw)
        self._fill_shelves(draw)
        self.orders = self.sample(np.random.default_rng([seed, 2]), shape.orders)
        self._draw_forecast()
        self._draw_additions()

    @property
    def nodes(self) -> int:
        return len(self.places)

    @property
    def room(self) -> Ints:
        """Parcels by node and day."""
        return np.tile(self.capacity[:, None], (1, self.shape.days))

    def _place_nodes(self, draw: np.random.Generator) -> None:
        shape = self.shape
        where = {metro[0]: (metro[1], metro[2]) for metro in METROS} | ELSEWHERE
        places = [where[WAREHOUSES[k % len(WAREHOUSES)]] for k in range(shape.warehouses)]
        regions = len(METROS)
        near = draw.choice(
            regions, shape.stores, replace=shape.stores > regions, p=self.region_share
        )
        places += [tuple(self.metros[k] + draw.normal(0, 0.25, 2)) for k in near]
        self.places = np.array(places)
        self.is_warehouse = np.arange(len(places)) < shape.warehouses
        self.miles = _haversine(self.metros, self.places)
        self.zone = np.searchsorted(ZONE_MILES, self.miles) + 2

    def _draw_goods(self, draw: np.random.Generator) -> None:
        shape = self.shape
        handling = np.where(self.is_warehouse, *HANDLING)
        picking = np.where(self.is_warehouse, *PICKING)
        extra = np.where(self.is_warehouse, *EXTRA_DAYS)
        self.weight = draw.lognormal(np.log(1.5), 0.8, shape.skus).clip(0.1, 30)
        self.price = draw.lognormal(np.log(40), 0.6, shape.skus)
        self.unfilled_cost = 10 + 0.5 * self.price
        popular = 1 / np.arange(1, shape.skus + 1) ** shape.zipf
        self.sku_share = popular / popular.sum()
        days = TRANSIT_DAYS[self.zone][:, :, None] + extra[None, :, None]
        self.late_days = np.maximum(0, days - PROMISED_DAYS)
        self.parcel_cost = (
            BASE[self.zone][:, :, None] + handling[None, :, None] + shape.late_day * self.late_days
        )
        self.unit_cost = (
            PER_POUND[self.zone][None] * self.weight[:, None, None] + picking[None, None, :]
        )

    def _fill_shelves(self, draw: np.random.Generator) -> None:
        shape = self.shape
        sizes = np.array(shape.sizes)
        self.size_share = sizes / sizes.sum()
        expected = self.expected_units(self.sku_share) * shape.orders
        stores = ~self.is_warehouse
        pull = (self.region_share[:, None] * np.exp(-self.miles / 400)).sum(0)
        base = np.where(self.is_warehouse, 1.0, pull / pull[stores].sum() if stores.any() else 0)
        apart = shape.warehouse_share / (1 - shape.warehouse_share) if stores.any() else 1
        base[self.is_warehouse] = apart / max(1, self.is_warehouse.sum())
        chance = np.where(self.is_warehouse, shape.warehouse_cover, shape.store_cover)
        cover = draw.random((shape.skus, self.nodes)) < chance
        for sku in range(shape.skus):
            if not cover[sku].any():
                cover[sku, draw.integers(self.nodes)] = True
        noise = draw.lognormal(0, shape.imbalance, (shape.skus, self.nodes))
        share = base * cover * noise
        share /= share.sum(1, keepdims=True)
        meant = np.maximum(0, shape.rho * expected[:, None] * share)
        self.stock: Ints = draw.poisson(meant).astype(np.int64)
        room = np.where(self.is_warehouse, 3.0, 0.5)
        room /= room.sum()
        daily = np.round(shape.cap_ratio * shape.orders / shape.days * room)
        self.capacity: Ints = np.maximum(1, daily).astype(np.int64)

    def _draw_forecast(self) -> None:
        """What is believed of SKUs and regions: the truth, with the error that was asked for."""
        shape, draw = self.shape, np.random.default_rng([self.seed, 3])
        skus = self.sku_share * draw.lognormal(0, shape.sku_noise, shape.skus)
        regions = self.region_share * draw.lognormal(0, shape.region_noise, len(METROS))
        self.sku_forecast = skus / skus.sum()
        self.region_forecast = regions / regions.sum()

    def _draw_additions(self) -> None:
        shape, draw = self.shape, np.random.default_rng([self.seed, 4])
        self.inbound = np.zeros_like(self.stock)
        if shape.multi:
            more = 1 + sum(shape.multi**extra for extra in (1, 2, 3))
            self.stock = np.round(self.stock * more).astype(np.int64)
            self.orders = [
                order._replace(units=1 + np.minimum(3, draw.geometric(1 - shape.multi, n) - 1))
                for order in self.orders
                for n in (len(order.skus),)
            ]
        if shape.replenished:
            self.inbound = draw.binomial(self.stock, shape.replenished)
            self.stock = self.stock - self.inbound

    def expected_units(self, share: Floats) -> Floats:
        """Units of each SKU in an order, on average: of baskets without repeats, so it is drawn."""
        draw, baskets = np.random.default_rng(0), 4_000
        counts = np.zeros(self.shape.skus)
        for basket in self.baskets(draw, baskets, share):
            counts[basket] += 1
        return counts / baskets

    def baskets(self, draw: np.random.Generator, count: int, share: Floats) -> list[Ints]:
        """Sets of SKUs, each drawn without repeats by its share."""
        sizes = draw.choice(len(self.size_share), count, p=self.size_share) + 1
        skus, most = self.shape.skus, len(self.size_share)
        keys = draw.gumbel(size=(count, skus)) + np.log(share)
        top = np.argpartition(-keys, most, 1)[:, :most] if skus > most else np.argsort(-keys, 1)
        ranked = np.take_along_axis(keys, top, 1).argsort(1)[:, ::-1]
        top = np.take_along_axis(top, ranked, 1)
        return [top[row, : sizes[row]] for row in range(count)]

    def sample(self, draw: np.random.Generator, count: int) -> list[Order]:
        """Orders spread evenly over the days."""
        baskets = self.baskets(draw, count, self.sku_share)
        regions = draw.choice(len(METROS), count, p=self.region_share)
        express = (draw.random(count) < self.shape.express_share).astype(int)
        days = np.arange(count) * self.shape.days // max(1, count)
        return [
            Order(basket, int(region), int(service), int(day), np.ones(len(basket), np.int64))
            for basket, region, service, day in zip(baskets, regions, express, days, strict=True)
        ]


def family(name: str, seed: int, **changes: float) -> Instance:
    """An instance of family A, B or C; `changes` are fields of its shape."""
    return Instance(Shape(**{**FAMILIES[name], **changes}), seed)  # type: ignore[arg-type]


def _haversine(here: Floats, there: Floats) -> Floats:
    one, other = np.radians(here)[:, None, :], np.radians(there)[None, :, :]
    chord = (
        np.sin((one[..., 0] - other[..., 0]) / 2) ** 2
        + np.cos(one[..., 0])
        * np.cos(other[..., 0])
        * np.sin((one[..., 1] - other[..., 1]) / 2) ** 2
    )
    miles: Floats = 3958.8 * 2 * np.arcsin(np.sqrt(chord))
    return miles
