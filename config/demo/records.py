"""What the other side says: our figures counted against the records of the simulated systems.

Each is read over HTTP from the simulators and set beside what our database says of the same thing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from config.demo.counterparts import Counterparts
from config.demo.drafts import PROVIDER
from config.demo.partners import NODE_SYSTEMS
from config.demo.storefronts import MARKETPLACE, SHOPS, TILLS
from config.kernel.types import Scope
from config.reports import moved, placed, promised
from integrations.channels import marks
from integrations.channels.cases import COPY_DIFFERS, COPY_REFUSED, ORDER_CHANGED

TOLD_OF: Final = (COPY_REFUSED, COPY_DIFFERS, ORDER_CHANGED)
"""Where both sides did what the other cannot undo (a parcel left, the order was taken back), a person
is told, and the difference stands until they have decided."""
_DELIVERED: Final = "delivered"
_MOVED: Final = ("captured", "refunded", "charged_back")
_DEEDS: Final = ("fulfilled", "refunded", "cancelled")
_COUNTS_UNITS: Final = frozenset({"shopify"})


@dataclass(frozen=True, slots=True)
class Kept:
    """Promises that the carrier's own scans show to be kept, of those it has delivered."""

    on_time: int
    delivered: int


def oversold(counterparts: Counterparts, *, scope: Scope) -> int:
    """Units promised to buyers that no simulated shelf could serve, over all nodes that have one.

    A shelf has what lies on it and what stands aside for us; what is promised is what is reserved
    of stock and has not left.
    """
    shelves: Counter[str] = Counter()
    for system in NODE_SYSTEMS:
        for _, node in counterparts.records(system, "shelves"):
            for sku, lies in node.items():
                shelves[sku] += max(0, lies["shelf"] + lies["aside"])
    return sum(
        max(0, units - shelves[sku]) for sku, units in promised.units_of_stock(scope=scope).items()
    )


def promises_kept(counterparts: Counterparts, *, scope: Scope) -> Kept:
    """Groups whose parcels the carrier has all delivered, and those of them by the first promise."""
    delivered = {
        code: at
        for code, tracker in counterparts.records("carrier", "trackers")
        if (at := _delivered_at(tracker)) is not None
    }
    on_time = whole = 0
    for group in promised.shipped_groups(scope=scope):
        arrived = [delivered.get(number) for number in group.tracking_numbers]
        if not all(arrived):
            continue
        whole += 1
        on_time += max(at for at in arrived if at is not None) <= group.deliver_latest
    return Kept(on_time, whole)


def _delivered_at(tracker: Mapping[str, Any]) -> datetime | None:
    for scan in tracker["tracking_details"]:
        if scan["status"] == _DELIVERED:
            return datetime.fromisoformat(scan["datetime"])
    return None


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a counterpart holds otherwise than we do."""

    system: str
    what: str
    theirs: object
    ours: object


def money_differing(counterparts: Counterparts, *, scope: Scope) -> list[Difference]:
    """Payments of which the gateway has moved another amount than we hold to have been moved.

    Those that are under way are left out: its answer has not come.
    """
    payments = dict(counterparts.records("gateway", "payments"))
    found = []
    for tender in moved.through_provider(PROVIDER, scope=scope):
        if tender.under_way:
            continue
        known = [payments[name] for name in tender.references if name in payments]
        theirs = tuple(sum(one[name] for one in known) for name in _MOVED)
        if theirs != tender.amounts:
            found.append(Difference("gateway", tender.order_number, theirs, tender.amounts))
    return found


def given_back(counterparts: Counterparts, *, scope: Scope) -> tuple[int, int]:
    """What was refunded, in minor units: by our book, and by the gateway's."""
    payments = dict(counterparts.records("gateway", "payments"))
    tenders = moved.through_provider(PROVIDER, scope=scope)
    known = {name for tender in tenders for name in tender.references if name in payments}
    return (
        sum(tender.amounts[1] for tender in tenders),
        sum(payments[name]["refunded"] for name in known),
    )


def money_under_way(*, scope: Scope) -> int:
    """Payments of which a capture or refund has no answer yet."""
    return sum(one.under_way for one in moved.through_provider(PROVIDER, scope=scope))


@dataclass(frozen=True, slots=True)
class Compared:
    """The orders of the shops: how many were laid side by side, and those that differ.

    Of those that `differ`, some are `known`: a case says why, and a person decides.
    """

    orders: int
    differ: tuple[Difference, ...]
    known: tuple[Difference, ...]


def copies_compared(counterparts: Counterparts, *, scope: Scope) -> Compared:
    """Orders that a shop holds otherwise than we do: missing on one side, or told otherwise.

    Compared are the parcels' numbers, whether nothing is left of the order, and the amounts that went
    back of what the shop did not take; where the shop counts units of lines (WooCommerce does not), those sent and those taken off as well.
    """
    seen = placed.with_a_case(TOLD_OF, scope=scope)
    found: list[Difference] = []
    orders = 0
    for channel, system in SHOPS.items():
        ours = placed.orders_of(channel, scope=scope)
        for key, theirs in counterparts.records(system, "orders"):
            held = ours.pop(key, None)
            orders += 1
            told = _as_told(theirs)
            if held is not None and system not in _COUNTS_UNITS:
                held, told = replace(held, lines=frozenset()), replace(told, lines=frozenset())
            # Nobody sends us an order that was cancelled before we heard of it.
            if told != held and not (held is None and told.cancelled):
                found.append(Difference(system, key, told, held))
        orders += len(ours)
        found += [Difference(system, key, None, held) for key, held in ours.items()]
    return Compared(
        orders,
        tuple(one for one in found if one.what not in seen),
        tuple(one for one in found if one.what in seen),
    )


def _as_told(order: Mapping[str, Any]) -> placed.PlacedOrder:
    """An order of a shop in the shape in which ours are compared. What was added later, or is carried
    by nobody, is not compared.
    """
    return placed.PlacedOrder(
        lines=frozenset(
            (str(line["id"]), line["fulfilled"], line["cancelled"])
            for line in order["lines"]
            if not line["added"] and line.get("ships", True)
        ),
        cancelled=bool(order["cancelled_at"]),
        tracking_numbers=frozenset(
            number
            for parcel in order["fulfillments"]
            if parcel["status"] == "success"
            for number in parcel["tracking"]["numbers"]
        ),
        refunds=tuple(
            sorted(
                _given_back(refund)
                for refund in order["refunds"]
                if order.get("payment")
                and marks.ours_in(refund["note"]) is not None
                and not marks.marks_cancel(refund["note"])
            )
        ),
    )


def _given_back(refund: Mapping[str, Any]) -> int:
    """What a refund of money that the shop never had says was given back; its note, where it moved none."""
    stated = marks.stated_in(refund["note"])
    return int(refund["amount"] if stated is None else stated * 100)


def orders_lost(counterparts: Counterparts, *, scope: Scope) -> list[Difference]:
    """Orders of the marketplace and sales of the tills that we do not have."""
    found = []
    agora = placed.orders_of(MARKETPLACE, scope=scope)
    for key, order in counterparts.records("marketplace", "orders"):
        if key not in agora and not order["cancelled_at"]:
            found.append(Difference("marketplace", key, order["refused"] or "placed", "missing"))
    tills = placed.orders_of(TILLS, scope=scope)
    for key, sale in counterparts.records("stores", "sales"):
        if sale["told_as"] == "order" and key not in tills:
            found.append(Difference("stores", key, "sold", "missing"))
    return found


def told_twice(counterparts: Counterparts) -> list[Difference]:
    """What a shop was told again that it had been told, so that it did it twice."""
    return [
        Difference(system, str(entry["order"]), kind, "again")
        for system in SHOPS.values()
        for kind in _DEEDS
        for entry in counterparts.log(system, kind)
        if entry.get("again")
    ]
