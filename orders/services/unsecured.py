"""Orders whose payment ended before their goods left.

Their buyers are asked for it again, they are sent at the seller's own risk, or given up by a date.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from config.kernel import ids
from config.kernel.errors import Conflict, DomainError, Invalid
from config.kernel.models import Account, Event
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.models import Hold, Order, OrderLine, Tender
from orders.services.authorize import PAYMENT_HOLD, lift_payment_holds
from orders.services.cancel import cancel_units
from orders.services.holding import active_holds, check_reason
from orders.services.sheet import Sheet, is_live, open_sheet, visible
from orders.services.tenders import TenderInHand, is_billed, lock_tenders, refold_payment
from orders.states import CollectedBy, Initiator, LineKind, OrderState
from orders.types import CancelRequest

if TYPE_CHECKING:
    from django.db.models import QuerySet

ON_ACCOUNT: Final = "on_account"
SETTING: Final = "cancel_unpaid_days"
"""The account's setting: days that an order waits for its payment before it is given up; 0 is never."""
BATCH: Final = 200
ASKED: Final = "payment.asked_for"
ASKED_AGAIN_AFTER: Final = timedelta(hours=24)
_NOT_PAID: Final = "not paid in time"
_NO_RISK: Final = "Its money is secured, taken, or collected by others: {}."


@transaction.atomic
def ask_for_payment(order_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[int]]:
    """Have buyers asked to pay what is not secured. One outcome per order, with the minor units.

    The event says the amount, and until when the order waits where its account has said how long.
    Refused where nobody waits for money, and within a day of having been asked.
    """
    sheet = open_sheet(order_ids)
    tenders = lock_tenders([i for i in sheet.orders if is_billed(sheet.orders[i])])
    held = active_holds([i for i in sheet.orders if sheet.orders[i].holds_open])
    days, asked = _days_of(sheet), _asked_lately(sheet, at)
    outcomes: list[Outcome[int]] = []
    for order_id in order_ids:
        own = tenders.get(order_id, [])
        waits = [hold for hold in held.get(order_id, ()) if hold.type == PAYMENT_HOLD]
        try:
            order = visible(sheet, order_id, actor.scope)
            amount = _check(order, own, waits=bool(waits), refusal="there is nothing to ask for")
            if order_id in asked:
                raise Conflict("The buyer was asked within the last day; once a day is enough.")
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        asked.add(order_id)
        amount = amount or sum(one.amount_minor - one.captured_minor for one in own if one.is_ours)
        told: dict[str, Any] = {"amount_minor": amount, "currency": order.currency}
        if waits and (wait := days.get(order.account_id)):
            until = min(hold.placed_at for hold in waits) + timedelta(days=wait)
            told["until"] = until.isoformat()
        sheet.tell(order_id, ASKED, told)
        outcomes.append(Outcome.done(amount))
    sheet.write(at=at, actor=actor, reason="payment asked for")
    return outcomes


def _days_of(sheet: Sheet) -> dict[UUID, float]:
    """How long orders of these accounts wait, where the account gives them up."""
    rows = Account.objects.filter(
        pk__in={order.account_id for order in sheet.orders.values()}, settings__has_key=SETTING
    )
    return {pk: float(own) for pk, own in rows.values_list("pk", f"settings__{SETTING}")}


def _asked_lately(sheet: Sheet, at: datetime) -> set[UUID]:
    rows = Event.objects.for_scope(ALL_ACCOUNTS).filter(
        topic=ASKED, thread_id__in=list(sheet.orders), at__gt=at - ASKED_AGAIN_AFTER
    )
    return set(rows.values_list("thread_id", flat=True))


@transaction.atomic
def accept_risks(
    order_ids: Sequence[UUID], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Send what is not secured all the same: it is owed on account, and the holds for payment end.

    One outcome per order, with the minor units that nothing secures any more. What is secured is taken
    as before. Refused where there is no risk to accept. The statements do not grow with the orders.
    """
    if not reason.strip():
        raise Invalid("Say why the risk is accepted.")
    check_reason(reason)
    sheet = open_sheet(order_ids)
    tenders = lock_tenders([i for i in sheet.orders if is_billed(sheet.orders[i])])
    held = active_holds([i for i in sheet.orders if sheet.orders[i].holds_open])
    outcomes: list[Outcome[int]] = []
    accepted: set[UUID] = set()
    for order_id in order_ids:
        try:
            order = visible(sheet, order_id, actor.scope)
            waits = any(hold.type == PAYMENT_HOLD for hold in held.get(order_id, ()))
            own = tenders.get(order_id, [])
            amount = _check(order, own, waits=waits, refusal="there is no risk")
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        if order_id in accepted:
            outcomes.append(Outcome.repeated(amount))
            continue
        accepted.add(order_id)
        tenders[order_id] = _put_on_account(sheet, own)
        refold_payment(order, tenders[order_id])
        sheet.tell(order_id, "payment.risk_accepted", {"amount_minor": amount, "reason": reason})
        outcomes.append(Outcome.done(amount))
    lift_payment_holds(sheet, accepted, reason, at=at, actor=actor)
    sheet.write(at=at, actor=actor, reason="risk accepted")
    return outcomes


def _check(order: Order, tenders: Sequence[TenderInHand], *, waits: bool, refusal: str) -> int:
    """What nothing secures, in minor units. Raises Conflict where nobody waits for money."""
    if not is_live(order):
        raise Conflict(f"The order is {order.get_state_display().lower()}.")
    amount = sum(map(_unsecured, tenders))
    if not amount and not waits:
        raise Conflict(_NO_RISK.format(refusal))
    return amount


def _unsecured(tender: TenderInHand) -> int:
    return tender.amount_minor - tender.standing().authorized_minor if tender.is_ours else 0


def _put_on_account(sheet: Sheet, tenders: Sequence[TenderInHand]) -> list[TenderInHand]:
    """The tenders as they are then: what is unsecured of each stands apart, collected on account."""
    changed: list[dict[str, Any]] = []
    kept: list[TenderInHand] = []
    apart: list[TenderInHand] = []
    for tender in tenders:
        missing = _unsecured(tender)
        if missing and missing == tender.amount_minor:
            tender.collected_by = CollectedBy.TERMS
        elif missing:
            tender.amount_minor -= missing
            apart.append(_on_account(sheet, tender, missing, len(tenders) + len(apart)))
        if missing:
            row = {"id": tender.id, "amount_minor": tender.amount_minor}
            changed.append(row | {"collected_by": str(tender.collected_by)})
        kept.append(tender)
    sheet.statement.update(Tender, changed)
    return kept + apart


def _on_account(sheet: Sheet, tender: TenderInHand, amount: int, position: int) -> TenderInHand:
    made = replace(
        tender,
        id=ids.uuid7(),
        collected_by=CollectedBy.TERMS,
        amount_minor=amount,
        captured_minor=0,
        refunded_minor=0,
        credited_minor=0,
        carried_minor=0,
        charged_back_minor=0,
        disputed_minor=0,
        unanswered_minor=0,
        advance_minor=0,
        sources=[],
        authorizations=[],
    )
    sheet.insert(
        Tender,
        {
            "id": made.id,
            "order_id": made.order_id,
            "account_id": made.account_id,
            "position": position,
            "kind": ON_ACCOUNT,
            "collected_by": str(CollectedBy.TERMS),
            "amount_minor": amount,
        },
    )
    return made


def cancel_unpaid(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """Give up what is not with a node yet of orders that have waited too long for their payment.

    Only for accounts that have said how long (`SETTING`). Answers how many lines were given up.
    """
    waiting = _waited_too_long(limit, at)
    wanted = [
        CancelRequest(
            row.order_id,
            row.pk,
            row.pending + row.backordered + row.reserved,
            _NOT_PAID,
            Initiator.SYSTEM,
        )
        for row in _unsent().filter(order_id__in=waiting).order_by("order_id", "position")
    ]
    if not wanted:
        return 0
    return sum(outcome.ok for outcome in cancel_units(wanted, at=at, actor=actor))


def _waited_too_long(limit: int, at: datetime) -> list[UUID]:
    """Live orders under a hold for payment that is older than their account lets them wait."""
    found: list[UUID] = []
    days = Account.objects.filter(settings__has_key=SETTING)
    for account_id, own in days.values_list("pk", f"settings__{SETTING}"):
        if float(own) <= 0:
            continue
        held = (
            Hold.objects.for_scope(ALL_ACCOUNTS)
            .active()
            .filter(
                Exists(_unsent().filter(order_id=OuterRef("order_id"))),
                account_id=account_id,
                type=PAYMENT_HOLD,
                placed_at__lte=at - timedelta(days=float(own)),
                order__state__in=[OrderState.CAPTURED, OrderState.ACCEPTED],
            )
            .order_by("order_id")
        )
        found += held.distinct().values_list("order_id", flat=True)[:limit]
    return found


def _unsent() -> "QuerySet[OrderLine]":
    """Lines with units that no node has yet."""
    here = Q(pending__gt=0) | Q(backordered__gt=0) | Q(reserved__gt=0)
    found: QuerySet[OrderLine] = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(
        here, kind=LineKind.STOCK
    )
    return found
