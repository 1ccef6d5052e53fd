"""Authorisations after capture: new ones arrive, old ones lapse, and a refused one is tried again."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from config.kernel import case_reports, ids
from config.kernel.errors import Conflict, DomainError, Invalid
from config.kernel.history import Change
from config.kernel.money import Money
from config.kernel.services.intents import add
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.models import Authorization, Capture, Hold, Order
from orders.payments import LapsedAuthorization
from orders.services import money, reauthorize
from orders.services.holding import active_holds, case_of, hold_row
from orders.services.holds import end_holds_on_sheet
from orders.services.sheet import Sheet, is_live, open_sheet, visible
from orders.services.tenders import (
    AuthorizationInHand,
    TenderInHand,
    Tenders,
    is_billed,
    lock_tenders,
    refold_payment,
)
from orders.states import (
    PAYMENT_OK,
    AuthorizationState,
    Blocks,
    HoldScope,
    LineKind,
    OrderState,
    PaymentState,
)
from orders.types import HoldRequest, NewAuthorization

if TYPE_CHECKING:
    from django.db.models import QuerySet

BATCH = 200
LONGEST_REFERENCE = 128
PAYMENT_HOLD = "payment"
_LIVING = (AuthorizationState.REQUESTED, AuthorizationState.LIVE)


@transaction.atomic
def record_authorizations(
    given: Sequence[NewAuthorization], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Note what a buyer has authorised since; ask for what is owed, lift the holds for payment.

    What comes for a cancelled order is let go again at once. One outcome per authorisation, with
    its id. A reference that the tender has already is the same authorisation, repeated.
    """
    sheet = open_sheet(one.order_id for one in given)
    tenders = lock_tenders(list(sheet.orders))
    known = {
        (row.tender_id, row.reference): row.pk
        for row in Authorization.objects.for_scope(ALL_ACCOUNTS).of_orders(sheet.orders)
    }
    outcomes: list[Outcome[UUID]] = []
    fresh: set[UUID] = set()
    for one in given:
        try:
            tender = _tender_for(sheet, tenders, one, actor)
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        key = (tender.id, one.reference)
        if key in known:
            outcomes.append(Outcome.repeated(known[key]))
            continue
        known[key] = _add(sheet, tender, one, at)
        fresh.add(one.order_id)
        outcomes.append(Outcome.done(known[key]))
    for order_id in fresh:
        refold_payment(sheet.orders[order_id], tenders[order_id])
    lift_payment_holds(sheet, fresh, "the payment is authorised", at=at, actor=actor)
    asked = money.ask(sheet, {order_id: tenders[order_id] for order_id in fresh}, at=at)
    sheet.write(at=at, actor=actor, reason="authorised")
    asked.send(at=at, actor=actor)
    return outcomes


def _tender_for(
    sheet: Sheet, tenders: Tenders, one: NewAuthorization, actor: Actor
) -> TenderInHand:
    """The tender it is for: the named one, else the first of ours that is not secured.

    What comes for a cancelled order is noted as well: only what is known can be let go.
    """
    order = visible(sheet, one.order_id, actor.scope)
    if not is_live(order) and order.state != OrderState.CANCELLED:
        raise Conflict(f"The order is {order.get_state_display().lower()}.")
    if not one.reference or len(one.reference) > LONGEST_REFERENCE:
        raise Invalid(f"A reference of 1 to {LONGEST_REFERENCE} characters is needed.")
    if one.amount_minor < 1:
        raise Invalid("An authorisation is of at least one minor unit.")
    ours = [tender for tender in tenders.get(order.id, ()) if tender.is_ours]
    if one.tender_id is not None:
        ours = [tender for tender in ours if tender.id == one.tender_id]
    if not ours:
        raise Conflict("The order has no such tender that we collect.")
    open_ones = [t for t in ours if t.standing().authorized_minor < t.amount_minor]
    return (open_ones or ours)[0]


def _add(sheet: Sheet, tender: TenderInHand, one: NewAuthorization, at: datetime) -> UUID:
    authorization_id = ids.uuid7()
    sheet.insert(
        Authorization,
        {
            "id": authorization_id,
            "tender_id": tender.id,
            "order_id": one.order_id,
            "account_id": tender.account_id,
            "reference": one.reference,
            "amount_minor": one.amount_minor,
            "expires_at": one.expires_at,
            "void_asked_at": None,
            "at": at,
        },
    )
    sheet.note_history(Authorization, authorization_id, Change.CREATED)
    tender.authorizations.append(
        AuthorizationInHand(
            authorization_id,
            one.reference,
            one.amount_minor,
            one.expires_at,
            None,
            void_asked=False,
        )
    )
    sheet.tell(
        one.order_id,
        "payment.authorized",
        {"authorization_id": str(authorization_id), "amount_minor": one.amount_minor},
    )
    return authorization_id


def lift_payment_holds(
    sheet: Sheet, order_ids: set[UUID], reason: str, *, at: datetime, actor: Actor
) -> None:
    """A secured order is no longer held for its payment."""
    secured = [i for i in order_ids if sheet.orders[i].payment_state in PAYMENT_OK]
    standing = active_holds([i for i in secured if sheet.orders[i].holds_open])
    ended = [hold for held in standing.values() for hold in held if hold.type == PAYMENT_HOLD]
    for hold in ended:
        hold.release(at=at, by=actor.name, reason=reason)
    end_holds_on_sheet(sheet, standing, ended)


@transaction.atomic
def retry_captures(order_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Ask again for the money that the provider refused. One outcome per order.

    Each try has a key of its own. Refused where nothing was refused, or nothing is left to ask of.
    """
    sheet = open_sheet(order_ids)
    tenders = lock_tenders(list(sheet.orders))
    outcomes: list[Outcome[UUID]] = []
    tried: set[UUID] = set()
    forgiven: list[UUID] = []
    for order_id in order_ids:
        try:
            visible(sheet, order_id, actor.scope)
            if order_id not in tried:
                forgiven += _forgive(sheet, tenders.get(order_id, []), at)
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        tried.add(order_id)
        outcomes.append(Outcome.done(order_id))
    sheet.statement.update(Authorization, [{"id": pk, "refused_at": None} for pk in forgiven])
    asked = money.ask(sheet, {order_id: tenders[order_id] for order_id in tried}, at=at)
    sheet.write(at=at, actor=actor, reason="capture retried")
    asked.send(at=at, actor=actor)
    return outcomes


def retry_capture(order_id: UUID, *, at: datetime, actor: Actor) -> Outcome[UUID]:
    """`retry_captures` of one order."""
    return retry_captures([order_id], at=at, actor=actor)[0]


def _forgive(sheet: Sheet, tenders: Sequence[TenderInHand], at: datetime) -> list[UUID]:
    """Let refused authorisations be asked of again; answer which. Raises Conflict without any."""
    refused = [
        one for tender in tenders for one in tender.authorizations if one.refused_at is not None
    ]
    if not refused:
        raise Conflict(
            "No payment was refused that could be asked for again. Where its authorisation has "
            "ended, the buyer has to authorise again."
        )
    lasting = [one for one in refused if one.expires_at is None or one.expires_at > at]
    if not lasting:
        raise Conflict("The refused authorisation has expired; the buyer has to authorise again.")
    for one in lasting:
        one.refused_at = None
        sheet.note_history(Authorization, one.id, Change.CHANGED)
    return [one.id for one in lasting]


@transaction.atomic
def expire_authorizations(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """End the authorisations whose term has passed; hold what is not released and not secured.

    What is needed yet is asked for again, of the card on file. One with a capture that is not answered waits for the answer. Answers how many ended.
    """
    due = dict(_lapsed(at).order_by("expires_at").values_list("pk", "order_id")[:limit])
    if not due:
        return 0
    sheet = open_sheet(due.values(), skip_locked=True)
    rows = list(_lapsed(at).filter(pk__in=list(due), order_id__in=list(sheet.orders)))
    _expire(sheet, rows, at=at, actor=actor)
    return len(rows)


@transaction.atomic
def lapse_authorizations(
    lapsed: Sequence[LapsedAuthorization], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """End what the provider has ended, whatever its term. One outcome each, with its order.

    Refused as busy while a capture from it is not answered; one that ended already is repeated.
    """
    known = _known(lapsed)
    sheet = open_sheet(row.order_id for row in known.values())
    known = _known(lapsed)
    waiting = _with_open_captures(list(known.values()))
    ended: dict[UUID, Authorization] = {}
    outcomes: list[Outcome[UUID]] = []
    for one in lapsed:
        row = known.get((one.account_id, one.provider, one.reference))
        if row is None or not actor.scope.allows(row.account_id):
            outcomes.append(Outcome.refused("not-found", "There is no such authorisation here."))
        elif row.state not in _LIVING or row.pk in ended:
            outcomes.append(Outcome.repeated(row.order_id))
        elif row.pk in waiting:
            outcomes.append(Outcome.refused("busy", "A capture from it is not answered yet."))
        else:
            ended[row.pk] = row
            outcomes.append(Outcome.done(row.order_id))
    _expire(sheet, list(ended.values()), at=at, actor=actor)
    return outcomes


def _known(
    lapsed: Sequence[LapsedAuthorization],
) -> dict[tuple[UUID, str, str], Authorization]:
    """The authorisations of these references; of several with one, the youngest."""
    rows = Authorization.objects.for_scope(ALL_ACCOUNTS).filter(
        reference__in=[one.reference for one in lapsed]
    )
    return {
        (row.account_id, row.tender.provider, row.reference): row
        for row in rows.select_related("tender").order_by("pk")
    }


def _with_open_captures(rows: Sequence[Authorization]) -> set[UUID | None]:
    found = Capture.objects.for_scope(ALL_ACCOUNTS).open().filter(authorization__in=rows)
    return set(found.values_list("authorization_id", flat=True))


def _expire(sheet: Sheet, rows: Sequence[Authorization], *, at: datetime, actor: Actor) -> None:
    """End authorisations of orders on the sheet, hold what is not secured by others, and ask for what
    is needed once more: the answer ends the hold.
    """
    concerned = {row.order_id for row in rows}
    tenders = lock_tenders([i for i in concerned if is_billed(sheet.orders[i])])
    anew = reauthorize.wanted_anew(sheet, rows, tenders)
    intents = reauthorize.ask_anew(sheet, anew)
    written = []
    for row in rows:
        before = str(row.state)
        row.expire()
        written.append(
            {
                "id": row.id,
                "before_state": before,
                "state": str(row.state),
                "renewal_asked_at": at if row.id in anew else row.renewal_asked_at,
            }
        )
        sheet.note_history(Authorization, row.id, Change.CHANGED)
        sheet.tell(
            row.order_id,
            "payment.authorization_expired",
            {"authorization_id": str(row.id), "amount_minor": row.amount_minor},
        )
        for tender in tenders.get(row.order_id, ()):
            tender.authorizations = [one for one in tender.authorizations if one.id != row.id]
    sheet.statement.update(Authorization, written, guard='kept.state = given."before_state"')
    for order_id, own in tenders.items():
        refold_payment(sheet.orders[order_id], own)
    reports = _hold_unsecured(sheet, rows, at)
    sheet.write(at=at, actor=actor, reason="authorisation expired")
    add(intents, at=at, actor=actor)
    case_reports.report(reports, at=at)


def _lapsed(at: datetime) -> "QuerySet[Authorization]":
    open_captures = (
        Capture.objects.for_scope(ALL_ACCOUNTS).open().filter(authorization_id=OuterRef("pk"))
    )
    found: QuerySet[Authorization] = Authorization.objects.for_scope(ALL_ACCOUNTS).filter(
        ~Exists(open_captures), state__in=_LIVING, expires_at__lte=at
    )
    return found


def _hold_unsecured(
    sheet: Sheet, rows: Sequence[Authorization], at: datetime
) -> list[case_reports.Report]:
    """Hold the orders of which something may still be released and is no longer paid for."""
    lapsed = {row.order_id: row for row in rows}
    unsecured = [i for i in lapsed if _needs_hold(sheet, sheet.orders[i])]
    standing = active_holds([i for i in unsecured if sheet.orders[i].holds_open])
    reports = []
    for order_id in unsecured:
        order, row = sheet.orders[order_id], lapsed[order_id]
        if any(_is_payment_hold(hold) for hold in standing.get(order_id, ())):
            continue
        ended = row.expires_at if row.expires_at and row.expires_at <= at else at
        reason = (
            f"The authorisation of {Money(row.amount_minor, order.currency)} expired "
            f"on {ended:%Y-%m-%d %H:%M} UTC."
        )
        hold = hold_row(
            order.account_id,
            HoldRequest(
                order_id,
                PAYMENT_HOLD,
                reason,
                handle=f"expired:{row.id}",
                blocks=(Blocks.RELEASE,),
            ),
            placed_by="payments",
            at=at,
        )
        sheet.place_hold(hold)
        sheet.raise_plan(order_id)
        reports += [found for found in [case_of(hold)] if found is not None]
    return reports


def _needs_hold(sheet: Sheet, order: Order) -> bool:
    return (
        is_billed(order)
        and is_live(order)
        and order.payment_state in {PaymentState.PENDING, PaymentState.FAILED}
        and any(
            line.pending + line.backordered + line.reserved
            for line in sheet.lines_of(order.id)
            if line.kind != LineKind.KIT
        )
    )


def _is_payment_hold(hold: Hold) -> bool:
    return bool(hold.type == PAYMENT_HOLD and hold.scope == HoldScope.ORDER)
