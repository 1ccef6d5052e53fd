"""What is paid, secured and given back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class NewAuthorization:
    """Money that a buyer has authorised after the order came in, in minor units.

    `reference` is the provider's. Without a tender it is for the first of ours that lacks it.
    """

    order_id: UUID
    reference: str
    amount_minor: int
    expires_at: datetime | None = None
    tender_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SecuredPayment:
    """The word of who collects an order's money: it is secured, and so much is collected to date."""

    order_id: UUID
    collected_minor: int


@dataclass(frozen=True, slots=True)
class HandSettlement:
    """What a person found out about a refund or capture: it happened, under this reference, or not."""

    payment_id: UUID
    happened: bool
    reference: str = ""


@dataclass(frozen=True, slots=True)
class CreditedUnits:
    """Units of a line that are taken off what was invoiced."""

    line_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """What is to be credited of an order, decided by a document: once under its `key`.

    `shipping_minor` None is all the shipping that is left. The fee is kept of the amount, at most
    all of it. At most `carried_minor` of the amount pays for another order and is not given back.
    """

    order_id: UUID
    cause_kind: str
    cause_id: UUID
    units: tuple[CreditedUnits, ...] = ()
    shipping_minor: int | None = 0
    fee_minor: int = 0
    carried_minor: int = 0
    reason: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class CreditedPart:
    """One part of a credit note. Goods and their tax name the line."""

    part: str
    amount_minor: int
    line_id: UUID | None = None
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class CarriedMoney:
    """Money of one tender that pays for another order, where the buyer's money is to be found."""

    tender_id: UUID
    kind: str
    provider: str
    collected_by: str
    reference: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Credited:
    """The answer to a credit: what was taken off. `waiting_minor` of it is not given back yet: it
    waits until it was taken, or was never paid.
    """

    note_id: UUID
    order_id: UUID
    amount_minor: int
    currency: str
    parts: tuple[CreditedPart, ...]
    waiting_minor: int = 0
    carried: tuple[CarriedMoney, ...] = ()


@dataclass(frozen=True, slots=True)
class CreditableLine:
    """A line with what left, what came to its end, and what was credited of it."""

    line_id: UUID
    order_id: UUID
    group_id: UUID
    sku_id: int | None
    sku_code: str
    title: str
    kind: str
    ordered: int
    shipped: int
    delivered: int
    returned: int
    creditable: int
    charged_minor: int
    credited_minor: int
    properties: Mapping[str, str] = field(default_factory=dict)
