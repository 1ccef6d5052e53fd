"""What a shop's news of an order changes: against what it said before, and where our units stand. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from config.kernel import vault
from integrations.channels.types import Memory, ShopFulfillment, ShopOrder
from orders.selectors import LineStanding
from orders.types import Address


@dataclass(frozen=True, slots=True)
class Reduced:
    """Units of one line to take off: `open` can be, `late` have left. `elsewhere`: the shop sent them."""

    line_id: UUID
    sku: str
    open: int
    late: int
    elsewhere: bool = False


@dataclass(slots=True)
class Difference:
    """What is to be done, and what cannot be: `unfollowed` are changes in words for a case."""

    cancelled: str = ""
    gone: int = 0
    """Units of a cancelled order that are on their way."""
    reduced: list[Reduced] = field(default_factory=list)
    moved: bool = False
    unfollowed: list[dict[str, Any]] = field(default_factory=list)
    elsewhere: dict[str, int] = field(default_factory=dict)
    """Units per SKU that were ours to send and that the shop says it sent, told for the first time."""
    others: tuple[ShopFulfillment, ...] = ()
    """Fulfillments that are not ours, told for the first time."""
    sent: dict[str, int] = field(default_factory=dict)
    """Units per line of the shop that it sent itself, to date."""


def of(
    shop: ShopOrder,
    memory: Memory,
    lines: Sequence[LineStanding],
    *,
    ended: bool,
    new: bool,
) -> Difference:
    """What the news changes. Nothing moves in an order that has `ended`."""
    found = Difference()
    others = [one for one in shop.fulfillments if not one.gone and not memory.is_ours(one)]
    found.others = tuple(one for one in others if one.id not in memory.fulfillments)
    found.sent = sent_elsewhere(others)
    if ended:
        return found
    if shop.by_money and not any(line.unshipped for line in _ours(lines)):
        return found
    if shop.cancelled and not memory.told.get("cancelled"):
        found.cancelled = shop.cancelled
        found.gone = sum(line.shipped - line.delivered for line in _ours(lines))
    elif shop.lines_told and not shop.cancelled:
        _reduce(found, shop, memory, lines)
        if not new:
            _add(found, shop, memory)
        if shop.over:
            _done_there(found, memory, lines)
    told = memory.told.get("address")
    found.moved = bool(told and shop.address and told != digest(shop.address) and not new)
    return found


def remembered(shop: ShopOrder, found: Difference) -> dict[str, Any]:
    """What is kept of the news, to know the next change by. Nothing of it is personal."""
    return {
        "order": shop.external_id,
        "cancelled": bool(shop.cancelled),
        "units": {line.id: line.units for line in shop.lines},
        "prices": {line.id: str(line.unit_price) for line in shop.lines},
        "elsewhere": dict(found.sent),
        "over": shop.over,
        "shipping": str(shop.shipping),
        "address": digest(shop.address) if shop.address else "",
        "taken_on": shop.taken_on,
    }


def digest(address: Address) -> str:
    """A keyed hash by which a change of address shows; the address cannot be had from it."""
    parts = (
        address.name,
        address.company,
        address.line1,
        address.line2,
        address.city,
        address.region,
        address.postal_code,
        address.country,
    )
    return vault.digest("channel-address", "\n".join(parts))[:32]


def sent_elsewhere(fulfillments: Sequence[ShopFulfillment]) -> dict[str, int]:
    """Units per line of the shop in these fulfillments."""
    units: dict[str, int] = {}
    for one in fulfillments:
        for line_id, quantity in one.units.items():
            units[line_id] = units.get(line_id, 0) + quantity
    return units


def _reduce(
    found: Difference,
    shop: ShopOrder,
    memory: Memory,
    lines: Sequence[LineStanding],
) -> None:
    """Units that we have and the shop wants no more, or has sent itself.

    A line that is told as it was before is left alone: what was refused then is a case already.
    """
    now = {line.id: line.units for line in shop.lines}
    seen: Mapping[str, int] | None = memory.told.get("units")
    sent = memory.told.get("elsewhere", {})
    for line in _ours(lines):
        units, away = now.get(line.external_id, 0), found.sent.get(line.external_id, 0)
        if seen is not None and (seen.get(line.external_id, 0), sent.get(line.external_id, 0)) == (
            units,
            away,
        ):
            continue
        surplus = line.alive - max(0, units - away)
        if surplus <= 0:
            continue
        open_ = min(surplus, line.unshipped)
        by_shop = away > sent.get(line.external_id, 0)
        found.reduced.append(
            Reduced(line.line_id, line.external_sku, open_, surplus - open_, by_shop)
        )
        if by_shop:
            found.elsewhere[line.external_sku] = surplus


def _done_there(found: Difference, memory: Memory, lines: Sequence[LineStanding]) -> None:
    """The shop calls the order done, and does not say what it sent: nothing is taken off by that."""
    if memory.told.get("over") or found.sent:
        return
    for line in _ours(lines):
        if line.unshipped:
            found.elsewhere[line.external_sku] = line.unshipped


def _ours(lines: Sequence[LineStanding]) -> list[LineStanding]:
    """Goods that we are to ship, as the shop knows them: a kit, and not its components."""
    return [
        line
        for line in lines
        if line.external_id and line.sells and line.ours and line.parent_id is None
    ]


def _add(found: Difference, shop: ShopOrder, memory: Memory) -> None:
    """Goods, units and prices that were added: nobody has paid us to follow them."""
    seen: Mapping[str, int] | None = memory.told.get("units")
    if seen is None:
        return
    prices: Mapping[str, str] = memory.told.get("prices", {})
    for line in shop.lines:
        if line.id not in seen and line.units:
            found.unfollowed.append({"what": "line", "sku": line.sku, "units": line.units})
        elif line.id in seen and line.units > seen[line.id]:
            added = line.units - seen[line.id]
            found.unfollowed.append({"what": "units", "sku": line.sku, "units": added})
        elif line.units and prices.get(line.id, str(line.unit_price)) != str(line.unit_price):
            was, price = prices[line.id], str(line.unit_price)
            found.unfollowed.append({"what": "price", "sku": line.sku, "was": was, "is": price})
    if memory.told.get("shipping", str(shop.shipping)) != str(shop.shipping):
        found.unfollowed.append(
            {"what": "shipping", "was": memory.told["shipping"], "is": str(shop.shipping)}
        )
