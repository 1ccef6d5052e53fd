"""What goes into the engine: demand, network, rates and policy.

Money is an integer of minor units, weight of grams, distance of kilometres. Every value is
frozen, so that one snapshot may be planned again and again (live, what-if, backtest).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

PAUSED = "paused"
"""The `Node.closed_reason` of a node that will be back; any other reason reads as closed."""

FULL = "full"
"""The `Node.closed_reason` of a node whose limit is reached; it takes more in its next window."""

ANY_SERVICE = "*"
"""The key of `Calendar.cutoffs` for services that have no row of their own."""

PICKUP = "pickup"
"""The service of a demand that its buyer collects: its pinned node hands it over, nothing ships."""

WORKING_WEEK = frozenset(range(5))


class Constraint(StrEnum):
    """What a policy may declare soft: tried as a rule first, dropped for what it leaves unfilled."""

    MAX_KM = "max_km"
    ON_TIME = "on_time"
    MAX_NODES = "max_nodes"
    NODES = "nodes"


class Dependents(StrEnum):
    """What a missing dependent line (gift, wrap) does to its parent. Both leave from one node."""

    FOLLOW = "follow"
    """The parent ships; the dependent comes along where it can and never costs a parcel."""
    TOGETHER = "together"
    """The family ships whole or not at all."""


class Precision(StrEnum):
    """What the point of a place stands for: distances from a coarse one are only as good."""

    POSTAL_CODE = "postal_code"
    AREA = "area"
    REGION = "region"
    COUNTRY = "country"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the map, with the codes that carriers ask for."""

    postal_code: str
    latitude: float
    longitude: float
    region: str
    country: str
    precision: Precision = Precision.POSTAL_CODE


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one SKU that somebody wants.

    `unfilled_cost` and `unit_value` are per unit. `parent` is the key of the line that this one
    depends on. `label` is what a person calls the SKU. `volume_cm3` is of one unit, packed; 0 when
    nobody measured it. `needs` is what a node must be able to do for it, and a service must carry.
    """

    key: str
    sku: int
    quantity: int
    weight_grams: int
    unfilled_cost: int
    unit_value: int
    parent: str | None = None
    label: str = ""
    volume_cm3: int = 0
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Demand:
    """The lines of one delivery group: one destination, one service, one decision.

    `deliver_by` names its last day in its own time zone. `excluded` are pairs (node id, SKU id):
    a short or a rejection that still stands. `collected_at` is the store that the parcels go to:
    what it has itself is handed over there and needs no carrier.
    """

    key: str
    lines: tuple[Line, ...]
    destination: Place
    service: str
    at: datetime
    ship_complete: bool = False
    pinned_node: int | None = None
    excluded: frozenset[tuple[int, int]] = frozenset()
    deliver_by: datetime | None = None
    collected_at: int | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a node works and when its carrier leaves, in the node's own wall time, Monday first.

    `special` are hours of one date, also of a holiday. A closing time at or before the opening time is
    on the next day. A day without a cutoff for
    the service has no departure; a service without any row leaves at closing time. `full_until` is
    the instant before which no more work is begun than the node has already.
    """

    hours: tuple[tuple[time, time] | None, ...]
    cutoffs: Mapping[str, tuple[time | None, ...]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    processing_minutes: int = 0
    special: Mapping[date, tuple[time, time]] = field(default_factory=dict)
    full_until: datetime | None = None

    def on(self, day: date) -> tuple[time, time] | None:
        """When the node works that day; None when it does not."""
        if day in self.special:
            return self.special[day]
        return None if day in self.holidays else self.hours[day.weekday()]


NO_MORE = 2**31
"""The least order of what a supplier offers no longer."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A drop-ship supplier's terms. Goods are ready `lead_days` of its working days after the order.

    A unit costs `surcharges` more than one of our own, by SKU: less where that is negative. An order
    for fewer units of a SKU than `least` it does not take; none at all from `NO_MORE` on.
    """

    lead_days: int = 0
    surcharges: Mapping[int, int] = field(default_factory=dict)
    least: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A place that can ship. `handling_cost` is per parcel, `pick_cost` per unit.

    A lower `priority` wins a tie. Of a thousand requests it takes `acceptance` and rejects the rest.
    `capabilities` is what it can do beyond keeping and sending goods; None where nobody has said.
    A `partner` is somebody else, who sends goods of their own for us.
    """

    id: int
    code: str
    name: str
    place: Place
    timezone: str
    services: frozenset[str]
    calendar: Calendar
    ship_open: bool = True
    closed_reason: str = ""
    handling_cost: int = 0
    pick_cost: int = 0
    priority: int = 0
    groups: frozenset[str] = frozenset()
    acceptance: int = 1_000
    capabilities: frozenset[str] | None = None
    partner: Partner | None = None

    def lacks(self, needs: frozenset[str]) -> frozenset[str]:
        """What of this it is known not to be able to do."""
        return frozenset() if self.capabilities is None else needs - self.capabilities


@dataclass(frozen=True, slots=True)
class Zone:
    """Destinations up to `max_km` away: price of a parcel and transit in carrier working days."""

    max_km: int
    base: int
    per_kg: int
    days_p50: int
    days_p90: int


LaneKey = tuple[int, str, int]
"""(node id, service, the zone's `max_km`): from a node into a ring around it."""


@dataclass(frozen=True, slots=True)
class RateCard:
    """What a carrier's services are expected to cost and take. Zones stand in ascending reach.

    A unit is billed by its weight or, with `cm3_per_kg`, by its volume where that makes it heavier.
    Freight sets `carbon_grams` of carbon dioxide free for each tonne and kilometre.
    """

    zones: Mapping[str, tuple[Zone, ...]]
    currency: str = "USD"
    carrier_days: frozenset[int] = WORKING_WEEK
    carrier_holidays: frozenset[date] = frozenset()
    cm3_per_kg: int = 0
    carbon_grams: int = 0
    learnt: Mapping[LaneKey, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """Lanes whose days were learnt: (P50, P90) by the weekday of the departure, Monday first."""

    refused: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By service, the needs of goods that it does not carry."""

    def days(self, node: int, service: str, zone: Zone, weekday: int) -> tuple[int, int]:
        """Carrier working days at P50 and P90 from a node into a zone: learnt, or the contract's."""
        known = self.learnt.get((node, service, zone.max_km))
        return (zone.days_p50, zone.days_p90) if known is None else known[weekday]

    def is_learnt(self, node: int, service: str, zone: Zone) -> bool:
        return (node, service, zone.max_km) in self.learnt

    def billed_grams(self, line: Line) -> int:
        """What a unit of the line weighs on the carrier's invoice."""
        if not self.cm3_per_kg or not line.volume_cm3:
            return line.weight_grams
        return max(line.weight_grams, -(-line.volume_cm3 * 1_000 // self.cm3_per_kg))


@dataclass(frozen=True, slots=True)
class Weights:
    """The linear objective.

    `cost_percent` of true cost, plus `parcel` for each parcel after the first, plus
    `distance_per_km` (thousandths of a minor unit) for each kilometre of each parcel, plus
    `late_day` for each expected day late of each parcel, plus `carbon_tonne` for each tonne of
    carbon dioxide, plus `reroute` for each rejection that is expected before a node accepts, plus
    `day` for each day that the buyer is expected to wait for a parcel.
    """

    cost_percent: int = 100
    parcel: int = 0
    distance_per_km: int = 0
    late_day: int = 0
    carbon_tonne: int = 0
    reroute: int = 0
    day: int = 0


CHEAPEST = Weights()
NEAREST = Weights(cost_percent=1, distance_per_km=100_000)
FEWEST_PARCELS = Weights(parcel=10_000_000)
FASTEST = Weights(cost_percent=1, day=100_000)


@dataclass(frozen=True, slots=True)
class Policy:
    """How demand is matched to supply. None means no limit.

    A node may be used that belongs to one of the `groups` and, where `nodes` names ids, is one of them.
    `max_nodes_per_line` counts for all units of a SKU within a demand. Without `allow_partial` a demand
    is all or nothing. With `fill_first` no money is ever saved by leaving a unit unfilled; without it
    leaving one costs `goodwill` more than its line says.
    `effort` bounds the search in elementary steps (about three million a second).
    """

    code: str
    version: int
    weights: Weights = CHEAPEST
    max_nodes_per_demand: int | None = None
    max_nodes_per_line: int | None = None
    allow_partial: bool = True
    fill_first: bool = True
    goodwill: int = 0
    groups: frozenset[str] | None = None
    max_km: int | None = None
    on_time: bool = False
    soft: frozenset[Constraint] = frozenset()
    dependents: Dependents = Dependents.FOLLOW
    effort: int = 60_000
    nodes: frozenset[int] | None = None

    def admits(self, node: Node) -> bool:
        return self.groups is None or not self.groups.isdisjoint(node.groups)
