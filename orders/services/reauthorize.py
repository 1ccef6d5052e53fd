"""Authorisations that ended while they were still needed: asked for anew, of the card on file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from config.kernel.models import Account
from config.kernel.services.intents import NewIntent
from orders.billing import owed_on
from orders.models import Authorization, Order
from orders.services import money
from orders.services.sheet import Sheet, is_live
from orders.services.tenders import (
    AuthorizationInHand,
    TenderInHand,
    Tenders,
    is_billed,
)

RENEW: Final = "payment.renew"
SETTING: Final = "renew_hours"
"""The account's setting: hours before its end that an authorisation is renewed; 0 is never."""


def needs_it(sheet: Sheet, order: Order) -> bool:
    """Whether something of the order is still to be shipped and paid for."""
    return (
        is_billed(order) and is_live(order) and any(line.open for line in sheet.lines_of(order.id))
    )


def wanted_anew(
    sheet: Sheet, ended: Sequence[Authorization], tenders: Tenders
) -> dict[UUID, tuple[TenderInHand, int]]:
    """Those that are to be asked for again, each with its tender and what it still secured.

    `tenders` hold them as live yet. What the provider was asked to renew before it ended is not asked
    again: whatever was said of that, the next word is the buyer's. One statement, with none ended none.
    """
    held: dict[UUID, tuple[TenderInHand, AuthorizationInHand]] = {
        one.id: (tender, one)
        for own in tenders.values()
        for tender in own
        for one in tender.authorizations
    }
    fresh = [row for row in ended if row.renewal_asked_at is None and row.id in held]
    never = _never([row.account_id for row in fresh]) if fresh else set()
    found = {}
    for row in fresh:
        tender, one = held[row.id]
        left = one.amount_minor - one.taken_minor
        order, own = sheet.orders[row.order_id], tenders[row.order_id]
        due = needs_it(sheet, order) or any(owed_on(order.invoiced_minor, own))
        asked = row.account_id not in never and tender.is_ours and not one.void_asked
        if asked and due and is_live(order) and left > 0:
            found[row.id] = (tender, left)
    return found


def _never(account_ids: Sequence[UUID]) -> set[UUID]:
    """Accounts that have nothing renewed."""
    wanted = Account.objects.filter(pk__in=set(account_ids), **{f"settings__{SETTING}": 0})
    return set(wanted.values_list("pk", flat=True))


def ask_anew(sheet: Sheet, wanted: Mapping[UUID, tuple[TenderInHand, int]]) -> list[NewIntent]:
    """Say on the sheet that they are asked for again; answers what the providers are asked.

    The caller writes `renewal_asked_at` with what else of them it writes.
    """
    intents = []
    for pk, (tender, amount) in sorted(wanted.items()):
        order = sheet.orders[tender.order_id]
        references = {one.id: one.reference for one in tender.authorizations}
        sheet.tell(
            order.id,
            "payment.renewal_requested",
            {"authorization_id": str(pk), "amount_minor": amount},
        )
        asked = money.intent_of(
            RENEW, "authorization", pk, tender, order, amount, reference=references[pk]
        )
        intents.append(replace(asked, payload={**asked.payload, "ended": True}))
    return intents
