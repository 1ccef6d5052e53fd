"""The tenders of locked orders, with what each has secured: what every command on money works with.

Tenders are locked after their order. Amounts are minor units.
"""

import json
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
    """A live authorisation. `taken_minor` is what was asked of it and not refused.

    `unanswered_minor` of that is on its way. While it is `renewing` nothing more is asked of it.
    """

    id: UUID
    reference: str
    amount_minor: int
    expires_at: datetime | None
    refused_at: datetime | None
    void_asked: bool
    renewing: bool = False
    taken_minor: int = 0
    unanswered_minor: int = 0

    @property
    def left_minor(self) -> int:
        """What it still secures: nothing, once the provider has refused or is to let it go."""
        if self.refused_at is not None or self.void_asked:
            return 0
        return max(0, self.amount_minor - self.taken_minor)

    def room(self, at: datetime) -> int:
        """What may be captured from it now."""
        lapsed = self.expires_at is not None and self.expires_at <= at
        return 0 if lapsed or self.renewing else self.left_minor

    @property
    def is_used_up(self) -> bool:
        """Whether everything that it secures was captured."""
        return self.taken_minor - self.unanswered_minor >= self.amount_minor


@dataclass(slots=True)
class Source:
    """What was taken from an authorisation, and what was given back through it."""

    reference: str
    taken_minor: int
    given_minor: int


@dataclass(slots=True)
class TenderInHand:
    """A locked tender, ours or not. `unanswered_minor` is the part of captured that is on its way.

    `advance_minor` was taken before we had the order: no capture of ours stands for it.
    `charged_back_minor` is counted in what was refunded: a bank has given it back. While something is
    `disputed_minor` nothing is given back.
    `sources` are the authorisations that money was taken from, whatever became of them, the oldest
    first: what is given back goes back there.
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
    charged_back_minor: int
    disputed_minor: int
    unanswered_minor: int
    advance_minor: int
    sources: list[Source]
    authorizations: list[AuthorizationInHand] = field(default_factory=list)

    @property
    def paid_reference(self) -> str:
        """The authorisation that money was taken from last; of none, the youngest there is."""
        used = [one for one in self.sources if one.taken_minor] or self.sources
        return used[-1].reference if used else ""

    def give_back_through(self, amount_minor: int) -> list[tuple[str, int]]:
        """(authorisation, amount) by which so much goes back: the last drawn on first, each as far
        as money was taken from it. What was taken before we had the order goes through the last.
        """
        parts: dict[str, int] = {}
        for source in reversed(self.sources):
            share = max(0, min(amount_minor, source.taken_minor - source.given_minor))
            if share:
                source.given_minor += share
                parts[source.reference] = parts.get(source.reference, 0) + share
                amount_minor -= share
        if amount_minor:
            last = self.paid_reference
            parts[last] = parts.get(last, 0) + amount_minor
        return list(parts.items())

    @property
    def is_ours(self) -> bool:
        return self.collected_by == CollectedBy.US

    @property
    def held_minor(self) -> int:
        """What was taken, or is being taken, and neither given back nor carried to another order."""
        return self.captured_minor - self.refunded_minor - self.carried_minor

    @property
    def returnable_minor(self) -> int:
        """What may be given back now: what is being taken may fail yet, what is disputed waits."""
        return 0 if self.disputed_minor else max(0, self.held_minor - self.unanswered_minor)

    @property
    def given_back_minor(self) -> int:
        """What was given back beyond what its credits account for."""
        return self.refunded_minor - (self.credited_minor - self.carried_minor)

    @property
    def absorbing_minor(self) -> int:
        """What a credit need not give back any more: a bank has taken it."""
        if self.disputed_minor:
            return 0
        return max(0, min(self.charged_back_minor, self.given_back_minor))

    @property
    def answerable_minor(self) -> int:
        """What credits may draw on: what it holds, and what a bank has given back already."""
        return self.held_minor + self.absorbing_minor

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
                authorization.unanswered_minor -= amount_minor

    def keep_taken(self, authorization_id: UUID | None, amount_minor: int) -> None:
        """What was asked for was taken."""
        self.unanswered_minor -= amount_minor
        for authorization in self.authorizations:
            if authorization.id == authorization_id:
                authorization.unanswered_minor -= amount_minor

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
                t.charged_back_minor, disputed.minor,
                asked.underway_minor, t.captured_minor - asked.minor,
                paid.sources,
                t.position, a.id, a.reference, a.amount_minor, a.expires_at, a.refused_at,
                a.void_asked_at IS NOT NULL,
                a.renewal_asked_at IS NOT NULL AND a.renewal_failed_at IS NULL,
                taken.minor, taken.underway_minor
            FROM orders_tender t
            LEFT JOIN orders_authorization a
                ON a.order_id = t.order_id AND a.tender_id = t.id AND a.state = 'live'
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(c.amount_minor), 0)::bigint AS minor,
                    coalesce(sum(c.amount_minor)
                        FILTER (WHERE c.state IN ('requested', 'unknown')), 0)::bigint AS underway_minor
                FROM orders_capture c
                WHERE c.tender_id = t.id AND c.state NOT IN ('failed', 'withdrawn')) AS asked
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(c.amount_minor), 0)::bigint AS minor,
                    coalesce(sum(c.amount_minor)
                        FILTER (WHERE c.state IN ('requested', 'unknown')), 0)::bigint AS underway_minor
                FROM orders_capture c
                WHERE c.authorization_id = a.id
                    AND c.state NOT IN ('failed', 'withdrawn')) AS taken
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(d.amount_minor), 0)::bigint AS minor FROM orders_dispute d
                WHERE d.tender_id = t.id AND d.state = 'opened') AS disputed
            CROSS JOIN LATERAL (
                SELECT coalesce(jsonb_agg(jsonb_build_array(u.reference,
                    (SELECT coalesce(sum(c.amount_minor), 0) FROM orders_capture c
                        WHERE c.authorization_id = u.id AND c.state = 'succeeded'),
                    (SELECT coalesce(sum(r.amount_minor), 0) FROM orders_refund r
                        WHERE r.tender_id = t.id AND r.source = u.reference
                            AND r.state <> 'retried')) ORDER BY u.id), '[]') AS sources
                FROM orders_authorization u
                WHERE u.order_id = t.order_id AND u.tender_id = t.id) AS paid
            WHERE t.order_id = ANY(%s) ORDER BY t.id, a.id FOR UPDATE OF t
            """,
            [list(order_ids)],
        )
        rows = cursor.fetchall()
    known: dict[UUID, tuple[int, TenderInHand]] = {}
    for row in rows:
        if row[0] not in known:
            sources = [Source(*one) for one in _listed(row[14])]
            known[row[0]] = (row[15], TenderInHand(*(*row[:14], sources)))
        _, tender = known[row[0]]
        if row[16] is not None:
            tender.authorizations.append(AuthorizationInHand(*row[16:]))
    found: Tenders = {}
    for _, tender in sorted(known.values(), key=lambda one: one[0]):
        found.setdefault(tender.order_id, []).append(tender)
    return found


def _listed(sources: Any) -> list[list[Any]]:
    """JSON as it comes from the cursor: text, or read already."""
    listed: list[list[Any]] = json.loads(sources) if isinstance(sources, str) else sources
    return listed


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
            "charged_back_minor": tender.charged_back_minor,
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
