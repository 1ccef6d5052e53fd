"""What a shop holds of an order against what it is to hold. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from integrations.channels import refund_shares
from integrations.channels.types import ShopOrder, ShopRefund
from integrations.models import ChannelCopy, CopyKind


@dataclass(frozen=True, slots=True)
class Seen:
    """How a copy was found there: as it should be, `missing`, or different for a reason."""

    copy: ChannelCopy
    missing: bool = False
    why: str = ""

    @property
    def same(self) -> bool:
        return not self.missing and not self.why


def compare(copies: Iterable[ChannelCopy], shop: ShopOrder) -> list[Seen]:
    """Each copy that was sent, held against the order as it is there."""
    return [_compared(copy, shop) for copy in copies]


def _compared(copy: ChannelCopy, shop: ShopOrder) -> Seen:
    match copy.kind:
        case CopyKind.ACKNOWLEDGEMENT:
            return _acknowledgement(copy, shop)
        case CopyKind.FULFILLMENT:
            return _fulfillment(copy, shop)
        case CopyKind.CANCEL if copy.wanted.get("whole"):
            back = copy.their_id in {one.id for one in shop.refunds}
            return Seen(copy, missing=not shop.cancelled and not back)
        case CopyKind.CANCEL | CopyKind.REFUND:
            return _refund(copy, shop)
    return Seen(copy)


def _refund(copy: ChannelCopy, shop: ShopOrder) -> Seen:
    """Whether it stands there, and of the lines that it was told for.

    One that the shop had made by itself has no id of ours to look for; one that names no lines was
    told without. What we gave back ourselves has the amount that we told; of the shop's money what it
    had given back by itself was left out.
    """
    found = next((one for one in shop.refunds if one.id == copy.their_id), None)
    if found is None:
        return Seen(copy, missing=bool(copy.their_id))
    return Seen(copy, why=_otherwise(copy, found) if copy.kind == CopyKind.REFUND else "")


def _otherwise(copy: ChannelCopy, found: ShopRefund) -> str:
    """What of a refund is not as it was told; empty for nothing."""
    amount = int(copy.wanted.get("amount_minor", 0))
    stated = found.amount_minor if found.stated_minor is None else found.stated_minor
    if copy.wanted.get("by_us") and stated != amount:
        return "It says that another amount was given back."
    if not found.named:
        return ""
    units = {line: many for line, many in copy.wanted.get("units", {}).items() if many}
    if found.named != units:
        return "It names other units."
    worth = refund_shares.by_line(
        amount, copy.wanted.get("worth", {}), copy.wanted.get("shipping_minor", 0)
    )
    if found.worth and found.amount_minor == amount and found.worth != worth:
        return "Its lines have other amounts."
    return ""


def _acknowledgement(copy: ChannelCopy, shop: ShopOrder) -> Seen:
    wanted = str(copy.wanted.get("number", ""))
    if shop.taken_on == wanted:
        return Seen(copy)
    if not shop.taken_on:
        return Seen(copy, missing=True)
    return Seen(copy, why=f"It is acknowledged as {shop.taken_on}, not {wanted}.")


def _fulfillment(copy: ChannelCopy, shop: ShopOrder) -> Seen:
    number = str(copy.wanted.get("tracking_number", ""))
    standing = [one for one in shop.fulfillments if not one.gone]
    by_number = [one for one in standing if number in one.tracking]
    if copy.wanted.get("gone"):
        return Seen(copy, why="It stands there still." if by_number else "")
    if by_number:
        return Seen(copy)
    by_id = [one for one in standing if copy.their_id and one.id == copy.their_id]
    if by_id:
        return Seen(
            copy, why=f"It has the tracking number {', '.join(by_id[0].tracking) or 'none'}."
        )
    return Seen(copy, missing=True)
