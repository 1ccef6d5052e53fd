"""Disputes: a buyer's bank asks for money back; until it has decided, nothing else is given back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports, ids
from config.kernel.errors import Conflict, DomainError, Invalid, NotFound
from config.kernel.history import Change
from config.kernel.money import Money
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.models import Authorization, Dispute, Order
from orders.payments import DisputeVerdict, NewDispute
from orders.services import chargebacks, money
from orders.services.holding import active_holds, hold_row
from orders.services.holds import end_holds_on_sheet
from orders.services.sheet import Sheet, is_live, open_sheet, visible
from orders.services.tenders import TenderInHand, Tenders, lock_tenders
from orders.states import DisputeState, LineKind
from orders.types import HoldRequest

DISPUTED = "PAYMENT_DISPUTED"
DISPUTE_HOLD = "dispute"


class _Behind(NamedTuple):
    """What an authorisation's reference stands for."""

    tender_id: UUID
    order_id: UUID


@transaction.atomic
def record_disputes(
    given: Sequence[NewDispute], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Keep disputes that were opened, each once by its reference. One outcome each, with its order.

    Nothing of the tender is given back until the bank has decided; what of the order is not at a
    node yet is held. A payment that is not known here is not found.
    """
    behind = _behind(given)
    sheet = open_sheet(found.order_id for found in behind.values())
    tenders = _by_id(lock_tenders(list(sheet.orders)))
    known = {
        (row.account_id, row.provider, row.reference): row.order_id for row in _disputes(given)
    }
    outcomes: list[Outcome[UUID]] = []
    fresh: list[tuple[Order, dict[str, Any]]] = []
    for one in given:
        key = (one.account_id, one.provider, one.reference)
        if key in known:
            outcomes.append(Outcome.repeated(known[key]))
            continue
        try:
            row = _row(sheet, tenders, behind.get(_source(one)), one, at=at, actor=actor)
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        known[key] = row["order_id"]
        fresh.append((sheet.orders[row["order_id"]], row))
        outcomes.append(Outcome.done(row["order_id"]))
    for order, row in fresh:
        _open(sheet, order, row)
    _hold(sheet, fresh, at=at)
    sheet.write(at=at, actor=actor, reason="disputed")
    case_reports.report([_report(order, row) for order, row in fresh], at=at)
    return outcomes


def _behind(given: Sequence[NewDispute]) -> dict[tuple[UUID, str, str], _Behind]:
    """The tenders behind the payments that are disputed: one statement."""
    rows = Authorization.objects.for_scope(ALL_ACCOUNTS).filter(
        reference__in={one.authorization_reference for one in given}
    )
    return {
        (account_id, provider, reference): _Behind(tender_id, order_id)
        for account_id, provider, reference, tender_id, order_id in rows.order_by("pk").values_list(
            "account_id", "tender__provider", "reference", "tender_id", "order_id"
        )
    }


def _source(one: NewDispute) -> tuple[UUID, str, str]:
    return (one.account_id, one.provider, one.authorization_reference)


def _disputes(given: Sequence[NewDispute] | Sequence[DisputeVerdict]) -> list[Dispute]:
    rows = Dispute.objects.for_scope(ALL_ACCOUNTS).filter(
        reference__in=[one.reference for one in given]
    )
    return list(rows.order_by("pk"))


def _row(
    sheet: Sheet,
    tenders: dict[UUID, TenderInHand],
    behind: _Behind | None,
    one: NewDispute,
    *,
    at: datetime,
    actor: Actor,
) -> dict[str, Any]:
    """The row of a new dispute. Raises the refusal."""
    if behind is None:
        raise NotFound("There is no such payment here.")
    order = visible(sheet, behind.order_id, actor.scope)
    if not tenders[behind.tender_id].is_ours:
        raise Conflict("The payment is collected elsewhere, and disputed there.")
    if one.amount_minor < 1 or not one.reference:
        raise Invalid("A dispute has a reference, and is about at least one minor unit.")
    return {
        "id": ids.uuid7(),
        "tender_id": behind.tender_id,
        "order_id": order.id,
        "account_id": order.account_id,
        "provider": one.provider,
        "reference": one.reference[:128],
        "amount_minor": one.amount_minor,
        "reason": one.reason[:64],
        "evidence_due_at": one.evidence_due_at,
        "opened_at": one.opened_at,
        "at": at,
    }


def _open(sheet: Sheet, order: Order, row: dict[str, Any]) -> None:
    sheet.insert(Dispute, row)
    sheet.note_history(Dispute, row["id"], Change.CREATED)
    due = row["evidence_due_at"]
    sheet.tell(
        order.id,
        "payment.disputed",
        {
            "dispute_id": str(row["id"]),
            "amount_minor": row["amount_minor"],
            "currency": order.currency,
            "reason": row["reason"],
            "evidence_due_at": due.isoformat() if due else "",
        },
    )


def _hold(sheet: Sheet, fresh: Sequence[tuple[Order, dict[str, Any]]], *, at: datetime) -> None:
    """Keep what is not at a node from going there while its payment is disputed."""
    for order, row in fresh:
        if not is_live(order) or not _unreleased(sheet, order):
            continue
        sheet.place_hold(
            hold_row(
                order.account_id,
                HoldRequest(
                    order.id,
                    DISPUTE_HOLD,
                    f"{Money(row['amount_minor'], order.currency)} of its payment is disputed.",
                    handle=_handle(row["id"]),
                ),
                placed_by="payments",
                at=at,
            )
        )
        sheet.raise_plan(order.id)


def _unreleased(sheet: Sheet, order: Order) -> int:
    return sum(
        line.pending + line.backordered + line.reserved
        for line in sheet.lines_of(order.id)
        if line.kind != LineKind.KIT
    )


def _handle(dispute_id: UUID) -> str:
    return f"dispute:{dispute_id}"


def _report(order: Order, row: dict[str, Any]) -> case_reports.Report:
    due = row["evidence_due_at"]
    return case_reports.Report(
        kind=DISPUTED,
        subject_kind="order",
        subject_id=order.id,
        account_id=order.account_id,
        evidence={
            "reference": row["reference"],
            "amount_minor": row["amount_minor"],
            "currency": order.currency,
            "reason": row["reason"],
            "evidence_due_at": due.isoformat() if due else "",
        },
        thread_id=order.id,
    )


@transaction.atomic
def settle_disputes(
    verdicts: Sequence[DisputeVerdict], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Write down how banks have decided. One outcome per verdict, with its order.

    Won: what waited is given back now, and the hold ends. Lost: a chargeback document says what the
    bank took; it counts as given back, so that no credit gives it a second time.
    """
    known = {(row.account_id, row.provider, row.reference): row for row in _disputes(verdicts)}
    sheet = open_sheet(row.order_id for row in known.values())
    tenders = lock_tenders(list(sheet.orders))
    # Read again: somebody may have settled them before their orders were ours.
    known = {(row.account_id, row.provider, row.reference): row for row in _disputes(verdicts)}
    outcomes: list[Outcome[UUID]] = []
    ended: list[Dispute] = []
    for verdict in verdicts:
        try:
            row = known.get((verdict.account_id, verdict.provider, verdict.reference))
            outcomes.append(_decide(sheet, row, verdict, at=at, actor=actor))
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        if row is not None and outcomes[-1].kind == "done":
            ended.append(row)
    lost = [row for row in ended if row.state == DisputeState.LOST]
    reports = chargebacks.charge_back(sheet, _by_id(tenders), lost, at=at)
    _write(sheet, ended)
    _release(sheet, [row for row in ended if row.state == DisputeState.WON], at=at, actor=actor)
    touched = {row.order_id for row in ended}
    for row in ended:
        _by_id(tenders)[row.tender_id].disputed_minor -= row.amount_minor
    asked = money.ask(sheet, {order_id: tenders[order_id] for order_id in touched}, at=at)
    sheet.write(at=at, actor=actor, reason="dispute settled")
    asked.send(at=at, actor=actor)
    case_reports.report(reports, at=at)
    return outcomes


def _decide(
    sheet: Sheet, row: Dispute | None, verdict: DisputeVerdict, *, at: datetime, actor: Actor
) -> Outcome[UUID]:
    """End the dispute as the verdict says. Raises NotFound, Conflict when it ended otherwise."""
    if row is None:
        raise NotFound("There is no such dispute here.")
    visible(sheet, row.order_id, actor.scope)
    target = DisputeState.WON if verdict.won else DisputeState.LOST
    if row.state == target:
        return Outcome.repeated(row.order_id)
    if row.state != DisputeState.OPENED:
        raise Conflict(f"The dispute is {row.get_state_display().lower()} already.")
    if verdict.won:
        row.win(at=at)
    else:
        row.lose(at=at)
    return Outcome.done(row.order_id)


def _write(sheet: Sheet, ended: Sequence[Dispute]) -> None:
    sheet.statement.update(
        Dispute,
        [
            {
                "id": row.id,
                "before_state": DisputeState.OPENED.value,
                "state": str(row.state),
                "settled_at": row.settled_at,
                "beyond_minor": row.beyond_minor,
            }
            for row in ended
        ],
        guard='kept.state = given."before_state"',
    )
    for row in ended:
        sheet.note_history(Dispute, row.id, Change.CHANGED)
        topic = "payment.dispute_won" if row.state == DisputeState.WON else "payment.dispute_lost"
        sheet.tell(
            row.order_id, topic, {"dispute_id": str(row.id), "amount_minor": row.amount_minor}
        )


def _release(sheet: Sheet, won: Sequence[Dispute], *, at: datetime, actor: Actor) -> None:
    """The holds of disputes that were won end."""
    handles = {_handle(row.id) for row in won}
    held = {row.order_id for row in won if sheet.orders[row.order_id].holds_open}
    standing = active_holds(held)
    ended = [hold for holds in standing.values() for hold in holds if hold.handle in handles]
    for hold in ended:
        hold.release(at=at, by=actor.name, reason="the bank has left us the money")
    end_holds_on_sheet(sheet, standing, ended)


def _by_id(tenders: Tenders) -> dict[UUID, TenderInHand]:
    return {tender.id: tender for own in tenders.values() for tender in own}
