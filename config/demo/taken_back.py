"""Cancels, returns and refunds, ours against the records of those who saw them: all ought to be alike."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from config.demo.counterparts import Counterparts
from config.demo.drafts import PROVIDER
from config.demo.records import TOLD_OF, Difference
from config.demo.storefronts import SELLERS, SHOPS
from config.kernel.types import Scope
from config.reports import moved, placed, taken_back
from integrations.cases import CANCEL_TOO_LATE
from integrations.channels import marks

_KNOWN: Final = (*TOLD_OF, CANCEL_TOO_LATE)
_US: Final = "us"
_CHANNEL: Final = "channel"
_DELIVERED: Final = "delivered"


@dataclass(frozen=True, slots=True)
class Checked:
    """So many by the records of the other side, and those that differ from ours."""

    theirs: int
    differ: tuple[Difference, ...]


def cancels(counterparts: Counterparts, *, scope: Scope) -> Checked:
    """Orders whose buyers had a date and that lost units by their sellers' records; and those of which
    something was taken off here and not there, or there and not here.

    What a channel wanted itself, it has by its own deed. What is being told, or with a person, is not
    compared; of a kit only the whole is, since a shop knows no parts.
    """
    settled = _not_compared(scope)
    number, found = 0, []
    for channel, system in SELLERS.items():
        held = placed.orders_of(channel, scope=scope)
        cuts = taken_back.cut_orders(channel, scope=scope)
        for key, theirs in counterparts.records(system, "orders"):
            if key not in held:
                continue
            by, ours = _taken_off_by(theirs), cuts.get(key)
            number += bool(by and ours and ours.promised)
            whole = held[key].cancelled or any(off for _, _, off in held[key].lines)
            invented = ours is not None and not ours.by_us and _CHANNEL not in by
            if key not in settled and (bool(by) != whole or (whole and invented)):
                found.append(Difference(system, key, sorted(by), ours))
    return Checked(number, tuple(found))


def _taken_off_by(order: Mapping[str, Any]) -> set[str]:
    """Who took units off the order, by the seller's record of it; empty for nobody."""
    by = set()
    if order["cancelled_at"]:
        by.add(_US if order["cancelled_by"] == "api" else _CHANNEL)
    for refund in order["refunds"]:
        if refund["by"] == "buyer":
            by.add(_CHANNEL)
        elif marks.marks_cancel(refund["note"]):
            by.add(_US)
    if not by and any(line["cancelled"] for line in order["lines"]):
        by.add(_US)
    return by


def refunds(counterparts: Counterparts, *, scope: Scope) -> list[Difference]:
    """Payments of which the gateway, and orders of which a shop, has given back another amount.

    A shop that gave back money by itself was asked for so much less. What is under way is left out.
    """
    return [*_by_the_gateway(counterparts, scope), *_by_the_shops(counterparts, scope)]


def _by_the_gateway(counterparts: Counterparts, scope: Scope) -> Iterator[Difference]:
    payments = dict(counterparts.records("gateway", "payments"))
    for tender in moved.through_provider(PROVIDER, scope=scope):
        known = {name for name in tender.references if name in payments}
        theirs = sum(payments[name]["refunded"] for name in known)
        if not tender.under_way and theirs != tender.amounts[1]:
            yield Difference("gateway", tender.order_number, theirs, tender.amounts[1])


def _by_the_shops(counterparts: Counterparts, scope: Scope) -> Iterator[Difference]:
    settled = _not_compared(scope)
    for channel, system in SHOPS.items():
        owed = taken_back.owed_by_channel(channel, scope=scope)
        for key, order in counterparts.records(system, "orders"):
            if key not in owed or key in settled:
                continue
            told = by_itself = 0
            for refund in order["refunds"]:
                if marks.ours_in(refund["note"]) is None:
                    by_itself += 0 if refund["by"] == "buyer" else refund["amount"]
                elif not marks.marks_cancel(refund["note"]):
                    told += refund["amount"]
            if not max(0, owed[key] - by_itself) <= told <= owed[key]:
                yield Difference(system, key, told, owed[key])


def returns(counterparts: Counterparts, *, scope: Scope) -> Checked:
    """Returns that the carrier has brought by its records, and those we received that it never brought."""
    received = taken_back.received_by_label(scope=scope)
    number, found = 0, []
    for code, tracker in counterparts.records("carrier", "trackers"):
        if code not in received:
            continue
        brought = any(scan["status"] == _DELIVERED for scan in tracker["tracking_details"])
        number += brought
        if not brought:
            found.append(Difference("carrier", received[code], tracker["status"], "received"))
    return Checked(number, tuple(found))


def _not_compared(scope: Scope) -> set[str]:
    """Orders of which something is being told, or with a person."""
    return placed.with_a_case(_KNOWN, scope=scope) | taken_back.still_told(scope=scope)
