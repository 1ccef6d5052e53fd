"""The exceptions of orders: what they are, whether they still stand, and what finds them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q

from config.kernel.case_reports import CaseKind
from config.kernel.services.dwell import Stayer
from config.kernel.types import ALL_ACCOUNTS
from orders.billing import owed_on
from orders.models import (
    Authorization,
    Capture,
    Dispute,
    Hold,
    Order,
    OrderLine,
    Refund,
    Tender,
)
from orders.states import (
    AuthorizationState,
    CaptureState,
    HoldState,
    Mode,
    OrderState,
    Progress,
    RefundState,
)

ACCEPT_WITHIN: Final = timedelta(minutes=15)
ANSWER_WITHIN: Final = timedelta(hours=6)
_AT_NODE_OR_GONE = [
    Progress.SHIPPED,
    Progress.PARTLY_DELIVERED,
    Progress.DELIVERED,
    Progress.LOST,
    Progress.CANCELLED,
]


def still_held_by(*types: str) -> Callable[[Sequence[UUID]], set[UUID]]:
    """Orders that an active hold of one of these types still holds."""

    def still(subject_ids: Sequence[UUID]) -> set[UUID]:
        held = Hold.objects.for_scope(ALL_ACCOUNTS).active().filter(order_id__in=subject_ids)
        return set(held.filter(type__in=types).values_list("order_id", flat=True))

    return still


def still_overdue(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Orders with an active hold whose stock has been given back."""
    held = Hold.objects.for_scope(ALL_ACCOUNTS).active().filter(order_id__in=subject_ids)
    return set(held.filter(stock_given_back_at__isnull=False).values_list("order_id", flat=True))


def still_unfilled(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Orders with units that wait for a node or for supply."""
    lines = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(
        Q(backordered__gt=0) | Q(pending__gt=0), order_id__in=subject_ids, kind="stock"
    )
    open_orders = lines.filter(order__state=OrderState.ACCEPTED)
    return set(open_orders.values_list("order_id", flat=True))


def still_unpaid(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Orders with money that is owed and not asked for, a refund or a void that was refused.

    Owed and not asked for is what a refused capture leaves, and what no authorisation covers.
    """
    refunds = Refund.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=subject_ids, state=RefundState.FAILED
    )
    kept = Authorization.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=subject_ids, state=AuthorizationState.LIVE, void_asked_at__isnull=False
    )
    return (
        _owing(subject_ids)
        | set(refunds.values_list("order_id", flat=True))
        | set(kept.values_list("order_id", flat=True))
    )


def still_unknown(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Orders with a capture or refund of which nobody knows whether it happened."""
    captures = Capture.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=subject_ids, state=CaptureState.UNKNOWN
    )
    refunds = Refund.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=subject_ids, state=RefundState.SENT
    )
    return set(captures.values_list("order_id", flat=True)) | set(
        refunds.values_list("order_id", flat=True)
    )


def still_disputed(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Orders of which a payment is disputed."""
    open_ones = Dispute.objects.for_scope(ALL_ACCOUNTS).of_orders(subject_ids).open()
    return set(open_ones.values_list("order_id", flat=True))


def still_given_twice(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Orders of which a bank took back what was given back before."""
    lost = Dispute.objects.for_scope(ALL_ACCOUNTS).of_orders(subject_ids).filter(beyond_minor__gt=0)
    return set(lost.values_list("order_id", flat=True))


def _owing(order_ids: Sequence[UUID]) -> set[UUID]:
    """Orders with invoiced money of ours that nobody was asked for, or that was refused."""
    invoiced = dict(
        Order.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=order_ids, invoiced_minor__gt=0)
        .exclude(mode=Mode.HISTORY)
        .values_list("pk", "invoiced_minor")
    )
    tenders: dict[UUID, list[Tender]] = {}
    for tender in Tender.objects.for_scope(ALL_ACCOUNTS).of_orders(invoiced).order_by("position"):
        tenders.setdefault(tender.order_id, []).append(tender)
    return {order_id for order_id, own in tenders.items() if any(owed_on(invoiced[order_id], own))}


def still_at_risk(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Accepted orders that have a ship-by date and have not shipped."""
    waiting = (
        Order.objects.for_scope(ALL_ACCOUNTS)
        .accepted()
        .filter(pk__in=subject_ids, ship_by__isnull=False)
        .exclude(progress__in=_AT_NODE_OR_GONE)
    )
    return set(waiting.values_list("pk", flat=True))


def captured_too_long(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
    """Captured orders that nothing keeps from acceptance."""
    found = (
        Order.objects.for_scope(ALL_ACCOUNTS)
        .captured()
        .filter(captured_at__lte=before, holds_open=0)
        .order_by("captured_at")
    )
    if among is not None:
        found = found.filter(pk__in=among)
    return [Stayer(o.id, o.account_id, o.captured_at or before, o.id) for o in found[:limit]]


def unanswered_captures(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
    """Captures that the provider has not answered."""
    found = Capture.objects.for_scope(ALL_ACCOUNTS).filter(
        state__in=[CaptureState.REQUESTED, CaptureState.UNKNOWN], at__lte=before
    )
    if among is not None:
        found = found.filter(pk__in=among)
    return [Stayer(c.id, c.account_id, c.at, c.order_id) for c in found.order_by("at")[:limit]]


def unanswered_refunds(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
    """Refunds that the provider has not answered."""
    found = Refund.objects.for_scope(ALL_ACCOUNTS).filter(
        state__in=[RefundState.PENDING, RefundState.SENT], at__lte=before
    )
    if among is not None:
        found = found.filter(pk__in=among)
    return [Stayer(r.id, r.account_id, r.at, r.order_id) for r in found.order_by("at")[:limit]]


def held_too_long(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
    """Holds without an end that nobody has lifted."""
    found = Hold.objects.for_scope(ALL_ACCOUNTS).filter(
        state=HoldState.ACTIVE, until__isnull=True, placed_at__lte=before
    )
    if among is not None:
        found = found.filter(pk__in=among)
    return [
        Stayer(h.id, h.account_id, h.placed_at, h.order_id)
        for h in found.order_by("placed_at")[:limit]
    ]


def _kind(
    code: str,
    label: str,
    severity: int,
    hours: int,
    team: str,
    playbook: str,
    still_true: Callable[[Sequence[UUID]], set[UUID]] | None,
) -> CaseKind:
    return CaseKind(code, label, severity, timedelta(hours=hours), team, playbook, still_true)


KINDS: Final = (
    _kind(
        "UNFILLABLE",
        "No node can fill it",
        2,
        8,
        "operations",
        "See why each node lost; raise stock, allow another node, or offer the buyer a cancel.",
        still_unfilled,
    ),
    _kind(
        "GIVEN_UP",
        "Nodes gave units of it up",
        2,
        4,
        "customer_service",
        "Ask the buyer: another store, a delivery, or a cancel. Release the hold to look for a node.",
        still_held_by("given_up"),
    ),
    _kind(
        "ADDRESS_INVALID",
        "The address cannot be delivered to",
        2,
        8,
        "customer_service",
        "Ask the buyer, correct the address; the hold is lifted with it.",
        still_held_by("address", "destination"),
    ),
    _kind(
        "DUPLICATE_SUSPECT",
        "Perhaps ordered twice",
        3,
        12,
        "customer_service",
        "Compare the two orders; release the hold, or cancel one.",
        still_held_by("duplicate"),
    ),
    _kind(
        "SKU_UNMAPPED",
        "The channel sold what nobody knows",
        2,
        4,
        "catalog",
        "Map the channel's code to a SKU once; every order that waits for it goes on.",
        still_held_by("unmapped"),
    ),
    _kind(
        "TOTALS_WRONG",
        "The totals do not add up",
        3,
        24,
        "operations",
        "Check prices, discounts and tax with the channel; release the hold if they are meant so.",
        still_held_by("totals"),
    ),
    _kind(
        "PAYMENT_PENDING",
        "The payment is not secured",
        3,
        24,
        "payments",
        "Wait for the authorisation; where it could not be renewed, ask the buyer to pay and note the "
        "new authorisation on the order, which ends the hold. Or send it at our own risk, or cancel it.",
        still_held_by("payment"),
    ),
    _kind(
        "PAYMENT_FAILED",
        "Money could not be taken or given back",
        1,
        4,
        "payments",
        "Read the provider's reason; try again, ask the buyer for another authorisation, or refund "
        "by hand.",
        still_unpaid,
    ),
    _kind(
        "PAYMENT_UNKNOWN",
        "Nobody knows whether money was moved",
        1,
        4,
        "payments",
        "Ask the provider again; while it stays silent, find the payment on its pages and settle it "
        "by hand. Nothing is asked for a second time before that.",
        still_unknown,
    ),
    _kind(
        "PAYMENT_DISPUTED",
        "A buyer disputes a payment with their bank",
        1,
        24,
        "payments",
        "Hand in the invoice, the tracking and what was written to the buyer before the evidence is "
        "due. Nothing is given back before the bank has decided.",
        still_disputed,
    ),
    _kind(
        "PAYMENT_DIFFERS",
        "The provider knows a payment otherwise than we do",
        1,
        24,
        "payments",
        "Look the payment up on the provider's pages. Where they are right, refund or settle by hand; "
        "where we are, write to them.",
        None,
    ),
    _kind(
        "PAYMENT_GIVEN_TWICE",
        "A bank took back what was refunded before",
        1,
        24,
        "payments",
        "The buyer has the money twice: ask the provider to reverse the refund, or the buyer to pay "
        "it back.",
        still_given_twice,
    ),
    _kind(
        "HOLD_DEADLINE",
        "Held for too long: the stock was given back",
        2,
        8,
        "operations",
        "Decide: release the hold, and the order is sourced again, or cancel it.",
        still_overdue,
    ),
    _kind(
        "GAVE_WAY",
        "Its units went to another order",
        3,
        24,
        "customer_service",
        "Tell the buyer of the new date, or offer a cancel; other stock may be found meanwhile.",
        still_at_risk,
    ),
    _kind(
        "SALE_NOT_IN_STOCK",
        "A till sale is missing from the ledger",
        3,
        24,
        "operations",
        "Adjust the stock of the store by hand; check the node and SKU of the till feed.",
        None,
    ),
)
