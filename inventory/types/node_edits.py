"""What may be said of a node to change it. None leaves a part as it is, a tuple is all of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from inventory.types.network import (
    CapacityView,
    CutoffView,
    HoursView,
    PickupView,
    SpecialDayView,
)


@dataclass(frozen=True, slots=True)
class ClosureDraft:
    """A day on which a node does not work."""

    on: date
    name: str


@dataclass(frozen=True, slots=True)
class NodeEdit:
    """A node as it shall be, in the parts that are named.

    `fields` are columns of the node; `capabilities` and `functions` are codes; `thresholds` the
    value above which a signal opens a case, None for the usual one.
    """

    node_id: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    functions: tuple[str, ...] | None = None
    hours: tuple[HoursView, ...] | None = None
    cutoffs: tuple[CutoffView, ...] | None = None
    closures: tuple[ClosureDraft, ...] | None = None
    special_days: tuple[SpecialDayView, ...] | None = None
    pickups: tuple[PickupView, ...] | None = None
    capabilities: tuple[str, ...] | None = None
    capacities: tuple[CapacityView, ...] | None = None
    thresholds: Mapping[str, float | None] | None = None


@dataclass(frozen=True, slots=True)
class PlanDraft:
    """A plan for a node: closed, or so much less or more of what it can do."""

    node_id: int
    kind: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    function: str = ""
    percent: int | None = None
    units: int | None = None
