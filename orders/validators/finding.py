"""What a validator found, and what it may know beside the draft."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from inventory.types import CartHoldView
from orders.types import OrderDraft


class Severity(StrEnum):
    """Reject refuses the draft, unless it is sold already; then it is a hold like the others."""

    REJECT = "reject"
    HOLD = "hold"
    WARN = "warn"
    ENRICH = "enrich"


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark about a draft, in a sentence a person reads.

    `group` and `line` are positions in the draft, None when it concerns the whole order;
    `pointer` is the JSON pointer of the native payload.
    """

    severity: Severity
    code: str
    detail: str
    pointer: str = ""
    hold_type: str = "review"
    group: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class KnownSku:
    """A SKU of the account as the validators and the capture need it."""

    id: int
    code: str
    name: str
    kind: str
    weight_grams: int = 0
    price_minor: int = 0
    active: bool = True
    components: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Lookalike:
    """An earlier order with the same basket for the same person and place."""

    number: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows about the things a draft names."""

    channel_currency: str
    at: datetime
    skus: Mapping[str, KnownSku] = field(default_factory=dict)
    node_codes: frozenset[str] = frozenset()
    service_codes: frozenset[str] = frozenset()
    lookalike: Lookalike | None = None
    cart: CartHoldView | None = None
    takes_far_future: bool = False


def is_sold(draft: OrderDraft) -> bool:
    """Whether a channel has sold it: a kept message says so, or somebody has the money."""
    return draft.inbox_id is not None or any(
        tender.captured_minor > 0 or tender.collected_by != "us" for tender in draft.tenders
    )
