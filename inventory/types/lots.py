"""Lots, serials and recalls as others name and read them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LotDraft:
    """What is known of a lot. A date that is not given stays as it is."""

    account_id: UUID
    sku_id: int
    code: str
    expires_on: date | None = None
    made_on: date | None = None


@dataclass(frozen=True, slots=True)
class LotAnswer:
    """How a lot stands after a command about it."""

    id: int
    code: str
    state: str


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot as others read it, with the units of it that lie at nodes now."""

    id: int
    account_id: UUID
    sku_id: int
    sku_code: str
    code: str
    state: str
    state_reason: str
    expires_on: date | None
    made_on: date | None
    recall_id: UUID | None
    first_seen_at: datetime
    on_sale: int
    on_hand: int


@dataclass(frozen=True, slots=True)
class SerialSeen:
    """A single thing was seen: where, in which lot, and in which state that leaves it."""

    account_id: UUID
    sku_id: int
    number: str
    state: str
    cause_kind: str
    cause_id: UUID | None
    lot: str = ""
    position_id: int | None = None


@dataclass(frozen=True, slots=True)
class LostLots:
    """A reservation whose bound lot was lost: so many of its units want another one."""

    reservation_id: UUID
    position_id: int
    thread_id: UUID
    demand_id: UUID
    state: str
    units: int
