"""Goods that came: as announced, in part, other than announced, or without notice.

What lies on the table is a fact. It is never refused; what does not fit becomes a case.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

import orders.services
from config.kernel import ids
from config.kernel.errors import Conflict, DomainError, NotFound
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.selectors import creditable_lines, order_heads
from orders.types import CreditableLine, ReturnedUnits
from returns.facts import facts_of
from returns.models import Receipt as ReceiptRow
from returns.models import ReceiptLine, Return, ReturnLine
from returns.services.credit import credit_what_is_due
from returns.services.request import insert_returns
from returns.services.work import (
    Work,
    final_standings,
    open_returns,
    refused,
    require_account,
)
from returns.states import ARRIVABLE, ReturnKind, ReturnState, Trigger
from returns.types import (
    ArrivedUnits,
    Receipt,
    ReturnScan,
    ReturnStanding,
    UnannouncedReceipt,
)

MISMATCH = "RETURN_MISMATCH"


@transaction.atomic
def receive_returns(
    receipts: Sequence[Receipt], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Record what came in at a node. One outcome per receipt, in order.

    Without units everything that is awaited has come; when nothing is, it is a repeat. Units that
    nobody announced get a line of their own, and a case. The same key counts once.
    """
    work = open_returns([one.return_id for one in receipts], scope=actor.scope)
    known = _known(receipts)
    strays = _order_lines(work, receipts)
    verdicts: list[Outcome[UUID]] = []
    rows: list[ReceiptRow] = []
    parts: list[ReceiptLine] = []
    for one in receipts:
        try:
            returned = work.visible(one.return_id)
            if (one.return_id, one.key) in known:
                verdicts.append(Outcome.repeated(one.return_id))
                continue
            units = one.units or _awaited(work, returned)
            if not units and returned.state not in ARRIVABLE:
                verdicts.append(Outcome.repeated(one.return_id))
                continue
            arrived = _arrive(work, returned, units, strays)
        except DomainError as refusal:
            verdicts.append(refused(refusal, work.returns.get(one.return_id)))
            continue
        if one.key:
            known.add((one.return_id, one.key))
        row, own = _receipt(returned, one, arrived, at=at, actor=actor)
        rows.append(row)
        parts += own
        _note_arrival(work, returned, one.node_id, arrived, at=at)
        verdicts.append(Outcome.done(one.return_id))
    _book(work, rows, parts, at=at, actor=actor)
    return final_standings(work, verdicts)


def _known(receipts: Sequence[Receipt]) -> set[tuple[UUID, str]]:
    """Receipts that were recorded already, by return and key."""
    named = [one.key for one in receipts if one.key]
    if not named:
        return set()
    rows = ReceiptRow.objects.for_scope(ALL_ACCOUNTS).filter(
        returned_id__in=[one.return_id for one in receipts], key__in=named
    )
    return set(rows.values_list("returned_id", "key"))


def _order_lines(work: Work, receipts: Sequence[Receipt]) -> dict[UUID, dict[int, CreditableLine]]:
    """The lines of the orders by SKU, for what nobody has announced; read only then."""
    if not any(unit.sku_id for one in receipts for unit in one.units):
        return {}
    order_ids = {one.order_id for one in work.returns.values() if one.order_id}
    found: dict[UUID, dict[int, CreditableLine]] = {}
    for line in creditable_lines(order_ids, ALL_ACCOUNTS):
        if line.sku_id is not None:
            found.setdefault(line.order_id, {}).setdefault(line.sku_id, line)
    return found


def _awaited(work: Work, returned: Return) -> tuple[ArrivedUnits, ...]:
    return tuple(
        ArrivedUnits(line.awaited, line.pk) for line in work.lines_of(returned.pk) if line.awaited
    )


def _arrive(
    work: Work,
    returned: Return,
    units: Sequence[ArrivedUnits],
    strays: Mapping[UUID, Mapping[int, CreditableLine]],
) -> list[tuple[ReturnLine, int, bool]]:
    """Count units on their lines: (line, units, whether they were announced). Raises the refusal."""
    if any(unit.quantity < 1 for unit in units):
        raise Conflict("A receipt is of at least one unit.")
    arrived = []
    for unit in units:
        line = _line_for(work, returned, unit, strays)
        announced = unit.quantity <= line.awaited
        work.count(line, received=unit.quantity)
        arrived.append((line, unit.quantity, announced))
    return arrived


def _line_for(
    work: Work,
    returned: Return,
    unit: ArrivedUnits,
    strays: Mapping[UUID, Mapping[int, CreditableLine]],
) -> ReturnLine:
    """The line that units belong to; a new one when nobody has announced them."""
    if unit.return_line_id is not None:
        return work.line(returned.pk, unit.return_line_id)
    own = [line for line in work.lines_of(returned.pk) if line.sku_id == unit.sku_id]
    if own:
        return max(own, key=lambda line: line.awaited)
    if unit.sku_id is None:
        raise NotFound("A receipt names a line of the return, or a SKU.")
    ordered = strays.get(returned.order_id, {}).get(unit.sku_id) if returned.order_id else None
    return work.add_line(
        ReturnLine(
            id=ids.uuid7(),
            account_id=returned.account_id,
            returned_id=returned.pk,
            position=len(work.lines_of(returned.pk)) + 1,
            order_line_id=ordered.line_id if ordered else None,
            sku_id=unit.sku_id,
            title=ordered.title if ordered else "",
        )
    )


def _receipt(
    returned: Return,
    one: Receipt,
    arrived: Sequence[tuple[ReturnLine, int, bool]],
    *,
    at: datetime,
    actor: Actor,
) -> tuple[ReceiptRow, list[ReceiptLine]]:
    row = ReceiptRow(
        id=ids.uuid7(),
        account_id=returned.account_id,
        returned_id=returned.pk,
        node_id=one.node_id,
        key=one.key,
        received_by=actor.name,
        at=at,
    )
    return row, [
        ReceiptLine(
            id=ids.uuid7(),
            account_id=returned.account_id,
            receipt_id=row.pk,
            line_id=line.pk,
            quantity=quantity,
            announced=announced,
        )
        for line, quantity, announced in arrived
    ]


def _note_arrival(
    work: Work,
    returned: Return,
    node_id: int,
    arrived: Sequence[tuple[ReturnLine, int, bool]],
    *,
    at: datetime,
) -> None:
    """Move the return, and say what is not as it was announced."""
    late = returned.state == ReturnState.EXPIRED
    if returned.state in ARRIVABLE:
        returned.receive(at=at)
    elif returned.state != ReturnState.RECEIVED:
        returned.receive_more()
    returned.node_id = node_id
    work.tell(
        returned,
        "return.received",
        node_id=node_id,
        lines={str(line.pk): quantity for line, quantity, _ in arrived},
    )
    stray = sum(quantity for _, quantity, announced in arrived if not announced)
    if (stray and returned.kind not in {ReturnKind.BLIND, ReturnKind.IN_STORE}) or late:
        work.report(MISMATCH, returned, unannounced=stray, late=late)


def _book(
    work: Work,
    rows: Sequence[ReceiptRow],
    parts: Sequence[ReceiptLine],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Tell the orders what came back, credit what is due on receipt, and write it all down."""
    by_line = {part.line_id: work.lines[part.line_id] for part in parts}
    back = [
        (part, ReturnedUnits(order_id, line.order_line_id, part.quantity))
        for part in parts
        if (line := by_line[part.line_id]).order_line_id
        and (returned := work.returns[line.returned_id]).kind != ReturnKind.SENT_BACK
        and (order_id := returned.order_id)
    ]
    if back:
        recorded = orders.services.record_returned([units for _, units in back], at=at, actor=actor)
        for (part, units), count in zip(back, recorded, strict=True):
            if count < units.quantity:
                returned = work.returns[by_line[part.line_id].returned_id]
                work.report(MISMATCH, returned, not_delivered=units.quantity - count)
    due = [row.returned_id for row in rows if _pays_on_receipt(work.returns[row.returned_id])]
    credit_what_is_due(work, list(dict.fromkeys(due)), at=at, actor=actor)
    work.write(at=at, actor=actor, reason="received")
    ReceiptRow.objects.bulk_create(rows)
    ReceiptLine.objects.bulk_create(parts)


def _pays_on_receipt(returned: Return) -> bool:
    return returned.refund_trigger in {Trigger.RECEIPT, Trigger.FIRST_SCAN}


@transaction.atomic
def receive_unannounced(
    arrivals: Sequence[UnannouncedReceipt], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Make a return of goods that came without notice, or over the counter. One outcome each.

    Without an order it waits to be identified; with one its units are that order's, as far as it
    has them.
    """
    orders.services.lock_orders({one.order_id for one in arrivals if one.order_id})
    facts = facts_of({one.order_id for one in arrivals if one.order_id})
    fresh: list[Return] = []
    outcomes: list[Outcome[UUID]] = []
    receipts: list[Receipt] = []
    for one in arrivals:
        try:
            require_account(actor.scope, one.account_id)
            of = facts.get(one.order_id) if one.order_id else None
            if one.order_id and (of is None or of.account_id != one.account_id):
                raise NotFound("There is no such order.")
            if one.order_id is None and one.kind != ReturnKind.BLIND:
                raise Conflict("Only what came blind has no order.")
            if not one.units:
                raise Conflict("A receipt is of at least one unit.")
        except DomainError as refusal:
            outcomes.append(refused(refusal))
            continue
        made = Return(
            id=ids.uuid7(),
            account_id=one.account_id,
            order_id=one.order_id,
            kind=one.kind,
            currency=of.currency if of else "",
            policy=of.policy if of else None,
            refund_trigger=of.terms.refund_trigger if of else Trigger.INSPECTION,
            words="Came without notice." if one.kind == ReturnKind.BLIND else "Over the counter.",
            tracking_number=one.tracking_number,
            node_id=one.node_id,
            requested_at=at,
            updated_at=at,
            event_seq=1,
        )
        fresh.append(made)
        receipts.append(Receipt(made.pk, one.node_id, one.units))
        outcomes.append(Outcome.done(made.pk))
    if not fresh:
        return [Outcome(one.kind, None, one.problem) for one in outcomes]
    insert_returns(fresh, [], "return.requested", at=at, actor=actor)
    received = receive_returns(receipts, at=at, actor=actor)
    answers = {one.value.return_id: one for one in received if one.value is not None}
    return [
        answers[one.value] if one.value in answers else Outcome(one.kind, None, one.problem)
        for one in outcomes
    ]


@transaction.atomic
def identify_returns(
    found: Sequence[tuple[UUID, UUID]], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Say whose order goods belong to that came without one: (return, order). One outcome each."""
    work = open_returns(
        [return_id for return_id, _ in found],
        scope=actor.scope,
        order_ids=[order_id for _, order_id in found],
    )
    heads = order_heads([order_id for _, order_id in found], ALL_ACCOUNTS)
    lines: dict[UUID, dict[int | None, CreditableLine]] = {}
    for line in creditable_lines(list(heads), ALL_ACCOUNTS):
        lines.setdefault(line.order_id, {}).setdefault(line.sku_id, line)
    verdicts: list[Outcome[UUID]] = []
    back: list[ReturnedUnits] = []
    for return_id, order_id in found:
        try:
            returned = work.visible(return_id)
            if returned.order_id == order_id:
                verdicts.append(Outcome.repeated(return_id))
                continue
            head = heads.get(order_id)
            if head is None or head.account_id != returned.account_id:
                raise NotFound("There is no such order.")
            if returned.order_id is not None:
                raise Conflict("The return belongs to an order already.")
        except DomainError as refusal:
            verdicts.append(refused(refusal, work.returns.get(return_id)))
            continue
        returned.order_id, returned.currency = order_id, head.currency
        for kept in work.lines_of(return_id):
            ordered = lines.get(order_id, {}).get(kept.sku_id)
            if ordered is None:
                work.report(MISMATCH, returned, not_ordered=kept.received)
                continue
            kept.order_line_id = ordered.line_id
            kept.title = ordered.title
            work.count(kept, received=0)
            back.append(ReturnedUnits(order_id, ordered.line_id, kept.received))
        work.tell(returned, "return.identified")
        verdicts.append(Outcome.done(return_id))
    orders.services.record_returned(back, at=at, actor=actor)
    work.write(at=at, actor=actor, reason="identified")
    return final_standings(work, verdicts)


@transaction.atomic
def record_scans(
    scans: Sequence[ReturnScan], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """A carrier has scanned parcels that come back. One outcome each; unknown numbers are refused.

    Where the policy pays on the first scan, what is on its way is credited.
    """
    rows = Return.objects.for_scope(actor.scope).filter(
        tracking_number__in=[scan.tracking_number for scan in scans if scan.tracking_number]
    )
    named = {row.tracking_number: row.pk for row in rows.order_by("pk")}
    work = open_returns(list(named.values()), scope=actor.scope)
    verdicts: list[Outcome[UUID]] = []
    moved: list[UUID] = []
    for scan in scans:
        return_id = named.get(scan.tracking_number)
        if return_id is None:
            verdicts.append(Outcome.refused("not-found", "No return travels under this number."))
            continue
        returned = work.returns[return_id]
        if returned.state != ReturnState.AUTHORIZED:
            verdicts.append(Outcome.repeated(return_id))
            continue
        returned.travel(at=scan.happened_at)
        work.tell(returned, "return.shipped", carrier=scan.carrier_code or returned.carrier_code)
        moved.append(return_id)
        verdicts.append(Outcome.done(return_id))
    due = [one for one in moved if work.returns[one].refund_trigger == Trigger.FIRST_SCAN]
    credit_what_is_due(work, due, at=at, actor=actor)
    work.write(at=at, actor=actor, reason="scanned")
    return final_standings(work, verdicts)
