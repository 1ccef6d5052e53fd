"""From a fact to what is told of it: the items, the dates, the cause. Pure reading of what is there.

A fact that has nothing new to say gives no news: a promise that did not move, a shipment that was
taken back meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from config.kernel.money import Money
from fulfillment.states import AT_THE_NODE, ParcelState
from integrations.buyer.facts import Fact
from integrations.buyer.letters import Item, News, items_of, zone_of
from integrations.models.buyer import MessageKind
from orders.selectors import BoughtOrder

Work = Sequence[Any]
"""Fulfillment orders with lines and parcels (`fulfillment.selectors.fulfillment_orders_of`)."""

_SILENT_LEAD: Final = timedelta(days=1)
"""A parcel of which nothing is heard is not delivered within that time."""
_CAUSES: Final = {"SHIP_BY_MISSED": "not_shipped"}


def news_of(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    """What the buyer is told of the fact; None when there is nothing to tell."""
    return _TELLERS[fact.kind](fact, bought, work)


def _received(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    if bought.order.mode != "live":
        return None  # the system that the order came from has confirmed it
    return News(fact.kind, fact.name, items_of(bought))


def _shipped(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    found = _parcel(fact, work)
    if found is None:
        return None
    parcel, order = found
    if parcel.state in AT_THE_NODE or parcel.state == ParcelState.VOIDED:
        return None
    items, all_of_it = _contents(parcel, order, bought)
    return News(
        fact.kind,
        fact.name,
        items,
        part=not all_of_it,
        expected=_promised(bought, order.group_id),
        promise_ids=tuple(
            versions[-1].pk for versions in [bought.promises.get(order.group_id, ())] if versions
        ),
        carrier=carrier_name(parcel.carrier_code),
        tracking_number=parcel.tracking_number,
    )


def _delivered(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    found = _parcel(fact, work)
    if found is None or found[0].state != ParcelState.DELIVERED:
        return None
    parcel, order = found
    items, all_of_it = _contents(parcel, order, bought)
    return News(
        fact.kind, fact.name, items, part=not all_of_it, date=parcel.delivered_at or fact.at
    )


def _ready(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    order = next((each for each in work if each.pk == fact.about), None)
    if order is None:
        return None
    units = {line.order_line_id: line.packed + line.collected for line in order.lines.all()}
    return News(
        fact.kind,
        fact.name,
        items_of(bought, units),
        place=order.node.name,
        until=order.collect_by,
    )


def _cancelled(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    items = items_of(bought, fact.units)
    if not items:
        return None
    left = any(line.ordered > line.cancelled for line in bought.lines if line.kind != "kit")
    return News(fact.kind, fact.name, items, part=left, by_buyer=fact.cause == "buyer")


def _refunded(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    amount = Money(fact.amount_minor, bought.order.currency).minor
    return News(fact.kind, fact.name, amount_minor=amount) if amount > 0 else None


def _unpaid(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    amount = Money(fact.amount_minor, bought.order.currency).minor
    return News(fact.kind, fact.name, _open_items(bought), until=fact.until, amount_minor=amount)


def _to_choose(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    """A store gave units up that were to be collected there, and nobody has chosen yet."""
    items = items_of(bought, fact.units)
    if not items:
        return None
    groups = {line.group_id for line in bought.lines if line.pk in fact.units}
    stores = [group.pickup_node for group in bought.groups if group.pk in groups]
    place = next((store.name for store in stores if store is not None), "")
    return News(fact.kind, fact.name, items, place=place, until=fact.until)


def _delayed(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    if bought.order.state != "accepted":
        return None
    return _will_be_late(fact, bought, work) if fact.cause else _moved(fact, bought)


def _moved(fact: Fact, bought: BoughtOrder) -> News | None:
    """The promise that moved furthest to a later day."""
    zone, best = zone_of(bought), None
    for versions in bought.promises.values():
        if len(versions) < 2:
            continue
        old, new = versions[-2], versions[-1]
        days = (
            new.deliver_latest.astimezone(zone).date() - old.deliver_latest.astimezone(zone).date()
        ).days
        if days > 0 and (best is None or days > best[0]):
            best = (days, old, new)
    if best is None:
        return None
    _, old, new = best
    first = bought.promises[new.group_id][0].deliver_latest.astimezone(zone).date()
    return News(
        fact.kind,
        f"promise {new.pk}",
        _open_items(bought),
        old=old.deliver_latest,
        new=new.deliver_latest,
        cause="leaves_later" if new.cause in {"node", "rescue"} else "stock",
        asks=new.deliver_latest.astimezone(zone).date() > first,
        promise_ids=(new.pk,),
    )


def _will_be_late(fact: Fact, bought: BoughtOrder, work: Work) -> News | None:
    """A promise that cannot be kept any more, before its day has come; told once per order."""
    zone = zone_of(bought)
    promised = _promised(bought, None)
    if promised is None:
        return None
    name, silent = f"late {bought.order.pk}", fact.cause == "TRACKING_SILENT"
    if silent:
        hopeless = promised < fact.at + _SILENT_LEAD
        since = _last_heard(work) or fact.at
        values, cause = {"date": since}, "scan"
    else:
        ship_by = bought.order.ship_by
        slack = promised - ship_by if ship_by else timedelta(0)
        expected = fact.at + slack
        hopeless = expected.astimezone(zone).date() > promised.astimezone(zone).date()
        values, cause = {}, _CAUSES[fact.cause]
    if not hopeless:
        return None
    return News(
        fact.kind, name, _open_items(bought), old=promised, cause=cause, cause_values=values
    )


def _open_items(bought: BoughtOrder) -> tuple[Item, ...]:
    """What is still to come."""
    return items_of(
        bought,
        {
            line.pk: line.ordered - line.cancelled - line.delivered
            for line in bought.lines
            if line.kind != "kit"
        },
    )


def _promised(bought: BoughtOrder, group_id: UUID | None) -> datetime | None:
    """By when the group, or the last of all groups, is to be there."""
    days = [
        group.deliver_by
        for group in bought.groups
        if group.deliver_by and (group_id is None or group.pk == group_id)
    ]
    return max(days, default=None)


def _last_heard(work: Work) -> datetime | None:
    heard = [
        parcel.last_heard_at
        for order in work
        for parcel in order.parcels.all()
        if parcel.last_heard_at
    ]
    return max(heard, default=None)


def _parcel(fact: Fact, work: Work) -> tuple[Any, Any] | None:
    for order in work:
        for parcel in order.parcels.all():
            if parcel.pk == fact.about:
                return parcel, order
    return None


def contents_of(parcel: Any) -> dict[UUID, int]:
    """Units per order line in a parcel."""
    units: dict[UUID, int] = {}
    for content in parcel.lines.all():
        line_id = content.line.order_line_id
        units[line_id] = units.get(line_id, 0) + content.quantity + content.excess
    return units


def _contents(parcel: Any, order: Any, bought: BoughtOrder) -> tuple[tuple[Item, ...], bool]:
    """The items of a parcel, and whether that is all of the order that ships."""
    units = contents_of(parcel)
    shipping = sum(line.ordered - line.cancelled for line in bought.lines if line.kind == "stock")
    return items_of(bought, units), sum(units.values()) >= shipping


def carrier_name(code: str) -> str:
    """A carrier as people know it, from its code; nothing for parcels that we label on paper."""
    plain = "" if code == "paper" else code.replace("_", " ").replace("-", " ")
    return plain.upper() if len(plain) <= 4 else plain.title()


_TELLERS: Final[Mapping[MessageKind, Callable[[Fact, BoughtOrder, Work], News | None]]] = {
    MessageKind.RECEIVED: _received,
    MessageKind.SHIPPED: _shipped,
    MessageKind.DELIVERED: _delivered,
    MessageKind.READY: _ready,
    MessageKind.CANCELLED: _cancelled,
    MessageKind.REFUNDED: _refunded,
    MessageKind.DELAYED: _delayed,
    MessageKind.PAYMENT: _unpaid,
    MessageKind.CHOICE: _to_choose,
}
