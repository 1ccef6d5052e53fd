"""The network as planners and pages see it."""

from dataclasses import dataclass
from datetime import date, datetime, time


@dataclass(frozen=True, slots=True)
class HoursView:
    """Local opening hours of one weekday (0 = Monday)."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class CutoffView:
    """Local time after which a service's orders leave the next working day; None is any service."""

    service: str | None
    weekday: int
    at_local: time


@dataclass(frozen=True, slots=True)
class FunctionView:
    """Whether a node performs a function, and until when and why it does not."""

    function: str
    paused: bool
    paused_until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class PickupView:
    """When a carrier fetches parcels, in local time; None is any service, and any number of them."""

    carrier: str
    service: str | None
    weekday: int
    at_local: time
    most_parcels: int | None = None
    dock: str = ""


@dataclass(frozen=True, slots=True)
class SpecialDayView:
    """Hours of one date, whatever its weekday or a holiday says."""

    on: date
    opens: time
    closes: time
    name: str = ""


@dataclass(frozen=True, slots=True)
class CapacityView:
    """The most of one resource that a node does between two local times of a weekday.

    `closes` of midnight is the end of the day.
    """

    function: str
    resource: str
    weekday: int
    opens: time
    closes: time
    most: int
    hard: bool = False


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a node does differently for a while; `function` empty is all that it does."""

    id: int
    function: str
    kind: str
    state: str
    starts_at: datetime
    ends_at: datetime
    percent: int | None
    units: int | None
    reason: str

    def is_of(self, function: str) -> bool:
        return self.function in {"", function}


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node as planners and consoles see it. Costs are minor units of `currency`."""

    id: int
    code: str
    name: str
    kind: str
    state: str
    city: str
    region: str
    postal_code: str
    country: str
    latitude: float | None
    longitude: float | None
    timezone: str
    has_wms: bool
    processing_minutes: int
    handling_cost_minor: int
    pick_cost_minor: int
    currency: str
    priority: int
    hours: tuple[HoursView, ...]
    cutoffs: tuple[CutoffView, ...]
    closures: frozenset[date]
    functions: tuple[FunctionView, ...]
    capabilities: frozenset[str] = frozenset()
    pickups: tuple[PickupView, ...] = ()
    special_days: tuple[SpecialDayView, ...] = ()
    capacities: tuple[CapacityView, ...] = ()
    plans: tuple[PlanView, ...] = ()

    @property
    def is_limited(self) -> bool:
        """Whether it has a limit that must never be passed."""
        return any(known.hard for known in self.capacities)

    def special_day(self, day: date) -> SpecialDayView | None:
        return next((known for known in self.special_days if known.on == day), None)

    def works_on(self, day: date) -> bool:
        """Whether the day is none of its closures, or one with hours of its own."""
        return day not in self.closures or self.special_day(day) is not None

    def performs(self, function: str) -> bool:
        """Whether the node may be given such work now: active, with the function not paused."""
        return self.state == "active" and any(
            known.function == function and not known.paused for known in self.functions
        )

    def reason_closed(self, function: str) -> str:
        """Why the node does not perform the function; empty when it does."""
        if self.performs(function):
            return ""
        for known in self.functions:
            if known.function == function and known.paused:
                return known.reason or "paused"
        return self.state if self.state != "active" else "not offered"
