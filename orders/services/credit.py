"""Credit notes: what an order owes less because units came back, were lost, or were let go.

`credit_units` runs inside the caller's transaction, which has locked the orders and their tenders
(`units.lock_orders`): returns decide, orders keep the money.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from config.kernel import ids
from config.kernel.errors import Conflict, DomainError
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders import billing
from orders.credits import Books, open_books, price, total_of
from orders.models import CreditLine, CreditNote, Dispute, Order, Tender
from orders.services import money
from orders.services.sheet import Sheet, open_sheet, visible
from orders.services.tenders import TenderInHand, is_billed
from orders.types import CarriedMoney, Credited, CreditedPart, CreditRequest

BATCH = 200


@dataclass(frozen=True, slots=True)
class _Written:
    """What was credited in this command; where its money goes is known once it was looked for."""

    request: CreditRequest
    note_id: UUID
    parts: tuple[CreditedPart, ...]
    carried: tuple[CarriedMoney, ...]

    @property
    def amount_minor(self) -> int:
        return total_of(self.parts)


def credit_units(
    requests: Sequence[CreditRequest], *, at: datetime, actor: Actor
) -> list[Outcome[Credited]]:
    """Write a credit note per request and have its money given back. One outcome each, in order.

    Each part is exact: when everything has come back, the credits of a line add up to what was
    charged for it. Money goes back to the tenders that it came from, the last that was drawn on
    first. A cause is credited once per key: a repeat answers with the first note.
    """
    if not requests:
        return []
    sheet = open_sheet({request.order_id for request in requests})
    books = open_books(sheet.orders)
    known = _known(requests)
    tenders = money.tenders_of(sheet, list(sheet.orders))
    outcomes: list[Outcome[Credited] | None] = []
    written: dict[int, _Written] = {}
    for place, request in enumerate(requests):
        cause = (request.cause_kind, request.cause_id, request.key)
        if cause in known:
            outcomes.append(Outcome.repeated(known[cause]))
            continue
        try:
            order = visible(sheet, request.order_id, actor.scope)
            parts = _judge(order, request, books)
            carried = _carry(order, request, parts, tenders.get(order.id, []))
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        one = _Written(request, ids.uuid7(), parts, carried)
        books.keep(request.order_id, parts)
        _write(sheet, order, one, at=at)
        known[cause] = _answer(order, one)
        written[place] = one
        outcomes.append(None)
    notes: dict[UUID, list[UUID]] = {}
    for one in written.values():
        notes.setdefault(one.request.order_id, []).append(one.note_id)
    asked = money.ask(sheet, tenders, at=at, credited=notes)
    sheet.write(at=at, actor=actor, reason="credited")
    asked.send(at=at, actor=actor)
    return [
        outcome or Outcome.done(_answer(sheet.orders[requests[place].order_id], written[place]))
        for place, outcome in enumerate(outcomes)
    ]


def _judge(order: Order, request: CreditRequest, books: Books) -> tuple[CreditedPart, ...]:
    """The parts of the note. Raises the refusal."""
    if not is_billed(order):
        raise Conflict("The order is a fact of the past: its money is not ours to give back.")
    return price(books, request)


def _carry(
    order: Order,
    request: CreditRequest,
    parts: Sequence[CreditedPart],
    tenders: Sequence[TenderInHand],
) -> tuple[CarriedMoney, ...]:
    """Take what pays for another order from the tenders, the first that was drawn on first.

    Raises Conflict when so much was not taken yet.
    """
    wanted = min(request.carried_minor, total_of(parts))
    if wanted <= 0:
        return ()
    invoiced = billing.across_tenders(order.invoiced_minor, [one.amount_minor for one in tenders])
    rooms = [
        tender.returnable_minor if tender.is_ours else max(0, share - tender.credited_minor)
        for tender, share in zip(tenders, invoiced, strict=True)
    ]
    shares = billing.across_tenders(wanted, rooms)
    if sum(shares) < wanted:
        if any(tender.disputed_minor for tender in tenders):
            raise Conflict("The buyer disputes the payment: the bank has to decide first.")
        raise Conflict("The money that is to pay for the other order was not taken yet.")
    carried = []
    for tender, share in zip(tenders, shares, strict=True):
        if share:
            tender.carried_minor += share
            tender.credited_minor += share
            carried.append(
                CarriedMoney(
                    tender.id,
                    "exchange",
                    tender.provider,
                    tender.collected_by,
                    tender.paid_reference,
                    share,
                )
            )
    return tuple(carried)


def _write(sheet: Sheet, order: Order, one: _Written, *, at: datetime) -> None:
    """Put the note on the sheet: what it credits is open until somebody was asked for it."""
    carried = sum(part.amount_minor for part in one.carried)
    order.credited_minor += one.amount_minor
    order.credit_open_minor += one.amount_minor - carried
    sheet.insert(
        CreditNote,
        {
            "id": one.note_id,
            "order_id": order.id,
            "account_id": order.account_id,
            "cause_kind": one.request.cause_kind,
            "cause_id": one.request.cause_id,
            "key": one.request.key,
            "amount_minor": one.amount_minor,
            "carried_minor": carried,
            "currency": order.currency,
            "reason": one.request.reason[:200],
            "at": at,
        },
    )
    for part in one.parts:
        sheet.insert(CreditLine, _line_row(order, one.note_id, part))
    sheet.tell(
        order.id,
        "order.credited",
        {
            "credit_note_id": str(one.note_id),
            "amount_minor": one.amount_minor,
            "carried_minor": carried,
            "currency": order.currency,
            "cause": {"kind": one.request.cause_kind, "id": str(one.request.cause_id)},
            "lines": {
                str(unit.line_id): unit.quantity for unit in one.request.units if unit.quantity
            },
        },
    )


def _line_row(order: Order, note_id: UUID, part: CreditedPart) -> dict[str, Any]:
    return {
        "id": ids.uuid7(),
        "note_id": note_id,
        "order_id": order.id,
        "account_id": order.account_id,
        "part": part.part,
        "line_id": part.line_id,
        "quantity": part.quantity,
        "amount_minor": part.amount_minor,
    }


def _answer(order: Order, one: _Written) -> Credited:
    return Credited(
        note_id=one.note_id,
        order_id=order.id,
        amount_minor=one.amount_minor,
        currency=order.currency,
        parts=one.parts,
        waiting_minor=min(order.credit_open_minor, one.amount_minor),
        carried=one.carried,
    )


def _known(
    requests: Sequence[CreditRequest],
) -> dict[tuple[str, UUID, str], Credited]:
    """The notes that these causes have written already. Two statements."""
    notes = {
        note.pk: note
        for note in CreditNote.objects.for_scope(ALL_ACCOUNTS).filter(
            cause_id__in=[request.cause_id for request in requests]
        )
    }
    parts: dict[UUID, list[CreditedPart]] = {}
    if notes:
        for line in CreditLine.objects.for_scope(ALL_ACCOUNTS).filter(note_id__in=list(notes)):
            parts.setdefault(line.note_id, []).append(
                CreditedPart(line.part, line.amount_minor, line.line_id, line.quantity)
            )
    return {
        (note.cause_kind, note.cause_id, note.key): Credited(
            note.pk,
            note.order_id,
            note.amount_minor,
            note.currency,
            tuple(parts.get(note.pk, ())),
        )
        for note in notes.values()
    }


@transaction.atomic
def settle_credits(limit: int = BATCH, *, at: datetime, actor: Actor) -> int:
    """Give back what was credited while its money was still being taken. Answers how many orders."""
    disputed = Dispute.objects.for_scope(ALL_ACCOUNTS).open().filter(tender_id=OuterRef("pk"))
    holding = Tender.objects.for_scope(ALL_ACCOUNTS).filter(
        ~Exists(disputed),
        order__credit_open_minor__gt=0,
        captured_minor__gt=F("refunded_minor") + F("carried_minor"),
    )
    due = list(holding.order_by("order_id").values_list("order_id", flat=True).distinct()[:limit])
    if not due:
        return 0
    sheet = open_sheet(due, skip_locked=True)
    asked = money.settle(sheet, list(sheet.orders), at=at)
    sheet.write(at=at, actor=actor, reason="credits settled")
    asked.send(at=at, actor=actor)
    return len({intent.payload["order_id"] for intent in asked.intents})
