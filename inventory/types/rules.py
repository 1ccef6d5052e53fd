"""Rules and quotas: what is kept back from whom."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Selection:
    """Which SKUs are meant: those that meet everything that is said. Nothing said means all."""

    sku_codes: tuple[str, ...] = ()
    brand_id: UUID | None = None
    sku_kind: str = ""
    lifecycle: str = ""
    attribute: str = ""
    attribute_value: str = ""


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A buffer rule as it is wanted. `id` None is a new one; the units are those of `BufferRule`."""

    account_id: UUID
    name: str
    sequence: int
    starts_at: datetime
    ends_at: datetime | None = None
    selection: Selection = field(default_factory=Selection)
    channel_id: UUID | None = None
    group_id: int | None = None
    node_ids: tuple[int, ...] = ()
    safety_units: int | None = None
    safety_percent: int | None = None
    cover_days: int | None = None
    cover_over_days: int = 28
    threshold: int | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class QuotaDraft:
    """A quota plan as it is wanted. `id` None is a new one; the units are those of `QuotaPlan`."""

    account_id: UUID
    channel_id: UUID
    name: str
    kind: str
    starts_at: datetime
    ends_at: datetime | None = None
    selection: Selection = field(default_factory=Selection)
    sequence: int = 0
    overlay: bool = False
    units: int | None = None
    percent: int | None = None
    cap: int | None = None
    spill: bool = False
    spill_at: datetime | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class QuotaView:
    """What quotas mean for one channel's figure of a SKU, in units.

    `own_left` are kept for the channel, `others_protected` is what it may not have of the free
    units of its nodes, `cap_left` the most that it may still take (None: no cap).
    """

    own_left: int
    others_protected: int
    cap_left: int | None


@dataclass(frozen=True, slots=True)
class Haircut:
    """Keep back so many percent of a node's stock for a cause; 0 lifts it, 100 is everything.

    Of one account's stock there, or (None) of everybody's.
    """

    node_id: int
    source: str
    percent: int
    reason: str = ""
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FigureChange:
    """What a SKU's figure in a channel is, and what it would be."""

    sku_id: int
    code: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class ChannelPreview:
    """What a change does to one channel: SKUs whose figure moves, those that go to zero, the worst."""

    channel_id: UUID
    changed: int
    raised: int
    lowered: int
    to_zero: int
    units_before: int
    units_after: int
    biggest_drops: tuple[FigureChange, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of rules or quotas would do. `positions` would get another buffer.

    `kits` hold some of the SKUs; their figures are looked at, too.
    """

    skus: int
    kits: int
    positions: int
    channels: tuple[ChannelPreview, ...]
