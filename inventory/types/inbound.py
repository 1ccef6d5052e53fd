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
    """What a new time means: units that wait for the line, and of them those it is now too late for.

    `threads` are those whose promise it breaks, first served first.
    """

    inbound_line_id: int
    was_eta_at: datetime
    eta_at: datetime
    waiting: int
    broken: int
    threads: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """Units of a SKU that should come at a time, and how far that can be relied on.

    `of_number` is the order whose units a notice brings; empty where it names none.
    """

    sku_id: int
    units: int
    eta_at: datetime
    reliability_percent: int = 90
    of_number: str = ""
    ahead_percent: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedDraft:
    """Goods on their way to a node: a purchase order or a shipping notice. (source, number) is once.

    `complete` says that nothing more of the orders that a notice names comes after it.
    """

    account_id: UUID
    node_id: int
    number: str
    kind: str
    source: str
    lines: tuple[ExpectedLine, ...]
    supplier: str = ""
    complete: bool = False


@dataclass(frozen=True, slots=True)
class InboundAnswer:
    """`differs` names what a notice says that its order does not: over, short, unknown."""

    id: int
    number: str
    state: str
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CapDraft:
    """The most units of a SKU that a channel may sell before they are there."""

    account_id: UUID
    channel_id: UUID
    sku_id: int
    units: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LineCap:
    """How much of what a line is still to bring may be sold ahead, in percent; None is no limit."""

    inbound_line_id: int
    ahead_percent: int | None


@dataclass(frozen=True, slots=True)
class LaneDraft:
    """How late a supplier is at a node (None: any), in hours, where too few receipts tell."""

    account_id: UUID
    supplier: str
    node_id: int | None
    declared_hours: int | None


@dataclass(frozen=True, slots=True)
class AheadWant:
    """Units that one order line would have wait for goods to come, sold by a channel.

    `nodes` are those that may serve it; None is any.
    """

    sku_id: int
    units: int
    account_id: UUID
    channel_id: UUID | None
    nodes: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Backed:
    """What a want is to rest on. `refused` says why it may not be sold ahead; empty where it may.

    With a `cap_id` a cap permits it, whatever the channel does with other SKUs. `shares` are
    (line, node, units, ready at); `ready_at` is when the last unit is there, None where not all
    of them are on their way.
    """

    shares: tuple[tuple[int | None, int, int, datetime], ...] = ()
    ready_at: datetime | None = None
    cap_id: int | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A waiting reservation and the goods that are to serve it, as it stands now.

    `ready_by` is what its promise rests on; `ready_at` when its last unit is there now, None where
    not all of them are on their way.
    """

    reservation_id: UUID
    thread_id: UUID
    demand_id: UUID
    account_id: UUID
    sku_id: int
    units: int
    priority: int
    promised_at: datetime | None
    at: datetime
    ready_by: datetime | None
    ready_at: datetime | None
    shares: tuple[tuple[int | None, int, int, datetime], ...]
