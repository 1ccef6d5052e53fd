"""Parcels that carriers could not deliver: their units are expected back without anyone asking."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

import orders.services
from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.selectors import parcels_at_hand
from fulfillment.types import ParcelAtHand
from returns.facts import OrderFacts, facts_of
from returns.models import Return, ReturnLine
from returns.services.request import insert_returns
from returns.states import PaidBy, ReturnKind

REASON = "sent_back"


@transaction.atomic
def expect_sent_back(parcel_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[UUID]:
    """Make a return of each parcel that its carrier brings back, once. Answers the new returns.

    It is on its way to the node that sent it; its buyer has refused it, or nobody was there.
    """
    known = set(
        Return.objects.for_scope(ALL_ACCOUNTS)
        .filter(parcel_id__in=list(parcel_ids))
        .values_list("parcel_id", flat=True)
    )
    parcels = [
        one for one in parcels_at_hand(parcel_ids, ALL_ACCOUNTS) if one.parcel_id not in known
    ]
    if not parcels:
        return []
    orders.services.lock_orders({one.order_id for one in parcels})
    facts = facts_of({one.order_id for one in parcels})
    fresh, lines = [], []
    for one in parcels:
        made = _return_of(one, facts[one.order_id], at=at)
        fresh.append(made)
        lines += _lines_of(made, one, facts[one.order_id])
    insert_returns(fresh, lines, "return.requested", at=at, actor=actor)
    return [one.pk for one in fresh]


def _return_of(one: ParcelAtHand, of: OrderFacts, *, at: datetime) -> Return:
    made = Return(
        id=ids.uuid7(),
        account_id=one.account_id,
        order_id=one.order_id,
        kind=ReturnKind.SENT_BACK,
        currency=of.currency,
        words="The carrier brings it back.",
        label_paid_by=PaidBy.MERCHANT,
        refund_trigger=of.terms.refund_trigger,
        node_id=one.node_id,
        parcel_id=one.parcel_id,
        carrier_code=one.carrier_code,
        tracking_number=one.tracking_number,
        requested_at=at,
        updated_at=at,
        event_seq=1,
    )
    made.authorize(expires_at=at, at=at)
    made.travel(at=at)
    return made


def _lines_of(made: Return, one: ParcelAtHand, of: OrderFacts) -> list[ReturnLine]:
    return [
        ReturnLine(
            id=ids.uuid7(),
            account_id=made.account_id,
            returned_id=made.pk,
            position=place,
            order_line_id=line_id,
            sku_id=of.lines[line_id].sku_id,
            title=of.lines[line_id].title,
            reason=REASON,
            reason_class="carrier",
            requested=quantity,
        )
        for place, (line_id, quantity) in enumerate(one.units, start=1)
    ]
