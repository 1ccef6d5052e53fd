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
