"""What can be sold: figures, and the terms that they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Figure:
    """A term of a figure: signed units, the rows behind it, how old they are, where they are shown.

    `as_of` is the oldest time as of which one of its rows is known; None, they are as of now.
    """

    code: str
    label: str
    units: int
    rows: tuple[Mapping[str, object], ...] = ()
    as_of: datetime | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class NodeShare:
    """What one node contributes. `reason` says why it contributes nothing, though it has stock."""

    node_id: int
    node_code: str
    units: int
    reason: str = ""
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DayFigure:
    """The figure at the end of one day, what of it has come in on that day, and the rows of that."""

    at: datetime
    units: int
    arriving: int
    makes: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A figure with its terms, which add up to `units` exactly; `by` None is now.

    `atp` is what the nodes can promise together, before the channel's own limits.
    """

    account_id: UUID
    channel_id: UUID | None
    sku_id: int
    sku_code: str
    units: int
    atp: int
    terms: tuple[Figure, ...]
    nodes: tuple[NodeShare, ...]
    as_of: datetime
    by: datetime | None
    days: tuple[DayFigure, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptFigure:
    """A channel's figure as it is kept: what it was worked out as, when, and what was told of it."""

    channel_id: UUID
    sku_id: int
    units: int
    version: int
    as_of: datetime
    changed_at: datetime
    last_order_id: UUID | None
    published_version: int


@dataclass(frozen=True, slots=True)
class Published:
    """One turn of the publisher. `left`: SKUs that it has not come to."""

    counted: int = 0
    changed: int = 0
    left: int = 0
    drifted: int = 0
