"""Authorisations renewed before their term passes, while what they are to pay for has not shipped."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from config.kernel import case_reports, ids
from config.kernel.history import Change
from config.kernel.models import Account
from config.kernel.money import Money
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent, NewIntent, add
from config.kernel.types import ALL_ACCOUNTS, Actor
from orders.models import Authorization, Capture, Order
from orders.services import money
from orders.services.authorize import PAYMENT_HOLD, lift_payment_holds
from orders.services.holding import active_holds, case_of, hold_row
from orders.services.reauthorize import RENEW, SETTING, needs_it
from orders.services.settle import answered, call_of, provider_of, write_authorizations
from orders.services.sheet import Sheet, open_sheet
from orders.services.tenders import (
    AuthorizationInHand,
    TenderInHand,
    lock_tenders,
    refold_payment,
)
from orders.states import AuthorizationState, Blocks, OrderState
from orders.types import HoldRequest

if TYPE_CHECKING:
    from django.db.models import QuerySet

BATCH: Final = 200
RENEW_HOURS: Final = 24


@transaction.atomic
def renew_authorizations(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """Ask for the authorisations that end soon to be renewed, where goods have yet to ship.

    Nothing is captured from one until the provider has answered. Answers how many were asked for.
    """
    due = _ending(at).order_by("expires_at").values_list("order_id", flat=True)
    sheet = open_sheet(due[:limit], skip_locked=True)
    tenders = lock_tenders([order.id for order in sheet.orders.values() if needs_it(sheet, order)])
    ending = set(
        _ending(at).filter(order_id__in=list(sheet.orders)).values_list("pk", flat=True)
        if tenders
        else ()
    )
    rows: list[dict[str, Any]] = []
    intents: list[NewIntent] = []
    for order_id, own in tenders.items():
        for tender in own:
            for one in tender.authorizations:
                if tender.is_ours and one.id in ending and one.left_minor > 0:
                    rows.append({"id": one.id, "renewal_asked_at": at})
                    intents.append(_ask(sheet, sheet.orders[order_id], tender, one))
    sheet.statement.update(Authorization, rows)
    sheet.write(at=at, actor=actor, reason="renewal asked for")
    add(intents, at=at, actor=actor)
    return len(intents)


def _ending(at: datetime) -> "QuerySet[Authorization]":
    """Live authorisations that end within their account's hours, and of which nothing is asked."""
    open_captures = (
        Capture.objects.for_scope(ALL_ACCOUNTS).open().filter(authorization_id=OuterRef("pk"))
    )
    found: QuerySet[Authorization] = Authorization.objects.for_scope(ALL_ACCOUNTS).filter(
        ~Exists(open_captures),
        _soon(at),
        state=AuthorizationState.LIVE,
        expires_at__gt=at,
        void_asked_at__isnull=True,
        refused_at__isnull=True,
        renewal_asked_at__isnull=True,
        order__state__in=[OrderState.CAPTURED, OrderState.ACCEPTED],
    )
    return found


def _soon(at: datetime) -> Q:
    """Within `RENEW_HOURS`, or the hours that the account has set."""
    hours = dict(
        Account.objects.filter(settings__has_key=SETTING).values_list("pk", f"settings__{SETTING}")
    )
    soon = Q(expires_at__lte=at + timedelta(hours=RENEW_HOURS)) & ~Q(account_id__in=list(hours))
    for account_id, own in hours.items():
        soon |= Q(account_id=account_id, expires_at__lte=at + timedelta(hours=float(own)))
    longest = max([RENEW_HOURS, *map(float, hours.values())])
    return soon & Q(expires_at__lte=at + timedelta(hours=longest))


def _ask(sheet: Sheet, order: Order, tender: TenderInHand, one: AuthorizationInHand) -> NewIntent:
    sheet.note_history(Authorization, one.id, Change.CHANGED)
    sheet.tell(
        order.id,
        "payment.renewal_requested",
        {"authorization_id": str(one.id), "amount_minor": one.left_minor},
    )
    return money.intent_of(
        RENEW, "authorization", one.id, tender, order, one.left_minor, reference=one.reference
    )


def perform_renewal(intent: LeasedIntent) -> Answer:
    """Have what is left of an authorisation authorised again."""
    return answered(provider_of(intent).renew(call_of(intent)))


def record_renewal(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """Write down how a renewal ended.

    A new authorisation takes the place of the old one, and what is owed is asked of it. Where there
    is none, what is not at a node is held for its payment, with a case; the old one stands until its
    term passes.
    """
    order_id = UUID(intent.payload["order_id"])
    sheet = open_sheet([order_id])
    tenders = lock_tenders([order_id])[order_id]
    old = Authorization.objects.for_scope(ALL_ACCOUNTS).get(pk=intent.subject_id)
    tender = next(one for one in tenders if one.id == old.tender_id)
    reports: list[case_reports.Report] = []
    if answer.kind is AnswerKind.DONE:
        _take_over(sheet, tender, old, intent, answer, at=at)
        refold_payment(sheet.orders[order_id], tenders)
        why = "the authorisation was renewed"
        lift_payment_holds(sheet, {order_id}, why, at=at, actor=actor)
    else:
        reports = _keep_old(sheet, tender, old, answer, at=at)
    asked = money.ask(sheet, {order_id: tenders}, at=at)
    sheet.write(at=at, actor=actor, reason="renewal answered")
    asked.send(at=at, actor=actor)
    case_reports.report(reports, at=at)


def _take_over(
    sheet: Sheet,
    tender: TenderInHand,
    old: Authorization,
    intent: LeasedIntent,
    answer: Answer,
    *,
    at: datetime,
) -> None:
    """Put the new authorisation in the place of the old one, which is used or let go."""
    made, amount = ids.uuid7(), intent.payload["amount_minor"]
    reference = str(answer.data.get("reference", "")) or old.reference
    until = answer.data.get("expires_at")
    expires_at = datetime.fromisoformat(until) if until else None
    standing = [one for one in tender.authorizations if one.id == old.id]
    if standing:
        if standing[0].taken_minor:
            old.use_up()
        else:
            old.void()
        write_authorizations(sheet, [old])
    tender.authorizations = [one for one in tender.authorizations if one.id != old.id]
    sheet.insert(
        Authorization,
        {
            "id": made,
            "tender_id": tender.id,
            "order_id": tender.order_id,
            "account_id": tender.account_id,
            "reference": reference[:128],
            "amount_minor": amount,
            "expires_at": expires_at,
            "void_asked_at": None,
            "at": at,
        },
    )
    sheet.note_history(Authorization, made, Change.CREATED)
    tender.authorizations.append(
        AuthorizationInHand(made, reference, amount, expires_at, None, void_asked=False)
    )
    sheet.tell(
        tender.order_id,
        "payment.renewed",
        {"authorization_id": str(made), "replaces": str(old.id), "amount_minor": amount},
    )


def _keep_old(
    sheet: Sheet, tender: TenderInHand, old: Authorization, answer: Answer, *, at: datetime
) -> list[case_reports.Report]:
    """One that stands may be captured from again; answers the case of the hold that is placed."""
    if old.state == AuthorizationState.EXPIRED:
        sheet.statement.update(Authorization, [{"id": old.id, "renewal_failed_at": at}])
        sheet.note_history(Authorization, old.id, Change.CHANGED)
    for one in tender.authorizations:
        if one.id == old.id:
            one.renewing = False
            old.renewal_failed_at = at
            write_authorizations(sheet, [old])
    order = sheet.orders[tender.order_id]
    sheet.tell(order.id, "payment.renewal_failed", {"authorization_id": str(old.id)})
    standing = active_holds([order.id]).get(order.id, ())
    if not needs_it(sheet, order) or any(hold.type == PAYMENT_HOLD for hold in standing):
        return []
    row = _hold(order, old, answer.error, at=at)
    sheet.place_hold(row)
    sheet.raise_plan(order.id)
    return [found for found in [case_of(row)] if found is not None]


def _hold(order: Order, old: Authorization, why: str, *, at: datetime) -> dict[str, Any]:
    until = f" on {old.expires_at:%Y-%m-%d %H:%M} UTC" if old.expires_at else ""
    reason = (
        f"The authorisation of {Money(old.amount_minor, order.currency)} ends{until} and could not "
        f"be renewed: {why or 'refused'}."
    )
    return hold_row(
        order.account_id,
        HoldRequest(
            order.id,
            PAYMENT_HOLD,
            reason[:500],
            handle=f"renewal:{old.id}",
            blocks=(Blocks.RELEASE,),
        ),
        placed_by="payments",
        at=at,
    )
