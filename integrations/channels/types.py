"""Frozen values of the channels: what a shop says of an order, and what it is to be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from orders.types import Address, OrderDraft


@dataclass(frozen=True, slots=True)
class ShopLine:
    """One line as the shop has it now. `units` are those that it still wants or has had."""

    id: str
    sku: str
    units: int
    unit_price: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ShopRefund:
    """Money that was given back there. `units` are units per line that came back with it.

    `ours` names the copy of ours that it answers, where we had it made; `of_cancel` says that it
    goes with units that were taken off, and owes nothing to a return. `named` are all units per line
    that it names, and `worth` is what it gives back of each line, where the shop holds what it was
    told. `undecided`: the shop does not say which of them came back and which were taken off.
    `unread`: its lines are told elsewhere (`port.Shop.refunds`). `stated_minor` is what it says that
    somebody else gave back, where no payment there moved.
    """

    id: str
    amount_minor: int
    units: Mapping[str, int] = field(default_factory=dict)
    shipping_minor: int = 0
    ours: UUID | None = None
    of_cancel: bool = False
    named: Mapping[str, int] = field(default_factory=dict)
    worth: Mapping[str, int] = field(default_factory=dict)
    undecided: bool = False
    unread: bool = False
    stated_minor: int | None = None


@dataclass(frozen=True, slots=True)
class ShopFulfillment:
    """Units that left, as the shop has it."""

    id: str
    units: Mapping[str, int]
    tracking: tuple[str, ...] = ()
    gone: bool = False
    """It was cancelled."""


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """One order as the shop has it at one time, `version`: an instant that sorts as text.

    `draft` is what it would be captured as; None for a document that is no sale any more.
    `over` says that there is nothing left to do for whoever sees it for the first time.
    """

    external_id: str
    version: str
    draft: OrderDraft | None = None
    lines: tuple[ShopLine, ...] = ()
    lines_told: bool = True
    """Whether the document lists its lines: a word of a cancel alone does not."""
    cancelled: str = ""
    by_money: bool = False
    """It counts as cancelled since all its money went back; of what has left, that says nothing."""
    address: Address | None = None
    shipping: Decimal = Decimal(0)
    refunds: tuple[ShopRefund, ...] = ()
    fulfillments: tuple[ShopFulfillment, ...] = ()
    taken_on: str = ""
    """Our number of the order, as it stands in the shop's acknowledgement."""
    over: bool = False


@dataclass(frozen=True, slots=True)
class ShopRefunds:
    """News of refunds alone, without the order around them."""

    external_id: str
    refunds: tuple[ShopRefund, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a shop is to hold, and under which of its orders. `ours` marks it as ours there.

    `units` are units per line of the shop; a parcel that brings only the rest of kits has none, and
    goes with what was told of the lines `rest_of`. `beside` are the numbers of other parcels that the
    shop holds under `their_id` too, each with the lines that it brings the rest of. `gone` takes back what was told. `whole` is the whole
    order. `spared_minor` of what the units come to went back before. `amount_minor` goes back to the buyer; None leaves it to the shop to reckon. `due_minor`
    is what we have had given back with this, to date; `known_minor` what the shop gave back by
    itself and we have credited; `apart` are refunds there that count as neither. `worth` is what of
    the amount is for each line, tax included, and `shipping_minor` for the shipping. `by_us`: the
    money goes back by whoever took it for us, and the shop only writes that down.
    """

    ours: UUID
    kind: str
    order: str
    number: str = ""
    their_id: str = ""
    units: Mapping[str, int] = field(default_factory=dict)
    rest_of: frozenset[str] = frozenset()
    beside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tracking_number: str = ""
    carrier: str = ""
    tracking_url: str = ""
    shipped_at: str = ""
    last: bool = False
    gone: bool = False
    whole: bool = False
    reason: str = ""
    currency: str = ""
    spared_minor: int = 0
    amount_minor: int | None = None
    due_minor: int = 0
    known_minor: int = 0
    apart: frozenset[str] = frozenset()
    worth: Mapping[str, int] = field(default_factory=dict)
    shipping_minor: int = 0
    by_us: bool = False


class Said(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It may have come: look before telling it again."""
    RETRY = "retry"
    """It has not come."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one call. `their_id` is what the shop calls it; `note` what it left out."""

    said: Said
    their_id: str = ""
    code: str = ""
    detail: str = ""
    note: str = ""
    after_seconds: float | None = None
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """One order as a push would have brought it: the same id, topic, and a body that reads alike."""

    id: str
    topic: str
    raw: bytes
    order: ShopOrder | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Orders that have changed. `cursor` is where the next page begins; empty after the last."""

    reply: Reply
    messages: tuple[Message, ...] = ()
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Refunds:
    """All refunds of one order with their lines, and the same as news to be taken in."""

    reply: Reply
    refunds: tuple[ShopRefund, ...] = ()
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """How many of a SKU the shop says are for sale, under its own id of the SKU."""

    sku: str
    their_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What the shop says of its stock, or why it did not."""

    reply: Reply
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class NewFigure:
    """A figure to set, if the shop still says `was`."""

    their_id: str
    quantity: int
    was: int


@dataclass(frozen=True, slots=True)
class FiguresSet:
    """What became of figures: those set, and those that had moved meanwhile, by the shop's id."""

    reply: Reply
    done: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()


@dataclass(slots=True)
class Memory:
    """What the channel has told of one order, and what we have told it.

    `told` is its own last word (`difference.remembered`) of time `version`; `fulfillments` and
    `refunds` are ids of what it made by itself; `ours` are ids and tracking numbers of fulfillments
    that we have had made; `refunds_ours` ids of refunds.
    """

    version: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    fulfillments: set[str] = field(default_factory=set)
    refunds: set[str] = field(default_factory=set)
    ours: set[str] = field(default_factory=set)
    refunds_ours: set[str] = field(default_factory=set)

    def is_ours(self, fulfillment: ShopFulfillment) -> bool:
        return fulfillment.id in self.ours or any(one in self.ours for one in fulfillment.tracking)
