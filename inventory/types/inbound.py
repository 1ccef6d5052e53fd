"""Goods on their way in, and what becomes of their arrival."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SlipDraft:
    """A line of an inbound is expected at another time than before."""

    inbound_line_id: int
    eta_at: datetime


@dataclass(frozen=True, slots=True)
class Slipped:
    """What a new time means: units that wait for the line, and of them those it is now too late for."""

    inbound_line_id: int
    was_eta_at: datetime
    eta_at: datetime
    waiting: int
    broken: int


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """Units of a SKU that should come at a time, and how far that can be relied on."""

    sku_id: int
    units: int
    eta_at: datetime
    reliability_percent: int = 90


@dataclass(frozen=True, slots=True)
class ExpectedDraft:
    """Goods on their way to a node: a purchase order or a shipping notice. (source, number) is once."""

    account_id: UUID
    node_id: int
    number: str
    kind: str
    source: str
    lines: tuple[ExpectedLine, ...]


@dataclass(frozen=True, slots=True)
class InboundAnswer:
    id: int
    number: str
    state: str
