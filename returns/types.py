"""Frozen values that cross the edge of returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from orders.types import CreditedPart


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason that buyers may name. `kind` is a `ReasonClass`."""

    code: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says. Amounts are minor units of the order's currency; 0 is no limit.

    `condition` is told to the buyer. A return worth no more than `keep_below_minor` is not sent
    back; one worth more than `review_above_minor` is looked at by a person.
    """

    window_days: int
    reasons: tuple[Reason, ...]
    excluded_categories: tuple[str, ...] = ()
    condition: str = ""
    fee_minor: int = 0
    keep_below_minor: int = 0
    review_above_minor: int = 0
    label_paid_by: str = "merchant"
    refund_trigger: str = "inspection"
    shipping_back: str = "fault"
    expires_days: int = 30
    authorizes_itself: bool = False


@dataclass(frozen=True, slots=True)
class AskedLine:
    """Units of a line that a buyer wants to send back, with what is known of them."""

    line_id: UUID
    title: str
    quantity: int
    reason: str
    returnable: int
    delivered_at: datetime | None
    value_minor: int
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """What the policy says to one line, in a code and in words."""

    line_id: UUID
    decision: str
    code: str
    words: str
    reason_class: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says to a request: frozen on the return."""

    decision: str
    words: str
    lines: tuple[LineVerdict, ...]
    keep: bool = False
    fee_minor: int = 0
    label_paid_by: str = "merchant"
    refund_trigger: str = "inspection"
    refunds_shipping: bool = False


@dataclass(frozen=True, slots=True)
class RequestedUnits:
    """Units of an order line that are to come back; `reason` is a code of the policy."""

    order_line_id: UUID
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnRequest:
    """Goods of one order that are to come back.

    `override` is why somebody who may do so lets it in against the policy. `external_id` is the
    channel's own number: the same one is asked for once.
    """

    order_id: UUID
    lines: tuple[RequestedUnits, ...]
    kind: str = "buyer"
    wants: str = "refund"
    override: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Authorization:
    """Let a return come, to this node; without one it goes to where it was sent from."""

    return_id: UUID
    node_id: int | None = None


@dataclass(frozen=True, slots=True)
class ArrivedUnits:
    """Units that were found in a parcel: of a return's line, or of a SKU that nobody announced."""

    quantity: int
    return_line_id: UUID | None = None
    sku_id: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What of a return came in at a node. `key` names the receipt: the same one counts once."""

    return_id: UUID
    node_id: int
    units: tuple[ArrivedUnits, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class UnannouncedReceipt:
    """Goods that came without notice, or over the counter. Without an order it is found later."""

    account_id: UUID
    node_id: int
    units: tuple[ArrivedUnits, ...]
    kind: str = "blind"
    order_id: UUID | None = None
    tracking_number: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an inspection found of some received units of a line.

    `accepted` None follows the grade: what is broken is accepted only where the buyer is not at
    fault. `verified` says that regulated goods were checked and may be sold again.
    """

    return_line_id: UUID
    quantity: int
    grade: str
    disposition: str = ""
    accepted: bool | None = None
    verified: bool = False
    lot: str = ""
    key: str = ""
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExchangeItem:
    """What goes out instead. Without a price it costs what the SKU costs now."""

    sku_code: str
    quantity: int = 1
    price_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """Give other goods for the accepted units of a return, the difference either way."""

    return_id: UUID
    items: tuple[ExchangeItem, ...]


@dataclass(frozen=True, slots=True)
class ReturnScan:
    """A carrier has scanned a parcel that is coming back."""

    tracking_number: str
    happened_at: datetime
    carrier_code: str = ""


@dataclass(frozen=True, slots=True)
class ReturnStanding:
    """Where a return stands after a command."""

    return_id: UUID
    number: str
    state: str
    order_id: UUID | None = None
    words: str = ""
    credited_minor: int = 0
    exchange_order_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReturnableLine:
    """A line of an order, with how many units may come back and what the policy says of one."""

    line_id: UUID
    title: str
    sku_code: str
    delivered: int
    returnable: int
    delivered_at: datetime | None
    decision: str
    words: str


@dataclass(frozen=True, slots=True)
class Returnable:
    """What of an order may come back, for the buyer's page."""

    order_id: UUID
    lines: tuple[ReturnableLine, ...]
    reasons: tuple[Reason, ...]
    condition: str
    words: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What a request would meet: the policy's verdict and the money, part by part."""

    verdict: Verdict
    parts: tuple[CreditedPart, ...]
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ClaimDecision:
    """What the buyer gets for a parcel that never arrived: a `Resolution`."""

    claim_id: UUID
    resolution: str


@dataclass(frozen=True, slots=True)
class ClaimAnswer:
    """What the carrier said to a claim; what was paid is in minor units."""

    claim_id: UUID
    paid: bool
    amount_minor: int = 0
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ClaimStanding:
    """Where a claim stands after a command."""

    claim_id: UUID
    number: str
    state: str
    resolution: str
    reship_order_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TakenPhoto:
    """A photo of the units of a return line, as it came from the camera."""

    return_line_id: UUID
    content: bytes
