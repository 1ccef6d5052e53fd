"""Capacity as it crosses the edge of inventory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WorkAtNode:
    """What one cause (an order) gives a node to do, in all, and what of that is done.

    Both are totals by resource, so that telling them twice changes nothing. What has grown or was
    done falls into the window of `moment`; what has shrunk leaves the windows that it came to.
    """

    node_id: int
    function: str
    cause_kind: str
    cause_id: UUID
    moment: datetime
    work: Mapping[str, int] = field(default_factory=dict)
    done: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WindowView:
    """One window of a node as it stands; `backlog` is what earlier windows left to it."""

    id: int
    node_id: int
    function: str
    resource: str
    starts_at: datetime
    ends_at: datetime
    most: int
    hard: bool
    used: int
    done: int
    backlog: int

    @property
    def taken(self) -> int:
        """What the window has to do: what came to it and what it inherited."""
        return max(0, self.used) + self.backlog

    @property
    def left(self) -> int:
        return max(0, self.most - self.taken)

    @property
    def percent(self) -> int:
        """How full it is; a window that does nothing is full as soon as there is work."""
        if not self.most:
            return 100 if self.taken else 0
        return 100 * self.taken // self.most


@dataclass(frozen=True, slots=True)
class SignalView:
    """A measure of a node's work; `value` None is not measured, `most` the threshold that holds."""

    node_id: int
    code: str
    value: float | None
    most: float | None
    as_of: datetime | None

    @property
    def is_high(self) -> bool:
        return self.value is not None and self.most is not None and self.value > self.most


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a node; None where there was nothing to measure."""

    node_id: int
    code: str
    value: float | None
