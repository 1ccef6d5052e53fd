"""Who the demo retailer is: brands, channels, nodes and the services between them."""

from dataclasses import dataclass
from datetime import time

ACCOUNT_CODE = "harbor-northlight"
ACCOUNT_NAME = "Harbor & Northlight Trading Co."


@dataclass(frozen=True, slots=True)
class BrandPlan:
    code: str
    name: str
    prefix: str


BRANDS = (
    BrandPlan("harbor-pine", "Harbor & Pine", "HP"),
    BrandPlan("northlight", "Northlight Outdoor", "NL"),
)


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """`share` is the channel's part of a day's orders, in percent."""

    code: str
    name: str
    kind: str
    brand: str
    share: int
    remorse_minutes: int = 0
    backorders: bool = True


CHANNELS = (
    ChannelPlan("hp-web", "Harbor & Pine web shop", "web", "harbor-pine", 38, remorse_minutes=15),
    ChannelPlan("nl-web", "Northlight web shop", "web", "northlight", 27, remorse_minutes=15),
    ChannelPlan("agora", "Agora marketplace", "marketplace", "harbor-pine", 20, backorders=False),
    ChannelPlan("tills", "Store tills", "pos", "harbor-pine", 11),
    ChannelPlan("trade", "Trade desk", "b2b", "northlight", 4),
)


@dataclass(frozen=True, slots=True)
class NodePlan:
    """A place that ships. `cutoff` is the local time by which a parcel must be packed."""

    code: str
    name: str
    kind: str
    line1: str
    postal_code: str
    cutoff: time
    hours: tuple[time, time]
    weekdays: tuple[int, ...]
    pick_cost_minor: int
    handling_cost_minor: int
    processing_minutes: int
    depth: int


_WORKDAYS = (0, 1, 2, 3, 4)
_SIX_DAYS = (0, 1, 2, 3, 4, 5)
_EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
_DC_HOURS = (time(6), time(20))
_STORE_HOURS = (time(10), time(19))

NODES = (
    NodePlan(
        "RNO", "Reno DC", "dc", "4500 Logistics Way", "89506",
        time(16), _DC_HOURS, _SIX_DAYS, 35, 100, 150, 90,
    ),
    NodePlan(
        "CMH", "Columbus DC", "dc", "2200 Rickenbacker Pkwy", "43217",
        time(16), _DC_HOURS, _SIX_DAYS, 35, 100, 150, 105,
    ),
    NodePlan(
        "ATL", "Atlanta DC", "dc", "780 Fulton Industrial Blvd", "30336",
        time(15, 30), _DC_HOURS, _SIX_DAYS, 38, 105, 150, 70,
    ),
    NodePlan(
        "DFW", "Dallas 3PL (Lonestar Logistics)", "threepl", "5100 Mountain Creek Pkwy", "75236",
        time(14), (time(7), time(18)), _WORKDAYS, 55, 150, 240, 55,
    ),
    NodePlan(
        "SEA", "Seattle store", "store", "1420 Pike Pl", "98101",
        time(15), _STORE_HOURS, _EVERY_DAY, 90, 220, 240, 12,
    ),
    NodePlan(
        "DEN", "Denver store", "store", "1600 Larimer St", "80202",
        time(15), _STORE_HOURS, _EVERY_DAY, 90, 220, 240, 11,
    ),
    NodePlan(
        "CHI", "Chicago store", "store", "700 N Michigan Ave", "60611",
        time(15), _STORE_HOURS, _EVERY_DAY, 90, 230, 240, 13,
    ),
    NodePlan(
        "NYC", "New York store", "store", "155 Spring St", "10012",
        time(14), _STORE_HOURS, _EVERY_DAY, 110, 260, 240, 13,
    ),
    NodePlan(
        "BOS", "Boston store", "store", "220 Newbury St", "02116",
        time(15), _STORE_HOURS, _EVERY_DAY, 95, 230, 240, 10,
    ),
    NodePlan(
        "MIA", "Miami store", "store", "98 SW 8th St", "33130",
        time(15), _STORE_HOURS, _EVERY_DAY, 90, 220, 240, 11,
    ),
    NodePlan(
        "PDX", "Cascade Candle Co. (drop-ship)", "supplier", "1130 NW Lovejoy St", "97209",
        time(12), (time(8), time(16)), _WORKDAYS, 60, 140, 480, 90,
    ),
    NodePlan(
        "GRR", "Lakeshore Furniture (drop-ship)", "supplier", "310 Fulton St W", "49503",
        time(12), (time(8), time(16)), _WORKDAYS, 150, 400, 960, 30,
    ),
)  # fmt: skip


BY_HAND = "RNO"
"""The node without a system of its own: its people work in the console, in the demo's life too."""


@dataclass(frozen=True, slots=True)
class Zone:
    """Up to `max_km` from the node: base and per-kilogram price in cents, transit in working days."""

    max_km: int
    base_minor: int
    per_kg_minor: int
    days_p50: int
    days_p90: int


@dataclass(frozen=True, slots=True)
class ServicePlan:
    code: str
    name: str
    carrier: str
    zones: tuple[Zone, ...]


CARRIERS = {"PARCELPOST": "ParcelPost", "BLUEVAN": "BlueVan Express"}

SERVICES = (
    ServicePlan(
        "standard", "Standard ground", "PARCELPOST",
        (
            Zone(240, 720, 66, 1, 2),
            Zone(480, 790, 74, 2, 3),
            Zone(960, 870, 92, 3, 4),
            Zone(1600, 950, 120, 3, 5),
            Zone(2250, 1020, 150, 4, 6),
            Zone(2900, 1080, 180, 5, 7),
            Zone(20000, 1150, 220, 6, 9),
        ),
    ),
    ServicePlan(
        "two_day", "Two-day", "BLUEVAN",
        (
            Zone(240, 980, 140, 1, 2),
            Zone(960, 1450, 210, 2, 2),
            Zone(2250, 1980, 320, 2, 2),
            Zone(20000, 2450, 410, 2, 3),
        ),
    ),
)  # fmt: skip
