"""The tenders of locked orders, with what each has secured: what every command on money works with.

Tenders are locked after their order. Amounts are minor units.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from config.kernel.history import Change
from orders.models import Capture, Order, Refund, Tender
from orders.progress import TenderStanding, fold_payment
from orders.services.sheet import Sheet
from orders.states import CollectedBy, Mode, OrderState, PaymentState


@dataclass(slots=True)
class AuthorizationInHand:
    """A live authorisation. `taken_minor` is what was asked of it and not refused."""

    id: UUID
    reference: str
    amount_minor: int
    expires_at: datetime | None
    refused_at: datetime | None
    void_asked: bool
    taken_minor: int

    @property
    def left_minor(self) -> int:
        """What it still secures: nothing, once the provider has refused or is to let it go."""
        if self.refused_at is not None or self.void_asked:
            return 0
        return max(0, self.amount_minor - self.taken_minor)

    def room(self, at: datetime) -> int:
        """What may be captured from it now."""
        lapsed = self.expires_at is not None and self.expires_at <= at
        return 0 if lapsed else self.left_minor


@dataclass(slots=True)
class TenderInHand:
    """A locked tender, ours or not. `unanswered_minor` is the part of captured that is on its way.

    `advance_minor` was taken before we had the order: no capture of ours stands for it.
    `paid_reference` is the authorisation that money was taken from, whatever became of it: what is
    given back goes back there.
    """

    id: UUID
    order_id: UUID
    account_id: UUID
    provider: str
    collected_by: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    credited_minor: int
    carried_minor: int
    unanswered_minor: int
    advance_minor: int
    paid_reference: str
    authorizations: list[AuthorizationInHand] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        return self.collected_by == CollectedBy.US

    @property
    def held_minor(self) -> int:
        """What was taken, or is being taken, and neither given back nor carried to another order."""
        return self.captured_minor - self.refunded_minor - self.carried_minor

    @property
    def returnable_minor(self) -> int:
        """What may be given back now: what is being taken may fail yet."""
        return max(0, self.held_minor - self.unanswered_minor)

    def room(self, at: datetime) -> int:
        """What may be captured now, of all its authorisations."""
        return sum(authorization.room(at) for authorization in self.authorizations)

    def give_back_room(self, authorization_id: UUID | None, amount_minor: int) -> None:
        """What was asked for and is not asked any more may be captured again."""
        self.captured_minor -= amount_minor
        self.unanswered_minor -= amount_minor
        for authorization in self.authorizations:
            if authorization.id == authorization_id:
                authorization.taken_minor -= amount_minor

    def standing(self) -> TenderStanding:
        secured = self.captured_minor + sum(one.left_minor for one in self.authorizations)
        return TenderStanding(
            self.collected_by,
            self.amount_minor,
            max(0, self.captured_minor - self.unanswered_minor),
            min(secured, self.amount_minor),
            failed=any(one.refused_at is not None for one in self.authorizations)
            and secured < self.amount_minor,
        )


Tenders = dict[UUID, list[TenderInHand]]
"""Tenders by order, each order's in the order in which they are drawn on."""


def lock_tenders(order_ids: Collection[UUID]) -> Tenders:
    """Lock the tenders of locked orders by ascending id: one statement, none without orders."""
    if not order_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.id, t.order_id, t.account_id, t.provider, t.collected_by, t.amount_minor,
                t.captured_minor, t.refunded_minor, t.credited_minor, t.carried_minor,
                asked.underway_minor, t.captured_minor - asked.minor,
                coalesce(paid.reference, ''),
                t.position, a.id, a.reference, a.amount_minor, a.expires_at, a.refused_at,
                a.void_asked_at IS NOT NULL, taken.minor
            FROM orders_tender t
            LEFT JOIN orders_authorization a ON a.tender_id = t.id AND a.state = 'live'
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(c.amount_minor), 0)::bigint AS minor,
                    coalesce(sum(c.amount_minor)
                        FILTER (WHERE c.state IN ('requested', 'unknown')), 0)::bigint AS underway_minor
                FROM orders_capture c
                WHERE c.tender_id = t.id AND c.state NOT IN ('failed', 'withdrawn')) AS asked
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(c.amount_minor), 0)::bigint AS minor FROM orders_capture c
                WHERE c.authorization_id = a.id
                    AND c.state NOT IN ('failed', 'withdrawn')) AS taken
            LEFT JOIN LATERAL (
                SELECT u.reference FROM orders_authorization u WHERE u.tender_id = t.id
                ORDER BY EXISTS (SELECT FROM orders_capture c
                    WHERE c.authorization_id = u.id
                        AND c.state NOT IN ('failed', 'withdrawn')) DESC, u.id DESC
                LIMIT 1) AS paid ON true
            WHERE t.order_id = ANY(%s) ORDER BY t.id, a.id FOR UPDATE OF t
            """,
            [list(order_ids)],
        )
        rows = cursor.fetchall()
    known: dict[UUID, tuple[int, TenderInHand]] = {}
    for row in rows:
        _, tender = known.setdefault(row[0], (row[13], TenderInHand(*row[:13])))
        if row[14] is not None:
            tender.authorizations.append(AuthorizationInHand(*row[14:]))
    found: Tenders = {}
    for _, tender in sorted(known.values(), key=lambda one: one[0]):
        found.setdefault(tender.order_id, []).append(tender)
    return found


def write_tenders(sheet: Sheet, tenders: Iterable[TenderInHand]) -> None:
    """Put what was captured, refunded and credited of the tenders on the sheet.

    Of what others collect only what they are to give back is written.
    """
    rows: list[dict[str, Any]] = [
        {
            "id": tender.id,
            "captured_minor": tender.captured_minor,
            "refunded_minor": tender.refunded_minor,
            "credited_minor": tender.credited_minor,
            "carried_minor": tender.carried_minor,
        }
        for tender in tenders
        if tender.is_ours or tender.credited_minor
    ]
    sheet.statement.update(Tender, rows)


def write_asked(
    sheet: Sheet,
    model: type[Capture | Refund],
    rows: Sequence[tuple[Capture | Refund, str]],
) -> None:
    """Put captures or refunds on the sheet as they stand now, each with the state it was read in."""
    sheet.statement.update(
        model,
        [
            {
                "id": asked.id,
                "before_state": before,
                "state": str(asked.state),
                "reference": asked.reference[:128],
                "failure": asked.failure,
                "answered_at": asked.answered_at,
            }
            for asked, before in rows
        ],
        guard='kept.state = given."before_state"',
    )
    for asked, _ in rows:
        sheet.note_history(model, asked.id, Change.CHANGED)


def is_billed(order: Order) -> bool:
    """Whether the order's money is ours to keep: closed facts of the past are not."""
    return order.mode != Mode.HISTORY


def refold_payment(order: Order, tenders: Iterable[TenderInHand]) -> None:
    """Store where the payment of the order stands."""
    if order.state == OrderState.CANCELLED:
        if order.payment_state not in {PaymentState.NONE, PaymentState.ELSEWHERE}:
            order.payment_state = PaymentState.CANCELLED
        return
    due = order.total_minor - order.cancelled_minor
    order.payment_state = fold_payment(due, [tender.standing() for tender in tenders])
